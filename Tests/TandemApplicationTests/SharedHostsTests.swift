import PostgreSQLServer
import RedisServer
import Synchronization
import TandemAccounts
import TandemCache
import TandemCore
import TandemJSON
import TandemOAuth
import TandemStorage
import Testing

@testable import TandemApplication

/// Two hosts on one database and one Redis server, which dies and comes back.
@Suite(.timeLimit(.minutes(8)))
struct SharedHostsTests {
    private struct Pair: Sendable {
        let one: Application
        let two: Application
        let server: RedisServer
    }

    /// - Parameter engine: `sqlite` or `postgres`.
    private func withPair(_ engine: String, _ body: (Pair) async throws -> Void) async throws {
        var environment: [String: String] = [:]
        if engine == "postgres" {
            let server = try await PostgreSQLServer.shared()
            environment = server.environment(try await server.database().address.database)
        }
        let server = try await RedisServer()
        let folder = try TestFolder()
        try folder.write(Installation.registry([]), to: "registry.json")
        environment["TANDEM_DATA"] = folder.path + "/data"
        environment["TANDEM_REGISTRY"] = folder.path + "/registry.json"
        environment["REDIS_URL"] = server.url
        let configuration = try Configuration(environment: environment)
        var options = Application.Options()
        // Time stands still: what one host remembers of sessions never gets old by itself.
        options.clock = ManualClock(Household.start)
        let one = try await Application.open(configuration, options: options)
        let two: Application
        do {
            two = try await Application.open(configuration, options: options)
        } catch {
            await one.close()
            throw error
        }
        do {
            try await hears(one)
            try await hears(two)
            try await body(Pair(one: one, two: two, server: server))
        } catch {
            await one.close()
            await two.close()
            throw error
        }
        await one.close()
        await two.close()
    }

