public import TandemAccounts
public import TandemCore
public import TandemLanguage
public import TandemModels
public import TandemStorage

/// What the agent works with.
public struct AgentServices: Sendable {
    public var database: any Database
    public var accounts: Accounts
    public var providers: [any ToolProvider]
    public var catalogue: any ToolCatalogue
    public var language: any LanguageProvider
    /// What models are told beside a conversation.
    public var prompts: PromptLibrary
    public var channels: [any DeliveryChannel]
    public var clock: any WallClock
    public var metrics: AgentMetrics
    public var limits: AgentLimits
    public var policy: Policy
    /// Between this process and others on the same database; nil: they find out by looking.
    public var news: (any TurnNews)?
    /// Nil: every turn ends with its answer.
    public var later: (any LaterWork)?
    /// Has a person's conversation folded soon (`AgentCore.foldConversation`); never blocks.
    public var fold: (@Sendable (UserScope) -> Void)?
    /// Who works here.
    public var holder = TurnHolder.current
    /// False for a process that takes messages in and leaves the work to others.
    public var worksOnTurns: Bool

    public init(
        database: any Database, accounts: Accounts, providers: [any ToolProvider], catalogue: any ToolCatalogue,
        language: any LanguageProvider = EmbeddedLanguageProvider(), prompts: PromptLibrary = .builtIn,
        channels: [any DeliveryChannel] = [],
        clock: any WallClock, metrics: AgentMetrics,
        limits: AgentLimits = AgentLimits(), policy: Policy = .standard, news: (any TurnNews)? = nil,
        later: (any LaterWork)? = nil, fold: (@Sendable (UserScope) -> Void)? = nil,
        worksOnTurns: Bool = true
    ) {
        self.database = database
        self.accounts = accounts
        self.providers = providers
        self.catalogue = catalogue
        self.language = language
        self.prompts = prompts
        self.channels = channels
        self.clock = clock
        self.metrics = metrics
        self.limits = limits
        self.policy = policy
        self.news = news
        self.later = later
        self.fold = fold
        self.worksOnTurns = worksOnTurns
    }
}
