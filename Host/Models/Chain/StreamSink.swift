import Synchronization
import TandemLanguage

/// Where a stream's pieces go, in order; remembers what must be taken back when another provider begins.
final class StreamSink: Sendable {
    private struct State {
        var hasText = false
        var text = ""
        var calls: Set<String> = []
    }

    private let state = Mutex(State())
    private let yield: @Sendable (LanguageEvent) -> Void

    init(_ yield: @escaping @Sendable (LanguageEvent) -> Void) { self.yield = yield }

    func text(_ piece: String) {
        state.withLock { $0.text += piece }
        yield(.text(piece))
    }

    func call(_ call: LanguageCall) {
        guard state.withLock({ $0.calls.insert(call.id).inserted }) else { return }
        yield(.call(call))
    }

    /// The text so far is void.
    func restart() {
        let hadText = state.withLock { state in
            defer { state.text = "" }
            return !state.text.isEmpty
        }
        if hadText { yield(.restarted) }
    }

    /// The rest of the response, then its end.
    func complete(_ response: LanguageResponse) {
        let given = state.withLock { $0.text }
        let text = response.text ?? ""
        if text != given {
            if text.hasPrefix(given) {
                yield(.text(String(text.dropFirst(given.count))))
            } else {
                restart()
                if !text.isEmpty { yield(.text(text)) }
            }
        }
        for call in response.calls { self.call(call) }
        yield(.finished(response))
    }
}

/// What of a response has come so far.
final class PartialResponse: Sendable {
    private struct State {
        var text = ""
        var calls: [LanguageCall] = []
    }

    private let state = Mutex(State())

    var text: String { state.withLock { $0.text } }
    var calls: [LanguageCall] { state.withLock { $0.calls } }
    var isEmpty: Bool { state.withLock { $0.text.isEmpty && $0.calls.isEmpty } }

    func add(text: String) { state.withLock { $0.text += text } }
    func add(call: LanguageCall) { state.withLock { $0.calls.append(call) } }
    func restart() { state.withLock { $0.text = "" } }

    /// Input as estimated, output by what came.
    func usage(_ reservation: ModelReservation) -> LanguageUsage {
        let output = isEmpty ? 0 : TokenEstimate.tokens(of: [.assistant(text: text, calls: calls)])
        return LanguageUsage(input: max(0, reservation.charge.tokens - 1024), output: output)
    }
}
