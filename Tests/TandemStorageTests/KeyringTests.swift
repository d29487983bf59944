import Crypto
import Glibc
import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct KeyringTests {
    private static let first = String(repeating: "0123456789abcdef", count: 4)
    private static let second = String(repeating: "fedcba9876543210", count: 4)
    private static let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    private func open(_ folder: TemporaryFolder, _ keys: String) async throws -> SQLiteDatabase {
        try await SQLiteDatabase.open(
            SQLiteConfiguration(path: folder.file("tandem.db"), isDurable: false),
            keyring: Keyring(try MasterKeys(text: keys)))
    }

    // MARK: Master keys

    @Test func readsEveryForm() throws {
        #expect(try MasterKeys(text: Self.first).versions == [1])
        #expect(try MasterKeys(text: Self.base64 + "\n").versions == [1])
        #expect(try MasterKeys(text: "7:\(Self.base64)").versions == [7])
        #expect(try MasterKeys(text: "1:\(Self.first)\n2:\(Self.second)\n").current == 2)
        #expect(try MasterKeys(text: "2:\(Self.first), 1:\(Self.base64)").versions == [1, 2])
        let raw = try MasterKeys(bytes: Array(0..<32))
        #expect(raw.keys[1] == (try MasterKeys(text: Self.base64)).keys[1])
    }

    @Test(arguments: [
        "", " ", "short", String(repeating: "0", count: 64), "0:\(first)", "x:\(first)", "\(first) \(second)",
        "1:\(first)\n1:\(second)", String(first.dropLast()), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
    ])
    func refusesWhatIsNoKey(_ text: String) throws {
        let error = try storageErrorNow { _ = try MasterKeys(text: text) }
        #expect(error.code == .masterKey)
    }

    @Test func makesAKeyFileOnceAndKeepsItToItsUser() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("master.key")
        let made = try MasterKeys.loadOrCreate(file: path)
        #expect(try MasterKeys.loadOrCreate(file: path).keys == made.keys)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        for mode in [0o640, 0o604] as [mode_t] {
            chmod(path, mode)
            let error = try storageErrorNow { _ = try MasterKeys(file: path) }
            #expect(error.code == .masterKey)
            #expect(error.message.contains("0600"))
        }
        let missing = try storageErrorNow { _ = try MasterKeys(file: folder.file("none")) }
        #expect(missing.code == .masterKey)
    }

    @Test func refusesAnotherKeyOfTheSameVersion() async throws {
        let folder = try TemporaryFolder()
        await (try open(folder, Self.first)).close()
        let error = try await storageError { _ = try await open(folder, Self.second) }
        #expect(error.code == .masterKey)
        #expect(error.message.contains("version 1"))
        await (try open(folder, Self.first)).close()
    }

    @Test func changesTheMasterKeyAndNamesAMissingOne() async throws {
        let folder = try TemporaryFolder()
        let scope = UserScope(authenticated: UserID(rawValue: 9))
        let seal = SealContext(table: "t", column: "c", row: 4)
        let database = try await open(folder, "1:\(Self.first)")
        let sealed = try await database.write(scope) { try $0.seal(Array("hello".utf8), seal) }
        let hash = try database.store.keyring.lookupHash("x", purpose: "p")
        await database.close()

        let alone = try await storageError { _ = try await open(folder, "2:\(Self.second)") }
        #expect(alone.code == .keyMissing)
        #expect(alone.message.contains("version 1"))

        let both = try await open(folder, "1:\(Self.first)\n2:\(Self.second)")
        #expect(try await both.read(scope) { try $0.open(sealed, seal) } == Array("hello".utf8))
        await both.close()
        // All was wrapped anew: the old one is needed no more.
        let new = try await open(folder, "2:\(Self.second)")
        #expect(try await new.read(scope) { try $0.open(sealed, seal) } == Array("hello".utf8))
        #expect(try new.store.keyring.lookupHash("x", purpose: "p") == hash)
        await new.close()
        let old = try await storageError { _ = try await open(folder, "1:\(Self.first)") }
        #expect(old.code == .keyMissing)
        #expect(old.message.contains("version 2"))
    }

    // MARK: Sealing

    @Test(arguments: Engine.allCases)
    func opensOnlyWhereItWasSealed(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let scope = fixture.user()
        let other = fixture.user()
        let seal = SealContext(table: "messages", column: "body", row: 7)
        let plain = Array("my secret".utf8)
        let (sealed, again) = try await fixture.database.write(scope) { transaction in
            (try transaction.seal(plain, seal), try transaction.seal(plain, seal))
        }
        #expect(sealed != again)
        #expect(sealed.count == plain.count + SealedForm.overhead)
        _ = try await fixture.database.write(other) { try $0.seal(plain, seal) }
        #expect(try await fixture.database.read(scope) { try $0.open(sealed, seal) } == plain)
        #expect(try await fixture.database.read(.system) { try $0.open(sealed, seal, for: scope.user) } == plain)
        let wrong: [(AccessScope, SealContext, UserID?)] = [
            (.user(scope), SealContext(table: "messages", column: "body", row: 8), nil),
            (.user(scope), SealContext(table: "messages", column: "bod", row: 7), nil),
            (.user(scope), SealContext(table: "message", column: "sbody", row: 7), nil),
            (.user(other), seal, nil), (.system, seal, nil), (.system, seal, other.user),
        ]
        for (access, context, user) in wrong {
            let error = try await storageError {
                _ = try await fixture.database.read(access) { try $0.open(sealed, context, for: user) }
            }
            #expect(error.code == .sealBroken)
        }
        let foreign = try await storageError {
            _ = try await fixture.database.read(other) { try $0.open(sealed, seal, for: scope.user) }
        }
        #expect(foreign.code == .notAllowed)
        for index in sealed.indices {
            var damaged = sealed
            damaged[index] ^= 1
            let error = try await storageError {
                _ = try await fixture.database.read(scope) { [damaged] in try $0.open(damaged, seal) }
            }
            #expect([.sealBroken, .keyMissing].contains(error.code))
        }
        for count in [0, 1, 32] {
            let error = try await storageError {
                _ = try await fixture.database.read(scope) { try $0.open(Array(sealed.prefix(count)), seal) }
            }
            #expect(error.code == .sealBroken)
        }
    }

    @Test(arguments: Engine.allCases)
    func aKeyOfAFailedTransactionIsNotUsed(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let scope = fixture.user()
        let seal = SealContext(table: "t", column: "c", row: 1)
        try? await fixture.database.write(scope) { transaction in
            _ = try transaction.seal([1], seal)
            throw Refusal()
        }
        let sealed = try await fixture.database.write(scope) { try $0.seal([2], seal) }
        let again = try await fixture.openAgain()
        #expect(try await again.read(scope) { try $0.open(sealed, seal) } == [2])
        await again.close()
    }

    @Test(arguments: Engine.allCases)
    func concurrentFirstValuesShareOneKey(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let scope = fixture.user()
        let sealed = try await withThrowingTaskGroup(of: (Int64, [UInt8]).self) { group in
            for row in 0..<40 as Range<Int64> {
                group.addTask {
                    let context = SealContext(table: "t", column: "c", row: row)
                    return (row, try await fixture.database.write(scope) { try $0.seal([UInt8(row)], context) })
                }
            }
            return try await group.reduce(into: [Int64: [UInt8]]()) { $0[$1.0] = $1.1 }
        }
        try await fixture.database.read(scope) { transaction in
            for (row, bytes) in sealed {
                let plain = try transaction.open(bytes, SealContext(table: "t", column: "c", row: row))
                #expect(plain == [UInt8(row)])
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func aNewKeyVersionLeavesOldValuesReadable(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        let scope = fixture.user()
        try await fixture.database.write(scope) { try $0.insert("items", ["name": "a", "secret": "one"]) }
        try await fixture.database.write(.system) { try $0.rotateKey(of: scope.user) }
        try await fixture.database.write(scope) { try $0.insert("items", ["name": "b", "secret": "two"]) }
        try await fixture.database.read(scope) { transaction in
            let secrets = try transaction.list("items").map { $0.string("secret") }
            #expect(secrets == ["one", "two"])
            for (secret, name) in [("one", "a"), ("two", "b")] {
                let found = try transaction.list("items", where: [RowCondition("secret", .equal, .string(secret))])
                #expect(found.first?.string("name") == name)
                #expect(found.count == 1)
            }
        }
        let unique = try await storageError {
            _ = try await fixture.database.write(scope) { try $0.insert("items", ["name": "c", "secret": "one"]) }
        }
        #expect(unique.code == .unique)
    }

    @Test func sealedColumnsLieSealedInTheFile() async throws {
        let fixture = try await Fixture()
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        let scope = fixture.user()
        try await fixture.database.write(scope) {
            try $0.insert("items", ["name": "plainname", "secret": "sealedword"])
        }
        await fixture.database.close()
        var content = ""
        for suffix in ["", "-wal"] {
            guard let file = fopen(fixture.folder.file("tandem.db" + suffix), "rb") else { continue }
            var bytes = [UInt8](repeating: 0, count: 1 << 22)
            let count = fread(&bytes, 1, bytes.count, file)
            content += String(decoding: bytes.prefix(count), as: UTF8.self)
            fclose(file)
        }
        #expect(content.contains("plainname"))
        #expect(!content.contains("sealedword"))
    }
}
