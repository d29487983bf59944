import PostgreSQLServer
import Synchronization
public import TandemCore
public import TandemStorage

/// A place for one test's database, on the engine that the test runs on: what is opened there finds what was left.
///
/// On PostgreSQL it is a database of its own, made from a template that has run the migrations, and dropped when the test
/// is over.
public struct TestDatabase: Sendable {
    private let file: String?
    private let server: PostgreSQLConfiguration?
    /// The settings that make a program use it; empty for the file in the program's data folder.
    public let environment: [String: String]

    /// - Parameters:
    ///   - file: The path on SQLite; nil: in memory, which is empty each time it is opened.
    ///   - migrations: What a template may have done already. The test migrates all the same.
    public init(file: String? = nil, migrations: [Migration] = []) async throws {
        let names = migrations.map(\.name).joined(separator: " ")
        try await self.init(file: file, template: names) { configuration in
            let database = try await PostgreSQLDatabase.open(configuration, keyring: Keyring.ephemeral())
            try await database.migrate(migrations)
            await database.close()
        }
    }

    /// - Parameters:
    ///   - template: The name of what `prepare` does to a new database; the first caller's does it for all.
    public init(
        file: String? = nil, template: String,
        prepare: @escaping @Sendable (PostgreSQLConfiguration) async throws -> Void
    ) async throws {
        self.file = file
        guard TestEngine.current == .postgres else {
            server = nil
            environment = [:]
            return
        }
        let running = try await PostgreSQLServer.shared()
        let made = try await running.database(template: template, prepare: prepare)
        TestDatabase.made?.add(made.address.database)
        server = made
        environment = running.environment(made.address.database)
    }

    public func open(
        keyring: Keyring? = nil, clock: any WallClock = SystemClock(), ids: IDGenerator? = nil
    ) async throws -> any Database {
        let keyring = try keyring ?? Keyring.ephemeral()
        if let server {
            return try await PostgreSQLDatabase.open(server, keyring: keyring, clock: clock, ids: ids)
        }
        return try await SQLiteDatabase.open(
            SQLiteConfiguration(path: file, isDurable: false), keyring: keyring, clock: clock, ids: ids)
    }

    /// The databases of the test that is running.
    @TaskLocal static var made: Made?

    final class Made: Sendable {
        private let names = Mutex<[String]>([])

        func add(_ name: String) { names.withLock { $0.append(name) } }

        func drop() async {
            let all = names.withLock { names in
                defer { names = [] }
                return names
            }
            guard !all.isEmpty, let server = try? await PostgreSQLServer.shared() else { return }
            _ = try? await server.administer(all.map { "DROP DATABASE IF EXISTS \($0) WITH (FORCE)" })
        }
    }
}
