import CLinux
import Glibc
import Logging
public import TandemAPI
public import TandemAccounts
public import TandemAgent
public import TandemCache
public import TandemCore
public import TandemEgress
import TandemHTTP
public import TandemJobs
public import TandemLanguage
import TandemLife
public import TandemMemory
public import TandemOAuth
public import TandemPluginHost
import TandemSMS
public import TandemStorage

/// The whole program, made from its configuration: the one place that knows all parts. Commands, tests and benchmarks
/// make the same one.
public final class Application: Sendable {
    public let configuration: Configuration
    let roles: Set<Configuration.Role>
    public let paths: InstallationPaths
    public let database: any Database
    public let accounts: Accounts
    /// Limits, locks and news of all processes together.
    public let shared: SharedState
    public let plugins: PluginHost
    /// People's accounts elsewhere.
    public let connections: OAuthConnections
    /// Who understands messages.
    let language: LanguageParts
    public let agent: AgentCore
    public let metrics: MetricsRegistry
    public let clock: any WallClock
    /// The migrations that this start ran.
    public let appliedMigrations: [String]
    let catalogue: HostCatalogue
    let memory: LongTermMemory
    let pluginWork: PluginWork
    /// Work that outlives the process that asked for it.
    public let jobs: JobQueue
    /// Turns that go on after their first answer.
    let laterTurns: QueuedTurns
    let taskTexts: TaskTexts
    let lives: PluginLives
    let secrets: StoredSecrets
    /// What other processes tell.
    let subscriptions: [NewsSubscription]
    let audit: any AuditSink
    /// Export, import and erasure of everything that is a person's.
    public let personalData: PersonalData
    let sms: SMSParts?
    /// `/api/v1`.
    public let api: APIService
    /// For plugins' requests: connections of their own, no proxy.
    let outbound: CurlClient
    /// For tokens.
    let tokenHTTP: CurlClient
    let logger = Logger(label: "tandem")

    /// What the SMS channel consists of, when it is configured.
    struct SMSParts: Sendable {
        var account: Configuration.Twilio
        var http: CurlClient
        var outbox: SMSOutbox
    }

    /// How an application differs from the one that the configuration describes.
    public struct Options: Sendable {
        /// Keep nothing: a database in memory, a key that ends with the process, no lock file.
        public var isEphemeral = false
        public var clock: any WallClock = SystemClock()
        /// Where the executable counts as being: its registry and plugins are looked for from there.
        public var executableFolder: String?
        public var limits = AgentLimits()
        /// What the process does when it serves. Without `agent` it takes messages in and works on none.
        public var roles = Set(Configuration.Role.allCases)
        /// What plugins reach the network by; nil: the network.
        public var egress: (any PluginEgress)?
        /// Who understands messages; nil: those that the configuration names.
        public var language: (any LanguageProvider)?
        /// False: the libraries of plugins are examined at the start, not when one is needed.
        public var mapsPluginsAtFirstUse = true
        /// Comes between the program and its database: for tests of what a process leaves behind.
        public var wrapDatabase: @Sendable (any Database) -> any Database = { $0 }
        /// For tests: other limits of plugins' requests, other places for hosts.
        var adjustEgress: @Sendable (inout GuardedEgress.Options) -> Void = { _ in }

        public init() {}
    }

    /// All system tables, in the order in which they were introduced.
    public static let migrations: [Migration] =
        Accounts.migrations + AgentTables.migrations + SMSSchema.migrations
        + PluginDataSchema.migrations + OAuthConnections.migrations + IdempotencyStore.migrations
        + PersonalData.migrations + JobQueue.migrations + ModelSchema.migrations + MemoryTables.migrations

    // MARK: Making

    /// Opens the database, brings it up to date, loads the plugins. Nothing runs yet: see `run`.
    ///
    /// Throws `ApplicationError`, `StorageError`: each says what was wrong and what to do.
    public static func open(_ configuration: Configuration, options: Options = Options()) async throws -> Application {
        // Large buffers go back to the system when they are freed: else glibc raises the bound with the first of them, and
        // what is read once at the start stays, 8 MB of it.
        mallopt(M_MMAP_THRESHOLD, 1 << 20)
        let paths = InstallationPaths(configuration: configuration, executable: options.executableFolder)
        let keyring: Keyring
        let choice: DatabaseChoice
        if options.isEphemeral {
            keyring = try Keyring.ephemeral()
            choice = .memory
        } else {
            choice = try DatabaseChoice(configuration, paths: paths)
            try paths.makeDataFolder()
            keyring = try Application.keyring(configuration, paths)
        }
        let database = options.wrapDatabase(try await choice.open(keyring: keyring, clock: options.clock))
        do {
            return try await Application(configuration, paths: paths, database: database, options: options)
        } catch {
            await database.close()
            throw error
        }
    }

