import Synchronization
import TandemCore
import TandemJSON
import TandemJobs
import TandemStorage
import TestDatabases
import Testing

/// Several processes on one queue.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct JobSharingTests {
    @Test func runsEachJobOnceOnTwoHosts() async throws {
        try await JobFixture.run { fixture async throws in
            let (left, right) = (fixture.queue("left"), fixture.queue("right"))
            let handlers = [Recorder(), Recorder()]
            left.register("test.note", JobRules(), handlers[0])
            right.register("test.note", JobRules(), handlers[1])
            try await fixture.running(left, right) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<4 {
                        group.addTask {
                            for index in 0..<50 {
                                let scope = index.isMultiple(of: 3) ? fixture.ann : nil
                                _ = try await (worker < 2 ? left : right).enqueue(
                                    NewJob(
                                        "test.note", for: scope, payload: ["n": .integer(Int64(worker * 50 + index))],
                                        lane: index.isMultiple(of: 5) ? "lane" : nil))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect((handlers[0].numbers + handlers[1].numbers).sorted() == Array(0..<200))
        }
    }

    @Test func takesOverWhatADeadProcessLeft() async throws {
        try await JobFixture.run { fixture async throws in
            // Held as by a process that died in the middle of it.
            let lost = fixture.queue("dead")
            try await lost.enqueue(NewJob("test.note", for: fixture.ann, payload: ["n": 3]))
            try await fixture.database.write(.system) { transaction in
                try transaction.execute(
                    """
                    UPDATE jobs SET holder = 'dead/1', attempts = 1,
                    lease_until = \(transaction.now.advanced(by: .seconds(3600)))
                    """)
            }
            let (queue, handler) = (fixture.queue("here", isAlive: { $0 != "dead" }), Recorder())
            queue.register("test.note", JobRules(), handler)
            try await fixture.running(queue) {
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.numbers == [3])
            #expect(handler.seen.map(\.attempt) == [2])
        }
    }

    @Test func takesOverWhatAQueueOfThisProcessLeft() async throws {
        try await JobFixture.run { fixture async throws in
            let workers = LivingWorkers(process: "here", mayProcessBeAlive: { _ in true })
            let handler = Recorder()
            let queue = JobQueue(
                database: fixture.database, metrics: MetricsRegistry(), worker: workers.enter())
            queue.register("test.note", JobRules(), handler)
            try await queue.enqueue(NewJob("test.note", payload: ["n": 3]))
            let gone = workers.enter().holder
            try await fixture.database.write(.system) { transaction in
                try transaction.execute(
                    "UPDATE jobs SET holder = \(gone), lease_until = \(transaction.now.advanced(by: .seconds(3600)))")
            }
            try await fixture.running(queue) {
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.numbers == [3])
        }
    }

    @Test func leavesAloneWhatALivingProcessHolds() async throws {
        try await JobFixture.run { fixture async throws in
            let lost = fixture.queue("alive")
            try await lost.enqueue(NewJob("test.note", payload: ["n": 3]))
            try await fixture.database.write(.system) { transaction in
                try transaction.execute(
                    "UPDATE jobs SET holder = 'alive/1', lease_until = \(transaction.now.advanced(by: .seconds(2)))")
            }
            let (queue, handler) = (fixture.queue("here"), Recorder())
            queue.register("test.note", JobRules(), handler)
            let end = SystemClock().now.advanced(by: .milliseconds(1900))
            try await fixture.running(queue) {
                try await fixture.until { try await fixture.rows() == 0 }
                #expect(SystemClock().now >= end)
            }
            #expect(handler.numbers == [3])
        }
    }

    @Test func keepsTheLeaseOfWhatRunsForLong() async throws {
        try await JobFixture.run { fixture async throws in
            let release = Atomic(false)
            let handler = Recorder { _ in
                while !release.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(5)) }
                return .done
            }
            let queue = fixture.queue("here", lease: .seconds(2))
            queue.register("test.note", JobRules(), handler)
            let thief = Recorder()
            let other = fixture.queue("other", lease: .seconds(2))
            other.register("test.note", JobRules(), thief)
            try await fixture.running(queue) {
                try await queue.enqueue(NewJob("test.note"))
                try await fixture.until { handler.seen.count == 1 }
                try await fixture.running(other) {
                    let begin = try await lease(fixture)
                    try await fixture.until { try await lease(fixture) >= begin + 3000 }
                }
                release.store(true, ordering: .relaxed)
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.seen.count == 1 && thief.seen.isEmpty)
        }
    }

    private func lease(_ fixture: JobFixture) async throws -> Int64 {
        try await fixture.database.read(.system) {
            try $0.first("SELECT lease_until FROM jobs")?.int64("lease_until") ?? 0
        }
    }

    @Test func putsBackWhatRunsWhenItEnds() async throws {
        try await JobFixture.run { fixture async throws in
            let handler = Recorder { _ in
                try await Task.sleep(for: .seconds(3600))
                return .done
            }
            let queue = fixture.queue("first", workers: 2)
            queue.register("test.note", JobRules(), handler)
            try await fixture.running(queue) {
                for number in Int64(0)..<5 {
                    try await queue.enqueue(NewJob("test.note", payload: ["n": .integer(number)]))
                }
                try await fixture.until { handler.seen.count == 2 }
            }
            #expect(try await fixture.rows() == 5)
            let (next, finisher) = (fixture.queue("second"), Recorder())
            next.register("test.note", JobRules(), finisher)
            try await fixture.running(next) {
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(finisher.numbers.sorted() == [0, 1, 2, 3, 4])
            // An interruption is no attempt.
            #expect(finisher.seen.allSatisfy { $0.attempt == 1 })
        }
    }

    @Test func tellsOthersOfWorkThatItCannotDo() async throws {
        try await JobFixture.run { fixture async throws in
            let told = Atomic(0)
            let (worker, handler) = (fixture.queue("worker"), Recorder())
            worker.register("test.note", JobRules(), handler)
            let front = fixture.queue(
                "front",
                tell: {
                    told.add(1, ordering: .relaxed)
                    worker.wake()
                })
            try await fixture.running(worker) {
                try await front.enqueue(NewJob("test.note"))
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(told.load(ordering: .relaxed) == 1)
            #expect(handler.seen.count == 1)
        }
    }
}
