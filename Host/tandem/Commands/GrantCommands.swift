import ArgumentParser
import TandemApplication
import TandemCore
import TandemJSON
import TandemPluginHost

struct PluginEnableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Switch a plugin on for an account, and say what it may do.",
        discussion: """
            The first time, without a level, a first-party plugin may write and every other one asks before each change;
            later it goes on as far as it went. `tandem plugin show` says what a plugin may do before it is on. One that
            uses an account elsewhere (Microsoft, Google, Notion) is on at once; where the person connects that account is
            in the answer: "connect" in JSON.

            Examples:
              tandem plugin show tides --as me@example.org
              tandem plugin enable tides --as me@example.org
              tandem plugin enable notion --as me@example.org --json
              tandem plugin enable tides --level read_only --as me@example.org
            """)

    @Argument(help: "The plugin's id or short name: grocery.")
    var plugin: String

    @Option(name: .customLong("as"), help: ArgumentHelp("The account's e-mail.", valueName: "email"))
    var email: String

    @Flag(name: .long, help: "Reading only.")
    var readOnly = false

    @Option(name: .long, help: "read_only, confirm or write.")
    var level: LevelArgument?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if readOnly, let level, level != .readOnly { throw ValidationError("Give --read-only or --level, not both.") }
    }

    func run() async throws {
        let level = readOnly ? GrantLevel.readOnly : level?.level
        try await PluginGranting.run(common, plugin: plugin, email: email) { application, scope in
            try await application.plugins.switchOn(plugin, level: level, in: scope)
        }
    }
}

struct PluginDisableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Switch a plugin off for an account. Its own data stays.",
        discussion: """
            Takes effect at once; calls in flight are cancelled. Access elsewhere that nothing else uses is given back, and
            copies of what lies there are deleted.

            Example:
              tandem plugin disable tides --as me@example.org
            """)

    @Argument(help: "The plugin's id or short name: grocery.")
    var plugin: String

    @Option(name: .customLong("as"), help: ArgumentHelp("The account's e-mail.", valueName: "email"))
    var email: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await PluginGranting.run(common, plugin: plugin, email: email) { application, scope in
            try await application.plugins.switchOff(plugin, in: scope)
        }
    }
}

struct PluginGrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Say how far a plugin, or one tool of it, may go for an account.",
        discussion: """
            Levels of a plugin: read_only, confirm (asks before each change), write. Of a tool: off, on (as the plugin),
            confirm, write. What deletes, sends or spends is asked about at every level. `new` agrees to what the plugin
            asks for since it changed.

            Examples:
              tandem plugin grant expenses read_only --as me@example.org
              tandem plugin grant expenses off --tool expenses.delete --as me@example.org
              tandem plugin grant expenses new --as me@example.org
            """)

    @Argument(help: "The plugin's id or short name: grocery.")
    var plugin: String

    @Argument(help: "read_only, confirm, write, new; with --tool: off, on, confirm, write.")
    var grant: String

    @Option(name: .long, help: "The id of one tool: expenses.record.")
    var tool: String?

    @Option(name: .customLong("as"), help: ArgumentHelp("The account's e-mail.", valueName: "email"))
    var email: String

    @OptionGroup var common: CommonOptions

    func validate() throws {
        let known = tool == nil ? ["read_only", "confirm", "write", "new"] : ["off", "on", "confirm", "write"]
        guard known.contains(grant) else {
            throw ValidationError("The grant must be one of \(known.joined(separator: ", ")).")
        }
    }

    func run() async throws {
        let (plugin, grant, tool) = (plugin, grant, tool)
        try await PluginGranting.run(common, plugin: plugin, email: email) { application, scope in
            let plugins = application.plugins
            if let tool {
                let before = try await plugins.grant(of: plugin, in: scope)
                guard before.tools.contains(where: { $0.id == tool }) else {
                    throw CommandFailure(
                        "\(before.name) has no tool \(tool). `tandem plugin show \(plugin)` lists them.")
                }
                try await plugins.setTool(tool, to: ToolGrant(rawValue: grant), in: scope)
            } else if grant == "new" {
                try await plugins.approveChanges(of: plugin, in: scope)
            } else if let level = GrantLevel(rawValue: grant) {
                guard try await plugins.grant(of: plugin, in: scope).state.name == "enabled" else {
                    throw CommandFailure("\(plugin) is off. `tandem plugin enable \(plugin)` switches it on.")
                }
                try await plugins.setLevel(level, of: plugin, in: scope)
            }
        }
    }
}

