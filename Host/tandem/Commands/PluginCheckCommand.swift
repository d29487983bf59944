import ArgumentParser
import Glibc
import TandemCore
import TandemJSON
import TandemPluginCheck
import TandemPluginHost

struct PluginCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a bundle against the contract, tier by tier.",
        discussion: """
            Each test runs in a process of its own, with a time limit, against a host that lends memory which becomes
            unreadable when the loan ends. Tiers, each on top of those before:
              bronze    valid, loads, answers its own tools by schema
              silver    keeps the contract when cancelled, loaded, lied to and ended; leaves nothing behind
              gold      wording, health, recorded calls, strange arguments
              platinum  the same in the host's process and in a runner; never blocks

            Generated arguments come from a seed, which is printed; --reproduce takes what a finding names. Recorded calls
            are read from transcript.json beside the bundle's folder, waivers from waivers.json there.

            Exit code: 0 when the tier of --require is reached, 1 when not, 66 when there is no bundle.

            Examples:
              tandem plugin check build/units
              tandem plugin check build/units --require gold --json
              tandem plugin check build/units --record
              tandem plugin check build/units --reproduce 42:units.convert:17
            """)

    @Argument(help: ArgumentHelp("The bundle's folder, or a library, which is packed first.", valueName: "bundle"))
    var bundle: String

    @Option(
        name: .long, help: ArgumentHelp("The tier that is needed: bronze, silver, gold, platinum.", valueName: "tier"))
    var require = "bronze"

    @Option(name: .long, help: "The seed of generated arguments.")
    var seed: UInt64?

    @Option(name: .long, help: ArgumentHelp("Only this generated case.", valueName: "seed:tool:number"))
    var reproduce: String?

    @Option(name: .long, help: "Generated cases per tool.")
    var cases = 200

    @Option(
        name: .long,
        help: ArgumentHelp("Ends a test after this time; default 10 to 90, by the test.", valueName: "seconds"))
    var timeLimit: Int?

    @Option(name: .long, help: ArgumentHelp("Only this check; may be repeated.", valueName: "check"))
    var only: [String] = []

    @Option(name: .long, help: ArgumentHelp("What is excused, as JSON.", valueName: "file"))
    var waivers: String?

    @Option(name: .long, help: ArgumentHelp("The recorded calls, as JSON.", valueName: "file"))
    var transcript: String?

    @Flag(name: .long, help: "Write the outcomes of the recorded calls, or of examples, to the transcript.")
    var record = false

    @Flag(name: .long, help: "One JSON document instead of text.")
    var json = false

    func validate() throws {
        guard Tier(name: require) != nil else {
            throw ValidationError("--require takes bronze, silver, gold or platinum.")
        }
        guard (1...100_000).contains(cases) else { throw ValidationError("--cases takes 1 to 100000.") }
        guard timeLimit.map({ (1...3600).contains($0) }) ?? true else {
            throw ValidationError("--time-limit takes 1 to 3600.")
        }
    }

    func run() async throws {
        let terminal = Terminal(json: json)
        let folder = try AuthorBundle.folder(bundle)
        var checker = PluginChecker(
            worker: try AuthorBundle.worker(), seed: seed ?? UInt64(UInt32.random(in: 1 ... .max)))
        checker.cases = cases
        checker.timeLimitSeconds = timeLimit
        checker.compareModes = { await ModeComparison.compare($0, $1, $2, $3) }
        checker.only = Set(only)
        if let reproduce {
            let parts = reproduce.split(separator: ":", maxSplits: 2).map(String.init)
            guard parts.count == 3, let seed = UInt64(parts[0]), let number = Int(parts[2]) else {
                throw CommandFailure("--reproduce takes SEED:TOOL:NUMBER, as a finding names it", code: 64)
            }
            checker.seed = seed
            checker.onlyCase = (parts[1], number)
            checker.only = ["fuzz"]
        }
        let beside = AuthorBundle.parent(folder)
        let transcriptPath = transcript ?? beside + "/transcript.json"
        checker.transcript = try Self.transcript(transcriptPath, isNeeded: transcript != nil && !record)
        if let file = try Self.file(waivers ?? beside + "/waivers.json", isNeeded: waivers != nil) {
            let today = String(SystemClock().now.description.prefix(10))
            do { checker.waivers = try Waivers(file, today: today) } catch {
                throw CommandFailure("the waivers \(error)")
            }
        }
        if record {
            try await write(checker, folder, transcriptPath, terminal)
            return
        }
        if !json {
            if isatty(STDERR_FILENO) == 1 {
                checker.onResult = { result in Terminal.note("  \(result.name) \(result.state.rawValue)") }
            }
            terminal.line("Checking \(folder), seed \(checker.seed)")
        }
        let report = await checker.check(folder)
        if json {
            terminal.json(report.json)
        } else {
            CheckText(terminal: terminal, isComplete: only.isEmpty && reproduce == nil).write(report)
        }
        let needed = Tier(name: require) ?? .bronze
        let isReached: Bool =
            checker.only.isEmpty
            ? (report.tier.map { $0 >= needed } ?? false) : report.results.allSatisfy { $0.state != .failed }
        if !isReached { throw ExitCode(1) }
    }

    private func write(
        _ checker: PluginChecker, _ folder: String, _ path: String, _ terminal: Terminal
    ) async throws {
        let recorded: Transcript?
        do {
            recorded = try await checker.record(folder, given: checker.transcript)
        } catch {
            throw CommandFailure("\(folder): \(error)")
        }
        guard let recorded else {
            throw CommandFailure(
                "the plugin does not answer these calls; `tandem plugin check` without --record says why")
        }
        guard AuthorBundle.write(recorded.json.pretty() + "\n", to: path) else {
            throw CommandFailure("\(path) cannot be written", code: 73)
        }
        let failed = recorded.calls.count(where: \.hasFailed)
        if json {
            terminal.json([
                "transcript": .string(path), "calls": .integer(Int64(recorded.calls.count)),
                "errors": .integer(Int64(failed)),
            ])
            return
        }
        let errors = failed == 0 ? "" : ", \(failed) of them with an error"
        terminal.line(
            "Recorded \(recorded.calls.count) calls\(errors) in \(path). Read it: from now on this is right.")
        for (index, call) in recorded.calls.enumerated() where call.hasFailed {
            let message = call.outcome["message"]?.stringValue ?? call.outcome.text
            terminal.line("  call \(index + 1), \(call.tool): \(message)")
        }
    }

    private static func file(_ path: String, isNeeded: Bool) throws -> JSON? {
        guard let bytes = AuthorBundle.read(path) else {
            if isNeeded { throw CommandFailure("\(path) cannot be read", code: 66) }
            return nil
        }
        do throws(JSONError) {
            return try JSON(parsing: bytes)
        } catch {
            throw CommandFailure("\(path) is not JSON: \(error.message)")
        }
    }

    private static func transcript(_ path: String, isNeeded: Bool) throws -> Transcript? {
        guard let document = try file(path, isNeeded: isNeeded) else { return nil }
        do throws(CheckFileProblem) {
            return try Transcript(document)
        } catch {
            throw CommandFailure("\(path) \(error.description)")
        }
    }
}

