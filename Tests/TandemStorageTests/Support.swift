import Glibc
import PostgreSQLServer
import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

/// A folder of one test's own, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/tandem-storage-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in buffer.baseAddress.flatMap { mkdtemp($0) } }
        let pointer = try #require(made)
        path = String(cString: pointer)
    }

    deinit { TemporaryFolder.remove(path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    private static func remove(_ path: String) {
        if let folder = opendir(path) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { unlink("\(path)/\(name)") }
            }
            closedir(folder)
        }
        chmod(path, 0o700)
        rmdir(path)
    }
}

/// The engines that every promise is tested on.
enum Engine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite
    case postgres

    var testDescription: String { rawValue }
}

/// A database of one test's own on either engine, with a clock that stands still.
struct EngineFixture: Sendable {
    let folder: TemporaryFolder
    let clock: ManualClock
    let keyring: Keyring
    let ids: IDGenerator
    let database: any Database
    private let server: PostgreSQLConfiguration?

    init(_ engine: Engine, keyring: Keyring? = nil) async throws {
        folder = try TemporaryFolder()
        clock = ManualClock(Fixture.start)
        self.keyring = try keyring ?? Keyring.ephemeral()
        ids = IDGenerator(clock: clock, node: 1)
        server = engine == .postgres ? try await PostgreSQLServer.shared().database() : nil
        database = try await EngineFixture.open(folder, server, self.keyring, clock, ids)
    }

    private static func open(
        _ folder: TemporaryFolder, _ server: PostgreSQLConfiguration?, _ keyring: Keyring, _ clock: ManualClock,
        _ ids: IDGenerator
    ) async throws -> any Database {
        if let server {
            return try await PostgreSQLDatabase.open(server, keyring: keyring, clock: clock, ids: ids)
        }
        return try await SQLiteDatabase.open(
            SQLiteConfiguration(path: folder.file("tandem.db"), isDurable: false), keyring: keyring, clock: clock,
            ids: ids)
    }

    /// The same database once more, as another process has it.
    func openAgain(keyring other: Keyring? = nil) async throws -> any Database {
        try await EngineFixture.open(folder, server, other ?? keyring, clock, IDGenerator(clock: clock, node: 2))
    }

    /// The database's name on the tests' server; nil on a file.
    var serverDatabase: String? { server?.address.database }

    func user() -> UserScope { UserScope(authenticated: ids.nextUser()) }

    func turn(step: Int = 0) -> WriteOrigin { WriteOrigin(turn: ids.next(), step: step) }
}

/// A database in a folder of its own, with a clock that stands still.
struct Fixture: Sendable {
    let folder: TemporaryFolder
    let clock: ManualClock
    let keyring: Keyring
    let ids: IDGenerator
    let database: SQLiteDatabase

    static let start = Timestamp(millisecondsSinceEpoch: 1_795_255_200_000)  // 2026-11-21T10:00:00Z

    init(isDurable: Bool = false) async throws {
        folder = try TemporaryFolder()
        clock = ManualClock(Fixture.start)
        keyring = try Keyring.ephemeral()
        ids = IDGenerator(clock: clock, node: 1)
        database = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: folder.file("tandem.db"), isDurable: isDurable), keyring: keyring, clock: clock,
            ids: ids)
    }

    func user() -> UserScope { UserScope(authenticated: ids.nextUser()) }

    func turn(step: Int = 0) -> WriteOrigin { WriteOrigin(turn: ids.next(), step: step) }
}

/// The error that `body` throws.
func storageError(_ body: () async throws -> Void) async throws -> StorageError {
    do {
        try await body()
    } catch let error as StorageError {
        return error
    }
    throw Missing()
}

struct Missing: Error, CustomStringConvertible {
    var description: String { "no storage error was thrown" }
}

/// Tables like those of a plugin.
enum Sample {
    static let lists = TableDefinition(
        name: "lists", columns: [ColumnDefinition("title", .text)], purpose: "your lists")

    static let items = TableDefinition(
        name: "items",
        columns: [
            ColumnDefinition("name", .text),
            ColumnDefinition("list", .id, nullable: true, references: "lists"),
            ColumnDefinition("cost", .decimal(scale: 2), nullable: true),
            ColumnDefinition("amount", .integer, nullable: true),
            ColumnDefinition("weight", .real, nullable: true),
            ColumnDefinition("status", .text, default: .text("open")),
            ColumnDefinition("urgent", .boolean, default: .boolean(false)),
            ColumnDefinition("day", .date, nullable: true),
            ColumnDefinition("at", .timestamp, nullable: true),
            ColumnDefinition("extra", .json, nullable: true),
            ColumnDefinition("secret", .text, nullable: true, sealed: true),
        ],
        indexes: [IndexDefinition(["status"]), IndexDefinition(["secret"], unique: true)],
        purpose: "the things on your lists")

    static let notes = TableDefinition(
        name: "notes",
        columns: [
            ColumnDefinition("item", .id, references: "items"),
            ColumnDefinition("parent", .id, nullable: true, references: "notes"),
            ColumnDefinition("body", .text),
        ])

    static let tables = [lists, items, notes]
    static let owner = "host.sample"
}
