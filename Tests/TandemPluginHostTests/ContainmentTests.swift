import CRunner
import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// What a plugin in a runner can reach: nothing.
@Suite(.timeLimit(.minutes(8)))
struct ContainmentTests {
    private func start(
        _ runner: RunnerConfiguration = RunnerConfiguration(), macros: [String: String] = [:]
    ) async throws -> TestHost {
        let test = try TestHost(runner: runner)
        try await test.packApart("probe", "probe", macros)
        try await test.pack("good", "echo")
        try test.register(["probe", "good"]) { name, entry in
            if name == "probe" { entry["isolation"] = "runner" }
        }
        await test.host.start()
        return test
    }

    /// The runner and the host are as they should be after something went wrong in the former.
    private func expectAlive(_ test: TestHost) async throws {
        #expect(await test.call("good.run", ["value": 1]).result?.value == ["value": 1])
        #expect(await eventually { await test.call("probe.inside").result != nil })
    }

    /// In a call and in a constructor of the library alike.
    @Test(arguments: ["probe.try", "probe.early"]) func forbidsEverythingBesidesComputing(tool: String) async throws {
        let test = try await start()
        let found = try #require(await test.call(tool).result?.value.objectValue)
        let denied: [String] = [
            "inet", "unix", "netlink", "pair", "fork", "vfork", "exec", "ptrace", "kill", "limit", "mount", "bpf",
            "perf", "userfaultfd", "keyctl", "uring", "unshare", "setns", "deathsig", "write",
        ]
        for name in denied { #expect(found[name] == .integer(Int64(EPERM)), "\(name)") }
        for name in ["passwd", "proc", "root"] { #expect(found[name] == .integer(Int64(EACCES)), "\(name)") }
        #expect(found["clone3"] == .integer(Int64(ENOSYS)))
        // Of the Swift runtime: no traces of crashes.
        #expect(found["variables"] == 1)
        // 0, 1, 2 and the socket; while it loads also its own file and folder.
        #expect(found["descriptors"] == (tool == "probe.try" ? 4 : 6))
        try await expectAlive(test)
    }

    @Test func letsItReadItsOwnBundleAndTimeZones() async throws {
        let test = try await start()
        let found = try #require(await test.call("probe.inside").result?.value.objectValue)
        #expect(found["own"] == 0)
        #expect(found["zone"] == 0 || !FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/UTC"))
        #expect(found["library"] == .integer(Int64(EACCES)))
    }

    @Test func limitsItsMemory() async throws {
        let test = try await start()
        let found = try #require(await test.call("probe.memory").result?.value.objectValue?["mebibytes"]?.int64Value)
        #expect(found > 100)
        #expect(found <= 512)
    }

    @Test func limitsItsProcessorTime() async throws {
        let test = try await start(RunnerConfiguration(processorBurst: 0.5, processorShare: 0))
        #expect(await test.call("probe.burn", within: .seconds(50)).error?.code == "plugin_unavailable")
        #expect(
            await eventually {
                (try? test.status("test.probe").runner?.lastCrash?.exit.description.contains("processor")) == true
            }, "\(String(describing: try? test.status("test.probe").runner))")
    }

    @Test func limitsItsThreads() async throws {
        let test = try await start(RunnerConfiguration(threads: 20))
        guard case .value(let value) = await test.call("probe.threads"), let count = value.value["threads"]?.int64Value
        else { return }
        // Where the kernel cannot count them, the host does.
        guard count > 36 else { return }
        #expect(
            await eventually {
                (try? test.status("test.probe").runner?.lastCrash?.exit.reason?.contains("threads")) == true
            }, "\(String(describing: try? test.status("test.probe").runner))")
    }

    @Test(arguments: ["abort", "segv", "exit"]) func outlivesACrash(tool: String) async throws {
        let test = try await start()
        let failure = try #require(await test.call("probe.\(tool)").error)
        #expect(failure.code == "plugin_unavailable")
        #expect(failure.isRetryable)
        try await expectAlive(test)
        #expect(await eventually { (try? test.status("test.probe").runner?.lastCrash) != nil })
        let status = try #require(try test.status("test.probe").runner)
        let crash = try #require(status.lastCrash)
        #expect(status.crashes == 1)
        #expect(status.starts == 2)
        #expect(crash.plugin == "test.probe")
        #expect(crash.version == "1.0.0")
        #expect(crash.tools == ["probe.\(tool)"])
        #expect(crash.count == 1)
        switch tool {
        case "abort": #expect(crash.exit.signal == SIGABRT)
        case "segv": #expect(crash.exit.signal == SIGSEGV)
        default: #expect(crash.exit.code == 3)
        }
        #expect(try test.status("test.probe").counters.crashes == 1)
        // Written down for others, too.
        #expect(await eventually { test.host.recordedCrashes() == [crash] }, "\(test.host.recordedCrashes())")
    }

