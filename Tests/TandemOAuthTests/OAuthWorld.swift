import Foundation
import OAuthSimulator
import Synchronization
import TandemCore
import TandemEgress
import TandemStorage
import TestDatabases
import Testing

@testable import TandemOAuth

/// Simulated services, a database file, and as many hosts on it as a test wants.
final class OAuthWorld: Sendable {
    static let start = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)
    static let publicURL = "https://tandem.example.org"

    let simulator: OAuthSimulator
    let clock: ManualClock
    let directory = TestDirectory()
    let events = TestEvents()
    let audit = TestAudit()
    let folder: String
    let metrics = MetricsRegistry()

    let ada = UserScope(authenticated: UserID(rawValue: 11))
    let bob = UserScope(authenticated: UserID(rawValue: 12))

    private init(_ simulator: OAuthSimulator, _ clock: ManualClock) throws {
        self.simulator = simulator
        self.clock = clock
        folder = FileManager.default.temporaryDirectory.appending(path: "oauth-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (service, ids) in [
            (OAuthSimulator.Service.microsoft, ["microsoft"]), (.google, ["google", "youtube"]), (.notion, ["notion"]),
        ] {
            for id in ids { simulator.register(redirect: "\(Self.publicURL)/oauth/callback/\(id)", at: service) }
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func run(_ body: @escaping @Sendable (OAuthWorld) async throws -> Void) async throws {
        let clock = ManualClock(start)
        let simulator = try OAuthSimulator(now: { clock.now.millisecondsSinceEpoch })
        defer { simulator.stop() }
        let world = try OAuthWorld(simulator, clock)
        let place = try await TestDatabase(
            file: world.folder + "/tandem.db", migrations: OAuthConnections.migrations)
        // Processes of their own find it there.
        if let address = place.environment["DATABASE_URL"], let owner = place.environment["DATABASE_OWNER_URL"] {
            try Data("\(address)\n\(owner)".utf8).write(to: URL(filePath: world.folder + "/server"))
        }
        try await body(world)
    }

    /// A host of its own: connection to the file, locks, flights.
    func host(_ edit: (inout OAuthConnections.Options) -> Void = { _ in }) async throws -> TestHost {
        let database = try await Self.database(folder, clock)
        let http = Self.client()
        var options = OAuthConnections.Options()
        options.random = { 0.5 }
        // What is not about time must not fail where the machine is busy.
        options.requestTimeout = .seconds(90)
        options.patience = .seconds(90)
        edit(&options)
        let providers = try OAuthProviders(clients: [:], file: simulator.providersFile)
        let address = try #require(WebAddress(Self.publicURL))
        let connections = OAuthConnections(
            database: database, http: http, providers: providers, publicURL: address, directory: directory,
            events: events, audit: audit, metrics: metrics, options: options)
        try await connections.prepare()
        return TestHost(world: self, connections: connections, database: database, http: http)
    }

    static func client() -> CurlClient {
        var options = CurlClient.Options()
        options.usesEnvironmentProxy = false
        return CurlClient(options: options)
    }

    static func database(_ folder: String, _ clock: any WallClock) async throws -> any Database {
        let keys = try MasterKeys.loadOrCreate(file: folder + "/master.key")
        let ids = IDGenerator(clock: clock, node: UInt8.random(in: 0...255))
        let database: any Database
        if let server = try? String(contentsOfFile: folder + "/server", encoding: .utf8) {
            let addresses = try server.split(separator: "\n").map { try PostgreSQLAddress(String($0)) }
            database = try await PostgreSQLDatabase.open(
                PostgreSQLConfiguration(address: addresses[0], owner: addresses[1], connections: 4),
                keyring: Keyring(keys), clock: clock, ids: ids)
        } else {
            database = try await SQLiteDatabase.open(
                SQLiteConfiguration(path: folder + "/tandem.db", isDurable: false), keyring: Keyring(keys),
                clock: clock, ids: ids)
        }
        try await database.migrate(OAuthConnections.migrations)
        return database
    }
}

/// One host, and the steps that a person and their browser take.
struct TestHost: Sendable {
    let world: OAuthWorld
    let connections: OAuthConnections
    let database: any Database
    let http: CurlClient

    func session(_ person: UserScope, _ id: String = "login-1") -> LoginSession {
        LoginSession(person: person, id: Secret(id))
    }

    /// What the browser comes back with from the service.
    func visit(_ url: String) async throws -> AuthorizationCallback {
        let response = try await http.send(HTTPRequest(.get, url))
        let location = try #require(
            response.headers["location"], "\(response.status): \(String(decoding: response.body, as: UTF8.self))")
        #expect(location.hasPrefix(OAuthWorld.publicURL + "/oauth/callback/"))
        let rest = location.dropFirst(OAuthWorld.publicURL.count)
        return AuthorizationCallback(
            path: String(rest.prefix { $0 != "?" }), query: String(rest.drop { $0 != "?" }.dropFirst()))
    }

    func begin(_ need: ConnectionNeed, _ person: UserScope, session: String = "login-1") async throws -> String {
        guard case .redirect(let url) = try await connections.begin(need, in: self.session(person, session)) else {
            Issue.record("nothing to ask for")
            return ""
        }
        return url
    }

    /// From the first click to the stored tokens.
    @discardableResult
    func connect(
        _ provider: String, _ person: UserScope, plugin: String? = nil, level: ScopeLevel = .readOnly
    ) async throws -> Connection {
        let url = try await begin(ConnectionNeed(provider: provider, plugin: plugin, level: level), person)
        return try await connections.finish(try await visit(url), in: session(person))
    }

    func failure(_ body: () async throws -> Void) async -> OAuthError.Code? {
        do {
            try await body()
            return nil
        } catch let error as OAuthError {
            return error.code
        } catch { return OAuthError.Code(rawValue: "other: \(error)") }
    }

    func row(_ provider: String, _ person: UserScope) async throws -> TokenRow? {
        try await database.read(person) { try TokenRow.find(provider, in: $0) }
    }

    func token(_ grant: String, _ person: UserScope, plugin: String = "test.office") async -> Result<
        GrantToken, GrantTokenFailure
    > {
        do throws(GrantTokenFailure) {
            return .success(try await connections.token(of: grant, plugin: plugin, in: person))
        } catch {
            return .failure(error)
        }
    }

    /// The way of a plugin's request: attached by the egress, renewed at a 401.
    func call(
        _ path: String, _ grant: String, _ person: UserScope, plugin: String = "test.office"
    ) async -> Result<Int, EgressFailure> {
        var options = GuardedEgress.Options()
        options.retries.baseDelay = .milliseconds(1)
        let egress = GuardedEgress(client: http, tokens: connections, clock: world.clock, options: options)
        let hosts = [world.simulator.origin].compactMap(HostRule.init)
        let caller = EgressCaller(
            plugin: plugin, scope: person,
            policy: EgressPolicy(
                declared: hosts.map { DeclaredHost($0, reason: "test") },
                networks: AddressPolicy(allowing: ["127.0.0.0/8"].compactMap(IPNetwork.init)),
                limits: hosts.map {
                    ProviderLimit(
                        host: $0, perUser: Rate(perSecond: 10_000, burst: 10_000),
                        total: Rate(perSecond: 10_000, burst: 10_000))
                }), mayWrite: true, deadline: monotonicNanoseconds() + 90_000_000_000)
        do throws(EgressFailure) {
            return .success(
                try await egress.send(EgressRequest(.get, world.simulator.origin + path, grant: grant), for: caller)
                    .status)
        } catch {
            return .failure(error)
        }
    }
}

