import TandemCore
import TandemJSON
import TandemLanguage

/// The present turn within a conversation: everything after the person's last word.
struct TurnSoFar: Sendable {
    /// Times that somebody was asked.
    let steps: Int
    let calls: [LanguageCall]
    /// Those that were carried out, and did not fail.
    private let done: [LanguageCall]

    init(_ messages: [LanguageMessage]) {
        var steps = 0
        var calls: [LanguageCall] = []
        var succeeded: Set<String> = []
        loop: for message in messages.reversed() {
            switch message {
            case .person: break loop
            case .assistant(_, let asked):
                steps += 1
                calls.insert(contentsOf: asked, at: 0)
            case .result(let call, _, _, _, let isError): if !isError { succeeded.insert(call) }
            }
        }
        self.steps = steps
        self.calls = calls
        done = calls.filter { succeeded.contains($0.id) }
    }

    /// The embedded planner asked for every call.
    var isAllLocal: Bool { !calls.isEmpty && calls.allSatisfy { Handed.by($0) == "local" } }

    /// Without calls that change something and were carried out in this turn already.
    ///
    /// Whoever takes over may not have understood that they are done, and models forget: doing a thing twice would be worse
    /// than once. What is really wanted twice comes side by side.
    func withoutRepeats(_ asked: [LanguageCall], tools: [ToolDefinition]) -> [LanguageCall] {
        guard !done.isEmpty else { return asked }
        return asked.filter { call in
            guard tools.first(where: { $0.id == call.tool })?.effect != .read else { return true }
            return !done.contains { $0.tool == call.tool && $0.arguments == call.arguments }
        }
    }
}

/// Which provider handed a call out: kept in what the call carries, so that a persisted turn knows it, too.
enum Handed {
    static func mark(_ name: String, _ data: JSON?) -> JSON {
        var object: JSONObject = ["by": .string(name)]
        object["data"] = data
        return .object(object)
    }

    static func marked(_ call: LanguageCall, _ name: String) -> LanguageCall {
        var call = call
        call.continuation = mark(name, call.continuation)
        return call
    }

    static func by(_ call: LanguageCall) -> String? { call.continuation?["by"]?.stringValue }

    /// Each call with what its provider gave, for that provider alone.
    static func unwrapped(_ request: LanguageRequest, for name: String) -> LanguageRequest {
        var request = request
        request.messages = request.messages.map { message in
            guard case .assistant(let text, let calls) = message else { return message }
            let own = calls.map { call in
                var call = call
                call.continuation = by(call) == name ? call.continuation?["data"] : nil
                return call
            }
            return .assistant(text: text, calls: own)
        }
        return request
    }
}
