import Synchronization
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// A database file with the plugins' tables, that can be closed and opened again.
struct PluginDatabase: Sendable {
    let folder: TestFolder
    let keys: MasterKeys
    private let place: TestDatabase
    let clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_790_000_000_000))

    init() async throws {
        folder = try TestFolder("plugin-data")
        keys = try MasterKeys(bytes: (0..<32).map { UInt8($0 * 7 + 3) })
        place = try await TestDatabase(file: folder.path + "/data.sqlite", migrations: Application.migrations)
    }

    func open() async throws -> any Database {
        let database = try await place.open(keyring: Keyring(keys), clock: clock)
        _ = try await database.migrate(Application.migrations)
        return database
    }

    /// Opens it for a body, and closes it: a second use is a restart.
    func use<Result: Sendable>(_ body: @Sendable (any Database) async throws -> Result) async throws -> Result {
        let database = try await open()
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }
}

func place(_ plugin: String = "test.notes", _ user: Int64 = 1) -> PluginPlace {
    PluginPlace(plugin: plugin, scope: UserScope(authenticated: UserID(rawValue: user)))
}

/// The status that a body throws as `ServiceFailure`.
func failure(_ body: () async throws -> Void) async -> ServiceFailure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ServiceFailure
    }
}

/// `tandem.kv/1` on a database file.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct StoredValuesTests {
    private let quota = PluginQuota(rows: 1, bytes: 1, kvEntries: 4, kvBytes: 100)

    private func set(
        _ values: StoredValues, _ key: String, _ text: String, expected: UInt64? = nil, ttl: UInt64 = 0,
        in place: PluginPlace = place()
    ) async throws -> UInt64 {
        try await values.set(
            Array(text.utf8), for: key, expected: expected, lifetimeMilliseconds: ttl, quota: quota, in: place
        ).version
    }

    private func get(_ values: StoredValues, _ key: String, in place: PluginPlace = place()) async throws -> String? {
        try await values.value(of: key, in: place).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test func keepsValuesOverARestartForOnePluginAndPersonOnly() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let values = StoredValues(database: database)
            _ = try await set(values, "cursor", "abc")
            _ = try await set(values, "cursor", "other", in: place("test.notes", 2))
        }
        try await file.use { (database) async throws in
            let values = StoredValues(database: database)
            #expect(try await get(values, "cursor") == "abc")
            #expect(try await get(values, "cursor", in: place("test.notes", 2)) == "other")
            #expect(try await get(values, "cursor", in: place("test.other", 1)) == nil)
            #expect(try await get(values, "cursor", in: place("test.notes", 3)) == nil)
        }
    }

    @Test func comparesVersionsThatNeverComeBack() async throws {
        try await PluginDatabase().use { (database) async throws in
            let values = StoredValues(database: database)
            let first = try await set(values, "a", "1", expected: 0)
            #expect(
                await failure { _ = try await set(values, "a", "2", expected: 0) } == ServiceFailure(-9, version: first)
            )
            let second = try await set(values, "a", "2", expected: first)
            #expect(second > first)
            #expect(await failure { _ = try await set(values, "a", "3", expected: first) }?.version == second)
            #expect(await failure { try await values.remove("a", expected: first, in: place()) }?.status == -9)
            try await values.remove("a", expected: second, in: place())
            #expect(await failure { try await values.remove("a", expected: nil, in: place()) }?.status == -8)
            #expect(try await set(values, "a", "4", expected: 0) > second)
        }
    }

    @Test func forgetsWhatHasExpired() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let values = StoredValues(database: database)
            let version = try await set(values, "a", "1", ttl: 1000)
            #expect(try await values.value(of: "a", in: place())?.expiresAt == file.clock.now.advanced(by: .seconds(1)))
            file.clock.advance(by: .milliseconds(999))
            #expect(try await get(values, "a") == "1")
            file.clock.advance(by: .milliseconds(1))
            #expect(try await get(values, "a") == nil)
            #expect(try await values.keys(prefix: "", after: "", limit: 10, in: place()).keys.isEmpty)
            #expect(try await values.usage(in: place()).entries == 0)
            // As good as none, but the version is a new one.
            #expect(try await set(values, "a", "2", expected: 0) > version)
            _ = try await set(values, "b", "1", ttl: 1)
            file.clock.advance(by: .seconds(1))
            #expect(try await values.prune() == 1)
            #expect(try await values.usage(in: place()).entries == 1)
        }
    }

    @Test func keepsToTheQuotaAndCountsExpiredValuesOut() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let values = StoredValues(database: database)
            for key in ["a", "b", "c"] { _ = try await set(values, key, "1", ttl: 1000) }
            _ = try await set(values, "d", "1")
            #expect(await failure { _ = try await set(values, "e", "1") }?.status == -21)
            // Another person's room is their own.
            _ = try await set(values, "e", "1", in: place("test.notes", 2))
            #expect(await failure { _ = try await set(values, "d", String(repeating: "x", count: 100)) }?.status == -21)
            #expect(try await get(values, "d") == "1")
            file.clock.advance(by: .seconds(2))
            _ = try await set(values, "e", "1")
            let usage = try await values.usage(in: place())
            #expect(usage.entries == 2)
            #expect(usage.bytes == 4)
        }
    }

    @Test func listsByPrefixInTheOrderOfBytes() async throws {
        try await PluginDatabase().use { (database) async throws in
            let values = StoredValues(database: database)
            let large = PluginQuota(rows: 1, bytes: 1)
            for key in ["b", "a/2", "a/10", "a", "a/é", "a0", "z\u{10FFFF}", "z\u{10FFFF}x"] {
                _ = try await values.set(
                    [1, 0, 255], for: key, expected: nil, lifetimeMilliseconds: 0, quota: large, in: place())
            }
            let first = try await values.keys(prefix: "a/", after: "", limit: 2, in: place())
            #expect(first.keys.map(\.key) == ["a/10", "a/2"])
            #expect(first.hasMore)
            #expect(first.keys.map(\.byteCount) == [3, 3])
            let rest = try await values.keys(prefix: "a/", after: "a/2", limit: 2, in: place())
            #expect(rest.keys.map(\.key) == ["a/é"])
            #expect(!rest.hasMore)
            #expect(
                try await values.keys(prefix: "z\u{10FFFF}", after: "", limit: 9, in: place()).keys.map(\.key)
                    == ["z\u{10FFFF}", "z\u{10FFFF}x"])
            #expect(try await values.value(of: "b", in: place())?.bytes == [1, 0, 255])
        }
    }

    @Test func findsTheEndOfEveryPrefix() {
        #expect(StoredValues.successor(of: "ab") == "ac")
        #expect(StoredValues.successor(of: "a\u{D7FF}") == "a\u{E000}")
        #expect(StoredValues.successor(of: "a\u{10FFFF}") == "b")
        #expect(StoredValues.successor(of: "\u{10FFFF}") == nil)
        #expect(StoredValues.successor(of: "") == nil)
    }

    @Test func sealsValuesAndErasesThemWithThePerson() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let values = StoredValues(database: database)
            _ = try await set(values, "a", "in plain words")
            let stored = try await database.read(.system) { transaction in
                try transaction.first("SELECT value FROM plugin_values")?.blob("value") ?? []
            }
            #expect(!stored.isEmpty)
            #expect(!String(decoding: stored, as: UTF8.self).contains("plain"))
            _ = try await database.write(place().scope) { try $0.eraseUser() }
            #expect(try await get(values, "a") == nil)
            #expect(try await values.usage(in: place()).entries == 0)
        }
    }
}

