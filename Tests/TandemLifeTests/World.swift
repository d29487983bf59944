import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage
import TestDatabases
import Testing

@testable import TandemLife

/// The built-in tools over a database in memory, with two people and a clock that stands still.
final class World: Sendable {
    let database: any Database
    let clock: ManualClock
    let ids: IDGenerator
    let accounts: Accounts
    let memory: LongTermMemory
    let integrations: FakeIntegrations
    let tools: LifeTools
    let ann: UserScope
    let bob: UserScope

    /// Saturday 2026-11-21 10:00 UTC.
    static let start = Timestamp(millisecondsSinceEpoch: 1_795_255_200_000)

    init(reminding: (any TaskReminding)? = nil) async throws {
        clock = ManualClock(World.start)
        ids = IDGenerator(clock: clock, node: 3)
        database = try await TestDatabase(migrations: Accounts.migrations).open(clock: clock, ids: ids)
        try await database.migrate(Accounts.migrations)
        accounts = Accounts(database: database)
        try await accounts.prepare()
        try await LifeTools.register(in: database)
        memory = LongTermMemory(database: database)
        integrations = FakeIntegrations()
        tools = LifeTools(
            database: database, accounts: accounts, memory: memory, integrations: integrations, reminding: reminding,
            clock: clock)
        ann = UserScope(authenticated: ids.nextUser())
        bob = UserScope(authenticated: ids.nextUser())
    }

    /// One call in a turn of its own.
    func call(
        _ tool: String, _ arguments: JSON = [:], as scope: UserScope? = nil, resume: [UInt8] = [], answers: JSON? = nil,
        turn: RecordID? = nil, allowed: Effect = .spend
    ) async -> ToolOutcome {
        let origin = WriteOrigin(turn: turn ?? ids.next(), step: 0)
        return await tools.call(
            ToolCall(
                tool: tool, arguments: arguments, origin: origin, deadlineNanoseconds: .max,
                idempotencyKey: origin.turn.description, resumeState: resume, answers: answers, allowedEffect: allowed),
            in: scope ?? ann)
    }

    /// A call that must give a value.
    @discardableResult
    func value(
        _ tool: String, _ arguments: JSON = [:], as scope: UserScope? = nil, turn: RecordID? = nil,
        location: SourceLocation = #_sourceLocation
    ) async throws -> ToolValue {
        let outcome = await call(tool, arguments, as: scope, turn: turn)
        guard case .value(let value) = outcome else {
            Issue.record("\(tool) gave \(outcome)", sourceLocation: location)
            throw Unexpected()
        }
        return value
    }

    /// A call that must fail.
    func failure(
        _ tool: String, _ arguments: JSON = [:], as scope: UserScope? = nil,
        location: SourceLocation = #_sourceLocation
    ) async throws -> ToolFailure {
        let outcome = await call(tool, arguments, as: scope)
        guard case .failure(let failure) = outcome else {
            Issue.record("\(tool) gave \(outcome)", sourceLocation: location)
            throw Unexpected()
        }
        return failure
    }

    /// A call that must ask.
    func question(
        _ tool: String, _ arguments: JSON = [:], as scope: UserScope? = nil,
        location: SourceLocation = #_sourceLocation
    ) async throws -> InputRequest {
        let outcome = await call(tool, arguments, as: scope)
        guard case .inputRequired(let request) = outcome else {
            Issue.record("\(tool) gave \(outcome)", sourceLocation: location)
            throw Unexpected()
        }
        return request
    }

    /// Answers a question of a tool.
    func answer(
        _ request: InputRequest, _ answer: JSON, to tool: String, _ arguments: JSON = [:], as scope: UserScope? = nil
    ) async -> ToolOutcome {
        await call(
            tool, arguments, as: scope, resume: request.resumeState,
            answers: .object(JSONObject([(request.field, answer)])))
    }

