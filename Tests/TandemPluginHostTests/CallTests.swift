import Synchronization
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// What a plugin may do wrong in a call, and what must come out of it each time.
@Suite(.timeLimit(.minutes(8)))
struct CallTests {
    /// A host with the misbehaving plugin, an image of its own for its counters, and a good one.
    private func start(_ mode: RegistryEntry.Isolation) async throws -> TestHost {
        let test = try TestHost()
        try await test.packApart("bad", "misbehaving")
        try await test.pack("good", "echo")
        try test.register(["bad", "good"]) { _, entry in entry["isolation"] = .string(mode.rawValue) }
        await test.host.start()
        #expect(test.host.statuses().allSatisfy { $0.state == .loaded })
        // The instances exist before a test looks at times.
        #expect(await test.call("bad.counts").result != nil)
        return test
    }

    private func counts(_ test: TestHost, user: Int64 = 1) async throws -> [String: Int64] {
        let value = try #require(await test.call("bad.counts", user: user).result?.value.objectValue)
        return Dictionary(uniqueKeysWithValues: value.map { ($0.key, $0.value.int64Value ?? -1) })
    }

    /// Every buffer that the plugin made was released exactly once, and the good plugin still answers.
    private func expectBalance(_ test: TestHost) async throws {
        var last: [String: Int64] = [:]
        let isBalanced = await eventually {
            guard let counts = try? await self.counts(test) else { return false }
            last = counts
            return counts["made"] == counts["released"]
        }
        #expect(isBalanced, "\(last)")
        #expect(await test.call("good.run", ["value": 1]).result?.value == ["value": 1])
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func refusesArgumentsThatDoNotMatchTheSchema(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let failure = try #require(await test.call("good.run", ["other": 1]).error)
        #expect(failure.code == "invalid_arguments")
        #expect(failure.status == -1)
        #expect(try test.status("test.good").counters.calls == 0)
        #expect(try test.status("test.good").counters.invalidArguments == 1)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func answersUnknownTool(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("nobody.knows").error?.code == "unknown_tool")
    }

    @Test(
        arguments: [
            "not_json", "not_utf8", "huge_value", "huge_message", "null_bytes", "small", "tiny", "null_outcome",
            "flags",
            "trust", "reserved", "ok_error", "bad_shown", "other_select", "bad_question",
        ], RegistryEntry.Isolation.allCases)
    func turnsUnusableOutcomeIntoFailure(tool: String, mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let failure = try #require(await test.call("bad.\(tool)").error)
        #expect(failure.code == "bad_outcome")
        #expect(try test.status("test.bad").counters.malformedOutcomes == 1)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func turnsUnknownKindIntoToolError(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.kind").error?.code == "unsupported")
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func refusesResultThatDoesNotMatchItsSchema(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.mismatch").error?.code == "bad_outcome")
        #expect(try test.status("test.bad").counters.invalidResults == 1)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func givesUpAtTheDeadlineWhenNothingComes(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let failure = try #require(await test.call("bad.never").error)
        #expect(failure.code == "timeout")
        #expect(failure.status == -23)
        #expect(await eventually { (try? await counts(test)["cancels"]) ?? 0 > 0 })
        // Asking it for its counts may have taken too long as well.
        #expect(try test.status("test.bad").counters.deadlines >= 1)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func answersLateCompletionAsStale(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.late").error?.code == "timeout")
        #expect(await eventually { (try? await counts(test)["stale"]) == 1 })
        #expect(await eventually { (try? test.status("test.bad").counters.staleCompletions) == 1 })
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func countsSecondCompletionAndKeepsTheFirst(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.twice").result?.message == "First.")
        #expect(try await counts(test)["twice"] == 1)
        // A runner tells of it after the first has been answered.
        #expect(await eventually { (try? test.status("test.bad").counters.doubleCompletions) == 1 })
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func answersCompletionThroughAnotherInstanceAsStale(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        // Another person's instance, with a host table of its own.
        #expect(await test.call("bad.counts", user: 2).result != nil)
        #expect(await test.call("bad.foreign").error?.code == "timeout")
        #expect(await eventually { (try? test.status("test.bad").counters.foreignCompletions) ?? 0 >= 1 })
        #expect(try await counts(test)["stale"] ?? 0 >= 1)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func answersUnknownCallsAsStale(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.unknown_call").result?.message == "Fine.")
        #expect(try await counts(test)["stale"] == 5)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func survivesNullHostTable(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.null_host").result?.value == true)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func reportsRefusingInvoke(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let failure = try #require(await test.call("bad.refuse").error)
        #expect(failure.status == -22)
        #expect(failure.code == "busy")
        #expect(failure.isRetryable)
        #expect(try test.status("test.bad").counters.refusals == 1)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func keepsCompletionOfInvokeThatThenRefuses(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.refuse_after").result?.message == "Hm.")
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func takesCompletionFromAnotherThread(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.thread").result?.message == "Late.")
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func removesControlCharactersFromMessages(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.controls").result?.message == "one\n[31mtwo three")
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func lowersTrustAndNeverRaisesIt(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.untrusted").result?.trust == .untrusted)
        #expect(await test.call("good.run", ["value": 1]).result?.trust == .system)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func carriesQuestionsBackAndForth(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        guard case .inputRequired(let question) = await test.call("bad.question") else {
            Issue.record("no question")
            return
        }
        #expect(question.field == "which")
        #expect(question.options == [InputRequest.Option(value: 1, label: "one")])
        #expect(question.resumeState == [0, 1] + Array("state".utf8))
        let again = await test.call("bad.question", resume: question.resumeState, answers: ["which": 1])
        #expect(again.result?.value == ["which": 1])
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func decodesTheOtherKinds(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("bad.account") == .authRequired(grant: "mail", message: "Hm."))
        #expect(await test.call("bad.job") == .accepted(job: "7", message: "Hm."))
        let failure = try #require(await test.call("bad.error").error)
        #expect(failure.code == "slow_down")
        #expect(failure.status == -61)
        #expect(failure.isRetryable)
        #expect(failure.retryAfterMilliseconds == 1500)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func cancelsACallThatObeys(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let task = Task { await test.call("bad.obedient") }
        #expect(await eventually { (try? test.status("test.bad").counters.calls) == 2 })
        task.cancel()
        // Left alone it would have answered with a value.
        #expect(await task.value.error?.code == "cancelled")
        #expect(try test.status("test.bad").counters.cancellations == 1)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func givesUpOnACallThatIgnoresCancel(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let task = Task { await test.call("bad.deaf") }
        #expect(await eventually { (try? test.status("test.bad").counters.calls) == 2 })
        task.cancel()
        // Left alone it would have answered with a value.
        #expect(await task.value.error?.code == "cancelled")
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func answersAtTheDeadlineWhileInvokeHangs(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        // Once invoke returns the answer would be that the plugin is busy.
        #expect(await test.call("bad.hang").error?.code == "timeout")
        // Another person's instance is not held up.
        #expect(await test.call("bad.twice", user: 2, within: .milliseconds(4500)).result != nil)
        #expect(await eventually { (try? test.status("test.bad").counters.overruns) ?? 0 > 0 })
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func namesSlowPluginAndTakesItsDirectWayAway(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        // A busy machine may hold up some calls; quick ones add up all the same.
        #expect(
            await eventually {
                _ = await test.call("bad.twice")
                return (try? test.status("test.bad").counters.directCalls) ?? 0 >= 4
            })
        let before = try test.status("test.bad").counters
        for _ in 0..<3 { #expect(await test.call("bad.slow").result != nil) }
        // Counted when invoke returns, which is after the completion.
        #expect(await eventually { (try? test.status("test.bad").counters.overruns) ?? 0 >= before.overruns + 3 })
        // To write to a runner is always quick: its calls stay direct.
        if mode == .inProcess { #expect(try test.status("test.bad").counters.directCalls == before.directCalls) }
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func neverCallsOneInstanceTwiceAtATime(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        // bad.slow sleeps in invoke: overlapping calls would finish together.
        let before = monotonicNanoseconds()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { _ = await test.call("bad.slow") } }
        }
        #expect(monotonicNanoseconds() - before >= 80_000_000)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func letsMoreCallsWaitThanMayBeInFlight(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 { group.addTask { await test.call("bad.thread").result != nil } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(results == 40)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func keepsCallsApartUnderLoad(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        // Direct, queued and late completions of several people at once: everybody gets the own answer.
        let wrong = await withTaskGroup(of: Int.self) { group in
            for task in 0..<12 {
                group.addTask {
                    var wrong = 0
                    for round in 0..<150 {
                        let user = Int64(task % 4 + 1)
                        if round % 50 == 7 {
                            if await test.call("bad.thread", user: user).result == nil { wrong += 1 }
                        } else {
                            let value: JSON = ["value": .integer(Int64(task * 1000 + round))]
                            if await test.call("good.run", value, user: user).result?.value != value { wrong += 1 }
                        }
                    }
                    return wrong
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
        let counters = try test.status("test.good").counters
        #expect(counters.calls == counters.values)
        #expect(counters.staleCompletions == 0)
        try await expectBalance(test)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func refusesCallWhoseDeadlineIsPast(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("good.run", within: .zero).error?.code == "timeout")
    }

    @Test func reportsFailingActivate() async throws {
        let test = try TestHost()
        try await test.pack("sad", "failing_activate")
        try await test.pack("good", "echo")
        try test.register(["sad", "good"])
        await test.host.start()
        #expect(await test.call("sad.run").error?.code == "unavailable")
        let status = try test.status("test.sad")
        #expect(status.lastFailure == "activate answered auth_required (-60)")
        #expect(status.counters.instancesFailed == 1)
        #expect(await test.call("good.run", ["value": 1]).result != nil)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func dropsIdleInstancesAndMakesNewOnes(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        _ = await test.call("good.run", ["value": 1])
        #expect(try test.status("test.good").instances == 1)
        test.host.sweep(nowNanoseconds: monotonicNanoseconds() + 1_000_000_000)
        #expect(try test.status("test.good").instances == 1)
        test.host.sweep(nowNanoseconds: monotonicNanoseconds() + 601_000_000_000)
        #expect(try test.status("test.good").instances == 0)
        #expect(await eventually { (try? test.status("test.good").counters.instancesDestroyed) == 1 })
        #expect(await test.call("good.run", ["value": 1]).result != nil)
        #expect(try test.status("test.good").counters.instancesCreated == 2)
    }

    @Test(.timeLimit(.minutes(8))) func abandonsInstanceThatNeverGetsQuiet() async throws {
        let test = try TestHost()
        try await test.pack("busy", "never_quiet")
        try test.register(["busy"])
        await test.host.start()
        #expect(await test.call("busy.run", ["value": 1]).result != nil)
        test.host.sweep(nowNanoseconds: monotonicNanoseconds() + 601_000_000_000)
        // A new instance takes over at once.
        #expect(await test.call("busy.run", ["value": 2]).result != nil)
        #expect(await eventually { (try? test.status("test.busy").counters.instancesAbandoned) == 1 })
    }

}
