public import TandemJSON

/// A request to one of the hosts that the plugin declares.
public struct HTTPRequest: Sendable, Hashable {
    public enum Method: String, Sendable, Hashable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    public var method: Method
    /// Absolute and percent-encoded; `HTTPRequest.url(_:query:)` makes one.
    public var url: String
    public var headers: [HTTPField]
    public var body: HTTPBody?
    /// The name of a grant whose token the host attaches.
    public var grant: String?
    /// Sent as `Idempotency-Key`; the request may then be repeated. `context.idempotencyKey` is a good source.
    public var idempotencyKey: String?
    /// Sending it twice has the effect of sending it once, although its method does not say so: a search by POST.
    public var isIdempotent: Bool
    public var cache: HTTPCaching
    /// Nil: 30 s; never beyond the call's deadline.
    public var timeout: Duration?
    /// Nil: 4 MiB.
    public var maxResponseBytes: Int?
    public var followsRedirects: Bool

    public init(
        _ method: Method, _ url: String, headers: [HTTPField] = [], body: HTTPBody? = nil, grant: String? = nil,
        idempotencyKey: String? = nil, isIdempotent: Bool = false, cache: HTTPCaching = .none,
        timeout: Duration? = nil, maxResponseBytes: Int? = nil, followsRedirects: Bool = true
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.grant = grant
        self.idempotencyKey = idempotencyKey
        self.isIdempotent = isIdempotent
        self.cache = cache
        self.timeout = timeout
        self.maxResponseBytes = maxResponseBytes
        self.followsRedirects = followsRedirects
    }

    /// An address with a query (`application/x-www-form-urlencoded`, a space is `+`).
    public static func url(_ base: String, query: [(String, String)]) -> String {
        query.isEmpty ? base : base + (base.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + formEncoded(query)
    }

    /// `a=1&b=two+words`.
    public static func formEncoded(_ pairs: [(String, String)]) -> String {
        pairs.map { "\(percentEncoded($0.0, spaceAsPlus: true))=\(percentEncoded($0.1, spaceAsPlus: true))" }
            .joined(separator: "&")
    }

    /// Everything but letters, digits, `-`, `.`, `_` and `~` as `%XX`: for a segment of a path.
    public static func percentEncoded(_ text: String, spaceAsPlus: Bool = false) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            case 0x20 where spaceAsPlus: bytes.append(UInt8(ascii: "+"))
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text behind `%XX` and `+`; nil when that is not UTF-8.
    public static func formDecoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        func digit(_ byte: UInt8?) -> UInt8? {
            guard let byte else { return nil }
            if byte &- 48 < 10 { return byte - 48 }
            let letter = (byte | 0x20) &- 97
            return letter < 6 ? letter + 10 : nil
        }
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = digit(iterator.next()), let low = digit(iterator.next()) else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// A header field; names compare without regard to case.
public struct HTTPField: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The body of a request, with its `Content-Type`.
public struct HTTPBody: Sendable, Hashable {
    public var bytes: [UInt8]
    public var contentType: String

    public init(_ bytes: [UInt8], contentType: String) {
        self.bytes = bytes
        self.contentType = contentType
    }

    public static func json(_ value: JSON) -> HTTPBody {
        HTTPBody(value.serialized(), contentType: "application/json")
    }

    public static func form(_ pairs: [(String, String)]) -> HTTPBody {
        HTTPBody(
            Array(HTTPRequest.formEncoded(pairs).utf8), contentType: "application/x-www-form-urlencoded")
    }

    public static func text(_ text: String) -> HTTPBody {
        HTTPBody(Array(text.utf8), contentType: "text/plain; charset=utf-8")
    }
}

/// Whether an answer may come from the cache that the host keeps for this person and plugin.
public struct HTTPCaching: Sendable, Hashable {
    var isAllowed: Bool
    var staleLimit: Duration?
    var mustRevalidate: Bool

    /// Always ask the service.
    public static let none = HTTPCaching(isAllowed: false)
    /// By the service's own rules (RFC 9111).
    public static let allowed = HTTPCaching(isAllowed: true)
    /// A kept answer is used only after the service confirmed it just now.
    public static let revalidated = HTTPCaching(isAllowed: true, mustRevalidate: true)

    /// Also an old answer, when the service fails: at most this much past its time. Say how old it is:
    /// `HTTPResponse.cacheNote`.
    public static func allowed(staleFor limit: Duration) -> HTTPCaching {
        HTTPCaching(isAllowed: true, staleLimit: limit)
    }

    init(isAllowed: Bool, staleLimit: Duration? = nil, mustRevalidate: Bool = false) {
        self.isAllowed = isAllowed
        self.staleLimit = staleLimit
        self.mustRevalidate = mustRevalidate
    }
}
