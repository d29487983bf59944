import Foundation
import TandemSDK
import TandemTesting
import Testing

/// The C headers alone, under the compilers that authors have, and a plugin written in C.
@Suite struct HeaderTests {
    /// The root of the repository.
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func find(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (folders + ["/usr/bin"]).map { $0 + "/" + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private struct Run {
        let status: Int32
        let output: String
    }

    private static func run(_ tool: String, _ arguments: [String]) async throws -> Run? {
        guard let path = find(tool) else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = root
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        return try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { process in
                let data = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
                let output = String(decoding: data, as: UTF8.self)
                continuation.resume(returning: Run(status: process.terminationStatus, output: output))
            }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }

    @Test(arguments: [
        ["clang", "-std=c11", "-Wpadded", "-pedantic", "-x", "c"],
        ["gcc", "-std=c11", "-Wpadded", "-pedantic", "-x", "c"],
        ["clang++", "-std=c++11", "-pedantic", "-x", "c++"], ["g++", "-std=c++17", "-pedantic", "-x", "c++"],
    ])
    func everyHeaderCompilesAlone(compiler: [String]) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tandem-headers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let headers = [
            "base", "call", "host", "plugin", "tandem", "ext/clock", "ext/config", "ext/log", "ext/rows", "ext/tools",
        ]
        var files: [String] = []
        for header in headers {
            let file = folder.appending(path: header.replacingOccurrences(of: "/", with: "-") + ".c")
            try "#include \"tandem/\(header).h\"\n#include \"tandem/\(header).h\"\n"
                .write(to: file, atomically: true, encoding: .utf8)
            files.append(file.path)
        }
        let flags = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-IPluginSDK/C/include"]
        guard let run = try await Self.run(compiler[0], Array(compiler.dropFirst()) + flags + files) else { return }
        #expect(run.status == 0, "\(run.output)")
    }

    @Test(arguments: ["clang", "gcc"])
    func thePluginInCWorks(compiler: String) async throws {
        let library = FileManager.default.temporaryDirectory.appending(path: "tandem-units-\(UUID().uuidString).so")
        defer { try? FileManager.default.removeItem(at: library) }
        let arguments = [
            "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden",
            "-Wl,-z,nodelete", "-Wl,--version-script=PluginSDK/C/plugin.version", "-IPluginSDK/C/include", "-o",
            library.path, "PluginSDK/Examples/C/units.c", "-lm",
        ]
        guard let build = try await Self.run(compiler, arguments) else { return }
        try #require(build.status == 0, "\(build.output)")
        if let symbols = try await Self.run("nm", ["-D", "--defined-only", library.path]) {
            #expect(
                symbols.output.split(separator: "\n").map { $0.split(separator: " ").last } == ["tandem_plugin_entry"])
        }
        if let dynamic = try await Self.run("readelf", ["-d", library.path]) {
            #expect(dynamic.output.contains("NODELETE"))
        }

        typealias Entry = @convention(c) (UInt32, UInt32) -> UnsafeRawPointer?
        let handle = try #require(dlopen(library.path, RTLD_NOW | RTLD_LOCAL), "\(String(cString: dlerror()))")
        let symbol = try #require(dlsym(handle, "tandem_plugin_entry"))
        let entry = unsafeBitCast(symbol, to: Entry.self)
        #expect(entry(2, 0) == nil)
        let plugin = try #require(entry(1, 0))
        let manifest = try JSON(parsing: PluginDriver.manifest(of: plugin))
        #expect(manifest["tools"]?[0]?["id"] == "units.convert")
        #expect(PluginDriver(plugin: plugin, host: HostTable(HostServices(), size: 16)) == nil)

        let driver = try #require(PluginDriver(plugin: plugin, host: HostTable(HostServices())))
        #expect(driver.activate() == 0)
        func convert(_ json: String) async -> WireOutcome { await driver.invoke("units.convert", Array(json.utf8)) }
        let cups = await convert(#"{"amount":2,"from":"cup","to":"ml"}"#)
        #expect(cups.message == "2 cup is 473.176 ml.")
        #expect(try JSON(parsing: cups.value) == ["amount": 473.176, "unit": "ml"])
        #expect(await convert(#"{ "to":"C", "amount" : 212 , "from":"F"}"#).message == "212 F is 100 C.")
        #expect(await convert(#"{"amount":-4e1,"from":"F","to":"\u0043"}"#).message == "-40 F is -40 C.")
        #expect(await convert(#"{"amount":0.001,"from":"mile","to":"m"}"#).message == "0.001 mile is 1.60934 m.")
        #expect(await convert(#"{"amount":1,"from":"cup","to":"g"}"#).outcome.error?.code == "different_kinds")
        for hostile in [
            "", "{", "{}", "[]", #"{"amount":1}"#, #"{"amount":"x","from":"g","to":"kg"}"#,
            #"{"amount":1e999,"from":"g","to":"kg"}"#,
            #"{"amount":1,"from":"gggggggggggggggggggggggggg","to":"kg"}"#, #"{"amount":1,"from":"\"#,
            #"{"amount":1,"from":"\u12"#,
            #"{"amount":1,"from":"stone","to":"kg"}"#, #"{"amount":1,"from":"g","to":"kg"#,
        ] {
            #expect(await convert(hostile).status < 0, "\(hostile)")
        }
        #expect(await driver.drain())
        driver.destroy()
        #expect(driver.host.counts.buffersReceived == driver.host.counts.buffersReleased)
        #expect(driver.host.counts.doubleCompletions + driver.host.counts.malformedOutcomes == 0)
    }
}