/// `tandem.secret/1` on a database file.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct StoredSecretsTests {
    private func secret(_ name: String, _ by: DeclaredSecret.EnteredBy) -> DeclaredSecret {
        DeclaredSecret(name: name, title: name, hint: nil, enteredBy: by)
    }

    @Test func givesAPersonsValueToThatPersonsPluginOnly() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let secrets = StoredSecrets(database: database)
            try await secrets.set([1, 2, 0, 255], name: "key", plugin: "test.notes", in: place().scope)
        }
        try await file.use { (database) async throws in
            let secrets = StoredSecrets(database: database)
            let key = secret("key", .person)
            #expect(try await secrets.value(of: key, in: place()) == [1, 2, 0, 255])
            #expect(try await secrets.value(of: key, in: place("test.notes", 2)) == nil)
            #expect(try await secrets.value(of: key, in: place("test.other")) == nil)
            #expect(try await secrets.entered([key, secret("more", .person)], in: place()) == ["key"])
            #expect(try await secrets.remove("key", plugin: "test.notes", in: place().scope))
            #expect(try await !secrets.remove("key", plugin: "test.notes", in: place().scope))
            #expect(try await secrets.value(of: key, in: place()) == nil)
        }
    }

    @Test func fallsBackToTheOperatorsValueWhereThatIsDeclared() async throws {
        try await PluginDatabase().use { (database) async throws in
            let secrets = StoredSecrets(database: database)
            try await secrets.set([9], name: "key", plugin: "test.notes", in: nil)
            #expect(try await secrets.value(of: secret("key", .person), in: place()) == nil)
            #expect(try await secrets.value(of: secret("key", .either), in: place()) == [9])
            #expect(try await secrets.value(of: secret("key", .operator), in: place()) == [9])
            try await secrets.set([1], name: "key", plugin: "test.notes", in: place().scope)
            #expect(try await secrets.value(of: secret("key", .either), in: place()) == [1])
            #expect(try await secrets.value(of: secret("key", .operator), in: place()) == [9])
        }
    }

    @Test func keepsValuesSealedAndOutOfTheExport() async throws {
        try await PluginDatabase().use { (database) async throws in
            let secrets = StoredSecrets(database: database)
            let value = Array("sk-live-plain-words".utf8)
            try await secrets.set(value, name: "key", plugin: "test.notes", in: place().scope)
            try await secrets.set(value, name: "key", plugin: "test.notes", in: nil)
            let stored = try await database.read(.system) { transaction in
                try transaction.query("SELECT value FROM plugin_secrets").map { try $0.blob("value") }
                    + transaction.query("SELECT value FROM plugin_operator_secrets").map { try $0.blob("value") }
            }
            #expect(stored.count == 2)
            for bytes in stored { #expect(!String(decoding: bytes, as: UTF8.self).contains("plain")) }
            let export = try await database.read(place().scope) { try $0.exportUser().text }
            #expect(!export.contains("plain-words"))
        }
    }
}

