import Synchronization
import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct KeyRotationTests {
    private static let vault = Migration("sample/1-vault") { builder in
        builder.createTable("vault") { table in
            table.column("id", .integer)
            table.column("user_id", .integer, nullable: true)
            table.column("sealed", .blob, nullable: true)
            table.primaryKey("id")
        }
    }

    /// One of a table that this database does not have.
    private static let columns = [SealedColumn("elsewhere", "sealed"), SealedColumn("vault", "sealed")]
    private static let first = String(repeating: "0123456789abcdef", count: 4)
    private static let second = String(repeating: "fedcba9876543210", count: 4)

    private func seal(_ id: Int64) -> SealContext { SealContext(table: "vault", column: "sealed", row: id) }

    /// People with rows, journal, a title, an audit, and values in a system table; of the program, too.
    private func furnish(_ fixture: EngineFixture, people: Int, rows: Int) async throws -> [UserScope] {
        try await fixture.database.migrate([Self.vault])
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        var scopes: [UserScope] = []
        for person in 0..<people {
            let scope = fixture.user()
            scopes.append(scope)
            let origin = fixture.turn()
            let id = fixture.ids.next().rawValue
            try await fixture.database.write(scope) { transaction in
                for row in 0..<rows {
                    let item = try transaction.insert(
                        "items", ["name": "n", "secret": .string("secret \(person) \(row)")], origin: origin)
                    try transaction.update(
                        "items", item, set: ["secret": .string("new \(person) \(row)")], origin: origin)
                }
                try transaction.label(turn: origin.turn, title: "title \(person)")
                try transaction.appendAudit(Array("audit \(person)".utf8), to: .person(scope.user))
                try transaction.execute(
                    """
                    INSERT INTO vault (id, user_id, sealed)
                    VALUES (\(id), \(scope.user), \(try transaction.seal(Array("mine \(person)".utf8), seal(id))))
                    """)
            }
        }
        try await fixture.database.write(.system) { transaction in
            try transaction.execute(
                "INSERT INTO vault (id, sealed) VALUES (7, \(try transaction.seal(Array("ours".utf8), seal(7))))")
        }
        fixture.clock.advance(by: .seconds(1))
        return scopes
    }

    private func check(_ database: any Database, _ scopes: [UserScope], rows: Int) async throws {
        for (person, scope) in scopes.enumerated() {
            let (secrets, found, audit, mine, title) = try await database.read(scope) { transaction in
                (
                    try transaction.list("items", limit: 10_000).compactMap { $0.string("secret") },
                    try transaction.list("items", where: [RowCondition("secret", .equal, .string("new \(person) 0"))])
                        .count,
                    try transaction.auditEntries(of: scope.user).map { String(decoding: $0.body ?? [], as: UTF8.self) },
                    try transaction.query("SELECT id, sealed FROM vault WHERE user_id = \(scope.user)").map { row in
                        let id = try row.int64("id")
                        return String(decoding: try transaction.open(try row.blob("sealed"), seal(id)), as: UTF8.self)
                    },
                    try transaction.latestUndoable()?.title
                )
            }
            #expect(Set(secrets) == Set((0..<rows).map { "new \(person) \($0)" }))
            #expect(found == 1, "the look-up hash has changed")
            #expect(audit == ["audit \(person)"])
            #expect(mine == ["mine \(person)"])
            #expect(title == "title \(person)")
        }
        let ours = try await database.read(.system) { transaction in
            try transaction.first("SELECT sealed FROM vault WHERE id = 7").map {
                try transaction.open(try $0.blob("sealed"), seal(7))
            }
        }
        #expect(ours == Array("ours".utf8))
    }

    private func versions(_ database: any Database) async throws -> [Int64: [Int64]] {
        try await database.read(.system) { transaction in
            let answer = try transaction.context.engine.run(
                RowStatement("SELECT user_id, version FROM user_keys ORDER BY user_id, version"), [])
            var versions: [Int64: [Int64]] = [:]
            for row in 0..<answer.rowCount {
                guard case .int(let user) = answer.values[row * 2], case .int(let version) = answer.values[row * 2 + 1]
                else { continue }
                versions[user, default: []].append(version)
            }
            return versions
        }
    }

    private func finish(_ rotation: KeyRotation, _ clock: ManualClock) async throws {
        for _ in 0..<20_000 {
            if try await rotation.step() { continue }
            if try await rotation.status().allSatisfy({ $0.phase == .done }) { return }
            clock.advance(by: .seconds(61))
        }
        Issue.record("the rotation does not end")
    }

    @Test(arguments: Engine.allCases)
    func everybodyGetsANewKeyAndNothingIsLost(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let scopes = try await furnish(fixture, people: 3, rows: 150)
        let rotation = KeyRotation(database: fixture.database, columns: Self.columns)
        try await rotation.start(.users)
        try await finish(rotation, fixture.clock)
        let status = try #require(try await rotation.status().first)
        #expect(status.done == 4 && status.total == 4 && status.finishedAt != nil)
        // The first is gone, but for what hashes and the audit were made with from it.
        for (_, versions) in try await versions(fixture.database) { #expect(versions == [-1, 0, 2]) }
        try await check(fixture.database, scopes, rows: 150)
        let fresh = try await fixture.openAgain()
        try await fresh.register(Sample.tables, owner: Sample.owner)
        try await check(fresh, scopes, rows: 150)
        #expect(try await fresh.verifyAudit().isIntact)
        // What the journal holds was sealed anew as well, inside and out.
        for (person, scope) in scopes.enumerated() {
            let secrets = try await fresh.write(scope) { transaction in
                let turn = try transaction.latestUndoableTurn()
                if let turn { try transaction.undo(turn: turn) }
                return try transaction.list("items", limit: 1000).count
            }
            #expect(secrets == 0, "\(person)")
        }
        await fresh.close()
    }

    @Test(arguments: Engine.allCases)
    func aJournalWithOldImagesUndoesAfterwards(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        let ann = fixture.user()
        let (one, two) = (fixture.turn(), fixture.turn())
        let id = try await fixture.database.write(ann) { transaction in
            let id = try transaction.insert("items", ["name": "n", "secret": "before"], origin: one)
            try transaction.update("items", id, set: ["secret": "after"], origin: two)
            return id
        }
        fixture.clock.advance(by: .seconds(1))
        let rotation = KeyRotation(database: fixture.database, columns: [])
        try await rotation.start(.users, of: ann.user)
        try await finish(rotation, fixture.clock)
        let row = try await fixture.database.write(ann) { transaction in
            try transaction.undo(turn: two.turn)
            return try transaction.row("items", id)
        }
        #expect(row?.string("secret") == "before")
    }

    @Test(arguments: Engine.allCases)
    func goesOnInAnotherProcessWhereItStopped(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let scopes = try await furnish(fixture, people: 2, rows: 120)
        let rotation = KeyRotation(database: fixture.database, columns: Self.columns)
        try await rotation.start(.users)
        // As far as the middle of somebody's rows.
        for _ in 0..<6 { if try await !rotation.step() { fixture.clock.advance(by: .seconds(61)) } }
        #expect(try await rotation.status().first?.phase == .sealing)
        try await check(fixture.database, scopes, rows: 120)
        let other = try await fixture.openAgain()
        try await other.register(Sample.tables, owner: Sample.owner)
        let next = KeyRotation(database: other, columns: Self.columns)
        // The first one may be at work still.
        #expect(try await !next.step())
        fixture.clock.advance(by: .seconds(61))
        try await finish(next, fixture.clock)
        try await check(other, scopes, rows: 120)
        try await check(fixture.database, scopes, rows: 120)
        await other.close()
    }

    @Test(arguments: Engine.allCases)
    func servesMeanwhileAlsoAProcessThatKnowsTheOldKeysOnly(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let scopes = try await furnish(fixture, people: 1, rows: 10)
        let ann = scopes[0]
        // Another process, which has read the keys before.
        let other = try await fixture.openAgain()
        try await other.register(Sample.tables, owner: Sample.owner)
        try await check(other, scopes, rows: 10)
        let rotation = KeyRotation(database: fixture.database, columns: Self.columns)
        try await rotation.start(.users)
        _ = try await rotation.step()
        // It seals with the old key still, and opens what is sealed with the new one.
        let id = try await other.write(ann) { try $0.insert("items", ["name": "late", "secret": "late"]) }
        try await fixture.database.write(ann) { transaction in
            try transaction.update("items", id, set: ["extra": ["x": 1]])
            try transaction.insert("items", ["name": "new", "secret": "early"])
        }
        #expect(
            try await other.read(ann) { try $0.list("items", where: [RowCondition("secret", .equal, "early")]) }.count
                == 1
        )
        try await finish(rotation, fixture.clock)
        #expect(try await other.read(ann) { try $0.row("items", id)?.string("secret") } == "late")
        #expect(try await fixture.database.read(ann) { try $0.row("items", id)?.string("secret") } == "late")
        await other.close()
    }

    @Test(arguments: Engine.allCases)
    func masterKeysChangeWhileServing(_ engine: Engine) async throws {
        let keys = Mutex(try MasterKeys(text: "1:\(Self.first)"))
        let keyring = Keyring(keys.withLock { $0 }, remote: nil, reload: { keys.withLock { $0 } })
        let fixture = try await EngineFixture(engine, keyring: keyring)
        let scopes = try await furnish(fixture, people: 5, rows: 2)
        try keys.withLock { $0 = try MasterKeys(text: "1:\(Self.first)\n2:\(Self.second)") }
        let rotation = KeyRotation(database: fixture.database, columns: Self.columns)
        try await rotation.start(.master)
        try await finish(rotation, fixture.clock)
        #expect(try await rotation.status().first?.done == 6)
        try await check(fixture.database, scopes, rows: 2)
        let new = try await fixture.openAgain(keyring: Keyring(try MasterKeys(text: "2:\(Self.second)")))
        try await new.register(Sample.tables, owner: Sample.owner)
        try await check(new, scopes, rows: 2)
        await new.close()
    }

    // MARK: Transit

    @Test(arguments: Engine.allCases)
    func aServiceWrapsAndTheKeysOfThisMachineGoOver(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine, keyring: Keyring(try MasterKeys(text: Self.first)))
        let scopes = try await furnish(fixture, people: 4, rows: 2)
        let transit = TransitSimulator()
        let both = try await fixture.openAgain(keyring: Keyring(try MasterKeys(text: Self.first), remote: transit))
        try await both.register(Sample.tables, owner: Sample.owner)
        try await check(both, scopes, rows: 2)
        let rotation = KeyRotation(database: both, columns: Self.columns)
        try await rotation.start(.master)
        try await finish(rotation, fixture.clock)
        await both.close()
        // Now this machine has no key at all.
        let alone = try await fixture.openAgain(keyring: Keyring(nil, remote: transit))
        try await alone.register(Sample.tables, owner: Sample.owner)
        try await check(alone, scopes, rows: 2)
        // The service's key changes; what it wrapped is wrapped anew without a key being seen.
        _ = try transit.rotate()
        let again = KeyRotation(database: alone, columns: Self.columns)
        let opened = transit.calls.count { $0 == "decrypt" }
        try await again.start(.master)
        try await finish(again, fixture.clock)
        #expect(transit.calls.count { $0 == "decrypt" } == opened)
        transit.requireVersion(2)
        await alone.close()
        let after = try await fixture.openAgain(keyring: Keyring(nil, remote: transit))
        try await after.register(Sample.tables, owner: Sample.owner)
        try await check(after, scopes, rows: 2)
        await after.close()
        let without = try await storageError {
            _ = try await fixture.openAgain(keyring: Keyring(try MasterKeys(text: Self.first)))
        }
        #expect(without.code == .keyMissing && without.message.contains("TANDEM_VAULT_ADDR"))
    }

    @Test func unwrappedKeysAreKeptForABoundedTime() async throws {
        let time = Mutex<UInt64>(1_000_000_000)
        let transit = TransitSimulator()
        let keyring = Keyring(nil, remote: transit, life: .seconds(600), now: { time.withLock { $0 } })
        let fixture = try await EngineFixture(.sqlite, keyring: keyring)
        let scopes = try await furnish(fixture, people: 1, rows: 1)
        let before = transit.calls.count
        for _ in 0..<5 {
            // The rows are read again, the service is not asked.
            time.withLock { $0 += 100_000_000_000 }
            try await check(fixture.database, scopes, rows: 1)
        }
        #expect(transit.calls.count == before)
        transit.setDown(true)
        time.withLock { $0 += 200_000_000_000 }
        let error = try await storageError { try await check(fixture.database, scopes, rows: 1) }
        #expect(error.code == .unavailable)
        transit.setDown(false)
        try await check(fixture.database, scopes, rows: 1)
        #expect(transit.calls.count > before)
    }

    @Test func aWrappedKeyDoesNotOpenInAnothersPlace() async throws {
        let transit = TransitSimulator()
        let fixture = try await EngineFixture(.sqlite, keyring: Keyring(nil, remote: transit))
        let scopes = try await furnish(fixture, people: 2, rows: 1)
        try await fixture.database.write(.system) { transaction in
            _ = try transaction.context.engine.run(
                RowStatement(
                    """
                    UPDATE user_keys SET wrapped = (SELECT wrapped FROM user_keys WHERE user_id = \(scopes[1].user))
                    WHERE user_id = \(scopes[0].user)
                    """), [])
        }
        let other = try await fixture.openAgain(keyring: Keyring(nil, remote: transit))
        let error = try await storageError {
            _ = try await other.read(scopes[0]) { try $0.auditEntries(of: scopes[0].user) }
        }
        #expect(error.code == .sealBroken)
        await other.close()
    }
}
