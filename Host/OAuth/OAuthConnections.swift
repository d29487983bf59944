import Synchronization
public import TandemCore
public import TandemEgress
public import TandemStorage

/// People's connections to other services: asked for step by step, kept alive, healed, ended.
///
/// Safe from any thread, and from several processes on one database at once: at most one of them renews a pair. Every pair
/// is stored before it is used. Tokens leave in one place only, as a header of a request (`GrantTokens`).
public final class OAuthConnections: Sendable {
    public struct Options: Sendable {
        /// For one request to a token endpoint.
        public var requestTimeout: Duration = .seconds(10)
        /// How long a lock outlives a process that died; longer than a request.
        public var lease: Duration = .seconds(20)
        /// How long a call waits for a renewal, by whomever.
        public var patience: Duration = .seconds(25)
        /// How long the person has between our page and the service's answer.
        public var stateLife: Duration = .seconds(600)
        public var linkLife: Duration = .seconds(3 * 86_400)
        /// Tokens used this lately are renewed ahead of their end without being asked for.
        public var activity: Duration = .seconds(3600)
        /// A token that could not be given back is tried this long.
        public var revocationPatience: Duration = .seconds(86_400)
        /// Between rounds of `run()`.
        public var upkeepInterval: Duration = .seconds(30)
        /// 0 up to but not including 1, for jitter.
        public var random: @Sendable () -> Double = { Double.random(in: 0..<1) }
        var policy = RefreshPolicy()
        /// Told where a renewal is: tests end the process there.
        var checkpoint: @Sendable (Checkpoint) -> Void = { _ in }

        public init() {}
    }

    /// Places in a renewal.
    enum Checkpoint: String, Sendable, CaseIterable {
        case locked, received, stored, released
    }

    struct FlightKey: Hashable, Sendable {
        var user: UserID
        var id: RecordID
        var version: Int64
    }

    let database: any Database
    let http: any HTTPClient
    let providers: OAuthProviders
    /// How the person's browser reaches us.
    let publicURL: WebAddress
    let directory: any GrantDirectory
    let events: any ConnectionEvents
    let locks: any LockService
    let audit: (any ConnectionAudit)?
    let options: Options
    let metrics: OAuthMetrics?
    let flights = SharedFlights<FlightKey, Result<TokenRow, RenewalFailure>>()

    var clock: any WallClock { database.store.clock }

    /// `prepare` comes before anything else.
    ///
    /// - Parameters:
    ///   - publicURL: `TANDEM_PUBLIC_URL`; the redirect addresses are `publicURL/oauth/callback/PROVIDER`, to be
    ///     registered at the services exactly so.
    ///   - locks: nil: in the database.
    ///   - audit: nil: nobody keeps one.
    public init(
        database: any Database, http: any HTTPClient, providers: OAuthProviders, publicURL: WebAddress,
        directory: any GrantDirectory, events: any ConnectionEvents, locks: (any LockService)? = nil,
        audit: (any ConnectionAudit)? = nil, metrics: MetricsRegistry? = nil, options: Options = Options()
    ) {
        self.database = database
        self.http = http
        self.providers = providers
        self.publicURL = publicURL
        self.directory = directory
        self.events = events
        self.locks = locks ?? DatabaseLocks(database: database)
        self.audit = audit
        self.options = options
        self.metrics = metrics.map(OAuthMetrics.init)
    }

    /// Registers the person's table; the migrations must have run.
    public func prepare() async throws {
        try await database.register(OAuthConnections.tables, owner: OAuthConnections.owner)
    }

    // MARK: Shared

    func provider(_ id: String) throws(OAuthError) -> (OAuthProvider, OAuthProvider.Client) {
        guard let provider = providers[id] else { throw OAuthError(.unknownProvider, "There is no such service.") }
        guard let client = provider.client else {
            throw OAuthError(
                .notSetUp, "\(provider.name) is not set up here yet. Whoever runs this assistant has to do that first.")
        }
        return (provider, client)
    }

    func endpoint(_ provider: OAuthProvider, _ client: OAuthProvider.Client) -> TokenEndpoint {
        TokenEndpoint(provider: provider, client: client, http: http, timeout: options.requestTimeout)
    }

    /// The exact address that a service answers to.
    func redirect(for provider: OAuthProvider) -> String { publicURL.appending("/oauth/callback/\(provider.id)") }

    func lockName(_ user: UserID, _ provider: String) -> String { "oauth/\(user)/\(provider)" }

    /// A keyed hash of something secret by which it is found again.
    func hash(_ text: String, _ purpose: String) throws -> [UInt8] {
        try database.store.keyring.lookupHash(text, purpose: "oauth " + purpose)
    }

    func record(
        _ name: ConnectionAuditEvent.Name, _ actor: ConnectionAuditEvent.Actor, _ user: UserID?,
        _ detail: [String: String], in transaction: any WriteTransaction
    ) throws {
        try audit?.record(
            ConnectionAuditEvent(name, user: user, actor: actor, detail: detail), in: transaction)
    }

    /// The person's plugins that use the service.
    func plugins(using provider: String, of person: UserScope) async throws -> [GrantDemand] {
        try await directory.demands(of: person).filter { $0.grant.provider == provider }
    }
}
