import ArgumentParser
import TandemAccounts
import TandemApplication
import TandemCore
import TandemJSON

struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "The installation's accounts and keys as a whole.",
        discussion: """
            Examples:
              tandem admin audit verify            whether the audit is as it was written
              tandem admin audit list --user me@example.org
              tandem admin usage                   accounts, sessions, numbers; models of the last days
              tandem admin rotate-tokens           access tokens get a new signing key
              tandem admin rotate-tokens --revoke  and all that were given are worth nothing
              tandem admin mail                    sends what waits
              tandem admin prune                   removes codes, sessions and counters that are over
              tandem admin keys rotate --users     new keys for everybody, while serving
              tandem admin retention               forget what is due
              tandem admin jobs                    work in the background
            """,
        subcommands: [
            AuditCommand.self, PersonKeysCommand.self, DataMapCommand.self, RetentionCommand.self,
            JobsCommand.self, AdminUsageCommand.self, AdminTokensCommand.self, AdminMailCommand.self,
            AdminPruneCommand.self,
        ])
}

struct AdminUsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "usage", abstract: "How much is in use: counts only.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let usage = try await application.accounts.usage()
            let models = try await application.modelUsage()
            var roles: JSONObject = [:]
            for role in Account.Role.allCases {
                roles[role.rawValue] = .integer(Int64(usage.accountsByRole[role] ?? 0))
            }
            if terminal.isJSON {
                terminal.json([
                    "accounts_by_role": .object(roles), "open_sessions": .integer(Int64(usage.openSessions)),
                    "verified_numbers": .integer(Int64(usage.verifiedNumbers)),
                    "models": .array(models.map(\.json)),
                ])
            } else {
                for (role, count) in roles { terminal.line("\(role) accounts: \(count.text)") }
                terminal.line("open sessions: \(usage.openSessions)")
                terminal.line("verified numbers: \(usage.verifiedNumbers)")
                for day in models {
                    terminal.line(
                        "models on \(day.date): \(day.requests) requests, \(day.tokens) tokens, \(day.cost) of \(day.people)"
                            + " people")
                }
            }
        }
    }
}

struct AdminTokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-tokens", abstract: "Give access tokens a new signing key.")

    @Flag(name: .long, help: "Tokens that were given are worth nothing any more: everybody refreshes.")
    var revoke = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            try await application.accounts.rotateTokenKeys(revokingOld: revoke)
            terminal.isJSON ? terminal.json(["ok": true]) : terminal.line("There is a new key.")
        }
    }
}

struct AdminMailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "mail", abstract: "Send the mails that wait.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            guard application.accounts.services.mailer != nil else {
                throw CommandFailure(
                    "No mail server is configured: set TANDEM_SMTP_URL and TANDEM_SMTP_FROM.", code: 78)
            }
            let count = await application.accounts.deliverMail()
            terminal.isJSON ? terminal.json(["sent": .integer(Int64(count))]) : terminal.line("Sent \(count).")
        }
    }
}

struct AdminPruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove codes, sessions and counters that are over.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let count = try await application.accounts.prune()
            terminal.isJSON
                ? terminal.json(["removed": .integer(Int64(count))]) : terminal.line("Removed \(count) rows.")
        }
    }
}
