import Synchronization
import TandemCore
import Testing

@testable import TandemAgent

@Suite(.timeLimit(.minutes(8))) struct TurnSchedulerTests {
    private static func person(_ number: Int64) -> UserScope {
        UserScope(authenticated: UserID(rawValue: number))
    }

    @Test func givesPeopleInTheOrderOfTheirMessages() async {
        let scheduler = TurnScheduler(workers: 4)
        for number in [3, 1, 2, 1] as [Int64] { scheduler.wake(Self.person(number)) }
        var given: [UserScope?] = []
        for _ in 0..<3 { given.append(await scheduler.next()) }
        #expect(given == [3, 1, 2].map { Self.person($0) })
    }

    @Test func worksOnOneTurnOfAPersonAtATime() async {
        let scheduler = TurnScheduler(workers: 4)
        scheduler.wake(Self.person(1))
        let first = await scheduler.next()
        scheduler.wake(Self.person(1))
        scheduler.wake(Self.person(2))
        #expect(await scheduler.next() == Self.person(2))
        scheduler.finish(Self.person(1), hasMore: false)
        // What came meanwhile is not lost.
        #expect(await scheduler.next() == first)
    }

    @Test func putsAPersonWithMoreToDoBehindTheOthers() async {
        let scheduler = TurnScheduler(workers: 4)
        scheduler.wake(Self.person(1))
        _ = await scheduler.next()
        scheduler.wake(Self.person(2))
        scheduler.finish(Self.person(1), hasMore: true)
        #expect(await scheduler.next() == Self.person(2))
        #expect(await scheduler.next() == Self.person(1))
    }

    @Test func givesWayToArrivingMessagesButNotForEver() async {
        let scheduler = TurnScheduler(workers: 32)
        let people = (1...64).map { Self.person($0) }
        for _ in 0..<32 { scheduler.beginArrival() }
        for person in people { scheduler.wake(person) }
        let tally = Tally()
        let begin = monotonicNanoseconds()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    while let scope = await scheduler.next() {
                        tally.begin()
                        await Task.yield()
                        let count = tally.end()
                        scheduler.finish(scope, hasMore: false)
                        // The flood ends while most still wait: nobody has to be woken for them to go on.
                        if count == 8 { for _ in 0..<32 { scheduler.endArrival() } }
                        if count == people.count { scheduler.close() }
                    }
                }
            }
        }
        #expect(tally.mostAtFirst <= TurnScheduler.fewest)
        #expect(tally.done == people.count)
        // The first eight began no faster than the rate.
        #expect(monotonicNanoseconds() - begin >= 7 * TurnScheduler.spacing)
    }

    /// Counts turns that are worked on.
    private final class Tally: Sendable {
        private let counts = Mutex((working: 0, most: 0, done: 0))

        func begin() {
            counts.withLock { counts in
                counts.working += 1
                if counts.done < 8 { counts.most = max(counts.most, counts.working) }
            }
        }

        func end() -> Int {
            counts.withLock { counts in
                counts.working -= 1
                counts.done += 1
                return counts.done
            }
        }

        var mostAtFirst: Int { counts.withLock { $0.most } }
        var done: Int { counts.withLock { $0.done } }
    }

    @Test func endsItsWorkers() async {
        let scheduler = TurnScheduler(workers: 2)
        let worker = Task { await scheduler.next() }
        scheduler.wake(Self.person(1))
        _ = await worker.value
        let idle = Task { await scheduler.next() }
        scheduler.close()
        #expect(await idle.value == nil)
        #expect(await scheduler.next() == nil)
    }
}
