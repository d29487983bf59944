import Foundation
import Logging
import Synchronization
import TandemCore
import TandemEgress
import TandemJSON
import Testing

@testable import TandemPluginHost

/// A plugin host in a folder of its own: bundles, registry, lock, and services that a test looks into.
final class TestHost: Sendable {
    let folder: TemporaryFolder
    let host: PluginHost
    let rows = RecordingRows()
    let clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_790_000_000_000))
    let grants: MemoryGrantStore
    let turn = RecordID(rawValue: 7)

    var bundles: String { folder.path + "/plugins" }

    init(
        idleAfter: Duration = .seconds(600), poll: Duration = .milliseconds(20),
        cancelGrace: Duration = .milliseconds(200),
        lock: Bool = true, mapsAtFirstUse: Bool = false, keepsVersions: Bool = false, beside other: TestHost? = nil,
        runner: RunnerConfiguration = RunnerConfiguration(), egress: (any PluginEgress)? = nil,
        settings: any PluginSettings = DefaultSettings(), memory: MemoryServices? = nil,
        person: @escaping @Sendable (UserScope) -> PersonContext = { _ in PersonContext() }
    ) throws {
        folder = other?.folder ?? TemporaryFolder("host")
        grants = MemoryGrantStore()
        mkdir(folder.path + "/plugins", 0o755)
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .trace
        host = PluginHost(
            configuration: PluginHostConfiguration(
                registryPath: folder.path + "/registry.json", searchPaths: [folder.path + "/plugins"],
                buildFolder: folder.path + "/plugins", lockPath: lock ? folder.path + "/plugins.lock.json" : nil,
                trust: TestHost.trust(in: folder.path), reservedTables: ["tasks"], idleAfter: idleAfter,
                pollInterval: poll, cancelGrace: cancelGrace,
                versionsPath: keepsVersions ? folder.path + "/plugins.versions.json" : nil,
                storePath: keepsVersions ? folder.path + "/bundles" : nil,
                crashesPath: folder.path + "/plugins.crashes.json", mapsAtFirstUse: mapsAtFirstUse,
                runner: runner),
            services: HostServices(
                clock: clock, rows: rows, egress: egress, settings: memory ?? settings, keyValues: memory,
                secrets: memory, timers: memory, events: memory, memories: memory, versions: memory, person: person,
                logger: logger),
            grants: grants)
    }

    /// The documents of trust beside the registry, and the host's own records beside the lock.
    static func trust(in folder: String) -> TrustPaths {
        TrustPaths(
            store: folder + "/trust.json", revocations: folder + "/revocations.json",
            acceptedRevocations: folder + "/revocations.accepted.json", keys: folder + "/keys")
    }

    /// Packs a compiled fixture into the bundle `name`.
    @discardableResult
    func pack(
        _ name: String, _ fixture: String, id: String? = nil, namespace: String? = nil
    ) async throws -> BundlePacker.Packed {
        let macros = FixtureLibrary.names(id ?? "test.\(name)", namespace ?? name)
        return try await pack(name, library: try await FixtureLibrary.compile(fixture, macros))
    }

    /// Packs a fixture as an image of its own, whose counters no other test sees.
    func packApart(_ name: String, _ fixture: String, _ macros: [String: String] = [:]) async throws {
        let path = try await FixtureLibrary.compile(
            fixture, FixtureLibrary.names("test.\(name)", name).merging(macros) { $1 })
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let salt = try #require(bytes.range(of: Data("salt-0000000000000000".utf8)))
        let digits = (0..<16).map { _ in String(Int.random(in: 0...9)) }.joined()
        bytes.replaceSubrange(salt, with: Data("salt-\(digits)".utf8))
        try folder.write(bytes, to: "\(fixture).so")
        _ = try await pack(name, library: folder.path + "/\(fixture).so")
    }

    func pack(_ name: String, library: String) async throws -> BundlePacker.Packed {
        let target = bundles + "/" + name
        let lock = host.configuration.lockPath
        let result = OneShot<Result<BundlePacker.Packed, PluginRefusal>>()
        WorkerPool.shared.submit {
            do throws(PluginRefusal) {
                result.resolve(.success(try BundlePacker.pack(library: library, into: target, lockPath: lock)))
            } catch {
                result.resolve(.failure(error))
            }
        }
        return try await result.value().get()
    }

    /// Lays out a bundle whose library is any bytes, with the manifest of echo.c under the bundle's names.
    func layOut(
        _ name: String, library: [UInt8], edit: (inout JSONObject) -> Void = { _ in }
    ) async throws {
        try await pack(name, "echo")
        let file = bundles + "/" + name
        let text = try Data(contentsOf: URL(fileURLWithPath: file + "/plugin.json"))
        guard case .object(var document) = try JSON(parsing: Array(text)) else { return }
        for old in document["files"]?.objectValue?.keys ?? [] { unlink(file + "/" + old) }
        document["library"] = "plugin.so"
        document["files"] = ["plugin.so": .string(Checksum.of(library))]
        edit(&document)
        try folder.write(library, to: "plugins/\(name)/plugin.so")
        try folder.write(JSON.object(document).pretty(), to: "plugins/\(name)/plugin.json")
        // A build that writes a bundle without the packer: not pinned before it is first seen.
        if let lock = host.configuration.lockPath { unlink(lock) }
    }

    /// Lays out a broken fixture under the names of the bundle.
    func layOut(_ name: String, fixture: String, edit: (inout JSONObject) -> Void = { _ in }) async throws {
        let path = try await FixtureLibrary.compile(fixture, FixtureLibrary.names("test.\(name)", name))
        try await layOut(name, library: Array(try Data(contentsOf: URL(fileURLWithPath: path))), edit: edit)
    }

    /// Writes a registry that names bundles as first-party plugins `test.NAME`.
    func register(_ names: [String], edit: (String, inout JSONObject) -> Void = { _, _ in }) throws {
        let entries = names.map { name -> JSON in
            var entry: JSONObject = [
                "id": .string("test.\(name)"), "bundle": .string(name), "trust": "first-party",
                "isolation": "in-process", "default": "enabled",
            ]
            edit(name, &entry)
            return .object(entry)
        }
        let document: JSON = ["version": 1, "plugins": .array(entries)]
        try folder.write(document.pretty(), to: "registry.json")
    }

    /// Starts the host and lets it watch its files while the body runs.
    func withRunningHost(_ body: (TestHost) async throws -> Void) async throws {
        await host.start()
        let run = Task { await host.run() }
        do {
            try await body(self)
        } catch {
            run.cancel()
            throw error
        }
        run.cancel()
        await run.value
    }

    func refusal(_ id: String) -> PluginRefusal? { host.statuses().first { $0.id == id }?.refusal }

    func status(_ id: String) throws -> PluginStatus { try #require(host.statuses().first { $0.id == id }) }

    func scope(_ user: Int64 = 1) -> UserScope { UserScope(authenticated: UserID(rawValue: user)) }

    func call(
        _ tool: String, _ arguments: JSON = [:], user: Int64 = 1, within: Duration = .seconds(20),
        effect: Effect = .spend, depth: Int = 0, resume: [UInt8] = [], answers: JSON? = nil,
        innerCalls: InnerCallCount? = nil
    ) async -> ToolOutcome {
        var call = ToolCall(
            tool: tool, arguments: arguments, origin: WriteOrigin(turn: turn, step: 1),
            deadlineNanoseconds: monotonicNanoseconds() + within.nanoseconds, idempotencyKey: "key",
            resumeState: resume, answers: answers, allowedEffect: effect, depth: depth)
        call.innerCalls = innerCalls
        return await host.call(call, in: scope(user))
    }
}

