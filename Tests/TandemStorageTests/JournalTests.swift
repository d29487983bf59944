import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

@Suite(.timeLimit(.minutes(8)))
struct JournalTests {
    private func prepared(_ engine: Engine) async throws -> (EngineFixture, UserScope) {
        let fixture = try await EngineFixture(engine)
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        return (fixture, fixture.user())
    }

    /// Everything of a person, to compare states.
    private func state(_ fixture: EngineFixture, _ scope: UserScope) async throws -> JSON {
        try await fixture.database.read(scope) { try $0.exportUser() }
    }

    @Test(arguments: Engine.allCases)
    func undoRestoresExactlyWhatATurnChanged(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let (list, milk, eggs) = try await fixture.database.write(scope) { transaction in
            let list = try transaction.insert("lists", ["title": "week"])
            let milk = try transaction.insert(
                "items", ["name": "milk", "list": .id(list), "secret": "a", "cost": "1.00"])
            let eggs = try transaction.insert("items", ["name": "eggs", "list": .id(list), "extra": ["n": 6]])
            let note = try transaction.insert("notes", ["item": .id(eggs), "body": "free range"])
            try transaction.insert("notes", ["item": .id(eggs), "parent": .id(note), "body": "or not"])
            return (list, milk, eggs)
        }
        let before = try await state(fixture, scope)
        let origin = fixture.turn()
        let second = WriteOrigin(turn: origin.turn, step: 1)
        fixture.clock.advance(by: .seconds(60))
        try await fixture.database.write(scope) { transaction in
            try transaction.update("items", milk, set: ["secret": "b", "cost": nil], origin: origin)
            try transaction.insert("items", ["name": "bread", "list": .id(list)], origin: origin)
            try transaction.update("items", where: [], set: ["status": "done"], origin: origin)
            try transaction.delete("items", eggs, origin: second)
            try transaction.delete("lists", list, origin: second)
            let next = try transaction.insert("lists", ["title": "next"], origin: second)
            try transaction.insert("items", ["name": "butter", "list": .id(next), "secret": "a"], origin: second)
            try transaction.label(turn: origin.turn, title: "cleared the list")
        }
        #expect(try await state(fixture, scope) != before)
        let latest = try await fixture.database.read(scope) { try $0.latestUndoable() }
        #expect(latest?.turn == origin.turn)
        #expect(latest?.title == "cleared the list")
        let report = try await fixture.database.write(scope) { try $0.undo(turn: origin.turn) }
        #expect(report.title == "cleared the list")
        #expect(report.tables == ["items", "lists", "notes"])
        #expect(try await state(fixture, scope) == before)
        #expect(try await fixture.database.read(scope) { try $0.latestUndoable() } == nil)
        let again = try await storageError {
            _ = try await fixture.database.write(scope) { try $0.undo(turn: origin.turn) }
        }
        #expect(again.code == .notFound)
    }

    @Test(arguments: Engine.allCases)
    func undoGoesBackTurnByTurn(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        var states: [JSON] = [try await state(fixture, scope)]
        var turns: [WriteOrigin] = []
        let first = fixture.turn()
        turns.append(first)
        let id = try await fixture.database.write(scope) { try $0.insert("items", ["name": "v0"], origin: first) }
        for index in 1..<5 {
            states.append(try await state(fixture, scope))
            let origin = fixture.turn()
            turns.append(origin)
            try await fixture.database.write(scope) {
                try $0.update("items", id, set: ["name": .string("v\(index)")], origin: origin)
            }
        }
        for (origin, expected) in zip(turns, states).reversed() {
            let latest = try await fixture.database.read(scope) { try $0.latestUndoable() }
            #expect(latest?.turn == origin.turn)
            try await fixture.database.write(scope) { try $0.undo(turn: origin.turn) }
            #expect(try await state(fixture, scope) == expected)
        }
    }

    @Test(arguments: Engine.allCases)
    func undoRefusesWhatALaterChangeStandsOn(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let origin = fixture.turn()
        let (a, b) = try await fixture.database.write(scope) { transaction in
            (
                try transaction.insert("items", ["name": "a"], origin: origin),
                try transaction.insert("items", ["name": "b"], origin: origin)
            )
        }
        try await fixture.database.write(scope) {
            try $0.update("items", a, set: ["name": "a2"], origin: fixture.turn())
        }
        let before = try await state(fixture, scope)
        let changed = try await storageError {
            _ = try await fixture.database.write(scope) { try $0.undo(turn: origin.turn) }
        }
        #expect(changed.code == .conflict)
        #expect(changed.table == "items")
        #expect(changed.message.contains("\(a)"))
        #expect(try await state(fixture, scope) == before)

        // A write without an origin counts as a change, too.
        let other = fixture.turn()
        try await fixture.database.write(scope) { try $0.update("items", b, set: ["name": "b2"], origin: other) }
        try await fixture.database.write(scope) { try $0.update("items", b, set: ["name": "b2"]) }
        let silent = try await storageError {
            _ = try await fixture.database.write(scope) { try $0.undo(turn: other.turn) }
        }
        #expect(silent.code == .conflict)
    }

