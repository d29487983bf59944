import Foundation
import PostgreSQLServer
import RedisServer
import TandemAccounts
import TandemCore
import TandemEgress
import TandemJSON
import TandemStorage
import Testing
import TwilioSimulator

@testable import TandemApplication

/// Two `tandem serve` on one PostgreSQL and one Redis, which are killed in turn while people text and programs ask: what
/// cannot be done is refused clearly, nothing opens, nothing that was acknowledged is lost or done twice, and the hosts
/// recover by themselves.
@Suite(.timeLimit(.minutes(8)))
struct KilledServersTests {
    private static let password = "plum harbour violet 7"
    /// Of the route that is asked too often: `RateClass.heavy`.
    private static let (burst, perSecond) = (60.0, 1.0)

    private struct World {
        let database: PostgreSQLServer
        let redis: RedisServer
        let hosts: [ServerProcess]
        let load: HostLoad

        /// A value of a host's metrics.
        func metric(_ name: String, _ host: Int) async throws -> Int? {
            let answer = try await get("/metrics", host)
            let line = String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
                .first { $0.hasPrefix(name + " ") }
            return line?.split(separator: " ").last.flatMap { Int($0) }
        }

        func get(_ path: String, _ host: Int) async throws -> HTTPResponse {
            try await load.client.send(
                HTTPRequest(.get, "http://127.0.0.1:\(load.ports[host])\(path)", timeout: .seconds(30)))
        }

        func isRedis(_ state: Int) async throws -> Bool {
            for host in hosts.indices {
                for name in ["tandem_redis_up", "tandem_redis_listening"] {
                    guard try await metric(name, host) == state else { return false }
                }
            }
            return true
        }

        func signIn(_ email: String, _ host: Int) async throws -> (token: String, session: String) {
            let answer = try await load.api(
                .post, host, "/auth/login", nil,
                ["email": .string(email), "password": .string(KilledServersTests.password)])
            let tokens = try JSON(parsing: answer.body)["tokens"]
            return (
                try #require(tokens?["access_token"]?.stringValue), try #require(tokens?["session_id"]?.stringValue)
            )
        }
    }

    @Test func killedServersOpenAndLoseNothing() async throws {
        let database = try await PostgreSQLServer()
        let name = try await database.database().address.database
        let redis = try await RedisServer()
        try await TwilioSimulator.run { (simulator) async throws in
            let folder = try TestFolder("killed")
            var environment = database.environment(name).merging(Household.twilio(simulator)) { $1 }
            environment["TANDEM_MASTER_KEY"] = String(repeating: "0123456789abcdef", count: 4)
            var cast = try await prepare(folder, environment)
            environment["REDIS_URL"] = redis.url
            environment["TANDEM_REGISTRY"] = folder.path + "/registry.json"
            environment["TANDEM_LISTEN"] = "127.0.0.1:0"
            var hosts: [ServerProcess] = []
            for number in 0..<2 {
                environment["TANDEM_DATA"] = "\(folder.path)/data-\(number)"
                hosts.append(try await ServerProcess(environment, log: "\(folder.path)/serve-\(number).log"))
            }
            let client = CurlClient.local()
            let ports = hosts.map(\.port)
            let first = World(
                database: database, redis: redis, hosts: hosts, load: HostLoad(ports, client, simulator, cast))
            #expect(try await eventually { try await first.isRedis(1) })
            cast.planning.token = try await first.signIn("planning@example.org", 0).token
            cast.limited.token = try await first.signIn("limited@example.org", 0).token
            let ended = try await first.signIn("planning@example.org", 1)
            #expect(
                try await first.load.api(.delete, 0, "/sessions/\(ended.session)", cast.planning.token).status == 204)
            #expect(try await eventually { try await first.load.api(.get, 1, "/me", ended.token).status == 401 })
            cast.endedToken = ended.token

            let load = HostLoad(ports, client, simulator, cast)
            let world = World(database: database, redis: redis, hosts: hosts, load: load)
            let start = ContinuousClock.now
            let running = Task { await load.run() }
            do {
                try await rehearse(world, cast)
            } catch {
                running.cancel()
                throw error
            }
            running.cancel()
            await running.value
            let seconds = (ContinuousClock.now - start).components.seconds + 1
            #expect(load.faults.isEmpty, "\(load.faults.joined(separator: "\n"))")
            // Over both hosts, with the servers gone and come back: not more than one bucket gives, but for what one host
            // lets in after a return before the other has said what it took.
            let most = Self.burst + Self.perSecond * Double(seconds) + 6
            #expect(Double(load.allowed) <= most, "\(load.allowed) let in, of \(most)")
            #expect(load.allowed > 0 && load.counts[.limited] ?? 0 > load.allowed)

            let texts = load.texts.values.reduce(0) { $0 + $1.count }
            #expect(await eventually { simulator.messages.count >= texts })
            for host in hosts { #expect(await host.terminate() == 0) }
            await client.shutdown()
            try await check(load, cast, folder, simulator, environment)
            #expect(simulator.refusals.isEmpty)
            print("killed servers: \(load.counts), slowest \(load.slowest)")
        }
    }

