import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemLife

/// Who wants to be reminded is promised a time, and the reminder holds only as long as the task says so.
@Suite(.eachEngine)
struct TaskReminderTests {
    /// Keeps what was planned.
    final class Plans: TaskReminding {
        let all = Mutex<[TaskReminder]>([])
        let isReachable: Bool

        init(isReachable: Bool = true) { self.isReachable = isReachable }

        func reaches(_ scope: UserScope) async throws -> Bool { isReachable }

        func put(_ reminder: TaskReminder, in transaction: any WriteTransaction) throws {
            transaction.afterCommit { [self] in all.withLock { $0.append(reminder) } }
        }

        var times: [String] { all.withLock { $0.map(\.at.description) } }
        var last: TaskReminder? { all.withLock(\.last) }
    }

    private func text(_ reminder: TaskReminder?, _ world: World, at now: Timestamp? = nil) async throws -> String? {
        let reminder = try #require(reminder)
        return try await world.database.write(reminder.scope) { transaction in
            try reminder.text(now: now ?? reminder.at, zone: "UTC", in: transaction)
        }
    }

    @Test func promisesTheTimeThatWasSaid() async throws {
        let plans = Plans()
        let world = try await World(reminding: plans)
        let saved = try await world.value(
            "tasks.add", ["title": "call mum", "due": "2026-11-21T17:00:00.000Z", "reminder": true])
        #expect(saved.message == "Saved: call mum, today 17:00. I text you then.")
        #expect(plans.times == ["2026-11-21T17:00:00.000Z"])
        #expect(try await text(plans.last, world) == "Now: call mum. Say done, later or smaller.")
        let late = plans.last?.at.advanced(by: .seconds(3600))
        #expect(
            try await text(plans.last, world, at: late) == "From today 17:00: call mum. Say done, later or smaller.")
        await world.database.close()
    }

    @Test func takesTheMorningOfADayAndAsksForOneWhereThereIsNone() async throws {
        let plans = Plans()
        let world = try await World(reminding: plans)
        let day = try await world.value("tasks.add", ["title": "pay rent", "due": "2026-12-01", "reminder": true])
        #expect(day.message == "Saved: pay rent, by Tue 1 Dec. I text you Tue 1 Dec 09:00.")
        #expect(plans.times == ["2026-12-01T09:00:00.000Z"])
        let open = try await world.value("tasks.add", ["title": "write to Tom", "reminder": true])
        #expect(open.message == "Saved: write to Tom. When shall I text you? Say a day or a time.")
        let then = try await world.value("tasks.due", ["task": "write to Tom", "due": "2026-11-22T12:30:00.000Z"])
        #expect(then.message == "write to Tom: by tomorrow 12:30. I text you then.")
        #expect(plans.times.last == "2026-11-22T12:30:00.000Z")
        await world.database.close()
    }

    @Test func movesWithTheTaskAndEndsWithIt() async throws {
        let plans = Plans()
        let world = try await World(reminding: plans)
        try await world.value(
            "tasks.add", ["title": "call mum", "due": "2026-11-21T17:00:00.000Z", "reminder": true])
        let first = plans.last
        let parked = try await world.value(
            "tasks.snooze", ["task": "call mum", "until": "2026-11-21T19:00:00.000Z"])
        #expect(parked.message == "Parked until today 19:00: call mum. I text you today 19:00.")
        let second = plans.last
        #expect(second != first)
        #expect(try await text(first, world) == nil)
        #expect(try await text(second, world) != nil)
        // Until tomorrow is until the morning.
        try await world.value("tasks.snooze", ["task": "call mum", "until": "2026-11-22"])
        #expect(plans.times.last == "2026-11-22T09:00:00.000Z")
        let third = plans.last
        #expect(try await text(second, world) == nil)
        #expect(try await text(third, world) != nil)
        try await world.value("tasks.done", ["task": "call mum"])
        #expect(try await text(third, world) == nil)
        await world.database.close()
    }

    @Test func promisesNothingToWhomItCannotReach() async throws {
        let world = try await World(reminding: Plans(isReachable: false))
        let saved = try await world.value(
            "tasks.add", ["title": "call mum", "due": "2026-11-21T17:00:00.000Z", "reminder": true])
        #expect(saved.message.contains("I have no number to text you on"))
        let quiet = try await world.value("tasks.add", ["title": "buy a kite", "due": "2026-11-21T17:00:00.000Z"])
        #expect(quiet.message == "Saved: buy a kite, today 17:00.")
        await world.database.close()
    }

    @Test func theMorningIsNineOnDaysWhoseClocksChange() async throws {
        let plans = Plans()
        let world = try await World(reminding: plans)
        try await world.accounts.set(.timeZone, to: "Europe/Paris", of: world.ann)
        for day in ["2027-03-28", "2027-10-31"] {
            try await world.value("tasks.add", ["title": .string("t \(day)"), "due": .string(day), "reminder": true])
        }
        #expect(plans.times == ["2027-03-28T07:00:00.000Z", "2027-10-31T08:00:00.000Z"])
        await world.database.close()
    }
}