    /// The id of the first task, note or memory that a value names.
    func id(_ value: ToolValue) throws -> String {
        try "#" + #require(value.shown?.items.first?.id)
    }

    func undo(_ turn: RecordID, as scope: UserScope? = nil) async throws {
        _ = try await database.write(scope ?? ann) { try $0.undo(turn: turn) }
    }

    struct Unexpected: Error {}
}

extension ToolOutcome {
    var message: String {
        switch self {
        case .value(let value): value.message
        case .failure(let failure): failure.message
        case .inputRequired(let request): request.message
        case .authRequired(_, let message), .accepted(_, let message): message
        }
    }
}

/// Integrations that remember per person what is on.
final class FakeIntegrations: IntegrationControl {
    private struct Person {
        var levels: [String: IntegrationLevel] = [:]
        var toolsOff: Set<String> = []
        var approved: Set<String> = []
    }

    private let people = Mutex<[UserID: Person]>([:])
    /// What integrations ask for anew, by namespace.
    let requests = Mutex<[String: String]>([:])

    static let all = [
        Integration(
            namespace: "grocery", name: "Grocery list", aliases: ["groceries", "shopping"],
            permissions: "keeps your list",
            state: .off),
        Integration(
            namespace: "expenses", name: "Expenses", aliases: ["spending"],
            permissions: "Keeps your expenses; may read your grocery list", state: .off,
            tools: [
                Integration.Tool(id: "expenses.record", title: "Record an expense", effect: .write, state: .on),
                Integration.Tool(id: "expenses.remove", title: "Delete an expense", effect: .delete, state: .on),
                Integration.Tool(id: "expenses.total", title: "Total of expenses", effect: .read, state: .on),
            ]),
        Integration(
            namespace: "recipes", name: "Recipes", aliases: ["cooking"], summary: "Keeps recipes.", state: .off),
        Integration(
            namespace: "tides", name: "Tides", state: .unavailable(reason: "its library is missing")),
        Integration(
            namespace: "post", name: "Post (dev)",
            permissions: "may send messages, asking first; reaches mail.example.org; keeps your drafts",
            tier: "NOT reviewed by anybody", needsConsent: true, state: .off),
        Integration(
            namespace: "box", name: "Notes box", permissions: "keeps your boxes", needsConsent: true, state: .off,
            tools: [
                Integration.Tool(id: "box.show", title: "Show", effect: .read, state: .on),
                Integration.Tool(id: "box.put", title: "Put", effect: .write, state: .on),
                Integration.Tool(id: "box.move", title: "Move", effect: .write, state: .on),
                Integration.Tool(id: "box.empty", title: "Empty", effect: .delete, state: .on),
            ]),
    ]

    func integrations(for scope: UserScope) -> [Integration] {
        let person = people.withLock { $0[scope.user] } ?? Person()
        let requests = requests.withLock { $0 }
        return FakeIntegrations.all.map { integration in
            var integration = integration
            guard let level = person.levels[integration.namespace] else { return integration }
            integration.state = .on
            integration.level = level
            if !person.approved.contains(integration.namespace) {
                integration.request = requests[integration.namespace]
            }
            for index in integration.tools.indices where person.toolsOff.contains(integration.tools[index].id) {
                integration.tools[index].state = .off
            }
            return integration
        }
    }

    func apply(_ change: IntegrationChange, to namespace: String, in scope: UserScope, origin: WriteOrigin) {
        people.withLock { people in
            switch change {
            case .on(let level): people[scope.user, default: Person()].levels[namespace] = level ?? .write
            case .off: people[scope.user]?.levels[namespace] = nil
            case .level(let level): people[scope.user]?.levels[namespace] = level
            case .tool(let tool, .off): people[scope.user]?.toolsOff.insert(tool)
            case .tool(let tool, _): people[scope.user]?.toolsOff.remove(tool)
            case .approveChanges: people[scope.user]?.approved.insert(namespace)
            case .leaveChanges: break
            }
        }
    }
}