    /// Kills the servers under the load, one after the other and both.
    private func rehearse(_ world: World, _ cast: HostLoad.Cast) async throws {
        let load = world.load
        let all = HostLoad.Kind.allCases
        #expect(await eventually { load.haveAll(all, \.good) })

        // The database.
        let session = try await world.signIn("planning@example.org", 0)
        #expect(try await load.api(.get, 1, "/me", session.token).status == 200)
        #expect(try await load.api(.delete, 0, "/sessions/\(session.session)", cast.planning.token).status == 204)
        try await world.database.crash()
        load.forget()
        #expect(await eventually { load.haveAll([.text, .task, .read, .message, .ended]) { _ in [503] } })
        try await expectUnready(world)
        for host in world.hosts.indices {
            #expect(try await world.get("/health/live", host).status == 200)
            let page = try await world.get("/connect/AAAAAAAAAAAAAAAAAAAAAAAA", host)
            #expect(page.status < 500 || (page.status == 503 && page.headers["retry-after"] != nil))
            #expect([401, 503].contains(try await load.api(.get, host, "/me", session.token).status))
        }
        try await expectRecovery(world, "the database") { try await world.database.start() }
        for host in world.hosts.indices {
            #expect(try await load.api(.get, host, "/me", session.token).status == 401)
        }

        // Redis: everything goes on.
        let other = try await world.signIn("planning@example.org", 1)
        #expect(try await load.api(.get, 0, "/me", other.token).status == 200)
        world.redis.kill()
        load.forget()
        #expect(try await eventually { try await world.isRedis(0) })
        load.forget()
        #expect(try await load.api(.delete, 0, "/sessions/\(other.session)", cast.planning.token).status == 204)
        for host in world.hosts.indices {
            #expect(try await load.api(.get, host, "/me", other.token).status == 401)
        }
        #expect(await eventually { load.haveAll(all, \.good) })
        for kind in all { #expect(!load.seen(kind).contains(503), "\(kind)") }
        try await expectRecovery(world, "Redis") { try await world.redis.start() }
        for host in world.hosts.indices {
            #expect(try await load.api(.get, host, "/me", other.token).status == 401)
        }

        // Both, and one after the other back.
        world.redis.kill()
        try await world.database.crash()
        load.forget()
        #expect(await eventually { load.haveAll([.text, .task, .read]) { _ in [503] } })
        try await world.database.start()
        load.forget()
        #expect(await eventually { load.haveAll([.text, .task, .read, .message]) { $0.good } })
        try await expectRecovery(world, "both") { try await world.redis.start() }
    }

    private func expectUnready(_ world: World) async throws {
        for host in world.hosts.indices {
            #expect(
                try await eventually {
                    let ready = try await world.get("/health/ready", host)
                    return ready.status == 503
                        && String(decoding: ready.body, as: UTF8.self).contains("\"database\":\"failed\"")
                })
        }
    }

