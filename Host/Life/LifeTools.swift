public import TandemAccounts
public import TandemCore
public import TandemJSON
public import TandemMemory
public import TandemStorage

/// The host's own tools: tasks, notes, memory, settings, integrations, the account.
///
/// Arguments are validated by each tool's schema before its handler runs. Every handler works in the caller's scope, so
/// that an id of somebody else's is not found. Nothing is thrown: what goes wrong is an outcome with a text for the person.
public struct LifeTools: ToolProvider {
    private let toolboxes: [String: any Toolbox]
    private let accounts: Accounts
    private let clock: any WallClock
    private let database: any Database

    /// The declarations of all built-in tools, in the order of their importance.
    public static let definitions: [ToolDefinition] =
        TaskTools.definitions + NoteTools.definitions + MemoryTools.definitions + SettingsTools.definitions
        + FocusTools.definitions + IntegrationTools.definitions + AccountTools.definitions

    private static let schemas: [String: JSONSchema] = {
        var schemas: [String: JSONSchema] = [:]
        for definition in definitions { schemas[definition.id] = try? JSONSchema(compiling: definition.parameters) }
        return schemas
    }()

    private static let byID: [String: ToolDefinition] = {
        var byID: [String: ToolDefinition] = [:]
        for definition in definitions { byID[definition.id] = definition }
        return byID
    }()

    public init(
        database: any Database, accounts: Accounts, memory: LongTermMemory, proposals: MemoryProposals? = nil,
        integrations: any IntegrationControl, reminding: (any TaskReminding)? = nil,
        clock: any WallClock = SystemClock()
    ) {
        toolboxes = [
            "tasks": TaskTools(database: database, reminding: reminding),
            "notes": NoteTools(database: database, search: memory.search),
            "memory": MemoryTools(
                memory: memory, proposals: proposals ?? MemoryProposals(database: database, memory: memory)),
            "focus": FocusTools(memory: memory),
            "settings": SettingsTools(accounts: accounts),
            "integrations": IntegrationTools(control: integrations), "account": AccountTools(accounts: accounts),
        ]
        self.accounts = accounts
        self.clock = clock
        self.database = database
    }

    /// Creates or extends the tables that the built-in tools need.
    public static func register(in database: any Database) async throws {
        try await database.register(LifeTables.definitions, owner: LifeTables.owner)
        try await database.register(MemoryTables.definitions, owner: MemoryTables.owner)
    }

    public func tools(for scope: UserScope) async throws -> [ToolDefinition] { LifeTools.definitions }

    public var showsRowsAsTheyAre: Bool { true }

    public func refusal(of arguments: JSON, tool: String) -> ToolFailure? {
        LifeTools.schemas[tool]?.validate(arguments).first.map(LifeTools.refusal)
    }

    public func call(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome {
        guard let definition = LifeTools.byID[call.tool], let toolbox = toolboxes[definition.namespace],
            let schema = LifeTools.schemas[call.tool]
        else {
            return .failure(ToolFailure(status: -2, code: "unknown_tool", message: "I do not know how to do that."))
        }
        guard definition.effect <= call.allowedEffect else {
            return .failure(
                ToolFailure(
                    status: -40, code: "not_allowed", message: "That would change something, and I may only look."))
        }
        if let violation = schema.validate(call.arguments).first {
            return .failure(LifeTools.refusal(violation))
        }
        do {
            let zone = try await accounts.profile(of: scope).timeZone
            let time = PersonTime(now: clock.now, offset: { ZoneOffsets.seconds(zone, at: $0) })
            let outcome = try await toolbox.run(ToolRequest(call: call, scope: scope, time: time))
            if LifeTools.indexed.contains(definition.namespace) { try await tell(outcome, in: scope) }
            return outcome
        } catch let asking as Asking {
            return .inputRequired(asking.request)
        } catch let failure as ToolFailure {
            return .failure(failure)
        } catch is CancellationError {
            return .failure(
                ToolFailure(
                    status: -24, code: "cancelled", message: "That took too long. Try again?", isRetryable: true))
        } catch {
            return .failure(LifeTools.failure(error))
        }
    }

    /// These find texts in an index in memory, which knows of no labels.
    private static let indexed: Set<String> = ["memory", "notes", "focus"]

    /// Tells the call that runs of the labels of what an index found.
    private func tell(_ outcome: ToolOutcome, in scope: UserScope) async throws {
        guard let provenance = CallProvenance.current, case .value(let value) = outcome,
            let items = value.shown?.items, !items.isEmpty
        else { return }
        let ids = items.compactMap { RecordID($0.id) }
        for (id, trust) in try await database.read(scope, { try $0.trust(of: ids) }) {
            provenance.read(row: id.rawValue, trust: trust, texts: [])
        }
    }

    /// A violation of the schema in words for the person.
    private static func refusal(_ violation: SchemaViolation) -> ToolFailure {
        let keyword = violation.keywordLocation.split(separator: "/").last ?? ""
        let (code, message): (String, String)
        switch keyword {
        case "maxLength": (code, message) = ("too_long", "That is long. Say it a bit shorter?")
        case "maxItems": (code, message) = ("too_many", "That is a lot at once. Send me a part of it first?")
        case "minLength", "minItems": (code, message) = ("empty", "There is nothing in it yet. What should it say?")
        case "required": (code, message) = ("missing", "I need a little more: what exactly?")
        default: (code, message) = ("invalid_arguments", "I did not get that. Say it in other words?")
        }
        return ToolFailure(status: -1, code: code, message: message)
    }

    /// What the storage could not do, without its details.
    private static func failure(_ error: any Error) -> ToolFailure {
        guard let error = error as? StorageError else {
            return ToolFailure(status: -99, code: "internal", message: "That did not work. Nothing was changed.")
        }
        switch error.code {
        case .overQuota: return .tooMany("There is no room left for that. Let something go first.")
        case .busy, .closed, .conflict:
            return ToolFailure(
                status: error.abiStatus, code: "busy",
                message: "I could not save that just now. Try again in a moment.",
                isRetryable: true)
        case .diskFull, .readOnly, .io:
            return ToolFailure(
                status: error.abiStatus, code: "storage",
                message: "I cannot save anything right now. Nothing was changed.",
                isRetryable: true)
        default: return ToolFailure(status: -99, code: "internal", message: "That did not work. Nothing was changed.")
        }
    }
}
