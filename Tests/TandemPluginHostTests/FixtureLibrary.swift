import Foundation
import Synchronization
import TandemJSON
import Testing

@testable import TandemPluginHost

/// Compiles the plugin fixtures (Tests/Fixtures/plugins), each variant once per run, and lays out bundles with them.
enum FixtureLibrary {
    static let root: String = {
        // Tests/TandemPluginHostTests/FixtureLibrary.swift
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    /// Where the running test bundle lies, with the products beside it.
    static let buildFolder: String = {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: path).deletingLastPathComponent().path
    }()

    private static let folder = TemporaryFolder("fixtures")
    private static let builds = Mutex<[String: OneShot<String>]>([:])

    /// The path of a compiled fixture.
    ///
    /// - Parameter macros: `-D` definitions; string values carry their own quotes.
    static func compile(
        _ name: String, _ macros: [String: String] = [:], linking: [String] = []
    ) async throws -> String {
        let flags = macros.sorted { $0.key < $1.key }.map { "-D\($0.key)=\($0.value)" } + linking
        let key = ([name] + flags).joined(separator: " ")
        let (build, isMine) = builds.withLock { builds -> (OneShot<String>, Bool) in
            if let build = builds[key] { return (build, false) }
            let build = OneShot<String>()
            builds[key] = build
            return (build, true)
        }
        if isMine {
            let output = folder.path + "/\(name)-\(UInt64.random(in: 0 ... .max)).so"
            WorkerPool.shared.submit {
                let arguments =
                    [
                        "-std=gnu11", "-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread",
                        "-I\(root)/PluginSDK/C/include", "-o", output, "\(root)/Tests/Fixtures/plugins/\(name).c",
                    ] + flags
                build.resolve(run("cc", arguments) ? output : "")
            }
        }
        let path = await build.value()
        try #require(!path.isEmpty, "\(name).c does not compile")
        return path
    }

    /// Names for a variant of a fixture.
    static func names(_ id: String, _ namespace: String) -> [String: String] {
        ["ID": "\"\(id)\"", "NAMESPACE": "\"\(namespace)\""]
    }

    /// Runs a tool to its end, off Swift's shared pool; whether it succeeded.
    static func tool(_ tool: String, _ arguments: [String]) async -> Bool {
        let done = OneShot<Bool>()
        WorkerPool.shared.submit { done.resolve(run(tool, arguments)) }
        return await done.value()
    }

    private static func run(_ tool: String, _ arguments: [String]) -> Bool {
        var pid: pid_t = 0
        var argv = ([tool] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { for argument in argv { free(argument) } }
        guard posix_spawnp(&pid, tool, nil, nil, argv, environ) == 0 else { return false }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status == 0
    }
}

/// A folder of its own for a test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init(_ name: String = "test") {
        var template = Array((NSTemporaryDirectory() + "tandem-\(name)-XXXXXX").utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: some Sequence<UInt8>, to name: String, mode: mode_t = 0o644) throws {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        chmod(file, mode)
    }

    func write(_ text: String, to name: String) throws { try write(text.utf8, to: name) }

    func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))) }
}
