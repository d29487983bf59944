import TandemSDK
import TandemTesting
import Testing

@testable import Water

/// The example plugin, tested the way an author would.
@Suite struct WaterTests {
    @Test func countsGlassesOfTheDayOfEachPerson() async throws {
        let host = try TestHost(Water.self)
        let ann = host.person("ann")
        let ben = host.person("ben")
        #expect(await ann.say("water.drink") == "One glass today.")
        #expect(await ann.call(Drink.self) { $0.glasses = 2 }.message == "That makes 3 glasses today.")
        #expect(try await ben.value("water.drink") == 1)
        #expect(ann.rows(of: Glass.self).map(\.glasses) == [1, 2])
        host.now = Instant("2026-11-22T10:00:00Z") ?? host.now
        #expect(try await ann.value("water.drink") == 1)
    }

    @Test func saysOnceThatTheGoalIsReached() async throws {
        let ann = try TestHost(Water.self).person()
        ann.configure("water", Settings(goal: 4))
        #expect(await ann.say("water.today") == "No water yet today. 4 to go.")
        #expect(await ann.say("water.drink", ["glasses": 3]) == "That makes 3 glasses today.")
        #expect(await ann.say("water.drink") == "That makes 4 glasses today. That is your goal, well done.")
        #expect(await ann.say("water.drink") == "That makes 5 glasses today.")
        #expect(await ann.say("water.today") == "5 glasses so far. Goal reached.")
    }

    @Test func looksBackAWeek() async throws {
        let host = try TestHost(Water.self)
        let ann = host.person()
        _ = await ann.say("water.drink", ["glasses": 2])
        host.now = Instant("2026-11-23T10:00:00Z") ?? host.now
        _ = await ann.say("water.drink")
        #expect(await ann.say("water.week") == "3 glasses in the last seven days.\n2026-11-21: 2\n2026-11-23: 1")
        host.now = Instant("2026-12-09T10:00:00Z") ?? host.now
        #expect(await ann.say("water.week") == "0 glasses in the last seven days.")
    }

    @Test func undoTakesTheGlassBack() async throws {
        let ann = try TestHost(Water.self).person()
        try await ann.value("water.drink", ["glasses": 4])
        #expect(ann.undo())
        #expect(ann.rows(of: Glass.self).isEmpty)
        #expect(!ann.undo())
    }

    @Test func refusesGlassesOutsideTheDeclaredRange() async throws {
        let ann = try TestHost(Water.self).person()
        #expect(await ann.call("water.drink", ["glasses": 31]).error?.code == "schema")
        #expect(ann.rows(of: Glass.self).isEmpty)
    }
}
