public import TandemAccounts
public import TandemAgent
public import TandemCore
public import TandemMemory
public import TandemOAuth
public import TandemPluginHost
public import TandemStorage

/// What an integration that is on lacks of connections: the service's name, and an address for the person's browser. Nil:
/// nothing.
public typealias ConnectionStep =
    @Sendable (_ integration: String, UserScope) async throws -> (service: String, link: String)?

/// What the routes work with.
public struct APIServices: Sendable {
    public var database: any Database
    public var accounts: Accounts
    public var agent: AgentCore
    public var plugins: PluginHost
    public var memory: LongTermMemory
    public var metrics: MetricsRegistry
    public var limiter: any RateLimiter
    public var rates: RateSettings
    public var feed: MessageFeed
    public var people: any PersonKeeper
    public var connections: OAuthConnections
    public var connectionStep: ConnectionStep
    let idempotency: IdempotencyStore

    public init(
        database: any Database, accounts: Accounts, agent: AgentCore, plugins: PluginHost, memory: LongTermMemory,
        metrics: MetricsRegistry, feed: MessageFeed, people: any PersonKeeper,
        connections: OAuthConnections, connectionStep: @escaping ConnectionStep,
        limiter: any RateLimiter = TokenBuckets(),
        rates: RateSettings = RateSettings()
    ) {
        self.database = database
        self.accounts = accounts
        self.agent = agent
        self.plugins = plugins
        self.memory = memory
        self.metrics = metrics
        self.feed = feed
        self.people = people
        self.connections = connections
        self.connectionStep = connectionStep
        self.limiter = limiter
        self.rates = rates
        idempotency = IdempotencyStore(database: database)
    }
}
