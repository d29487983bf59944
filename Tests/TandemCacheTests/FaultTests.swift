import RedisServer
import Synchronization
import TandemCore
import Testing

@testable import TandemCache

/// A server that dies, hangs, forgets or does not want us.
@Suite(.timeLimit(.minutes(8)))
struct FaultTests {
    private func withEngine(
        _ server: RedisServer, timeLimit: Duration = .seconds(10), _ body: (RedisEngine) async throws -> Void
    ) async throws {
        var options = try EngineWorld.options(server)
        options.timeLimit = timeLimit
        let engine = RedisEngine(options)
        engine.start()
        await engine.waitForFirstAttempt()
        do {
            try await body(engine)
        } catch {
            await engine.shutdown()
            throw error
        }
        await engine.shutdown()
    }

    private func code(_ body: () async throws -> Void) async -> CacheError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? CacheError)?.code
        }
    }

    @Test func aServerThatDiedIsNoticedAtOnceAndFoundAgainWithinFiveSeconds() async throws {
        let server = try await RedisServer()
        try await withEngine(server) { engine in
            let news = Mutex<[News]>([])
            let subscription = engine.subscribe(to: "wake") { item in news.withLock { $0.append(item) } }
            try await engine.set(CacheKey("v", 1), to: [1], for: .seconds(60))
            await expectEventually { engine.isListening && news.withLock { $0 } == [.gap] }
            server.kill()
            await expectEventually { !engine.isUp && !engine.isListening }
            // Nobody waits for what is not there.
            let begin = monotonicNanoseconds()
            for _ in 0..<1000 {
                #expect(await code { _ = try await engine.value(of: CacheKey("v", 1)) } == .unavailable)
            }
            #expect(monotonicNanoseconds() - begin < 5_000_000_000)
            // Long enough for its pauses to have grown to the longest.
            await expectEventually(within: .seconds(5)) { monotonicNanoseconds() - begin > 4_000_000_000 }
            try await server.start()
            let back = monotonicNanoseconds()
            await expectEventually { engine.isUp && engine.isListening }
            #expect(monotonicNanoseconds() - back < 5_000_000_000)
            // What was subscribed is subscribed again, and says that something may have been missed.
            #expect(news.withLock { $0 } == [.gap, .gap])
            try await engine.publish([[5]], on: "wake")
            await expectEventually { news.withLock { $0.last } == .message([5]) }
            // Scripts are there again.
            #expect(
                try await engine.take([LimitCharge(RateLimit("t", 1, per: .seconds(9)), CacheKey("x", 1))])[0].hasRoom)
            #expect(engine.losses == 1)
            subscription.cancel()
        }
    }

    @Test func commandsUnderWayFailWhenTheServerDiesAndNoneIsLost() async throws {
        let server = try await RedisServer()
        try await withEngine(server) { engine in
            let answered = Counter()
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        while true {
                            do {
                                _ = try await engine.add(1, to: CacheKey("c", Int64(index)), for: .seconds(60))
                                answered.count.wrappingAdd(1, ordering: .relaxed)
                            } catch {
                                return
                            }
                        }
                    }
                }
                // In the middle of it: some are answered, others under way.
                await expectEventually { answered.count.load(ordering: .relaxed) > 50 }
                server.kill()
                await group.waitForAll()
            }
            #expect(engine.pending == 0)
        }
    }

    @Test func aServerThatHangsCountsAsAwayAfterTheTimeLimit() async throws {
        let server = try await RedisServer()
        try await withEngine(server, timeLimit: .milliseconds(300)) { engine in
            await expectEventually { engine.isUp }
            server.freeze()
            let failed = await eventually {
                await code { _ = try await engine.value(of: CacheKey("v", 1)) } == .unavailable && !engine.isUp
            }
            #expect(failed)
            server.thaw()
            await expectEventually { engine.isUp && engine.isListening }
        }
    }

    @Test func aServerThatHangsIsNoticedWithoutACommand() async throws {
        let server = try await RedisServer()
        try await withEngine(server, timeLimit: .milliseconds(300)) { engine in
            await expectEventually { engine.isUp && engine.isListening }
            server.freeze()
            await expectEventually { !engine.isUp && !engine.isListening }
            server.thaw()
            await expectEventually { engine.isUp && engine.isListening }
        }
    }

    @Test func aServerThatIsNotThereYetIsFoundWhenItIs() async throws {
        let server = try await RedisServer()
        server.kill()
        try await withEngine(server) { engine in
            #expect(!engine.isUp)
            #expect(engine.problem?.isEmpty == false)
            try await server.start()
            await expectEventually { engine.isUp }
        }
    }

    @Test func aWrongPasswordIsSaidAndNotShown() async throws {
        var serverOptions = RedisServer.Options()
        serverOptions.password = "the right one"
        let server = try await RedisServer(serverOptions)
        for (text, word) in [
            ("redis://:wrong-word@127.0.0.1:\(server.port)", "password"),
            ("redis://127.0.0.1:\(server.port)", "password"),
            ("redis://nobody:wrong-word@127.0.0.1:\(server.port)", "password"),
            ("redis://:the%20right%20one@127.0.0.1:\(server.port)/99", "database"),
        ] {
            var options = try EngineWorld.options(server)
            options.address = try RedisAddress(text)
            let engine = RedisEngine(options)
            engine.start()
            await engine.waitForFirstAttempt()
            let problem = engine.problem ?? ""
            #expect(!engine.isUp && problem.contains(word), "\(problem)")
            #expect(!problem.contains("wrong-word"))
            await engine.shutdown()
        }
    }

    @Test func aCertificateThatNobodyTrustsIsRefused() async throws {
        var serverOptions = RedisServer.Options()
        serverOptions.usesTLS = true
        let server = try await RedisServer(serverOptions)
        for text in [
            "rediss://127.0.0.1:\(server.port)", "rediss://localhost:\(server.port)?ca_file=\(server.authorities)",
        ] {
            var options = try EngineWorld.options(server)
            options.address = try RedisAddress(text)
            let engine = RedisEngine(options)
            engine.start()
            await engine.waitForFirstAttempt()
            #expect(!engine.isUp && engine.problem?.contains("certificate") == true, "\(engine.problem ?? "")")
            await engine.shutdown()
        }
    }

    @Test func whatIsNoRedisIsNotTalkedTo() async throws {
        let server = try GarbageServer(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        var options = RedisEngine.Options(
            address: RedisAddress(.host("127.0.0.1", port: server.port)), secret: EngineWorld.secret)
        options.connectLimit = .seconds(10)
        let engine = RedisEngine(options)
        engine.start()
        await engine.waitForFirstAttempt()
        #expect(!engine.isUp)
        #expect(engine.problem?.contains("protocol") == true, "\(engine.problem ?? "")")
        await engine.shutdown()
        server.close()
    }

    @Test func moreThanMayWaitIsRefused() async throws {
        let server = try await RedisServer()
        try await withEngine(server, timeLimit: .seconds(5)) { engine in
            await expectEventually { engine.isUp }
            server.freeze()
            let codes = await withTaskGroup(of: CacheError.Code?.self) { group in
                for index in 0..<21_000 {
                    group.addTask { await code { _ = try await engine.count(of: CacheKey("c", Int64(index))) } }
                }
                // Those beyond the bound are refused while the others wait.
                await expectEventually { engine.pending == 20_000 }
                server.thaw()
                return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(codes[.overloaded, default: 0] > 0)
            #expect(codes.values.reduce(0, +) == 21_000)
        }
    }

    @Test func keysAndServerFilesHoldNothingOfPeople() async throws {
        var serverOptions = RedisServer.Options()
        serverOptions.isDurable = true
        let server = try await RedisServer(serverOptions)
        try await withEngine(server) { engine in
            let number = "+15555550123"
            let limit = RateLimit("sms", 5, per: .seconds(60))
            _ = try await engine.take([LimitCharge(limit, CacheKey("number", number))])
            _ = try await engine.acquire(CacheKey("number", number), owner: "o", for: .seconds(60))
            try await engine.set(CacheKey("number", Array(number.utf8)), to: [1], for: .seconds(60))
            _ = try await engine.add(1, to: CacheKey("number", number), for: .seconds(60))
            let keys = try await server.command("keys", "*").split(separator: "\n")
            #expect(keys.count == 5)
            #expect(keys.allSatisfy { $0.hasPrefix("tandem:") && !$0.contains("5555550123") })
            // All but the fence end by themselves.
            for key in keys where !key.hasSuffix(":fence") {
                #expect(try await server.command("pttl", String(key)).hasPrefix("-") == false, "\(key)")
            }
            // Another installation on the same server has other keys.
            var options = try EngineWorld.options(server)
            options.secret = Array("another secret of another place!".utf8)
            let other = RedisEngine(options)
            other.start()
            await other.waitForFirstAttempt()
            #expect(try await other.count(of: CacheKey("number", number)) == 0)
            #expect(other.prefix != engine.prefix)
            await other.shutdown()
        }
    }

    @Test func scriptsThatTheServerForgotAreSentAgain() async throws {
        let server = try await RedisServer()
        try await withEngine(server) { engine in
            _ = try await server.command("script", "flush")
            let limit = RateLimit("t", 3, per: .seconds(60))
            #expect(try await engine.take([LimitCharge(limit, CacheKey("x", 1))])[0].remaining == 2)
            _ = try await server.command("script", "flush")
            #expect(try await engine.take([LimitCharge(limit, CacheKey("x", 1))])[0].remaining == 1)
        }
    }

    @Test func fencesRiseAlthoughTheServerForgotEverything() async throws {
        let server = try await RedisServer()
        try await withEngine(server) { engine in
            let first = try #require(try await engine.acquire(CacheKey("l", 1), owner: "a", for: .seconds(60)))
            _ = try await server.command("flushall")
            let second = try #require(try await engine.acquire(CacheKey("l", 1), owner: "b", for: .seconds(60)))
            #expect(second.fence > first.fence)
            #expect(try await engine.release(first) == false)
        }
    }

    /// As docs/redis.md says.
    @Test func aUserWithTheDocumentedRightsDoesEverything() async throws {
        let server = try await RedisServer()
        _ = try await server.command(
            "acl", "setuser", "tandem", "on", ">word", "~tandem:*", "&tandem:*", "+@read", "+@write", "+@scripting",
            "+@pubsub", "+@connection", "+time")
        var options = try EngineWorld.options(server)
        options.address = try RedisAddress("redis://tandem:word@127.0.0.1:\(server.port)")
        let engine = RedisEngine(options)
        engine.start()
        await engine.waitForFirstAttempt()
        let received = Mutex<[News]>([])
        let subscription = engine.subscribe(to: "wake") { news in received.withLock { $0.append(news) } }
        await expectEventually { engine.isUp && received.withLock { !$0.isEmpty } }
        let limit = RateLimit("t", 3, per: .seconds(60))
        #expect(try await engine.take([LimitCharge(limit, CacheKey("x", 1))])[0].remaining == 2)
        let lock = try #require(try await engine.acquire(CacheKey("l", 1), owner: "a", for: .seconds(60)))
        #expect(try await engine.extend(lock, for: .seconds(60)) != nil)
        #expect(try await engine.release(lock))
        let version = try await engine.set(CacheKey("v", 1), to: [1], for: .seconds(60))
        #expect(try await engine.replace(CacheKey("v", 1), version, with: [2], for: .seconds(60)) != nil)
        #expect(try await engine.value(of: CacheKey("v", 1))?.bytes == [2])
        try await engine.removeAllValues()
        #expect(try await engine.value(of: CacheKey("v", 1)) == nil)
        #expect(try await engine.add(1, to: CacheKey("c", 1), for: .seconds(60)) == 1)
        try await engine.publish([[1]], on: "wake")
        await expectEventually { received.withLock { $0.last } == .message([1]) }
        #expect(try await engine.listeners(of: "wake") == 1)
        subscription.cancel()
        await engine.shutdown()
    }
}

private final class Counter: Sendable {
    let count = Atomic<Int>(0)
}
