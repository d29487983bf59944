import Foundation
import ScriptServer
import Synchronization
public import TandemJSON

/// The authorization and token endpoints of Microsoft, Google (for YouTube as well) and Notion on a free port of this
/// machine, with a little of their interfaces: strict, stateful, by a clock of the test's.
///
/// Shapes and error bodies are those of the contract samples; what is not in them is refused. Differences between the
/// services: Microsoft gives a new refresh token with every refresh, Google never, Notion a whole new pair. An old refresh
/// token is refused with `invalid_grant` unless `acceptsReplaced` says otherwise.
public final class OAuthSimulator: Sendable {
    public enum Service: String, Sendable, CaseIterable { case microsoft, google, notion }

    public enum Endpoint: String, Sendable, Hashable { case authorize, token, revoke, api }

    /// What goes wrong with one request.
    public enum Fault: Sendable {
        /// Nothing is done, the connection is closed.
        case cutBefore
        /// All is done, the answer is lost.
        case cutAfter
        case silence
        case status(Int, retryAfter: Int? = nil)
        /// This answer, and nothing is done.
        case answer(Int, JSON)
        /// 200, and a page of HTML.
        case garbage
        /// All is done; the answer waits until the gate is opened.
        case gate(Gate)
    }

    /// Holds answers back until it is opened, or the simulator ends.
    public final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        private let arrivals = Mutex(0)

        public init() {}

        public var isReached: Bool { arrivals.withLock { $0 > 0 } }

        public func open() { semaphore.signal() }