extension Result where Success == GrantToken {
    var value: String? {
        if case .success(let token) = self { token.value.reveal() } else { nil }
    }

    var problem: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}

/// Two plugins: an office that reads mail and may write, and a wiki.
final class TestDirectory: GrantDirectory {
    private let levels = Mutex<[UserID: [String: ScopeLevel]]>([:])

    static let gmail = "https://www.googleapis.com/auth/gmail."
    static let grants: [String: [DeclaredGrant]] = [
        "test.office": [
            DeclaredGrant(
                name: "mail", provider: "microsoft", reason: "to keep an eye on your mail",
                scopes: [
                    DeclaredScope("Mail.Read", reason: "to show you what came in"),
                    DeclaredScope("Mail.Send", from: .write, reason: "to send what you approved"),
                ]),
            DeclaredGrant(
                name: "gmail", provider: "google", reason: "to keep an eye on your mail",
                scopes: [
                    DeclaredScope(gmail + "readonly", reason: "to show you what came in"),
                    DeclaredScope(gmail + "send", from: .write, reason: "to send what you approved"),
                ]),
            DeclaredGrant(
                name: "videos", provider: "youtube", reason: "to find your videos",
                scopes: [
                    DeclaredScope("https://www.googleapis.com/auth/youtube.readonly", reason: "to find your playlists")
                ]),
            DeclaredGrant(name: "notes", provider: "notion", reason: "to keep your notes"),
        ],
        "test.agenda": [
            DeclaredGrant(
                name: "calendar", provider: "microsoft", reason: "to plan your day",
                scopes: [DeclaredScope("Calendars.Read", reason: "to plan around your appointments")])
        ],
    ]