    private init(
        _ configuration: Configuration, paths: InstallationPaths, database: any Database, options: Options
    ) async throws {
        self.configuration = configuration
        roles = options.roles
        self.paths = paths
        self.database = database
        clock = options.clock
        metrics = MetricsRegistry()
        let texts = configuration.twilio == nil ? nil : OutboxTexts()
        audit = AuditLog()
        appliedMigrations = try await database.migrate(Application.migrations).applied
        let shared =
            options.isEphemeral
            ? SharedState(metrics: metrics)
            : try await SharedParts.open(configuration, database: database, metrics: metrics)
        self.shared = shared
        let accounts = Accounts(
            database: database, settings: Self.accountSettings(configuration),
            services: AccountServices(
                mailer: try configuration.mail.map { mail in
                    SMTPMailer(
                        try SMTPMailer.Configuration(
                            server: mail.server, user: mail.user, password: mail.password, sender: mail.sender,
                            allowsPlainText: mail.allowsPlainText, authorities: mail.authorities), clock: options.clock)
                }, texts: texts, audit: audit, news: shared.redis.map { _ in SharedAccountNews(shared: shared) },
                onErasure: PersonalData.recordErasure))
        self.accounts = accounts
        Redaction.mask(names: DataCatalogue.maskedNames)
        let (jobs, jobNews) = Application.jobs(database, metrics: metrics, shared: shared)
        self.jobs = jobs
        subscriptions = [shared.redis.map { _ in SharedAccountNews.subscribe(accounts, to: shared) }, jobNews]
            .compactMap(\.self)
        try await accounts.prepare()
        try await LifeTools.register(in: database)
        try await database.register([RowLabels.table], owner: RowLabels.owner)
        try await database.register(AgentTables.definitions, owner: AgentTables.owner)
        try await database.register(SMSSchema.tables, owner: SMSSchema.owner)
        try await database.register(StoredGrants.tables, owner: StoredGrants.owner)
        try await database.register(ModelSchema.tables, owner: ModelSchema.owner)
        database.register(PluginRecords.all)
        let late = LateParts()
        lives = PluginLives(late: late, database: database)
        let lives = lives
        tokenHTTP = CurlClient(metrics: metrics)
        connections = OAuthConnections(
            database: database, http: tokenHTTP, providers: try Application.oauthProviders(configuration),
            publicURL: try Application.browserAddress(configuration), directory: PluginAccounts(late: late),
            events: PausedPlugins(late: late, database: database, accounts: accounts, lives: lives),
            locks: SharedLockService(shared), audit: AuditedConnections(sink: accounts.services.audit), metrics: metrics
        )
        late.set(connections: connections)
        try await connections.prepare()
        let personalData = PersonalData(
            database: database, accounts: accounts, audit: audit, holders: [HeldConnections(connections: connections)])
        self.personalData = personalData

        let people = PersonDirectory(accounts: accounts)
        let hostTables = database.store.tables.definitions
            .filter { $0.key.utf8.starts(with: "host.".utf8) }.flatMap { $0.value.map(\.name) }
        let clock = options.clock
        let memory = LongTermMemory(database: database)
        let proposals = MemoryProposals(database: database, memory: memory)
        let offset: @Sendable (UserScope) -> TimerSchedule.Offset = { people.context(of: $0).utcOffsetSeconds }
        let settings = StoredSettings(database: database)
        try await settings.load()
        var given: [String: [String: Secret]] = [:]
        if let key = configuration.youtube.key { given["tandem.youtube"] = ["api_key": key] }
        secrets = StoredSecrets(database: database, settings: given)
        let grants = StoredGrants(
            database: database, audit: audit,
            decided: { record, scope, transaction in
                try PluginEnding.follow(record, of: scope, jobs, in: transaction)
            })
        grants.observeUndo()
        var trust = paths.trust
        if options.isEphemeral { trust.acceptedRevocations = nil }
        var outboundOptions = CurlClient.Options()
        outboundOptions.usesEnvironmentProxy = false
        outbound = CurlClient(options: outboundOptions)
        var egress = GuardedEgress.Options()
        egress.substitutes = Self.substitutes(configuration)
        if shared.redis != nil { egress.sharedRates = SharedProviderRates(limits: shared.limits) }
        options.adjustEgress(&egress)
        plugins = PluginHost(
            configuration: PluginHostConfiguration(
                registryPath: paths.registry, searchPaths: [configuration.plugins, paths.plugins].compactMap(\.self),
                buildFolder: paths.plugins,
                lockPath: options.isEphemeral ? nil : paths.lockFile, trust: trust,
                reservedNamespaces: Set(LifeTools.definitions.map(\.namespace)), reservedTables: Set(hostTables),
                versionsPath: options.isEphemeral ? nil : paths.versionsFile,
                storePath: options.isEphemeral ? nil : paths.bundleStore,
                crashesPath: options.isEphemeral ? nil : paths.crashesFile,
                mapsAtFirstUse: options.mapsPluginsAtFirstUse,
                runner: RunnerConfiguration(
                    path: configuration.runner ?? RunnerConfiguration.besideOwnProgram,
                    allowsWeakIsolation: configuration.allowsWeakIsolation)),
            services: HostServices(
                clock: clock, rows: StoredRows(database: database),
                egress: options.egress
                    ?? GuardedEgress(
                        client: outbound, tokens: connections, clock: clock, metrics: metrics, options: egress),
                settings: settings,
                keyValues: StoredValues(database: database), secrets: secrets,
                timers: StoredTimers(database: database, offset: offset, wake: { late.work?.wake() }),
                events: StoredEvents(database: database, wake: { late.work?.wake() }),
                memories: StoredMemories(
                    memory: memory, proposals: proposals, clock: clock, name: { late.name(ofPlugin: $0) }),
                versions: StoredVersions(database: database), grantChanged: { await lives.changed($0) },
                person: { people.context(of: $0) },
                isHostTool: { tool in LifeTools.definitions.contains { $0.id == tool } }),
            grants: grants)
        let plugins = plugins
        pluginWork = PluginWork(
            database: database, clock: clock, metrics: metrics, offset: offset,
            refresh: { try await people.refresh($0) }, deliver: { await plugins.deliver($0, in: $1) })
        late.set(work: pluginWork, plugins: plugins)
        metrics.collection("plugins") { [weak plugins] in plugins?.metricSnapshots() ?? [] }
        metrics.collection("plugin counters") { [weak plugins] in plugins?.counterSnapshots() ?? [] }
        await plugins.start()

        let steps = ConnectionSteps(plugins: plugins, connections: connections)
        catalogue = HostCatalogue(plugins: plugins, steps: steps)
        self.memory = memory
        taskTexts = TaskTexts(jobs: jobs, late: late, accounts: accounts)
        SearchParts.prepare(memory.search, plugins: plugins)
        let life = LifeTools(
            database: database, accounts: accounts, memory: memory, proposals: proposals,
            integrations: PluginIntegrations(plugins: plugins, steps: steps, lives: lives), reminding: taskTexts,
            clock: options.clock)

        let feed = MessageFeed()
        var channels: [any DeliveryChannel] = [RESTChannel(feed: feed)]
        if let account = configuration.twilio {
            let http = CurlClient(metrics: metrics)
            let outbox = SMSOutbox(
                account: account, publicBase: configuration.publicURL, database: database, http: http,
                twilio: configuration.addresses.twilio, directory: VerifiedNumbers(accounts: accounts),
                metrics: metrics)
            sms = SMSParts(account: account, http: http, outbox: outbox)
            channels.append(outbox)
            texts?.set(outbox)
            if let sender = account.numbers.first {
                late.set(outbox: NoticeOutbox(channel: outbox, sender: sender))
            }
        } else {
            sms = nil
        }
        language = try LanguageParts(configuration, database: database, clock: options.clock, metrics: metrics)
        memory.search.models.use(language.embedder)
        laterTurns = QueuedTurns(jobs: jobs)
        var limits = options.limits
        if limits.sendDelay == .zero { limits.sendDelay = configuration.sendDelay }
        agent = AgentCore(
            AgentServices(
                database: database, accounts: accounts,
                providers: [
                    life,
                    LocatedPlugins(
                        plugins: plugins, people: people, steps: steps,
                        reader: SortingReader(
                            language: options.language ?? language.provider, prompts: language.prompts,
                            clock: options.clock)),
                ], catalogue: catalogue,
                language: options.language ?? language.provider, prompts: language.prompts, channels: channels,
                clock: options.clock, metrics: AgentMetrics(registry: metrics), limits: limits,
                news: shared.redis.map { _ in SharedTurnNews(shared: shared) }, later: laterTurns,
                fold: { [jobs] scope in ConversationFolding.ask(of: scope, jobs) },
                worksOnTurns: options.roles.contains(.agent)))
        plugins.setMediator(agent.mediator)
        api = APIService(
            APIServices(
                database: database, accounts: accounts, agent: agent, plugins: plugins, memory: memory,
                metrics: metrics, feed: feed, people: WholePeople(data: personalData),
                connections: connections,
                connectionStep: { plugin, scope in
                    try await steps.next(of: plugin, grant: nil, in: scope).map { ($0.service, $0.link) }
                },
                limiter: shared.redis == nil ? TokenBuckets() : SharedRouteLimits(shared: shared.limits),
                rates: RateSettings(factor: configuration.rateLimit)),
            version: Application.version)
    }