extension ToolOutcome {
    var result: ToolValue? {
        if case .value(let value) = self { return value }
        return nil
    }

    var error: ToolFailure? {
        if case .failure(let failure) = self { return failure }
        return nil
    }
}

/// Waits for something that other threads bring about, without a fixed sleep; false after ten seconds.
func eventually(_ condition: () async -> Bool) async -> Bool {
    let end = monotonicNanoseconds() + 60_000_000_000
    while monotonicNanoseconds() < end {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return false
}

/// Row services that record what they were asked and answer what a test wants.
final class RecordingRows: RowExecutor {
    struct Request: Sendable {
        var operations: JSON
        var owner: String
        var scope: UserScope
        var origin: WriteOrigin
        var mayWrite: Bool
        var quota: PluginQuota
    }

    private let state = Mutex<(requests: [Request], prepared: [String: [TableDefinition]])>(([], [:]))
    private let answer = Mutex<@Sendable (Request) async -> Result<JSON, RowFailure>>({ _ in .success([]) })
    private let preparation = Mutex<RowFailure?>(nil)

    var requests: [Request] { state.withLock { $0.requests } }
    var prepared: [String: [TableDefinition]] { state.withLock { $0.prepared } }

    func answer(_ body: @escaping @Sendable (Request) async -> Result<JSON, RowFailure>) {
        answer.withLock { $0 = body }
    }

    func failPreparation(_ failure: RowFailure?) { preparation.withLock { $0 = failure } }

    func prepare(tables: [TableDefinition], owner: String) async throws {
        if let failure = preparation.withLock({ $0 }) { throw failure }
        state.withLock { $0.prepared[owner] = tables }
    }

    func execute(
        operations: JSON, owner: String, scope: UserScope, origin: WriteOrigin, mayWrite: Bool,
        copies: Set<String>, quota: PluginQuota
    ) async -> Result<JSON, RowFailure> {
        let request = Request(
            operations: operations, owner: owner, scope: scope, origin: origin, mayWrite: mayWrite, quota: quota)
        state.withLock { $0.requests.append(request) }
        return await answer.withLock { $0 }(request)
    }
}
