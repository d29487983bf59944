import Crypto
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import TandemCore
import TandemJSON
import TandemSMS

/// The server's own routes: Twilio's webhooks, health, metrics.
struct FrontRoutes: Sendable {
    static let smsRoute = "/webhook/sms"
    static let statusRoute = "/webhook/sms/status"
    static let liveRoute = "/health/live"
    static let readyRoute = "/health/ready"
    static let metricsRoute = "/metrics"

    let webhook: SMSWebhook?
    let checks: [ReadinessCheck]
    let registry: MetricsRegistry
    let metricsToken: Secret?
    let readiness: Readiness

    private static let twiML = Response(
        status: .ok, headers: [.contentType: "text/xml"],
        body: .init(byteBuffer: ByteBuffer(string: SMSWebhook.emptyTwiML)))

    /// Nil: the path is none of these.
    func answer(to request: Request, _ context: FrontContext, route: inout String) async throws -> Response? {
        let target = request.head.path ?? ""
        switch target.prefix(while: { $0 != "?" }) {
        case FrontRoutes.smsRoute:
            route = FrontRoutes.smsRoute
            return try await receive(request, target) { await $0.receive($1) }
        case FrontRoutes.statusRoute:
            route = FrontRoutes.statusRoute
            return try await receive(request, target) { await $0.report($1) }
        case FrontRoutes.liveRoute:
            route = FrontRoutes.liveRoute
            try requireGet(request)
            return json(["status": "ok"], status: .ok)
        case FrontRoutes.readyRoute:
            route = FrontRoutes.readyRoute
            try requireGet(request)
            return await ready()
        case FrontRoutes.metricsRoute:
            route = FrontRoutes.metricsRoute
            try requireGet(request)
            return try exposition(request, context)
        default: return nil
        }
    }

    // MARK: - Webhooks

    private func receive(
        _ request: Request, _ target: String,
        _ handle: (SMSWebhook, SMSWebhook.Request) async -> SMSWebhook.Answer
    ) async throws -> Response {
        guard let webhook else { throw Problem.notFound }
        guard request.method == .post else { throw Problem(405, "Method not allowed", allow: "POST") }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > FormParameters.maxBytes {
            throw Problem(413, "Too large")
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: FormParameters.maxBytes)
        } catch is NIOTooManyBytesError {
            throw Problem(413, "Too large")
        }
        let received = SMSWebhook.Request(
            signature: request.headers[Self.signatureName], signatureSettings: request.headers[Self.settingsName],
            target: target, contentType: request.headers[.contentType], body: Array(body.readableBytesView))
        switch await handle(webhook, received) {
        case .accepted: return FrontRoutes.twiML
        case .refused(let status, _): throw FrontRoutes.problem(status)
        }
    }

    private static let signatureName = HTTPField.Name("X-Twilio-Signature") ?? .authorization
    private static let settingsName = HTTPField.Name("X-Twilio-Webhooks-Signature-Settings") ?? .authorization

    private static func problem(_ status: Int) -> Problem {
        switch status {
        case 400: Problem(400, "Bad request", detail: "The form is malformed or incomplete.")
        case 403: Problem(403, "Forbidden", detail: "The request is not signed by our account.")
        case 413: Problem(413, "Too large")
        case 415: Problem(415, "Unsupported media type", detail: "Send application/x-www-form-urlencoded.")
        case 503: Problem.overloaded
        default: Problem(status, "Refused")
        }
    }

    // MARK: - Health and metrics

    private func ready() async -> Response {
        guard !readiness.isStopping else { return json(["status": "stopping"], status: .serviceUnavailable) }
        var results = JSONObject()
        var isReady = true
        for check in checks {
            let isGood = await check.isReady(within: .seconds(2))
            results[check.name] = isGood ? "ok" : "failed"
            isReady = isReady && isGood
        }
        return json(
            ["status": isReady ? "ready" : "not ready", "checks": .object(results)],
            status: isReady ? .ok : .serviceUnavailable)
    }

    /// With a token: whoever has it. Without: programs of this machine, and none that a proxy speaks for.
    private func exposition(_ request: Request, _ context: FrontContext) throws -> Response {
        if let metricsToken {
            let expected = SHA256.hash(data: Array("Bearer \(metricsToken.reveal())".utf8))
            let given = SHA256.hash(data: Array((request.headers[.authorization] ?? "").utf8))
            // Digests compare in constant time.
            guard expected == given else { throw Problem(401, "Unauthorized") }
        } else {
            let isForwarded = ["X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"].contains { name in
                HTTPField.Name(name).map { request.headers[$0] != nil } ?? false
            }
            guard context.isFromLoopback, !isForwarded else { throw Problem(403, "Forbidden") }
        }
        return Response(
            status: .ok, headers: [.contentType: MetricsRegistry.contentType],
            body: .init(byteBuffer: ByteBuffer(bytes: registry.exposition())))
    }

    private func requireGet(_ request: Request) throws {
        guard request.method == .get || request.method == .head else {
            throw Problem(405, "Method not allowed", allow: "GET, HEAD")
        }
    }

    private func json(_ object: JSONObject, status: HTTPTypes.HTTPResponse.Status) -> Response {
        var headers: HTTPFields = [.contentType: "application/json"]
        if status == .serviceUnavailable { headers[.retryAfter] = "2" }
        return Response(
            status: status, headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: JSON.object(object).serialized())))
    }
}

/// One thing that must work before requests are sent here.
public struct ReadinessCheck: Sendable {
    public let name: String
    private let body: @Sendable () async throws -> Void

    /// - Parameter body: Throws while it does not work. Ended by cancellation when it takes too long.
    public init(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.body = body
    }

    func isReady(within limit: Duration) async -> Bool {
        // Not a group: a check that ignores cancellation must not hold the answer up.
        let (answers, found) = AsyncStream.makeStream(of: Bool.self)
        let work = Task {
            do {
                try await body()
                found.yield(true)
            } catch {
                found.yield(false)
            }
        }
        let clock = Task {
            try? await Task.sleep(for: limit)
            found.yield(false)
        }
        defer {
            work.cancel()
            clock.cancel()
        }
        for await answer in answers { return answer }
        return false
    }
}

/// Whether the server is on its way down.
final class Readiness: Sendable {
    private let stopping = Atomic<Bool>(false)

    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    func stop() { stopping.store(true, ordering: .relaxed) }
}