/// `tandem.migrate/1`: versions and their journal.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct StoredVersionsTests {
    private static let table = TableDefinition(
        name: "version_things", columns: [ColumnDefinition("label", .text)], indexes: [], purpose: "things")

    private func labels(_ database: any Database) async throws -> [String] {
        try await database.read(place().scope) { transaction in
            try transaction.list("version_things", tables: .owner("test.notes")).compactMap { $0.string("label") }
        }
    }

    @Test func asksForOneMigrationPerPersonAndVersion() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let versions = StoredVersions(database: database)
            guard case .none = try await versions.begin("1.0.0", in: place()) else { return #expect(Bool(false)) }
            guard case .none = try await versions.begin("1.0.0", in: place()) else { return #expect(Bool(false)) }
            guard case .migrate("1.0.0", [:], _) = try await versions.begin("1.1.0", in: place()) else {
                Issue.record("a new version asks for a migration")
                return
            }
            try await versions.succeed("1.1.0", config: ["language": "en"], in: place())
        }
        try await file.use { (database) async throws in
            let versions = StoredVersions(database: database)
            guard case .none = try await versions.begin("1.1.0", in: place()) else { return #expect(Bool(false)) }
            // Somebody else is new.
            guard case .none = try await versions.begin("1.1.0", in: place("test.notes", 2)) else {
                return #expect(Bool(false))
            }
            guard case .migrate("1.1.0", let config, _) = try await versions.begin("1.0.0", in: place()) else {
                Issue.record("an older version asks for a migration, too")
                return
            }
            #expect(config == ["language": "en"])
        }
    }

    @Test func rollsBackAnInterruptedMigrationAndRunsItOnce() async throws {
        let file = try await PluginDatabase()
        // A process that dies in the middle of the migration.
        try await file.use { (database) async throws in
            try await database.register([Self.table], owner: "test.notes")
            let versions = StoredVersions(database: database)
            _ = try await versions.begin("1.0.0", in: place())
            guard case .migrate(_, _, let origin) = try await versions.begin("2.0.0", in: place()) else {
                return #expect(Bool(false))
            }
            _ = try await database.write(place().scope) { transaction in
                try transaction.insert(
                    "version_things", ["label": "half"], origin: origin, tables: .owner("test.notes"))
            }
        }
        try await file.use { (database) async throws in
            try await database.register([Self.table], owner: "test.notes")
            #expect(try await labels(database) == ["half"])
            let versions = StoredVersions(database: database)
            guard case .migrate("1.0.0", _, let origin) = try await versions.begin("2.0.0", in: place()) else {
                return #expect(Bool(false))
            }
            #expect(try await labels(database).isEmpty)
            _ = try await database.write(place().scope) { transaction in
                try transaction.insert(
                    "version_things", ["label": "whole"], origin: origin, tables: .owner("test.notes"))
            }
            try await versions.succeed("2.0.0", config: nil, in: place())
            guard case .none = try await versions.begin("2.0.0", in: place()) else { return #expect(Bool(false)) }
            #expect(try await labels(database) == ["whole"])
            // Nothing that the person could take back by "undo".
            #expect(try await database.read(place().scope) { try $0.latestUndoable() } == nil)
        }
    }

    @Test func triesAFailedMigrationAgainLater() async throws {
        let file = try await PluginDatabase()
        try await file.use { (database) async throws in
            let versions = StoredVersions(database: database)
            _ = try await versions.begin("1.0.0", in: place())
            _ = try await versions.begin("2.0.0", in: place())
            try await versions.fail("2.0.0", in: place())
            #expect(await failure { _ = try await versions.begin("2.0.0", in: place()) }?.status == -22)
            file.clock.advance(by: .seconds(61))
            guard case .migrate = try await versions.begin("2.0.0", in: place()) else { return #expect(Bool(false)) }
            try await versions.fail("2.0.0", in: place())
            // The version that it had still serves.
            guard case .none = try await versions.begin("1.0.0", in: place()) else { return #expect(Bool(false)) }
        }
    }
}

/// The settings of plugins on a database file.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct StoredSettingsTests {
    @Test func keepsTheOperatorsAndEachPersonsValues() async throws {
        let file = try await PluginDatabase()
        let generation = try await file.use { (database) async throws in
            let settings = StoredSettings(database: database)
            try await settings.load()
            let before = try await settings.generation()
            try await settings.save(["url": "https://a.example"], plugin: "test.notes", in: nil)
            try await settings.save(["limit": 3], plugin: "test.notes", in: place().scope)
            #expect(settings.operatorValues(plugin: "test.notes") == ["url": "https://a.example"])
            let after = try await settings.generation()
            #expect(after != before)
            return after
        }
        try await file.use { (database) async throws in
            let settings = StoredSettings(database: database)
            try await settings.load()
            #expect(settings.operatorValues(plugin: "test.notes") == ["url": "https://a.example"])
            #expect(settings.operatorValues(plugin: "test.other") == [:])
            #expect(try await settings.personValues(plugin: "test.notes", in: place().scope) == ["limit": 3])
            #expect(try await settings.personValues(plugin: "test.notes", in: place("", 2).scope) == [:])
            #expect(try await settings.generation() == generation)
        }
    }
}
