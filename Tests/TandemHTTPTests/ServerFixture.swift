import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization
import TandemAgent
import TandemCore
import TandemEgress
import TandemHTTP
import TandemSMS
import TandemStorage
import Testing
import TwilioSimulator

/// The whole front on a free port, with a database of its own.
struct ServerFixture: Sendable {
    static let publicBase = "https://tandem.example"

    let port: Int
    let simulator: TwilioSimulator
    let database: SQLiteDatabase
    let inbox: MemoryInbox
    let client: CurlClient

    static func run(
        change: (inout FrontServer.Options) -> Void = { _ in }, routes: Router<FrontContext>? = nil,
        _ body: @escaping @Sendable (ServerFixture) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-http-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: folder.path + "/test.db", isDurable: false), keyring: try Keyring.ephemeral())
        try await database.migrate(SMSSchema.migrations)
        try await database.register(SMSSchema.tables, owner: SMSSchema.owner)
        let simulator = TwilioSimulator()
        let client = CurlClient()
        let metrics = MetricsRegistry()
        let inbox = MemoryInbox()
        let account = Configuration.Twilio(
            accountSID: simulator.accountSID, authToken: Secret(simulator.authToken), numbers: simulator.numbers)
        let base = try #require(WebAddress(publicBase))
        let webhook = SMSWebhook(
            account: account, publicBase: base, database: database,
            directory: OnePerson(scope: UserScope(authenticated: database.store.ids.nextUser())), inbox: inbox,
            outbox: SMSOutbox(
                account: account, publicBase: base, database: database, http: client, twilio: base, metrics: metrics),
            metrics: metrics)
        var options = FrontServer.Options(listen: ListenAddress(host: "127.0.0.1", port: 0))
        change(&options)
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let server = FrontServer(
            options: options, webhook: webhook,
            checks: [
                ReadinessCheck("database") { try await database.read(.system) { _ = try $0.query("SELECT 1 AS one") } }
            ], metrics: metrics, routes: routes,
            onListening: { port in
                found.yield(port)
                found.finish()
            })
        let group = ServiceGroup(
            services: [server], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await group.run() }
        for await port in ports {
            let fixture = ServerFixture(
                port: port, simulator: simulator, database: database, inbox: inbox, client: client)
            try await body(fixture)
        }
        await client.shutdown()
        await group.triggerGracefulShutdown()
        try await running.value
        await database.close()
    }

    struct Answer {
        var status: Int
        var headers: HTTPHeaders
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    func send(
        _ method: TandemEgress.HTTPRequest.Method, _ path: String, headers: HTTPHeaders = [:], body: [UInt8] = []
    ) async throws -> Answer {
        let response = try await client.send(
            TandemEgress.HTTPRequest(method, "http://127.0.0.1:\(port)\(path)", headers: headers, body: body))
        return Answer(status: response.status, headers: response.headers, body: response.body)
    }

    func get(_ path: String, headers: HTTPHeaders = [:]) async throws -> Answer {
        try await send(.get, path, headers: headers)
    }

    func inbound(_ text: String) -> TwilioSimulator.WebhookRequest {
        simulator.inbound(from: "+15555550123", body: text, url: ServerFixture.publicBase + "/webhook/sms")
    }

    func post(_ request: TwilioSimulator.WebhookRequest) async throws -> Answer {
        try await send(
            .post, String(request.url.dropFirst(ServerFixture.publicBase.count)),
            headers: ["Content-Type": request.contentType, "X-Twilio-Signature": request.signature],
            body: Array(request.body.utf8))
    }
}

struct OnePerson: SenderDirectory {
    let scope: UserScope

    func identify(phone: String) async throws -> UserScope? { scope }
}

final class MemoryInbox: InboundSink {
    private let stored = Mutex<[String]>([])

    var texts: [String] { stored.withLock { $0 } }

    func accept(_ message: InboundMessage, in transaction: any WriteTransaction) throws {
        stored.withLock { $0.append(message.text) }
    }

    func wake(_ scope: UserScope) {}
}
