import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// Libraries of plugins in this process that are mapped when they are needed.
@Suite(.timeLimit(.minutes(1)))
struct FirstUseTests {
    private func isMapped(_ id: String, _ test: TestHost) throws -> Bool {
        try #require(test.host.catalogue.plugin(id)?.plugin).code.isMapped
    }

    @Test func mapsALibraryForTheFirstCallOnly() async throws {
        let test = try TestHost(mapsAtFirstUse: true)
        try await test.pack("one", "echo")
        try await test.pack("two", "echo")
        try test.register(["one", "two"])
        await test.host.start()
        #expect(test.host.statuses().allSatisfy { $0.state == .loaded && $0.isolation == .inProcess })
        #expect(test.host.allTools.map(\.id) == ["one.run", "two.run"])
        #expect(try !isMapped("test.one", test) && !isMapped("test.two", test))
        #expect(await test.call("one.run", ["value": 1]).result?.value == ["value": 1])
        #expect(try isMapped("test.one", test) && !isMapped("test.two", test))
        // Looking again changes nothing.
        await test.host.reload()
        #expect(try isMapped("test.one", test) && !isMapped("test.two", test))
        #expect(test.host.leakedImages == 0)
    }

    @Test func mapsOnceForManyFirstCallsAtATime() async throws {
        let test = try TestHost(mapsAtFirstUse: true)
        try await test.pack("one", "echo")
        try test.register(["one"])
        await test.host.start()
        let answers = await withTaskGroup(of: Bool.self) { group in
            for user in 1...12 {
                group.addTask {
                    await test.call("one.run", ["value": .integer(Int64(user))], user: Int64(user)).result != nil
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers == Array(repeating: true, count: 12))
        #expect(try test.status("test.one").counters.instancesCreated == 12)
    }

    @Test(arguments: [
        ("entry_null", PluginRefusal.Code.abiMismatch),
        ("newer_minor", .abiMismatch), ("other_manifest", .manifestDiffers),
        ("failing_create", .createFailed), ("undefined_symbol", .loadFailed),
    ])
    func refusesALibraryThatDoesNotHoldWhenItIsNeeded(fixture: String, code: PluginRefusal.Code) async throws {
        let test = try TestHost(mapsAtFirstUse: true)
        try await test.pack("good", "echo")
        try await test.layOut("broken", fixture: fixture)
        try test.register(["broken", "good"])
        await test.host.start()
        #expect(try test.status("test.broken").state == .loaded)
        // The first call is answered; whatever is wrong with the library itself takes the plugin out.
        #expect(await test.call("broken.run").error != nil)
        if code == .createFailed {
            #expect(try test.status("test.broken").lastFailure?.contains("create answered") == true)
        } else {
            #expect(test.refusal("test.broken")?.code == code)
            #expect(await test.call("broken.run").error?.code == "unknown_tool")
        }
        #expect(await test.call("good.run", ["value": 2]).result?.value == ["value": 2])
    }

    @Test func answersFromTheNewBuildWhenTheLibraryChangedBeforeItWasNeeded() async throws {
        let test = try TestHost(mapsAtFirstUse: true)
        try await test.pack("one", "echo")
        try test.register(["one"])
        await test.host.start()
        let before = try test.status("test.one").checksum
        let path = try await FixtureLibrary.compile("stray_exports", FixtureLibrary.names("test.one", "one"))
        _ = try await test.pack("one", library: path)
        // Nobody watches the files here: the call itself finds out, and is not lost.
        #expect(await test.call("one.run", ["value": 3]).result != nil)
        #expect(try test.status("test.one").checksum != before)
    }

    @Test func countsAnImageThatWasMappedAndReplaced() async throws {
        let test = try TestHost(mapsAtFirstUse: true)
        try await test.pack("one", "echo")
        try await test.pack("two", "echo")
        try test.register(["one", "two"])
        await test.host.start()
        #expect(await test.call("one.run").result != nil)
        try test.register([])
        await test.host.reload()
        // The one that was never needed was never mapped.
        #expect(test.host.leakedImages == 1)
    }

    @Test func triesANewVersionBeforeItTakesOver() async throws {
        let test = try TestHost(mapsAtFirstUse: true)
        try await test.pack("one", "echo")
        try test.register(["one"])
        await test.host.start()
        try await test.layOut("one", fixture: "other_manifest")
        await test.host.reload()
        #expect(test.refusal("test.one")?.code == .manifestDiffers)
    }
}
