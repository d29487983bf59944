import OAuthSimulator
import TandemCore
import TandemEgress
import TandemStorage
import TestDatabases
import Testing

@testable import TandemOAuth

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct RenewalTests {
    /// Waits for something that another task does, for at most a minute.
    private func eventually(_ isThere: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<6000 {
            if try await isThere() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    // MARK: One for all

    @Test(arguments: [
        ("microsoft", "mail", OAuthSimulator.Service.microsoft), ("google", "gmail", .google),
    ])
    func twoHundredCallsAtTheEndOnTwoHostsAreOneRefresh(
        _ provider: String, _ grant: String, _ service: OAuthSimulator.Service
    ) async throws {
        try await OAuthWorld.run { world in
            let hosts = [try await world.host(), try await world.host()]
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await hosts[0].connect(provider, world.ada)
            world.clock.advance(by: .seconds(7200))
            let tokens = await withTaskGroup(of: String?.self) { group in
                for index in 0..<200 {
                    let host = hosts[index % 2]
                    group.addTask { await host.token(grant, world.ada).value }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(tokens.count == 200)
            #expect(Set(tokens).count == 1 && tokens.first != .some(nil))
            #expect(world.simulator.count("\(service.rawValue).token.refreshed") == 1)
            #expect(world.simulator.count("\(service.rawValue).token.invalid_grant") == 0)
            #expect(try await hosts[1].row(provider, world.ada)?.version == 2)
        }
    }

    /// Notion says nothing of an end: all find out at the same time that theirs is refused.
    @Test func twoHundredRefusedRequestsOnTwoHostsAreOneRefresh() async throws {
        try await OAuthWorld.run { world in
            let hosts = [try await world.host(), try await world.host()]
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await hosts[0].connect("notion", world.ada)
            world.clock.advance(by: .seconds(600))
            world.simulator.endAccess(at: .notion)
            let results = await withTaskGroup(of: Result<Int, EgressFailure>.self) { group in
                for index in 0..<200 {
                    let host = hosts[index % 2]
                    group.addTask { await host.call("/v1/users/me", "notes", world.ada) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.allSatisfy { $0 == .success(200) })
            #expect(world.simulator.count("notion.token.refreshed") == 1)
            #expect(world.simulator.count("notion.token.invalid_grant") == 0)
        }
    }

    @Test func peopleDoNotWaitForEachOther() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            for person in [world.ada, world.bob] {
                world.directory.set(.readOnly, "test.office", for: person)
                try await host.connect("google", person)
            }
            world.clock.advance(by: .seconds(7200))
            let gate = OAuthSimulator.Gate()
            world.simulator.fail(.token, .gate(gate))
            async let first = host.token("gmail", world.ada).value
            #expect(try await eventually { gate.isReached })
            #expect(await host.token("gmail", world.bob).value != nil)
            gate.open()
            #expect(await first != nil)
        }
    }

    /// A slow holder of the lock loses it; what it got is refused by its fence and spoils nothing.
    @Test func aHolderThatStalledBeyondItsLeaseDoesNotOverwrite() async throws {
        try await OAuthWorld.run { world in
            let slow = try await world.host()
            let other = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await slow.connect("google", world.ada)
            world.clock.advance(by: .seconds(7200))
            let gate = OAuthSimulator.Gate()
            world.simulator.fail(.token, .gate(gate))
            async let stalled = slow.token("gmail", world.ada).value
            #expect(try await eventually { gate.isReached })
            world.clock.advance(by: .seconds(60))
            let fresh = await other.token("gmail", world.ada).value
            #expect(fresh != nil)
            gate.open()
            #expect(await stalled == fresh)
            #expect(try await other.row("google", world.ada)?.version == 2)
        }
    }

    /// The other process found the old token dead and gave the connection up, while the pair that replaced it was here.
    @Test(arguments: [
        ("microsoft", "mail", "/v1.0/me"), ("notion", "notes", "/v1/users/me"),
    ])
    func aPairThatComesAfterTheConnectionWasGivenUpSavesIt(
        _ provider: String, _ grant: String, _ path: String
    ) async throws {
        try await OAuthWorld.run { world in
            let slow = try await world.host()
            let other = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await slow.connect(provider, world.ada)
            world.clock.advance(by: .seconds(7200))
            if provider == "notion" { world.simulator.endAccess(at: .notion) }
            let gate = OAuthSimulator.Gate()
            world.simulator.fail(.token, .gate(gate))
            async let stalled = slow.call(path, grant, world.ada)
            #expect(try await eventually { gate.isReached })
            world.clock.advance(by: .seconds(60))
            guard case .failure(let failure) = await other.call(path, grant, world.ada) else {
                Issue.record("an answer")
                return
            }
            #expect(failure.code == "connection_needed")
            #expect(world.events.notices.count == 1)
            let before = world.events.connected.count
            gate.open()
            #expect(await stalled == .success(200))
            #expect(await other.call(path, grant, world.ada) == .success(200))
            #expect(world.events.connected.count == before + 1)
            #expect(world.simulator.count("\(provider).token.refreshed") == 1)
            let shown = try await other.connections.connections(of: world.ada).first { $0.provider == provider }
            #expect(shown?.status == .connected && shown?.reason == nil)
        }
    }

    /// Ended by the person while the answer was under way: it stays ended.
    @Test func aPairThatComesAfterTheEndSavesNothing() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("microsoft", world.ada)
            world.clock.advance(by: .seconds(7200))
            let gate = OAuthSimulator.Gate()
            world.simulator.fail(.token, .gate(gate))
            async let stalled = host.token("mail", world.ada)
            #expect(try await eventually { gate.isReached })
            _ = try await host.connections.disconnect("microsoft", of: world.ada)
            gate.open()
            #expect(await stalled.problem == .connectionNeeded)
            #expect(try await host.row("microsoft", world.ada) == nil)
        }
    }

    @Test func cancellingACallDoesNotEndTheRenewalOfTheOthers() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            world.clock.advance(by: .seconds(7200))
            let gate = OAuthSimulator.Gate()
            world.simulator.fail(.token, .gate(gate))
            let first = Task { await host.token("gmail", world.ada) }
            #expect(try await eventually { gate.isReached })
            let second = Task { await host.token("gmail", world.ada) }
            first.cancel()
            #expect(await first.value.problem == .unavailable)
            gate.open()
            #expect(await second.value.value != nil)
            #expect(world.simulator.count("google.token.refreshed") == 1)
        }
    }

    // MARK: Ahead of the end

    @Test func renewsAheadWithoutKeepingAnybodyWaiting() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            let first = await host.token("gmail", world.ada).value
            // 3599 s less 300 s and half of another 300 s.
            world.clock.advance(by: .seconds(3148))
            #expect(await host.token("gmail", world.ada).value == first)
            #expect(world.simulator.count("google.token.refreshed") == 0)
            world.clock.advance(by: .seconds(3))
            let gate = OAuthSimulator.Gate()
            world.simulator.fail(.token, .gate(gate))
            #expect(await host.token("gmail", world.ada).value == first)
            #expect(try await eventually { gate.isReached })
            #expect(await host.token("gmail", world.ada).value == first)
            gate.open()
            #expect(try await eventually { await host.token("gmail", world.ada).value != first })
            #expect(world.simulator.count("google.token.refreshed") == 1)
        }
    }

    @Test func upkeepRenewsWhatIsInUseAndWhatLiesIdleForLong() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            for person in [world.ada, world.bob] {
                world.directory.set(.readOnly, "test.office", for: person)
                try await host.connect("microsoft", person)
            }
            world.clock.advance(by: .seconds(2400))
            _ = await host.token("mail", world.ada)
            world.clock.advance(by: .seconds(1700))
            #expect(try await host.connections.upkeep().renewed == 1)
            #expect(try await host.row("microsoft", world.ada)?.version == 2)
            #expect(try await host.row("microsoft", world.bob)?.version == 1)
            // Services forget connections that lie idle for some months.
            world.clock.advance(by: .seconds(31 * 86_400))
            #expect(try await host.connections.upkeep().renewed == 2)
            #expect(try await host.row("microsoft", world.bob)?.version == 2)
            #expect(try await host.connections.upkeep().renewed == 0)
        }
    }

    @Test(arguments: [
        (3600, 3150, 3570), (4321, 3871, 4291), (60, 30, 45), (1, 0, 1),
    ])
    func spreadsRenewalsAndKeepsAReserve(_ life: Int, _ refresh: Int, _ end: Int) {
        let policy = RefreshPolicy()
        let start = OAuthWorld.start
        let (expires, refreshAt) = policy.times(from: start, life: .seconds(life), random: 0.5)
        #expect(expires == start.advanced(by: .seconds(life)))
        #expect((refreshAt?.since(start).milliseconds ?? -1) / 1000 == Int64(refresh))
        let row = TokenRow(
            id: RecordID(rawValue: 1), provider: "google", state: .connected, scopes: [], version: 1, fence: 0,
            obtainedAt: start, expiresAt: expires, refreshAt: refreshAt, failures: 0)
        let standing = { (seconds: Int) in policy.standing(row, now: start.advanced(by: .seconds(seconds))) }
        #expect(standing(end) == .expired)
        #expect(standing(life + 1) == .expired)
        if life > 1 {
            #expect(standing(0) == .fresh)
            #expect(standing(end - 1) == .due)
        }
        // The clock was set back by an hour since: who knows.
        #expect(standing(-3600) == .due)
        #expect(standing(-60) == .fresh || life == 1)
        let earliest = policy.times(from: start, life: .seconds(3600), random: 0.999_9).refresh
        let latest = policy.times(from: start, life: .seconds(3600), random: 0).refresh
        #expect(latest == start.advanced(by: .seconds(3300)))
        #expect((earliest ?? start) < start.advanced(by: .seconds(3001)))
    }

    @Test func pausesGrowAndEnd() {
        let policy = RefreshPolicy()
        let pauses = (1...12).map { policy.pause(after: $0, retryAfter: nil, random: 0.5).milliseconds }
        #expect(pauses.prefix(4) == [1000, 2000, 4000, 8000])
        #expect(pauses.last == 300_000)
        #expect(policy.pause(after: 1, retryAfter: .seconds(90), random: 0.5) == .seconds(90))
    }

    // MARK: What passes

    @Test func whatPassesIsTriedAgainAndCostsNothing() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            world.clock.advance(by: .seconds(7200))
            // Twice is made good at once.
            world.simulator.fail(.token, .cutBefore, .garbage)
            #expect(await host.token("gmail", world.ada).value != nil)
            world.clock.advance(by: .seconds(7200))
            world.simulator.fail(.token, .status(500), .status(502), .status(503))
            #expect(await host.token("gmail", world.ada).problem == .unavailable)
            // Left alone for a moment, whoever asks.
            #expect(await host.token("gmail", world.ada).problem == .unavailable)
            #expect(world.simulator.count("google.token.status_503") == 1)
            world.clock.advance(by: .seconds(2))
            #expect(await host.token("gmail", world.ada).value != nil)
            #expect(world.events.notices == [])
            #expect(try await host.row("google", world.ada)?.failures == 0)
        }
    }

    @Test func doesNotWaitForAServiceThatIsSilent() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host { $0.requestTimeout = .seconds(2) }
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            world.clock.advance(by: .seconds(7200))
            world.simulator.fail(.token, .silence)
            #expect(await host.token("gmail", world.ada).value != nil)
        }
    }

    @Test func doesAsTheServiceAsksWhenThereIsTooMuch() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            world.clock.advance(by: .seconds(7200))
            world.simulator.fail(.token, .status(429, retryAfter: 120))
            #expect(await host.token("gmail", world.ada).problem == .unavailable)
            world.clock.advance(by: .seconds(119))
            #expect(await host.token("gmail", world.ada).problem == .unavailable)
            #expect(world.simulator.count("google.token.refreshed") == 0)
            world.clock.advance(by: .seconds(2))
            #expect(await host.token("gmail", world.ada).value != nil)
        }
    }

    /// Ahead of the end, a service that fails is no reason to keep anybody from working.
    @Test func aTokenThatIsStillGoodIsUsedWhileTheServiceFails() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            world.clock.advance(by: .seconds(3300))
            world.simulator.fail(.token, .status(503), .status(503), .status(503))
            #expect(await host.call("/gmail/v1/users/me/profile", "gmail", world.ada) == .success(200))
            #expect(try await eventually { try await host.row("google", world.ada)?.failures == 1 })
            #expect(await host.call("/gmail/v1/users/me/profile", "gmail", world.ada) == .success(200))
        }
    }

    @Test func anAnswerThatWasLostIsAskedForAgain() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.simulator.acceptReplaced(.microsoft)
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("microsoft", world.ada)
            world.clock.advance(by: .seconds(7200))
            world.simulator.fail(.token, .cutAfter)
            #expect(await host.call("/v1.0/me", "mail", world.ada) == .success(200))
            #expect(world.simulator.count("microsoft.token.refreshed") == 2)
        }
    }

    @Test func aWrongSecretIsTheOperatorsBusiness() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            for provider in ["microsoft", "google", "notion"] { try await host.connect(provider, world.ada) }
            world.clock.advance(by: .seconds(7200))
            world.simulator.endAccess(at: .notion)
            for service in OAuthSimulator.Service.allCases { world.simulator.setSecret("changed", of: service) }
            for (grant, path) in [
                ("mail", "/v1.0/me"), ("gmail", "/gmail/v1/users/me/profile"), ("notes", "/v1/users/me"),
            ] {
                guard case .failure(let failure) = await host.call(path, grant, world.ada) else {
                    Issue.record("\(grant) got an answer")
                    continue
                }
                #expect(failure.kind == .unavailable)
            }
            #expect(world.events.notices == [])
            #expect(try await host.row("google", world.ada)?.state == .connected)
        }
    }

    // MARK: 401

    @Test func aRefusedTokenIsRenewedOnceBeforeItsEnd() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("microsoft", world.ada)
            world.clock.advance(by: .seconds(90))
            world.simulator.endAccess(at: .microsoft)
            #expect(await host.call("/v1.0/me", "mail", world.ada) == .success(200))
            #expect(world.simulator.count("microsoft.token.refreshed") == 1)
            #expect(world.simulator.count("microsoft.api.401") == 1)
        }
    }

    /// A plugin that asks for what the service always refuses does not have the pair renewed each time.
    @Test func refusalsOfANewTokenDoNotRenewIt() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("microsoft", world.ada)
            for _ in 0..<5 {
                // Google's interface takes no token of Microsoft's.
                guard case .failure(let failure) = await host.call("/gmail/v1/users/me/profile", "mail", world.ada)
                else {
                    Issue.record("it was taken")
                    return
                }
                #expect(failure.code == "token_refused")
            }
            #expect(world.simulator.count("microsoft.token.refreshed") == 0)
            #expect(world.events.notices == [])
        }
    }

    // MARK: Lost and found again

    @Test(arguments: FlowTests.services)
    func aLostGrantPausesTellsOnceAndHeals(
        _ it: (provider: String, grant: String, path: String, service: OAuthSimulator.Service)
    ) async throws {
        try await OAuthWorld.run { world in
            let hosts = [try await world.host(), try await world.host()]
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await hosts[0].connect(it.provider, world.ada)
            world.clock.advance(by: .seconds(7200))
            world.simulator.revokeGrant(at: it.service)
            let results = await withTaskGroup(of: Result<Int, EgressFailure>.self) { group in
                for index in 0..<40 {
                    let host = hosts[index % 2]
                    group.addTask { await host.call(it.path, it.grant, world.ada) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for result in results {
                guard case .failure(let failure) = result else {
                    Issue.record("an answer")
                    continue
                }
                #expect(failure.kind == .authRequired)
            }
            #expect(world.simulator.count("\(it.service.rawValue).token.invalid_grant") == 1)
            let row = try #require(try await hosts[0].row(it.provider, world.ada))
            #expect(row.state == .needsReauth && row.access == nil && row.refresh == nil && row.pending == nil)

            // One message, that can be sent as a text.
            let notice = try #require(world.events.notices.first)
            #expect(world.events.notices.count == 1)
            #expect(notice.plugins == ["test.office"])
            #expect(notice.text.contains("Office waits until then") && notice.text.hasSuffix(notice.link))
            #expect(SMSText.segments(of: notice.text) == 1)
            try await hosts[1].connections.upkeep()
            #expect(world.events.notices.count == 1)
            #expect(world.audit.count(.lost) == 1)
            let shown = try await hosts[0].connections.connections(of: world.ada).first { $0.provider == it.provider }
            #expect(shown?.status == .needsReauth)

            // The link leads to a login, then to what was allowed before.
            let ticket = String(notice.link.split(separator: "/").last ?? "")
            let session = hosts[1].session(world.ada)
            let need = try await hosts[1].connections.need(ofLink: ticket, in: session)
            let url = try await hosts[1].begin(need, world.ada)
            try await hosts[1].connections.finish(try await hosts[1].visit(url), in: session)
            #expect(world.events.connected.last == "11/\(it.provider)/test.office")
            for host in hosts { #expect(await host.call(it.path, it.grant, world.ada) == .success(200)) }
        }
    }

    @Test func aSecondFactorThatAnAdministratorWantsIsAskedOfThePerson() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("microsoft", world.ada)
            world.clock.advance(by: .seconds(7200))
            world.simulator.requireInteraction(at: .microsoft)
            #expect(await host.token("mail", world.ada).problem == .connectionNeeded)
            #expect(try await host.row("microsoft", world.ada)?.reason == "interaction_required")
            #expect(world.events.notices.count == 1)
        }
    }

    @Test func aTokenWithoutRenewalEndsWithTheFirstRefusal() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.simulator.withholdRefresh(.notion)
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("notion", world.ada)
            world.clock.advance(by: .seconds(365 * 86_400))
            #expect(await host.call("/v1/users/me", "notes", world.ada) == .success(200))
            world.simulator.endAccess(at: .notion)
            guard case .failure(let failure) = await host.call("/v1/users/me", "notes", world.ada) else {
                Issue.record("an answer")
                return
            }
            #expect(failure.code == "connection_needed")
            #expect(world.simulator.count("notion.token.invalid_grant") == 0)
            #expect(world.events.notices.count == 1)
        }
    }

    /// Who pauses plugins and sends texts may fail; nobody is forgotten.
    @Test func whatWasNotTakenIsToldLater() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            world.events.breakDown(1)
            try await host.connect("google", world.ada)
            #expect(world.events.connected == [])
            #expect(try await host.connections.upkeep().told == 1)
            #expect(world.events.connected.count == 1)

            world.clock.advance(by: .seconds(7200))
            world.simulator.revokeGrant(at: .google)
            world.events.breakDown(2)
            #expect(await host.token("gmail", world.ada).problem == .connectionNeeded)
            try await host.connections.upkeep()
            #expect(world.events.notices == [])
            try await host.connections.upkeep()
            try await host.connections.upkeep()
            #expect(world.events.notices.count == 1)
        }
    }

    // MARK: Without a trace

    @Test func withoutAuditNoToken() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            world.audit.breakDown()
            #expect(await host.token("gmail", world.ada).problem == .unavailable)
        }
    }
}