struct PluginShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "What a plugin may do, who answers for it, and how far it may go for an account.",
        discussion: """
            Examples:
              tandem plugin show grocery --as me@example.org
              tandem plugin show grocery --as me@example.org --json
            """)

    @Argument(help: "The plugin's id or short name: grocery.")
    var plugin: String

    @Option(name: .customLong("as"), help: ArgumentHelp("The account's e-mail.", valueName: "email"))
    var email: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await PluginGranting.run(common, plugin: plugin, email: email, makesLink: false) { _, _ in }
    }
}

/// A level as it is typed.
enum LevelArgument: String, ExpressibleByArgument, CaseIterable {
    case readOnly = "read_only"
    case confirm
    case write

    var level: GrantLevel {
        switch self {
        case .readOnly: .readOnly
        case .confirm: .confirm
        case .write: .write
        }
    }
}

private enum PluginGranting {
    /// Makes a change and shows where the plugin stands afterwards.
    ///
    /// - Parameter makesLink: Also what the person connects next.
    static func run(
        _ common: CommonOptions, plugin: String, email: String, makesLink: Bool = true,
        _ change: sending (Application, UserScope) async throws -> Void
    ) async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            do {
                let scope = try await application.scope(email: email)
                do {
                    try await change(application, scope)
                } catch let error as GrantError where error.code == .illegalTransition {
                    guard let next = try await application.connectionStep(of: plugin, in: scope) else { throw error }
                    throw CommandFailure("\(error.reason). Connect \(next.service) here: \(next.link)")
                }
                let next = makesLink ? try await application.connectionStep(of: plugin, in: scope) : nil
                show(try await application.plugins.grant(of: plugin, in: scope), next, on: terminal)
                let missing = try await application.servicesNotSetUp(for: plugin, in: scope)
                if !missing.isEmpty {
                    let names = missing.joined(separator: ", ")
                    Terminal.note("It uses \(names), not set up here: see docs/oauth.md.")
                }
            } catch let error as GrantError {
                throw CommandFailure("\(error.reason). `tandem plugin list` shows what there is.")
            }
        }
    }

    private static func show(_ grant: PluginGrant, _ next: NextConnection?, on terminal: Terminal) {
        if terminal.isJSON {
            var object: JSONObject = [
                "plugin": .string(grant.plugin), "name": .string(grant.name), "trust": .string(grant.trust.rawValue),
                "state": .string(grant.state.name), "level": grant.state.level.map { .string($0.rawValue) } ?? .null,
                "may": .string(grant.consent), "asks": grant.request.map { .string($0) } ?? .null,
            ]
            var tools: [JSON] = []
            for tool in grant.tools {
                tools.append([
                    "id": .string(tool.id), "title": .string(tool.title), "effect": .string(tool.effect.rawValue),
                    "access": .string(tool.access.rawValue),
                ])
            }
            object["tools"] = .array(tools)
            object["connect"] =
                next.map {
                    [
                        "provider": .string($0.provider), "name": .string($0.service), "account": .string($0.grant),
                        "link": .string($0.link),
                    ]
                } ?? .null
            terminal.json(.object(object))
            return
        }
        let level = grant.state.level.map { ", \($0.rawValue)" } ?? ""
        terminal.line(
            "\(terminal.styled(grant.name, .bold)) is \(grant.state.name)\(level) now (\(grant.trust.mark)).")
        terminal.line("It \(grant.consent).")
        if let request = grant.request { terminal.line(terminal.styled("New: it \(request).", .yellow)) }
        if let next {
            terminal.line(
                "\(terminal.styled("Next:", .bold)) connect \(next.service) at \(next.link) (for three days, while "
                    + "`tandem serve` runs).")
        }
        terminal.table(
            [["TOOL", "EFFECT", "ACCESS", "TITLE"]]
                + grant.tools.map { [$0.id, $0.effect.rawValue, $0.access.rawValue, $0.title] })
    }
}
