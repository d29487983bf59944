import Crypto
public import HTTPTypes
import Logging
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// Serves `/api/v1`: finds the route, asks whether the caller may, reads the request by its declaration, and lets the route
/// answer. Safe from any thread.
public final class APIService: Sendable {
    public let services: APIServices
    public let routes: [APIRoute]
    private let table: RouteTable
    private let programs: [String: JSONSchema]
    private let policies: [String: String]
    private let logger = Logger(label: "tandem.api")
    /// The generated document and page, made once.
    private let document: [UInt8]
    private let page: [UInt8]

    public static let documentPath = "/openapi.json"
    public static let pagePath = "/docs"
    public static let prefix = "/api/"

    /// The server goes down: streams of messages end.
    public func endStreams() { services.feed.end() }

    public init(_ services: APIServices, version: String) {
        self.services = services
        routes = APIRoute.all
        table = RouteTable(routes)
        var programs: [String: JSONSchema] = [:]
        for route in routes {
            guard let body = route.body, !body.isBinary else { continue }
            // A declaration that does not compile takes nothing; a test compiles them all.
            programs[route.id] =
                (try? JSONSchema(compiling: body.schema, formatAssertion: true)) ?? (try? JSONSchema(compiling: false))
        }
        self.programs = programs
        let factor = services.rates.factor ?? 1
        policies = Dictionary(
            RateClass.all.map { rate in
                (
                    rate.name,
                    "\"\(rate.name)\";q=\(Int(rate.burst * factor));w=\(max(1, Int(rate.burst / rate.perSecond)))"
                )
            }, uniquingKeysWith: { first, _ in first })
        document = OpenAPIDocument.json(
            routes, publicAddress: services.accounts.settings.publicAddress, version: version
        ).serialized()
        page = DocumentationPage.html(routes, version: version)
    }

    // MARK: Finding

    /// What a path leads to.
    public struct Target: Sendable {
        enum Kind: Sendable {
            case route(APIRoute, path: [String: String])
            case wrongMethod(allow: String)
            case notFound
            case document
            case page
        }

        let kind: Kind

        /// The template, for metrics: never what a client wrote.
        public var name: String {
            switch kind {
            case .route(let route, _): route.path.text
            case .document: APIService.documentPath
            case .page: APIService.pagePath
            case .wrongMethod, .notFound: "/api/v1"
            }
        }

        /// How much of a body is worth reading.
        public var maxBodyBytes: Int {
            if case .route(let route, _) = kind { return route.body?.maxBytes ?? 0 }
            return 0
        }

        /// Answering may take long without waiting for anything: not on a thread that others wait for.
        public var isCostly: Bool {
            if case .route(let route, _) = kind { return route.isCostly }
            return false
        }

        /// A body belongs to the request.
        public var takesBody: Bool { maxBodyBytes > 0 }
    }

    /// Whether a body is worth reading before anything else is known: a large one only of somebody who may send it. Where this
    /// is false, `respond` refuses without the body, and says why.
    public func mayCarry(_ target: Target, _ request: APIRequest) async -> Bool {
        guard case .route(let route, _) = target.kind, target.maxBodyBytes > APIService.smallBody else { return true }
        do {
            try allow(route, try await authenticate(request, route))
            return true
        } catch {
            return false
        }
    }

    private static let smallBody = 1 << 20

    /// Nil: the path is none of this interface.
    public func target(_ method: HTTPRequest.Method, _ target: String) -> Target? {
        let path = target.utf8.firstIndex(of: 63).map { target[..<$0] } ?? target[...]
        if path.utf8.starts(with: APIService.prefix.utf8) || path == "/api" {
            return Target(kind: table.find(method.rawValue, path))
        }
        if path == APIService.documentPath {
            return Target(kind: method == .get || method == .head ? .document : .wrongMethod(allow: "GET, HEAD"))
        }
        if path == APIService.pagePath || path == APIService.pagePath + "/" {
            return Target(kind: method == .get || method == .head ? .page : .wrongMethod(allow: "GET, HEAD"))
        }
        return nil
    }

