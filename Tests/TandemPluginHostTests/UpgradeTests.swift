import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// New versions of plugins, taken and given back while calls are made.
@Suite(.timeLimit(.minutes(8)))
struct UpgradeTests {
    /// A host that keeps versions, with version 1.0.0 of a plugin in a runner.
    private func start(_ isolation: RegistryEntry.Isolation = .runner) async throws -> TestHost {
        let test = try TestHost(keepsVersions: true)
        try await test.pack("echo", "echo")
        try test.register(["echo"]) { _, entry in entry["isolation"] = .string(isolation.rawValue) }
        await test.host.start()
        #expect(try test.status("test.echo").version == "1.0.0")
        return test
    }

    /// A bundle of another version, outside of the host's own build.
    private func bundle(_ version: String, of test: TestHost, _ macros: [String: String] = [:]) async throws -> String {
        let names = FixtureLibrary.names("test.echo", "echo").merging(["VERSION": "\"\(version)\""]) { $1 }
        let library = try await FixtureLibrary.compile("echo", names.merging(macros) { $1 })
        let folder = test.folder.path + "/new-\(version)"
        let done = OneShot<Bool>()
        WorkerPool.shared.submit {
            done.resolve((try? BundlePacker.pack(library: library, into: folder)) != nil)
        }
        try #require(await done.value())
        return folder
    }

    /// Of this host: other tests have theirs.
    private static func processes(of test: TestHost) -> Int {
        RunnerLoop.shared.processes.filter { $0.link.belongs(to: test.folder.path) }.count
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func upgradesAndRollsBack(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let new = try await bundle("1.1.0", of: test)
        #expect(try await test.host.upgrade("test.echo", to: new) == "1.1.0")
        #expect(await test.call("echo.run", ["value": 1]).result?.value == ["value": 1])
        #expect(try await test.host.rollback("echo") == "1.0.0")
        #expect(await test.call("echo.run", ["value": 2]).result?.value == ["value": 2])
        // Back is not forth: what was rolled back is no earlier version.
        await #expect(throws: VersionError.self) { try await test.host.rollback("echo") }
        // It can be taken again by command.
        #expect(try await test.host.upgrade("test.echo", to: new) == "1.1.0")
        // In this process the image that is not used any more stays mapped, and is counted.
        #expect(test.host.leakedImages == (mode == .inProcess ? 1 : 0))
    }

    @Test func keepsTheDecisionOverARestart() async throws {
        let test = try await start()
        _ = try await test.host.upgrade("test.echo", to: try await bundle("1.1.0", of: test))
        let again = try TestHost(keepsVersions: true, beside: test)
        await again.host.start()
        #expect(try again.status("test.echo").version == "1.1.0")
        _ = try await again.host.rollback("test.echo")
        // The other host sees it, as two processes would.
        await test.host.reload()
        #expect(try test.status("test.echo").version == "1.0.0")
    }

    @Test func losesNoCallWhileVersionsChange() async throws {
        let test = try await start()
        let new = try await bundle("1.1.0", of: test)
        let isOver = Flag()
        let (made, wrong) = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for user in 1...4 {
                group.addTask {
                    var made = 0
                    var wrong = 0
                    while !isOver.isSet {
                        let value: JSON = ["value": .integer(Int64(made))]
                        if await test.call("echo.run", value, user: Int64(user)).result?.value != value { wrong += 1 }
                        made += 1
                    }
                    return (made, wrong)
                }
            }
            for _ in 0..<3 {
                _ = try await test.host.upgrade("test.echo", to: new)
                _ = try await test.host.rollback("test.echo")
            }
            isOver.set()
            return try await group.reduce(into: (0, 0)) {
                $0.0 += $1.0
                $0.1 += $1.1
            }
        }
        #expect(wrong == 0)
        #expect(made > 4)
        // Each version's process has ended with its last call.
        #expect(await eventually { Self.processes(of: test) <= 1 })
    }

