import Synchronization
import TandemAgent
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// Timers and events on a database file, with a clock that the tests set and handlers that they answer for.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct PluginWorkTests {
    /// Records calls and answers what a test wants.
    private final class Handlers: Sendable {
        private let state = Mutex<(calls: [(HandlerCall, UserScope)], answer: HandlerOutcome)>(([], .done))

        var calls: [HandlerCall] { state.withLock { $0.calls.map(\.0) } }
        var users: [Int64] { state.withLock { $0.calls.map(\.1.user.rawValue) } }

        func answer(_ outcome: HandlerOutcome) { state.withLock { $0.answer = outcome } }

        @Sendable
        func deliver(_ call: HandlerCall, _ scope: UserScope) async -> HandlerOutcome {
            state.withLock { state in
                state.calls.append((call, scope))
                return state.answer
            }
        }
    }

    private static let table = TableDefinition(
        name: "work_things", columns: [ColumnDefinition("label", .text)], indexes: [], purpose: "things")

    private static let utc: @Sendable (UserScope) -> TimerSchedule.Offset = { _ in { _ in 0 } }

    private func work(
        _ database: any Database, _ file: PluginDatabase, _ deliver: @escaping PluginWork.Delivery
    ) -> PluginWork {
        PluginWork(
            database: database, clock: file.clock, metrics: MetricsRegistry(), offset: Self.utc, deliver: deliver)
    }

    private func timers(_ database: any Database) -> StoredTimers {
        StoredTimers(database: database, offset: Self.utc, wake: {})
    }

    private func plan(
        _ name: String, in seconds: Int, _ file: PluginDatabase, repeats: TimerRepeat? = nil, data: JSONObject = [:]
    ) -> TimerPlan {
        TimerPlan(
            name: name, handler: "notes.due", data: data, dueAt: file.clock.now.advanced(by: .seconds(seconds)),
            repeats: repeats)
    }

    private static let retry = HandlerOutcome.retry(
        ToolFailure(status: -62, code: "unavailable", message: "", isRetryable: true))

    // MARK: Timers

    @Test func firesOnceWhenDueAlsoAfterARestart() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        try await file.use { (database) async throws in
            try await timers(database).set(
                plan("milk", in: 60, file, data: ["item": "milk"]), limit: 8, in: place())
            try await timers(database).set(plan("milk", in: 90, file), limit: 8, in: place("test.notes", 2))
            let work = work(database, file, handlers.deliver)
            #expect(try await work.tick() == file.clock.now.advanced(by: .seconds(60)))
            #expect(handlers.calls.isEmpty)
        }
        file.clock.advance(by: .seconds(61))
        try await file.use { (database) async throws in
            let work = work(database, file, handlers.deliver)
            try await work.tick()
            try await work.tick()
            let call = try #require(handlers.calls.first)
            #expect(handlers.calls.count == 1)
            #expect(handlers.users == [1])
            #expect(call.plugin == "test.notes")
            #expect(call.handler == "notes.due")
            #expect(call.arguments["timer"] == "milk")
            #expect(call.arguments["data"] == ["item": "milk"])
            #expect(call.arguments["missed"] == 0)
            #expect(
                call.arguments["dueAt"]
                    == .string(file.clock.now.advanced(by: .seconds(-1)).description))
            #expect(try await timers(database).timers(in: place()).isEmpty)
            #expect(try await timers(database).timers(in: place("test.notes", 2)).count == 1)
        }
    }

    @Test func takesUpAFiringThatAProcessLeftBehindAndRollsItsRowsBack() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            try await database.register([Self.table], owner: "test.notes")
            try await timers(database).set(plan("milk", in: 0, file), limit: 8, in: place())
            // Takes the job, writes, and is gone.
            let machine = TurnHolder.current.text.prefix { $0 != ":" }
            let store = PluginJobStore(database: database, holder: "\(machine):999999999:1/1", offset: Self.utc)
            let jobs = try await store.claim(
                limit: 8, busy: [], full: [], room: { _, _ in true }, isAlive: { _ in true })
            let job = try #require(jobs.first)
            _ = try await store.open(job)
            _ = try await database.write(place().scope) { transaction in
                try transaction.insert(
                    "work_things", ["label": "half"], origin: job.origin, tables: .owner("test.notes"))
            }
            // Another worker leaves it alone while the first may be alive.
            let other = PluginJobStore(database: database, holder: "other:1:1/1", offset: Self.utc)
            #expect(
                try await other.claim(limit: 8, busy: [], full: [], room: { _, _ in true }, isAlive: { _ in true })
                    .isEmpty)
        }
        let keys = Mutex<[String]>([])
        try await file.use { (database) async throws in
            try await database.register([Self.table], owner: "test.notes")
            let work = work(database, file) { call, scope in
                keys.withLock { $0.append(call.idempotencyKey) }
                _ = try? await database.write(scope) { transaction in
                    try transaction.insert(
                        "work_things", ["label": "whole"], origin: call.origin, tables: .owner("test.notes"))
                }
                return .done
            }
            try await work.tick()
            try await work.tick()
            let labels = try await database.read(place().scope) { transaction in
                try transaction.list("work_things", tables: .owner("test.notes")).compactMap { $0.string("label") }
            }
            #expect(labels == ["whole"])
            #expect(keys.withLock { $0.count } == 1)
            // The person did not ask for it: "undo" is for what they said.
            #expect(try await database.read(place().scope) { try $0.latestUndoable() } == nil)
        }
    }

    @Test func triesAgainForPassingReasonsWithGrowingDelayAndOneKey() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        handlers.answer(Self.retry)
        try await file.use { (database) async throws in
            try await timers(database).set(plan("milk", in: 0, file), limit: 8, in: place())
            let work = work(database, file, handlers.deliver)
            try await work.tick()
            for delay in [10, 40, 160, 640] {
                file.clock.advance(by: .seconds(delay - 1))
                let before = handlers.calls.count
                try await work.tick()
                #expect(handlers.calls.count == before)
                file.clock.advance(by: .seconds(1))
                try await work.tick()
                #expect(handlers.calls.count == before + 1)
            }
            file.clock.advance(by: .seconds(86_400))
            try await work.tick()
            #expect(handlers.calls.count == 5)
            #expect(Set(handlers.calls.map(\.idempotencyKey)).count == 1)
            #expect(try await timers(database).timers(in: place()).isEmpty)
        }
    }

    @Test func doesNotRepeatWhatFailedForGood() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        handlers.answer(.failed(ToolFailure(status: -1, code: "invalid", message: "")))
        try await file.use { (database) async throws in
            try await timers(database).set(plan("milk", in: 0, file), limit: 8, in: place())
            let work = work(database, file, handlers.deliver)
            try await work.tick()
            file.clock.advance(by: .seconds(86_400))
            try await work.tick()
            #expect(handlers.calls.count == 1)
        }
    }

    @Test func waitsForAPluginThatIsOff() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        handlers.answer(.off)
        try await file.use { (database) async throws in
            try await timers(database).set(
                plan("milk", in: 0, file, repeats: .seconds(60)), limit: 8, in: place())
            let work = work(database, file, handlers.deliver)
            for _ in 0..<10 {
                try await work.tick()
                file.clock.advance(by: .seconds(60))
            }
            handlers.answer(.done)
            try await work.tick()
            let last = try #require(handlers.calls.last)
            #expect(last.arguments["missed"] == 10)
            #expect(last.arguments["dueAt"] == .string(file.clock.now.description))
        }
    }

    @Test func repeatsWithoutMakingUpForWhatWasMissed() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        try await file.use { (database) async throws in
            try await timers(database).set(
                plan("water", in: 0, file, repeats: .seconds(3600)), limit: 8, in: place())
            let work = work(database, file, handlers.deliver)
            try await work.tick()
            #expect(handlers.calls.count == 1)
            file.clock.advance(by: .seconds(3 * 3600 + 5))
            #expect(try await work.tick() == file.clock.now.advanced(by: .seconds(3595)))
            #expect(handlers.calls.count == 2)
            #expect(handlers.calls.last?.arguments["missed"] == 2)
            #expect(Set(handlers.calls.map(\.idempotencyKey)).count == 2)
            let left = try await timers(database).timers(in: place())
            #expect(left.map(\.dueAt) == [file.clock.now.advanced(by: .seconds(3595))])
            #expect(left.map(\.repeats) == [.seconds(3600)])
        }
    }

    @Test func letsAHandlerSetItsOwnTimerAnew() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let timers = timers(database)
            let next = plan("milk", in: 600, file)
            try await timers.set(plan("milk", in: 0, file), limit: 1, in: place())
            let work = work(database, file) { _, _ in
                try? await timers.set(next, limit: 1, in: place())
                return .done
            }
            try await work.tick()
            #expect(try await timers.timers(in: place()) == [next])
        }
    }

    @Test func keepsToTheNumberOfTimersAndCancels() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        try await file.use { (database) async throws in
            let timers = timers(database)
            try await timers.set(plan("a", in: 10, file), limit: 2, in: place())
            try await timers.set(plan("b", in: 10, file), limit: 2, in: place())
            #expect(
                await failure { try await timers.set(plan("c", in: 10, file), limit: 2, in: place()) }?.status == -21)
            // In place of one with that name.
            try await timers.set(plan("b", in: 20, file), limit: 2, in: place())
            try await timers.cancel("a", in: place())
            #expect(await failure { try await timers.cancel("a", in: place()) }?.status == -8)
            #expect(await failure { try await timers.cancel("b", in: place("test.notes", 2)) }?.status == -8)
            file.clock.advance(by: .seconds(30))
            try await work(database, file, handlers.deliver).tick()
            #expect(handlers.calls.map { $0.arguments["timer"] } == ["b"])
        }
    }

    // MARK: Events

    private func event(
        _ key: String = "", to receivers: [String] = ["test.listener"], data: JSONObject = [:]
    ) -> PluginEvent {
        PluginEvent(
            topic: "notes.written", data: data, key: key, depth: 1,
            receivers: receivers.map { .init(plugin: $0, handler: "listener.heard") })
    }

    @Test func deliversToEverySubscriberAlsoAfterARestart() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        let id = try await file.use { (database) async throws in
            try await StoredEvents(database: database, wake: {}).publish(
                event(to: ["test.a", "test.b"], data: ["title": "x"]), in: place())
        }
        try await file.use { (database) async throws in
            let work = work(database, file, handlers.deliver)
            try await work.tick()
            try await work.tick()
            #expect(Set(handlers.calls.map(\.plugin)) == ["test.a", "test.b"])
            #expect(handlers.calls.count == 2)
            #expect(handlers.users == [1, 1])
            for call in handlers.calls {
                #expect(call.arguments["event"] == .string(id.description))
                #expect(call.arguments["topic"] == "notes.written")
                #expect(call.arguments["data"] == ["title": "x"])
                #expect(call.eventDepth == 1)
            }
            #expect(Set(handlers.calls.map(\.idempotencyKey)).count == 2)
        }
    }

    @Test func publishesAKeyOnceInSevenDays() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        try await file.use { (database) async throws in
            let events = StoredEvents(database: database, wake: {})
            let first = try await events.publish(event("k"), in: place())
            #expect(try await events.publish(event("k"), in: place()) == first)
            #expect(try await events.publish(event("k"), in: place("test.notes", 2)) != first)
            #expect(try await events.publish(event("other"), in: place()) != first)
            try await work(database, file, handlers.deliver).tick()
            #expect(handlers.calls.count == 3)
            file.clock.advance(by: .seconds(7 * 86_400 + 1))
            #expect(try await events.publish(event("k"), in: place()) != first)
        }
    }

    @Test func keepsTheOrderForOnePluginAndPerson() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        try await file.use { (database) async throws in
            let events = StoredEvents(database: database, wake: {})
            for number in 0..<40 {
                _ = try await events.publish(event(data: ["number": .integer(Int64(number))]), in: place())
            }
            try await work(database, file, handlers.deliver).tick()
            #expect(
                handlers.calls.map { $0.arguments["data"]?["number"]?.int64Value } == (0..<40).map { Int64($0) })
        }
    }

    @Test func boundsWhatWaitsPerPublisherAndPerson() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let events = StoredEvents(database: database, wake: {})
            for _ in 0..<StoredEvents.mostWaiting { _ = try await events.publish(event(), in: place()) }
            #expect(await failure { _ = try await events.publish(event("k"), in: place()) }?.status == -21)
            _ = try await events.publish(event(), in: place("test.notes", 2))
            _ = try await events.publish(event(), in: place("test.other", 1))
            // What was refused is not known by its key.
            _ = try await work(database, file, { _, _ in .done }).tick()
            let handlers = Handlers()
            _ = try await events.publish(event("k"), in: place())
            _ = try await work(database, file, handlers.deliver).tick()
            #expect(handlers.calls.count == 1)
        }
    }

    @Test func givesUpAnEventAfterEightTriesOrSevenDays() async throws {
        let file = try await PluginDatabase()
        let handlers = Handlers()
        handlers.answer(Self.retry)
        try await file.use { (database) async throws in
            let events = StoredEvents(database: database, wake: {})
            _ = try await events.publish(event(), in: place())
            let work = work(database, file, handlers.deliver)
            for _ in 0..<20 {
                try await work.tick()
                file.clock.advance(by: .seconds(3601))
            }
            #expect(handlers.calls.count == 8)
            handlers.answer(.off)
            _ = try await events.publish(event(), in: place())
            try await work.tick()
            file.clock.advance(by: .seconds(8 * 86_400))
            handlers.answer(.done)
            let before = handlers.calls.count
            try await work.tick()
            #expect(handlers.calls.count == before)
        }
    }

    @Test func letsOneSlowPluginHoldUpNoOther() async throws {
        let file = try await PluginDatabase()
        let gate = Gate()
        let heard = Mutex<[String]>([])
        try await file.use { (database) async throws in
            let events = StoredEvents(database: database, wake: {})
            // Every person's delivery to the slow plugin comes first.
            for user in 1...50 {
                _ = try await events.publish(event(to: ["test.slow"]), in: place("test.notes", Int64(user)))
            }
            _ = try await events.publish(event(to: ["test.quick"]), in: place())
            let waiting = Mutex(0)
            let work = work(database, file) { call, _ in
                if call.plugin == "test.slow" {
                    waiting.withLock { $0 += 1 }
                    await gate.pass()
                    return .done
                }
                heard.withLock { $0.append(call.plugin) }
                gate.open()
                return .done
            }
            try await work.tick()
            #expect(heard.withLock { $0 } == ["test.quick"])
            #expect(waiting.withLock { $0 } == 50)
        }
    }

    @Test func worksWhileItRunsAndEndsWhenCancelled() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let fired = AsyncStream<String>.makeStream()
            let work = work(database, file) { call, _ in
                fired.continuation.yield(call.handler)
                return .done
            }
            let timers = StoredTimers(database: database, offset: Self.utc, wake: { work.wake() })
            let running = Task { await work.run() }
            try await timers.set(plan("milk", in: 0, file), limit: 8, in: place())
            for await handler in fired.stream {
                #expect(handler == "notes.due")
                break
            }
            running.cancel()
            await running.value
        }
    }
}