    // MARK: Answering

    /// Answers a request. Whatever goes wrong is an answer, too.
    ///
    /// - Parameter isTooLarge: The body was longer than the target takes, and is not there.
    public func respond(to request: APIRequest, _ target: Target, isTooLarge: Bool = false) async -> APIReply {
        switch target.kind {
        case .document:
            return asset(document, "application/json", request)
        case .page:
            var reply = asset(page, "text/html; charset=utf-8", request)
            reply.headers[.contentSecurityPolicy] =
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
            return reply
        case .notFound: return APIProblem.notFound.reply(requestID: request.requestID)
        case .wrongMethod(let allow):
            var problem = APIProblem(.methodNotAllowed)
            problem.headers[.allow] = allow
            return problem.reply(requestID: request.requestID)
        case .route(let route, let path):
            return await respond(to: request, route, path, isTooLarge)
        }
    }

    private func asset(_ bytes: [UInt8], _ type: String, _ request: APIRequest) -> APIReply {
        let tag = EntityTag.of(bytes)
        if let list = request.headers[.ifNoneMatch], EntityTag.list(list, names: tag, isStrong: false) {
            return APIReply(304, headers: [.eTag: tag])
        }
        return APIReply(
            200, headers: [.contentType: type, .eTag: tag, .cacheControl: "max-age=300"], body: .bytes(bytes))
    }

    private func respond(
        to request: APIRequest, _ route: APIRoute, _ path: [String: String], _ isTooLarge: Bool
    ) async -> APIReply {
        var limit: (header: String, policy: String)?
        var reply: APIReply
        do {
            let source = ClientSource(
                address: request.address, userAgent: request.headers[.userAgent],
                deviceToken: request.headers[.deviceToken].map { Secret($0) })
            let caller = try await authenticate(request, route)
            limit = try await admit(route, caller, request)
            try allow(route, caller)
            let call = try read(request, route, path, caller, source, isTooLarge)
            reply = try await carryOut(call, request)
        } catch {
            if let refusal = error as? RateRefusal { limit = refusal.headers }
            if let problem = (error as? RateRefusal)?.problem ?? APIProblem(error) {
                reply = problem.reply(requestID: request.requestID)
            } else {
                logger.error(
                    "a request failed", error: error,
                    metadata: ["request.id": .string(request.requestID), "api.route": .string(route.id)])
                reply = APIProblem(.internalError).reply(requestID: request.requestID)
            }
        }
        if let limit {
            reply.headers[.rateLimit] = limit.header
            reply.headers[.rateLimitPolicy] = limit.policy
        }
        if !route.declares(reply.status) {
            logger.error(
                "an answer is not declared",
                metadata: ["api.route": .string(route.id), "http.status": .stringConvertible(reply.status)])
        }
        return reply
    }

    // MARK: Who

    /// Nil on routes for anybody.
    private func authenticate(_ request: APIRequest, _ route: APIRoute) async throws -> Principal? {
        guard case .signedIn = route.access else { return nil }
        guard let text = request.headers[.authorization], let bearer = APIService.bearer(text) else {
            var problem = APIProblem(.unauthorized)
            if request.headers[.authorization] == nil {
                problem.headers[.wwwAuthenticate] = "Bearer realm=\"tandem\""
            }
            throw problem
        }
        return try await services.accounts.authenticate(bearer)
    }

    /// RFC 6750 §2.1; the scheme in any case (RFC 9110 §11.1).
    private static func bearer(_ text: String) -> String? {
        let bytes = text.utf8
        guard bytes.count > 7 else { return nil }
        let scheme = bytes.prefix(7)
        guard zip(scheme, "bearer ".utf8).allSatisfy({ ($0 | 0x20) == $1 }) else { return nil }
        let token = bytes.dropFirst(7).drop { $0 == 32 }
        return token.isEmpty ? nil : String(Substring(token))
    }