    /// 500 calls a second from many people, each at its time and whatever became of those before.
    private func steadily(
        _ test: TestHost, seconds: Double, _ body: () async throws -> Void
    ) async throws -> [String: Int] {
        let load = Task {
            await withTaskGroup(of: String.self) { group in
                let started = ContinuousClock.now
                for number in 0..<Int(seconds * 500) {
                    try? await Task.sleep(until: started + .milliseconds(2 * number))
                    group.addTask {
                        let value: JSON = ["value": .integer(Int64(number))]
                        switch await test.call("echo.run", value, user: Int64(number % 8 + 1)) {
                        case .value(let result): return result.value == value ? "good" : "wrong"
                        case .failure(let failure): return failure.code
                        default: return "other"
                        }
                    }
                }
                return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
            }
        }
        try await body()
        return await load.value
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func losesNoCallOfASteadyLoad(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let new = try await bundle("1.1.0", of: test)
        let answers = try await steadily(test, seconds: 3) {
            try await Task.sleep(for: .milliseconds(700))
            _ = try await test.host.upgrade("test.echo", to: new)
            try await Task.sleep(for: .milliseconds(700))
            _ = try await test.host.rollback("test.echo")
        }
        #expect(answers == ["good": 1500])
    }

    @Test func answersEveryCallOfASteadyLoadWhileABadVersionComesAndGoes() async throws {
        let test = try await start()
        let bad = try await bundle("1.3.0", of: test, ["CRASH_invoke": "1"])
        let watcher = Task { await test.host.run() }
        let answers = try await steadily(test, seconds: 3) {
            try await Task.sleep(for: .milliseconds(500))
            // Calls may have crashed it before it was judged: then it is refused instead of taken back.
            _ = try? await test.host.upgrade("test.echo", to: bad)
            #expect(await eventually { (try? test.status("test.echo").version) == "1.0.0" })
        }
        #expect(answers.values.reduce(0, +) == 1500)
        #expect(answers["wrong"] == nil)
        #expect(Set(answers.keys).isSubset(of: ["good", "plugin_unavailable"]), "\(answers)")
        #expect(answers["good", default: 0] > 500)
        // Loaded for good: calls are as they were.
        #expect(await test.call("echo.run", ["value": 1]).result?.value == ["value": 1])
        watcher.cancel()
        await watcher.value
    }

    @Test func staysWithTheOldVersionWhenTheNewOneCannotBeLoaded() async throws {
        let test = try await start()
        // Other tools than its manifest says: refused when it is tried.
        let bad = try await bundle("1.2.0", of: test)
        let file = bad + "/plugin.json"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacingOccurrences(of: "A fixture.", with: "Another.").write(
            toFile: file, atomically: true, encoding: .utf8)
        chmod(file, 0o644)
        await #expect(throws: VersionError.self) { try await test.host.upgrade("test.echo", to: bad) }
        #expect(try test.status("test.echo").version == "1.0.0")
        #expect(await test.call("echo.run", ["value": 1]).result?.value == ["value": 1])
    }

    @Test(arguments: ["CRASH_invoke", "CRASH_activate", "REFUSE_invoke"])
    func rollsABadVersionBackByItself(macro: String) async throws {
        let test = try await start()
        for round in 0..<30 { _ = await test.call("echo.run", ["value": .integer(Int64(round))]) }
        let watcher = Task { await test.host.run() }
        defer { watcher.cancel() }
        // What cannot even say how it is, goes at once; the rest when it shows.
        _ = try? await test.host.upgrade("test.echo", to: try await bundle("1.3.0", of: test, [macro: "1"]))
        #expect(
            await eventually {
                _ = await test.call("echo.run", ["value": 1])
                return (try? test.status("test.echo").version) == "1.0.0"
            })
        #expect(await eventually { await test.call("echo.run", ["value": 1]).result?.value == ["value": 1] })
        // Not tried again, also not after a restart.
        let again = try TestHost(keepsVersions: true, beside: test)
        await again.host.start()
        #expect(try again.status("test.echo").version == "1.0.0")
    }

    @Test func takesNoVersionThatSaysThatItIsFailing() async throws {
        let test = try await start()
        let bad = try await bundle("1.4.0", of: test, ["HEALTH_failing": "1"])
        let error = await #expect(throws: VersionError.self) { try await test.host.upgrade("test.echo", to: bad) }
        #expect(error?.reason.contains("fuel none") == true, "\(error?.reason ?? "")")
        #expect(try test.status("test.echo").version == "1.0.0")
        #expect(await test.call("echo.run", ["value": 1]).result?.value == ["value": 1])
    }

    @Test func takesTheRegistrysOwnBundleWhenThatChanges() async throws {
        let test = try await start()
        _ = try await test.host.upgrade("test.echo", to: try await bundle("1.1.0", of: test))
        let names = FixtureLibrary.names("test.echo", "echo").merging(["VERSION": "\"2.0.0\""]) { $1 }
        _ = try await test.pack("echo", library: try await FixtureLibrary.compile("echo", names))
        await test.host.reload()
        #expect(try test.status("test.echo").version == "2.0.0")
    }
}
