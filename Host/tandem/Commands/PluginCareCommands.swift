import ArgumentParser
import Glibc
import TandemApplication
import TandemCore
import TandemJSON
import TandemPluginHost

/// Whom a command about a plugin is for.
struct PluginPersonOptions: ParsableArguments {
    @Option(name: .customLong("as"), help: ArgumentHelp("The account's e-mail.", valueName: "email"))
    var email: String?

    func scope(_ application: Application) async throws -> UserScope? {
        guard let email else { return nil }
        return try await application.scope(email: email)
    }
}

struct PluginHealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Ask plugins how they are.",
        discussion: "Exits 1 when one is failing. A plugin that does not say is unknown, which is no failure.")

    @Argument(help: "The plugins' ids or short names; all when none is given.")
    var plugin: [String] = []

    @OptionGroup var person: PluginPersonOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let isFine = try await Application.with(try common.configuration()) { application -> Bool in
            let scope = try await person.scope(application) ?? PluginHost.nobody
            var isFine = true
            let names = plugin.isEmpty ? application.plugins.manifests.map(\.id) : plugin
            for name in names {
                let health = try await PluginCare.named { try await application.plugins.health(of: name, in: scope) }
                if health.status == .failing { isFine = false }
                terminal.isJSON
                    ? terminal.json(PluginHealthCommand.json(name, health)) : show(name, health, on: terminal)
            }
            return isFine
        }
        if !isFine { throw ExitCode(1) }
    }

    private func show(_ name: String, _ health: PluginHealth, on terminal: Terminal) {
        let reason = health.reason.map { ": \($0)" } ?? ""
        terminal.line("\(name): \(PluginHealthCommand.styled(health.status, terminal))\(reason)")
        for check in health.checks {
            let message = check.message.isEmpty ? "" : ", \(check.message)"
            terminal.line("  \(check.name): \(PluginHealthCommand.styled(check.status, terminal))\(message)")
        }
    }

    private static func styled(_ status: PluginHealth.Status, _ terminal: Terminal) -> String {
        switch status {
        case .ok: terminal.styled(status.rawValue, .green)
        case .degraded: terminal.styled(status.rawValue, .yellow)
        case .failing: terminal.styled(status.rawValue, .red)
        case .unknown: status.rawValue
        }
    }

    private static func json(_ name: String, _ health: PluginHealth) -> JSON {
        [
            "plugin": .string(name), "status": .string(health.status.rawValue),
            "reason": health.reason.map { .string($0) } ?? .null,
            "milliseconds": .integer(Int64(health.milliseconds)),
            "checks": .array(
                health.checks.map { check in
                    [
                        "name": .string(check.name), "status": .string(check.status.rawValue),
                        "message": .string(check.message),
                    ]
                }),
        ]
    }
}

struct PluginDiagnoseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diagnose", abstract: "What the host knows of a plugin and what it says of itself, as JSON.",
        discussion: """
            What looks like an address, a number or a token is masked; read it all the same before you send it on.
            """)

    @Argument(help: "The plugin's id or short name.")
    var plugin: String

    @OptionGroup var person: PluginPersonOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let scope = try await person.scope(application) ?? PluginHost.nobody
            let dump = try await PluginCare.named {
                try await application.plugins.diagnostics(of: plugin, in: scope)
            }
            terminal.isJSON ? terminal.json(dump) : terminal.line(dump.pretty())
        }
    }
}

struct PluginConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show or change a plugin's settings; it tries them before they are saved.",
        discussion: """
            Examples:
              tandem plugin config expenses --as me@example.org
              tandem plugin config expenses alert_at_percent=90 --as me@example.org
              tandem plugin config expenses alert_at_percent= --as me@example.org     back to the default
              tandem plugin config search url=https://search.example.org --operator
            A value is read as JSON where it is JSON, else as text.
            """)

    @Argument(help: "The plugin's id or short name.")
    var plugin: String

    @Argument(help: ArgumentHelp("Settings to change.", valueName: "name=value"))
    var changes: [String] = []

    @Flag(name: .customLong("operator"), help: "The values for everybody, instead of one account's.")
    var isOperator = false

    @Flag(name: .long, help: "Save also what the plugin could not try now.")
    var insist = false

    @OptionGroup var person: PluginPersonOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard isOperator != (person.email != nil) else {
            throw ValidationError("Give either --as EMAIL or --operator.")
        }
    }

    func run() async throws {
        let terminal = common.terminal
        var values: JSONObject = [:]
        for change in changes {
            guard let equals = change.firstIndex(of: "="), equals != change.startIndex else {
                throw CommandFailure("\(change) is no name=value.", code: 64)
            }
            let text = String(change[change.index(after: equals)...])
            values[String(change[..<equals])] =
                text.isEmpty ? .null : (try? JSON(parsing: Array(text.utf8))) ?? .string(text)
        }
        try await Application.with(try common.configuration()) { application in
            let scope = try await person.scope(application) ?? PluginHost.nobody
            if !values.isEmpty {
                let verdict = try await PluginCare.named {
                    try await application.plugins.change(
                        settings: values, of: plugin, in: scope, isOperator: isOperator, insists: insist)
                }
                if !verdict.problems.isEmpty {
                    let problems = verdict.problems.map { problem in
                        problem.name.isEmpty ? problem.message : "\(problem.name): \(problem.message)"
                    }
                    throw CommandFailure("Nothing was saved.\n" + problems.joined(separator: "\n"))
                }
                if verdict.isUntested, !insist {
                    throw CommandFailure(
                        "The plugin could not try this now, so nothing was saved. --insist saves it all the same.",
                        code: 75)
                }
            }
            let settings = try await PluginCare.named {
                try await application.plugins.settings(of: plugin, in: scope)
            }
            if terminal.isJSON { return terminal.json(.object(settings.values)) }
            var rows = [["SETTING", "VALUE", ""]]
            for (name, value) in settings.values {
                rows.append([name, value.stringValue ?? value.text, settings.ownNames.contains(name) ? "set" : ""])
            }
            terminal.table(rows)
        }
    }
}

