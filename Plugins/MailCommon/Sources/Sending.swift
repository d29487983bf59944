public import TandemSDK

/// A request that sends something to others, which nobody can take back.
public enum Sending {
    /// Failures after which nobody knows whether it arrived: the line broke, or the answer says nothing.
    private static let open: Set<String> = [
        "interrupted", "timeout", "unexpected_answer", "too_large", "http_failed", "failed",
    ]

    /// Makes the request; when it fails and may have arrived all the same, that is what the error says, and the host asks
    /// the tool's `lookup`.
    ///
    /// - Parameter found: asks what became of it, after the service answered that it has a problem; nil: nothing went.
    public static func once<T>(
        _ request: () async throws -> T, found: () async throws -> T? = { nil }
    ) async throws -> T {
        do {
            return try await request()
        } catch let error as ToolError where error.code == "unavailable" {
            if let sent = try await found() { return sent }
            throw error
        } catch let error as ToolError where open.contains(error.code) {
            throw ToolError(
                status: error.status, code: "outcome_unknown",
                "I do not know whether it went. Look into the sent mail before you ask again.")
        }
    }
}

/// What a lookup tells of a call: whether it came about, and what it would have given.
public struct SendingFound<Value: Object>: Object {
    public var found: Bool
    public var value: Value?

    public init(_ value: Value?) {
        found = value != nil
        self.value = value
    }
}