    /// The one place where access is decided.
    private func allow(_ route: APIRoute, _ caller: Principal?) throws {
        guard case .signedIn(let permission, let stepUp, let needsSession) = route.access else { return }
        guard let caller else { throw APIProblem(.unauthorized) }
        try caller.require(permission)
        if needsSession || stepUp != nil, caller.session == nil { throw APIProblem(.sessionNeeded) }
        if let stepUp { try services.accounts.requireProof(of: caller, for: stepUp) }
    }

    // MARK: How often

    private struct RateRefusal: Error {
        var problem: APIProblem
        var headers: (header: String, policy: String)
    }

    /// Takes the request out of the account's and the network's buckets; gives what the headers say.
    private func admit(
        _ route: APIRoute, _ caller: Principal?, _ request: APIRequest
    ) async throws -> (header: String, policy: String)? {
        guard let factor = services.rates.factor else { return nil }
        let rate = route.rate
        var least = RateDecision(isAllowed: true, remaining: .max, wait: 0)
        if let network = NetworkKey.of(request.address) {
            least = await services.limiter.take(
                RateKey(.network(network), route: route.id), perSecond: rate.perSecond * factor * rate.addressFactor,
                burst: rate.burst * factor * rate.addressFactor)
        }
        if let caller, least.isAllowed {
            let own = await services.limiter.take(
                RateKey(.account(caller.user.rawValue), route: route.id), perSecond: rate.perSecond * factor,
                burst: rate.burst * factor)
            if !own.isAllowed || own.remaining < least.remaining { least = own }
        }
        // Nobody who could be counted: a program on this machine, before it signs in.
        guard least.remaining < .max else { return nil }
        let headers = ("\"\(rate.name)\";r=\(least.remaining);t=\(least.wait)", policies[rate.name] ?? "")
        guard least.isAllowed else {
            var problem = APIProblem(.tooManyRequests)
            problem.retryAfter = .seconds(max(1, least.wait))
            throw RateRefusal(problem: problem, headers: headers)
        }
        return headers
    }

    // MARK: What

    private func read(
        _ request: APIRequest, _ route: APIRoute, _ path: [String: String], _ caller: Principal?,
        _ source: ClientSource,
        _ isTooLarge: Bool
    ) throws -> APICall {
        var call = APICall(
            route: route, services: services, caller: caller, source: source, path: path,
            query: try RequestReading.query(of: request.target, route), headers: request.headers,
            body: .null)
        if let accept = request.headers[.accept], accept != "*/*" {
            let offered = route.answers.flatMap { $0.schema == nil ? [] : $0.mediaTypes }
            let choice = AcceptHeader(accept)
            // An answer without content suits everybody.
            guard offered.isEmpty || offered.contains(where: choice.takes) else { throw APIProblem(.notAcceptable) }
            call.wantsStream = offered.contains(AcceptHeader.events) && choice.names(AcceptHeader.events)
        }
        for parameter in route.parameters where parameter.place == .path {
            guard let text = path[parameter.name], parameter.value(text) != nil else { throw APIProblem.notFound }
        }
        try RequestReading.headers(request.headers, route)
        if let body = route.body {
            call.body = try RequestReading.body(
                request, body, programs[route.id], isTooLarge: isTooLarge)
            if body.isBinary { call.file = request.body }
        }
        return call
    }

    // MARK: Doing

    private func carryOut(_ call: APICall, _ request: APIRequest) async throws -> APIReply {
        guard call.route.isIdempotent, let key = call.headers[.idempotencyKey], let caller = call.caller else {
            return try await call.route.handler(call)
        }
        var hash = SHA256()
        for part in [call.route.method.rawValue, request.target] { hash.update(data: Array((part + "\n").utf8)) }
        hash.update(data: request.body)
        let answer = try await services.idempotency.begin(key, of: caller.scope, request: Array(hash.finalize()))
        guard case .go(let reservation) = answer else {
            guard case .again(let reply) = answer else { throw APIProblem(.unavailable) }
            return reply
        }
        var call = call
        call.reservation = reservation
        do {
            let reply = try await call.route.handler(call)
            if !reply.isKept { try await services.idempotency.settle(reservation, with: reply) }
            return reply
        } catch {
            await services.idempotency.release(reservation)
            throw error
        }
    }
}
