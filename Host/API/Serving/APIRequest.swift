public import HTTPTypes

/// One request as the server received it; the body is complete.
public struct APIRequest: Sendable {
    public var method: HTTPRequest.Method
    /// Path and query as received.
    public var target: String
    public var headers: HTTPFields
    public var body: [UInt8]
    /// The peer's address without its port; behind a proxy of ours what that says. Nil: not known.
    public var address: String?
    /// Same throughout logs and answer.
    public var requestID: String

    public init(
        method: HTTPRequest.Method, target: String, headers: HTTPFields = [:], body: [UInt8] = [],
        address: String? = nil, requestID: String = ""
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.address = address
        self.requestID = requestID
    }
}

/// An answer on its way to the server.
public struct APIReply: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Parts as they come, until the stream ends; the client's leaving cancels it.
        case stream(AsyncStream<[UInt8]>)
    }

    public var status: Int
    public var headers: HTTPFields
    public var body: Body
    /// Under the request's idempotency key, by the transaction that did the work.
    var isKept = false

    init(_ status: Int, headers: HTTPFields = [:], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