        func pass() {
            arrivals.withLock { $0 += 1 }
            semaphore.wait()
            // For the next who comes, and the next after them.
            semaphore.signal()
        }
    }

    /// What the person decides on the service's page.
    public enum Decision: Sendable {
        case allow
        /// Only these of what was asked for.
        case allowOnly([String])
        case refuse(String)
    }

    public struct Client: Sendable {
        public var id: String
        public var secret: String
        public var redirects: Set<String>
    }

    struct Code: Sendable {
        var service: Service
        var redirect: String
        var challenge: String?
        var scopes: [String]
        var givesRefresh: Bool
        var expiresAt: Int64
        var isUsed = false
    }

    struct Access: Sendable {
        var service: Service
        var family: Int
        var scopes: [String]
        var expiresAt: Int64?
        var isDead = false
    }

    struct Refresh: Sendable {
        var service: Service
        var family: Int
        var scopes: [String]
        var isReplaced = false
        var isDead = false
    }

    struct State: Sendable {
        var clients: [Service: Client] = [:]
        var codes: [String: Code] = [:]
        var accesses: [String: Access] = [:]
        var refreshes: [String: Refresh] = [:]
        /// Granted to the client by the person, for Google's include_granted_scopes.
        var granted: [String] = []
        var decision: Decision = .allow
        var faults: [Endpoint: [Fault]] = [:]
        var gates: [Gate] = []
        var needsInteraction: Set<Service> = []
        var acceptsReplaced: Set<Service> = []
        var withholdsRefresh: Set<Service> = []
        var lives: [Service: Int] = [.microsoft: 4321, .google: 3599]
        var serial = 0
        var outcomes: [String: Int] = [:]
        var secrets: Set<String> = []
    }

    let state = Mutex(State())
    let now: @Sendable () -> Int64
    private let listener = Mutex<ScriptServer?>(nil)

    /// Somebody in a browser decides, on a page.
    let asksPerson: Bool

    /// - Parameters:
    ///   - now: milliseconds since 1970.
    ///   - port: 0: any free one.
    ///   - asksPerson: false: `decide` has decided.
    public init(
        port: UInt16 = 0, asksPerson: Bool = false, now: @escaping @Sendable () -> Int64
    ) throws {
        self.now = now
        self.asksPerson = asksPerson
        state.withLock { state in
            for service in Service.allCases {
                state.clients[service] = Client(
                    id: "\(service.rawValue)-client", secret: "\(service.rawValue)-SECRET-hush", redirects: [])
            }
        }
        let server = try ScriptServer(port: port) { [weak self] request in self?.answer(request) ?? .close }
        listener.withLock { $0 = server }
    }

    public func stop() {
        for gate in state.withLock({ $0.gates }) { gate.open() }
        listener.withLock { $0 }?.stop()
    }

    // MARK: Settings

    public var port: Int { listener.withLock { $0?.port } ?? 0 }
    public var origin: String { "http://127.0.0.1:\(port)" }

    /// The operator's file that sends the program here, for tokens and for the interfaces.
    public var providersFile: [UInt8] { file(hosts: ", \"hosts\": [\"\(origin)\"]") }

    /// The same for tokens only: the interfaces have their usual hosts, which the program is told to look for here.
    public var standardProvidersFile: [UInt8] { file(hosts: "") }

    private func file(hosts: String) -> [UInt8] {
        let text = """
            {"providers": {
              "microsoft": {"authorization": "\(origin)/{tenant}/oauth2/v2.0/authorize",
                "token": "\(origin)/{tenant}/oauth2/v2.0/token"\(hosts), \(client(.microsoft))},
              "google": {"authorization": "\(origin)/o/oauth2/v2/auth", "token": "\(origin)/token",
                "revocation": {"address": "\(origin)/revoke"}\(hosts), \(client(.google))},
              "youtube": {"authorization": "\(origin)/o/oauth2/v2/auth", "token": "\(origin)/token",
                "revocation": {"address": "\(origin)/revoke"}\(hosts)},
              "notion": {"authorization": "\(origin)/v1/oauth/authorize", "token": "\(origin)/v1/oauth/token",
                "revocation": {"address": "\(origin)/v1/oauth/revoke"}\(hosts), \(client(.notion))}
            }}
            """
        return Array(text.utf8)
    }

    private func client(_ service: Service) -> String {
        let client = state.withLock { $0.clients[service] }
        return "\"clientID\": \"\(client?.id ?? "")\", \"clientSecret\": \"\(client?.secret ?? "")\""
    }

    public func register(redirect: String, at service: Service) {
        state.withLock { _ = $0.clients[service]?.redirects.insert(redirect) }
    }

    public func setSecret(_ secret: String, of service: Service) {
        state.withLock { $0.clients[service]?.secret = secret }
    }

    public func decide(_ decision: Decision) { state.withLock { $0.decision = decision } }

    /// The next requests to the endpoint fail so, one each.
    public func fail(_ endpoint: Endpoint, _ faults: Fault...) {
        state.withLock { state in
            state.faults[endpoint, default: []] += faults
            for case .gate(let gate) in faults { state.gates.append(gate) }
        }
    }

    /// Seconds that access tokens of a service live from now on.
    public func setLife(_ seconds: Int?, of service: Service) { state.withLock { $0.lives[service] = seconds } }

    /// A refresh token that was replaced works on, as Microsoft's do for a while.
    public func acceptReplaced(_ service: Service) { state.withLock { _ = $0.acceptsReplaced.insert(service) } }

    /// No refresh token is given, as by Google for somebody who agreed before, or by Notion.
    public func withholdRefresh(_ service: Service) { state.withLock { _ = $0.withholdsRefresh.insert(service) } }

    // MARK: Meanwhile at the service

    /// The person takes back what they allowed.
    public func revokeGrant(at service: Service) {
        state.withLock { state in
            for (key, value) in state.refreshes where value.service == service { state.refreshes[key]?.isDead = true }
            for (key, value) in state.accesses where value.service == service { state.accesses[key]?.isDead = true }
            if service == .google { state.granted = [] }
        }
    }

    /// Access tokens end before their time.
    public func endAccess(at service: Service) {
        state.withLock { state in
            for (key, value) in state.accesses where value.service == service { state.accesses[key]?.isDead = true }
        }
    }

    /// An administrator now wants a second factor.
    public func requireInteraction(at service: Service, _ isRequired: Bool = true) {
        state.withLock { state in
            if isRequired { state.needsInteraction.insert(service) } else { state.needsInteraction.remove(service) }
        }
    }

    /// What an access token allows, for simulators of a service's interfaces; nil when it is not good.
    public func scopes(of bearer: String, at service: Service) -> [String]? {
        state.withLock { state in
            guard let access = state.accesses[bearer], access.service == service, !access.isDead,
                access.expiresAt.map({ $0 > now() }) ?? true
            else { return nil }
            return access.scopes
        }
    }

    // MARK: What was seen

    /// How many requests ended so: `microsoft.token.refreshed`, `notion.token.invalid_grant`, `google.api.401`.
    public func count(_ outcome: String) -> Int { state.withLock { $0.outcomes[outcome] ?? 0 } }

    /// All codes, tokens, verifiers and secrets that went over the line: none of them may be seen elsewhere.
    public var secrets: [String] {
        state.withLock { Array($0.secrets) + $0.clients.values.map(\.secret) }
    }

    /// Refresh tokens that are good now.
    public func liveRefreshTokens(of service: Service) -> [String] {
        state.withLock { state in
            state.refreshes.filter { $0.value.service == service && !$0.value.isReplaced && !$0.value.isDead }.map(
                \.key)
        }
    }

    /// Whether an access token is good at the service now: for simulators of its interfaces.
    public func accepts(_ token: String, at service: Service) -> Bool { scopes(of: token, at: service) != nil }

    func note(_ service: Service, _ endpoint: Endpoint, _ outcome: String) {
        state.withLock { $0.outcomes["\(service.rawValue).\(endpoint.rawValue).\(outcome)", default: 0] += 1 }
    }

    // MARK: Requests

    private func answer(_ request: ScriptServer.Request) -> ScriptServer.Answer {
        let path = String(request.target.prefix { $0 != "?" })
        let query = request.target.contains("?") ? String(request.target.drop { $0 != "?" }.dropFirst()) : ""
        guard let (service, endpoint) = Self.route(request.method, path) else {
            return Self.json(404, ["error": "not_found"])
        }
        let fault = state.withLock { state -> Fault? in
            guard let faults = state.faults[endpoint], !faults.isEmpty else { return nil }
            return state.faults[endpoint]?.removeFirst()
        }
        switch fault {
        case .cutBefore: return .close
        case .silence:
            note(service, endpoint, "silence")
            return .silence
        case .status(let status, let retryAfter):
            note(service, endpoint, "status_\(status)")
            return .answer(
                status, retryAfter.map { [("Retry-After", String($0))] } ?? [], body: Array("Try later".utf8))
        case .answer(let status, let body):
            note(service, endpoint, "status_\(status)")
            return Self.json(status, body)
        case .garbage: return .text("<html>Welcome to the hotel's network</html>", [("Content-Type", "text/html")])
        default: break
        }
        let answer: ScriptServer.Answer
        switch endpoint {
        case .authorize:
            answer = asksPerson ? page(service, path, query) : authorize(service, query, state.withLock { $0.decision })
        case .token: answer = token(service, request)
        case .revoke: answer = revoke(service, request)
        case .api: answer = api(service, request)
        }
        switch fault {
        case .cutAfter: return .close
        case .gate(let gate):
            gate.pass()
            return answer
        default: return answer
        }
    }

    private static func route(_ method: String, _ path: String) -> (Service, Endpoint)? {
        switch (method, path) {
        case ("GET", "/common/oauth2/v2.0/authorize"): (.microsoft, .authorize)
        case ("POST", "/common/oauth2/v2.0/token"): (.microsoft, .token)
        case ("GET", "/o/oauth2/v2/auth"): (.google, .authorize)
        case ("POST", "/token"): (.google, .token)
        case ("POST", "/revoke"): (.google, .revoke)
        case ("GET", "/v1/oauth/authorize"): (.notion, .authorize)
        case ("POST", "/v1/oauth/token"): (.notion, .token)
        case ("POST", "/v1/oauth/revoke"): (.notion, .revoke)
        case (_, "/v1.0/me"): (.microsoft, .api)
        case (_, "/gmail/v1/users/me/profile"), (_, "/youtube/v3/channels"): (.google, .api)
        case (_, "/v1/users/me"): (.notion, .api)
        default: nil
        }
    }

    private func api(_ service: Service, _ request: ScriptServer.Request) -> ScriptServer.Answer {
        let bearer = request["authorization"].flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
        let access = bearer.flatMap { bearer in state.withLock { $0.accesses[bearer] } }
        guard let access, access.service == service, !access.isDead, access.expiresAt.map({ $0 > now() }) ?? true else {
            note(service, .api, "401")
            return Self.json(401, ["error": ["code": 401, "message": "Invalid Credentials"]])
        }
        note(service, .api, "200")
        return Self.json(200, ["scopes": .array(access.scopes.map { .string($0) })])
    }

    static func json(_ status: Int, _ body: JSON) -> ScriptServer.Answer {
        .answer(status, [("Content-Type", "application/json; charset=UTF-8")], body: body.serialized())
    }
}
