/// Why a request got no answer. Holds no part of the request but its origin.
public struct HTTPError: Error, Sendable, Hashable {
    /// An open set; words never change their meaning.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// An address, header or method that must not be sent.
        public static let invalidRequest = Code(rawValue: "invalid_request")
        /// The host's name has no address.
        public static let unresolved = Code(rawValue: "unresolved")
        public static let connectionFailed = Code(rawValue: "connection_failed")
        /// The certificate is not valid for the host, or no common TLS version.
        public static let tls = Code(rawValue: "tls")
        public static let timeout = Code(rawValue: "timeout")
        /// The name leads to addresses that may not be connected to.
        public static let addressNotAllowed = Code(rawValue: "address_not_allowed")
        /// The connection broke while the request was sent or the answer received.
        public static let interrupted = Code(rawValue: "interrupted")
        /// What came back is no HTTP, or ended early.
        public static let invalidResponse = Code(rawValue: "invalid_response")
        public static let responseTooLarge = Code(rawValue: "response_too_large")
        public static let tooManyRedirects = Code(rawValue: "too_many_redirects")
        public static let cancelled = Code(rawValue: "cancelled")
        /// Too many requests wait already.
        public static let overloaded = Code(rawValue: "overloaded")
        /// The client was shut down.
        public static let closed = Code(rawValue: "closed")
        public static let other = Code(rawValue: "other")
    }

    public var code: Code
    /// `POST https://api.example.com`.
    public var operation: String
    /// The server may have received the whole request and acted on it: find out before sending it again.
    public var mayHaveBeenProcessed: Bool
    /// libcurl's `CURLcode` (<https://curl.se/libcurl/c/libcurl-errors.html>).
    public var nativeCode: Int32?

    public init(_ code: Code, operation: String, mayHaveBeenProcessed: Bool = false, nativeCode: Int32? = nil) {
        self.code = code
        self.operation = operation
        self.mayHaveBeenProcessed = mayHaveBeenProcessed
        self.nativeCode = nativeCode
    }
}

extension HTTPError: CustomStringConvertible {
    public var description: String {
        "\(operation): \(code.rawValue)" + (nativeCode.map { " (curl \($0))" } ?? "")
    }
}