/// Holds tasks back until it is opened.
private final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// When timers are due.
struct TimerScheduleTests {
    /// Central European time in 2026: summer time from 29 March to 25 October, 01:00 UTC each.
    private let berlin: TimerSchedule.Offset = { milliseconds in
        milliseconds >= 1_774_746_000_000 && milliseconds < 1_792_890_000_000 ? 7200 : 3600
    }

    private func schedule(_ first: String, _ repeats: TimerRepeat?) throws -> TimerSchedule {
        let instant = try #require(Timestamp(first))
        return TimerSchedule(
            anchorLocal: TimerSchedule.local(instant, offset: berlin), first: instant, repeats: repeats)
    }

    private func occurrences(_ schedule: TimerSchedule, _ numbers: [Int]) -> [String] {
        numbers.map { schedule.occurrence($0, offset: berlin).description }
    }

    @Test func keepsTheTimeOfDayAcrossChangesOfTheClocks() throws {
        let daily = try schedule("2026-03-28T07:00:00.000Z", .days(1))
        #expect(
            occurrences(daily, [0, 1, 2]) == [
                "2026-03-28T07:00:00.000Z", "2026-03-29T06:00:00.000Z", "2026-03-30T06:00:00.000Z",
            ])
        let autumn = try schedule("2026-10-24T06:00:00.000Z", .days(1))
        #expect(occurrences(autumn, [1]) == ["2026-10-25T07:00:00.000Z"])
    }

    @Test func findsATimeThatTheClockLeavesOutOrShowsTwice() throws {
        // 02:30 in Berlin: left out on 29 March, shown twice on 25 October.
        let spring = try schedule("2026-03-28T01:30:00.000Z", .days(1))
        #expect(occurrences(spring, [1, 2]) == ["2026-03-29T01:30:00.000Z", "2026-03-30T00:30:00.000Z"])
        let autumn = try schedule("2026-10-24T00:30:00.000Z", .days(1))
        #expect(occurrences(autumn, [1, 2]) == ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"])
    }

    @Test func comesOnTheLastDayOfShorterMonths() throws {
        let monthly = try schedule("2026-01-31T08:00:00.000Z", .months(1))
        #expect(
            occurrences(monthly, [1, 2, 3]) == [
                "2026-02-28T08:00:00.000Z", "2026-03-31T07:00:00.000Z", "2026-04-30T07:00:00.000Z",
            ])
    }

    @Test func findsTheLatestThatIsNotAfterNow() throws {
        let now = try #require(Timestamp("2026-06-01T00:00:00.000Z"))
        for repeats in [TimerRepeat.seconds(61), .days(3), .months(2)] {
            let schedule = try schedule("2026-01-31T08:00:00.000Z", repeats)
            let latest = schedule.latest(from: 0, notAfter: now, offset: berlin)
            #expect(schedule.occurrence(latest, offset: berlin) <= now)
            #expect(schedule.occurrence(latest + 1, offset: berlin) > now)
            #expect(schedule.latest(from: latest + 5, notAfter: now, offset: berlin) == latest + 5)
        }
    }
}
