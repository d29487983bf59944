import ArgumentParser
import Glibc
import TandemApplication
import TandemCore
import TandemJSON
import TandemStorage

/// The entry point: parses the command line, runs one command, turns errors into plain words and exit codes.
///
/// Exit codes follow sysexits.h: 64 wrong usage, 65 bad input, 69 something needed is not there, 70 our own failure, 75
/// try again, 78 configuration.
@main
struct Tandem: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandem",
        abstract: "A personal assistant for people with ADHD, and a host for plugins.",
        discussion: """
            Examples:
              tandem demo                                   a demo account, and a chat with it
              tandem chat --as demo@tandem.local            talk to it; in a pipe one message a line
              tandem chat --as demo@tandem.local --say "what's on my list?" --json
              tandem serve                                  the SMS webhook, health and metrics
              tandem plugin list                            what is loaded, and why something is not

            Settings come from the environment (TANDEM_DATA, TANDEM_LISTEN ...): see the README. Every command takes
            --json; errors go to stderr, with a non-zero exit code.
            """,
        version: Build.version,
        subcommands: [
            ChatCommand.self, ServeCommand.self, DemoCommand.self, StatusCommand.self, UserCommand.self,
            AdminCommand.self, PluginCommand.self, ConnectionCommand.self, DatabaseCommand.self, PlanCommand.self,
            SchemaCommand.self, MemoryCommand.self,
        ])

    static func main() async {
        // A reader that went away is an error of write(2), not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as CommandFailure {
            report(error.message, code: error.code)
        } catch let error as ConfigurationError {
            report(error.description, code: 78)
        } catch let error as ApplicationError {
            report(error.description, code: 69)
        } catch let error as StorageError {
            report(error.description, code: exitCode(of: error))
        } catch is CancellationError {
            Glibc.exit(130)
        } catch {
            exit(withError: error)
        }
    }

    private static func exitCode(of error: StorageError) -> Int32 {
        switch error.code {
        case .configuration, .permission, .cannotOpen, .masterKey, .keyMissing: 78
        case .unavailable, .outcomeUnknown: 69
        case .conflict, .invalid: 65
        case .busy: 75
        default: 70
        }
    }

    private static func report(_ message: String, code: Int32) {
        if CommandLine.arguments.contains("--json") {
            let problem: JSON = ["error": ["message": .string(message), "exit": .integer(Int64(code))]]
            Terminal.note(problem.text)
        } else {
            Terminal.note("tandem: \(message)")
        }
        Glibc.exit(code)
    }
}

/// What this build is.
enum Build {
    static let version = "0.1.0"
}

/// A command that cannot do what was asked: plain words and an exit code.
struct CommandFailure: Error {
    var message: String
    var code: Int32

    init(_ message: String, code: Int32 = 65) {
        self.message = message
        self.code = code
    }
}

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(name: .long, help: "One JSON document a line instead of text.")
    var json = false

    @Option(name: .long, help: ArgumentHelp("The data folder, instead of TANDEM_DATA.", valueName: "folder"))
    var data: String?

    var terminal: Terminal { Terminal(json: json) }

    /// The settings of the environment, with what the command line overrides; starts the log of the process.
    ///
    /// - Parameter isServing: the log goes to stderr as configured; otherwise only when `TANDEM_LOG` asks for it.
    func configuration(isServing: Bool = false) throws -> Configuration {
        var configuration = try Configuration.current()
        Application.startLogging(configuration, isQuiet: !isServing)
        if let data {
            guard !data.isEmpty else { throw CommandFailure("--data needs a folder", code: 64) }
            configuration.dataFolder = data.hasPrefix("/") ? data : Self.workingFolder() + "/" + data
        }
        return configuration
    }

    private static func workingFolder() -> String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }
}