    /// What this build is.
    public static let version = "0.1.0"

    private static func accountSettings(_ configuration: Configuration) -> AccountSettings {
        var settings = AccountSettings()
        if let address = configuration.publicURL {
            settings.publicAddress = address.appending("")
        } else {
            settings.publicAddress = "http://\(configuration.listen.description)"
        }
        while settings.publicAddress.hasSuffix("/") { settings.publicAddress.removeLast() }
        return settings
    }

    /// Vendors whose address the operator set.
    private static func substitutes(_ configuration: Configuration) -> [(host: HostRule, address: WebAddress)] {
        let addresses = configuration.addresses
        let vendors: [(hosts: [String], usual: String, address: WebAddress)] = [
            (["duckduckgo.com", "*.duckduckgo.com"], "html.duckduckgo.com", addresses.duckDuckGo),
            (["graph.microsoft.com"], "graph.microsoft.com", addresses.graph),
            (["gmail.googleapis.com"], "gmail.googleapis.com", addresses.gmail),
            (["api.notion.com"], "api.notion.com", addresses.notion),
            (
                ["www.googleapis.com", "youtube.googleapis.com", "www.youtube.com"], "www.googleapis.com",
                addresses.youtube
            ),
        ]
        return vendors.filter { $0.address.host != $0.usual }.flatMap { vendor in
            vendor.hosts.compactMap(HostRule.init).map { ($0, vendor.address) }
        }
    }

