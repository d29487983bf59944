import ArgumentParser
import Glibc
import TandemAccounts
import TandemApplication
import TandemCore
import TandemJSON

struct UserPasswordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password", abstract: "Give an account a password; its sessions end.",
        discussion: """
            The password is one line of standard input, and is not shown on a terminal.

            Examples:
              tandem user password me@example.org
              pwgen 20 1 | tandem user password me@example.org --json
            """)

    @Argument(help: "The account's e-mail.")
    var email: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let configuration = try common.configuration()
        let password = try HiddenLine.read("New password: ")
        try await Application.with(configuration) { application in
            let scope = try await application.scope(email: email)
            try await Accounts.reporting {
                try await application.accounts.setPassword(password.reveal(), of: scope)
            }
            terminal.isJSON ? terminal.json(["ok": true]) : terminal.line("The password is set.")
        }
    }
}

struct UserSessionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "Where somebody is signed in; ends sessions.",
        discussion: """
            Examples:
              tandem user sessions me@example.org
              tandem user sessions me@example.org --end 819202941091840
              tandem user sessions me@example.org --end-all
            """)

    @Argument(help: "The account's e-mail.")
    var email: String

    @Option(name: .long, help: "End the session of this id.")
    var end: String?

    @Flag(name: .long, help: "End all of them.")
    var endAll = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let accounts = application.accounts
            let scope = try await application.scope(email: email)
            try await Accounts.reporting {
                if endAll {
                    let count = try await accounts.endSessions(of: scope, by: .staff(nil))
                    terminal.isJSON
                        ? terminal.json(["ended": .integer(Int64(count))]) : terminal.line("Ended \(count).")
                    return
                }
                if let end {
                    guard let id = RecordID(end) else { throw CommandFailure("\(end) is no session's id", code: 64) }
                    try await accounts.endSession(id, of: scope, by: .staff(nil))
                    terminal.isJSON ? terminal.json(["ended": 1]) : terminal.line("Ended.")
                    return
                }
                var rows = [["ID", "DEVICE", "PLACE", "LAST SEEN", "PROVED BY"]]
                for session in try await accounts.sessions(of: scope) {
                    let methods = session.methods.map(\.rawValue)
                    if terminal.isJSON {
                        terminal.json([
                            "id": .string(session.id.description),
                            "device": session.device.map { .string($0) } ?? .null,
                            "place": session.place.map { .string($0) } ?? .null,
                            "last_seen_at": .string(session.lastSeenAt.description),
                            "methods": .array(methods.map { .string($0) }),
                        ])
                    }
                    rows.append([
                        session.id.description, session.device ?? "-", session.place ?? "-",
                        session.lastSeenAt.description, methods.joined(separator: " "),
                    ])
                }
                if !terminal.isJSON { terminal.table(rows) }
            }
        }
    }
}

struct UserFactorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mfa", abstract: "Somebody's second factor: see it, set it up, switch it off.",
        discussion: """
            Examples:
              tandem user mfa me@example.org
              tandem user mfa me@example.org --begin          a key and its picture for an authenticator app
              tandem user mfa me@example.org --confirm 123456 switches it on; shows the recovery codes
              tandem user mfa me@example.org --off            for somebody who lost everything
            """)

    @Argument(help: "The account's e-mail.")
    var email: String

    @Flag(name: .long, help: "Make a key for an authenticator app.")
    var begin = false

    @Option(name: .long, help: ArgumentHelp("A first code of the app: switches it on.", valueName: "code"))
    var confirm: String?

    @Flag(name: .long, help: "Switch the second factor off.")
    var off = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let accounts = application.accounts
            let scope = try await application.scope(email: email)
            try await Accounts.reporting {
                if off {
                    try await accounts.disableSecondFactor(of: scope, by: .staff(nil))
                    terminal.isJSON ? terminal.json(["ok": true]) : terminal.line("The second factor is off.")
                } else if begin {
                    let enrolment = try await accounts.beginTOTP(of: scope)
                    if terminal.isJSON {
                        terminal.json([
                            "key": .string(enrolment.key.reveal()), "uri": .string(enrolment.uri.reveal()),
                        ])
                    } else {
                        if let picture = enrolment.picture { terminal.line(picture.terminal) }
                        terminal.line("Key: \(enrolment.key.reveal())")
                        terminal.line("Then: tandem user mfa \(email) --confirm CODE")
                    }
                } else if let confirm {
                    let codes = try await accounts.confirmTOTP(scope, code: confirm).map { $0.reveal() }
                    if terminal.isJSON {
                        terminal.json(["recovery_codes": .array(codes.map { .string($0) })])
                    } else {
                        terminal.line("On. Recovery codes, each good once, shown now and never again:")
                        for code in codes { terminal.line("  \(code)") }
                    }
                } else {
                    let methods = try await accounts.proofMethods(of: scope).map(\.rawValue)
                    let left = try await accounts.recoveryCodesLeft(scope)
                    let isOn = methods.contains("totp")
                    if terminal.isJSON {
                        terminal.json([
                            "is_on": .bool(isOn), "methods": .array(methods.map { .string($0) }),
                            "recovery_codes_left": .integer(Int64(left)),
                        ])
                    } else {
                        terminal.line(
                            isOn ? "On: \(methods.joined(separator: ", ")); \(left) recovery codes left." : "Off.")
                    }
                }
            }
        }
    }
}

