import ArgumentParser
import TandemJSON
import TandemPluginCheck
import TandemPluginHost

struct PluginRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Try a tool by hand, with a trace of what it asks the host.",
        discussion: """
            The plugin runs in a process of its own, on empty tables in memory; nothing that you have is read or changed.
            Several calls share the tables: TOOL JSON TOOL JSON ... Nothing stays of what a call wrote that ends with an
            error. JSON again answers the question that the tool asked before: TOOL JSON TOOL JSON ANSWERS. The clock stands at 2026-11-21T10:00:00Z, the person
            lives in Paris. The network does not answer, except as the `http` of a transcript says.

            Exit code: 0 when every call ended with a value, 1 when not, 65 for arguments that do not match the schema.

            Examples:
              tandem plugin run build/units units.convert '{"amount":2,"from":"cup","to":"ml"}'
              tandem plugin run build/water water.drink '{"glasses":2}' water.today '{}' --json
              tandem plugin run build/pills pills.take '{"name":"met"}' pills.take '{"name":"met"}' '{"which":"17"}'
              tandem plugin run build/water water.today '{}' --config '{"goal":6}'
            """)

    @Argument(help: ArgumentHelp("The bundle's folder, or a library.", valueName: "bundle"))
    var bundle: String

    @Argument(help: ArgumentHelp("A tool and its arguments as JSON, again and again.", valueName: "tool json"))
    var calls: [String]

    @Option(name: .long, help: ArgumentHelp("Answers of the network, from this transcript.", valueName: "file"))
    var transcript: String?

    @Option(name: .long, help: ArgumentHelp("Settings that differ from their defaults.", valueName: "json"))
    var config: String?

    @Flag(name: .long, help: "Call it although the arguments do not match the schema.")
    var force = false

    @Flag(name: .long, help: "One JSON document a line instead of text.")
    var json = false

    func run() async throws {
        let terminal = Terminal(json: json)
        let examined: BundleExamination
        do throws(PluginRefusal) {
            examined = try BundleExamination(folder: try folder())
        } catch {
            throw CommandFailure("\(bundle): \(error.reason)")
        }
        var planned: [PlannedCall] = []
        var rest = calls[...]
        while let tool = rest.popFirst() {
            func document() -> String? { rest.first?.utf8.first == UInt8(ascii: "{") ? rest.popFirst() : nil }
            let arguments = document()
            planned.append(try plan(tool, arguments ?? "{}", answers: document(), examined))
        }
        let settings = try config.map { try Self.object($0, "--config") } ?? [:]
        var http: [JSON] = []
        if let transcript {
            guard let bytes = AuthorBundle.read(transcript), let document = try? JSON(parsing: bytes) else {
                throw CommandFailure("\(transcript) is no JSON file", code: 66)
            }
            http = document["http"]?.arrayValue ?? []
        }
        let result = await PluginTrial(worker: try AuthorBundle.worker())
            .run(examined, calls: planned, http: http, config: settings)
        for step in result.steps { json ? terminal.json(Self.json(step)) : Self.write(step, terminal) }
        if !result.isValue { throw ExitCode(1) }
    }

    private func folder() throws(PluginRefusal) -> String {
        do {
            return try AuthorBundle.folder(bundle)
        } catch let failure as CommandFailure {
            throw PluginRefusal(.missingFile, failure.message)
        } catch {
            throw PluginRefusal(.missingFile, "\(error)")
        }
    }

    private static func object(_ text: String, _ name: String) throws -> JSONObject {
        let document: JSON
        do throws(JSONError) {
            document = try JSON(parsing: Array(text.utf8))
        } catch {
            throw CommandFailure("\(name) is not JSON: \(error.message)")
        }
        guard let object = document.objectValue else { throw CommandFailure("\(name) is no JSON object") }
        return object
    }

    private func plan(
        _ tool: String, _ text: String, answers: String?, _ bundle: BundleExamination
    ) throws -> PlannedCall {
        let arguments = JSON.object(try Self.object(text, "what follows \(tool)"))
        let given = try answers.map { JSON.object(try Self.object($0, "the answers to \(tool)")) }
        do throws(CheckFileProblem) {
            if let problem = try PluginTrial.problem(with: arguments, of: tool, in: bundle), !force {
                throw CheckFileProblem(
                    "the arguments of \(tool) do not match its schema: \(problem) (--force calls it anyway)")
            }
        } catch {
            throw CommandFailure(error.description)
        }
        return PlannedCall(tool: tool, arguments: arguments, answers: given)
    }

    private static func json(_ step: PluginTrial.Step) -> JSON {
        func parsed(_ text: String) -> JSON { (try? JSON(parsing: Array(text.utf8))) ?? .string(text) }
        switch step {
        case .call(let tool, let arguments): return ["call": .string(tool), "arguments": parsed(arguments)]
        case .asked(let function, let given, let status, let answer):
            return [
                "asked": .string(function), "given": .array(given.map(parsed)), "status": .integer(Int64(status)),
                "answer": parsed(answer),
            ]
        case .logged(let level, let message, let fields):
            return ["log": .string(message), "level": .integer(Int64(level)), "fields": parsed(fields)]
        case .metric(let name, let function, let value):
            return ["metric": .string(name), "function": .string(function), "value": parsed(value)]
        case .ended(let outcome, let microseconds):
            return ["ended": outcome, "invokeMicroseconds": .integer(Int64(microseconds))]
        case .found(let finding): return ["found": finding.json]
        }
    }

    private static func write(_ step: PluginTrial.Step, _ terminal: Terminal) {
        switch step {
        case .call(let tool, let arguments): terminal.line(terminal.styled("-> \(tool)", .bold) + " \(arguments)")
        case .asked(let function, let given, let status, let answer):
            terminal.line("   " + terminal.styled(function, .cyan) + " " + given.joined(separator: " "))
            let name = PluginTrial.statusName(status)
            terminal.line(
                "     " + terminal.styled(name, status == 0 ? .green : .yellow) + (answer.isEmpty ? "" : " \(answer)"))
        case .logged(let level, let message, let fields):
            let levels = ["?", "debug", "info", "warning", "error", "host misbehaving"]
            let name = levels.indices.contains(level) ? levels[level] : "?"
            terminal.line("   " + terminal.styled("log", .cyan) + " \(name): \(message) \(fields)")
        case .metric(let name, let function, let value):
            terminal.line("   " + terminal.styled("metric", .cyan) + " \(function) \(name) \(value)")
        case .ended(let outcome, let microseconds):
            let isValue = outcome["outcome"]?.stringValue == "value"
            let kind = outcome["outcome"]?.stringValue ?? "refused \(outcome["refused"]?.int64Value ?? 0)"
            terminal.line(
                "<- " + terminal.styled(kind, isValue ? .green : .yellow) + terminal.styled(" \(microseconds) us", .dim)
            )
            if let message = outcome["message"]?.stringValue, !message.isEmpty {
                for line in message.split(separator: "\n") {
                    terminal.line("     " + terminal.styled(String(line), .bold))
                }
            }
            for name in ["value", "shown"] {
                if let part = outcome[name] { terminal.line(terminal.styled("     \(name) ", .dim) + part.text) }
            }
        case .found(let finding):
            terminal.line(
                terminal.styled("!! \(finding.code)", finding.level == .error ? .red : .yellow) + ": \(finding.text)"
                    + (finding.place.map { " (\($0))" } ?? ""))
        }
    }
}
