import HTTPTypes
import Hummingbird
import Logging
import Synchronization
import TandemAPI
import TandemCore
import TandemJSON
import TandemSMS
import TandemStorage

/// Answers every request of the server: its own few routes at once, the rest by the routes that were added.
///
/// Around all of them: request id, security headers, errors as RFC 9457, counting and the access log, which holds no
/// query, no header and no body.
struct FrontResponder: HTTPResponder {
    typealias Context = FrontContext

    let routes: FrontRoutes
    let api: APIFront?
    let next: (any HTTPResponder<FrontContext>)?
    let metrics: FrontMetrics
    let logger: Logger
    let baseHeaders: HTTPFields
    let maxInFlight: Int
    let inFlight: InFlight
    let ids: RequestIDs

    func respond(to request: Request, context: FrontContext) async throws -> Response {
        let start = monotonicNanoseconds()
        var context = context
        context.requestID = ids.id(from: request.headers)
        var route = "other"
        var response: Response
        if inFlight.enter(limit: maxInFlight) {
            defer { inFlight.leave() }
            do {
                if let answer = try await routes.answer(to: request, context, route: &route) {
                    response = answer
                } else if let answer = try await api?.answer(to: request, context, route: &route) {
                    response = answer
                } else if let next {
                    response = try await next.respond(to: request, context: context)
                } else {
                    throw Problem.notFound
                }
            } catch {
                response = try failure(error, context)
            }
        } else {
            response = Problem.overloaded.response(requestID: context.requestID)
        }
        for field in baseHeaders where response.headers[field.name] == nil { response.headers.append(field) }
        response.headers.append(HTTPField(name: FrontResponder.requestIDName, value: context.requestID))
        let status = response.status.code
        metrics.record(route: route, status: status, since: start)
        log(request, route, status, start, context)
        return response
    }

    private func failure(_ error: any Error, _ context: FrontContext) throws -> Response {
        switch error {
        case let problem as Problem: return problem.response(requestID: context.requestID)
        case let error as Hummingbird.HTTPError:
            let status = error.status.code
            let title = status == 404 ? "Not found" : status == 413 ? "Too large" : error.status.reasonPhrase
            return Problem(status, title).response(requestID: context.requestID)
        case is CancellationError: return Problem.overloaded.response(requestID: context.requestID)
        case let error as StorageError where error.isPassing:
            return Problem.unavailable.response(requestID: context.requestID)
        default:
            // A request that cannot be parsed any further is the server's to end.
            if "\(type(of: error))" == "HTTPParserError" { throw error }
            logger.error(
                "a request failed", error: error, metadata: ["request.id": .string(context.requestID)])
            return Problem.internalError.response(requestID: context.requestID)
        }
    }

    private func log(
        _ request: Request, _ route: String, _ status: Int, _ start: UInt64, _ context: FrontContext
    ) {
        let level: Logger.Level = status >= 500 ? .warning : status >= 400 ? .info : .debug
        guard level >= logger.logLevel else { return }
        logger.log(
            level: level, "request",
            metadata: [
                "request.id": .string(context.requestID), "http.method": .string(request.method.rawValue),
                "http.route": .string(route), "http.status": .stringConvertible(status),
                "duration.us": .stringConvertible(Int((monotonicNanoseconds() - start) / 1000)),
            ])
    }

    static let requestIDName = HTTPField.Name.known("X-Request-Id")

    /// Headers that suit answers which no browser should interpret.
    static func baseHeaders(isPublicHTTPS: Bool) -> HTTPFields {
        var headers = HTTPFields()
        headers[.known("X-Content-Type-Options")] = "nosniff"
        headers[.cacheControl] = "no-store"
        headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        headers[.known("Referrer-Policy")] = "no-referrer"
        if isPublicHTTPS { headers[.strictTransportSecurity] = "max-age=31536000" }
        return headers
    }
}

/// Counts the requests that are being answered.
final class InFlight: Sendable {
    private let count = Atomic<Int>(0)

    func enter(limit: Int) -> Bool {
        if count.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
        leave()
        return false
    }

    func leave() { count.wrappingSubtract(1, ordering: .relaxed) }
}

/// Gives each request its id.
final class RequestIDs: Sendable {
    private let next = Atomic<UInt64>(0)
    /// Tells the processes and their restarts apart. A letter first: digits alone would look like a phone number.
    private let prefix = "r" + String(UInt32.random(in: 0x1000_0000...UInt32.max), radix: 36) + "-"

    /// The proxy's `X-Request-Id` when it is a plain one of 8 to 64 letters, digits and dashes; else a new one.
    func id(from headers: HTTPFields) -> String {
        if let given = headers[FrontResponder.requestIDName], (8...64).contains(given.utf8.count),
            given.utf8.allSatisfy({ $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == UInt8(ascii: "-") })
        {
            return given
        }
        return prefix + String(next.wrappingAdd(1, ordering: .relaxed).newValue, radix: 36)
    }
}

/// What the server counts.
struct FrontMetrics: Sendable {
    private let requests: MetricFamily<Counter>
    private let latency: MetricFamily<Histogram>
    /// The hot path's series, looked up once.
    private let accepted: Counter
    private let acceptedLatency: Histogram

    init(_ registry: MetricsRegistry) {
        requests = registry.counters(
            "tandem_http_requests_total", help: "Requests by route and status.", labels: ["route", "status"])
        latency = registry.histograms("tandem_http_seconds", help: "Time to the answer, by route.", labels: ["route"])
        accepted = requests.with(FrontRoutes.smsRoute, "200")
        acceptedLatency = latency.with(FrontRoutes.smsRoute)
    }

    func record(route: String, status: Int, since start: UInt64) {
        if status == 200, route == FrontRoutes.smsRoute {
            accepted.increment()
            acceptedLatency.observe(sinceNanoseconds: start)
        } else {
            requests.with(route, String(status)).increment()
            latency.with(route).observe(sinceNanoseconds: start)
        }
    }
}
