import RedisServer
import Synchronization
import TandemCore
import Testing

@testable import TandemCache

/// What processes have of each other with a server, and what is left without.
@Suite(.timeLimit(.minutes(8)))
struct SharedStateTests {
    /// Two processes of one installation.
    private func withPair(
        _ server: RedisServer, locks: (any LockStore)? = nil,
        _ body: (SharedState, SharedState) async throws -> Void
    ) async throws {
        let one = SharedState(redis: try EngineWorld.options(server), locks: locks)
        let two = SharedState(redis: try EngineWorld.options(server), locks: locks)
        await expectEventually { one.health.isUp && one.health.isListening }
        await expectEventually { two.health.isUp && two.health.isListening }
        do {
            try await body(one, two)
        } catch {
            await one.shutdown()
            await two.shutdown()
            throw error
        }
        await one.shutdown()
        await two.shutdown()
    }

    private func takeAll(_ shared: SharedState, _ limit: RateLimit, _ key: CacheKey) async -> Int {
        var taken = 0
        while await shared.limits.take(limit, key).isAllowed { taken += 1 }
        return taken
    }

    // MARK: Limits

    @Test func aLimitIsSharedAndWithoutTheServerEachHasLessThanItsPart() async throws {
        let server = try await RedisServer()
        try await withPair(server) { one, two in
            let limit = RateLimit("api", 100, per: .seconds(36_000))
            let used = CacheKey("user", 1)
            #expect(await one.limits.take(limit, used, cost: 40).isAllowed)
            let verdict = await two.limits.take(limit, used, cost: 20)
            #expect(verdict.decisions[0].remaining == 40 && !verdict.isDegraded)
            server.kill()
            await expectEventually { !one.health.isUp && !two.health.isUp }
            // A fresh key: half of the limit each, so never more than the whole.
            let fresh = CacheKey("user", 2)
            let alone = await one.limits.take(limit, fresh)
            #expect(alone.isAllowed && alone.isDegraded)
            let first = await takeAll(one, limit, fresh) + 1
            let second = await takeAll(two, limit, fresh)
            #expect(first == 50 && second == 50)
            // A used key: what this process knows to be taken counts against its part.
            #expect(await takeAll(one, limit, used) == 10)
            #expect(await takeAll(two, limit, used) == 0)
            // The server comes back without its memory: what was taken is still taken.
            try await server.start()
            await expectEventually { one.health.isUp && two.health.isUp }
            #expect(await one.limits.take(limit, fresh, cost: 60).isAllowed == false)
            let rest = await one.limits.take(limit, fresh, cost: 0)
            #expect(!rest.isDegraded && rest.decisions[0].remaining == 50)
            // What the other one took comes on top of it, once each has spoken; and by whoever knew most.
            #expect(await two.limits.take(limit, fresh).isAllowed == false)
            #expect(await one.limits.take(limit, fresh).isAllowed == false)
            #expect(await two.limits.take(limit, used, cost: 0).decisions[0].remaining == 40)
            #expect(await takeAll(one, limit, used) == 30)
            #expect(await two.limits.take(limit, used).isAllowed == false)
        }
    }

    @Test func aServerThatForgotDoesNotRefillWhatWasTaken() async throws {
        let server = try await RedisServer()
        try await withPair(server) { one, _ in
            let limit = RateLimit("api", 10, per: .seconds(36_000))
            #expect(await takeAll(one, limit, CacheKey("user", 1)) == 10)
            server.kill()
            await expectEventually { !one.health.isUp }
            try await server.start()
            await expectEventually { one.health.isUp }
            #expect(await one.limits.take(limit, CacheKey("user", 1)).isAllowed == false)
        }
    }

    @Test func aCostBeyondOnePartIsStillServedNowAndThen() async throws {
        let server = try await RedisServer()
        server.kill()
        let alone = SharedState(redis: try EngineWorld.options(server), locks: nil)
        await alone.waitForFirstAttempt()
        let limit = RateLimit("mail", 10, per: .seconds(36_000))
        #expect(await alone.limits.take(limit, CacheKey("user", 1), cost: 8).isAllowed)
        #expect(await alone.limits.take(limit, CacheKey("user", 1), cost: 1).isAllowed == false)
        await alone.shutdown()
    }

    @Test func withoutAServerTheWholeLimitIsThere() async throws {
        let shared = SharedState()
        let limit = RateLimit("api", 7, per: .seconds(36_000))
        #expect(await takeAll(shared, limit, CacheKey("user", 1)) == 7)
        #expect(shared.health.isUp && !shared.health.hasServer)
    }

