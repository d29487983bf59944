public import TandemCore

/// One integration as a person sees it.
public struct Integration: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        /// On for this person.
        case on
        /// Off, and can be switched on now.
        case off
        /// Cannot be switched on here: not installed properly, refused, or not offered to this person. The reason is for
        /// people, one short sentence.
        case unavailable(reason: String)
    }

    /// One tool of it.
    public struct Tool: Sendable, Hashable {
        public enum State: Sendable, Hashable {
            case on
            /// On, and the person is asked before each change.
            case asking
            /// It changes things, and the integration may only read.
            case readOnly
            case off
            /// It is new or changed, and waits for the person.
            case offered
        }

        public var id: String
        public var title: String
        public var effect: Effect
        public var state: State

        public init(id: String, title: String, effect: Effect, state: State) {
            self.id = id
            self.title = title
            self.effect = effect
            self.state = state
        }
    }

    /// First part of its tools' ids: `expenses`. Its identity.
    public var namespace: String
    /// For people: `Expenses`; marked when nobody but its developer answers for it.
    public var name: String
    /// Other words for it.
    public var aliases: [String]
    /// What it does, one short sentence.
    public var summary: String
    /// What it may do once it is on, one short line for people, GSM-7: `keeps your expenses; may add to your grocery list`.
    public var permissions: String
    /// The same in fewer words, the longest first: for where all of it must fit.
    public var briefPermissions: [String]
    /// Who answers for it, in two or three words; empty for what came with the host.
    public var tier: String
    /// The person is shown what it may do and asked, before it is switched on: nobody asked them yet, or it wants more
    /// than they agreed to.
    public var needsConsent: Bool
    public var state: State
    /// How far it may go, while it is on.
    public var level: IntegrationLevel?
    public var tools: [Tool]
    /// What it asks for now beyond what the person agreed to: `wants to send messages now`. Nil: nothing.
    public var request: String?

    public init(
        namespace: String, name: String, aliases: [String] = [], summary: String = "", permissions: String = "",
        briefPermissions: [String] = [],
        tier: String = "", needsConsent: Bool = false, state: State, level: IntegrationLevel? = nil,
        tools: [Tool] = [], request: String? = nil
    ) {
        self.namespace = namespace
        self.name = name
        self.aliases = aliases
        self.summary = summary
        self.permissions = permissions
        self.briefPermissions = briefPermissions
        self.tier = tier
        self.needsConsent = needsConsent
        self.state = state
        self.level = level
        self.tools = tools
        self.request = request
    }
}

/// How far an integration may go.
public enum IntegrationLevel: String, Sendable, Hashable, CaseIterable {
    case readOnly = "read_only"
    /// It changes things after asking the person, each time.
    case confirm
    /// It changes things; before it deletes, sends or spends, the person is asked all the same.
    case write
}

/// What a person decides about an integration.
public enum IntegrationChange: Sendable, Hashable {
    public enum ToolState: Sendable, Hashable {
        case off
        /// As the integration as a whole.
        case on
        case confirm, write
    }

    /// Nil: as far as its tier usually goes.
    case on(IntegrationLevel?)
    case off
    case level(IntegrationLevel)
    /// By the tool's id.
    case tool(String, ToolState)
    /// To what it asks for now.
    case approveChanges
    /// What it asks for now is not granted, and not asked again.
    case leaveChanges
}

/// Which integrations a person has on: answered by the plugin host.
public protocol IntegrationControl: Sendable {
    /// All that the host offers, in a stable order. Cheap.
    func integrations(for scope: UserScope) async throws -> [Integration]

    /// Changes what one may do for this person; takes effect on the next call. What is so already stays so. The change is
    /// journaled under `origin`.
    ///
    /// - Throws: `ToolFailure` with a text for the person when it cannot be done; anything else counts as internal.
    func apply(_ change: IntegrationChange, to namespace: String, in scope: UserScope, origin: WriteOrigin) async throws

    /// What is left for the person to do before one that is on can work, with an address: `Connect Microsoft here: …`.
    /// Nil: nothing.
    func connectionStep(of namespace: String, in scope: UserScope) async throws -> String?

    /// What switching one off would end, as it stands now.
    func ending(of namespace: String, in scope: UserScope) async throws -> IntegrationEnding
}

/// What goes with an integration that is switched off, and what stays.
public struct IntegrationEnding: Sendable, Hashable {
    /// A service elsewhere that the person connected for it.
    public struct Service: Sendable, Hashable {
        /// `Google`.
        public var name: String
        /// Another integration that uses the same connection, which stays for it.
        public var keptFor: String?
        /// The service is told that the access ends; otherwise the keys to it are deleted here, and no more.
        public var isGivenBack: Bool
        /// Where the person ends it there.
        public var management: String?

        public init(name: String, keptFor: String?, isGivenBack: Bool, management: String?) {
            self.name = name
            self.keptFor = keptFor
            self.isGivenBack = isGivenBack
            self.management = management
        }
    }

    public var services: [Service]
    /// What is deleted here, in a few words each: copies of what lies at the service.
    public var deleted: [String]
    /// What stays here.
    public var kept: [String]

    public init(services: [Service] = [], deleted: [String] = [], kept: [String] = []) {
        self.services = services
        self.deleted = deleted
        self.kept = kept
    }
}

extension IntegrationControl {
    public func connectionStep(of namespace: String, in scope: UserScope) async throws -> String? { nil }

    public func ending(of namespace: String, in scope: UserScope) async throws -> IntegrationEnding {
        IntegrationEnding()
    }
}
