import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// One broken bundle for each way of being broken; a good plugin beside it goes on answering every time.
@Suite(.timeLimit(.minutes(8)))
struct LoadingTests {
    /// Loads the good plugin and the broken one; the good one must answer. Gives why the broken one was refused.
    private func refusal(
        _ test: TestHost, of broken: String = "broken", edit: (String, inout JSONObject) -> Void = { _, _ in }
    ) async throws -> PluginRefusal {
        try await test.pack("good", "echo")
        try test.register([broken, "good"], edit: edit)
        await test.host.start()
        let outcome = await test.call("good.run", ["value": "still here"])
        #expect(outcome.result?.value == ["value": "still here"])
        #expect(try test.status("test.good").state == .loaded)
        let status = try test.status("test.\(broken)")
        let other = await test.call("\(broken).run")
        #expect(other.error?.code == "unknown_tool")
        return try #require(status.refusal)
    }

    @Test func loadsAGoodPlugin() async throws {
        let test = try TestHost()
        let packed = try await test.pack("good", "echo")
        try test.register(["good"])
        await test.host.start()
        let status = try test.status("test.good")
        #expect(status.state == .loaded)
        #expect(status.tools == ["good.run"])
        #expect(status.version == "1.0.0")
        #expect(status.warnings.isEmpty)
        #expect(packed.id == "test.good")
        #expect(test.host.registryProblem == nil)
    }

    @Test func refusesMissingBundle() async throws {
        let refusal = try await refusal(try TestHost())
        #expect(refusal.code == .missingFile)
        #expect(refusal.reason.contains("broken"))
    }