    @Test func theFieldsForHTTPSayWhereAClientStands() async throws {
        let shared = SharedState()
        let perUser = RateLimit("user", 2, per: .seconds(60))
        let perAddress = RateLimit("address", 100, per: .seconds(60), burst: 50)
        let charges = [LimitCharge(perUser, CacheKey("u", 1)), LimitCharge(perAddress, CacheKey("a", "192.0.2.1"))]
        let first = await shared.limits.take(charges)
        #expect(first.isAllowed && first.retryAfterSeconds == nil)
        #expect(first.fields.map(\.name) == ["RateLimit-Policy", "RateLimit"])
        #expect(first.fields[0].value == #""user";q=2;w=60, "address";q=50;w=30"#)
        #expect(first.fields[1].value == #""user";r=1;t=30, "address";r=49;t=1"#)
        #expect(first.tightest?.limit.name == "user")
        _ = await shared.limits.take(charges)
        let refused = await shared.limits.take(charges)
        #expect(!refused.isAllowed)
        let seconds = try #require(refused.retryAfterSeconds)
        #expect((29...30).contains(seconds))
        #expect(refused.fields.last?.name == "Retry-After")
        #expect(refused.fields.last?.value == "\(seconds)")
    }

    // MARK: Locks

    @Test func locksComeFromTheDurableStoreWhileTheServerIsAway() async throws {
        let server = try await RedisServer()
        let durable = InProcessEngine()
        try await withPair(server, locks: durable) { one, two in
            let key = CacheKey("refresh", 1)
            let lock = try #require(try await one.locks.acquire(key, for: .seconds(60), need: .fenced))
            #expect(!lock.isFallback)
            #expect(try await two.locks.acquire(key, for: .seconds(60), need: .fenced) == nil)
            server.kill()
            await expectEventually { !one.health.isUp && !two.health.isUp }
            let next = try #require(try await two.locks.acquire(key, for: .seconds(60), need: .fenced))
            #expect(next.isFallback && next.fence > lock.fence)
            #expect(try await one.locks.acquire(key, for: .seconds(60), need: .fenced) == nil)
            #expect(try await two.locks.extend(next, for: .seconds(60))?.isFallback == true)
            await two.locks.release(next)
            #expect(try await one.locks.acquire(key, for: .seconds(60), need: .fenced) != nil)
        }
    }

    @Test func anExclusiveLockIsTheDurableStoresAlways() async throws {
        let server = try await RedisServer()
        let durable = InProcessEngine()
        try await withPair(server, locks: durable) { one, two in
            let key = CacheKey("migrate", 1)
            let lock = try #require(try await one.locks.acquire(key, for: .seconds(60), need: .exclusive))
            server.kill()
            await expectEventually { !two.health.isUp }
            #expect(try await two.locks.acquire(key, for: .seconds(60), need: .exclusive) == nil)
            await one.locks.release(lock)
            #expect(try await two.locks.acquire(key, for: .seconds(60), need: .exclusive) != nil)
        }
    }

