import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// Changes of the registry and of bundles while the host runs.
@Suite(.timeLimit(.minutes(8)))
struct ReloadTests {
    @Test func addsAndRemovesPluginsWithoutRestart() async throws {
        let test = try TestHost()
        try await test.pack("one", "echo")
        try await test.pack("two", "echo")
        try test.register(["one"])
        try await test.withRunningHost { test in
            #expect(await test.call("one.run").result != nil)
            #expect(await test.call("two.run").error?.code == "unknown_tool")
            try test.register(["one", "two"])
            #expect(await eventually { await test.call("two.run").result != nil })
            #expect(await test.call("one.run").result != nil)
            try test.register(["two"])
            #expect(await eventually { await test.call("one.run").error?.code == "unknown_tool" })
            #expect(await test.call("two.run").result != nil)
            #expect(test.host.leakedImages == 1)
        }
    }

    @Test func keepsInstancesOfPluginsThatDidNotChange() async throws {
        let test = try TestHost()
        try await test.pack("one", "echo")
        try await test.pack("two", "echo")
        try test.register(["one"])
        await test.host.start()
        _ = await test.call("one.run")
        try test.register(["two", "one"])
        await test.host.reload()
        _ = await test.call("one.run")
        #expect(try test.status("test.one").counters.instancesCreated == 1)
        #expect(test.host.statuses().map(\.id) == ["test.two", "test.one"])
    }

    @Test func keepsThePluginsWhenTheRegistryBreaks() async throws {
        let test = try TestHost()
        try await test.pack("one", "echo")
        try test.register(["one"])
        try await test.withRunningHost { test in
            #expect(await test.call("one.run").result != nil)
            try test.folder.write("{\n  \"version\": 1,\n  \"plugins\": [,]\n}", to: "registry.json")
            #expect(await eventually { test.host.registryProblem != nil })
            let problem = try #require(test.host.registryProblem?.problems.first)
            #expect(problem.line == 3)
            #expect(problem.column == 15)
            #expect(await test.call("one.run").result != nil)
            #expect(try test.status("test.one").state == .loaded)
            try test.register(["one"])
            #expect(await eventually { test.host.registryProblem == nil })
        }
    }

    @Test func startsWithoutARegistryAndFindsItLater() async throws {
        let test = try TestHost()
        try await test.pack("one", "echo")
        try await test.withRunningHost { test in
            #expect(test.host.registryProblem?.description.contains("missing") == true)
            #expect(test.host.statuses().isEmpty)
            try test.register(["one"])
            #expect(await eventually { await test.call("one.run").result != nil })
        }
    }

    @Test func takesUpANewBuild() async throws {
        let test = try TestHost()
        try await test.pack("one", "echo")
        try test.register(["one"])
        try await test.withRunningHost { test in
            #expect(await test.call("one.run").result != nil)
            let before = try test.status("test.one").checksum
            let path = try await FixtureLibrary.compile("stray_exports", FixtureLibrary.names("test.one", "one"))
            _ = try await test.pack("one", library: path)
            #expect(await eventually { (try? test.status("test.one").checksum) != before })
            #expect(await eventually { await test.call("one.run").result != nil })
            #expect(test.host.leakedImages == 1)
        }
    }

    @Test func refusesABundleThatWasTamperedWithWhileRunning() async throws {
        let test = try TestHost()
        try await test.pack("one", "echo")
        try await test.pack("two", "echo")
        try test.register(["one", "two"])
        try await test.withRunningHost { test in
            #expect(await test.call("one.run").result != nil)
            let name = try #require(
                FileManager.default.contentsOfDirectory(atPath: test.bundles + "/one").first { $0.hasSuffix(".so") })
            var bytes = try test.folder.read("plugins/one/" + name)
            bytes.append(0)
            try test.folder.write(bytes, to: "plugins/one/" + name)
            #expect(await eventually { test.refusal("test.one")?.code == .wrongChecksum })
            #expect(await test.call("one.run").error?.code == "unknown_tool")
            #expect(await test.call("two.run").result != nil)
        }
    }

    @Test func letsCallsInFlightFinishWhenAPluginIsReplaced() async throws {
        let test = try TestHost()
        try await test.packApart("bad", "misbehaving")
        try test.register(["bad"])
        await test.host.start()
        let task = Task { await test.call("bad.obedient") }
        #expect(await eventually { (try? test.status("test.bad").counters.calls) == 1 })
        try test.register(["bad"]) { $1["plan"] = "free" }
        await test.host.reload()
        #expect(await test.call("bad.twice").result != nil)
        task.cancel()
        #expect(await task.value.error?.code == "cancelled")
        #expect(await eventually { (try? test.status("test.bad").counters.instancesDestroyed) == 1 })
    }

    @Test func endsAllInstancesWhenItStops() async throws {
        let test = try TestHost()
        try await test.pack("one", "echo")
        try test.register(["one"])
        try await test.withRunningHost { test in #expect(await test.call("one.run").result != nil) }
        #expect(await test.call("one.run").error?.code == "unknown_tool")
    }
}
