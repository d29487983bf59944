internal import CTandemPlugin

/// The tool could not do it, said in one short sentence for the person.
public struct ToolError: Error, Sendable, Hashable {
    /// A status of the ABI (`tandem/base.h`), negative.
    public var status: Int32
    /// Stable, lower case: `not_found`.
    public var code: String
    /// What was wrong and what to do; nothing secret.
    public var message: String
    public var isRetryable: Bool
    public var retryAfterMilliseconds: Int?

    public init(
        status: Int32 = -100, code: String, _ message: String, retryable: Bool = false,
        retryAfterMilliseconds: Int? = nil
    ) {
        self.status = status < 0 ? status : -100
        self.code = code
        self.message = message
        self.isRetryable = retryable
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// The thing meant is not there.
    public static func notFound(_ message: String, code: String = "not_found") -> ToolError {
        ToolError(status: TANDEM_E_NOT_FOUND, code: code, message)
    }

    /// A value makes no sense here.
    public static func invalid(_ message: String, code: String = "invalid") -> ToolError {
        ToolError(status: TANDEM_E_INVALID_ARGUMENT, code: code, message)
    }

    /// Something that already is there forbids it.
    public static func conflict(_ message: String, code: String = "conflict") -> ToolError {
        ToolError(status: TANDEM_E_CONFLICT, code: code, message)
    }

    /// Not asked for in the manifest, or not granted by the person.
    public static func notGranted(_ message: String, code: String = "not_granted") -> ToolError {
        ToolError(status: TANDEM_E_NOT_GRANTED, code: code, message)
    }

    /// A service wants fewer calls.
    public static func rateLimited(
        _ message: String = "The service is busy. Try again later.", retryAfter: Duration? = nil
    )
        -> ToolError
    {
        ToolError(
            status: TANDEM_E_RATE_LIMITED, code: "rate_limited", message, retryable: true,
            retryAfterMilliseconds: retryAfter.map(milliseconds))
    }

    /// A service does not answer.
    public static func unavailable(
        _ message: String = "The service is not available. Try again later.", retryAfter: Duration? = nil
    ) -> ToolError {
        ToolError(
            status: TANDEM_E_UNAVAILABLE, code: "unavailable", message, retryable: true,
            retryAfterMilliseconds: retryAfter.map(milliseconds))
    }

    /// A service refused.
    public static func rejected(_ message: String, code: String = "rejected") -> ToolError {
        ToolError(status: TANDEM_E_REJECTED, code: code, message)
    }

    static let cancelled = ToolError(status: TANDEM_E_CANCELLED, code: "cancelled", "Stopped.")
    static let failed = ToolError(status: -100, code: "failed", "That did not work.")

    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, seconds < 1_000_000_000 else { return 0 }
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
