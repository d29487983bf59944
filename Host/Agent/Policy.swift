public import TandemCore

/// What the policy decides about one call.
public enum PolicyDecision: String, Sendable, Hashable, CaseIterable {
    case allow
    /// Ask the person, with a text that the host renders from the real arguments.
    case confirm
    case refuse
}

/// Whom or what a call would reach, as far as its arguments say.
public enum PolicyParty: String, Sendable, Hashable, CaseIterable {
    /// The arguments name none.
    case none
    /// The owner named it in this message, or gave their word for it before.
    case known
    case new
}

/// Money in a call's arguments.
public enum PolicyAmount: String, Sendable, Hashable, CaseIterable {
    case none
    /// The owner said it.
    case stated
    /// Somebody else did.
    case foreign
}

/// Everything that the policy knows of one call before it is made.
public struct PolicyFacts: Sendable, Hashable {
    public var effect: Effect
    /// The least trusted source of the arguments.
    public var label: TrustLabel
    /// The owner's words asked for the step before anything of others was read. Else it came up afterwards.
    public var isPlanned: Bool
    /// The host can take the effect back.
    public var isUndoable: Bool
    public var recipient: PolicyParty
    public var host: PolicyParty
    public var amount: PolicyAmount
    /// It becomes part of what the assistant believes of its owner.
    public var isMemory: Bool
    /// This person wants to be asked before each call of the tool.
    public var asksFirst: Bool
    /// It decides about permissions.
    public var isOwnersAlone: Bool

    public init(
        effect: Effect, label: TrustLabel, isPlanned: Bool = true, isUndoable: Bool = true,
        recipient: PolicyParty = .none, host: PolicyParty = .none, amount: PolicyAmount = .none,
        isMemory: Bool = false, asksFirst: Bool = false, isOwnersAlone: Bool = false
    ) {
        self.effect = effect
        self.label = label
        self.isPlanned = isPlanned
        self.isUndoable = isUndoable
        self.recipient = recipient
        self.host = host
        self.amount = amount
        self.isMemory = isMemory
        self.asksFirst = asksFirst
        self.isOwnersAlone = isOwnersAlone
    }

    /// Of a tool and where its arguments are from.
    init(tool: ToolDefinition, label: TrustLabel, isPlanned: Bool, reach: CallReach = CallReach()) {
        self.init(
            effect: tool.effect, label: label, isPlanned: isPlanned, isUndoable: tool.undo != .none,
            recipient: reach.recipient, host: reach.host, amount: reach.amount,
            isMemory: tool.namespace == "memory" && tool.effect != .read, asksFirst: tool.asksFirst,
            isOwnersAlone: tool.isOwnersAlone)
    }
}

/// One line of the policy: what it is about (nil: anything) and what it decides.
public struct PolicyRule: Sendable {
    /// For people who read the policy, and for the log.
    public var name: String
    public var labels: Set<TrustLabel>?
    public var effects: Set<Effect>?
    public var isPlanned: Bool?
    public var isUndoable: Bool?
    public var recipients: Set<PolicyParty>?
    public var hosts: Set<PolicyParty>?
    public var amounts: Set<PolicyAmount>?
    public var isMemory: Bool?
    public var asksFirst: Bool?
    public var isOwnersAlone: Bool?
    public var decision: PolicyDecision

    public init(
        _ name: String, labels: Set<TrustLabel>? = nil, effects: Set<Effect>? = nil, isPlanned: Bool? = nil,
        isUndoable: Bool? = nil, recipients: Set<PolicyParty>? = nil, hosts: Set<PolicyParty>? = nil,
        amounts: Set<PolicyAmount>? = nil, isMemory: Bool? = nil, asksFirst: Bool? = nil, isOwnersAlone: Bool? = nil,
        _ decision: PolicyDecision
    ) {
        self.name = name
        self.labels = labels
        self.effects = effects
        self.isPlanned = isPlanned
        self.isUndoable = isUndoable
        self.recipients = recipients
        self.hosts = hosts
        self.amounts = amounts
        self.isMemory = isMemory
        self.asksFirst = asksFirst
        self.isOwnersAlone = isOwnersAlone
        self.decision = decision
    }

    func fits(_ facts: PolicyFacts) -> Bool {
        if let labels, !labels.contains(facts.label) { return false }
        if let effects, !effects.contains(facts.effect) { return false }
        if let isPlanned, isPlanned != facts.isPlanned { return false }
        if let isUndoable, isUndoable != facts.isUndoable { return false }
        if let recipients, !recipients.contains(facts.recipient) { return false }
        if let hosts, !hosts.contains(facts.host) { return false }
        if let amounts, !amounts.contains(facts.amount) { return false }
        if let isMemory, isMemory != facts.isMemory { return false }
        if let asksFirst, asksFirst != facts.asksFirst { return false }
        if let isOwnersAlone, isOwnersAlone != facts.isOwnersAlone { return false }
        return true
    }
}

/// The policy as data: the first rule that fits decides, and what no rule fits is refused. Deterministic, outside any model.
public struct Policy: Sendable {
    public let rules: [PolicyRule]

    public init(rules: [PolicyRule]) { self.rules = rules }

    public func decide(_ facts: PolicyFacts) -> PolicyDecision {
        rules.first { $0.fits(facts) }?.decision ?? .refuse
    }

    /// Which rule decides.
    public func rule(for facts: PolicyFacts) -> String? { rules.first { $0.fits(facts) }?.name }

    /// For a call of which nothing more is known: what others say counts as no plan of the owner's.
    public func decide(tool: ToolDefinition, label: TrustLabel) -> PolicyDecision {
        decide(PolicyFacts(tool: tool, label: label, isPlanned: label <= .system))
    }
}
