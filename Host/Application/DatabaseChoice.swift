public import TandemCore
public import TandemStorage

/// Which database is meant: a file, a server, or memory.
public enum DatabaseChoice: Sendable {
    case memory
    case file(String)
    case server(PostgreSQLConfiguration)

    /// The one that the settings name: `DATABASE_URL`, or the file in the data folder.
    ///
    /// Throws `StorageError` with code `configuration`; it never shows a password.
    public init(_ configuration: Configuration, paths: InstallationPaths) throws {
        guard let address = configuration.database else {
            self = .file(paths.databaseFile)
            return
        }
        self = try DatabaseChoice.read(
            address.reveal(), password: configuration.databasePassword, owner: configuration.databaseOwner,
            ownerPassword: configuration.databaseOwnerPassword, pool: configuration.databasePool)
    }

    /// From words of a command line: `sqlite` and `postgres` are those of the settings, `sqlite:PATH` is a file, and
    /// anything else an address of PostgreSQL, with `owner` the address as the owner of its tables.
    public init(
        word: String, owner: String?, configuration: Configuration, paths: InstallationPaths, option: String
    ) throws {
        switch word {
        case "sqlite": self = .file(paths.databaseFile)
        case "postgres":
            guard case .server(let server) = try DatabaseChoice(configuration, paths: paths) else {
                throw StorageError(.configuration, "\(option) postgres needs DATABASE_URL with a PostgreSQL address")
            }
            self = .server(server)
        default:
            self = try DatabaseChoice.read(
                word, password: nil, owner: owner.map(Secret.init), ownerPassword: nil, pool: 1, setting: option,
                ownerSetting: "\(option)-owner")
        }
    }

    private static func read(
        _ text: String, password: Secret?, owner: Secret?, ownerPassword: Secret?, pool: Int,
        setting: String = "DATABASE_URL", ownerSetting: String = "DATABASE_OWNER_URL"
    ) throws -> DatabaseChoice {
        if text.hasPrefix("sqlite:") {
            // `sqlite:data.db`, `sqlite:/var/data.db` and `sqlite:///var/data.db`.
            var path = text.dropFirst("sqlite:".count)
            if path.hasPrefix("//") { path = path.dropFirst(2) }
            guard !path.isEmpty else {
                throw StorageError(.configuration, "\(setting) names no file: write sqlite:///folder/file")
            }
            return .file(String(path))
        }
        return .server(
            PostgreSQLConfiguration(
                address: try PostgreSQLAddress(text, password: password, setting: setting),
                owner: try owner.map {
                    try PostgreSQLAddress($0.reveal(), password: ownerPassword, setting: ownerSetting)
                },
                connections: pool))
    }

    /// What commands and status pages call it.
    public var name: String {
        switch self {
        case .memory: "memory"
        case .file(let path): path
        case .server(let server): server.address.description
        }
    }

    /// Opens it; `isCopyTarget` for what `DatabaseCopy` fills.
    public func open(
        keyring: Keyring, clock: any WallClock = SystemClock(), isCopyTarget: Bool = false
    ) async throws -> any Database {
        switch self {
        case .memory:
            return try await SQLiteDatabase.open(SQLiteConfiguration(path: nil), keyring: keyring, clock: clock)
        case .file(let path):
            var file = SQLiteConfiguration(path: path)
            file.isCopyTarget = isCopyTarget
            return try await SQLiteDatabase.open(file, keyring: keyring, clock: clock)
        case .server(var server):
            server.isCopyTarget = isCopyTarget
            return try await PostgreSQLDatabase.open(server, keyring: keyring, clock: clock)
        }
    }
}

extension Application {
    /// Copies everything from one database to another with this installation's master keys; see `DatabaseCopy`.
    public static func copyDatabase(
        from: DatabaseChoice, to: DatabaseChoice, replacing: Bool, configuration: Configuration,
        progress: @escaping @Sendable (DatabaseCopy.Progress) -> Void
    ) async throws -> DatabaseCopy.Report {
        let paths = InstallationPaths(configuration: configuration)
        try paths.makeDataFolder()
        // Each with keys of its own: the target's are replaced by the source's.
        let source = try await from.open(keyring: keyring(configuration, paths))
        do {
            let target = try await to.open(keyring: keyring(configuration, paths), isCopyTarget: true)
            do {
                try await source.migrate(migrations)
                try await target.migrate(migrations)
                let report = try await DatabaseCopy(from: source, to: target, replacing: replacing)
                    .run(progress: progress)
                await target.close()
                await source.close()
                return report
            } catch {
                await target.close()
                throw error
            }
        } catch {
            await source.close()
            throw error
        }
    }
}
