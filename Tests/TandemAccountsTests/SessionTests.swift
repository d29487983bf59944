import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SessionTests {
    @Test func refreshTokensAreGoodOnce() async throws {
        let world = try await AccountsWorld()
        var tokens = try await world.signIn(try await world.person())
        for _ in 1...5 {
            world.clock.advance(by: .seconds(600))
            let next = try await world.accounts.refresh(tokens.refreshToken)
            #expect(next.refreshToken != tokens.refreshToken && next.session == tokens.session)
            #expect(next.deviceToken == nil)
            _ = try await world.principal(next)
            tokens = next
        }
    }

    @Test func aStolenTokenEndsTheWholeFamily() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let stolen = try await world.signIn(ann)
        let other = try await world.signIn(ann)
        let current = try await world.accounts.refresh(stolen.refreshToken)
        world.clock.advance(by: .seconds(10))
        #expect(await refusal { _ = try await world.accounts.refresh(stolen.refreshToken) } == .tokenReused)
        #expect(await refusal { _ = try await world.accounts.refresh(current.refreshToken) } == .invalidToken)
        for tokens in [stolen, current] {
            #expect(await refusal { _ = try await world.principal(tokens) } == .invalidToken)
        }
        #expect(world.audit.names.contains(.tokenReused))
        // Another sign-in of the same person is another family.
        _ = try await world.principal(other)
    }

    @Test func anOldTokenIsFoundOutHoweverLongAgoItWasUsed() async throws {
        let world = try await AccountsWorld()
        let first = try await world.signIn(try await world.person())
        var tokens = first
        for _ in 1...4 { tokens = try await world.accounts.refresh(tokens.refreshToken) }
        // Within the grace, but its successor is used.
        #expect(await refusal { _ = try await world.accounts.refresh(first.refreshToken) } == .tokenReused)
        #expect(await refusal { _ = try await world.accounts.refresh(tokens.refreshToken) } == .invalidToken)
    }

    @Test func aLostAnswerIsGivenAgain() async throws {
        let world = try await AccountsWorld()
        let tokens = try await world.signIn(try await world.person())
        let lost = try await world.accounts.refresh(tokens.refreshToken)
        world.clock.advance(by: .seconds(9))
        let again = try await world.accounts.refresh(tokens.refreshToken)
        #expect(again.refreshToken == lost.refreshToken)
        let next = try await world.accounts.refresh(again.refreshToken)
        #expect(next.refreshToken != lost.refreshToken)
        _ = try await world.principal(next)
    }

    @Test func parallelRefreshesGetOneSuccessor() async throws {
        let world = try await AccountsWorld(isShared: true)
        let other = try await world.another()
        let tokens = try await world.signIn(try await world.person())
        let successors = try await withThrowingTaskGroup(of: Secret.self) { group in
            for number in 0..<24 {
                let accounts = number.isMultiple(of: 2) ? world.accounts : other
                group.addTask { try await accounts.refresh(tokens.refreshToken).refreshToken }
            }
            return try await group.reduce(into: Set<Secret>()) { $0.insert($1) }
        }
        #expect(successors.count == 1)
    }

    @Test func inventedRefreshTokensEndNothing() async throws {
        let world = try await AccountsWorld()
        let tokens = try await world.signIn(try await world.person())
        let text = tokens.refreshToken.reveal()
        for place in text.indices.dropFirst(4) {
            var changed = text
            changed.replaceSubrange(place...place, with: text[place] == "A" ? "B" : "A")
            #expect(await refusal { _ = try await world.accounts.refresh(Secret(changed)) } == .invalidToken)
        }
        for bad in ["", "tdr_", "tdr_AAAA", text + "A", String(text.dropFirst(4)), String(repeating: "A", count: 9999)]
        {
            #expect(await refusal { _ = try await world.accounts.refresh(Secret(bad)) } == .invalidToken)
        }
        _ = try await world.accounts.refresh(tokens.refreshToken)
    }

    @Test func sessionsEndByDisuseAndByAge() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let idle = try await world.signIn(ann)
        world.clock.advance(by: .seconds(30 * 86_400))
        #expect(await refusal { _ = try await world.accounts.refresh(idle.refreshToken) } == .invalidToken)
        #expect(try await world.accounts.sessions(of: ann.scope).isEmpty)
        var used = try await world.signIn(ann)
        for _ in 1...4 {
            world.clock.advance(by: .seconds(20 * 86_400))
            used = try await world.accounts.refresh(used.refreshToken)
        }
        #expect(used.refreshExpiresAt == world.clock.now.advanced(by: .seconds(10 * 86_400)))
        world.clock.advance(by: .seconds(10 * 86_400))
        #expect(await refusal { _ = try await world.accounts.refresh(used.refreshToken) } == .invalidToken)
        #expect(await refusal { _ = try await world.principal(used) } == .invalidToken)
    }

    @Test func listsSessionsWithDeviceAndPlace() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let first = try await world.signIn(ann)
        world.clock.advance(by: .seconds(5))
        let phone = ClientSource(
            address: "2001:db8:1:2::3", userAgent: "x", deviceName: "Ann's \u{202E}phone\u{7}\n", deviceToken: nil)
        let second = try await world.signIn(ann, from: phone)
        let sessions = try await world.accounts.sessions(of: ann.scope, current: second.session)
        #expect(sessions.map(\.id) == [second.session, first.session])
        #expect(sessions.map(\.device) == ["Ann's phone", "Firefox on Linux"])
        #expect(sessions.map(\.place) == ["2001:db8:1::/48", "203.0.113.0/24"])
        #expect(sessions.map(\.isCurrent) == [true, false])
        #expect(sessions.allSatisfy { $0.methods == [.password] })
        let bob = try await world.person("bob")
        #expect(try await world.accounts.sessions(of: bob.scope).isEmpty)
        #expect(
            await refusal { try await world.accounts.endSession(first.session, of: bob.scope) } == .unknownSession)
        _ = try await world.principal(first)
    }

    @Test func anEndedSessionIsWorthNothingAtOnce() async throws {
        let world = try await AccountsWorld(isShared: true)
        let other = try await world.another()
        let ann = try await world.person()
        let tokens = try await world.signIn(ann)
        _ = try await world.principal(tokens)
        _ = try await other.authenticate(tokens.accessToken.reveal())
        try await world.accounts.endSession(tokens.session, of: ann.scope)
        #expect(await refusal { _ = try await world.principal(tokens) } == .invalidToken)
        #expect(await refusal { _ = try await world.accounts.refresh(tokens.refreshToken) } == .invalidToken)
        // Elsewhere what was looked up is believed for two seconds, no longer.
        world.clock.advance(by: .milliseconds(1999))
        _ = try await other.authenticate(tokens.accessToken.reveal())
        world.clock.advance(by: .milliseconds(1))
        #expect(await refusal { _ = try await other.authenticate(tokens.accessToken.reveal()) } == .invalidToken)
        #expect(
            await refusal { try await world.accounts.endSession(tokens.session, of: ann.scope) } == .unknownSession)
    }

    @Test func endsAllOtherSessions() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        var all: [SessionTokens] = []
        for _ in 1...4 { all.append(try await world.signIn(ann)) }
        for tokens in all { _ = try await world.principal(tokens) }
        #expect(try await world.accounts.endSessions(of: ann.scope, except: all[2].session) == 3)
        for (number, tokens) in all.enumerated() {
            #expect(await refusal { _ = try await world.principal(tokens) } == (number == 2 ? nil : .invalidToken))
        }
    }

    @Test func aChangedRoleCountsAtOnce() async throws {
        let world = try await AccountsWorld(isShared: true)
        let other = try await world.another()
        let ann = try await world.person()
        let tokens = try await world.signIn(ann)
        #expect(try await !world.principal(tokens).may(.analytics))
        #expect(try await !other.authenticate(tokens.accessToken.reveal()).may(.analytics))
        try await world.accounts.setRole(.premium, of: ann.id)
        #expect(try await world.principal(tokens).may(.analytics))
        world.clock.advance(by: .seconds(2))
        #expect(try await other.authenticate(tokens.accessToken.reveal()).may(.analytics))
        #expect(await refusal { try await world.accounts.setRole(.service, of: ann.id) } == .forbidden)
    }

    /// A look-up that began before a session was ended must not be remembered after.
    @Test func aLookUpThatWasOvertakenIsForgotten() {
        let cache = CredentialCache()
        let now = Timestamp(millisecondsSinceEpoch: 1000)
        let id = RecordID(rawValue: 7)
        let principal = Principal(
            user: UserID(rawValue: 1), role: .user, credential: .session(id), permissions: [], hasSecondFactor: false)
        guard case .unknown(let generation) = cache.find(.session(id), now: now) else {
            Issue.record("nothing can be known yet")
            return
        }
        cache.forget(session: id)
        cache.remember(.session(id), principal, expiresAt: nil, loadedAt: now, generation: generation)
        guard case .unknown = cache.find(.session(id), now: now) else {
            Issue.record("the ended session is known")
            return
        }
    }

    @Test func readsDevicesOfUserAgents() {
        let agents = [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36"
                + " Edg/124.0": "Edge on Windows",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4"
                + " Mobile/15E148 Safari/604.1": "Safari on iPhone",
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Mobile Safari/537.36":
                "Chrome on Android", "curl/8.1": "curl", "MyTool/1.0 (+x)": "MyTool",
        ]
        for (agent, name) in agents { #expect(ClientSource(userAgent: agent).device == name) }
        #expect(ClientSource(address: "::ffff:203.0.113.9").network == "203.0.113.0/24")
        #expect(ClientSource(address: "fe80::1%eth0").network == "fe80:0:0::/48")
        #expect(ClientSource(address: "nonsense").network == nil)
        #expect(ClientSource(address: "2001:db8::1").throttleKey == ClientSource(address: "2001:db8::2:3").throttleKey)
    }
}