    /// Every host answers everything again within five seconds of the server's return.
    private func expectRecovery(_ world: World, _ what: String, _ start: () async throws -> Void) async throws {
        try await start()
        let back = ContinuousClock.now
        world.load.forget()
        #expect(
            try await eventually {
                guard world.load.haveAll([.text, .task, .read, .message], { $0.good }) else { return false }
                for host in world.hosts.indices {
                    guard try await world.get("/health/ready", host).status == 200 else { return false }
                }
                return try await world.isRedis(1)
            })
        let time = ContinuousClock.now - back
        #expect(time < .seconds(30), "\(what): all is well \(time) after the return")
        print("killed servers: \(what), recovered in \(time)")
    }

    // MARK: Before and after

    private func prepare(_ folder: TestFolder, _ environment: [String: String]) async throws -> HostLoad.Cast {
        let household = try await Household.open(
            environment: environment, folder: folder, now: SystemClock().now)
        let application = household.application
        var texting: [HostLoad.Person] = []
        for index in 0..<4 {
            let phone = "+1555558\(1000 + index)"
            let scope = try await Household.member(application, "text\(index)@example.org", phone)
            texting.append(HostLoad.Person(scope: scope, phone: phone))
        }
        func person(_ name: String, _ phone: String) async throws -> HostLoad.Person {
            let scope = try await Household.member(application, "\(name)@example.org", phone)
            try await application.accounts.setPassword(Self.password, of: scope)
            return HostLoad.Person(scope: scope, phone: phone)
        }
        let cast = HostLoad.Cast(
            texting: texting, planning: try await person("planning", "+15555582000"),
            limited: try await person("limited", "+15555582001"))
        await application.close()
        return cast
    }

    private func check(
        _ load: HostLoad, _ cast: HostLoad.Cast, _ folder: TestFolder, _ simulator: TwilioSimulator,
        _ environment: [String: String]
    ) async throws {
        var environment = environment
        environment["TANDEM_DATA"] = nil
        environment["REDIS_URL"] = nil
        let household = try await Household.open(environment: environment, folder: folder, now: SystemClock().now)
        func amounts(_ export: JSON) -> [String] {
            export.rows("expenses").compactMap { $0["amount"]?.stringValue.flatMap { Double($0) } }
                .map { HostLoad.amount(Int(($0 * 100).rounded())) }.sorted()
        }
        for person in cast.texting {
            let export = try await household.export(of: person.scope)
            let sent = load.texts[person.phone] ?? []
            #expect(!sent.isEmpty)
            #expect(amounts(export) == sent.map(HostLoad.amount).sorted())
            let messages = export.rows("messages")
            let answers = messages.filter { $0["direction"] == "out" }.compactMap { $0["text"]?.stringValue }
            #expect(messages.count { $0["direction"] == "in" } == sent.count)
            #expect(answers.count == sent.count)
            let delivered = simulator.messages.filter { $0.to == person.phone }.map(\.body)
            #expect(delivered.sorted() == answers.sorted())
        }
        let export = try await household.export(of: cast.planning.scope)
        let titles = export.rows("tasks").compactMap { $0["title"]?.stringValue }
        #expect(titles.sorted() == load.tasks.sorted())
        let said = export.rows("messages").filter { $0["direction"] == "in" }.compactMap { $0["text"]?.stringValue }
        #expect(said.sorted() == load.messages.sorted())
        let turns = export.rows("messages").filter { $0["direction"] == "out" }.compactMap { $0["turn"]?.stringValue }
        #expect(turns.count == said.count && Set(turns).count == said.count)
        let spent = load.messages.compactMap { $0.split(separator: " ").dropFirst(2).first.map(String.init) }
        #expect(amounts(export) == spent.sorted())
        await household.application.close()
    }
}