    @Test func refusesMissingLibrary() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo")
        unlink(test.bundles + "/broken/plugin.so")
        let refusal = try await refusal(test)
        #expect(refusal == PluginRefusal(.missingFile, "plugin.so is missing"))
    }

    @Test func refusesWrongChecksum() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo") { document in
            document["files"] = ["plugin.so": .string("sha256:" + String(repeating: "0", count: 64))]
        }
        #expect(try await refusal(test).code == .wrongChecksum)
    }

    @Test func refusesFileThatIsNotELF() async throws {
        let test = try TestHost()
        try await test.layOut("broken", library: Array(String(repeating: "#!/bin/sh\n", count: 40).utf8))
        #expect(try await refusal(test).code == .notELF)
    }

    @Test(arguments: [
        (18, UInt8(183), PluginRefusal.Code.otherArchitecture), (4, 1, .otherArchitecture), (5, 2, .otherArchitecture),
        (16, 2, .unsuitableImage),
    ])
    func refusesPatchedHeader(offset: Int, byte: UInt8, code: PluginRefusal.Code) async throws {
        let test = try TestHost()
        let path = try await FixtureLibrary.compile("echo", FixtureLibrary.names("test.broken", "broken"))
        var library = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        if offset == 18, library[18] == 183 { library[18] = 62 } else { library[offset] = byte }
        try await test.layOut("broken", library: library)
        #expect(try await refusal(test).code == code)
    }

    @Test(arguments: [70, 500, 4000, 9000])
    func refusesTruncatedLibrary(length: Int) async throws {
        let test = try TestHost()
        let path = try await FixtureLibrary.compile("echo", FixtureLibrary.names("test.broken", "broken"))
        let library = Array(try Data(contentsOf: URL(fileURLWithPath: path)).prefix(length))
        try await test.layOut("broken", library: library)
        #expect(try await refusal(test).code == .unsuitableImage)
    }

    @Test(arguments: [
        ("no_entry", PluginRefusal.Code.noEntry, "tandem_plugin_entry"),
        ("entry_is_data", .noEntry, "tandem_plugin_entry"),
        ("entry_null", .abiMismatch, "ABI 1.0"),
        ("other_major", .abiMismatch, "built for ABI 2.0, this host has ABI 1.0"),
        ("newer_minor", .abiMismatch, "needs ABI 1.7 or later, this host has ABI 1.0"),
        ("small_table", .brokenTable, "size of 32"),
        ("null_create", .brokenTable, "create is null"),
        ("null_manifest", .brokenTable, "no manifest"),
        ("other_manifest", .manifestDiffers, "/tools/0/title"),
        ("failing_create", .createFailed, "unavailable (-62)"),
        ("hanging_create", .createFailed, "create does not return"),
        ("null_instance", .createFailed, "without an instance"),
        ("small_instance", .createFailed, "size of 40"),
        ("null_invoke", .createFailed, "invoke is null"),
        ("embedded_runtime", .embeddedRuntime, "embeds its own Swift runtime"),
        ("undefined_symbol", .loadFailed, "tandem_function_that_nobody_has"),
    ])
    func refusesBrokenLibrary(fixture: String, code: PluginRefusal.Code, reason: String) async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: fixture)
        let refusal = try await refusal(test)
        #expect(refusal.code == code)
        #expect(refusal.reason.contains(reason), "\(refusal.reason)")
    }

    @Test func runsALibraryOfAnotherToolchainInAProcessOfItsOwn() async throws {
        try #require(!SwiftRuntime.folder.isEmpty)
        let test = try TestHost()
        let macros = FixtureLibrary.names("test.good", "good").merging(["OTHER_TOOLCHAIN": "1"]) { $1 }
        let library = try await FixtureLibrary.compile(
            "echo", macros,
            linking: ["-Wl,--no-as-needed", "-L\(SwiftRuntime.folder)", "-lswiftCore", "-Wl,-z,nodelete"])
        _ = try await test.pack("good", library: library)
        try test.register(["good"])
        await test.host.start()
        let status = try test.status("test.good")
        #expect(status.isolation == .runner)
        #expect(status.warnings.contains { $0.contains("another Swift toolchain") }, "\(status)")
        #expect(await test.call("good.run", ["value": 1]).result?.value == ["value": 1])
        #expect(test.host.leakedImages == 0)
    }

    @Test func refusesOtherMajorInManifestBeforeLoading() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo") { $0["abi"] = ["major": 9, "minor": 2] }
        let refusal = try await refusal(test)
        #expect(refusal.code == .abiMismatch)
        #expect(refusal.reason.contains("9.2") && refusal.reason.contains("1.0"))
        #expect(test.host.leakedImages == 0)
    }

    @Test func refusesOversizedManifest() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo")
        try test.folder.write(String(repeating: " ", count: 1 << 21), to: "plugins/broken/plugin.json")
        #expect(try await refusal(test).code == .unsafeFile)
    }

    @Test func refusesSymbolicLink() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo")
        rename(test.bundles + "/broken/plugin.so", test.folder.path + "/elsewhere.so")
        symlink(test.folder.path + "/elsewhere.so", test.bundles + "/broken/plugin.so")
        let refusal = try await refusal(test)
        #expect(refusal == PluginRefusal(.unsafeFile, "plugin.so is a symbolic link"))
    }

    @Test(arguments: ["plugin.so", "plugin.json"])
    func refusesPipe(name: String) async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo")
        unlink(test.bundles + "/broken/" + name)
        mkfifo(test.bundles + "/broken/" + name, 0o644)
        #expect(try await refusal(test) == PluginRefusal(.unsafeFile, "\(name) is not a regular file"))
    }

    @Test func refusesFileThatTheGroupMayWrite() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo")
        chmod(test.bundles + "/broken/plugin.so", 0o664)
        #expect(try await refusal(test).code == .unsafeFile)
    }

    @Test func refusesFolderThatAnybodyMayWrite() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo")
        chmod(test.bundles + "/broken", 0o777)
        #expect(try await refusal(test).code == .unsafeFile)
    }

    @Test func refusesFileThatIsNotListed() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo")
        try test.folder.write("x", to: "plugins/broken/extra.so")
        #expect(try await refusal(test).reason.contains("extra.so"))
    }

    @Test func refusesInvalidManifestWithItsPlace() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo") { document in
            document["tools"] = [["id": "other.run"]]
        }
        let refusal = try await refusal(test)
        #expect(refusal.code == .invalidManifest)
        #expect(refusal.reason.contains("/tools/0/id: must start with the namespace, broken."))
    }

    @Test func refusesInvalidSchema() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo") { document in
            document["tools"] = [
                [
                    "id": "broken.run", "title": "Run", "description": "Runs.", "effect": "read",
                    "parameters": [
                        "type": "object", "properties": ["a": ["type": "colour"]], "additionalProperties": false,
                    ],
                ]
            ]
        }
        let refusal = try await refusal(test)
        #expect(refusal.code == .invalidManifest)
        #expect(refusal.reason.contains("/tools/0/parameters/properties/a/type"), "\(refusal.reason)")
    }

    @Test func refusesSecondPluginWithTheSameID() async throws {
        let test = try TestHost()
        try await test.pack("good", "echo")
        try await test.pack("copy", "echo", id: "test.good", namespace: "copy")
        try test.register(["good", "copy"]) { name, entry in entry["id"] = "test.good" }
        await test.host.start()
        let statuses = test.host.statuses()
        #expect(statuses.map(\.refusal?.code) == [nil, .duplicatePlugin])
        #expect(await test.call("good.run", ["value": 1]).result?.value == ["value": 1])
    }

    @Test func refusesSecondPluginWithTheSameTools() async throws {
        let test = try TestHost()
        try await test.pack("good", "echo")
        try await test.pack("copy", "echo", id: "test.copy", namespace: "good")
        try test.register(["good", "copy"])
        await test.host.start()
        #expect(test.refusal("test.copy")?.code == .duplicateTool)
        #expect(await test.call("good.run", ["value": 1]).result?.value == ["value": 1])
    }

    @Test func refusesSecondPluginWithTheSameTableAndTheHostsOwn() async throws {
        let test = try TestHost()
        for (name, table) in [("good", "things"), ("copy", "things"), ("third", "tasks")] {
            var macros = FixtureLibrary.names("test.\(name)", name)
            macros["MORE"] =
                #""\"tables\":[{\"name\":\"\#(table)\",\"columns\":[{\"name\":\"label\",\"type\":\"text\"}]}],""#
            _ = try await test.pack(name, library: try await FixtureLibrary.compile("echo", macros))
        }
        try test.register(["good", "copy", "third"])
        await test.host.start()
        #expect(test.refusal("test.good") == nil)
        #expect(test.refusal("test.copy")?.code == .duplicateTable)
        #expect(test.refusal("test.third")?.code == .duplicateTable)
        #expect(test.rows.prepared.keys.sorted() == ["test.good"])
        #expect(await test.call("good.run", ["value": 1]).result != nil)
    }

    @Test func refusesPluginWhoseTablesCannotBeMade() async throws {
        let test = try TestHost()
        var macros = FixtureLibrary.names("test.good", "good")
        macros["MORE"] = #""\"tables\":[{\"name\":\"things\",\"columns\":[{\"name\":\"label\",\"type\":\"text\"}]}],""#
        _ = try await test.pack("good", library: try await FixtureLibrary.compile("echo", macros))
        try test.register(["good"])
        test.rows.failPreparation(RowFailure(status: -9, code: "column_changed", message: "label was an integer"))
        await test.host.start()
        #expect(test.refusal("test.good")?.code == .storageFailed)
    }

    @Test func refusesOthersPluginsWithoutRunner() async throws {
        let test = try TestHost(runner: RunnerConfiguration(path: nil))
        try await test.pack("broken", "echo")
        let refusal = try await refusal(test) { name, entry in
            guard name == "broken" else { return }
            entry["trust"] = "developer"
            entry["isolation"] = "runner"
            entry["default"] = "offered"
        }
        #expect(refusal.code == .needsRunner)
        #expect(refusal.reason.contains("needs the isolated runner"))
    }

    @Test func refusesUnpinnedBundleOutsideOfTheBuildFolder() async throws {
        let test = try TestHost()
        try await test.pack("good", "echo")
        try test.register(["good"])
        let host = PluginHost(
            configuration: PluginHostConfiguration(
                registryPath: test.folder.path + "/registry.json", searchPaths: [test.bundles],
                buildFolder: test.folder.path + "/elsewhere"),
            services: HostServices(rows: RecordingRows()), grants: MemoryGrantStore())
        await host.start()
        #expect(host.statuses().first?.refusal?.code == .notPinned)
    }

    @Test func loadsPinnedBundleFromAnywhereAndRefusesAnotherPin() async throws {
        let test = try TestHost()
        let packed = try await test.pack("good", "echo")
        for (pin, code) in [
            (packed.checksum, PluginRefusal.Code?.none),
            ("sha256:" + String(repeating: "a", count: 64), .wrongChecksum),
        ] {
            try test.register(["good"]) { $1["pins"] = [PluginHostConfiguration.ownPlatform: .string(pin)] }
            let host = PluginHost(
                configuration: PluginHostConfiguration(
                    registryPath: test.folder.path + "/registry.json", searchPaths: [test.bundles]),
                services: HostServices(rows: RecordingRows()), grants: MemoryGrantStore())
            await host.start()
            #expect(host.statuses().first?.refusal?.code == code)
        }
    }

    @Test func pinsALocalBuildAtFirstSightAndRefusesAChange() async throws {
        let test = try TestHost()
        try await test.layOut("broken", fixture: "echo")
        try await test.pack("good", "echo")
        unlink(test.folder.path + "/plugins.lock.json")
        try test.register(["broken", "good"])
        await test.host.start()
        #expect(test.refusal("test.broken") == nil)
        let lock = try PluginLock(reading: try test.folder.read("plugins.lock.json"))
        #expect(lock.bundles.count == 2)
        // The same names, another summary: packed by nobody.
        let text = String(decoding: try test.folder.read("plugins/broken/plugin.json"), as: UTF8.self)
        try test.folder.write(text + "\n", to: "plugins/broken/plugin.json")
        await test.host.reload()
        #expect(test.refusal("test.broken")?.code == .wrongChecksum)
        #expect(await test.call("good.run", ["value": 1]).result != nil)
        // Packing accepts the new build.
        try await test.pack("broken", "echo")
        unlink(test.bundles + "/broken/plugin.so")
        await test.host.reload()
        #expect(test.refusal("test.broken") == nil)
    }

    @Test func reportsStrayExportsAsWarning() async throws {
        let test = try TestHost()
        try await test.pack("good", "stray_exports")
        try test.register(["good"])
        await test.host.start()
        let status = try test.status("test.good")
        #expect(status.state == .loaded)
        #expect(status.warnings == ["exports 1 symbols besides the entry: fixture_stray"])
    }

    @Test func mapsDifferentFilesAsDifferentImages() async throws {
        // Many files, one after the other, through descriptors whose numbers the system likes to reuse.
        let test = try TestHost()
        let names = (0..<12).map { "many\($0)" }
        for name in names { try await test.pack(name, "echo") }
        try test.register(names)
        await test.host.start()
        #expect(Set(test.host.statuses().compactMap(\.checksum)).count == names.count)
        #expect(Set(try test.host.catalogue.plugins.map { try $0.code.table.get().pointer }).count == names.count)
        for name in names {
            #expect(await test.call("\(name).run", ["value": .string(name)]).result?.value["value"] == .string(name))
        }
    }

    @Test func mapsTheSameBytesOnce() async throws {
        let test = try TestHost()
        try await test.pack("good", "echo")
        try test.register(["good"])
        await test.host.start()
        let first = try test.host.catalogue.plugins.first?.code.table.get().pointer
        let other = PluginHost(
            configuration: test.host.configuration, services: test.host.services, grants: MemoryGrantStore())
        await other.start()
        #expect(try other.catalogue.plugins.first?.code.table.get().pointer == first)
    }

    @Test func packsWithStableOrderAndBuildFacts() async throws {
        let test = try TestHost()
        try await test.pack("good", "echo")
        let document = try JSON(parsing: try test.folder.read("plugins/good/plugin.json"))
        #expect(document.objectValue?.keys.suffix(3) == ["library", "files", "build"])
        #expect(document["build"]?["language"] == "c")
        #expect(document["build"]?["platform"]?.stringValue == PluginHostConfiguration.ownPlatform)
        let before = try test.folder.read("plugins/good/plugin.json")
        try await test.pack("good", "echo")
        #expect(try test.folder.read("plugins/good/plugin.json") == before)
    }
}