    private func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = monotonicNanoseconds() + 60_000_000_000
        while try await !condition() {
            guard monotonicNanoseconds() < end else {
                Issue.record("it never came to be: \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func hears(_ host: Application) async throws {
        try await eventually("a host that hears") { host.shared.health.isUp && host.shared.health.isListening }
    }

    private func isDeaf(_ host: Application) async throws {
        try await eventually("a host without Redis") { !host.shared.health.isUp && !host.shared.health.isListening }
    }

    private func isGood(_ bearer: Secret, _ host: Application) async throws -> Bool {
        do {
            _ = try await host.accounts.authenticate(bearer.reveal())
            return true
        } catch let error as AccountsError where error.code == .invalidToken {
            return false
        }
    }

    // MARK: Sessions

    @Test(arguments: ["sqlite", "postgres"])
    func whatOneHostEndsIsOverOnTheOther(_ engine: String) async throws {
        try await withPair(engine) { pair in
            let ann = try await pair.one.accounts.createUser(email: "ann@example.org", fullName: "Ann").scope
            try await pair.one.accounts.setPassword("seven green bottles", of: ann)
            func signIn() async throws -> SessionTokens {
                let outcome = try await pair.one.accounts.logIn(
                    email: "ann@example.org", password: "seven green bottles",
                    from: ClientSource(address: "203.0.113.7"))
                guard case .signedIn(let tokens) = outcome else { throw ApplicationError("not signed in") }
                return tokens
            }
            // Both hosts remember the session; the one that did not end it is told.
            let first = try await signIn()
            #expect(try await isGood(first.accessToken, pair.one))
            #expect(try await isGood(first.accessToken, pair.two))
            try await pair.one.accounts.endSession(first.session, of: ann)
            #expect(try await isGood(first.accessToken, pair.one) == false)
            try await eventually("the other host's end of the session") {
                try await !isGood(first.accessToken, pair.two)
            }
            // Without Redis nothing is remembered, so it is over at once; and again when it is back.
            let second = try await signIn()
            let third = try await signIn()
            #expect(try await isGood(second.accessToken, pair.two))
            #expect(try await isGood(third.accessToken, pair.two))
            pair.server.kill()
            try await isDeaf(pair.one)
            try await isDeaf(pair.two)
            try await pair.one.accounts.endSession(second.session, of: ann)
            #expect(try await isGood(second.accessToken, pair.two) == false)
            #expect(try await isGood(third.accessToken, pair.two))
            try await pair.server.start()
            try await hears(pair.one)
            try await hears(pair.two)
            #expect(try await isGood(second.accessToken, pair.two) == false)
            #expect(try await isGood(third.accessToken, pair.two))
            try await pair.one.accounts.setStatus(.disabled, of: ann.user)
            try await eventually("the other host's end of the account") {
                try await !isGood(third.accessToken, pair.two)
            }
            #expect(pair.one.shared.health.problem == nil)
        }
    }

    // MARK: Limits

    @Test func aLimitIsOneForBothHosts() async throws {
        try await withPair("sqlite") { pair in
            let limit = RateLimit("test", 40, per: .seconds(36_000))
            func storm(_ key: CacheKey) async -> Int {
                await withTaskGroup(of: Bool.self) { group in
                    for index in 0..<200 {
                        let host = index.isMultiple(of: 2) ? pair.one : pair.two
                        group.addTask { await host.shared.limits.take(limit, key).isAllowed }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
            }
            #expect(await storm(CacheKey("test", 1)) == 40)
            pair.server.kill()
            try await isDeaf(pair.one)
            try await isDeaf(pair.two)
            // Each for itself, and together not more than before.
            #expect(await storm(CacheKey("test", 2)) == 40)
            #expect(await storm(CacheKey("test", 1)) == 0)
        }
    }

    // MARK: Locks

    @Test(arguments: ["sqlite", "postgres"])
    func fencesRiseWhileRedisGoesAndComes(_ engine: String) async throws {
        try await withPair(engine) { pair in
            let seen = Mutex<[Int64]>([])
            let locks = [SharedLockService(pair.one.shared), SharedLockService(pair.two.shared)]
            /// Takes and gives back, now by one host and now by the other.
            func turns(_ count: Int) async throws {
                for index in 0..<count {
                    try await eventually("a lock") {
                        guard let lock = try await locks[index % 2].acquire("refresh 1", lease: .seconds(60)) else {
                            return false
                        }
                        #expect(try await locks[(index + 1) % 2].acquire("refresh 1", lease: .seconds(60)) == nil)
                        seen.withLock { $0.append(lock.fence) }
                        #expect(try await locks[index % 2].extend(lock, lease: .seconds(60)))
                        await locks[index % 2].release(lock)
                        return true
                    }
                }
            }
            try await turns(4)
            pair.server.kill()
            try await isDeaf(pair.one)
            try await isDeaf(pair.two)
            try await turns(4)
            try await pair.server.start()
            try await hears(pair.one)
            try await hears(pair.two)
            try await turns(4)
            let fences = seen.withLock { $0 }
            #expect(fences.count == 12)
            if engine == "sqlite" {
                // The database's locks here go by the clock of the test.
                #expect(fences[4..<8].sorted() == Array(fences[4..<8]))
                #expect(fences[8..<12].sorted() == Array(fences[8..<12]))
            }
        }
    }

    @Test func anAddressThatCannotBeReadIsSaidAtTheStart() async throws {
        let folder = try TestFolder()
        try folder.write(Installation.registry([]), to: "registry.json")
        let configuration = try Configuration(environment: [
            "TANDEM_DATA": folder.path + "/data", "TANDEM_REGISTRY": folder.path + "/registry.json",
            "REDIS_URL": "redis://:secretword@host:port",
        ])
        do {
            await (try Application.open(configuration)).close()
            Issue.record("it was opened")
        } catch let error as ApplicationError {
            #expect("\(error)".contains("REDIS_URL") && "\(error)".contains("port"))
            #expect(!"\(error)".contains("secretword"))
        }
    }

    @Test func aServerThatIsAwayIsNoReasonNotToStart() async throws {
        let server = try await RedisServer()
        server.kill()
        let folder = try TestFolder()
        try folder.write(Installation.registry([]), to: "registry.json")
        let configuration = try Configuration(environment: [
            "TANDEM_DATA": folder.path + "/data", "TANDEM_REGISTRY": folder.path + "/registry.json",
            "REDIS_URL": server.url,
        ])
        let host = try await Application.open(configuration)
        #expect(!host.shared.health.isUp)
        #expect(String(decoding: host.metrics.exposition(), as: UTF8.self).contains("tandem_redis_up 0"))
        let status = try await host.status()
        #expect(status.json["redis"]?.stringValue?.hasPrefix("away") == true)
        try await server.start()
        try await hears(host)
        #expect(String(decoding: host.metrics.exposition(), as: UTF8.self).contains("tandem_redis_up 1"))
        await host.close()
    }
}
