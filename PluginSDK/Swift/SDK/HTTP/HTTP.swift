internal import CTandemPlugin
internal import TandemJSON

/// Requests to the hosts that the definition's `hosts` names, made by the host: with its limits, retries, cache and, where
/// a grant is named, the person's token, which no plugin sees.
///
///     let answer = try await context.http.get(
///         "https://api.example.org/search", query: [("q", words)], cache: .allowed(staleFor: .seconds(3600)))
///     let results = try answer.successful().json()
///
/// Where the service fails, the sentence for the person names it: by the host's `service` in the definition, else by the
/// plugin's name.
///
/// Every answer of the service is an answer, whatever its status. Throws `ToolError` when there is none
/// (`host_not_allowed`, `rate_limited`, `unavailable`, `timeout`, `too_large` …), `AuthRequired` when the grant has to be
/// connected, and `CancellationError` when the task was cancelled.
public struct HTTP: Sendable {
    let call: Call

    public func get(
        _ url: String, query: [(String, String)] = [], headers: [HTTPField] = [], grant: String? = nil,
        cache: HTTPCaching = .none
    ) async throws -> HTTPResponse {
        try await send(
            HTTPRequest(
                .get, HTTPRequest.url(url, query: query), headers: headers, grant: grant, cache: cache))
    }

    /// - Parameter isIdempotent: it may be sent again when it is unknown whether it arrived, such as a search.
    public func post(
        _ url: String, _ body: HTTPBody, headers: [HTTPField] = [], grant: String? = nil,
        idempotencyKey: String? = nil, isIdempotent: Bool = false
    ) async throws -> HTTPResponse {
        try await send(
            HTTPRequest(
                .post, url, headers: headers, body: body, grant: grant, idempotencyKey: idempotencyKey,
                isIdempotent: isIdempotent))
    }

    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let answer = await call.instance.host.send(call.id, request, isStreamed: false)
        guard answer.status == TANDEM_OK else { throw failure(answer, request) }
        return named(answer.response, request)
    }

    /// The same up to the headers; the body comes piece by piece, and the service is slowed down to the reader's pace.
    public func stream(_ request: HTTPRequest) async throws -> (response: HTTPResponse, body: HTTPChunks) {
        let answer = await call.instance.host.send(call.id, request, isStreamed: true)
        guard answer.status == TANDEM_OK else { throw failure(answer, request) }
        let stream = HTTPStreamHandle(host: call.instance.host, id: answer.id, service: service(of: request))
        return (named(answer.response, request), HTTPChunks(stream: stream))
    }

    private func service(of request: HTTPRequest) -> String { call.instance.registration.service(of: request.url) }

    private func named(_ response: HTTPResponse, _ request: HTTPRequest) -> HTTPResponse {
        var response = response
        response.service = service(of: request)
        return response
    }

    private func failure(_ answer: HTTPAnswer, _ request: HTTPRequest) -> any Error {
        if answer.status == TANDEM_E_AUTH_REQUIRED {
            return AuthRequired(grant: request.grant ?? "", "\(service(of: request)) has to be connected first.")
        }
        return HTTP.error(
            answer.status, answer.detail, of: service(of: request), retryAfter: answer.response.retryAfter)
    }

    /// - Parameter service: its name, as the person knows it.
    static func error(_ status: Int32, _ detail: JSON?, of service: String, retryAfter: Duration?) -> any Error {
        let code = detail?["code"]?.stringValue
        switch status {
        case TANDEM_E_CANCELLED, TANDEM_E_STALE: return CancellationError()
        case TANDEM_E_RATE_LIMITED:
            return ToolError.rateLimited(
                "That is too much for \(service) at once. Try again in a moment.", retryAfter: retryAfter)
        case TANDEM_E_UNAVAILABLE:
            var error = ToolError.unavailable(
                "\(service) cannot be reached right now. Try again later.", retryAfter: retryAfter)
            if let code { error.code = code }
            return error
        case TANDEM_E_DEADLINE_EXCEEDED:
            return ToolError(
                status: status, code: "timeout", "\(service) takes too long to answer. Try again later.",
                retryable: true)
        case TANDEM_E_BUSY:
            return ToolError(status: status, code: "busy", "Too much at once. Try again in a moment.", retryable: true)
        case TANDEM_E_HOST_NOT_ALLOWED:
            return ToolError(status: status, code: code ?? "host_not_allowed", "I may not connect to that address.")
        case TANDEM_E_NOT_GRANTED, TANDEM_E_REVOKED:
            return ToolError(status: status, code: code ?? "not_granted", "I may not do that.")
        case TANDEM_E_TOO_LARGE: return ToolError(status: status, code: "too_large", "That is too much to load.")
        default:
            return ToolError(status: status, code: code ?? "http_failed", "\(service) could not be asked.")
        }
    }
}

/// The body of a streamed answer, in pieces of at most 64 KiB. Leaving the loop ends the request.
public struct HTTPChunks: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    let stream: HTTPStreamHandle

    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: HTTPStreamHandle

        public mutating func next() async throws -> [UInt8]? { try await stream.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: stream) }
}

/// Ends the request when nobody reads any more.
final class HTTPStreamHandle: Sendable {
    private let host: HostAccess
    private let id: UInt64
    private let service: String

    init(host: HostAccess, id: UInt64, service: String) {
        self.host = host
        self.id = id
        self.service = service
    }

    deinit { host.cancelRequest(id) }

    func next() async throws -> [UInt8]? {
        let answer = await withTaskCancellationHandler {
            await host.read(id)
        } onCancel: {
            host.cancelRequest(id)
        }
        guard answer.status == TANDEM_OK else { throw HTTP.error(answer.status, nil, of: service, retryAfter: nil) }
        return answer.bytes.isEmpty ? nil : answer.bytes
    }
}

extension Context {
    /// Requests to the plugin's hosts.
    public var http: HTTP { HTTP(call: call) }
}