    /// Ends what `open` began, after `run` has ended.
    public func close() async {
        plugins.shutDown()
        await outbound.shutdown()
        await tokenHTTP.shutdown()
        await sms?.http.shutdown()
        await language.close()
        await shared.shutdown()
        await database.close()
    }

    // MARK: Running

    /// Opens an application, lets the agent work while `body` runs, and closes it in good order.
    public static func with<Result: Sendable>(
        _ configuration: Configuration, options: Options = Options(),
        _ body: sending (Application) async throws -> Result
    ) async throws -> Result {
        let application = try await open(configuration, options: options)
        let work = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await application.agent.run() }
                group.addTask { await application.pluginWork.run() }
                group.addTask { await application.connections.run() }
            }
        }
        let result: Result
        do {
            result = try await body(application)
        } catch {
            work.cancel()
            await work.value
            await application.close()
            throw error
        }
        work.cancel()
        await work.value
        await application.close()
        return result
    }

    // MARK: People

    /// The right to act for the account with this address. For fronts where whoever may start the program is trusted; the
    /// audit tells of it.
    public func scope(email: String) async throws -> UserScope {
        guard let account = try await accounts.user(email: email) else {
            throw ApplicationError(
                "There is no account \(email). `tandem user add \(email)` makes it; `tandem demo` makes a demo account."
            )
        }
        guard account.status == .active else { throw ApplicationError("The account \(email) is disabled.") }
        try await database.write(account.scope) { [audit] transaction in
            try audit.record(AuditEvent(.staffAccess, user: account.id, actor: .staff(nil)), in: transaction)
        }
        return account.scope
    }

    /// The demo account with everything switched on that needs no network, made where it is missing.
    public func demoAccount(email: String) async throws -> UserScope {
        if let account = try await accounts.user(email: email) { return account.scope }
        let scope = try await accounts.createUser(email: email, fullName: "Demo").scope
        for manifest in plugins.manifests where manifest.hosts.isEmpty {
            try await plugins.switchOn(manifest.id, in: scope)
        }
        return scope
    }

    /// The memory pipe on one account's memory.
    public func memoryPipe(for scope: UserScope) -> MemoryPipe {
        MemoryPipe(
            store: AccountMemories(memory: memory, scope: scope, ids: database.store.ids), clock: clock)
    }
}
