public import TandemCore
public import TandemJSON

/// A place that keeps texts of several people under ids of the caller's, for `tandem memory --json`.
///
/// Every user name is a world of its own.
public protocol RecallStore: Sendable {
    /// Keeps a text; the same id again replaces it.
    func remember(user: String, id: String, text: String, at timestamp: Timestamp) async throws
    /// The ids of the best texts, best first.
    func recall(user: String, query: String, limit: Int) async throws -> [String]
}

/// The line protocol of `tandem memory --json`: one request object, one answer object.
///
/// `{"op":"remember","user","id","text","timestamp"}` → `{"ok":true}` and `{"op":"recall","user","query","k"}` →
/// `{"ids":[…]}`. `timestamp` is RFC 3339 or milliseconds since 1970, optional; `user` is a string or a number. What
/// cannot be done answers `{"ok":false,"error":"…"}`, and the pipe goes on.
public struct MemoryPipe: Sendable {
    private let store: any RecallStore
    private let clock: any WallClock

    public static let longestText = 32_768
    public static let mostHits = 1000

    public init(store: any RecallStore, clock: any WallClock = SystemClock()) {
        self.store = store
        self.clock = clock
    }

    public func answer(_ request: JSON) async -> JSON {
        do {
            switch request["op"]?.stringValue {
            case "remember": return try await remember(request)
            case "recall": return try await recall(request)
            default: throw PipeError("op must be remember or recall")
            }
        } catch let error as PipeError {
            return ["ok": false, "error": .string(error.message)]
        } catch {
            return ["ok": false, "error": "the store failed"]
        }
    }

    private struct PipeError: Error {
        var message: String
        init(_ message: String) { self.message = message }
    }

    private func remember(_ request: JSON) async throws -> JSON {
        let user = try name("user", in: request)
        let id = try name("id", in: request)
        guard let text = request["text"]?.stringValue, !text.isEmpty else { throw PipeError("text must be a string") }
        guard text.utf8.count <= MemoryPipe.longestText else { throw PipeError("text is too long") }
        let timestamp: Timestamp
        switch request["timestamp"] {
        case nil, .null?: timestamp = clock.now
        case .string(let string)?:
            guard let read = Timestamp(string) ?? MemoryPipe.lenient(string) else {
                throw PipeError("timestamp must be RFC 3339")
            }
            timestamp = read
        case let number?:
            guard let milliseconds = number.doubleValue, abs(milliseconds) < 1e15 else {
                throw PipeError("timestamp must be RFC 3339 or milliseconds")
            }
            // Seconds are recognised by their size: in milliseconds they would be January 1970.
            let isSeconds = abs(milliseconds) < 1e11
            timestamp = Timestamp(millisecondsSinceEpoch: Int64(milliseconds * (isSeconds ? 1000 : 1)))
        }
        try await store.remember(user: user, id: id, text: text, at: timestamp)
        return ["ok": true]
    }

    private func recall(_ request: JSON) async throws -> JSON {
        let user = try name("user", in: request)
        guard let query = request["query"]?.stringValue else { throw PipeError("query must be a string") }
        let limit: Int
        switch request["k"] {
        case nil, .null?: limit = 10
        case let value?:
            guard let number = value.int64Value, number >= 0 else { throw PipeError("k must be a whole number") }
            limit = Int(min(number, Int64(MemoryPipe.mostHits)))
        }
        let capped = query.utf8.count <= MemoryPipe.longestText ? query : String(query.prefix(8192))
        let ids = try await store.recall(user: user, query: capped, limit: limit)
        return ["ids": .array(ids.map { .string($0) })]
    }

    private func name(_ key: String, in request: JSON) throws -> String {
        switch request[key] {
        case .string(let text)? where !text.isEmpty && text.utf8.count <= 512: return text
        case .integer(let number)?: return String(number)
        default: throw PipeError("\(key) must be a string")
        }
    }

    /// A date alone, or a date-time without zone, taken as UTC.
    private static func lenient(_ text: String) -> Timestamp? {
        if text.utf8.count == 10 { return Timestamp("\(text)T00:00:00Z") }
        return Timestamp("\(text)Z") ?? Timestamp("\(text):00Z")
    }
}
