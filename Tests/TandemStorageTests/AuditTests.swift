import CSQLite
import PostgreSQLServer
import TandemCore
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct AuditTests {
    typealias Kind = AuditVerification.Finding.Kind

    private func bodies(_ fixture: EngineFixture, _ scope: UserScope) async throws -> [String] {
        try await fixture.database.read(scope) { transaction in
            try transaction.auditEntries(of: scope.user).map { String(decoding: $0.body ?? [], as: UTF8.self) }
        }
    }

    private func append(_ text: String, _ scope: UserScope, _ database: any Database) async throws {
        try await database.write(scope) { try $0.appendAudit(Array(text.utf8), to: .person(scope.user)) }
    }

    /// Runs SQL as somebody who has the database, but not the master key.
    private func tamper(_ fixture: EngineFixture, _ statements: String...) async throws {
        if let name = fixture.serverDatabase {
            let admin = try await PostgreSQLSession.owner(
                PostgreSQLAddress(PostgreSQLServer.shared().address(database: name)))
            defer { admin.close() }
            for table in ["audit_entries", "audit_heads"] {
                _ = try admin.run("ALTER TABLE \(table) DISABLE TRIGGER USER")
            }
            for statement in statements { _ = try admin.run(statement) }
            return
        }
        var handle: OpaquePointer?
        #expect(sqlite3_open(fixture.folder.file("tandem.db"), &handle) == SQLITE_OK)
        defer { sqlite3_close(handle) }
        sqlite3_busy_timeout(handle, 10_000)
        for trigger in ["entries_update", "entries_delete", "heads_update", "heads_delete"] {
            sqlite3_exec(handle, "DROP TRIGGER IF EXISTS audit_\(trigger)", nil, nil, nil)
        }
        for statement in statements {
            var message: UnsafeMutablePointer<CChar>?
            let status = sqlite3_exec(handle, statement, nil, nil, &message)
            #expect(status == SQLITE_OK, "\(message.map { String(cString: $0) } ?? "")")
            sqlite3_free(message)
        }
    }

    @Test(arguments: Engine.allCases) func whatWasAddedIsReadInOrderAndVerifies(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let (ann, bob) = (fixture.user(), fixture.user())
        for number in 1...20 {
            try await append("ann \(number)", ann, fixture.database)
            try await append("bob \(number)", bob, fixture.database)
        }
        #expect(try await bodies(fixture, ann) == (1...20).map { "ann \($0)" })
        let report = try await fixture.database.verifyAudit()
        #expect(report.isIntact)
        // Two people's, and the system's that tells of them.
        #expect((3...4).contains(report.chains) && report.entries == 42)
    }

    @Test(arguments: Engine.allCases) func aFailedTransactionLeavesNoGap(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let ann = fixture.user()
        try await append("one", ann, fixture.database)
        _ = try? await fixture.database.write(ann) { transaction in
            try transaction.appendAudit(Array("lost".utf8), to: .person(ann.user))
            throw CancellationError()
        }
        try await append("two", ann, fixture.database)
        #expect(try await bodies(fixture, ann) == ["one", "two"])
        #expect(try await fixture.database.verifyAudit().isIntact)
    }

    @Test(arguments: Engine.allCases) func twoProcessesAddToOneChainWithoutGaps(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let ann = fixture.user()
        let other = try await fixture.openAgain()
        let databases = [fixture.database, other]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<60 {
                group.addTask {
                    try await databases[number % 2].write(ann) { transaction in
                        try transaction.appendAudit(Array("\(number)".utf8), to: .person(ann.user))
                        try transaction.appendAudit(Array("s\(number)".utf8), to: .system)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(Set(try await bodies(fixture, ann)) == Set((0..<60).map(String.init)))
        let report = try await other.verifyAudit()
        #expect(report.isIntact && report.entries == 121)
        await other.close()
    }

    @Test(arguments: Engine.allCases) func nobodyAddsToOrReadsAnothersChain(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let (ann, bob) = (fixture.user(), fixture.user())
        let error = try await storageError {
            try await fixture.database.write(bob) { try $0.appendAudit([1], to: .person(ann.user)) }
        }
        #expect(error.code == .notAllowed)
        let reading = try await storageError {
            _ = try await fixture.database.read(bob) { try $0.auditEntries(of: ann.user) }
        }
        #expect(reading.code == .notAllowed)
        let domain = try await storageError {
            _ = try await fixture.database.read(.system) { try $0.query("SELECT * FROM audit_entries") }
        }
        #expect(domain.code == .notAllowed)
    }

    @Test(arguments: Engine.allCases) func theEngineRefusesChanges(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let ann = fixture.user()
        for number in 1...3 { try await append("\(number)", ann, fixture.database) }
        for statement in [
            "UPDATE audit_entries SET at = 0 WHERE sequence = 2", "DELETE FROM audit_entries WHERE sequence = 3",
            "DELETE FROM audit_heads", "UPDATE audit_heads SET sequence = 1 WHERE sequence = 3",
        ] {
            let error = try await storageError {
                _ = try await fixture.database.write(.system) { try $0.context.engine.run(RowStatement(statement), []) }
            }
            #expect(error.code != .internalFailure, "\(statement)")
        }
        #expect(try await fixture.database.verifyAudit().isIntact)
    }

    private struct Tampering: Sendable, CustomTestStringConvertible {
        var name: String
        var statements: [String]
        var kinds: Set<Kind>

        var testDescription: String { name }
    }

    private static let tamperings: [Tampering] = [
        Tampering(
            name: "an edited time",
            statements: ["UPDATE audit_entries SET at = at + 1 WHERE chain = USER AND sequence = 2"],
            kinds: [.altered]),
        Tampering(
            name: "an edited body",
            statements: ["UPDATE audit_entries SET body = NOTHING WHERE chain = USER AND sequence = 5"],
            kinds: [.altered]),
        Tampering(
            name: "an edited hash",
            statements: ["UPDATE audit_entries SET hash = NOTHING WHERE chain = USER AND sequence = 2"],
            kinds: [.altered, .misplaced]),
        Tampering(
            name: "an entry taken out", statements: ["DELETE FROM audit_entries WHERE chain = USER AND sequence = 3"],
            kinds: [.missing]),
        Tampering(
            name: "an entry taken out and the rest moved up",
            statements: [
                "DELETE FROM audit_entries WHERE chain = USER AND sequence = 3",
                "UPDATE audit_entries SET sequence = 3 WHERE chain = USER AND sequence = 4",
                "UPDATE audit_entries SET sequence = 4 WHERE chain = USER AND sequence = 5",
            ], kinds: [.altered, .misplaced, .cut]),
        Tampering(
            name: "two entries in each other's place",
            statements: [
                "UPDATE audit_entries SET sequence = sequence + 1000 WHERE chain = USER AND sequence IN (2, 3)",
                "UPDATE audit_entries SET sequence = 1005 - sequence WHERE chain = USER AND sequence > 1000",
            ], kinds: [.altered, .misplaced]),
        Tampering(
            name: "the end cut off", statements: ["DELETE FROM audit_entries WHERE chain = USER AND sequence > 3"],
            kinds: [.cut]),
        Tampering(
            name: "the end cut off, and its record too",
            statements: [
                "DELETE FROM audit_entries WHERE chain = USER AND sequence > 3",
                """
                UPDATE audit_heads SET sequence = 3,
                hash = (SELECT hash FROM audit_entries WHERE chain = USER AND sequence = 3) WHERE chain = USER
                """,
            ], kinds: [.headAltered]),
        Tampering(
            name: "the beginning passed off as pruned",
            statements: [
                """
                UPDATE audit_heads SET pruned_to = 2,
                pruned_hash = (SELECT hash FROM audit_entries WHERE chain = USER AND sequence = 2) WHERE chain = USER
                """, "DELETE FROM audit_entries WHERE chain = USER AND sequence <= 2",
            ], kinds: [.headAltered]),
        Tampering(
            name: "a forged entry at the end",
            statements: [
                """
                INSERT INTO audit_entries SELECT chain, 6, at, hash, NOTHING, body FROM audit_entries
                WHERE chain = USER AND sequence = 5
                """
            ], kinds: [.extra, .altered]),
        Tampering(
            name: "an entry of another chain",
            statements: [
                """
                UPDATE audit_entries SET body = (SELECT body FROM audit_entries WHERE chain = OTHER AND sequence = 2)
                WHERE chain = USER AND sequence = 2
                """
            ], kinds: [.altered]),
        Tampering(
            name: "a record of an end taken away", statements: ["DELETE FROM audit_heads WHERE chain = USER"],
            kinds: [.headMissing]),
        Tampering(
            name: "a whole chain taken away",
            statements: [
                "DELETE FROM audit_heads WHERE chain = USER", "DELETE FROM audit_entries WHERE chain = USER",
            ], kinds: [.headMissing]),
        Tampering(
            name: "a chain made to look closed",
            statements: ["UPDATE audit_heads SET closed_at = 1 WHERE chain = USER"],
            kinds: [.headAltered]),
    ]

    @Test(arguments: tamperings, Engine.allCases)
    private func isFound(_ tampering: Tampering, _ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let (ann, bob) = (fixture.user(), fixture.user())
        for number in 1...5 {
            try await append("ann \(number)", ann, fixture.database)
            try await append("bob \(number)", bob, fixture.database)
        }
        try #require(try await fixture.database.verifyAudit().isIntact)
        for statement in tampering.statements {
            try await tamper(
                fixture,
                statement.replacing("USER", with: ann.user.description).replacing("OTHER", with: bob.user.description)
                    .replacing("NOTHING", with: engine == .sqlite ? "x'00ff'" : "'\\x00ff'::bytea"))
        }
        let report = try await fixture.database.verifyAudit()
        #expect(Set(report.findings.map(\.kind)).isSuperset(of: tampering.kinds), "\(report.findings)")
        #expect(report.findings.allSatisfy { $0.chain == ann.user.rawValue })
    }

    @Test(arguments: Engine.allCases) func aDatabasePutBackAsAWholeIsFoundByAnAnchor(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let ann = fixture.user()
        for number in 1...3 { try await append("\(number)", ann, fixture.database) }
        let early = try await fixture.database.auditAnchors()
        try await append("4", ann, fixture.database)
        let late = try await fixture.database.auditAnchors()
        #expect(try await fixture.database.verifyAudit(anchors: early + late).isIntact)
        var older = late
        for place in older.indices where older[place].chain == ann.user.rawValue { older[place].sequence = 9 }
        let report = try await fixture.database.verifyAudit(anchors: older)
        #expect(report.findings == [.init(.differsFromAnchor, chain: ann.user.rawValue, sequence: 9)])
    }

    @Test(arguments: Engine.allCases) func aPrunedChainStillVerifies(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let ann = fixture.user()
        for number in 1...5 { try await append("\(number)", ann, fixture.database) }
        let early = try await fixture.database.auditAnchors()
        fixture.clock.advance(by: .seconds(86_400))
        let cut = fixture.clock.now
        for number in 6...8 { try await append("\(number)", ann, fixture.database) }
        let pruning = try await fixture.database.pruneAudit(before: cut)
        #expect(pruning.entries == 5 && pruning.brokenChains.isEmpty)
        #expect(try await bodies(fixture, ann) == ["6", "7", "8"])
        #expect(try await fixture.database.verifyAudit(anchors: early).isIntact)
        try await append("9", ann, fixture.database)
        #expect(try await fixture.database.verifyAudit().isIntact)
        // All of it: the last one stays.
        fixture.clock.advance(by: .seconds(86_400))
        _ = try await fixture.database.pruneAudit(before: fixture.clock.now)
        #expect(try await bodies(fixture, ann) == ["9"])
        #expect(try await fixture.database.verifyAudit().isIntact)
    }

    @Test(arguments: Engine.allCases) func whatIsBrokenIsNotPruned(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let ann = fixture.user()
        for number in 1...5 { try await append("\(number)", ann, fixture.database) }
        try await tamper(fixture, "UPDATE audit_entries SET at = at - 1 WHERE chain = \(ann.user) AND sequence = 2")
        fixture.clock.advance(by: .seconds(86_400))
        let pruning = try await fixture.database.pruneAudit(before: fixture.clock.now)
        #expect(pruning.brokenChains == [ann.user.rawValue])
        #expect(try await fixture.database.verifyAudit().findings.map(\.kind) == [.altered])
    }

    @Test(arguments: Engine.allCases) func anErasedPersonsChainVerifiesAndSaysNothing(_ engine: Engine) async throws {
        let fixture = try await EngineFixture(engine)
        let ann = fixture.user()
        for number in 1...3 { try await append("canary \(number)", ann, fixture.database) }
        try await fixture.database.write(ann) { transaction in
            try transaction.closeAudit(of: ann.user)
            try transaction.eraseUser()
        }
        let report = try await fixture.database.verifyAudit()
        #expect(report.isIntact && report.closedChains == 1)
        let entries = try await fixture.database.read(ann) { try $0.auditEntries(of: ann.user) }
        #expect(entries.count == 3 && entries.allSatisfy { $0.body == nil })
        // What comes late goes to the system's chain, and makes no key.
        try await append("late", ann, fixture.database)
        let system = try await fixture.database.read(.system) {
            try $0.systemAuditEntries(after: Timestamp(millisecondsSinceEpoch: 0))
        }
        #expect(system.contains { $0.body == Array("late".utf8) })
        let keys = try await fixture.database.read(.system) {
            try $0.context.engine.run(RowStatement("SELECT user_id FROM user_keys WHERE user_id <> 0"), []).rowCount
        }
        #expect(keys == 0)
        #expect(try await fixture.database.verifyAudit().isIntact)
    }

    @Test(arguments: Engine.allCases) func somebodyWhoWasNeverAuditedGetsNoChainAfterErasure(_ engine: Engine)
        async throws
    {
        let fixture = try await EngineFixture(engine)
        let ann = fixture.user()
        try await fixture.database.write(ann) { transaction in
            try transaction.eraseUser()
            try transaction.closeAudit(of: ann.user)
        }
        try await append("late", ann, fixture.database)
        #expect(try await bodies(fixture, ann).isEmpty)
        #expect(try await fixture.database.verifyAudit().isIntact)
    }
}
