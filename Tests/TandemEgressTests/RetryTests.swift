import Glibc
import ScriptServer
import Synchronization
import TandemCore
import Testing

@testable import TandemEgress

/// Trying again, waiting, and leaving a provider alone.
@Suite(.timeLimit(.minutes(8)))
struct RetryTests {
    @Test func repeatsWhatIsSafe() async throws {
        let world = EgressWorld()
        // On a kept connection libcurl would try once more by itself.
        let answers = Answers(.answer(503, [("Connection", "close")]), .close, .text("third"))
        try await ScriptServer.run { _ in
            answers.next()
        } _: { server in
            let caller = world.caller([server.origin])
            let actual1 = try await world.text(EgressRequest(.get, server.url()), caller)
            #expect(actual1 == "third")
            #expect(server.requests.count == 3)
            #expect(
                world.exposition.contains(
                    #"tandem_egress_retries_total{plugin="test.plugin",provider="127.0.0.1"} 2"#))
        }
    }

    @Test func repeatsNothingThatIsNot() async throws {
        let world = EgressWorld()
        let answers = Answers(.answer(503), .close, .text("third"))
        try await ScriptServer.run { _ in
            answers.next()
        } _: { server in
            let caller = world.caller([server.origin])
            let first = try await world.egress.send(EgressRequest(.post, server.url(), body: [1]), for: caller)
            #expect(first.status == 503)
            let second = await world.failure(EgressRequest(.post, server.url(), body: [1]), caller)
            #expect(second?.code == "interrupted")
            #expect(server.requests.count == 2)
        }
    }

    @Test func repeatsAPostWithAKey() async throws {
        let world = EgressWorld()
        let answers = Answers(.answer(500), .text("ok"), .answer(502), .text("ok"))
        try await ScriptServer.run { _ in
            answers.next()
        } _: { server in
            let caller = world.caller([server.origin])
            let keyed = EgressRequest(.post, server.url(), body: [1], idempotencyKey: "k")
            let actual2 = try await world.text(keyed, caller)
            #expect(actual2 == "ok")
            #expect(server.requests.map { $0["idempotency-key"] } == ["k", "k"])
            let search = EgressRequest(.post, server.url(), body: [1], isIdempotent: true)
            let actual3 = try await world.text(search, caller)
            #expect(actual3 == "ok")
            #expect(server.requests.count == 4)
        }
    }

    @Test func repeatsWhatWasNeverSent() async throws {
        let world = EgressWorld()
        let caller = world.caller(["http://127.0.0.1:1"])
        let failure = await world.failure(EgressRequest(.post, "http://127.0.0.1:1/", body: [1]), caller)
        #expect(failure?.code == "connection_failed")
        #expect(world.exposition.contains(#"retries_total{plugin="test.plugin",provider="127.0.0.1"} 2"#))
    }

    @Test func givesBackTheLastAnswer() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .answer(503, body: [66])
        } _: { server in
            let response = try await world.egress.send(
                EgressRequest(.get, server.url()), for: world.caller([server.origin]))
            #expect(response.status == 503)
            #expect(response.body == [66])
            #expect(server.requests.count == 3)
        }
    }

    @Test func waitsAsLongAsAsked() async throws {
        let world = EgressWorld()
        let answers = Answers(.answer(429, [("Retry-After", "1")]), .text("now"))
        try await ScriptServer.run { _ in
            answers.next()
        } _: { server in
            let start = monotonicNanoseconds()
            let actual4 = try await world.text(EgressRequest(.get, server.url()), world.caller([server.origin]))
            #expect(actual4 == "now")
            #expect(monotonicNanoseconds() - start >= 990_000_000)
        }
    }

    @Test func asksNobodyWhoAskedToWait() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .answer(429, [("Retry-After", "60")])
        } _: { server in
            let caller = world.caller([server.origin])
            let response = try await world.egress.send(EgressRequest(.get, server.url()), for: caller)
            #expect(response.status == 429)
            #expect(response.retryAfter == .seconds(60))
            let failure = await world.failure(EgressRequest(.get, server.url()), caller)
            #expect(failure?.kind == .rateLimited)
            #expect((failure?.retryAfter ?? .zero) > .seconds(50))
            #expect(server.requests.count == 1)
            // Others are not held to it.
            let other = try await world.egress.send(
                EgressRequest(.get, server.url()), for: world.caller([server.origin], user: 2))
            #expect(other.status == 429)
        }
    }

    @Test func keepsTheRate() async throws {
        let world = EgressWorld { $0.maxWait = .milliseconds(500) }
        try await ScriptServer.run { _ in
            .text("ok")
        } _: { server in
            let rule = try #require(HostRule(server.origin))
            let slow = Rate(perSecond: 0.01, burst: 2)
            let wide = Rate(perSecond: 1000, burst: 1000)
            let limits = [ProviderLimit(host: rule, perUser: slow, total: wide)]
            let caller = world.caller([server.origin], limits: limits)
            for _ in 0..<2 { _ = try await world.text(EgressRequest(.get, server.url()), caller) }
            let failure = await world.failure(EgressRequest(.get, server.url()), caller)
            #expect(failure?.kind == .rateLimited)
            #expect((failure?.retryAfter ?? .zero) > .seconds(60))
            let other = world.caller([server.origin], user: 2, limits: limits)
            let actual5 = try await world.text(EgressRequest(.get, server.url()), other)
            #expect(actual5 == "ok")
            // Within its patience a request waits for its turn.
            let paced = world.caller(
                [server.origin], plugin: "test.paced",
                limits: [ProviderLimit(host: rule, perUser: Rate(perSecond: 10, burst: 1), total: wide)])
            let start = monotonicNanoseconds()
            for _ in 0..<3 { _ = try await world.text(EgressRequest(.get, server.url()), paced) }
            #expect(monotonicNanoseconds() - start >= 190_000_000)
        }
    }

    @Test func asksForNoMoreAtTheSameTimeThanAllowed() async throws {
        let world = EgressWorld()
        let running = Mutex<(now: Int, most: Int)>((0, 0))
        try await ScriptServer.run { _ in
            running.withLock { running in
                running.now += 1
                running.most = max(running.most, running.now)
            }
            usleep(20_000)
            running.withLock { $0.now -= 1 }
            return .text("ok")
        } _: { server in
            let rule = try #require(HostRule(server.origin))
            let wide = Rate(perSecond: 10_000, burst: 10_000)
            let limits = [ProviderLimit(host: rule, perUser: wide, total: wide, concurrent: 3)]
            let caller = world.caller([server.origin], limits: limits)
            let url = server.url()
            let texts = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<15 { group.addTask { try await world.text(EgressRequest(.get, url), caller) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(texts == Array(repeating: "ok", count: 15))
            #expect(running.withLock { $0.most } <= 3)
        }
    }

    @Test func waitsForItsTurnNoLongerThanItsPatience() async throws {
        let world = EgressWorld { $0.maxWait = .milliseconds(50) }
        try await ScriptServer.run {
            $0.target == "/slow" ? .silence : .text("ok")
        } _: { server in
            let rule = try #require(HostRule(server.origin))
            let wide = Rate(perSecond: 10_000, burst: 10_000)
            let limits = [ProviderLimit(host: rule, perUser: wide, total: wide, concurrent: 1)]
            let caller = world.caller([server.origin], limits: limits)
            let url = server.url()
            let slow = Task { await world.failure(EgressRequest(.get, url + "slow"), caller) }
            while server.requests.isEmpty { await Task.yield() }
            let failure = await world.failure(EgressRequest(.get, url), caller)
            #expect(failure?.kind == .rateLimited)
            #expect(failure?.code == "too_many_at_once")
            // Another person is not held up by it.
            let other = world.caller([server.origin], user: 2, limits: limits)
            let text = try await world.text(EgressRequest(.get, url), other)
            #expect(text == "ok")
            slow.cancel()
            let end = await slow.value
            #expect(end?.kind == .cancelled)
            // What was given up makes room.
            let next = try await world.text(EgressRequest(.get, url), caller)
            #expect(next == "ok")
        }
    }

    @Test func leavesAFailingProviderAlone() async throws {
        let world = EgressWorld { options in
            options.retries.maxAttempts = 1
            options.breaker.openNanoseconds = 300_000_000
        }
        let answers = Answers(
            .answer(500), .answer(502, [("Connection", "close")]), .close, .answer(503), .answer(504),
            .text("well again"), .text("well again"))
        try await ScriptServer.run { _ in
            answers.next()
        } _: { server in
            let caller = world.caller([server.origin])
            for _ in 0..<5 { _ = try? await world.egress.send(EgressRequest(.get, server.url()), for: caller) }
            let failure = await world.failure(EgressRequest(.get, server.url()), caller)
            #expect(failure?.code == "breaker_open")
            #expect(failure?.kind == .unavailable)
            #expect(server.requests.count == 5)
            #expect(
                world.exposition.contains(
                    #"tandem_egress_breaker_open{plugin="test.plugin",provider="127.0.0.1"} 1"#))
            // Another plugin's breaker is its own.
            let other = world.caller([server.origin], plugin: "test.other")
            let actual6 = try await world.text(EgressRequest(.get, server.url()), other)
            #expect(actual6 == "well again")
            try await Task.sleep(for: .milliseconds(320))
            let actual7 = try await world.text(EgressRequest(.get, server.url()), caller)
            #expect(actual7 == "well again")
            #expect(
                world.exposition.contains(
                    #"tandem_egress_breaker_open{plugin="test.plugin",provider="127.0.0.1"} 0"#))
            #expect(
                world.exposition.contains(
                    #"tandem_egress_breaker_openings_total{plugin="test.plugin",provider="127.0.0.1"} 1"#))
        }
    }

    @Test func holdsNoAnswerOfTheServiceAgainstIt() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .answer(404)
        } _: { server in
            let caller = world.caller([server.origin])
            for _ in 0..<20 {
                let actual8 = try await world.egress.send(EgressRequest(.get, server.url()), for: caller).status
                #expect(actual8 == 404)
            }
        }
    }
}
