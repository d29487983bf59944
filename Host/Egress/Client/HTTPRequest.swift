/// One outbound request, with the limits it must keep.
public struct HTTPRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"

        /// Sending it twice has the effect of sending it once (RFC 9110 §9.2.2).
        public var isIdempotent: Bool { self != .post && self != .patch }
    }

    public var method: Method
    /// Absolute, `http` or `https`, percent-encoded.
    public var url: String
    public var headers: HTTPHeaders
    public var body: [UInt8]
    /// From the call to the last byte of the answer, waiting for a connection included.
    public var timeout: Duration
    public var connectTimeout: Duration
    /// A longer answer (after decompression) fails with `responseTooLarge`.
    public var maxResponseBytes: Int
    /// How many redirects to follow. Credentials go to the first host only.
    public var maxRedirects: Int
    /// May be sent a second time when a kept connection turns out to be dead. False: rather fails with
    /// `mayHaveBeenProcessed`.
    public var isIdempotent: Bool
    /// When given, connections to other addresses fail with `addressNotAllowed`, whatever the name resolved to, and no
    /// proxy is used: a proxy would resolve by itself.
    public var addresses: AddressPolicy?

    public init(
        _ method: Method, _ url: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
        timeout: Duration = .seconds(30), connectTimeout: Duration = .seconds(5), maxResponseBytes: Int = 4 << 20,
        maxRedirects: Int = 0, isIdempotent: Bool? = nil, addresses: AddressPolicy? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.maxResponseBytes = maxResponseBytes
        self.maxRedirects = maxRedirects
        self.isIdempotent = isIdempotent ?? method.isIdempotent
        self.addresses = addresses
    }
}

extension HTTPRequest: CustomStringConvertible {
    /// Method and scheme with host: paths, queries, headers and bodies may hold what must not be printed.
    public var description: String { "\(method.rawValue) \(HTTPRequest.origin(of: url))" }

    /// `https://host:port` of an address, without user information.
    static func origin(of url: String) -> String {
        guard let slashes = url.firstRange(of: "://") else { return "?" }
        let authority = url[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return String(url[..<slashes.upperBound]) + host.prefix(255)
    }
}

public struct HTTPResponse: Sendable {
    public var status: Int
    public var headers: HTTPHeaders
    public var body: [UInt8]

    public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public var isSuccess: Bool { (200..<300).contains(status) }
}

extension HTTPResponse: CustomStringConvertible {
    public var description: String { "HTTP \(status), \(body.count) bytes" }
}
