import OAuthSimulator
import TandemCore
import TandemEgress
import TandemStorage
import TestDatabases
import Testing

@testable import TandemOAuth

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct EndingTests {
    private func waiting(_ host: TestHost) async throws -> Int64 {
        try await host.database.read(.system) { transaction in
            try transaction.first("SELECT count(*) AS n FROM oauth_revocations")?.int64("n") ?? -1
        }
    }

    @Test func whatTheServiceDoesNotTakeBackNowIsGivenBackLater() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("notion", world.ada)
            world.simulator.fail(.revoke, .status(503), .cutBefore)
            #expect(try await host.connections.disconnect("notion", of: world.ada) == .later)
            // Here it is over at once.
            #expect(await host.token("notes", world.ada).problem == .connectionNeeded)
            #expect(try await host.connections.upkeep().revoked == 0)
            world.clock.advance(by: .seconds(60))
            #expect(try await host.connections.upkeep().revoked == 0)
            world.clock.advance(by: .seconds(60))
            #expect(try await host.connections.upkeep().revoked == 1)
            #expect(world.simulator.liveRefreshTokens(of: .notion) == [])
            #expect(try await waiting(host) == 0)
        }
    }

    @Test func givesUpAfterADayAndSaysSo() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            try await host.connect("notion", world.ada, plugin: "test.office")
            world.simulator.fail(.revoke, .status(503), .status(503))
            #expect(try await host.connections.disconnect("notion", of: world.ada) == .later)
            world.clock.advance(by: .seconds(90_000))
            try await host.connections.upkeep()
            #expect(try await waiting(host) == 0)
            #expect(world.audit.events.contains { $0.name == .revocationFailed && $0.user == nil })
        }
    }

    /// Google ends everything that a person allowed to one registration.
    @Test func anotherConnectionOfTheSameRegistrationIsNotEndedAlong() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            try await host.connect("youtube", world.ada)
            #expect(
                try await host.connections.disconnect("youtube", of: world.ada) == .keptForOther(provider: "Google"))
            #expect(await host.token("videos", world.ada).problem == .connectionNeeded)
            #expect(await host.call("/gmail/v1/users/me/profile", "gmail", world.ada) == .success(200))
            #expect(try await host.connections.disconnect("google", of: world.ada) == .revoked)
            #expect(world.simulator.liveRefreshTokens(of: .google) == [])
        }
    }

    @Test func aYouTubeTokenHoldsNothingOfMail() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            let youtube = try await host.connect("youtube", world.ada)
            #expect(youtube.scopes == ["https://www.googleapis.com/auth/youtube.readonly"])
        }
    }

    @Test func erasureGivesBackEverythingAndLeavesNothing() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            for person in [world.ada, world.bob] {
                world.directory.set(.readOnly, "test.office", for: person)
                for provider in ["microsoft", "google", "notion"] { try await host.connect(provider, person) }
            }
            world.directory.set(.write, "test.office", for: world.ada)
            _ = try await host.begin(ConnectionNeed(provider: "google"), world.ada)
            _ = try await host.connections.link(for: ConnectionNeed(provider: "notion"), of: world.ada)
            world.clock.advance(by: .seconds(7200))
            _ = await host.token("mail", world.ada)
            world.simulator.fail(.revoke, .status(503))
            let outcomes = try await host.connections.erase(world.ada)
            #expect(outcomes.count == 3)
            #expect(outcomes.values.filter { $0 == .later }.count == 1)
            #expect(outcomes.values.filter { $0 == .revoked }.count == 1)
            try await host.database.write(world.ada) { _ = try $0.eraseUser() }
            let user = world.ada.user
            for table in ["oauth_tokens", "oauth_states", "oauth_links"] {
                let rows = try await host.database.read(.system) { transaction in
                    try transaction.query("SELECT 1 FROM \(identifier: table) WHERE user_id = \(user)").count
                }
                #expect(rows == 0)
            }
            let locks = try await host.database.read(.system) { transaction in
                try transaction.query("SELECT name FROM held_locks").map { try $0.text("name") }
            }
            #expect(!locks.contains { $0.contains("/\(user)/") })
            // The person's key is gone; what waits opens all the same.
            world.clock.advance(by: .seconds(60))
            #expect(try await host.connections.upkeep().revoked == 1)
            #expect(world.simulator.liveRefreshTokens(of: .notion).count == 1)
            #expect(await host.token("notes", world.bob).value != nil)
        }
    }

    /// A renewal that was under way when the person ended the connection does not bring it back, and the pair that comes
    /// of it does not live on at the service.
    @Test(arguments: FlowTests.services)
    func aRenewalUnderWayDoesNotReviveWhatWasEnded(
        _ it: (provider: String, grant: String, path: String, service: OAuthSimulator.Service)
    ) async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect(it.provider, world.ada)
            world.clock.advance(by: .seconds(7200))
            if it.service == .notion { world.simulator.endAccess(at: .notion) }
            let gate = OAuthSimulator.Gate()
            world.simulator.fail(.token, .gate(gate))
            async let result = host.call(it.path, it.grant, world.ada)
            while !gate.isReached { try await Task.sleep(for: .milliseconds(5)) }
            _ = try await host.connections.disconnect(it.provider, of: world.ada)
            gate.open()
            guard case .failure(let failure) = await result else {
                Issue.record("an answer")
                return
            }
            #expect(failure.code == "connection_needed")
            #expect(try await host.row(it.provider, world.ada) == nil)
            guard it.service != .microsoft else { return }
            while try await waiting(host) > 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(world.simulator.liveRefreshTokens(of: it.service) == [])
        }
    }
}

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct LockTests {
    @Test func excludesEverybodyElseUntilReleasedOrOver() async throws {
        let clock = ManualClock(OAuthWorld.start)
        let database = try await TestDatabase(migrations: DatabaseLocks.migrations).open(clock: clock)
        try await database.migrate(DatabaseLocks.migrations)
        let hosts = [DatabaseLocks(database: database), DatabaseLocks(database: database)]
        let first = try #require(try await hosts[0].acquire("a", lease: .seconds(10)))
        #expect(try await hosts[0].acquire("a", lease: .seconds(10)) == nil)
        #expect(try await hosts[1].acquire("a", lease: .seconds(10)) == nil)
        #expect(try await hosts[1].acquire("b", lease: .seconds(10)) != nil)
        clock.advance(by: .seconds(9))
        #expect(try await hosts[0].extend(first, lease: .seconds(10)))
        clock.advance(by: .seconds(9))
        #expect(try await hosts[1].acquire("a", lease: .seconds(10)) == nil)
        clock.advance(by: .seconds(2))
        let second = try #require(try await hosts[1].acquire("a", lease: .seconds(10)))
        #expect(second.fence > first.fence)
        #expect(try await !hosts[0].extend(first, lease: .seconds(10)))
        // Whoever lost it does not give it away.
        await hosts[0].release(first)
        #expect(try await hosts[0].acquire("a", lease: .seconds(10)) == nil)
        await hosts[1].release(second)
        let third = try #require(try await hosts[0].acquire("a", lease: .seconds(10)))
        #expect(third.fence > second.fence)
        // Rows that nobody needs go; fences grow on.
        clock.advance(by: .seconds(100_000))
        #expect(try await hosts[0].prune() == 2)
        let fourth = try #require(try await hosts[0].acquire("a", lease: .seconds(10)))
        #expect(fourth.fence > third.fence)
    }

    @Test func ofManyAtOnceOneGetsIt() async throws {
        let database = try await TestDatabase(migrations: DatabaseLocks.migrations).open()
        try await database.migrate(DatabaseLocks.migrations)
        let locks = DatabaseLocks(database: database)
        let holders = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask { try await locks.acquire("a", lease: .seconds(60)) != nil }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(holders == 1)
    }
}