    @Test func answersEverythingInFlightWhenARunnerEnds() async throws {
        let test = try TestHost()
        try await test.packApart("bad", "misbehaving")
        try test.register(["bad"]) { _, entry in entry["isolation"] = "runner" }
        await test.host.start()
        #expect(await test.call("bad.counts").result != nil)
        let process = try #require(try test.status("test.bad").runner?.process)
        let codes = await withTaskGroup(of: String?.self) { group in
            for user in 1...8 { group.addTask { await test.call("bad.deaf", user: Int64(user)).error?.code } }
            _ = await eventually { (try? test.status("test.bad").counters.calls) == 9 }
            kill(process, SIGKILL)
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes == Array(repeating: "plugin_unavailable", count: 8))
        #expect(await eventually { await test.call("bad.counts").result != nil })
        // How it ended is known once it has been waited for, after its channel has closed.
        #expect(await eventually { (try? test.status("test.bad").runner?.lastCrash?.exit.signal) == SIGKILL })
        #expect(try test.status("test.bad").runner?.lastCrash?.tools == ["bad.deaf"])
    }

    @Test func waitsLongerAfterEachCrashAndThenGivesUpForAWhile() async throws {
        let test = try await start(
            RunnerConfiguration(crashesToOpen: 3, breakerOpen: .seconds(3600), backOff: .milliseconds(1)))
        for round in 1...3 {
            #expect(
                await eventually {
                    _ = await test.call("probe.segv")
                    return (try? test.status("test.probe").runner?.crashes) ?? 0 >= round
                })
        }
        #expect(await eventually { (try? test.status("test.probe").runner?.state) == .broken })
        let failure = try #require(await test.call("probe.inside").error)
        #expect(failure.code == "plugin_unavailable")
        #expect(failure.retryAfterMilliseconds ?? 0 > 3_000_000)
        #expect(await test.call("good.run", ["value": 1]).result?.value == ["value": 1])
    }

    @Test func outlivesGarbageInsteadOfFrames() async throws {
        let test = try await start()
        #expect(await test.call("probe.garbage").error?.code == "plugin_unavailable")
        try await expectAlive(test)
        #expect(await eventually { (try? test.status("test.probe").runner?.lastCrash?.exit.reason) != nil })
    }

    @Test func slowsDownAFloodAndAnswersNeighbours() async throws {
        let test = try await start(RunnerConfiguration(maxIdleFrames: 500))
        async let flood = test.call("probe.flood", within: .seconds(8))
        for _ in 0..<50 { #expect(await test.call("good.run", ["value": 1]).result?.value == ["value": 1]) }
        #expect(await eventually { (try? test.status("test.probe").runner?.throttled) ?? 0 > 0 })
        _ = await flood
    }

    @Test func carriesBodiesThatAFrameDoesNotHold() async throws {
        let test = try await start()
        let value = try #require(await test.call("probe.big").result?.value.stringValue)
        #expect(value.utf8.count == (1 << 20) - 18)
        // And the other way.
        let echo = try TestHost()
        try await echo.pack("echo", "echo")
        try echo.register(["echo"]) { _, entry in entry["isolation"] = "runner" }
        await echo.host.start()
        let large: JSON = ["value": .string(String(repeating: "y", count: 900_000))]
        for _ in 0..<20 { #expect(await echo.call("echo.run", large).result?.value == large) }
    }

    @Test func refusesALibraryThatCrashesWhileItLoads() async throws {
        let test = try TestHost()
        let path = try await FixtureLibrary.compile(
            "probe", FixtureLibrary.names("test.probe", "probe").merging(["CRASH_load": "1"]) { $1 })
        try await test.layOut("probe", library: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        try await test.pack("good", "echo")
        try test.register(["probe", "good"]) { name, entry in
            if name == "probe" { entry["isolation"] = "runner" }
        }
        await test.host.start()
        let refusal = try #require(test.refusal("test.probe"))
        #expect(refusal.code == .loadFailed)
        #expect(refusal.reason.contains("SIGABRT"))
        #expect(await test.call("good.run", ["value": 1]).result?.value == ["value": 1])
    }

    @Test func refusesALibraryThatDoesNotLoadInTime() async throws {
        let test = try TestHost(runner: RunnerConfiguration(startTimeout: .milliseconds(300)))
        let path = try await FixtureLibrary.compile(
            "probe", FixtureLibrary.names("test.probe", "probe").merging(["HANG_load": "1"]) { $1 })
        try await test.layOut("probe", library: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        try test.register(["probe"]) { _, entry in entry["isolation"] = "runner" }
        await test.host.start()
        #expect(test.refusal("test.probe")?.code == .loadFailed)
        // The packer is not hurt either.
        #expect(throws: PluginRefusal.self) {
            try BundlePacker.pack(
                library: path, into: test.folder.path + "/packed",
                runner: RunnerConfiguration(startTimeout: .milliseconds(300)))
        }
    }

    @Test func endsAnIdleRunnerAndStartsItAgain() async throws {
        let test = try await start(RunnerConfiguration(idleAfter: .milliseconds(1)))
        #expect(await test.call("probe.inside").result != nil)
        test.host.sweep(nowNanoseconds: monotonicNanoseconds() + 601_000_000_000)
        #expect(await eventually { (try? test.status("test.probe").runner?.state) == .idle })
        #expect(await test.call("probe.inside").result != nil)
        #expect(try test.status("test.probe").runner?.crashes == 0)
    }

    @Test func leavesNoProcessAndNoDescriptorBehind() async throws {
        for _ in 0..<5 {
            let test = try await start()
            #expect(await test.call("probe.segv").error != nil)
            #expect(await eventually { await test.call("probe.inside").result != nil })
            let process = try #require(try test.status("test.probe").runner?.process)
            test.host.shutDown()
            // Reaped: no zombie is left either.
            #expect(await eventually { kill(process, 0) != 0 })
        }
        // Other tests end runners at the same time, but let nothing of them lie for long.
        #expect(await eventually { Self.leftovers().processes < 5 })
        #expect(await eventually { Self.leftovers().sockets < 5 })
    }

    /// The socket's end lives on in another process: only the parent-death signal can do it.
    @Test func endsWithItsHost() async throws {
        let folder = TemporaryFolder("runner")
        let program = folder.path + "/host"
        let root = FixtureLibrary.root
        let isCompiled = await FixtureLibrary.tool(
            "cc",
            [
                "-std=gnu11", "-O1", "-o", program, "\(root)/Tests/Fixtures/runner/host.c",
                "\(root)/Host/Clib/CRunner/start.c", "-I\(root)/Host/Clib/CRunner/include",
            ])
        try #require(isCompiled)
        let library = try await FixtureLibrary.compile("echo", FixtureLibrary.names("test.echo", "echo"))
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [try #require(RunnerConfiguration.besideOwnProgram), library]
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let numbers = line.split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { Int32($0) }
        try #require(numbers.count == 3)
        defer { kill(numbers[1], SIGKILL) }
        #expect(numbers[2] == Int32(TANDEM_F_READY))
        #expect(kill(numbers[0], 0) == 0)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(await eventually { Self.hasEnded(numbers[0]) })
    }

    /// Gone, or waiting to be reaped by whoever inherits it.
    private static func hasEnded(_ process: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return true }
        return text.contains(") Z ") || text.contains(") X ")
    }

    /// Our descriptors of processes that have been reaped, and of sockets that nobody holds the other end of.
    private static func leftovers() -> (processes: Int, sockets: Int) {
        var found = (processes: 0, sockets: 0)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            guard let number = Int32(name) else { continue }
            if let text = try? String(contentsOfFile: "/proc/self/fdinfo/\(name)", encoding: .utf8),
                text.contains("\nPid:\t-1\n")
            {
                found.processes += 1
            }
            var address = sockaddr()
            var length = socklen_t(MemoryLayout<sockaddr>.size)
            guard getsockname(number, &address, &length) == 0, address.sa_family == sa_family_t(AF_UNIX) else {
                continue
            }
            var query = pollfd(fd: number, events: 0, revents: 0)
            if poll(&query, 1, 0) == 1, query.revents & Int16(POLLHUP) != 0 { found.sockets += 1 }
        }
        return found
    }
}
