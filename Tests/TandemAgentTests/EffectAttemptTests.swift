import Synchronization
import TandemCore
import TandemJSON
import Testing

@testable import TandemAgent

/// Effects elsewhere whose outcome is not known: found out, made once more under the same key, or said to be unknown.
@Suite(.timeLimit(.minutes(8)))
struct EffectAttemptTests {
    /// A post office that counts what it sent by idempotency key.
    private final class Post: ToolProvider {
        enum Behaviour: Sendable {
            case works
            /// It is done and nobody told.
            case loses
            /// Nothing is done and nobody told.
            case keepsSilent
            case refuses
        }

        struct State: Sendable {
            var script: [Behaviour] = []
            var calls = 0
            var lookups: [JSON] = []
            var sent: Set<String> = []
            var tellsNothing = false
        }

        let state = Mutex(State())

        static let find = ToolDefinition(
            id: "post.find", title: "Find", description: "For tests.", parameters: true, effect: .read)

        static func send(lookup: String?, effect: Effect = .send) -> ToolDefinition {
            ToolDefinition(
                id: "post.send", title: "Send", description: "For tests.", parameters: true, effect: effect,
                undo: .none, trust: .contact, lookup: lookup)
        }

        func tools(for scope: UserScope) async throws -> [ToolDefinition] { [] }

        func call(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome {
            state.withLock { state in
                guard call.tool == "post.send" else {
                    state.lookups.append(call.arguments)
                    guard !state.tellsNothing else { return .failure(ToolFailure(code: "down", message: "Down.")) }
                    let key = call.arguments["idempotency_key"]?.stringValue ?? ""
                    return .value(
                        ToolValue(
                            value: state.sent.contains(key) ? ["found": true, "value": ["id": "1"]] : ["found": false],
                            message: ""))
                }
                state.calls += 1
                let behaviour = state.script.isEmpty ? .works : state.script.removeFirst()
                switch behaviour {
                case .works, .loses: state.sent.insert(call.idempotencyKey)
                case .keepsSilent, .refuses: break
                }
                switch behaviour {
                case .works: return .value(ToolValue(value: ["id": "1"], message: "Sent."))
                case .loses, .keepsSilent: return .failure(ToolFailure(code: "timeout", message: "Too long."))
                case .refuses: return .failure(ToolFailure(code: "no_such_address", message: "No."))
                }
            }
        }
    }

    private func attempt(
        _ post: Post, lookup: Bool, isThere: Bool = true, isRepeated: Bool = false, effect: Effect = .send
    ) async -> ToolOutcome {
        let scope = UserScope(authenticated: UserID(rawValue: 7))
        let call = ToolCall(
            tool: "post.send", arguments: ["to": "a"], origin: WriteOrigin(turn: RecordID(rawValue: 1), step: 0),
            deadlineNanoseconds: .max, idempotencyKey: "1.0", allowedEffect: .send)
        let attempt = EffectAttempt(
            call: call,
            tool: ToolDirectory.Entry(
                definition: Post.send(lookup: lookup ? "post.find" : nil, effect: effect), provider: post),
            lookup: lookup && isThere ? ToolDirectory.Entry(definition: Post.find, provider: post) : nil, scope: scope,
            label: .owner, deadline: .max, isRepeated: isRepeated)
        return await attempt.make(CallWatch())
    }

    private func word(_ outcome: ToolOutcome) -> String {
        switch outcome {
        case .value: "value"
        case .failure(let failure): failure.code
        default: "other"
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var script: [String]
        var lookup = true
        var isThere = true
        var isRepeated = false
        var wasSent = false
        var tellsNothing = false
        var outcome: String
        var calls: Int
        var sent: Int

        var testDescription: String {
            "\(script) lookup \(lookup) \(isThere) repeated \(isRepeated) sent \(wasSent) silent \(tellsNothing)"
        }
    }

    static let cases: [Case] = [
        Case(script: ["works"], outcome: "value", calls: 1, sent: 1),
        Case(script: ["refuses"], outcome: "no_such_address", calls: 1, sent: 0),
        // It came about, and the lookup knows.
        Case(script: ["loses"], outcome: "value", calls: 1, sent: 1),
        // It did not: it is made.
        Case(script: ["silent", "works"], outcome: "value", calls: 2, sent: 1),
        Case(script: ["silent", "loses"], outcome: "value", calls: 2, sent: 1),
        Case(script: ["silent", "silent"], outcome: "outcome_unknown", calls: 2, sent: 0),
        // Nothing can be found out: it is not made again.
        Case(script: ["loses"], tellsNothing: true, outcome: "outcome_unknown", calls: 1, sent: 1),
        Case(script: ["silent"], isThere: false, outcome: "outcome_unknown", calls: 1, sent: 0),
        // Without a lookup the same key makes it the same effect.
        Case(script: ["loses", "works"], lookup: false, outcome: "value", calls: 2, sent: 1),
        Case(script: ["silent", "silent"], lookup: false, outcome: "outcome_unknown", calls: 2, sent: 0),
        // A process died with the call.
        Case(script: [], isRepeated: true, wasSent: true, outcome: "value", calls: 0, sent: 1),
        Case(script: ["works"], isRepeated: true, outcome: "value", calls: 1, sent: 1),
        Case(
            script: [], isRepeated: true, wasSent: true, tellsNothing: true, outcome: "outcome_unknown", calls: 0,
            sent: 1),
        Case(script: ["works"], lookup: false, isRepeated: true, wasSent: true, outcome: "value", calls: 1, sent: 1),
    ]

    @Test(arguments: cases)
    func happensOnceAndSaysWhatIsKnown(_ item: Case) async {
        let post = Post()
        post.state.withLock { state in
            let words: [String: Post.Behaviour] = [
                "works": .works, "loses": .loses, "silent": .keepsSilent, "refuses": .refuses,
            ]
            state.script = item.script.compactMap { words[$0] }
            if item.wasSent { state.sent = ["1.0"] }
            state.tellsNothing = item.tellsNothing
        }
        let outcome = await attempt(post, lookup: item.lookup, isThere: item.isThere, isRepeated: item.isRepeated)
        let state = post.state.withLock { $0 }
        #expect(word(outcome) == item.outcome)
        #expect(state.calls == item.calls)
        #expect(state.sent.count == item.sent)
        for question in state.lookups {
            #expect(question == ["idempotency_key": "1.0", "arguments": ["to": "a"]])
        }
        // Whoever tells of it, its words are no better than the tool's.
        if item.script == ["loses"], case .value(let value) = outcome { #expect(value.trust == .contact) }
    }

    /// What changes only the person's own rows is rolled back and made again by the turn, not here.
    @Test func whatReachesNobodyIsMadeOnce() async {
        let post = Post()
        post.state.withLock { $0.script = [.keepsSilent] }
        let outcome = await attempt(post, lookup: false, effect: .write)
        #expect(word(outcome) == "timeout")
        #expect(post.state.withLock { $0.calls } == 1)
    }

    @Test func nobodyIsOfferedALookup() {
        let post = Post()
        let directory = ToolDirectory([(post, [Post.find, Post.send(lookup: "post.find")])])
        #expect(directory.definitions.map(\.id) == ["post.send"])
        #expect(directory["post.find"] != nil)
    }
}
