import ArgumentParser
import CRunner
import Glibc
import TandemApplication
import TandemCore
import TandemJSON
import TandemPluginCheck
import TandemPluginHost
import TandemStorage

/// The hidden half of `check`'s comparison of modes: the whole host, with nothing kept, calls a plugin's tools.
struct PluginSessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "session", shouldDisplay: false)

    /// A folder that looks like an installation with this one plugin: `Installation`.
    @Argument var folder: String
    @Option var id: String
    /// `in-process` or `runner`.
    @Option var isolation: String
    /// A transcript without outcomes: calls, settings, and what services and secrets answer.
    @Option var calls: String

    func run() async throws {
        guard let bytes = AuthorBundle.read(calls), let document = try? JSON(parsing: bytes),
            let script = try? Transcript(document)
        else {
            throw CommandFailure("\(calls) cannot be read", code: 66)
        }
        // Nobody vouches for what is loaded into this process: it is held in as a runner is.
        if isolation == "in-process", tandem_hold_in() == 0 {
            throw CommandFailure("this kernel has no seccomp: the plugin cannot be held in", code: 69)
        }
        var configuration = try Configuration.current()
        configuration.registry = folder + "/registry.json"
        var options = Application.Options()
        options.isEphemeral = true
        options.mapsPluginsAtFirstUse = false
        options.executableFolder = folder
        options.egress = CannedEgress(answers: CannedAnswers(script))
        // As in the checks: what is said about today is the same tomorrow.
        options.clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_795_255_200_000))
        Application.startLogging(configuration, isQuiet: true)
        let terminal = Terminal(json: true)
        try await Application.with(configuration, options: options) { application in
            if let refusal = application.plugins.statuses().first?.refusal { throw CommandFailure(refusal.reason) }
            let scope = try await application.demoAccount(email: DemoCommand.email)
            try await application.plugins.switchOn(id, in: scope)
            if !script.config.isEmpty {
                try await application.plugins.change(settings: script.config, of: id, in: scope, insists: true)
            }
            for state in try await application.secrets(of: id, in: nil) {
                guard let value = script.secrets[state.secret.name]?.stringValue else { continue }
                try await application.setSecret(
                    Array(value.utf8), name: state.secret.name, of: id,
                    in: state.secret.enteredBy == .person ? scope : nil)
            }
            var resumeState: [UInt8] = []
            for (index, call) in script.calls.enumerated() {
                let origin = WriteOrigin(turn: RecordID(rawValue: Int64(index + 1)), step: 0)
                let answers = call.answers
                let outcome = await application.plugins.call(
                    ToolCall(
                        tool: call.tool, arguments: call.arguments, origin: origin,
                        deadlineNanoseconds: monotonicNanoseconds() + 20_000_000_000, idempotencyKey: "check-\(index)",
                        resumeState: answers == nil ? [] : resumeState, answers: answers, allowedEffect: .spend),
                    in: scope)
                switch outcome {
                case .inputRequired(let question): resumeState = question.resumeState
                // As at the end of a turn: nothing stays of a call that failed.
                case .failure: try await application.database.write(scope) { try $0.rollBack(origin) }
                default: break
                }
                terminal.json(PluginSessionCommand.transcript(outcome))
            }
            // Nothing is kept, and a process that is held in could not take its services down as they expect.
            if isolation == "in-process" {
                fflush(nil)
                _exit(0)
            }
        }
    }

    private static func transcript(_ outcome: ToolOutcome) -> JSON {
        switch outcome {
        case .value(let value):
            var object: JSONObject = [
                "outcome": "value", "value": value.value, "message": .string(value.message),
                "trust": .string("\(value.trust)"),
            ]
            if let shown = value.shown { object["shown"] = shown.json }
            return .object(object)
        case .failure(let failure):
            return [
                "outcome": "error", "status": .integer(Int64(failure.status)), "code": .string(failure.code),
                "message": .string(failure.message), "retryable": .bool(failure.isRetryable),
            ]
        case .inputRequired(let question):
            return [
                "outcome": "question", "field": .string(question.field), "message": .string(question.message),
                "schema": question.schema,
                "options": .array(question.options.map { ["value": $0.value, "label": .string($0.label)] }),
                "state": .integer(Int64(question.resumeState.count)),
            ]
        case .authRequired(let grant, let message):
            return ["outcome": "auth", "grant": .string(grant), "message": .string(message)]
        case .accepted(let job, let message):
            return ["outcome": "accepted", "job": .string(job), "message": .string(message)]
        }
    }
}

/// A folder that looks like an installation with one plugin, which goes with this object.
private final class Installation {
    let folder: String
    private let files: [String]

