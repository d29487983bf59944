/// Why the shared store could not do something. Holds no key, value or password.
public struct CacheError: Error, Sendable, Hashable {
    public enum Code: String, Sendable {
        /// There is no connection, or it was lost before the answer: whether it was done is unknown in the latter case.
        case unavailable
        /// More is waiting already than may.
        case overloaded
        /// The server refused: its message says why.
        case refused
        /// The request is wrong in itself: a value that is too long, a lifetime of zero.
        case invalid
        /// It has been shut down.
        case closed
    }

    public let code: Code
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}

extension CacheError: CustomStringConvertible {
    public var description: String { "\(code.rawValue): \(reason)" }
}