    @Test(arguments: Engine.allCases)
    func undoOfAnInsertionKeepsWhatCameToReferToIt(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let origin = fixture.turn()
        let list = try await fixture.database.write(scope) { try $0.insert("lists", ["title": "x"], origin: origin) }
        try await fixture.database.write(scope) {
            try $0.insert("items", ["name": "milk", "list": .id(list)], origin: fixture.turn())
        }
        let error = try await storageError {
            _ = try await fixture.database.write(scope) { try $0.undo(turn: origin.turn) }
        }
        #expect(error.code == .conflict)
        #expect(error.table == "items")
        #expect(try await fixture.database.read(scope) { try $0.count("items") } == 1)
    }

    @Test(arguments: Engine.allCases)
    func undoRefusesWhenAUniqueValueIsTaken(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let id = try await fixture.database.write(scope) { try $0.insert("items", ["name": "a", "secret": "s"]) }
        let origin = fixture.turn()
        try await fixture.database.write(scope) { try $0.delete("items", id, origin: origin) }
        try await fixture.database.write(scope) { try $0.insert("items", ["name": "b", "secret": "s"]) }
        let error = try await storageError {
            _ = try await fixture.database.write(scope) { try $0.undo(turn: origin.turn) }
        }
        #expect(error.code == .conflict)
    }

    @Test(arguments: Engine.allCases)
    func rollBackTakesBackOneStepAsIfItHadNotBeen(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let first = fixture.turn(step: 0)
        let second = WriteOrigin(turn: first.turn, step: 1)
        let id = try await fixture.database.write(scope) { try $0.insert("items", ["name": "a"], origin: first) }
        let before = try await state(fixture, scope)
        for _ in 0..<2 {
            try await fixture.database.write(scope) { transaction in
                try transaction.update("items", id, set: ["name": "b"], origin: second)
                try transaction.insert("items", ["name": "c"], origin: second)
            }
            let count = try await fixture.database.write(scope) { try $0.rollBack(second) }
            #expect(count == 2)
            #expect(try await state(fixture, scope) == before)
        }
        #expect(try await fixture.database.write(scope) { try $0.rollBack(second) } == 0)
        try await fixture.database.write(scope) { try $0.undo(turn: first.turn) }
        #expect(try await fixture.database.read(scope) { try $0.count("items") } == 0)
    }

    @Test(arguments: Engine.allCases)
    func turnsOfOthersCannotBeTakenBack(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let origin = fixture.turn()
        try await fixture.database.write(scope) { transaction in
            try transaction.insert("items", ["name": "a"], origin: origin)
            try transaction.label(turn: origin.turn, title: "added a")
        }
        let other = fixture.user()
        #expect(try await fixture.database.read(other) { try $0.latestUndoable() } == nil)
        let error = try await storageError {
            _ = try await fixture.database.write(other) { try $0.undo(turn: origin.turn) }
        }
        #expect(error.code == .notFound)
        #expect(try await fixture.database.write(other) { try $0.rollBack(origin) } == 0)
        #expect(try await fixture.database.read(scope) { try $0.count("items") } == 1)
    }

    @Test(arguments: Engine.allCases)
    func forgetsOldEntries(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let people = (0..<60).map { _ in fixture.user() } + [scope]
        for person in people {
            try await fixture.database.write(person) { try $0.insert("items", ["name": "a"], origin: fixture.turn()) }
        }
        fixture.clock.advance(by: .seconds(8 * 86_400))
        let fresh = fixture.turn()
        try await fixture.database.write(scope) { try $0.insert("items", ["name": "b"], origin: fresh) }
        let count = try await fixture.database.pruneJournal(
            before: fixture.clock.now.advanced(by: .seconds(-7 * 86_400)))
        #expect(count == 61)
        #expect(try await fixture.database.read(scope) { try $0.latestUndoable() }?.turn == fresh.turn)
        #expect(try await fixture.database.read(people[0]) { try $0.latestUndoable() } == nil)
    }

    @Test(arguments: Engine.allCases)
    func undoCountsTowardsUsageAndIsNotStoppedByIt(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let quota = RowQuota(rows: 2, bytes: 10_000)
        let insert = RowOperation.insert(table: "items", values: ["name": "x"])
        let origin = fixture.turn()
        func run(_ operations: [RowOperation], _ origin: WriteOrigin?) async throws {
            _ = try await fixture.database.write(scope) {
                try $0.run(operations, tables: .host, origin: origin, quota: quota)
            }
        }
        try await run([insert, insert], nil)
        try await run([.delete(table: "items", .matching([]))], origin)
        try await run([insert, insert], nil)
        try await fixture.database.write(scope) { try $0.undo(turn: origin.turn) }
        #expect(try await fixture.database.read(scope) { try $0.count("items") } == 4)
        let error = try await storageError { try await run([insert], nil) }
        #expect(error.code == .overQuota)
    }

    @Test(arguments: Engine.allCases)
    func journalHoldsNoPlainText(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let id = try await fixture.database.write(scope) { try $0.insert("items", ["name": "very private thing"]) }
        let origin = fixture.turn()
        try await fixture.database.write(scope) { transaction in
            try transaction.delete("items", id, origin: origin)
            try transaction.label(turn: origin.turn, title: "removed very private thing")
            for text in ["SELECT before_image FROM row_journal", "SELECT title FROM row_turns"] {
                let values = try transaction.context.engine.run(RowStatement(text), []).values
                guard case .blob(let bytes)? = values.first else {
                    Issue.record("nothing was stored")
                    return
                }
                #expect(!String(decoding: bytes, as: UTF8.self).contains("private"))
            }
        }
    }
}
