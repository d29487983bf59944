import Foundation
import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemLanguage
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// An agent over a database file of its own, with two people, stub tools and a clock that stands still.
final class AgentWorld: Sendable {
    let folder: TestFolder
    let database: any Database
    let clock: ManualClock
    let accounts: Accounts
    let box: BoxTools
    let delivery: RecordingDelivery
    let metrics: MetricsRegistry
    let services: AgentServices
    private let current: Mutex<AgentCore>
    var agent: AgentCore { current.withLock { $0 } }
    let ann: UserScope
    let bob: UserScope

    /// Saturday 2026-11-21 10:00 UTC.
    static let start = Timestamp(millisecondsSinceEpoch: 1_795_255_200_000)

    /// The product's limits with time enough on a machine that does much else.
    static let patient: AgentLimits = {
        var limits = AgentLimits()
        limits.turnTime = .seconds(300)
        return limits
    }()

    init(
        limits: AgentLimits = AgentWorld.patient, language: any LanguageProvider = ScriptLanguage(),
        policy: Policy = .standard, later: (any LaterWork)? = nil,
        over wrap: (any Database) -> any Database = { $0 }
    ) async throws {
        folder = try TestFolder()
        clock = ManualClock(AgentWorld.start)
        let migrations = Accounts.migrations + AgentTables.migrations
        let place = try await TestDatabase(file: folder.path + "/test.db", migrations: migrations)
        database = wrap(try await place.open(clock: clock))
        try await database.migrate(migrations)
        accounts = Accounts(database: database)
        try await accounts.prepare()
        try await database.register([RowLabels.table], owner: RowLabels.owner)
        try await database.register(AgentTables.definitions, owner: AgentTables.owner)
        try await database.register([BoxTools.table], owner: BoxTools.owner)
        ann = try await accounts.createUser(email: "ann@example.org", fullName: "Ann").scope
        bob = try await accounts.createUser(email: "bob@example.org", fullName: "Bob").scope
        box = BoxTools(database: database)
        delivery = RecordingDelivery()
        metrics = MetricsRegistry()
        services = AgentServices(
            database: database, accounts: accounts, providers: [box], catalogue: BoxCatalogue(), language: language,
            channels: [delivery], clock: clock, metrics: AgentMetrics(registry: metrics), limits: limits,
            policy: policy,
            later: later)
        current = Mutex(AgentCore(services))
        box.mediator.withLock { $0 = agent.mediator }
    }

    /// Makes a world, lets its agent work while the body runs, and ends both.
    static func run(
        limits: AgentLimits = AgentWorld.patient, language: any LanguageProvider = ScriptLanguage(),
        policy: Policy = .standard, _ body: (AgentWorld) async throws -> Void
    ) async throws {
        let world = try await AgentWorld(limits: limits, language: language, policy: policy)
        try await world.working { try await body(world) }
        await world.database.close()
    }

    /// Lets an agent work while the body runs; each time a new one, as after a restart.
    func working(_ body: () async throws -> Void) async throws {
        let agent = AgentCore(services)
        current.withLock { $0 = agent }
        box.mediator.withLock { $0 = agent.mediator }
        let work = Task { await agent.run() }
        do {
            try await body()
        } catch {
            work.cancel()
            await work.value
            throw error
        }
        work.cancel()
        await work.value
    }

    /// One message and its answer, which must be one plain SMS.
    @discardableResult
    func say(
        _ text: String, as scope: UserScope? = nil, location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let answer = try await agent.converse(text, channel: "test", scope: scope ?? ann)
        #expect(!answer.text.isEmpty, sourceLocation: location)
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            #expect(SMSText.encoding(of: answer.text) == .gsm7, "\(answer.text)", sourceLocation: location)
        }
        #expect(SMSText.segments(of: answer.text) == 1, "\(answer.text)", sourceLocation: location)
        return answer
    }

    /// The texts in a person's box, oldest first.
    func things(of scope: UserScope? = nil) async throws -> [String] {
        try await database.read(scope ?? ann) { transaction in
            try transaction.list(
                BoxTools.table.name, order: [RowOrder("id")], limit: 1000,
                tables: .owner(BoxTools.owner, allowsWrites: false)
            ).compactMap { $0.string("text") }
        }
    }

    func rows(_ table: String, of scope: UserScope? = nil) async throws -> [UserRow] {
        try await database.read(scope ?? ann) { try $0.list(table, order: [RowOrder("id")], limit: 1000) }
    }

    /// How many turns wait, of everybody.
    func queued() async throws -> Int {
        try await database.read(.system) { try $0.query("SELECT turn FROM turn_queue").count }
    }

    func message(_ text: String, of scope: UserScope? = nil) -> InboundMessage {
        InboundMessage(
            scope: scope ?? ann, text: text, channel: RecordingDelivery.channel, address: "somewhere", externalID: nil,
            receivedAt: clock.now)
    }
}

/// A folder of one test's own, removed with it.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "tandem-agent-XXXXXX").utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Understands `tool {arguments} | tool {arguments}` and nothing else; `~0.7` in front sets the confidence.
struct ScriptLanguage: LanguageProvider {
    let name = "local"

    func respond(to request: LanguageRequest) async throws -> LanguageResponse {
        guard case .person(let text)? = request.messages.last else { return LanguageResponse() }
        if text.hasPrefix("chat ") { return LanguageResponse(text: String(text.dropFirst(5))) }
        if text == "broken" { throw LanguageError(.unavailable, "scripted") }
        var confidence = 1.0
        var rest = text[...]
        if rest.hasPrefix("~"), let space = rest.firstIndex(of: " ") {
            confidence = Double(rest[rest.index(after: rest.startIndex)..<space]) ?? 1
            rest = rest[rest.index(after: space)...]
        }
        var calls: [LanguageCall] = []
        for (index, part) in rest.split(separator: "|").enumerated() {
            let words = part.split(separator: " ", maxSplits: 1)
            guard let tool = words.first, request.tools.contains(where: { $0.id == tool }) else {
                return LanguageResponse(finish: .unclear(nil))
            }
            let arguments = words.count > 1 ? try JSON(parsing: String(words[1])) : [:]
            let missing = arguments["missing"]?.stringValue.map { [$0] } ?? []
            calls.append(
                LanguageCall(
                    id: "\(index)", tool: String(tool), arguments: arguments, confidence: confidence, missing: missing))
        }
        return LanguageResponse(calls: calls)
    }
}

struct BoxCatalogue: ToolCatalogue {
    func allTools() -> [ToolDefinition] { BoxTools.definitions }

    func integration(of tool: String) -> String? { tool.hasPrefix("box.") ? "box" : nil }
}

/// Keeps what the agent hands over for delivery, once it is durable.
final class RecordingDelivery: DeliveryChannel {
    static let channel = "delivered"

    let name = RecordingDelivery.channel
    private let messages = Mutex<[OutboundMessage]>([])

    var sent: [OutboundMessage] { messages.withLock { $0 } }

    func enqueue(_ message: OutboundMessage, in transaction: any WriteTransaction) throws {
        transaction.afterCommit { self.messages.withLock { $0.append(message) } }
    }

    func wake() {}
}

/// Lets somebody wait until it is opened.
final class Gate: Sendable {
    private let stream = AsyncStream.makeStream(of: Void.self)

    func open() { stream.continuation.finish() }

    func pass() async { for await _ in stream.stream {} }
}

/// Polls a condition that another task brings about; true as soon as it holds, false after a time that no machine needs.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    repeat {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    } while ContinuousClock.now < end
    return false
}