struct UserRoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "What an account may do: user, premium or administrator.",
        discussion: """
            Examples:
              tandem user role me@example.org administrator
              tandem user role me@example.org --status disabled     stops serving it; its sessions end
            """)

    @Argument(help: "The account's e-mail.")
    var email: String

    @Argument(help: "The role; without one it is shown.")
    var role: String?

    @Option(name: .long, help: "active or disabled.")
    var status: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let accounts = application.accounts
            guard let account = try await accounts.user(email: email) else {
                throw CommandFailure("There is no account \(email).", code: 69)
            }
            try await Accounts.reporting {
                if let role {
                    guard let wanted = Account.Role(rawValue: role) else {
                        let names = Account.Role.allCases.map(\.rawValue).joined(separator: ", ")
                        throw CommandFailure("\(role) is no role: there are \(names).", code: 64)
                    }
                    try await accounts.setRole(wanted, of: account.id)
                }
                if let status {
                    guard let wanted = Account.Status(rawValue: status) else {
                        throw CommandFailure("\(status) is no status: there are active and disabled.", code: 64)
                    }
                    try await accounts.setStatus(wanted, of: account.id)
                }
                let now = try await accounts.user(account.id) ?? account
                terminal.isJSON
                    ? terminal.json([
                        "email": .string(now.email), "role": .string(now.role.rawValue),
                        "status": .string(now.status.rawValue),
                    ]) : terminal.line("\(now.email): \(now.role.rawValue), \(now.status.rawValue)")
            }
        }
    }
}

struct UserKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apikey", abstract: "API keys of a program's account.",
        discussion: """
            Examples:
              tandem user create backup@example.org --role service
              tandem user apikey backup@example.org --create "nightly backup" --scopes "backup metrics" --days 90
              tandem user apikey backup@example.org
              tandem user apikey backup@example.org --revoke 819202941091840
            """)

    @Argument(help: "The account's e-mail.")
    var email: String

    @Option(name: .long, help: ArgumentHelp("Make a key of this name; its text is shown once.", valueName: "name"))
    var create: String?

    @Option(name: .long, help: "What the new key may do, separated by spaces.")
    var scopes = "integrations"

    @Option(name: .long, help: "How long the new key lasts, 1 to 730.")
    var days = 90

    @Option(name: .long, help: ArgumentHelp("Take back the key of this id.", valueName: "id"))
    var revoke: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let accounts = application.accounts
            let scope = try await application.scope(email: email)
            try await Accounts.reporting {
                if let create {
                    guard let permissions = PermissionSet(scopes) else {
                        throw CommandFailure("\(scopes): one of these is no permission", code: 64)
                    }
                    let (key, text) = try await accounts.createKey(
                        for: scope.user, name: create, scopes: permissions, lifetime: .seconds(days * 86_400))
                    terminal.isJSON
                        ? terminal.json(["id": .string(key.id.description), "key": .string(text.reveal())])
                        : terminal.line(text.reveal())
                    return
                }
                if let revoke {
                    guard let id = RecordID(revoke) else { throw CommandFailure("\(revoke) is no key's id", code: 64) }
                    try await accounts.revokeKey(id, of: scope)
                    terminal.isJSON ? terminal.json(["ok": true]) : terminal.line("It is good no more.")
                    return
                }
                var rows = [["ID", "PREFIX", "NAME", "SCOPES", "EXPIRES", "STATE"]]
                for key in try await accounts.keys(of: scope) {
                    if terminal.isJSON {
                        terminal.json([
                            "id": .string(key.id.description), "prefix": .string(key.prefix), "name": .string(key.name),
                            "scopes": .string(key.scopes.text),
                            "expires_at": key.expiresAt.map { .string($0.description) } ?? .null,
                            "revoked": .bool(key.revokedAt != nil),
                        ])
                    }
                    rows.append([
                        key.id.description, key.prefix, key.name, key.scopes.text, key.expiresAt?.description ?? "-",
                        key.revokedAt == nil ? "good" : "revoked",
                    ])
                }
                if !terminal.isJSON { terminal.table(rows) }
            }
        }
    }
}

/// A line of standard input that a terminal does not show.
enum HiddenLine {
    static func read(_ prompt: String) throws -> Secret {
        let isTerminal = isatty(STDIN_FILENO) == 1
        var before = termios()
        if isTerminal {
            Terminal.note(prompt)
            tcgetattr(STDIN_FILENO, &before)
            var quiet = before
            quiet.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSANOW, &quiet)
        }
        defer { if isTerminal { tcsetattr(STDIN_FILENO, TCSANOW, &before) } }
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw CommandFailure("Nothing came in: the password is one line of standard input.", code: 64)
        }
        return Secret(line)
    }
}
