import ArgumentParser

struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "What an operator looks after.",
        discussion: """
            Examples:
              tandem admin audit verify                     whether the audit is as it was written
              tandem admin audit list --user me@example.org
            """,
        subcommands: [AuditCommand.self])
}