/// A report as text for people.
struct CheckText {
    let terminal: Terminal
    /// All checks were run: the tier can be said.
    let isComplete: Bool

    func write(_ report: CheckReport) {
        if let name = report.name {
            let tools = report.tools == 1 ? "1 tool" : "\(report.tools) tools"
            terminal.line(
                terminal.styled("\(name) \(report.version ?? "")", .bold) + " (\(report.id ?? "?")), \(tools)")
        }
        var tier: Tier?
        var seen: Set<String> = []
        let width = report.results.map(\.name.count).max() ?? 0
        for result in report.results {
            if result.tier != tier {
                tier = result.tier
                terminal.line(terminal.styled(result.tier.name, .bold))
            }
            let mark: String =
                switch result.state {
                case .passed: terminal.styled("passed ", .green)
                case .warned: terminal.styled("warned ", .yellow)
                case .failed: terminal.styled("FAILED ", .red)
                case .skipped: terminal.styled("skipped", .dim)
                }
            let name = result.name + String(repeating: " ", count: width - result.name.count)
            terminal.line("  \(mark)  \(name)  \(result.title)")
            for finding in result.findings {
                guard seen.insert("\(finding.code) \(finding.text)").inserted else {
                    terminal.line("           " + terminal.styled("\(finding.code): as above", .dim))
                    continue
                }
                write(finding)
            }
        }
        if isComplete {
            terminal.line()
            if let reached = report.tier {
                terminal.line(terminal.styled("Tier: \(reached.name)", .green))
            } else {
                terminal.line(terminal.styled("Not even bronze.", .red))
            }
        }
    }

    private func write(_ finding: Finding) {
        let style: Terminal.Style = finding.level == .error ? .red : finding.level == .waived ? .dim : .yellow
        terminal.line("           \(terminal.styled(finding.code, style)): \(finding.text)")
        if let place = finding.place { terminal.line(terminal.styled("             at \(place)", .dim)) }
        if let hint = finding.hint { terminal.line(terminal.styled("             \(hint)", .dim)) }
    }
}

/// Files that the commands for authors share.
enum AuthorBundle {
    /// The bundle's folder; a library is packed into a temporary one first.
    static func folder(_ path: String) throws -> String {
        var status = stat()
        guard stat(path, &status) == 0 else { throw CommandFailure("there is no \(path)", code: 66) }
        if status.st_mode & S_IFMT == S_IFDIR { return path }
        var template = Array("/tmp/tandem-bundle-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw CommandFailure("no temporary folder can be made", code: 73) }
        let folder = String(cString: made) + "/bundle"
        do throws(PluginRefusal) {
            _ = try BundlePacker.pack(library: path, into: folder)
        } catch {
            throw CommandFailure("\(path): \(error.reason)")
        }
        return folder
    }

    /// The check's worker, beside this program.
    static func worker() throws -> String {
        let path = PluginChecker.workerBesideProgram()
        guard access(path, X_OK) == 0 else {
            throw CommandFailure("\(path) is missing: build the whole package", code: 69)
        }
        return path
    }

    static func parent(_ path: String) -> String {
        var path = path[...]
        while path.count > 1, path.last == "/" { path.removeLast() }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Nil when it cannot be read or is over 16 MiB.
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[0..<count]
            if bytes.count > 16 << 20 { return nil }
        }
        return ferror(file) == 0 ? bytes : nil
    }

    static func write(_ text: String, to path: String, isExecutable: Bool = false) -> Bool {
        guard let file = fopen(path, "we") else { return false }
        let bytes = Array(text.utf8)
        let isWhole = fwrite(bytes, 1, bytes.count, file) == bytes.count
        let isClosed = fclose(file) == 0
        if isExecutable { chmod(path, 0o755) }
        return isWhole && isClosed
    }
}
