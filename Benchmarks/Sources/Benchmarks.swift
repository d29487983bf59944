import Dispatch
import Foundation
import Glibc
import Logging
import Synchronization
import TandemApplication
import TandemCore
import TandemJSON

/// `make bench`: measures the hot paths of the program that was built, prints a table and writes JSON.
///
/// Usage: `tandem-benchmarks BUILD-FOLDER [NAME …]`. Each figure is the median of several runs, with their range.
@main
struct Benchmarks {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        guard let build = arguments.first, access(build + "/tandem", X_OK) == 0 else {
            let usage = """
                usage: tandem-benchmarks BUILD-FOLDER [NAME ...]
                Measures the program that was built there: each benchmark, or those named.
                Example: tandem-benchmarks .build/release call isolated

                """
            FileHandle.standardError.write(Data(usage.utf8))
            exit(64)
        }
        // The log would disturb the figures and the reader.
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let wanted = Set(arguments.dropFirst())
        let place = Place(buildFolder: URL(fileURLWithPath: build).standardizedFileURL.path)
        defer { place.clean() }
        // An interrupted benchmark leaves no server behind.
        let interruptions = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            // Sendable: it runs on the source's queue, not on the main actor.
            source.setEventHandler { @Sendable in
                Child.endAll()
                place.clean()
                exit(128 + number)
            }
            source.resume()
            return source
        }
        defer { for source in interruptions { source.cancel() } }
        var figures: [Figure] = []
        let all: [(String, (Place) async throws -> [Figure])] = [
            ("call", CallBenchmark.run), ("isolated", IsolatedBenchmark.run), ("plan", PlanBenchmark.run),
            ("plan-features", PlanFeatures.run),
            ("turn", TurnBenchmark.run), ("agent", AgentBenchmark.run), ("webhook", WebhookBenchmark.run),
            ("start", StartBenchmark.run),
            ("egress", EgressBenchmark.run), ("vendors", VendorBenchmark.run), ("hostile", HostileBenchmark.run),
            ("kv", KeyValueBenchmark.run), ("database", DatabaseBenchmark.run), ("jobs", JobBenchmark.run),
            ("redis", SharedBenchmark.run), ("reads", ReadBenchmark.run), ("recall", RecallBenchmark.run),
        ]
        let unknown = wanted.filter { name in !all.contains { $0.0 == name } }
        guard unknown.isEmpty else {
            let words = "there is no benchmark \(unknown.sorted().joined(separator: ", ")); there are "
            FileHandle.standardError.write(Data((words + all.map(\.0).joined(separator: " ") + "\n").utf8))
            exit(64)
        }
        // Minutes long, or no measurement: only when asked for.
        let rare: Set = ["hostile", "plan-features"]
        var failed = false
        for (name, run) in all where wanted.contains(name) || (wanted.isEmpty && !rare.contains(name)) {
            FileHandle.standardError.write(Data("measuring \(name) ...\n".utf8))
            do {
                figures += try await run(place)
            } catch {
                FileHandle.standardError.write(Data("\(name): \(error)\n".utf8))
                failed = true
            }
        }
        Figure.table(figures)
        let json: JSON = [
            "figures": .array(figures.map(\.json)),
            "processors": .integer(Int64(ProcessInfo.processInfo.activeProcessorCount)),
        ]
        let output = place.buildFolder + "/benchmarks.json"
        try? Data((json.pretty() + "\n").utf8).write(to: URL(fileURLWithPath: output))
        print("\nAs JSON: \(output)")
        if failed { exit(1) }
    }
}

/// One measured number with its goal.
struct Figure: Sendable {
    var name: String
    var unit: String
    /// One value a run.
    var values: [Double]
    /// `<= 5` or `>= 7000`; nil where there is none.
    var goal: String?

    var median: Double { values.sorted()[values.count / 2] }

    var json: JSON {
        var object: JSONObject = ["name": .string(name), "unit": .string(unit), "median": .number(median)]
        object["runs"] = .array(values.map { .number($0) })
        if let goal { object["goal"] = .string(goal) }
        return .object(object)
    }

    static func table(_ figures: [Figure]) {
        var rows = [["FIGURE", "MEDIAN", "RANGE", "UNIT", "GOAL"]]
        for figure in figures where !figure.values.isEmpty {
            let sorted = figure.values.sorted()
            rows.append([
                figure.name, text(figure.median), "\(text(sorted[0])) - \(text(sorted[sorted.count - 1]))", figure.unit,
                figure.goal ?? "",
            ])
        }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            print(row.enumerated().map { $1.padding(toLength: widths[$0] + 2, withPad: " ", startingAt: 0) }.joined())
        }
    }

    private static func text(_ value: Double) -> String {
        value >= 1000 ? String(Int(value.rounded())) : String((value * 100).rounded() / 100)
    }
}

/// Where a benchmark finds the build and keeps its files.
final class Place: Sendable {
    let buildFolder: String
    let folder: String
    /// The project's root: this file is `Benchmarks/Sources/Benchmarks.swift`.
    let root: String

    init(buildFolder: String) {
        self.buildFolder = buildFolder
        root =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        folder = NSTemporaryDirectory() + "tandem-bench-\(UInt32.random(in: 0 ... .max))"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func clean() { try? FileManager.default.removeItem(atPath: folder) }

    func fresh(_ name: String) throws -> String {
        let path = folder + "/\(name)-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// Compiles a C file with `cc -O2`.
    func compile(_ source: String, to output: String, _ flags: [String] = []) throws {
        try Child.check("/usr/bin/env", ["cc", "-O2", "-o", output, root + "/" + source] + flags)
    }
}

/// Processes that a benchmark starts.
enum Child {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private static let running = Mutex<Set<Int32>>([])

    /// Runs a program to its end and gives what it printed; with what it complained about when it failed.
    @discardableResult
    static func check(_ program: String, _ arguments: [String], environment: [String: String]? = nil) throws -> String {
        let errors = NSTemporaryDirectory() + "tandem-bench-errors-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: errors) }
        let process = prepared(program, arguments, environment, errors: errors)
        let output = Pipe()
        process.standardOutput = output
        try start(process)
        let data = output.fileHandleForReading.readDataToEndOfFile()
        waitForEnd(of: process)
        guard process.terminationStatus == 0 else {
            let complaint = (try? String(contentsOfFile: errors, encoding: .utf8))?.suffix(2000) ?? ""
            throw Failure(
                description: "\(program) \(arguments.first ?? "") ended with \(process.terminationStatus)\n\(complaint)"
            )
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// A program that holds none of the caller's descriptors: whoever reads the benchmark's output does not wait for it.
    ///
    /// - Parameter errors: the file that takes what it writes to its standard error.
    static func prepared(
        _ program: String, _ arguments: [String], _ environment: [String: String]?, errors: String
    ) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        if let environment {
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: errors) ?? FileHandle.nullDevice
        return process
    }

    static func start(_ process: Process) throws {
        try process.run()
        running.withLock { _ = $0.insert(process.processIdentifier) }
    }

    static func waitForEnd(of process: Process) {
        process.waitUntilExit()
        running.withLock { _ = $0.remove(process.processIdentifier) }
    }

    /// Ends a program at once and waits for it. SIGTERM would wait, too: a program started from a thread of Swift's pool
    /// inherits the signals which that thread blocks.
    static func end(_ process: Process) {
        kill(process.processIdentifier, SIGKILL)
        waitForEnd(of: process)
    }

    /// Ends what still runs, without asking.
    static func endAll() {
        for process in running.withLock({ $0 }) { kill(process, SIGKILL) }
    }
}
