import CRunner
import Foundation
import Glibc
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// Plugins in processes of their own.
@Suite(.timeLimit(.minutes(8)))
struct RunnerTests {
    private func start(_ names: [(String, String)]) async throws -> TestHost {
        let test = try TestHost()
        for (name, fixture) in names { try await test.pack(name, fixture) }
        try test.register(names.map(\.0)) { _, entry in entry["isolation"] = "runner" }
        await test.host.start()
        return test
    }

    @Test func answersCallsFromAnotherProcess() async throws {
        let test = try await start([("echo", "echo")])
        #expect(test.refusal("test.echo") == nil)
        for round in 0..<50 {
            let value: JSON = ["value": .integer(Int64(round))]
            #expect(await test.call("echo.run", value).result?.value == value)
        }
        let status = try #require(try test.status("test.echo").runner)
        #expect(status.state == .running)
        #expect(status.starts == 1)
        #expect(status.missingIsolation == [])
        #expect(status.process != getpid())
    }

    /// After some quick answers the caller looks for the next one itself: whatever comes instead, it is told as ever.
    @Test func aCallerThatWaitsForItsAnswerIsNotHeldUpByWhatComesInstead() async throws {
        let test = try await start([("moody", "moody")])
        let quick: JSON = ["value": 1]
        func warmUp() async throws {
            for _ in 0..<100 { #expect(await test.call("moody.run", quick).result?.value == quick) }
        }
        try await warmUp()
        #expect(await test.call("moody.run", ["value": "later"]).result?.value == ["value": "later"])
        try await warmUp()
        let never = await test.call("moody.run", ["value": "never"], within: .milliseconds(300))
        #expect(never.error?.code == "timeout")
        try await warmUp()
        let process = try test.status("test.moody").runner?.process
        #expect(await test.call("moody.run", ["value": "crash"]).error?.code == "plugin_unavailable")
        try await warmUp()
        let status = try #require(try test.status("test.moody").runner)
        #expect(status.crashes == 1)
        #expect(status.process != process)
    }

    @Test func manyCallersOfOneProcessAreAllAnswered() async throws {
        let test = try await start([("moody", "moody")])
        await withTaskGroup(of: Void.self) { group in
            for user in 1...8 {
                group.addTask {
                    for round in 0..<200 {
                        let value: JSON = ["value": .integer(Int64(user * 1000 + round))]
                        #expect(await test.call("moody.run", value, user: Int64(user)).result?.value == value)
                    }
                }
            }
        }
    }

    /// Who burns time shares one processor with all who do, and gets the others back.
    @Test func aPlaceBehindOthersIsOnOneProcessor() async throws {
        let test = try await start([("echo", "echo")])
        #expect(await test.call("echo.run", ["value": 1]).error == nil)
        let process = try #require(try test.status("test.echo").runner?.process)
        func processors() throws -> Substring {
            let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") })
            return line.dropFirst("Cpus_allowed_list:".count).drop { $0 == "\t" }
        }
        let all = try processors()
        tandem_place_runner(process, ProcessorWatch.Place.last.rawValue)
        #expect(try processors().allSatisfy(\.isNumber))
        tandem_place_runner(process, ProcessorWatch.Place.equal.rawValue)
        #expect(try processors() == all)
    }

    @Test func aTimerForgetsCallsThatAreOver() async throws {
        let timer = DeadlineTimer()
        let told = OneShot<Void>()
        let far = monotonicNanoseconds() + 3_600_000_000_000
        // No call has this number: it is over.
        for _ in 0..<100 { timer.schedule(at: far, for: .max) {} }
        timer.schedule(at: monotonicNanoseconds()) { told.resolve(()) }
        await told.value()
        #expect(await eventually { timer.count == 0 })
    }
}
