import Foundation
import Synchronization
import TandemAccounts
import TandemAgent
import TandemCore
import TandemEgress
import TandemStorage
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemSMS

/// A channel on a database of its own, before a simulator of Twilio.
struct SMSFixture: Sendable {
    static let ann = "+15555550123"
    static let bob = "+15555550124"
    static let publicBase = "https://tandem.example"

    let simulator: TwilioSimulator
    let database: any Database
    let outbox: SMSOutbox
    let webhook: SMSWebhook
    let inbox: RecordingInbox
    let directory: Directory
    let metrics = MetricsRegistry()
    let http = CurlClient()
    let annScope: UserScope
    let bobScope: UserScope
    private let account: Configuration.Twilio

    /// Runs the body with everything set up; nothing is sent before `sending`.
    static func run(
        limits: SMSLimits = SMSLimits(), daySegments: Int? = nil,
        _ body: @escaping @Sendable (SMSFixture) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-sms-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await TwilioSimulator.run { simulator in
            let fixture = try await SMSFixture(simulator, folder.path, limits, daySegments)
            try await body(fixture)
            await fixture.http.shutdown()
            await fixture.database.close()
        }
    }

    private init(
        _ simulator: TwilioSimulator, _ folder: String, _ limits: SMSLimits, _ daySegments: Int?
    ) async throws {
        self.simulator = simulator
        let migrations =
            SMSSchema.migrations + [
                Migration("test/1-inbox") { migration in
                    migration.createTable("test_inbox") { table in
                        table.column("id", .integer)
                        table.column("user_id", .integer)
                        table.column("body", .text)
                        table.primaryKey("id")
                    }
                }
            ]
        database = try await TestDatabase(file: folder + "/test.db", migrations: migrations).open()
        try await database.migrate(migrations)
        try await database.register(SMSSchema.tables, owner: SMSSchema.owner)
        annScope = UserScope(authenticated: database.store.ids.nextUser())
        bobScope = UserScope(authenticated: database.store.ids.nextUser())
        account = Configuration.Twilio(
            accountSID: simulator.accountSID, authToken: Secret(simulator.authToken), numbers: simulator.numbers,
            daySegments: daySegments)
        outbox = SMSFixture.outbox(account, simulator, database, http, metrics)
        inbox = RecordingInbox()
        directory = Directory(people: [SMSFixture.ann: annScope, SMSFixture.bob: bobScope])
        webhook = SMSWebhook(
            account: account, publicBase: try #require(WebAddress(SMSFixture.publicBase)), database: database,
            directory: directory, inbox: inbox,
            outbox: outbox, limits: limits, metrics: metrics)
    }

    private static func outbox(
        _ account: Configuration.Twilio, _ simulator: TwilioSimulator, _ database: any Database, _ http: CurlClient,
        _ metrics: MetricsRegistry, timing change: (inout SMSOutbox.Timing) -> Void = { _ in }
    ) -> SMSOutbox {
        var timing = SMSOutbox.Timing()
        timing.checks = [.milliseconds(30), .milliseconds(60)]
        timing.firstBackOff = .milliseconds(20)
        timing.longestBackOff = .milliseconds(100)
        timing.lateRetry = .milliseconds(30)
        timing.poll = .milliseconds(50)
        timing.followUpEvery = .milliseconds(20)
        change(&timing)
        return SMSOutbox(
            account: account, publicBase: WebAddress(publicBase), database: database, http: http,
            twilio: WebAddress(simulator.url) ?? .init(loopback: 1), timing: timing, metrics: metrics)
    }

    /// As if whoever leased messages had died and its time were over.
    func endLeases() async throws {
        try await database.write(.system) {
            try $0.execute("UPDATE sms_outbox SET lease_until = 0 WHERE lease_until IS NOT NULL")
        }
    }

    /// Another process on the same database.
    func otherOutbox(timing change: (inout SMSOutbox.Timing) -> Void = { _ in }) -> SMSOutbox {
        SMSFixture.outbox(account, simulator, database, http, metrics, timing: change)
    }

