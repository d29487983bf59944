import ArgumentParser
import CrashHarness
import Foundation
import PostgreSQLServer
import TandemJSON
import TandemPluginHost
import TandemStorage

@main
struct CrashProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandem-crash",
        abstract: "Kills a serving Tandem again and again, and counts what was lost or done twice.",
        discussion: """
            Examples:
              tandem-crash run --kills 150 --engine sqlite
              tandem-crash run --long --held --model --json

            Exit codes: 0 nothing was lost or doubled, 1 something was, 64 wrong usage, 70 the run itself failed.
            """,
        subcommands: [RunCommand.self, ServeCommand.self])
}

/// The server with a fault point, which the harness starts.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", shouldDisplay: false)

    func run() async throws { try await reportingFailure { try await CrashServer.run() } }
}

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "People text a server, which is killed at each persisted step and at random.",
        discussion: """
            Examples:
              tandem-crash run                              1,000 kills on each engine: some ten minutes
              tandem-crash run --kills 150 --engine sqlite
            """)

    enum Engine: String, ExpressibleByArgument, CaseIterable {
        case sqlite, postgres
    }

    @Option(help: "How often it is killed, on each engine.")
    var kills = 1000
    @Option(help: "One engine instead of both: sqlite or postgres.")
    var engine: Engine?
    @Flag(help: "A model answers, with several requests in a turn.")
    var model = false
    @Flag(help: "Turns take long: they go on after a first answer.")
    var long = false
    @Flag(help: "Confirmed messages wait before they leave.")
    var held = false
    @Flag(help: "One JSON document for each engine instead of tables.")
    var json = false

    func validate() throws {
        guard kills > 0 else { throw ValidationError("--kills is at least 1.") }
    }

    func run() async throws {
        let isClean = try await reportingFailure { try await kill() }
        if !isClean { throw ExitCode(1) }
    }

    private func kill() async throws -> Bool {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let build = URL(fileURLWithPath: program).deletingLastPathComponent().path
        let folder = NSTemporaryDirectory() + "/tandem-crash-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder + "/install", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // No symbolic link: the program looks for its plugins beside the file that it really is.
        let installed = folder + "/install/tandem"
        if link(build + "/tandem", installed) != 0 {
            try FileManager.default.copyItem(atPath: build + "/tandem", toPath: installed)
        }
        for name in ["Grocery", "Recipes", "Expenses"] {
            _ = try BundlePacker.pack(
                library: build + "/lib\(name)Plugin.so", into: folder + "/install/plugins/" + name.lowercased())
        }
        _ = try BundlePacker.pack(library: build + "/libCourierFixture.so", into: folder + "/install/plugins/courier")
        var isClean = true
        for engine in engine.map({ [$0] }) ?? Engine.allCases {
            try FileManager.default.createDirectory(
                atPath: folder + "/" + engine.rawValue, withIntermediateDirectories: true)
            var database: [String: String] = [:]
            if engine == .postgres {
                let server = try await PostgreSQLServer.shared()
                database = server.environment(try await server.database().address.database)
            }
            var run = CrashRun(
                installation: folder + "/install", harness: program, kills: kills, database: database,
                folder: folder + "/" + engine.rawValue)
            run.usesModel = model
            run.answerMilliseconds = long ? 10 : nil
            run.holdsMessages = held
            run.progress = { if $0.isMultiple(of: 100) { say("\(engine.rawValue): \($0) kills") } }
            let verdict = try await run.run()
            print(json ? verdict.document(engine.rawValue).text : verdict.table(engine.rawValue))
            isClean = isClean && verdict.isClean && verdict.killCount >= kills
        }
        return isClean
    }
}

private func say(_ text: String) { FileHandle.standardError.write(Data("tandem-crash: \(text)\n".utf8)) }

private func reportingFailure<T>(_ body: () async throws -> T) async throws -> T {
    do {
        return try await body()
    } catch {
        say("\(error)")
        throw ExitCode(70)
    }
}
