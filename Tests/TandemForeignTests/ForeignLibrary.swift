import CTandemPlugin
import Foundation
import Synchronization
import TandemCore
import TandemForeign
import TandemJSON
import TandemTesting
import Testing

@testable import TandemPluginHost

/// The fixture library as a manifest-only plugin: a bundle in a folder of its own, opened by the adapter.
final class ForeignLibrary: Sendable {
    /// Why the adapter refused a manifest.
    struct Refused: Error {
        var reason: String
    }

    let folder: String
    let manifest: PluginManifest
    private let plugin: Mutex<UInt>

    /// Opens a manifest whose `foreign` section calls `libfixture.so`.
    ///
    /// - Parameters:
    ///   - functions: by the part of the tool id after `test.`.
    ///   - edit: changes the document after the host read it, to show what the adapter refuses by itself.
    init(
        _ functions: JSONObject, objects: JSONObject? = nil, concurrent: Bool = false, parameters: JSONObject = [:],
        edit: (inout JSONObject) -> Void = { _ in }
    ) async throws {
        folder = try Self.makeFolder()
        let library = try Data(contentsOf: URL(fileURLWithPath: try await Self.compiled()))
        // Each bundle has a library of its own: counters of another test are not seen.
        var bytes = Array(library)
        bytes += Array("salt \(UInt64.random(in: 0 ... .max))".utf8)
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/libfixture.so"))
        try Data("40".utf8).write(to: URL(fileURLWithPath: folder + "/start.txt"))
        var foreign: JSONObject = ["library": ["file": "libfixture.so"], "concurrent": .bool(concurrent)]
        if let objects { foreign["objects"] = .object(objects) }
        var named: JSONObject = [:]
        for (name, function) in functions { named["test.\(name)"] = function }
        foreign["functions"] = .object(named)
        let tools = functions.map { name, _ -> JSON in
            var tool: JSONObject = [
                "id": .string("test.\(name)"), "title": "T", "description": "D", "effect": "read", "undo": "none",
            ]
            if let schema = parameters[name] { tool["parameters"] = schema }
            return .object(tool)
        }
        var document: JSONObject = [
            "manifest": 1, "id": "test.foreign", "namespace": "test", "name": "Fixture", "version": "1.0.0",
            "summary": "S", "abi": ["major": 1, "minor": 0], "tools": .array(tools), "foreign": .object(foreign),
            "files": [
                "libfixture.so": .string(Checksum.of(bytes)), "start.txt": .string(Checksum.of(Array("40".utf8))),
            ],
            "limits": ["maxInFlight": 16],
        ]
        manifest = try PluginManifest(reading: JSON.object(document).serialized(), packaged: true)
        edit(&document)
        plugin = Mutex(try Self.open(JSON.object(document).serialized(), in: folder))
    }

    /// Opens a manifest of the examples, with files of the system.
    init(example: String, files: [String]) throws {
        folder = try Self.makeFolder()
        var checksums: JSONObject = [:]
        for file in files {
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
            let name = String(file.split(separator: "/").last ?? "")
            try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
            checksums[name] = .string(Checksum.of(bytes))
        }
        let path = "\(Self.root)/PluginSDK/Examples/\(example)/plugin.json"
        guard case .object(var document) = try JSON(parsing: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        else { throw Refused(reason: "no object") }
        document["files"] = .object(checksums)
        manifest = try PluginManifest(reading: JSON.object(document).serialized(), packaged: true)
        plugin = Mutex(try Self.open(JSON.object(document).serialized(), in: folder))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A `tandem_plugin`.
    func table() throws -> UnsafeRawPointer { try #require(UnsafeRawPointer(bitPattern: plugin.withLock { $0 })) }

    /// An activated instance.
    func instance() throws -> PluginDriver {
        let driver = try #require(PluginDriver(plugin: try table(), host: HostTable(HostServices())))
        #expect(driver.activate() == TANDEM_OK)
        return driver
    }

    /// Calls one tool on a new instance and ends it.
    func call(_ tool: String, _ arguments: JSON = [:]) async throws -> WireOutcome {
        let driver = try instance()
        let outcome = await driver.invoke(tool.contains(".") ? tool : "test.\(tool)", arguments.serialized())
        #expect(await driver.drain())
        let counts = driver.host.counts
        #expect(counts.doubleCompletions == 0 && counts.staleCompletions == 0 && counts.malformedOutcomes == 0)
        driver.destroy()
        return outcome
    }

    static func open(_ manifest: [UInt8], in folder: String) throws -> UInt {
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(descriptor) }
        var reason = [CChar](repeating: 0, count: 512)
        let opened = manifest.withUnsafeBytes { bytes -> UInt in
            var source = tandem_foreign_source(
                manifest: bytes.bindMemory(to: CChar.self).baseAddress, manifest_length: bytes.count,
                folder: descriptor)
            return UInt(bitPattern: tandem_foreign_open(&source, &reason, reason.count))
        }
        guard opened != 0 else {
            throw Refused(
                reason: String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        return opened
    }

    static let root: String = {
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    private static func makeFolder() throws -> String {
        var template = Array((NSTemporaryDirectory() + "tandem-foreign-XXXXXX").utf8CString)
        return try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    private static let build = Mutex<OneShot<String>?>(nil)

    private static func compiled() async throws -> String {
        let (result, isMine) = build.withLock { build -> (OneShot<String>, Bool) in
            if let build { return (build, false) }
            let made = OneShot<String>()
            build = made
            return (made, true)
        }
        if isMine {
            let output = try makeFolder() + "/libfixture.so"
            WorkerPool.shared.submit {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                process.arguments = [
                    "cc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-pthread", "-o", output,
                    root + "/Tests/Fixtures/foreign/fixture.c", "-lm",
                ]
                try? process.run()
                process.waitUntilExit()
                result.resolve(process.terminationStatus == 0 ? output : "")
            }
        }
        let path = await result.value()
        try #require(!path.isEmpty, "fixture.c does not compile")
        return path
    }
}

extension WireOutcome {
    /// The value of a success.
    var result: JSON? { kind == TANDEM_OUTCOME_VALUE ? try? JSON(parsing: value) : nil }

    /// The code of an error.
    var errorCode: String? {
        kind == TANDEM_OUTCOME_TOOL_ERROR ? (try? JSON(parsing: value))?["code"]?.stringValue : nil
    }
}