    /// Sends while the body runs.
    func sending(_ outboxes: [SMSOutbox]? = nil, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for outbox in outboxes ?? [outbox] { group.addTask { await outbox.run() } }
            try await body()
            group.cancelAll()
        }
    }

    func enqueue(
        _ text: String, to scope: UserScope? = nil, number: String = SMSFixture.ann, turn: RecordID? = nil,
        ordinal: Int = 0
    ) async throws {
        let scope = scope ?? annScope
        let address = ReplyAddress(
            to: try #require(PhoneNumber(number)), from: simulator.numbers[0])
        try await database.write(scope) { [outbox] transaction in
            try outbox.enqueue(
                OutboundMessage(
                    scope: scope, turn: turn ?? transaction.nextID(), ordinal: ordinal, address: address.text,
                    text: text),
                in: transaction)
        }
        outbox.wake()
    }

    /// Hands a simulated request to the webhook as the HTTP front would.
    func deliver(_ request: TwilioSimulator.WebhookRequest) async -> SMSWebhook.Answer {
        let target = String(request.url.dropFirst(SMSFixture.publicBase.count))
        let received = SMSWebhook.Request(
            signature: request.signature, target: target, contentType: request.contentType,
            body: Array(request.body.utf8))
        return target.hasPrefix("/webhook/sms/status")
            ? await webhook.report(received) : await webhook.receive(received)
    }

    func text(
        _ body: String, from: String = SMSFixture.ann, sid: String? = nil, to: String? = nil,
        extra: [(String, String)] = []
    ) async -> SMSWebhook.Answer {
        await deliver(
            simulator.inbound(
                from: from, body: body, url: SMSFixture.publicBase + "/webhook/sms", sid: sid, to: to, extra: extra))
    }

    func report(_ status: String, of sid: String, errorCode: Int? = nil) async -> SMSWebhook.Answer {
        await deliver(
            simulator.report(
                status, of: sid, errorCode: errorCode, url: SMSFixture.publicBase + "/webhook/sms/status"))
    }

    /// The outbox's rows, oldest first: state, status, error.
    func rows() async throws -> [Row] {
        try await database.read(.system) { transaction in
            try transaction.query("SELECT state, status, error_code, sealed_text FROM sms_outbox ORDER BY id").map {
                Row(
                    state: OutboxState(rawValue: try $0.int64("state")), status: try $0.textIfPresent("status"),
                    error: try $0.int64IfPresent("error_code"), hasText: try $0.blobIfPresent("sealed_text") != nil)
            }
        }
    }

    struct Row: Sendable, Hashable {
        var state: OutboxState?
        var status: String?
        var error: Int64?
        var hasText: Bool
    }

    /// Looks again until it holds; the suite's time limit ends a wait for what never comes.
    func until(_ condition: @Sendable (SMSFixture) async throws -> Bool) async throws {
        while try await !condition(self) { try await Task.sleep(for: .milliseconds(5)) }
    }
}

extension WebAddress {
    init(loopback port: Int) { self = WebAddress("http://127.0.0.1:\(port)") ?? .init(loopback: port) }
}

/// Knows two people, and notes opt-outs by number.
final class Directory: SenderDirectory {
    private let people: [String: UserScope]
    private let noted = Mutex<[Bool]>([])

    init(people: [String: UserScope]) { self.people = people }

    var optOuts: [Bool] { noted.withLock { $0 } }

    func noteOptOut(_ number: PhoneNumber, _ isOptedOut: Bool, in transaction: any WriteTransaction) throws {
        noted.withLock { $0.append(isOptedOut) }
    }

    func identify(phone: String) async throws -> UserScope? { people[phone] }
}

/// Keeps what it is given in a table, as the agent does.
final class RecordingInbox: InboundSink {
    private let woken = Mutex<[UserScope]>([])
    let failure = Mutex<(any Error)?>(nil)

    var wakes: [UserScope] { woken.withLock { $0 } }

    func accept(_ message: InboundMessage, in transaction: any WriteTransaction) throws {
        if let failure = failure.withLock({ $0 }) { throw failure }
        try transaction.execute(
            """
            INSERT INTO test_inbox (id, user_id, body)
            VALUES (\(transaction.nextID()), \(message.scope.user), \(message.text + "|" + message.address))
            """)
    }

    func wake(_ scope: UserScope) { woken.withLock { $0.append(scope) } }
}

extension SMSFixture {
    /// The texts that reached the agent.
    func accepted() async throws -> [String] {
        try await database.read(.system) { transaction in
            try transaction.query("SELECT body FROM test_inbox ORDER BY id").map {
                String(try $0.text("body").prefix { $0 != "|" })
            }
        }
    }

    func exposition() -> String { String(decoding: metrics.exposition(), as: UTF8.self) }
}
