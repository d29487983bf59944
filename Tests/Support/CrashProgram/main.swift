import CrashHarness
import Foundation
import PostgreSQLServer
import TandemPluginHost
import TandemStorage

// `tandem-crash serve` is the server with a fault point. `tandem-crash run [--kills N] [--engine sqlite|postgres] [--model]
// [--long] [--held]` kills it and `tandem serve` of the same build N times on each engine and prints what was lost or done twice.

func option(_ name: String) -> String? {
    guard let place = CommandLine.arguments.firstIndex(of: name), place + 1 < CommandLine.arguments.count else {
        return nil
    }
    return CommandLine.arguments[place + 1]
}

func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

if CommandLine.arguments.dropFirst().first == "serve" {
    do {
        try await CrashServer.run()
        exit(0)
    } catch {
        say("tandem-crash: \(error)")
        exit(70)
    }
}

var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
let length = readlink("/proc/self/exe", &path, path.count - 1)
let program = String(decoding: path.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
let build = program.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
let kills = option("--kills").flatMap { Int($0) } ?? 1000
let engines = option("--engine").map { [$0] } ?? ["sqlite", "postgres"]
let folder = NSTemporaryDirectory() + "/tandem-crash-\(getpid())"
var isClean = true
do {
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
    for engine in engines {
        try FileManager.default.createDirectory(atPath: folder + "/" + engine, withIntermediateDirectories: true)
        var database: [String: String] = [:]
        if engine == "postgres" {
            let server = try await PostgreSQLServer.shared()
            database = server.environment(try await server.database().address.database)
        }
        var run = CrashRun(
            installation: folder + "/install", harness: program, kills: kills, database: database,
            folder: folder + "/" + engine)
        run.usesModel = CommandLine.arguments.contains("--model")
        run.answerMilliseconds = CommandLine.arguments.contains("--long") ? 10 : nil
        run.holdsMessages = CommandLine.arguments.contains("--held")
        run.progress = { if $0.isMultiple(of: 100) { say("tandem-crash: \(engine): \($0) kills") } }
        let verdict = try await run.run()
        print(verdict.table(engine))
        isClean = isClean && verdict.isClean && verdict.killCount >= kills
    }
} catch {
    say("tandem-crash: \(error)")
    exit(70)
}
exit(isClean ? 0 : 1)
