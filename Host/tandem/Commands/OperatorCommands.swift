import ArgumentParser
import TandemApplication
import TandemCore
import TandemJSON

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve: REST, the SMS webhook, pages to connect, health, metrics, and the agent behind them.",
        discussion: """
            /api/v1 (described at /openapi.json and /docs), POST /webhook/sms and /webhook/sms/status (when TWILIO_... is
            set), the pages behind links that people get (/connect/..., /data/...), GET /health/live, /health/ready,
            /metrics. Logs are JSON lines on stderr. SIGTERM or Ctrl-C lets what is under way finish.

            Example:
              TANDEM_LISTEN=127.0.0.1:8080 TANDEM_PUBLIC_URL=https://assistant.example.org tandem serve
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "What this process does: front, agent, worker; several with commas. Default: TANDEM_ROLES, else all.")
    var roles: String?

    func run() async throws {
        let configuration = try common.configuration(isServing: true)
        var options = Application.Options()
        options.roles = configuration.roles
        if let roles {
            let words = roles.split(separator: ",").map(String.init)
            options.roles = Set(words.compactMap { Configuration.Role(rawValue: $0) })
            guard !words.isEmpty, options.roles.count == Set(words).count else {
                throw ValidationError("--roles takes some of front, agent, worker")
            }
        }
        let application = try await Application.open(configuration, options: options)
        try await application.serve()
    }
}

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Database, plugins, people and work, at a glance.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        var options = Application.Options()
        options.mapsPluginsAtFirstUse = false
        try await Application.with(try common.configuration(), options: options) { application in
            let status = try await application.status()
            if terminal.isJSON {
                terminal.json(status.json)
            } else {
                for (name, value) in status.lines { terminal.line("\(terminal.styled(name, .bold)): \(value)") }
            }
        }
    }
}

struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "The database.",
        subcommands: [
            DatabaseMigrateCommand.self, DatabaseCopyCommand.self, DatabaseSetupCommand.self,
        ])
}

struct DatabaseMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database up to date. Every start does so, too.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let applied = application.appliedMigrations
            if terminal.isJSON {
                terminal.json(["applied": .array(applied.map { .string($0) })])
            } else {
                for name in applied { terminal.line("applied \(name)") }
                terminal.line(applied.isEmpty ? "Nothing to do: the database is up to date." : "Up to date.")
            }
        }
    }
}
