import ArgumentParser
import Glibc
import Synchronization
import TandemApplication
import TandemCore
import TandemJSON
import TandemStorage

struct DatabaseCopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy everything from one database to another, and compare both.",
        discussion: """
            A database is sqlite (the file in the data folder), sqlite:PATH, postgres (what DATABASE_URL and
            DATABASE_OWNER_URL name) or an address of PostgreSQL, then with --from-owner or --to-owner. Both sides use the
            same master key.

            The source may be in use; a second run takes over what has changed since. Stop the program, copy once more
            with --replace, then start it on the new database. An interrupted copy goes on when it is started again; until
            it is whole, nothing serves from its target.

            Examples:
              tandem db copy --from sqlite --to postgres
              tandem db copy --from postgres --to sqlite:/tmp/tandem.sqlite
            """)

    @Option(help: "The database to read.")
    var from: String

    @Option(help: "The database to fill.")
    var to: String

    @Option(help: "The source's address as the owner of its tables.")
    var fromOwner: String?

    @Option(help: "The target's address as the owner of its tables.")
    var toOwner: String?

    @Flag(help: "Make a target that holds data already like the source.")
    var replace = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let configuration = try common.configuration()
        let paths = InstallationPaths(configuration: configuration)
        let source = try DatabaseChoice(
            word: from, owner: fromOwner, configuration: configuration, paths: paths, option: "--from")
        let target = try DatabaseChoice(
            word: to, owner: toOwner, configuration: configuration, paths: paths, option: "--to")
        guard source.name != target.name else {
            throw CommandFailure("--from and --to name the same database", code: 64)
        }
        let isTerminal = isatty(STDERR_FILENO) == 1 && !terminal.isJSON
        let last = Mutex("")
        let report = try await Application.copyDatabase(
            from: source, to: target, replacing: replace, configuration: configuration
        ) { piece in
            let isNew = last.withLock { last in
                defer { last = piece.table }
                return last != piece.table
            }
            guard isTerminal || (isNew && piece.rowCount > 0) else { return }
            let text =
                "table \(piece.tables + 1) of \(piece.tableCount), \(piece.table): \(piece.rows) of"
                + " \(piece.rowCount)"
            if isTerminal {
                Terminal.progress(text)
            } else {
                Terminal.note(text)
            }
        }
        if isTerminal { Terminal.progress("") }
        if terminal.isJSON {
            terminal.json([
                "rows": .integer(Int64(report.rows)), "source_has_changed": .bool(report.sourceHasChanged),
                "tables": .array(
                    report.tables.map { table in
                        [
                            "name": .string(table.name), "rows": .integer(Int64(table.rows)),
                            "written": .integer(Int64(table.written)), "sha256": .string(table.checksum),
                        ]
                    }),
            ])
            return
        }
        for table in report.tables where table.rows > 0 {
            terminal.line("\(table.name): \(table.rows) rows, \(table.written) written, \(table.checksum.prefix(16))")
        }
        terminal.line(
            "\(report.rows) rows in \(report.tables.count) tables; counts and checksums are the same on both sides.")
        if report.sourceHasChanged {
            terminal.line(
                "The source was written to meanwhile: stop the program, then run this again with --replace.")
        }
    }
}

struct DatabaseSetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Make the roles and the database on a PostgreSQL server.",
        discussion: """
            DATABASE_URL and DATABASE_OWNER_URL say what the database and the two roles are called; their passwords come
            from DATABASE_PASSWORD and DATABASE_OWNER_PASSWORD, or from files (..._FILE). Whatever is there stays.

            Example:
              tandem db setup --admin postgresql://postgres@db.example.org/postgres
            """)

    @Option(help: "The server's address as a role that may create roles and databases.")
    var admin: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let configuration = try common.configuration()
        let paths = InstallationPaths(configuration: configuration)
        guard case .server(let server) = try DatabaseChoice(configuration, paths: paths),
            let runtime = server.address.user, let owner = server.owner?.user
        else {
            throw CommandFailure(
                "set DATABASE_URL and DATABASE_OWNER_URL to PostgreSQL addresses with users: these are made", code: 78)
        }
        try await PostgreSQLSetup.run(
            admin: try PostgreSQLAddress(admin, setting: "--admin"), database: server.address.database,
            owner: PostgreSQLSetup.Login(role: owner, password: configuration.databaseOwnerPassword),
            runtime: PostgreSQLSetup.Login(role: runtime, password: configuration.databasePassword))
        let terminal = common.terminal
        if terminal.isJSON {
            terminal.json(["database": .string(server.address.database), "roles": [.string(owner), .string(runtime)]])
        } else {
            terminal.line(
                "The database \(server.address.database) is there, owned by \(owner), served as \(runtime).")
        }
    }
}
