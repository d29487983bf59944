import ArgumentParser
import TandemAccounts
import TandemApplication
import TandemCore
import TandemJSON
import TandemPluginHost

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Accounts: people, and programs with keys.",
        discussion: """
            Examples:
              tandem user add me@example.org --name "My Name" --phone +15555550123
              tandem user list
              tandem user password me@example.org
              tandem user role me@example.org administrator
              tandem user number me@example.org +15555550124
              tandem user sessions me@example.org --end-all
              tandem user mfa me@example.org --begin
              tandem user apikey backup@example.org --create "nightly backup" --scopes backup
              tandem user export me@example.org --output me.zip
              tandem user import me.zip
              tandem user erase me@example.org --yes
            """,
        subcommands: [
            UserAddCommand.self, UserListCommand.self, UserPasswordCommand.self, UserRoleCommand.self,
            UserPhoneCommand.self, UserSessionsCommand.self, UserFactorCommand.self, UserKeyCommand.self,
            UserExportCommand.self, UserImportCommand.self, UserEraseCommand.self,
        ])
}

struct UserAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Make an account.", aliases: ["create"])

    @Argument(help: "The e-mail address: the account's name here.")
    var email: String

    @Option(name: .long, help: "The person's name; by default what the address begins with.")
    var name: String?

    @Option(name: .long, help: "A mobile number in E.164 (+15555550123) that you have checked to be theirs.")
    var phone: String?

    @Option(name: .long, help: "IANA time zone, such as Europe/Paris.")
    var timeZone: String?

    @Option(name: .long, help: "Currency, such as EUR.")
    var currency: String?

    @Option(name: .long, help: "user, premium, administrator, or service for a program that comes with API keys.")
    var role = Account.Role.user.rawValue

    @Flag(name: .long, help: "The password is one line of standard input.")
    var password = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        guard let role = Account.Role(rawValue: role) else {
            let names = Account.Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure("\(self.role) is no role: there are \(names).", code: 64)
        }
        let secret = password ? try HiddenLine.read("Password: ") : nil
        try await Application.with(try common.configuration()) { application in
            try await Accounts.reporting {
                // Everything is checked before anything is stored.
                if let phone { _ = try PhoneNumber(validating: phone) }
                var profile = UserProfile()
                if let timeZone { try profile.set(.timeZone, timeZone) }
                if let currency { try profile.set(.currency, currency) }
                let account = try await application.accounts.createUser(
                    email: email, fullName: name ?? String(email.prefix { $0 != "@" }), role: role)
                if let name { try profile.set(.name, name) }
                _ = try await application.accounts.update(profile, of: account.scope)
                if let secret { try await application.accounts.setPassword(secret.reveal(), of: account.scope) }
                if let phone {
                    _ = try await application.accounts.attachPhone(phone, to: account.scope, verified: true)
                }
                if terminal.isJSON {
                    terminal.json(["id": .string(account.id.description), "email": .string(account.email)])
                } else {
                    terminal.line("Made the account \(account.email).")
                    terminal.line("Switch on what they want: tandem plugin enable grocery --as \(account.email)")
                }
            }
        }
    }
}

struct UserListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All accounts.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            var rows = [["E-MAIL", "NAME", "ROLE", "STATUS", "NUMBERS", "ON"]]
            for account in try await application.accounts.users() {
                let phones = try await application.accounts.phones(of: account.scope).count
                let on = try await application.plugins.states(account.scope)
                    .filter { $0.state.name == "enabled" }.map(\.plugin)
                if terminal.isJSON {
                    terminal.json([
                        "id": .string(account.id.description), "email": .string(account.email),
                        "name": .string(account.fullName), "role": .string(account.role.rawValue),
                        "status": .string(account.status.rawValue),
                        "numbers": .integer(Int64(phones)), "enabled": .array(on.map { .string($0) }),
                    ])
                }
                rows.append([
                    account.email, account.fullName, account.role.rawValue, account.status.rawValue, String(phones),
                    on.joined(separator: " "),
                ])
            }
            if !terminal.isJSON { terminal.table(rows) }
        }
    }
}

struct UserPhoneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "number",
        abstract: "Give an account a number that you have checked to be theirs, or take it away.",
        aliases: ["phone"])

    @Argument(help: "The account's e-mail.")
    var email: String

    @Argument(help: "The number in E.164, +15555550123.")
    var number: String

    @Flag(name: .long, help: "Take the number away instead.")
    var remove = false

    @Flag(name: .long, help: "What they did not ask for goes to this one.")
    var primary = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let scope = try await application.scope(email: email)
            try await Accounts.reporting {
                if remove {
                    try await application.accounts.detachPhone(number, from: scope)
                } else {
                    _ = try await application.accounts.attachPhone(number, to: scope, verified: true)
                    if primary { try await application.accounts.setPrimaryPhone(number, of: scope) }
                }
            }
            terminal.isJSON
                ? terminal.json(["ok": true])
                : terminal.line(remove ? "Taken away." : "Messages from that number are \(email)'s now.")
        }
    }
}

extension Accounts {
    /// Turns what the accounts refuse into a failure of the command: wrong input, in plain words.
    static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as AccountsError {
            throw CommandFailure(error.message)
        }
    }
}