    init(_ examined: BundleExamination, isolation: String) throws(CommandFailure) {
        var template = Array("/tmp/tandem-session-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw CommandFailure("no temporary folder can be made", code: 73) }
        folder = String(cString: made)
        files = ["plugin.json"] + examined.files.map(\.name)
        var entry: JSONObject = [
            "id": .string(examined.manifest.id), "bundle": "plugin", "trust": "first-party",
            "isolation": .string(isolation), "default": "offered",
        ]
        if case .system(let name)? = examined.manifest.foreign?.library {
            entry["ceiling"] = ["libraries": [.string(name)]]
        }
        let registry: JSON = ["version": 1, "plugins": [.object(entry)]]
        mkdir(folder + "/plugins", 0o755)
        mkdir(folder + "/plugins/plugin", 0o755)
        var isWhole = AuthorBundle.write(registry.pretty(), to: folder + "/registry.json")
        for name in files {
            isWhole = isWhole && Self.copy(examined.folder + "/" + name, to: folder + "/plugins/plugin/" + name)
        }
        guard isWhole else { throw CommandFailure("the bundle cannot be copied to \(folder)", code: 73) }
    }

    deinit {
        for name in files { unlink(folder + "/plugins/plugin/" + name) }
        rmdir(folder + "/plugins/plugin")
        rmdir(folder + "/plugins")
        unlink(folder + "/registry.json")
        rmdir(folder)
    }

    private static func copy(_ source: String, to target: String) -> Bool {
        guard let from = fopen(source, "re") else { return false }
        defer { fclose(from) }
        guard let to = fopen(target, "we") else { return false }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var isWhole = true
        while isWhole {
            let count = fread(&buffer, 1, buffer.count, from)
            if count == 0 { break }
            isWhole = fwrite(buffer, 1, count, to) == count
        }
        isWhole = fclose(to) == 0 && isWhole
        chmod(target, 0o644)
        return isWhole
    }
}

/// The same calls in the host's process and in a runner.
enum ModeComparison {
    /// Both sessions are processes of their own: what a plugin does to its host is not done to the check.
    static func compare(
        _ bundle: BundleExamination, _ calls: [PlannedCall], _ script: Transcript, _ outcomes: [JSON]?
    ) async -> [Finding] {
        var template = Array("/tmp/tandem-calls-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { return [Finding(.error, "no_session", "no temporary file can be made")] }
        close(descriptor)
        let file = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        defer { unlink(file) }
        var script = script
        script.calls = calls.map { call in
            Transcript.Call(
                tool: call.tool, arguments: (try? JSON(parsing: call.arguments)) ?? [:],
                answers: call.answers.map { (try? JSON(parsing: $0)) ?? [:] })
        }
        guard AuthorBundle.write(script.json.text, to: file) else {
            return [Finding(.error, "no_session", "\(file) cannot be written")]
        }
        let inProcess = outcomes?.map(essence) ?? session(bundle, isolation: "in-process", calls: file)
        var isolated = session(bundle, isolation: "runner", calls: file)
        if outcomes != nil {
            isolated = isolated.map { line in (try? JSON(parsing: Array(line.utf8))).map(essence) ?? line }
        }
        for (name, lines) in [(home(outcomes), inProcess), ("in a runner", isolated)] where lines.count != calls.count {
            return [
                Finding(
                    .error, "no_session", "\(lines.count) of \(calls.count) calls were answered \(name)",
                    place: lines.last)
            ]
        }
        var findings: [Finding] = []
        for (index, call) in calls.enumerated() where normal(inProcess[index]) != normal(isolated[index]) {
            findings.append(
                Finding(
                    .error, "modes_differ",
                    "\(home(outcomes)) the answer is \(inProcess[index]), in a runner \(isolated[index])",
                    place: "\(call.tool) \(String(decoding: call.arguments.prefix(160), as: UTF8.self))"))
        }
        return Array(findings.prefix(5))
    }

    private static func home(_ outcomes: [JSON]?) -> String {
        outcomes == nil ? "in the host's process" : "in the check's process"
    }

    /// What the check's host and the real one say alike.
    private static func essence(_ outcome: JSON) -> String {
        var kept: JSONObject = [:]
        let isError = outcome["outcome"] == "error"
        for name in ["outcome", "message", isError ? "status" : "value"] { kept[name] = outcome[name] }
        return JSON.object(kept).text
    }

    /// Ids of rows are made anew in each session: digits of that length become a mark.
    private static func normal(_ line: String) -> String {
        var out = ""
        var digits = ""
        func flush() {
            out += digits.count >= 15 ? "#" : digits
            digits = ""
        }
        for character in line {
            if character.isASCII, character.isNumber {
                digits.append(character)
            } else {
                flush()
                out.append(character)
            }
        }
        flush()
        return out
    }

    /// The lines that a session writes; the last one is what went wrong when there are too few.
    private static func session(_ bundle: BundleExamination, isolation: String, calls: String) -> [String] {
        let installation: Installation
        do throws(CommandFailure) {
            installation = try Installation(bundle, isolation: isolation)
        } catch {
            return [error.message]
        }
        defer { withExtendedLifetime(installation) {} }
        func quoted(_ text: String) -> String {
            "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        guard let program = realpath("/proc/self/exe", nil) else { return [] }
        defer { free(program) }
        let command =
            "exec timeout -k 5 60 \(quoted(String(cString: program))) plugin session \(quoted(installation.folder)) "
            + "--id \(bundle.manifest.id) --isolation \(isolation) --calls \(quoted(calls)) 2>&1"
        guard let pipe = popen(command, "re") else { return [] }
        defer { pclose(pipe) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while text.count < 64 << 20 {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            text += buffer[0..<count]
        }
        return text.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
    }
}
