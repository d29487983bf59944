import Foundation
import Logging
import Synchronization
import TandemCore
import TandemJSON
import TandemStorage
import Testing

@testable import TandemApplication
@testable import TandemPluginHost

/// A real plugin host on a real database, with one hostile plugin and well-behaved neighbours, each in its own runner.
final class HostileHost: Sendable {
    let folder: String
    let host: PluginHost
    let database: SQLiteDatabase
    let grants = MemoryGrantStore()
    let neighbours: [String]
    private let ids: IDGenerator

    static let hostile = "test.hostile"

    /// With short waits, so that the tests are quick.
    static let runner = RunnerConfiguration(
        memoryBytes: 256 << 20, startTimeout: .seconds(10), answerTimeout: .seconds(2), pingTimeout: .seconds(10),
        crashesToOpen: 50, backOff: .milliseconds(5), maxBackOff: .milliseconds(20))

    /// - Parameters:
    ///   - name: a file of Tests/Fixtures/hostile.
    ///   - tool: members of its tool besides the usual ones.
    init(
        _ name: String, tool: JSONObject = [:], manifest more: JSONObject = [:], neighbours count: Int = 2,
        runner: RunnerConfiguration = HostileHost.runner, edit: (inout JSONObject) -> Void = { _ in }
    ) async throws {
        var template = Array((NSTemporaryDirectory() + "tandem-hostile-XXXXXX").utf8CString)
        folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        let clock = SystemClock()
        ids = IDGenerator(clock: clock, node: 3)
        database = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: folder + "/tandem.db", isDurable: false), keyring: try Keyring.ephemeral(),
            clock: clock, ids: ids)
        let bundles = folder + "/plugins"
        mkdir(bundles, 0o755)
        var entries: [JSON] = []
        neighbours = (0..<count).map { "good\($0)" }
        for neighbour in neighbours {
            try await Self.layOut(
                "plugins/echo", id: "test.\(neighbour)", namespace: neighbour, in: bundles + "/" + neighbour,
                tool: ["timeoutMilliseconds": 10_000], more: [:])
            entries.append(Self.entry("test.\(neighbour)", bundle: neighbour))
        }
        try await Self.layOut(
            name.contains("/") && !name.hasPrefix("library/") ? name : "hostile/\(name)", id: Self.hostile,
            namespace: "hostile", in: bundles + "/hostile", tool: tool, more: more)
        var entry = Self.entry(Self.hostile, bundle: "hostile").objectValue ?? [:]
        edit(&entry)
        if entry["trust"] == "first-party" {
            // Somebody has to vouch for it.
            let manifest = Array(try Data(contentsOf: URL(fileURLWithPath: bundles + "/hostile/plugin.json")))
            entry["pins"] = [PluginHostConfiguration.ownPlatform: .string(Checksum.of(manifest))]
        }
        entries.insert(.object(entry), at: 0)
        let registry: JSON = ["version": 1, "plugins": .array(entries)]
        try Data(registry.serialized()).write(to: URL(fileURLWithPath: folder + "/registry.json"))
        // With HOSTILE_LOG in the environment the host's log is shown.
        let isShown = ProcessInfo.processInfo.environment["HOSTILE_LOG"] != nil
        var logger = Logger(label: "hostile") { label -> any LogHandler in
            if isShown { return StreamLogHandler.standardOutput(label: label) }
            return SwiftLogNoOpLogHandler()
        }
        logger.logLevel = .trace
        host = PluginHost(
            configuration: PluginHostConfiguration(
                registryPath: folder + "/registry.json", searchPaths: [bundles], buildFolder: bundles,
                lockPath: folder + "/plugins.lock.json", cancelGrace: .milliseconds(200),
                runner: runner),
            services: HostServices(clock: clock, rows: StoredRows(database: database), logger: logger), grants: grants)
    }

    /// Ends everything and removes the folder.
    func end() async {
        host.shutDown()
        await database.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func entry(_ id: String, bundle: String) -> JSON {
        ["id": .string(id), "bundle": .string(bundle), "trust": "developer", "isolation": "runner"]
    }

    // MARK: Bundles

    /// Compiles a fixture and lays out its bundle without running any of its code.
    static func layOut(
        _ source: String, id: String, namespace: String, in folder: String, tool more: JSONObject,
        more members: JSONObject
    ) async throws {
        var tool: JSONObject = [
            "id": .string("\(namespace).run"), "title": "Run", "description": "Runs.",
            "parameters": ["type": "object", "properties": ["value": [:]], "additionalProperties": false],
            "effect": "read", "timeoutMilliseconds": 1000,
        ]
        // A manifest-only plugin's parameters come from its functions.
        if members["foreign"] != nil { tool["parameters"] = nil }
        for (key, value) in more { tool[key] = value }
        var manifest: JSONObject = [
            "manifest": 1, "id": .string(id), "namespace": .string(namespace), "name": "Fixture", "version": "1.0.0",
            "summary": "A fixture.", "abi": ["major": 1, "minor": 0], "tools": [.object(tool)],
            "limits": ["maxInFlight": 16],
        ]
        for (key, value) in members { manifest[key] = value }
        let library = try await Compiler.compile(source, manifest: JSON.object(manifest).serialized())
        mkdir(folder, 0o755)
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: library)))
        // A library without the entry point is what a manifest-only plugin consists of.
        let name = manifest["foreign"]?["library"]?["file"]?.stringValue ?? "plugin.so"
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
        if manifest["foreign"] == nil { manifest["library"] = .string(name) }
        manifest["files"] = [name: .string(Checksum.of(bytes))]
        try Data(JSON.object(manifest).serialized()).write(to: URL(fileURLWithPath: folder + "/plugin.json"))
    }

    // MARK: Calls

    func person() -> UserScope { UserScope(authenticated: ids.nextUser()) }

    func switchOn(_ plugin: String, for scope: UserScope) async throws {
        _ = try await host.switchOn(plugin, level: .write, in: scope)
    }

    func call(
        _ tool: String, _ arguments: JSON = [:], in scope: UserScope, within: Duration = .seconds(30)
    ) async -> ToolOutcome {
        await host.call(
            ToolCall(
                tool: tool, arguments: arguments, origin: WriteOrigin(turn: ids.next(), step: 1),
                deadlineNanoseconds: monotonicNanoseconds() + within.nanoseconds, idempotencyKey: "key",
                resumeState: [], answers: nil, allowedEffect: .spend, depth: 0), in: scope)
    }

    // MARK: What is known of the hostile one

    func status() throws -> PluginStatus { try #require(host.statuses().first { $0.id == Self.hostile }) }

    /// All that an operator sees of it, in one line.
    func evidence() -> String {
        guard let status = try? status() else { return "not listed" }
        let counters = status.counters.all.filter { $0.value > 0 }.map { "\($0.name)=\($0.value)" }
        let parts: [String?] = [
            status.refusal.map { "\($0.code.rawValue): \($0.reason)" }, status.lastFailure,
            status.runner?.lastCrash?.exit.description,
            status.runner.map { "throttled=\($0.throttled) yielded=\($0.yielded)" },
            counters.joined(separator: " "),
        ]
        return parts.compactMap { $0 }.joined(separator: "; ")
    }

    /// The runners that this host has right now.
    var processes: [Int32] { host.statuses().flatMap { $0.runner?.processes ?? [] } }
}

