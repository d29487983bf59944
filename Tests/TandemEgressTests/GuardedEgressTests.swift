import ScriptServer
import Synchronization
import TandemCore
import Testing

@testable import TandemEgress

/// Who may reach what, against servers of this machine.
@Suite(.timeLimit(.minutes(8)))
struct GuardedEgressTests {
    @Test func reachesDeclaredHostsOnly() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("hello")
        } _: { server in
            let caller = world.caller([server.origin])
            let actual1 = try await world.text(EgressRequest(.get, server.url("/a?b=c")), caller)
            #expect(actual1 == "hello")
            #expect(server.requests.first?.target == "/a?b=c")
            let elsewhere = await world.failure(EgressRequest(.get, "http://127.0.0.1:\(server.port + 1)/"), caller)
            #expect(elsewhere?.code == "host_not_allowed")
            #expect(elsewhere?.kind == .hostNotAllowed)
            let named = await world.failure(EgressRequest(.get, "http://localhost:\(server.port)/"), caller)
            #expect(named?.code == "host_not_allowed")
            let user = await world.failure(EgressRequest(.get, "http://127.0.0.1:\(server.port)@evil.org/"), caller)
            #expect(user?.code == "invalid_url")
            let capped = world.caller([server.origin], ceiling: ["api.example.org"])
            #expect(await world.failure(EgressRequest(.get, server.url()), capped)?.code == "host_not_allowed")
            #expect(server.requests.count == 1)
            #expect(
                world.exposition.contains(
                    #"tandem_egress_refusals_total{plugin="test.plugin",reason="host_not_allowed"} 3"#))
        }
    }

    @Test func sendsOnlyReadingRequestsInAReadingCall() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("ok")
        } _: { server in
            let caller = world.caller([server.origin], reads: ["POST /search"], mayWrite: false)
            let actual2 = try await world.text(EgressRequest(.post, server.url("/search?x"), body: [1]), caller)
            #expect(actual2 == "ok")
            #expect(await world.failure(EgressRequest(.post, server.url("/items")), caller)?.code == "reading_only")
            #expect(await world.failure(EgressRequest(.delete, server.url("/search")), caller)?.code == "reading_only")
            #expect(server.requests.count == 1)
        }
    }

    @Test func followsNoRedirectOutOfTheList() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("secret")
        } _: { inner in
            let target = inner.url("/admin")
            try await ScriptServer.run { _ in
                .answer(302, [("Location", target)])
            } _: { outer in
                let failure = await world.failure(EgressRequest(.get, outer.url()), world.caller([outer.origin]))
                #expect(failure?.code == "redirect_not_allowed")
                #expect(failure?.kind == .hostNotAllowed)
                #expect(failure?.redirects == 1)
                #expect(inner.connections == 0)
                let unfollowed = try await world.egress.send(
                    EgressRequest(.get, outer.url(), followsRedirects: false), for: world.caller([outer.origin]))
                #expect(unfollowed.status == 302)
            }
        }
    }

    @Test(arguments: ["file:///etc/passwd", "gopher://127.0.0.1/", "http://u:p@127.0.0.1/", "//", "http://[::1]:1/"])
    func followsNoStrangeRedirect(location: String) async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .answer(307, [("Location", location)])
        } _: { server in
            let failure = await world.failure(EgressRequest(.get, server.url()), world.caller([server.origin]))
            #expect(failure?.code == "invalid_redirect" || failure?.code == "redirect_not_allowed")
        }
    }

    @Test func carriesNoCredentialsToAnotherOrigin() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("there")
        } _: { other in
            let target = other.url("/there")
            try await ScriptServer.run { request in
                request.target == "/same" ? .answer(307, [("Location", "/go")]) : .answer(307, [("Location", target)])
            } _: { first in
                let rules = [first.origin, other.origin]
                world.tokens.state.withLock { $0.hosts = rules.compactMap(HostRule.init) }
                let request = EgressRequest(
                    .post, first.url("/same"), headers: ["X-Api-Key": "k", "Accept": "text/plain"], body: [65],
                    grant: "calendar", idempotencyKey: "key-1")
                let response = try await world.egress.send(request, for: world.caller(rules))
                #expect(response.redirects == 2)
                #expect(response.url == target)
                #expect(first.requests.count == 2)
                for sent in first.requests {
                    #expect(sent["authorization"] == "Bearer one")
                    #expect(sent["idempotency-key"] == "key-1")
                    #expect(sent["x-api-key"] == "k")
                }
                let there = try #require(other.requests.first)
                #expect(there.method == "POST")
                #expect(there.body == [65])
                #expect(there["authorization"] == nil)
                #expect(there["idempotency-key"] == nil)
                #expect(there["x-api-key"] == nil)
                #expect(there["accept"] == "text/plain")
            }
        }
    }

    @Test func makesAPostAGetWhereTheStatusSaysSo() async throws {
        let world = EgressWorld()
        for (status, method) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
            try await ScriptServer.run { request in
                request.target == "/" ? .answer(status, [("Location", "/next")]) : .text("ok")
            } _: { server in
                _ = try await world.text(EgressRequest(.post, server.url(), body: [66]), world.caller([server.origin]))
                #expect(server.requests.last?.method == method)
                #expect(server.requests.last?.body == (method == "POST" ? [66] : []))
            }
        }
    }

    @Test func endsARingOfRedirects() async throws {
        let world = EgressWorld { $0.maxRedirects = 3 }
        try await ScriptServer.run { _ in
            .answer(302, [("Location", "/")])
        } _: { server in
            let failure = await world.failure(EgressRequest(.get, server.url()), world.caller([server.origin]))
            #expect(failure?.code == "too_many_redirects")
            #expect(server.requests.count == 4)
        }
    }

    @Test func connectsToNoInnerAddressWhateverTheNameSays() async throws {
        try await ScriptServer.run { _ in
            .text("inside")
        } _: { server in
            // A name that is allowed and public by its looks, but leads inside.
            let host = "http://public.example.org:\(server.port)"
            for address in ["127.0.0.1", "::ffff:127.0.0.1"] {
                let world = EgressWorld(fixedAddresses: ["public.example.org:\(server.port):\(address)"])
                let failure = await world.failure(
                    EgressRequest(.get, host + "/"), world.caller([host], networks: []))
                #expect(failure?.code == "address_not_allowed", "\(address)")
                #expect(failure?.kind == .hostNotAllowed)
            }
            let world = EgressWorld()
            let literal = await world.failure(
                EgressRequest(.get, server.url()), world.caller([server.origin], networks: []))
            #expect(literal?.code == "address_not_allowed")
            #expect(server.connections == 0)
        }
    }

    @Test func usesNoKeptConnectionToAnAddressThatIsNotAllowed() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("inside")
        } _: { server in
            let allowed = world.caller([server.origin])
            let actual3 = try await world.text(EgressRequest(.get, server.url()), allowed)
            #expect(actual3 == "inside")
            let other = world.caller([server.origin], plugin: "test.other", networks: [])
            #expect(await world.failure(EgressRequest(.get, server.url()), other)?.code == "address_not_allowed")
            #expect(server.requests.count == 1)
            let actual4 = try await world.text(EgressRequest(.get, server.url()), allowed)
            #expect(actual4 == "inside")
        }
    }

    @Test func sendsWhereTheOperatorSays() async throws {
        try await ScriptServer.run { _ in
            .text("mirror")
        } _: { server in
            let address = try #require(WebAddress(server.origin + "/base"))
            let rule = try #require(HostRule("api.example.org"))
            let world = EgressWorld { $0.substitutes = [(rule, address)] }
            let caller = world.caller(["api.example.org"], networks: [])
            let actual5 = try await world.text(EgressRequest(.get, "https://api.example.org/x?y"), caller)
            #expect(actual5 == "mirror")
            #expect(server.requests.first?.target == "/base/x?y")
            #expect(server.requests.first?["x-forwarded-host"] == "api.example.org")
        }
    }

    @Test func showsBreakersAndWhatIsLeftOfEachBudget() async throws {
        let answers = Answers(.text("fine"), .text("fine"), .answer(429, [("Retry-After", "600")]), .answer(503))
        try await ScriptServer.run { _ in
            answers.next()
        } _: { server in
            let world = EgressWorld { $0.limitTime = { _ in 1_000_000_000_000 } }
            let rule = try #require(HostRule(server.origin))
            func caller(_ user: Int64) -> EgressCaller {
                world.caller(
                    [server.origin], user: user,
                    limits: [
                        ProviderLimit(
                            host: rule, perUser: Rate(perSecond: 5, burst: 20), total: Rate(perSecond: 7, burst: 30))
                    ])
            }
            func shown(_ name: String) -> String? {
                world.exposition.split(separator: "\n").first { $0.hasPrefix("tandem_egress_\(name){") }
                    .flatMap { $0.split(separator: " ").last.map(String.init) }
            }
            for _ in 0..<3 { _ = await world.failure(EgressRequest(.post, server.url()), caller(1)) }
            #expect(shown("budget_left") == "27")
            #expect(shown("budget_per_second") == "7")
            #expect(shown("people_held_back") == "1")
            #expect(shown("in_flight") == "0")
            #expect(world.exposition.contains("tandem_egress_wait_seconds_count 3"))
            for _ in 0..<5 { _ = await world.failure(EgressRequest(.post, server.url()), caller(2)) }
            #expect(shown("breaker_open") == "1")
            #expect(shown("breaker_openings_total") == "1")
            await world.client.shutdown()
        }
    }

    // MARK: Limits of one answer

    @Test func givesUpOnAnAnswerThatTrickles() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .drip(
                "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + String(repeating: "x", count: 100), milliseconds: 20)
        } _: { server in
            let failure = await world.failure(
                EgressRequest(.get, server.url(), timeout: .milliseconds(300)), world.caller([server.origin]))
            #expect(failure?.kind == .deadline)
            let late = await world.failure(
                EgressRequest(.get, server.url()), world.caller([server.origin], within: .milliseconds(200)))
            #expect(late?.kind == .deadline)
        }
    }

    @Test func takesNoMoreThanAsked() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { request in
            request.target == "/known"
                ? .answer(200, body: [UInt8](repeating: 65, count: 5000))
                : .raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + String(repeating: "x", count: 5000))
        } _: { server in
            for path in ["/known", "/unknown"] {
                let failure = await world.failure(
                    EgressRequest(.get, server.url(path), maxResponseBytes: 4000), world.caller([server.origin]))
                #expect(failure?.kind == .tooLarge)
            }
        }
    }

    @Test func countsDecompressedBytes() async throws {
        let world = EgressWorld()
        // gzip of 100,000 times "a".
        let bomb = gzipOfZeros()
        try await ScriptServer.run { _ in
            .answer(200, [("Content-Encoding", "gzip")], body: bomb)
        } _: { server in
            let caller = world.caller([server.origin])
            let small = await world.failure(EgressRequest(.get, server.url(), maxResponseBytes: 50_000), caller)
            #expect(small?.kind == .tooLarge)
            let whole = try await world.egress.send(EgressRequest(.get, server.url()), for: caller)
            #expect(whole.body.count == 65_535)
            #expect(whole.headers["content-encoding"] == nil)
            #expect(whole.headers["content-length"] == nil)
        }
    }

    /// A stored block of 65,535 zeros in a gzip member (RFC 1951 §3.2.4, RFC 1952).
    private func gzipOfZeros() -> [UInt8] {
        let zeros = [UInt8](repeating: 0, count: 65_535)
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in zeros {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        crc = ~crc
        var bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1, 0xFF, 0xFF, 0, 0]
        bytes += zeros
        for value in [crc, 65_535] {
            for shift in [0, 8, 16, 24] { bytes.append(UInt8(value >> UInt32(shift) & 255)) }
        }
        return bytes
    }

    // MARK: Tokens

    @Test func attachesATokenThatThePluginNeverNames() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .text("ok")
        } _: { server in
            world.tokens.state.withLock { $0.hosts = [HostRule(server.origin)].compactMap { $0 } }
            let caller = world.caller([server.origin, "http://127.0.0.1:1"])
            _ = try await world.text(EgressRequest(.get, server.url(), grant: "calendar"), caller)
            #expect(server.requests.first?["authorization"] == "Bearer one")
            let unknown = await world.failure(EgressRequest(.get, server.url(), grant: "mail"), caller)
            #expect(unknown?.code == "no_such_grant")
            let elsewhere = await world.failure(EgressRequest(.get, "http://127.0.0.1:1/", grant: "calendar"), caller)
            #expect(elsewhere?.code == "grant_not_for_host")
            let own = await world.failure(
                EgressRequest(.get, server.url(), headers: ["Authorization": "x"], grant: "calendar"), caller)
            #expect(own?.code == "invalid_header")
        }
    }

    @Test func renewsARefusedTokenOnce() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { request in
            request["authorization"] == "Bearer one+" ? .text("ok") : .answer(401)
        } _: { server in
            world.tokens.state.withLock { $0.hosts = [HostRule(server.origin)].compactMap { $0 } }
            let request = EgressRequest(.post, server.url(), grant: "calendar")
            let actual6 = try await world.text(request, world.caller([server.origin]))
            #expect(actual6 == "ok")
            #expect(world.tokens.state.withLock { $0.renewals } == 1)
            world.tokens.state.withLock { $0.current = "other" }
            let failure = await world.failure(request, world.caller([server.origin]))
            #expect(failure?.kind == .authRequired)
            #expect(failure?.status == 401)
            world.tokens.state.withLock { $0.failure = .connectionNeeded }
            let missing = await world.failure(request, world.caller([server.origin]))
            #expect(missing?.code == "connection_needed")
            #expect(missing?.status == 0)
        }
    }

    // MARK: Streams

    @Test func slowsTheServiceDownToTheReader() async throws {
        let world = EgressWorld()
        let total = 64 << 20
        try await ScriptServer.run { _ in
            .flood(total)
        } _: { server in
            let (response, stream) = try await world.egress.open(
                EgressRequest(.get, server.url(), maxResponseBytes: total), for: world.caller([server.origin]))
            #expect(response.status == 200)
            #expect(response.headers["content-length"] == "\(total)")
            var received = try await stream.read(1000).count
            #expect(received == 1000)
            // What the network and our buffer hold, and no more.
            var before = -1
            while before != server.floodedBytes {
                before = server.floodedBytes
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(server.floodedBytes < total / 2)
            while true {
                let piece = try await stream.read(1 << 20)
                if piece.isEmpty { break }
                received += piece.count
            }
            #expect(received == total)
        }
    }

    @Test func endsAStream() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { request in
            request.target == "/broken"
                ? .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
                : .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        } _: { server in
            let caller = world.caller([server.origin])
            let (_, broken) = try await world.egress.open(EgressRequest(.get, server.url("/broken")), for: caller)
            do throws(EgressFailure) {
                while !(try await broken.read(10)).isEmpty {}
                Issue.record("the body is incomplete")
            } catch {
                #expect(error.code == "invalid_response")
            }
        }
        try await ScriptServer.run { _ in
            .flood(1 << 30)
        } _: { server in
            let caller = world.caller([server.origin])
            let (_, endless) = try await world.egress.open(
                EgressRequest(.get, server.url(), maxResponseBytes: 1 << 30), for: caller)
            endless.cancel()
            do throws(EgressFailure) {
                _ = try await endless.read(10)
                Issue.record("the stream was cancelled")
            } catch {
                #expect(error.kind == .cancelled)
            }
            let (_, limited) = try await world.egress.open(
                EgressRequest(.get, server.url(), maxResponseBytes: 100_000), for: caller)
            do throws(EgressFailure) {
                while !(try await limited.read(10_000)).isEmpty {}
                Issue.record("the body is too long")
            } catch {
                #expect(error.kind == .tooLarge)
            }
        }
    }

    @Test func endsWithTheTask() async throws {
        let world = EgressWorld()
        try await ScriptServer.run { _ in
            .silence
        } _: { server in
            let caller = world.caller([server.origin])
            let url = server.url()
            let task = Task { await world.failure(EgressRequest(.get, url), caller) }
            while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
            task.cancel()
            #expect(await task.value?.kind == .cancelled)
        }
    }
}
