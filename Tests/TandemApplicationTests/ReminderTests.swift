import TandemAccounts
import TandemAgent
import TandemCore
import TandemJSON
import TandemJobs
import TandemLife
import TandemStorage
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemApplication

/// Somebody who asked to be reminded gets a text when it is time, one more when nothing came of it, and then none.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct ReminderTests {
    private func reminders(_ person: VendorWorld.Person) -> [String] {
        person.received.filter { $0.contains("Say done, later or smaller") }
    }

    /// Time passes, and what is due has been done.
    private func pass(_ duration: Duration, _ world: VendorWorld, jobsLeft: Int) async throws {
        world.clock.advance(by: duration)
        world.application.jobs.wake()
        let ended = await eventually {
            world.application.jobs.wake()
            let count = try? await world.application.database.read(.system) { transaction in
                try transaction.query("SELECT id FROM jobs WHERE kind = 'tasks.remind'").count
            }
            return count == jobsLeft
        }
        #expect(ended)
    }

    @Test func textsWhenItIsTimeAndOnceMore() async throws {
        try await VendorWorld.run { (world) async throws in
            let carol = try await world.person()
            let saved = try await carol.text("remind me to call my mum in 2 hours")
            #expect(saved.contains("call my mum") && saved.hasSuffix("I text you then."))
            try await pass(.seconds(7000), world, jobsLeft: 1)
            #expect(reminders(carol).isEmpty)
            // The follow-up is planned with the first text.
            try await pass(.seconds(300), world, jobsLeft: 1)
            #expect(await eventually { reminders(carol) == ["Now: call my mum. Say done, later or smaller."] })
            try await pass(.seconds(16 * 60), world, jobsLeft: 0)
            #expect(await eventually { reminders(carol).count == 2 })
            #expect(reminders(carol).last == "Still up for call my mum? Say done, later or smaller.")
            // What the text offers is understood.
            #expect(try await carol.text("later").hasPrefix("Parked until"))
            #expect(try await carol.text("done").contains("call my mum"))
        }
    }

    @Test func isQuietOnceTheyAnswered() async throws {
        try await VendorWorld.run { (world) async throws in
            let carol = try await world.person()
            try await carol.text("remind me to water the plants in 30 minutes")
            try await pass(.seconds(31 * 60), world, jobsLeft: 1)
            #expect(await eventually { reminders(carol).count == 1 })
            world.clock.advance(by: .seconds(60))
            let done = try await carol.text("done")
            #expect(done.contains("water the plants"), "\(carol.received)")
            try await pass(.seconds(20 * 60), world, jobsLeft: 0)
            #expect(reminders(carol).count == 1)
        }
    }

    @Test func nothingComesOfWhatWasTakenBack() async throws {
        try await VendorWorld.run { (world) async throws in
            let carol = try await world.person()
            try await carol.text("remind me to water the plants in 30 minutes")
            #expect(try await carol.text("undo").contains("Undone"))
            try await pass(.seconds(31 * 60), world, jobsLeft: 0)
            #expect(reminders(carol).isEmpty)
        }
    }
}