    func set(_ level: ScopeLevel?, _ plugin: String, for person: UserScope) {
        levels.withLock { $0[person.user, default: [:]][plugin] = level }
    }

    func grant(_ name: String, plugin: String) -> DeclaredGrant? {
        Self.grants[plugin]?.first { $0.name == name }
    }

    func demands(by plugin: String, at level: ScopeLevel) -> [GrantDemand] {
        (Self.grants[plugin] ?? []).map {
            GrantDemand(
                plugin: plugin, pluginName: plugin == "test.office" ? "Office" : "Agenda", grant: $0, level: level)
        }
    }

    func demands(of person: UserScope) async throws -> [GrantDemand] {
        levels.withLock { $0[person.user] ?? [:] }.sorted { $0.key > $1.key }
            .flatMap { demands(by: $0.key, at: $0.value) }
    }
}

final class TestEvents: ConnectionEvents {
    struct State: Sendable {
        var notices: [ConnectionNotice] = []
        var connected: [String] = []
        var disconnected: [String] = []
        var failures = 0
    }

    struct Broken: Error {}

    let state = Mutex(State())

    var notices: [ConnectionNotice] { state.withLock { $0.notices } }
    var connected: [String] { state.withLock { $0.connected } }

    /// The next so many are not taken.
    func breakDown(_ times: Int) { state.withLock { $0.failures = times } }

    private func record(_ edit: (inout State) -> Void) throws {
        try state.withLock { state in
            if state.failures > 0 {
                state.failures -= 1
                throw Broken()
            }
            edit(&state)
        }
    }

    func lost(_ notice: ConnectionNotice) async throws { try record { $0.notices.append(notice) } }

    func connected(_ provider: String, plugins: [String], of person: UserScope) async throws {
        try record { $0.connected.append("\(person.user)/\(provider)/\(plugins.joined(separator: "+"))") }
    }

    func disconnected(_ provider: String, plugins: [String], of person: UserScope) async throws {
        try record { $0.disconnected.append("\(person.user)/\(provider)/\(plugins.joined(separator: "+"))") }
    }
}

final class TestAudit: ConnectionAudit {
    private let all = Mutex<[ConnectionAuditEvent]>([])
    private let isBroken = Mutex(false)

    var events: [ConnectionAuditEvent] { all.withLock { $0 } }

    func count(_ name: ConnectionAuditEvent.Name) -> Int { events.filter { $0.name == name }.count }

    func breakDown() { isBroken.withLock { $0 = true } }

    func record(_ event: ConnectionAuditEvent, in transaction: any WriteTransaction) throws {
        if isBroken.withLock({ $0 }) { throw TestEvents.Broken() }
        transaction.afterCommit { [self] in all.withLock { $0.append(event) } }
    }
}
