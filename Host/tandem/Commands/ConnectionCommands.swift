import ArgumentParser
import TandemApplication
import TandemCore
import TandemJSON
import TandemOAuth
import TandemStorage

struct ConnectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connection", abstract: "Accounts elsewhere that plugins use for a person.",
        discussion: """
            What a plugin lacks is said when it is switched on, and when it is used. Services have to be set up once for
            this installation (MICROSOFT_CLIENT_ID and the like, see docs/oauth.md).

            Examples:
              tandem connection list --as me@example.org
              tandem connection connect microsoft --as me@example.org
              tandem connection disconnect microsoft --as me@example.org
              tandem connection --as me@example.org --json
            """,
        subcommands: [
            ConnectionListCommand.self, ConnectionConnectCommand.self, ConnectionDisconnectCommand.self,
        ], defaultSubcommand: ConnectionListCommand.self)
}

/// Which person's.
struct ConnectionOwner: ParsableArguments {
    @Option(name: .customLong("as"), help: ArgumentHelp("The account's e-mail.", valueName: "email"))
    var email: String
}

/// Turns what the connections refuse into plain words.
private func refusing<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch let error as OAuthError {
        throw CommandFailure(error.message, code: error.code == .notSetUp ? 78 : 65)
    }
}

struct ConnectionListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Which services are set up here, and which of them the person connected.",
        discussion: """
            Example:
              tandem connection list --as me@example.org
            """)

    @OptionGroup var owner: ConnectionOwner
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let scope = try await application.scope(email: owner.email)
            let connections = try await application.connections.connections(of: scope)
            if terminal.isJSON {
                terminal.json(["connections": .array(connections.map(ConnectionListCommand.json))])
                return
            }
            if connections.isEmpty {
                terminal.line("No service is set up here: MICROSOFT_CLIENT_ID and the like, see docs/oauth.md.")
            }
            for connection in connections {
                var state =
                    switch connection.status {
                    case .connected: "connected"
                    case .needsReauth: "has to be connected again"
                    case .disconnected: "not connected"
                    }
                if let account = connection.account { state += " as \(account)" }
                if !connection.missing.isEmpty {
                    state += ", not allowed: \(connection.missing.joined(separator: " "))"
                }
                terminal.line("\(terminal.styled(connection.provider, .bold)): \(state)")
            }
        }
    }

    private static func json(_ connection: Connection) -> JSON {
        [
            "provider": .string(connection.provider), "name": .string(connection.providerName),
            "status": .string(connection.status.rawValue),
            "account": connection.account.map { .string($0) } ?? .null,
            "scopes": .array(connection.scopes.map { .string($0) }),
            "missing": .array(connection.missing.map { .string($0) }),
            "connected_at": connection.connectedAt.map { .timestamp($0) } ?? .null,
            "reason": connection.reason.map { .string($0) } ?? .null,
            "management": connection.management.map { .string($0) } ?? .null,
        ]
    }
}

struct ConnectionConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Make an address where the person connects a service, after signing in.",
        discussion: """
            The address works for three days, for that person only, while `tandem serve` runs. What is asked for is what
            the person's plugins need; with --plugin what that one would need at a level.

            Example:
              tandem connection connect microsoft --as me@example.org
            """)

    @Argument(help: "The service: microsoft, google, youtube, notion, or one of TANDEM_OAUTH.")
    var provider: String

    @Option(name: .long, help: "A plugin's id: what it would need, too, although it is not on yet.")
    var plugin: String?

    @Flag(name: .long, help: "With --plugin: so that it may change things.")
    var writing = false

    @OptionGroup var owner: ConnectionOwner
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let scope = try await application.scope(email: owner.email)
            guard application.connections.isSetUp(provider) else {
                throw CommandFailure("\(provider) is not set up here: see docs/oauth.md.", code: 78)
            }
            let need = ConnectionNeed(provider: provider, plugin: plugin, level: writing ? .write : .readOnly)
            let page = try await refusing { try await application.connections.consent(for: need, of: scope) }
            let link = try await application.connections.link(for: need, of: scope)
            if terminal.isJSON {
                terminal.json([
                    "provider": .string(provider), "link": .string(link), "complete": .bool(page.isComplete),
                    "asked": .array(page.lines.compactMap(\.scope).map { .string($0) }),
                ])
            } else {
                if page.isComplete { terminal.line("\(page.providerName) is connected, and nothing is missing.") }
                terminal.line(link)
            }
        }
    }
}

struct ConnectionDisconnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disconnect",
        abstract: "End a connection: the tokens go, and are given back where that is possible.",
        discussion: """
            Example:
              tandem connection disconnect notion --as me@example.org
            """)

    @Argument(help: "The service.")
    var provider: String

    @OptionGroup var owner: ConnectionOwner
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let scope = try await application.scope(email: owner.email)
            let outcome = try await refusing { try await application.connections.disconnect(provider, of: scope) }
            let (word, text) =
                switch outcome {
                case .revoked: ("revoked", "Disconnected, and given back at the service.")
                case .later: ("later", "Disconnected. The service did not answer; it is told again for a day.")
                case .notOffered(let place):
                    (
                        "not_offered",
                        "Disconnected. To end it there as well, see \(place ?? "the settings of the account")."
                    )
                case .keptForOther(let other): ("kept", "Disconnected here. \(other) goes on with the same permission.")
                case .notConnected: ("not_connected", "It was not connected.")
                }
            if terminal.isJSON {
                terminal.json(["provider": .string(provider), "outcome": .string(word)])
            } else {
                terminal.line(text)
            }
        }
    }
}
