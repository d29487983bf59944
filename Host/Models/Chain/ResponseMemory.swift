import Synchronization
import TandemCore
import TandemLanguage

/// Responses of models to the same request of the same person, for some minutes and within this process only: a turn that is
/// taken up again, or a text that is read twice, is not paid for twice.
final class ResponseMemory: Sendable {
    struct Key: Hashable, Sendable {
        private let user: UserID
        private let instructions: String
        private let messages: [LanguageMessage]
        private let tools: [ToolDefinition]
        private let minute: Int64
        private let zone: String
        private let use: LanguageRequest.ToolUse

        /// Nil for requests that are nobody's.
        init?(_ request: LanguageRequest) {
            guard let account = request.account else { return nil }
            user = account.scope.user
            instructions = request.instructions
            messages = request.messages
            tools = request.tools
            // The model is told the minute.
            minute = request.context.now.millisecondsSinceEpoch / 60_000
            zone = request.context.timeZone
            use = request.toolUse
        }
    }

    private struct Entry {
        var response: LanguageResponse
        var until: Timestamp
    }

    private static let capacity = 256
    private static let lifetime = Duration.seconds(600)
    private let entries = Mutex<[Key: Entry]>([:])
    private let clock: any WallClock

    init(clock: any WallClock) { self.clock = clock }

    func response(for key: Key) -> LanguageResponse? {
        let now = clock.now
        return entries.withLock { entries in
            guard let entry = entries[key], entry.until > now else { return nil }
            var response = entry.response
            // Nothing was used this time.
            response.usage = LanguageUsage()
            return response
        }
    }

    func keep(_ response: LanguageResponse, for key: Key) {
        let now = clock.now
        entries.withLock { entries in
            if entries.count >= Self.capacity { entries = entries.filter { $0.value.until > now } }
            if entries.count >= Self.capacity, let oldest = entries.min(by: { $0.value.until < $1.value.until }) {
                entries[oldest.key] = nil
            }
            entries[key] = Entry(response: response, until: now.advanced(by: Self.lifetime))
        }
    }
}
