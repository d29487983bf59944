import ScriptServer
import Synchronization
import TandemCore
import Testing

@testable import TandemEgress

/// The cache by RFC 9111, against a server of this machine and a clock that is moved.
@Suite(.timeLimit(.minutes(8)))
struct CacheTests {
    private func get(
        _ server: ScriptServer, _ path: String = "/", headers: HTTPHeaders = [:], stale: Duration? = nil,
        revalidate: Bool = false, grant: String? = nil
    ) -> EgressRequest {
        EgressRequest(
            .get, server.url(path), headers: headers, grant: grant,
            cache: EgressRequest.CacheUse(staleIfError: stale, mustRevalidate: revalidate))
    }

    @Test func givesAFreshAnswerWithoutAsking() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("one", [("Cache-Control", "max-age=60")])
        } _: { server in
            let caller = world.caller([server.origin])
            let first = try await world.egress.send(get(server), for: caller)
            #expect(first.age == nil)
            world.clock.advance(by: .seconds(59))
            let second = try await world.egress.send(get(server), for: caller)
            #expect(second.body == Array("one".utf8))
            #expect((second.age ?? .zero) >= .seconds(59))
            #expect(!second.isStale)
            #expect(server.requests.count == 1)
            world.clock.advance(by: .seconds(2))
            _ = try await world.egress.send(get(server), for: caller)
            #expect(server.requests.count == 2)
            // Without being asked for, the cache is not used.
            _ = try await world.egress.send(EgressRequest(.get, server.url()), for: caller)
            #expect(server.requests.count == 3)
            // Another person, another plugin: nothing is shared.
            _ = try await world.egress.send(get(server), for: world.caller([server.origin], user: 2))
            _ = try await world.egress.send(get(server), for: world.caller([server.origin], plugin: "test.other"))
            #expect(server.requests.count == 5)
            world.egress.forget(caller.scope, plugin: caller.plugin)
            _ = try await world.egress.send(get(server), for: caller)
            #expect(server.requests.count == 6)
        }
    }

    @Test func asksWhetherAnOldAnswerStillHolds() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { request in
            request["if-none-match"] == "\"v1\""
                ? .answer(304, [("ETag", "\"v1\""), ("Cache-Control", "max-age=100"), ("X-New", "1")])
                : .text("body", [("ETag", "\"v1\""), ("Cache-Control", "max-age=10"), ("Content-Type", "text/x")])
        } _: { server in
            let caller = world.caller([server.origin])
            _ = try await world.egress.send(get(server), for: caller)
            world.clock.advance(by: .seconds(11))
            let confirmed = try await world.egress.send(get(server), for: caller)
            #expect(confirmed.status == 200)
            #expect(confirmed.body == Array("body".utf8))
            #expect(confirmed.headers["x-new"] == "1")
            #expect(confirmed.headers["content-type"] == "text/x")
            #expect((confirmed.age ?? .seconds(99)) < .seconds(1))
            #expect(server.requests.count == 2)
            world.clock.advance(by: .seconds(90))
            _ = try await world.egress.send(get(server), for: caller)
            #expect(server.requests.count == 2)
            _ = try await world.egress.send(get(server, revalidate: true), for: caller)
            #expect(server.requests.count == 3)
            #expect(world.exposition.contains(#"tandem_egress_cache_total{plugin="test.plugin",result="confirmed"} 2"#))
        }
    }

    @Test func asksByDateWhereThereIsNoTag() async throws {
        let world = EgressWorld()
        let date = HTTPDate.text(1_790_000_000)
        try await ScriptServer.run { _ in
            .text("x", [("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"), ("Date", date)])
        } _: { server in
            let caller = world.caller([server.origin])
            _ = try await world.egress.send(get(server), for: caller)
            // A tenth of its age, at most a day.
            world.clock.advance(by: .seconds(86_000))
            _ = try await world.egress.send(get(server), for: caller)
            #expect(server.requests.count == 1)
            world.clock.advance(by: .seconds(1000))
            _ = try await world.egress.send(get(server), for: caller)
            #expect(server.requests.last?["if-modified-since"] == "Sun, 06 Nov 1994 08:49:37 GMT")
        }
    }

    @Test func keepsAnswersApartThatVary() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { request in
            .text(
                request["accept-language"] ?? "none",
                [("Cache-Control", "max-age=60"), ("Vary", "Accept-Encoding, Accept-Language")])
        } _: { server in
            let caller = world.caller([server.origin])
            for _ in 0..<2 {
                for language in ["en", "fr"] {
                    let request = get(server, headers: ["Accept-Language": language])
                    let actual1 = try await world.text(request, caller)
                    #expect(actual1 == language)
                }
                let actual2 = try await world.text(get(server), caller)
                #expect(actual2 == "none")
            }
            #expect(server.requests.count == 3)
        }
    }

    @Test(arguments: [
        [("Cache-Control", "no-store, max-age=60")], [("Cache-Control", "max-age=60"), ("Vary", "*")],
        [("Cache-Control", "max-age=0")], [("Expires", "0"), ("Cache-Control", "private")],
        [("Cache-Control", "no-cache, max-age=60")],
    ])
    func givesNothingThatMayNotBeGiven(headers: [(String, String)]) async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("x", headers)
        } _: { server in
            let caller = world.caller([server.origin])
            for _ in 0..<2 { _ = try await world.egress.send(get(server), for: caller) }
            #expect(server.requests.count == 2)
        }
    }

    @Test func countsTheAgeItHadAlready() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("x", [("Cache-Control", "max-age=60"), ("Age", "50")])
        } _: { server in
            let caller = world.caller([server.origin])
            _ = try await world.egress.send(get(server), for: caller)
            world.clock.advance(by: .seconds(5))
            let actual3 = try await world.egress.send(get(server), for: caller).age
            #expect((actual3 ?? .zero) >= .seconds(55))
            world.clock.advance(by: .seconds(10))
            _ = try await world.egress.send(get(server), for: caller)
            #expect(server.requests.count == 2)
        }
    }

    @Test func givesAnOldAnswerWhenTheServiceFails() async throws {
        let world = EgressWorld { $0.retries.maxAttempts = 1 }
        let isDown = Flag()
        try await ScriptServer.run { _ in
            isDown.value ? .answer(503) : .text("kept", [("Cache-Control", "max-age=60")])
        } _: { server in
            let caller = world.caller([server.origin])
            _ = try await world.egress.send(get(server, stale: .seconds(3600)), for: caller)
            isDown.value = true
            world.clock.advance(by: .seconds(600))
            let stale = try await world.egress.send(get(server, stale: .seconds(3600)), for: caller)
            #expect(stale.status == 200)
            #expect(stale.isStale)
            #expect((stale.age ?? .zero) >= .seconds(600))
            // Not when it was not asked for, nor when it is too old.
            let actual4 = try await world.egress.send(get(server), for: caller).status
            #expect(actual4 == 503)
            let actual5 = try await world.egress.send(get(server, stale: .seconds(60)), for: caller).status
            #expect(actual5 == 503)
            world.clock.advance(by: .seconds(4000))
            let actual6 = try await world.egress.send(get(server, stale: .seconds(3600)), for: caller).status
            #expect(actual6 == 503)
        }
    }

    @Test func givesAnOldAnswerWhenNobodyIsThere() async throws {
        let world = EgressWorld { $0.retries.maxAttempts = 1 }
        let answers = Answers(.text("kept", [("Connection", "close")]), .close)
        try await ScriptServer.run { _ in
            answers.next()
        } _: { server in
            let caller = world.caller([server.origin])
            let request = get(server, stale: .seconds(3600))
            let actual7 = try await world.text(request, caller)
            #expect(actual7 == "kept")
            world.clock.advance(by: .seconds(120))
            // Also once its breaker is open and it is no longer asked at all.
            for _ in 0..<8 {
                let stale = try await world.egress.send(request, for: caller)
                #expect(stale.isStale)
                #expect(stale.body == Array("kept".utf8))
            }
            #expect(server.requests.count == 6)
        }
    }

    @Test func givesNoOldAnswerThatMustBeConfirmed() async throws {
        let world = EgressWorld { $0.retries.maxAttempts = 1 }
        let answers = Answers(.text("kept", [("Cache-Control", "max-age=1, must-revalidate")]), .answer(500))
        try await ScriptServer.run { _ in
            answers.next()
        } _: { server in
            let caller = world.caller([server.origin])
            _ = try await world.egress.send(get(server, stale: .seconds(3600)), for: caller)
            world.clock.advance(by: .seconds(10))
            let actual8 = try await world.egress.send(get(server, stale: .seconds(3600)), for: caller).status
            #expect(actual8 == 500)
        }
    }

    @Test func forgetsWhatWasChanged() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { request in
            request.method == "GET"
                ? .text("x", [("Cache-Control", "max-age=600")])
                : .answer(201, [("Location", "/other")])
        } _: { server in
            let caller = world.caller([server.origin])
            _ = try await world.egress.send(get(server, "/item"), for: caller)
            _ = try await world.egress.send(get(server, "/other"), for: caller)
            _ = try await world.egress.send(EgressRequest(.put, server.url("/item")), for: caller)
            _ = try await world.egress.send(get(server, "/item"), for: caller)
            _ = try await world.egress.send(get(server, "/other"), for: caller)
            #expect(server.requests.count == 5)
        }
    }

    @Test func keepsAccountsApart() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("x", [("Cache-Control", "max-age=600")])
        } _: { server in
            world.tokens.state.withLock { $0.hosts = [HostRule(server.origin)].compactMap { $0 } }
            let caller = world.caller([server.origin])
            for _ in 0..<2 { _ = try await world.egress.send(get(server, grant: "calendar"), for: caller) }
            #expect(server.requests.count == 1)
            world.tokens.state.withLock { $0.subject = "account-2" }
            _ = try await world.egress.send(get(server, grant: "calendar"), for: caller)
            #expect(server.requests.count == 2)
        }
    }

    @Test func staysWithinItsBounds() throws {
        let cache = ResponseCache(limits: .init(totalBytes: 100_000, bytesPerUser: 30_000))
        func store(_ user: Int64, _ index: Int, bytes: Int) throws {
            let key = CacheKey(user: UserID(rawValue: user), plugin: "p", subject: "", url: "https://x/\(index)")
            let response = HTTPResponse(
                status: 200, headers: ["Cache-Control": "max-age=60"], body: [UInt8](repeating: 0, count: bytes))
            let stored = try #require(
                StoredResponse(
                    response, visible: response.headers, request: [:], sentAt: 0, receivedAt: 0, isForDegradation: false
                ))
            cache.store(stored, for: key, request: [:])
        }
        for user in 1...10 { for index in 0..<20 { try store(Int64(user), index, bytes: 5000) } }
        #expect(cache.byteCount <= 100_000)
        #expect(cache.byteCount > 60_000)
        let last = CacheKey(user: UserID(rawValue: 10), plugin: "p", subject: "", url: "https://x/19")
        #expect(cache.response(for: last, request: [:]) != nil)
        // One that would push out everything else is not kept.
        try store(10, 99, bytes: 20_000)
        #expect(cache.response(for: last, request: [:]) != nil)
        cache.removeAll(of: UserID(rawValue: 10))
        #expect(cache.response(for: last, request: [:]) == nil)
    }

    final class Flag: Sendable {
        private let state = Mutex(false)
        var value: Bool {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }
}
