import TandemCore
import TandemJSON
import Testing

@testable import TandemAgent

struct PolicyTests {
    private static let expected: [(TrustLabel, Effect, PolicyDecision)] = [
        (.owner, .read, .allow), (.owner, .write, .allow), (.owner, .delete, .confirm), (.owner, .send, .confirm),
        (.owner, .spend, .confirm),
        (.system, .read, .allow), (.system, .write, .allow), (.system, .delete, .confirm), (.system, .send, .confirm),
        (.system, .spend, .confirm),
        (.contact, .read, .allow), (.contact, .write, .confirm), (.contact, .delete, .refuse),
        (.contact, .send, .confirm), (.contact, .spend, .refuse),
        (.untrusted, .read, .allow), (.untrusted, .write, .confirm), (.untrusted, .delete, .refuse),
        (.untrusted, .send, .confirm), (.untrusted, .spend, .refuse),
    ]

    private func tool(_ effect: Effect, _ undo: UndoPolicy) -> ToolDefinition {
        ToolDefinition(id: "box.do", title: "Do", description: "", parameters: [:], effect: effect, undo: undo)
    }

    @Test func decidesEveryCellOfTheMatrix() {
        #expect(PolicyTests.expected.count == TrustLabel.allCases.count * Effect.allCases.count)
        for (label, effect, decision) in PolicyTests.expected {
            #expect(Policy.standard.decide(tool: tool(effect, .rows), label: label) == decision, "\(label) \(effect)")
            #expect(
                Policy.standard.decide(tool: tool(effect, .tool("box.undo")), label: label) == decision,
                "\(label) \(effect)")
        }
    }

    @Test func confirmsWhatCannotBeTakenBack() {
        for (label, effect, decision) in PolicyTests.expected {
            let expected = decision == .allow && effect != .read ? .confirm : decision
            #expect(Policy.standard.decide(tool: tool(effect, .none), label: label) == expected, "\(label) \(effect)")
        }
    }

    @Test func refusesWhatTheMatrixDoesNotName() {
        let policy = Policy(matrix: [.owner: [.read: .allow]])
        for label in TrustLabel.allCases {
            for effect in Effect.allCases {
                let expected: PolicyDecision = label == .owner && effect == .read ? .allow : .refuse
                #expect(policy.decide(tool: tool(effect, .rows), label: label) == expected)
            }
        }
    }

    /// More trust never allows less, and a stronger effect never less caution.
    @Test func isMonotonous() {
        let strictness: [PolicyDecision: Int] = [.allow: 0, .confirm: 1, .refuse: 2]
        for effect in Effect.allCases {
            let row = TrustLabel.allCases.sorted().map {
                strictness[Policy.standard.decide(tool: tool(effect, .rows), label: $0)] ?? 9
            }
            #expect(row == row.sorted(), "\(effect)")
        }
    }
}
