import Synchronization
import TandemCore
import TandemJSON
import TandemJobs
import TandemStorage
import TestDatabases
import Testing

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct JobQueueTests {
    @Test func runsWhatIsEnqueuedAndLeavesNothing() async throws {
        try await JobFixture.run { fixture async throws in
            let (queue, handler) = (fixture.queue(), Recorder())
            queue.register("test.note", JobRules(), handler)
            try await fixture.running(queue) {
                for number in 0..<40 {
                    let scope = number.isMultiple(of: 2) ? fixture.ann : nil
                    _ = try await queue.enqueue(
                        NewJob("test.note", for: scope, payload: ["n": .integer(Int64(number))]))
                }
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.numbers.sorted() == Array(0..<40))
            #expect(handler.seen.allSatisfy { $0.attempt == 1 })
            #expect(handler.seen.filter { $0.scope == fixture.ann }.count == 20)
        }
    }

    @Test func isDurableBeforeEnqueueReturnsAndRunsInAnotherProcess() async throws {
        try await JobFixture.run { fixture async throws in
            // Nobody runs here: the job waits in the database.
            let front = fixture.queue("front")
            try await front.enqueue(NewJob("test.note", for: fixture.ann, payload: ["n": 7]))
            let (worker, handler) = (fixture.queue("worker"), Recorder())
            worker.register("test.note", JobRules(), handler)
            try await fixture.running(worker) {
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.numbers == [7])
        }
    }

    @Test func belongsToTheTransactionThatEnqueuedIt() async throws {
        struct Refused: Error {}
        try await JobFixture.run { fixture async throws in
            let (queue, handler) = (fixture.queue(), Recorder())
            queue.register("test.note", JobRules(), handler)
            try await fixture.running(queue) {
                await #expect(throws: Refused.self) {
                    try await fixture.database.write(fixture.ann) { transaction in
                        _ = try queue.enqueue(NewJob("test.note", for: fixture.ann, payload: ["n": 1]), in: transaction)
                        throw Refused()
                    }
                }
                try await queue.enqueue(NewJob("test.note", payload: ["n": 2]))
                try await fixture.until { try await fixture.rows() == 0 && !handler.seen.isEmpty }
            }
            #expect(handler.numbers == [2])
        }
    }

    @Test func refusesAJobForSomebodyElse() async throws {
        try await JobFixture.run { fixture async throws in
            let queue = fixture.queue()
            await #expect(throws: StorageError.self) {
                try await fixture.database.write(fixture.ann) { transaction in
                    _ = try queue.enqueue(NewJob("test.note", for: fixture.bob), in: transaction)
                }
            }
            #expect(try await fixture.rows() == 0)
        }
    }

    @Test func sealsAPersonsPayload() async throws {
        try await JobFixture.run { fixture async throws in
            let queue = fixture.queue()
            try await queue.enqueue(NewJob("test.note", for: fixture.ann, payload: ["text": "a private matter"]))
            let row = try #require(
                try await fixture.database.read(.system) { try $0.first("SELECT * FROM jobs") })
            for column in row.columns {
                switch row[column] {
                case .text(let text)?: #expect(!text.contains("private"))
                case .blob(let bytes)?:
                    #expect(String(decoding: bytes, as: UTF8.self).firstRange(of: "private") == nil)
                default: break
                }
            }
        }
    }

    @Test func enqueuesAKeyOnceWhileItWaitsOrRuns() async throws {
        try await JobFixture.run { fixture async throws in
            let (queue, handler) = (fixture.queue(), Recorder())
            queue.register("test.note", JobRules(), handler)
            let first = try await queue.enqueue(NewJob("test.note", for: fixture.ann, key: "mail"))
            #expect(first != nil)
            #expect(try await queue.enqueue(NewJob("test.note", for: fixture.ann, key: "mail")) == nil)
            #expect(try await queue.enqueue(NewJob("test.note", for: fixture.bob, key: "mail")) != nil)
            #expect(try await queue.enqueue(NewJob("test.note", for: fixture.ann, key: "events")) != nil)
            try await fixture.running(queue) {
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.seen.count == 3)
            #expect(try await queue.enqueue(NewJob("test.note", for: fixture.ann, key: "mail")) != nil)
        }
    }

    @Test func keepsTheOrderOfALane() async throws {
        try await JobFixture.run { fixture async throws in
            let failed = Atomic(false)
            let handler = Recorder { job in
                // The second one fails once: those behind it wait for it.
                if job.payload["n"]?.int64Value == 1, !failed.exchange(true, ordering: .relaxed) {
                    throw JobFailure("away", isRetryable: true)
                }
                return .done
            }
            let queue = fixture.queue()
            queue.register("test.note", JobRules(firstPause: .milliseconds(20)), handler)
            try await fixture.running(queue) {
                for number in 0..<8 {
                    try await queue.enqueue(
                        NewJob("test.note", for: fixture.ann, payload: ["n": .integer(Int64(number))], lane: "mail"))
                }
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.numbers == [0, 1, 1, 2, 3, 4, 5, 6, 7])
            #expect(handler.most == 1)
        }
    }

    @Test func waitsForItsTime() async throws {
        try await JobFixture.run { fixture async throws in
            let (queue, handler) = (fixture.queue(), Recorder())
            queue.register("test.note", JobRules(), handler)
            try await fixture.running(queue) {
                let soon = SystemClock().now.advanced(by: .milliseconds(400))
                try await queue.enqueue(NewJob("test.note", payload: ["n": 1], runAt: soon))
                try await queue.enqueue(
                    NewJob("test.note", payload: ["n": 2], runAt: soon.advanced(by: .seconds(3600))))
                try await queue.enqueue(NewJob("test.note", payload: ["n": 0]))
                try await fixture.until { handler.seen.count == 2 }
                #expect(SystemClock().now >= soon)
            }
            #expect(handler.numbers == [0, 1])
            #expect(try await fixture.rows() == 1)
        }
    }

    @Test func triesAgainThenGivesUpAndTellsWhy() async throws {
        try await JobFixture.run { fixture async throws in
            let handler = Recorder { _ in throw JobFailure("vendor_down", isRetryable: true) }
            let queue = fixture.queue()
            queue.register("test.note", JobRules(attempts: 3, firstPause: .milliseconds(2)), handler)
            try await fixture.running(queue) {
                try await queue.enqueue(NewJob("test.note", for: fixture.ann, key: "once"))
                try await fixture.until { try await queue.givenUp().count == 1 }
            }
            #expect(handler.seen.map(\.attempt) == [1, 2, 3])
            #expect(Set(handler.seen.map(\.id)).count == 1)
            #expect(handler.gaveUp == ["vendor_down"])
            let given = try #require(try await queue.givenUp().first)
            #expect(given.failure == "vendor_down" && given.attempts == 3 && given.user == fixture.ann.user)
            let summary = try #require(try await queue.summary().first)
            #expect(summary.kind == "test.note" && summary.givenUp == 1 && summary.waiting + summary.running == 0)
            // Its key is free again; an operator may give it another chance as long as nobody else has the key.
            #expect(try await queue.enqueue(NewJob("test.note", for: fixture.ann, key: "once")) != nil)
            #expect(try await queue.retry() == 0)
            #expect(try await queue.forget() == 1)
        }
    }

    @Test func givesUpAtOnceWhatCannotSucceedAndRetriesOnRequest() async throws {
        try await JobFixture.run { fixture async throws in
            let isMended = Atomic(false)
            let handler = Recorder { _ in
                guard isMended.load(ordering: .relaxed) else { throw JobFailure("refused", isRetryable: false) }
                return .done
            }
            let queue = fixture.queue()
            queue.register("test.note", JobRules(), handler)
            try await fixture.running(queue) {
                try await queue.enqueue(NewJob("test.note"))
                try await fixture.until { try await queue.givenUp().count == 1 }
                #expect(handler.seen.count == 1)
                isMended.store(true, ordering: .relaxed)
                #expect(try await queue.retry() == 1)
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.seen.map(\.attempt) == [1, 1])
        }
    }

    @Test func comesBackLaterWithoutCountingAnAttempt() async throws {
        try await JobFixture.run { fixture async throws in
            let rounds = Atomic(0)
            let handler = Recorder { _ in
                rounds.add(1, ordering: .relaxed).newValue < 4 ? .later(.milliseconds(2)) : .done
            }
            let queue = fixture.queue()
            queue.register("test.note", JobRules(attempts: 2), handler)
            try await fixture.running(queue) {
                try await queue.enqueue(NewJob("test.note"))
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.seen.map(\.attempt) == [1, 1, 1, 1])
        }
    }

    @Test func cancelsWhatTakesTooLong() async throws {
        try await JobFixture.run { fixture async throws in
            let handler = Recorder { job in
                if job.attempt == 1 { try await Task.sleep(for: .seconds(3600)) }
                return .done
            }
            let queue = fixture.queue()
            queue.register("test.note", JobRules(timeLimit: .milliseconds(50), firstPause: .milliseconds(2)), handler)
            try await fixture.running(queue) {
                try await queue.enqueue(NewJob("test.note"))
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.seen.map(\.attempt) == [1, 2])
        }
    }

    @Test func runsNoMoreAtOnceThanItsRulesSay() async throws {
        try await JobFixture.run { fixture async throws in
            let handler = Recorder { _ in
                try await Task.sleep(for: .milliseconds(2))
                return .done
            }
            let other = Recorder()
            let queue = fixture.queue(workers: 6)
            queue.register("test.slow", JobRules(concurrency: 2), handler)
            queue.register("test.quick", JobRules(), other)
            for _ in 0..<60 { try await queue.enqueue(NewJob("test.slow")) }
            try await fixture.running(queue) {
                try await queue.enqueue(NewJob("test.quick"))
                // The quick one does not wait for all of the slow ones.
                try await fixture.until { !other.seen.isEmpty }
                #expect(try await fixture.rows() > 0)
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(handler.most == 2)
            #expect(handler.seen.count == 60)
        }
    }

    @Test func endsAJobTogetherWithItsEffect() async throws {
        try await JobFixture.run { fixture async throws in
            let database = fixture.database
            let handler = Recorder { job in
                try await database.write(.system) { transaction in
                    try transaction.execute(
                        "INSERT INTO jobs (user_id, id, kind, run_at, created_at, gave_up_at) VALUES (0, 1, 'effect', 0, 0, 0)"
                    )
                    try job.complete(in: transaction)
                }
                return .done
            }
            let queue = fixture.queue()
            queue.register("test.note", JobRules(), handler)
            try await fixture.running(queue) {
                try await queue.enqueue(NewJob("test.note", for: fixture.ann))
                try await fixture.until { try await queue.givenUp().count == 1 }
            }
            #expect(try await fixture.rows() == 1)
        }
    }

    @Test func whatWasTakenOverCannotBeCompleted() async throws {
        try await JobFixture.run { fixture async throws in
            let database = fixture.database
            let refusals = Atomic(0)
            let handler = Recorder { job in
                do {
                    try await database.write(.system) { transaction in
                        if job.attempt == 1 { try transaction.execute("UPDATE jobs SET holder = 'other'") }
                        try job.complete(in: transaction)
                    }
                } catch let error as StorageError where error.code == .conflict {
                    refusals.add(1, ordering: .relaxed)
                    throw error
                }
                return .done
            }
            let queue = fixture.queue()
            queue.register("test.note", JobRules(firstPause: .milliseconds(2)), handler)
            try await fixture.running(queue) {
                try await queue.enqueue(NewJob("test.note"))
                try await fixture.until { try await fixture.rows() == 0 }
            }
            #expect(refusals.load(ordering: .relaxed) == 1)
            #expect(handler.seen.map(\.attempt) == [1, 2])
        }
    }

    @Test func dropsAPersonsJobsAndCancelsThem() async throws {
        try await JobFixture.run { fixture async throws in
            let handler = Recorder { _ in
                try await Task.sleep(for: .seconds(3600))
                return .done
            }
            let queue = fixture.queue(workers: 2)
            queue.register("test.note", JobRules(), handler)
            try await fixture.running(queue) {
                for scope in [fixture.ann, fixture.bob, fixture.ann] {
                    try await queue.enqueue(NewJob("test.note", for: scope))
                }
                try await fixture.until { handler.seen.count == 2 }
                try await fixture.database.write(fixture.ann) { try queue.drop(of: fixture.ann, in: $0) }
                try await fixture.until { try await fixture.rows() == 1 }
            }
        }
    }
}
