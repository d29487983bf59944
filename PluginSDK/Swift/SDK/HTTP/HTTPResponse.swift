internal import CTandemPlugin
public import TandemJSON

/// What a service answered.
public struct HTTPResponse: Sendable, Hashable {
    public var status: Int
    public var headers: [HTTPField]
    /// Decompressed; empty for a stream.
    public var body: [UInt8]
    /// The address that answered, after redirects.
    public var url: String
    /// Since the service gave or confirmed it, when it comes from the cache.
    public var age: Duration?
    /// Past its time, given because the service failed.
    public var isStale: Bool
    /// What a service asked for with a 429 or 503.
    public var retryAfter: Duration?
    /// Who answered, in sentences for the person.
    var service = "The service"

    public init(
        status: Int, headers: [HTTPField] = [], body: [UInt8] = [], url: String = "", age: Duration? = nil,
        isStale: Bool = false, retryAfter: Duration? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url
        self.age = age
        self.isStale = isStale
        self.retryAfter = retryAfter
    }

    public var isSuccess: Bool { (200..<300).contains(status) }
    public var isFromCache: Bool { age != nil }

    /// The first field of this name.
    public subscript(name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }

    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON. Throws `ToolError` (`unexpected_answer`) for anything else.
    public func json() throws -> JSON {
        do {
            // How much may come was bounded by the request.
            return try JSON(parsing: body, limits: JSONLimits(maxBytes: max(1 << 20, body.count)))
        } catch {
            throw ToolError.rejected("\(service) answered in an unexpected way.", code: "unexpected_answer")
        }
    }

    /// `from cache, 12 minutes old` for an answer that is past its time, to be said to the person; nil otherwise.
    public var cacheNote: String? {
        guard isStale, let age else { return nil }
        return "from cache, \(HTTPResponse.words(for: age)) old"
    }

    static func words(for age: Duration) -> String {
        let minutes = max(0, age.components.seconds) / 60
        func count(_ number: Int64, _ unit: String) -> String { "\(number) \(unit)\(number == 1 ? "" : "s")" }
        if minutes < 1 { return "less than a minute" }
        if minutes < 120 { return count(minutes, "minute") }
        return minutes < 48 * 60 ? count(minutes / 60, "hour") : count(minutes / 1440, "day")
    }

    /// The answer itself when it is a success. Throws `ToolError` otherwise: `rate_limited`, `not_found`, `rejected`,
    /// `unavailable`.
    ///
    /// - Parameter name: what the sentence for the person calls the service; nil: as the definition does.
    @discardableResult
    public func successful(_ name: String? = nil) throws -> HTTPResponse {
        let service = name ?? self.service
        switch status {
        case 200..<300: return self
        case 404, 410: throw ToolError.notFound("\(service) does not have that.")
        case 408, 429:
            throw ToolError.rateLimited("\(service) wants me to slow down. Try again later.", retryAfter: retryAfter)
        case 500...:
            throw ToolError.unavailable("\(service) has a problem. Try again later.", retryAfter: retryAfter)
        default: throw ToolError.rejected("\(service) refused that (\(status)).")
        }
    }
}
