import TandemCore
import TandemJSON
import Testing

@testable import TandemAgent

struct PolicyTests {
    /// Every combination of what the policy looks at.
    private static let all: [PolicyFacts] = {
        var all: [PolicyFacts] = []
        let flags = [false, true]
        for effect in Effect.allCases {
            for label in TrustLabel.allCases {
                for recipient in PolicyParty.allCases {
                    for host in PolicyParty.allCases {
                        for amount in PolicyAmount.allCases {
                            for bits in 0..<32 {
                                all.append(
                                    PolicyFacts(
                                        effect: effect, label: label, isPlanned: flags[bits & 1],
                                        isUndoable: flags[bits >> 1 & 1], recipient: recipient, host: host,
                                        amount: amount, isMemory: flags[bits >> 2 & 1], asksFirst: flags[bits >> 3 & 1],
                                        isOwnersAlone: flags[bits >> 4 & 1]))
                            }
                        }
                    }
                }
            }
        }
        return all
    }()

    private static let strictness: [PolicyDecision: Int] = [.allow: 0, .confirm: 1, .refuse: 2]

    private func decide(_ facts: PolicyFacts) -> PolicyDecision { Policy.standard.decide(facts) }

    private func tool(_ effect: Effect, _ undo: UndoPolicy) -> ToolDefinition {
        ToolDefinition(id: "box.do", title: "Do", description: "", parameters: [:], effect: effect, undo: undo)
    }

    private static let expected: [(TrustLabel, Effect, PolicyDecision)] = [
        (.owner, .read, .allow), (.owner, .write, .allow), (.owner, .delete, .confirm), (.owner, .send, .confirm),
        (.owner, .spend, .confirm),
        (.system, .read, .allow), (.system, .write, .allow), (.system, .delete, .confirm), (.system, .send, .confirm),
        (.system, .spend, .confirm),
        (.contact, .read, .allow), (.contact, .write, .refuse), (.contact, .delete, .refuse),
        (.contact, .send, .refuse), (.contact, .spend, .refuse),
        (.untrusted, .read, .allow), (.untrusted, .write, .refuse), (.untrusted, .delete, .refuse),
        (.untrusted, .send, .refuse), (.untrusted, .spend, .refuse),
    ]

    @Test func decidesEveryCellOfTheSmallMatrix() {
        #expect(PolicyTests.expected.count == TrustLabel.allCases.count * Effect.allCases.count)
        for (label, effect, decision) in PolicyTests.expected {
            #expect(Policy.standard.decide(tool: tool(effect, .rows), label: label) == decision, "\(label) \(effect)")
            let last = decision == .allow && effect != .read ? .confirm : decision
            #expect(Policy.standard.decide(tool: tool(effect, .none), label: label) == last, "\(label) \(effect)")
        }
    }

    @Test func everyCombinationIsDecidedByAStatedRule() {
        #expect(PolicyTests.all.count == 5 * 4 * 3 * 3 * 3 * 32)
        for facts in PolicyTests.all { #expect(Policy.standard.rule(for: facts) != nil, "\(facts)") }
    }

    @Test func whatWasReadAddsNoStep() {
        for facts in PolicyTests.all where !facts.isPlanned && facts.effect != .read {
            #expect(decide(facts) == .refuse, "\(facts)")
        }
    }

    @Test func nobodyButTheOwnerDecidesAboutPermissions() {
        for facts in PolicyTests.all where facts.isOwnersAlone && facts.label != .owner {
            #expect(decide(facts) == .refuse, "\(facts)")
        }
    }

    @Test func othersNameNoAddressToGoTo() {
        for facts in PolicyTests.all where facts.label > .system && facts.host == .new {
            #expect(decide(facts) == .refuse, "\(facts)")
        }
        for facts in PolicyTests.all where !facts.isPlanned && facts.host == .new {
            #expect(decide(facts) == .refuse, "\(facts)")
        }
    }

    @Test func nothingIsSentSpentOrDeletedUnasked() {
        for facts in PolicyTests.all where [.send, .spend, .delete].contains(facts.effect) {
            #expect(decide(facts) != .allow, "\(facts)")
        }
    }

    @Test func othersNameNoPriceAndNoPayee() {
        for facts in PolicyTests.all where facts.effect == .spend && facts.label > .system {
            let isTheOwners = facts.amount == .stated && facts.recipient != .new
            if !isTheOwners { #expect(decide(facts) == .refuse, "\(facts)") }
        }
    }

    @Test func nothingBecomesABeliefOnTheWordOfOthers() {
        for facts in PolicyTests.all where facts.isMemory && facts.effect == .write && facts.label > .system {
            #expect(decide(facts) != .allow, "\(facts)")
        }
    }

    @Test func whatCannotBeUndoneIsNeverJustDone() {
        for facts in PolicyTests.all where facts.effect != .read && !facts.isUndoable {
            #expect(decide(facts) != .allow, "\(facts)")
        }
    }

    @Test func refusesWhatNoRuleIsAbout() {
        let policy = Policy(rules: [PolicyRule("reading", labels: [.owner], effects: [.read], .allow)])
        for label in TrustLabel.allCases {
            for effect in Effect.allCases {
                let expected: PolicyDecision = label == .owner && effect == .read ? .allow : .refuse
                #expect(policy.decide(tool: tool(effect, .rows), label: label) == expected)
            }
        }
    }

    /// More trust never allows less, a plan never less than none, a known place never less than a new one.
    @Test func isMonotonous() {
        func strict(_ facts: PolicyFacts) -> Int { PolicyTests.strictness[decide(facts)] ?? 9 }
        for facts in PolicyTests.all {
            let labels = TrustLabel.allCases.sorted().map { label in
                var other = facts
                other.label = label
                return strict(other)
            }
            #expect(labels == labels.sorted(), "\(facts)")
            var planned = facts
            var known = facts
            planned.isPlanned = true
            if known.host == .new { known.host = .known }
            if known.recipient == .new { known.recipient = .known }
            #expect(strict(planned) <= strict(facts), "\(facts)")
            #expect(strict(known) <= strict(facts), "\(facts)")
        }
    }
}
