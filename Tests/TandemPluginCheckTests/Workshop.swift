import Crypto
import Foundation
import Synchronization
import TandemJSON
import TandemPluginCheck
import TandemPluginHost
import Testing

/// Compiles plugins and lays out bundles in a folder of its own, removed with it.
final class Workshop: Sendable {
    static let root: String = {
        // Tests/TandemPluginCheckTests/Workshop.swift
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    /// Beside the test bundle, where `swift build --build-tests` puts it.
    static let worker = PluginChecker.workerBesideProgram()

    /// The command.
    static let tandem = worker.replacingOccurrences(of: "tandem-plugin-check-worker", with: "tandem")

    let folder: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "tandem-check-XXXXXX").utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Runs a program and waits; its exit code and what it wrote.
    @discardableResult
    func run(_ program: String, _ arguments: [String], in directory: String? = nil) async throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        let path = folder + "/output-\(UInt64.random(in: 0 ... .max))"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        process.standardOutput = output
        process.standardError = output
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        try output.close()
        return (status, (try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
    }

    /// A library from a C source below the project's root.
    func compile(
        _ source: String, _ macros: [String] = [], headers: String = Workshop.root + "/PluginSDK/C/include",
        exportsAll: Bool = false
    ) async throws -> String {
        let output = folder + "/\(UInt64.random(in: 0 ... .max)).so"
        let (status, text) = try await run(
            "cc",
            [
                "-std=gnu11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread", "-Wno-free-nonheap-object",
                "-Wl,-z,nodelete", "-Wl,-z,relro", "-I\(headers)", "-o", output, Self.root + "/" + source, "-lm",
            ] + (exportsAll ? [] : ["-Wl,--version-script=\(Self.root)/PluginSDK/C/plugin.version"])
                + macros.map { "-D\($0)" })
        try #require(status == 0, "\(source) does not compile: \(text)")
        return output
    }

    /// A bundle as `tandem plugin pack` makes it. Loads the library into this process: for libraries that bear it.
    func pack(_ library: String) throws -> String {
        let target = folder + "/bundle-\(UInt64.random(in: 0 ... .max))"
        _ = try BundlePacker.pack(library: library, into: target)
        return target
    }

    /// A bundle with this library and the manifest of another one's bundle, without loading anything.
    func layOut(_ library: String, likeBundle other: String) throws -> String {
        let target = folder + "/laid-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        chmod(target, 0o755)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: library))
        let text = try Data(contentsOf: URL(fileURLWithPath: other + "/plugin.json"))
        guard case .object(var document) = try JSON(parsing: Array(text)) else { return target }
        let digest = SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
        document["library"] = "plugin.so"
        document["files"] = ["plugin.so": .string("sha256:" + digest)]
        for (name, data) in [("plugin.so", bytes), ("plugin.json", Data(JSON.object(document).pretty().utf8))] {
            try data.write(to: URL(fileURLWithPath: target + "/" + name))
            chmod(target + "/" + name, 0o644)
        }
        return target
    }

    func checker(only: Set<String> = []) -> PluginChecker {
        var checker = PluginChecker(worker: Self.worker, seed: 42)
        checker.only = only
        checker.cases = 60
        return checker
    }
}

extension CheckReport {
    /// `check/code` of every finding that keeps a tier away. But for that a call took long: it may have waited for a thread
    /// of its plugin that a loaded machine did not run, and this is about whether the check finds what is there.
    var errors: [String] {
        results.flatMap { result in
            result.findings.filter { $0.level == .error }.map { "\(result.name)/\($0.code)" }
        }.filter { $0 != "budget/over_budget" }
    }
}