/// Compiles fixtures with a manifest of the test's own.
enum Compiler {
    static let root: String = {
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    private static let folder: String = {
        var template = Array((NSTemporaryDirectory() + "tandem-hostile-build-XXXXXX").utf8CString)
        return mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
    }()

    private static let builds = Mutex<[String: OneShot<String>]>([:])

    static func compile(_ source: String, manifest: [UInt8]) async throws -> String {
        let text = String(decoding: manifest, as: UTF8.self)
        let (build, isMine) = builds.withLock { builds -> (OneShot<String>, Bool) in
            if let build = builds[source + text] { return (build, false) }
            let build = OneShot<String>()
            builds[source + text] = build
            return (build, true)
        }
        if isMine {
            // Quietly: what these files do is meant.
            let output = folder + "/\(UInt64.random(in: 0 ... .max)).so"
            let literal = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            WorkerPool.shared.submit {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                process.arguments = [
                    "cc", "-std=gnu11", "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread",
                    "-I\(root)/PluginSDK/C/include", "-DMANIFEST=\"\(literal)\"", "-o", output,
                    "\(root)/Tests/Fixtures/\(source).c", "-lm",
                ]
                try? process.run()
                process.waitUntilExit()
                build.resolve(process.terminationStatus == 0 ? output : "")
            }
        }
        let path = await build.value()
        try #require(!path.isEmpty, "\(source).c does not compile")
        return path
    }
}

/// Steady calls of well-behaved plugins, and how long each took.
final class SteadyLoad: Sendable {
    private let state = Mutex<(latencies: [UInt64], failures: [String])>(([], []))
    private let isOver = Atomic<Bool>(false)
    private let tasks = Mutex<[Task<Void, Never>]>([])

    /// Each neighbour for two people, 200 calls a second in all.
    init(_ host: HostileHost) async throws {
        for neighbour in host.neighbours {
            for _ in 0..<2 {
                let scope = host.person()
                try await host.switchOn(neighbour, for: scope)
                let task = Task { [self] in
                    var round: Int64 = 0
                    while !isOver.load(ordering: .relaxed) {
                        round += 1
                        let started = monotonicNanoseconds()
                        let outcome = await host.call("\(neighbour).run", ["value": .integer(round)], in: scope)
                        let time = monotonicNanoseconds() - started
                        let isRight: Bool
                        if case .value(let value) = outcome {
                            isRight = value.value == ["value": .integer(round)]
                        } else {
                            isRight = false
                        }
                        state.withLock { state in
                            state.latencies.append(time)
                            if !isRight { state.failures.append("\(outcome)") }
                        }
                        try? await Task.sleep(for: .milliseconds(20))
                    }
                }
                tasks.withLock { $0.append(task) }
            }
        }
    }

    var failures: [String] { state.withLock { $0.failures } }

    /// Something was measured since the last time.
    var hasCalled: Bool { state.withLock { !$0.latencies.isEmpty } }

    /// Takes what was measured since the last time: calls, median and 99th percentile in microseconds.
    func measure() -> (calls: Int, p50: UInt64, p99: UInt64) {
        let latencies = state.withLock { state in
            defer { state.latencies = [] }
            return state.latencies.sorted()
        }
        guard !latencies.isEmpty else { return (0, 0, 0) }
        return (latencies.count, latencies[latencies.count / 2] / 1000, latencies[latencies.count * 99 / 100] / 1000)
    }

    func stop() async {
        isOver.store(true, ordering: .relaxed)
        for task in tasks.withLock({ $0 }) { await task.value }
    }
}

/// Waits for something that other processes bring about; false after twenty seconds.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = monotonicNanoseconds() + 60_000_000_000
    while monotonicNanoseconds() < end {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}
