import HTTPTypes
import Hummingbird
import TandemJSON

/// An error as a client sees it (RFC 9457): what kind, nothing of the inside.
public struct Problem: Error, Sendable, Hashable {
    public var status: Int
    /// A few fixed words.
    public var title: String
    /// For the person who calls; fixed words, too, or nil.
    public var detail: String?
    /// Methods that the resource has, for 405.
    public var allow: String?

    public init(_ status: Int, _ title: String, detail: String? = nil, allow: String? = nil) {
        self.status = status
        self.title = title
        self.detail = detail
        self.allow = allow
    }

    public static let notFound = Problem(404, "Not found")
    public static let internalError = Problem(500, "Internal error")
    public static let overloaded = Problem(503, "Too busy", detail: "Try again in a moment.")

    public static let unavailable = Problem(
        503, "Out of reach", detail: "What this needs cannot be reached just now. Try again in a moment.")

    /// `application/problem+json`.
    func response(requestID: String) -> Response {
        var object: JSONObject = [
            "type": "about:blank", "title": .string(title), "status": .integer(Int64(status)),
        ]
        if let detail { object["detail"] = .string(detail) }
        object["request_id"] = .string(requestID)
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if let allow { headers[.allow] = allow }
        if status == 503 { headers[.retryAfter] = "2" }
        return Response(
            status: .init(code: status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: JSON.object(object).serialized())))
    }
}
