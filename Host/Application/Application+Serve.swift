import CLinux
import Glibc
import Logging
import ServiceLifecycle
import TandemAPI
import TandemAgent
public import TandemCore
import TandemHTTP
import TandemOAuth
import TandemPluginHost
import TandemSMS
import TandemStorage
import UnixSignals

extension Application {
    /// Makes the JSON log the log of this process. Once, by the executable.
    ///
    /// - Parameter isQuiet: for commands that talk to a person: nothing is logged unless `TANDEM_LOG` asks for it.
    public static func startLogging(_ configuration: Configuration, isQuiet: Bool = false) {
        let isAskedFor = getenv("TANDEM_LOG").map { $0[0] != 0 } ?? false
        JSONLogHandler.bootstrap(level: isQuiet && !isAskedFor ? .critical : configuration.logLevel)
        if isQuiet { return }
        let logger = Logger(label: "tandem")
        for warning in configuration.warnings { logger.warning("configuration", metadata: ["reason": "\(warning)"]) }
    }

    /// Serves until SIGTERM or SIGINT, then ends in order: the front first, the agent and the outbox, the database last.
    ///
    /// What is not among its roles is other processes' work; health and metrics are served in every role.
    ///
    /// - Parameter onListening: called with the port once connections are accepted.
    public func serve(onListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        var webhook: SMSWebhook?
        // Somebody works off the queue: this process or one of the others.
        laterTurns.begin()
        var services: [any Service] = [
            LoopService { await self.plugins.run() }, LoopService { await self.agent.run() },
        ]
        if roles.contains(.worker) {
            services += [
                LoopService { await self.pluginWork.run() }, LoopService { await self.accountCare.run() },
                LoopService { await self.connections.run() }, LoopService { await self.runJobs() },
                LoopService {
                    await self.keyRotation.serve { error in
                        self.logger.error("a rotation of keys waits", metadata: ["reason": "\(error)"])
                    }
                },
            ]
        }
        if let sms {
            guard let base = configuration.publicURL else {
                throw ApplicationError(
                    "TWILIO_ACCOUNT_SID is set, but TANDEM_PUBLIC_URL is not: it is what Twilio signs. Set it to the "
                        + "address that the webhook is reached under, such as https://assistant.example.org.")
            }
            if roles.contains(.front) {
                webhook = SMSWebhook(
                    account: sms.account, publicBase: base, database: database,
                    directory: VerifiedNumbers(accounts: accounts), inbox: agent, outbox: sms.outbox, metrics: metrics)
            }
            // Whoever answers sends, too: what another process has taken is left to it.
            let outbox = sms.outbox
            if roles != [.front] { services.append(LoopService { await outbox.run() }) }
        } else {
            logger.notice("no SMS: TWILIO_ACCOUNT_SID is not set")
        }
        services.append(
            try front(webhook: webhook) { port in
                // Reading manifests and word lists has left free pages between what stays: 4 MB of them.
                malloc_trim(0)
                StartCode.release()
                await onListening(port)
            })
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do {
            try await group.run()
        } catch {
            await close()
            throw error
        }
        await close()
    }

    /// Serves pages and REST while `body` runs, for a conversation in this process that leads to a browser.
    ///
    /// `body` is told whether that is so: not where something else listens at the address already.
    public func servingPages<Result: Sendable>(_ body: (Bool) async throws -> Result) async throws -> Result {
        let (states, told) = AsyncStream.makeStream(of: Bool.self)
        let front = try front(webhook: nil) { _ in told.yield(true) }
        let serving = Task {
            defer { told.finish() }
            try await front.run()
        }
        let isListening = await states.first { _ in true } ?? false
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(isListening))
        } catch {
            result = .failure(error)
        }
        serving.cancel()
        _ = await serving.result
        return try result.get()
    }

    private func front(
        webhook: SMSWebhook?, onListening: @escaping @Sendable (Int) async -> Void
    ) throws -> FrontServer {
        let pages = ConnectionRoutes(
            accounts: accounts, connections: connections, publicURL: try Application.browserAddress(configuration),
            trustedProxies: configuration.trustedProxies
        ).router()
        DataPages(
            accounts: accounts, people: api.services.people,
            publicURL: try Application.browserAddress(configuration), trustedProxies: configuration.trustedProxies
        ).add(to: pages)
        let database = database
        return FrontServer(
            options: FrontServer.Options(configuration), webhook: webhook,
            checks: [
                ReadinessCheck("database") { _ = try await database.read(.system) { try $0.query("SELECT 1") } }
            ], metrics: metrics, api: roles.contains(.front) ? api : nil,
            routes: roles.contains(.front) ? pages : nil, onListening: onListening)
    }

    /// Hands messages over to the carrier until cancelled; for programs that do not serve.
    func deliver() async { await sms?.outbox.run() }
}

/// A loop that runs until its task is cancelled, as a service: a graceful shutdown cancels it.
private struct LoopService: Service {
    let body: @Sendable () async -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown { await body() }
    }
}