    @Test func withoutAnyStoreLocksAreRefused() async throws {
        let server = try await RedisServer()
        try await withPair(server) { one, _ in
            server.kill()
            await expectEventually { !one.health.isUp }
            await #expect(throws: CacheError.self) {
                _ = try await one.locks.acquire(CacheKey("l", 1), for: .seconds(1), need: .fenced)
            }
        }
    }

    // MARK: Values

    @Test func whatWasRemovedWithoutTheServerIsGoneWhenItIsBack() async throws {
        var options = RedisServer.Options()
        options.isDurable = true
        let server = try await RedisServer(options)
        try await withPair(server) { one, two in
            let key = CacheKey("session", 1)
            await one.values.set(key, to: [1], for: .seconds(600))
            await one.values.set(CacheKey("session", 2), to: [2], for: .seconds(600))
            #expect(await two.values.value(of: key)?.bytes == [1])
            server.kill()
            await expectEventually { !one.health.isUp && !two.health.isUp }
            #expect(await two.values.value(of: key) == nil)
            await one.values.remove(key)
            await one.values.set(CacheKey("session", 2), to: [3], for: .seconds(600))
            try await server.start()
            await expectEventually { one.health.isUp && two.health.isUp }
            // Never the old value here, and soon nowhere.
            #expect(await one.values.value(of: key) == nil)
            #expect(await one.values.value(of: CacheKey("session", 2)) == nil)
            await expectEventually { await two.values.value(of: key) == nil }
            await expectEventually { await two.values.value(of: CacheKey("session", 2)) == nil }
            await expectEventually {
                await one.values.set(key, to: [4], for: .seconds(600))
                return await two.values.value(of: key)?.bytes == [4]
            }
        }
    }

    // MARK: News

    @Test func newsReachTheOthersOnceAndNotTheirSender() async throws {
        let server = try await RedisServer()
        try await withPair(server) { one, two in
            let here = Mutex<[News]>([])
            let there = Mutex<[News]>([])
            let first = one.news.subscribe(to: "wake") { news in here.withLock { $0.append(news) } }
            let second = two.news.subscribe(to: "wake") { news in there.withLock { $0.append(news) } }
            await expectEventually { here.withLock { !$0.isEmpty } && there.withLock { !$0.isEmpty } }
            for _ in 0..<1000 { one.news.publish([7], on: "wake") }
            one.news.publish([8], on: "wake")
            await one.news.flush()
            await expectEventually { there.withLock { $0.last } == .message([8]) }
            // What is the same is told together.
            #expect(there.withLock { $0.count } < 500)
            #expect(here.withLock { $0 } == [.gap])
            first.cancel()
            second.cancel()
        }
    }

    @Test func newsThatCouldNotBeToldBecomeAGap() async throws {
        let server = try await RedisServer()
        try await withPair(server) { one, two in
            let there = Mutex<[News]>([])
            let subscription = two.news.subscribe(to: "wake") { news in there.withLock { $0.append(news) } }
            await expectEventually { there.withLock { $0 } == [.gap] }
            server.kill()
            await expectEventually { !one.health.isUp && !two.health.isUp }
            one.news.publish([7], on: "wake")
            await one.news.flush()
            try await server.start()
            await expectEventually { one.health.isUp && two.health.isListening }
            // For the lost connection; the sender's comes, too, unless that was sooner.
            await expectEventually { there.withLock { $0.count } >= 2 }
            #expect(there.withLock { $0.allSatisfy { $0 == .gap } })
            await expectEventually {
                one.news.publish([8], on: "wake")
                await one.news.flush()
                return there.withLock { $0.contains(.message([8])) }
            }
            #expect(there.withLock { !$0.contains(.message([7])) })
            subscription.cancel()
        }
    }

    @Test func aFloodOfNewsIsBoundedAndEndsInAGap() async throws {
        let server = try await RedisServer()
        try await withPair(server) { one, two in
            let there = Mutex<(messages: Int, gaps: Int)>((0, 0))
            let subscription = two.news.subscribe(to: "wake") { news in
                there.withLock { if news == .gap { $0.gaps += 1 } else { $0.messages += 1 } }
            }
            await expectEventually { there.withLock { $0.gaps } == 1 }
            server.freeze()
            for index in 0..<20_000 {
                one.news.publish(withUnsafeBytes(of: Int64(index)) { Array($0) }, on: "wake")
            }
            server.thaw()
            await one.news.flush()
            await expectEventually { there.withLock { $0.gaps > 1 || $0.messages == 20_000 } }
            subscription.cancel()
        }
    }

    // MARK: Bounds of memory in process

    @Test func valuesInProcessStayWithinTheirBound() async throws {
        var options = InProcessEngine.Options()
        options.valueBytes = 100_000
        let engine = InProcessEngine(options: options)
        for index in 0..<2000 {
            try await engine.set(CacheKey("v", Int64(index)), to: [UInt8](repeating: 1, count: 300), for: .seconds(600))
            // What is asked for again and again stays.
            _ = try await engine.value(of: CacheKey("v", 0))
        }
        #expect(engine.valueBytes <= 100_000)
        #expect(try await engine.value(of: CacheKey("v", 0)) != nil)
        #expect(try await engine.value(of: CacheKey("v", 1)) == nil)
        #expect(try await engine.value(of: CacheKey("v", 1999)) != nil)
    }

    @Test func limitsInProcessForgetThoseFirstThatLoseLeast() {
        var table = LimitTable(capacity: 100)
        let limit = RateLimit("t", 10, per: .seconds(10))
        #expect(table.take([LimitCharge(limit, CacheKey("heavy", 1), cost: 10)], now: 0)[0].hasRoom)
        for index in 0..<10_000 {
            #expect(table.take([LimitCharge(limit, CacheKey("light", Int64(index)))], now: 0)[0].hasRoom)
            #expect(table.count <= 100)
        }
        #expect(!table.take([LimitCharge(limit, CacheKey("heavy", 1))], now: 0)[0].hasRoom)
        // Those at rest take no place.
        _ = table.take([LimitCharge(limit, CacheKey("heavy", 1), cost: -10)], now: 20_000_000)
        #expect(table.used(limit, CacheKey("heavy", 1), now: 20_000_000) == nil)
    }
}
