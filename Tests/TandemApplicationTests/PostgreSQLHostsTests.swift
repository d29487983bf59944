import Foundation
import PostgreSQLServer
import Synchronization
import TandemCore
import TandemEgress
import TandemJSON
import TandemStorage
import Testing
import TwilioSimulator

@testable import TandemApplication

/// `tandem serve` on PostgreSQL, as processes.
@Suite(.timeLimit(.minutes(8)))
struct PostgreSQLHostsTests {
    private func settings(
        _ folder: TestFolder, _ environment: [String: String], data: String = "data"
    ) throws -> [String: String] {
        try folder.write(Installation.registry(), to: "registry.json")
        var settings = environment
        settings["TANDEM_DATA"] = "\(folder.path)/\(data)"
        settings["TANDEM_REGISTRY"] = folder.path + "/registry.json"
        settings["TANDEM_LISTEN"] = "127.0.0.1:0"
        return settings
    }

    private func get(_ client: CurlClient, _ path: String, _ server: ServerProcess) async throws -> HTTPResponse {
        try await client.send(
            HTTPRequest(.get, "http://127.0.0.1:\(server.port)\(path)", timeout: .seconds(60)))
    }

    @Test func hostsThatStartAtOnceMigrateOnce() async throws {
        let folder = try TestFolder("hosts")
        let running = try await PostgreSQLServer.shared()
        let configuration = try await running.database()
        var environment = running.environment(configuration.address.database)
        let masterKey = String(repeating: "0123456789abcdef", count: 4)
        environment["TANDEM_MASTER_KEY"] = masterKey
        let variables = environment
        let servers = try await withThrowingTaskGroup(of: ServerProcess.self) { group in
            for number in 0..<3 {
                let settings = try settings(folder, variables, data: "data-\(number)")
                group.addTask { try await ServerProcess(settings, log: folder.path + "/serve-\(number).log") }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let client = CurlClient.local()
        for server in servers { #expect(try await get(client, "/health/ready", server).status == 200) }
        for server in servers { #expect(await server.terminate() == 0) }
        await client.shutdown()
        let database = try await PostgreSQLDatabase.open(
            configuration, keyring: Keyring(try MasterKeys(text: masterKey)))
        let report = try await database.migrate(Application.migrations)
        #expect(report.applied.isEmpty)
        #expect(report.alreadyApplied == Application.migrations.count)
        await database.close()
    }

    /// One message of one person, sent until it is acknowledged, as Twilio does.
    private struct Errand: Sendable {
        var phone: String
        var scope: UserScope
        var request: TwilioSimulator.WebhookRequest
        var cents: Int
    }

    private final class Ledger: Sendable {
        let acknowledged = Mutex(0)
        let statuses = Mutex<Set<Int>>([])
        /// Errands after so many wait: each outage has some left that meet it.
        let released = Mutex(Int.max)
    }

    /// The process stays; messages that it acknowledged have their effect and one answer each.
    @Test func aServerThatIsKilledUnderLoadComesBackToTheSameProcess() async throws {
        let database = try await PostgreSQLServer()
        let name = try await database.database().address.database
        try await TwilioSimulator.run { (simulator) async throws in
            let folder = try TestFolder("outage")
            let environment = database.environment(name).merging(Household.twilio(simulator)) { $1 }
            let settings = try settings(folder, environment)
            let errands = try await prepare(folder, simulator, environment, count: 36)
            let server = try await ServerProcess(settings, log: folder.path + "/serve.log")
            let client = CurlClient.local()
            let ledger = Ledger()
            ledger.released.withLock { $0 = 12 }
            let load = Task { await send(errands, client, server.port, ledger) }
            for round in 1...2 {
                #expect(await eventually { ledger.acknowledged.withLock { $0 } >= round * 8 })
                ledger.statuses.withLock { $0 = [] }
                try await database.crash()
                #expect(
                    try await eventually {
                        let ready = try await get(client, "/health/ready", server)
                        return ready.status == 503
                            && String(decoding: ready.body, as: UTF8.self).contains("\"database\":\"failed\"")
                    })
                ledger.released.withLock { $0 = round == 1 ? 24 : errands.count }
                #expect(await eventually { ledger.statuses.withLock { $0.contains(503) } })
                #expect(try await get(client, "/health/live", server).status == 200)
                try await database.start()
                let back = ContinuousClock.now
                #expect(try await eventually { try await get(client, "/health/ready", server).status == 200 })
                let recovery = ContinuousClock.now - back
                #expect(recovery < .seconds(30), "ready again \(recovery) after the server is back")
            }
            await load.value
            #expect(ledger.statuses.withLock { $0.isSubset(of: [200, 503]) })
            #expect(await eventually { simulator.messages.count >= errands.count })
            #expect(await server.terminate() == 0)
            await client.shutdown()
            try await check(errands, folder, simulator, environment)
        }
    }

    /// One process takes messages in, another works on them, a third does what waits. Without one that works on them they wait;
    /// when it is killed, the next one goes on.
    @Test func rolesShareTheWorkAndAKilledAgentIsReplaced() async throws {
        let database = try await PostgreSQLServer.shared()
        let name = try await database.database().address.database
        try await TwilioSimulator.run { (simulator) async throws in
            let folder = try TestFolder("roles")
            let environment = database.environment(name).merging(Household.twilio(simulator)) { $1 }
            let settings = try settings(folder, environment)
            let errands = try await prepare(folder, simulator, environment, count: 24)
            func start(_ roles: String, _ name: String) async throws -> ServerProcess {
                try await ServerProcess(
                    settings.merging(["TANDEM_ROLES": roles]) { $1 }, log: "\(folder.path)/\(name).log")
            }
            let front = try await start("front", "front")
            let worker = try await start("worker", "worker")
            let client = CurlClient.local()
            let ledger = Ledger()
            // Who works on messages takes none in.
            #expect(try await client.post(errands[0].request, port: worker.port) == 404)
            await send(Array(errands.prefix(8)), client, front.port, ledger)
            #expect(ledger.statuses.withLock { $0 } == [200])
            #expect(simulator.messages.isEmpty)
            let first = try await start("agent", "agent-1")
            #expect(try await client.post(errands[0].request, port: first.port) == 404)
            let load = Task { await send(Array(errands.dropFirst(8)), client, front.port, ledger) }
            #expect(await eventually { simulator.messages.count >= 4 })
            await first.killNow()
            let second = try await start("agent", "agent-2")
            await load.value
            #expect(ledger.statuses.withLock { $0 } == [200])
            let isAnswered = await eventually(within: .seconds(180)) { simulator.messages.count >= errands.count }
            #expect(isAnswered, "\(simulator.messages.count) answers")
            for process in [front, worker, second] { #expect(await process.terminate() == 0) }
            await client.shutdown()
            try await check(errands, folder, simulator, environment)
        }
    }

    private func prepare(
        _ folder: TestFolder, _ simulator: TwilioSimulator, _ environment: [String: String], count: Int
    ) async throws -> [Errand] {
        let household = try await Household.open(environment: environment, folder: folder, now: SystemClock().now)
        var errands: [Errand] = []
        for index in 0..<count {
            let phone = "+1555557\(1000 + index)"
            let scope = try await Household.member(household.application, "p\(index)@example.org", phone)
            let cents = 1000 + index * 7
            errands.append(
                Errand(
                    phone: phone, scope: scope,
                    request: simulator.inbound(
                        from: phone, body: "I spent \(cents / 100).\(cents % 100 / 10)\(cents % 10) euros on lunch",
                        url: Household.publicBase + "/webhook/sms"),
                    cents: cents))
        }
        await household.application.close()
        return errands
    }

    /// Four at a time, each until it is acknowledged.
    private func send(_ errands: [Errand], _ client: CurlClient, _ port: Int, _ ledger: Ledger) async {
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for index in stride(from: worker, to: errands.count, by: 4) {
                        while ledger.released.withLock({ $0 }) <= index, !Task.isCancelled {
                            try? await Task.sleep(for: .milliseconds(5))
                        }
                        while !Task.isCancelled {
                            let status = (try? await client.post(errands[index].request, port: port)) ?? 0
                            ledger.statuses.withLock { _ = $0.insert(status) }
                            if status == 200 { break }
                            try? await Task.sleep(for: .milliseconds(20))
                        }
                        ledger.acknowledged.withLock { $0 += 1 }
                    }
                }
            }
        }
    }

    private func check(
        _ errands: [Errand], _ folder: TestFolder, _ simulator: TwilioSimulator, _ environment: [String: String]
    ) async throws {
        let household = try await Household.open(environment: environment, folder: folder, now: SystemClock().now)
        for errand in errands {
            let export = try await household.export(of: errand.scope)
            let amounts = export.rows("expenses").compactMap { $0["amount"]?.stringValue.flatMap { Double($0) } }
            #expect(amounts == [Double(errand.cents) / 100])
            let answers = export.rows("messages").filter { $0["direction"] == "out" }
            #expect(answers.count == 1)
            let delivered = simulator.messages.filter { $0.to == errand.phone }
            #expect(delivered.count == 1, "\(delivered.count) answers")
            #expect(delivered.first?.body == answers.first?["text"]?.stringValue)
        }
        await household.application.close()
    }
}
