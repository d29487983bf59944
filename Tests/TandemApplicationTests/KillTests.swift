import Foundation
import Synchronization
import TandemCore
import TandemEgress
import TandemJSON
import TandemStorage
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemApplication

/// `kill -9` at any time: what was acknowledged is answered once and has its effect once, after the restart.
@Suite(.timeLimit(.minutes(8)), .serialized, .eachEngine)
struct KillTests {
    private static let rounds = 20
    private static let perRound = 3

    /// One message of one person, sent until it is acknowledged, as Twilio does.
    private struct Errand: Sendable {
        var phone: String
        var scope: UserScope
        var request: TwilioSimulator.WebhookRequest
        var cents: Int
    }

    /// Sends what is not acknowledged yet.
    private final class Post: Sendable {
        private let errands: [Errand]
        private let client: CurlClient
        private let pending: Mutex<Set<Int>>

        init(_ errands: [Errand], _ client: CurlClient) {
            self.errands = errands
            self.client = client
            pending = Mutex(Set(errands.indices))
        }

        var isDone: Bool { pending.withLock { $0.isEmpty } }

        /// All at once, of the first so many.
        func send(_ port: Int, first count: Int, _ acknowledged: @escaping @Sendable () -> Void) async {
            await withTaskGroup(of: Void.self) { group in
                for index in pending.withLock({ $0.filter { $0 < count } }) {
                    group.addTask { [self] in
                        guard (try? await client.post(errands[index].request, port: port)) == 200 else { return }
                        pending.withLock { _ = $0.remove(index) }
                        acknowledged()
                    }
                }
            }
        }
    }

    @Test func everyMessageIsAnsweredOnceHoweverOftenTheProcessIsKilled() async throws {
        try await TwilioSimulator.run { (simulator) async throws in
            let folder = try TestFolder("kill")
            let environment = Household.twilio(simulator)
            let errands = try await prepare(folder, simulator, environment)
            let client = CurlClient.local()
            let post = Post(errands, client)
            var settings = try await Household.database(in: folder).environment.merging(environment) { $1 }
            settings["TANDEM_DATA"] = folder.path + "/data"
            settings["TANDEM_REGISTRY"] = folder.path + "/registry.json"
            settings["TANDEM_LISTEN"] = "127.0.0.1:0"

            let variables = settings

            for round in 0..<KillTests.rounds {
                let server = try await ServerProcess(variables, log: folder.path + "/serve-\(round).log")
                // Some die while Twilio holds the answer back, some before it has the request.
                if round.isMultiple(of: 3) {
                    simulator.script([.slow(.milliseconds(60)), nil, .slow(.milliseconds(60))])
                }
                let (acknowledgements, acknowledged) = AsyncStream.makeStream(of: Void.self)
                let (port, count) = (server.port, (round + 1) * KillTests.perRound)
                let sending = Task {
                    await post.send(port, first: count) { acknowledged.yield() }
                    acknowledged.finish()
                }
                for await _ in acknowledgements { break }
                try await Task.sleep(for: .microseconds(Int.random(in: 0...40_000)))
                await server.killNow()
                await sending.value
            }

            // As if the dead processes' leases had run out.
            try await withDatabase(folder, environment) { (database) async throws in
                _ = try await database.write(.system) {
                    try $0.execute("UPDATE sms_outbox SET lease_until = 0 WHERE lease_until IS NOT NULL")
                }
            }
            let server = try await ServerProcess(variables, log: folder.path + "/serve-last.log")
            await post.send(server.port, first: errands.count) {}
            #expect(post.isDone)
            try await withDatabase(folder, environment) { (database) async throws in
                let isDone = try await eventually {
                    try await database.read(.system) { transaction in
                        let waiting = try transaction.query("SELECT turn FROM turn_queue").count
                        let unsent = try transaction.query("SELECT id FROM sms_outbox WHERE state < 3").count
                        return waiting + unsent == 0
                    }
                }
                let left = try await database.read(.system) { transaction in
                    try transaction.query("SELECT state, attempts, checks FROM sms_outbox WHERE state < 3").map { row in
                        [try row.int("state"), try row.int("attempts"), try row.int("checks")]
                    }
                }
                #expect(isDone, "left in the outbox (state, attempts, checks): \(left)")
                for errand in errands {
                    let export = try await database.read(errand.scope) { try $0.exportUser() }
                    let amounts = export.rows("expenses").compactMap {
                        $0["amount"]?.stringValue.flatMap { Double($0) }
                    }
                    let texts = export.rows("messages")
                    let answer = texts.first { $0["direction"] == "out" }?["text"]?.stringValue ?? ""
                    #expect(amounts == [Double(errand.cents) / 100], "\(answer)")
                    #expect(texts.count { $0["direction"] == "in" } == 1)
                    #expect(texts.count { $0["direction"] == "out" } == 1)
                    let delivered = simulator.messages.filter { $0.to == errand.phone }
                    #expect(delivered.count == 1, "\(delivered.count) answers")
                    #expect(delivered.first?.body == texts.first { $0["direction"] == "out" }?["text"]?.stringValue)
                }
            }
            #expect(simulator.messages.count == errands.count)
            #expect(simulator.refusals.isEmpty)
            #expect(await server.terminate() == 0)
            await client.shutdown()
        }
    }

    /// Accounts with numbers and everything on, and a message of each.
    private func prepare(
        _ folder: TestFolder, _ simulator: TwilioSimulator, _ environment: [String: String]
    ) async throws -> [Errand] {
        let household = try await Household.open(environment: environment, folder: folder, now: SystemClock().now)
        var errands: [Errand] = []
        for index in 0..<KillTests.rounds * KillTests.perRound {
            let phone = "+1555556\(1000 + index)"
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

    private func withDatabase(
        _ folder: TestFolder, _ environment: [String: String],
        _ body: (any Database) async throws -> Void
    ) async throws {
        let household = try await Household.open(environment: environment, folder: folder, now: SystemClock().now)
        do {
            try await body(household.application.database)
        } catch {
            await household.application.close()
            throw error
        }
        await household.application.close()
    }
}