struct PluginSecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Keys and passwords that a plugin needs.",
        discussion: """
            A value is read from standard input, never from the command line, and cannot be shown again.

            Examples:
              tandem plugin secret list weather --as me@example.org
              tandem plugin secret set weather api_key --as me@example.org < key.txt
              tandem plugin secret remove weather api_key --as me@example.org
            """,
        subcommands: [PluginSecretListCommand.self, PluginSecretSetCommand.self, PluginSecretRemoveCommand.self])
}

/// Whose secret it is.
struct SecretOwnerOptions: ParsableArguments {
    @Option(name: .customLong("as"), help: ArgumentHelp("The account's e-mail.", valueName: "email"))
    var email: String?

    @Flag(name: .customLong("operator"), help: "The operator's, for everybody, instead of one account's.")
    var isOperator = false

    func validate() throws {
        guard isOperator != (email != nil) else { throw ValidationError("Give either --as EMAIL or --operator.") }
    }

    func scope(_ application: Application) async throws -> UserScope? {
        guard let email else { return nil }
        return try await application.scope(email: email)
    }
}

struct PluginSecretListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Which secrets a plugin has, and whether they were entered.")

    @Argument(help: "The plugin's id or short name.")
    var plugin: String

    @OptionGroup var owner: SecretOwnerOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let states = try await application.secrets(of: plugin, in: try await owner.scope(application))
            var rows = [["SECRET", "ENTERED", "BY", "WHAT IT IS"]]
            for state in states {
                if terminal.isJSON {
                    terminal.json([
                        "name": .string(state.secret.name), "title": .string(state.secret.title),
                        "hint": state.secret.hint.map { .string($0) } ?? .null,
                        "enteredBy": .string(state.secret.enteredBy.rawValue), "entered": .bool(state.isEntered),
                    ])
                }
                rows.append([
                    state.secret.name, state.isEntered ? "yes" : "no", state.secret.enteredBy.rawValue,
                    state.secret.title,
                ])
            }
            if !terminal.isJSON { terminal.table(rows) }
        }
    }
}

struct PluginSecretSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Enter a secret: the value is read from standard input.",
        discussion: "One line feed at the end is not part of it. On a terminal what is typed is not shown.")

    @Argument(help: "The plugin's id or short name.")
    var plugin: String

    @Argument(help: "The secret's name.")
    var name: String

    @OptionGroup var owner: SecretOwnerOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let value = try SecretInput.read(atMost: Application.longestSecret, prompt: "\(name): ")
        try await Application.with(try common.configuration()) { application in
            try await application.setSecret(value, name: name, of: plugin, in: try await owner.scope(application))
            terminal.isJSON ? terminal.json(["entered": true]) : terminal.line("Kept. It cannot be shown again.")
        }
    }
}

struct PluginSecretRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forget a secret.")

    @Argument(help: "The plugin's id or short name.")
    var plugin: String

    @Argument(help: "The secret's name.")
    var name: String

    @OptionGroup var owner: SecretOwnerOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let wasThere = try await application.removeSecret(
                name, of: plugin, in: try await owner.scope(application))
            if terminal.isJSON { return terminal.json(["removed": .bool(wasThere)]) }
            terminal.line(wasThere ? "Forgotten." : "There was none.")
        }
    }
}

/// A value from standard input that is not to be seen.
private enum SecretInput {
    static func read(atMost limit: Int, prompt: String) throws -> [UInt8] {
        let isTerminal = isatty(STDIN_FILENO) == 1
        var before = termios()
        if isTerminal, tcgetattr(STDIN_FILENO, &before) == 0 {
            var quiet = before
            quiet.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)
            _ = prompt.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        }
        defer {
            if isTerminal {
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
                _ = write(STDERR_FILENO, "\n", 1)
            }
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandFailure("Standard input cannot be read.", code: 66) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limit + 1 else {
                throw CommandFailure("The value is too long: at most \(limit / 1024) KiB.")
            }
            // A person ends with the line.
            if isTerminal, bytes.last == 0x0A { break }
        }
        if bytes.last == 0x0A { bytes.removeLast() }
        if bytes.last == 0x0D { bytes.removeLast() }
        return bytes
    }
}

/// Errors of the plugin host in the words of the command line.
enum PluginCare {
    static func named<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as GrantError {
            throw CommandFailure("\(error.reason). `tandem plugin list` shows what there is.")
        } catch let error as SettingsError {
            throw CommandFailure("\(error.reason).")
        }
    }
}
