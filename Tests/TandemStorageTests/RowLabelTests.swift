import TandemCore
import TandemJSON
import Testing

@testable import TandemStorage

/// Rows that hold others' words keep their label, whatever table they are in, and tell it to the call that reads them.
@Suite(.timeLimit(.minutes(8)))
struct RowLabelTests {
    private func prepared(_ engine: Engine) async throws -> (EngineFixture, UserScope) {
        let fixture = try await EngineFixture(engine)
        try await fixture.database.register(Sample.tables, owner: Sample.owner)
        try await fixture.database.register([RowLabels.table], owner: RowLabels.owner)
        return (fixture, fixture.user())
    }

    /// Runs what a call does, and gives what is known of it afterwards.
    private func call(
        _ trust: TrustLabel, isVerbatim: Bool = false, _ body: () async throws -> Void
    ) async throws -> CallProvenance {
        let provenance = CallProvenance(trust: trust, isVerbatim: isVerbatim)
        try await CallProvenance.$current.withValue(provenance) { try await body() }
        return provenance
    }

    private func item(
        _ fixture: EngineFixture, _ scope: UserScope, _ name: String, origin: WriteOrigin? = nil
    ) async throws -> RecordID {
        try await fixture.database.write(scope) { transaction in
            let list = try transaction.insert("lists", ["title": "a list of its own"])
            return try transaction.insert("items", ["name": .string(name), "list": .id(list)], origin: origin)
        }
    }

    /// A row that a call wrote.
    private func item(
        _ fixture: EngineFixture, _ scope: UserScope, _ name: String, as trust: TrustLabel
    ) async throws -> RecordID {
        try await CallProvenance.$current.withValue(CallProvenance(trust: trust)) {
            try await item(fixture, scope, name)
        }
    }

    private func trust(_ fixture: EngineFixture, _ scope: UserScope, _ id: RecordID) async throws -> TrustLabel? {
        try await fixture.database.read(scope) { try $0.trust(of: [id])[id] }
    }

    @Test(arguments: Engine.allCases)
    func whatACallWritesOfOthersIsLabelled(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        var made: [TrustLabel: RecordID] = [:]
        for label in TrustLabel.allCases {
            made[label] = try await item(fixture, scope, "x\(label)", as: label)
        }
        for (label, id) in made {
            #expect(try await trust(fixture, scope, id) == (label > .system ? label : nil))
        }
        // Without a call nothing is labelled, and nobody else's labels are seen.
        let own = try await item(fixture, scope, "own")
        #expect(try await trust(fixture, scope, own) == nil)
        let other = fixture.user()
        #expect(try await trust(fixture, other, try #require(made[.untrusted])) == nil)
    }

    @Test(arguments: Engine.allCases)
    func aLabelNeverGetsBetter(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let id = try await item(fixture, scope, "x", as: .contact)
        for label in [TrustLabel.owner, .system, .contact] {
            _ = try await call(label) {
                try await fixture.database.write(scope) { _ = try $0.update("items", id, set: ["name": "y"]) }
            }
            #expect(try await trust(fixture, scope, id) == .contact)
        }
        _ = try await call(.untrusted) {
            try await fixture.database.write(scope) { _ = try $0.update("items", id, set: ["name": "z"]) }
        }
        #expect(try await trust(fixture, scope, id) == .untrusted)
    }

    @Test(arguments: Engine.allCases)
    func aCallThatReadsItIsTold(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let foreign = try await item(fixture, scope, "a stranger's long sentence", as: .untrusted)
        let own = try await item(fixture, scope, "milk")
        func result(_ text: String, id: RecordID? = nil) -> ToolValue {
            ToolValue(
                value: ["text": .string(text)], message: "There is: \(text)",
                shown: id.map { ShownEntities(items: [.init(type: "x.y", id: $0.description, label: text)]) })
        }
        let database = fixture.database
        let list: () async throws -> Void = {
            _ = try await database.read(scope) { try $0.list("items") }
        }
        // Code of which nothing is known may have made anything of what it read.
        let unknown = try await call(.owner, list)
        #expect(unknown.labelled(result("milk")).trust == .untrusted)
        #expect(unknown.written(["milk"]) == .untrusted)
        // A tool that shows rows as they are has shown what is in its result.
        let verbatim = try await call(.owner, isVerbatim: true, list)
        #expect(verbatim.labelled(result("milk", id: own)).trust == .system)
        #expect(verbatim.labelled(result("A Stranger's  lo")).trust == .system)
        #expect(verbatim.labelled(result("A Stranger's  long se...")).trust == .untrusted)
        let shown = verbatim.labelled(result("short", id: foreign))
        #expect(shown.trust == .untrusted)
        #expect(shown.shown?.items.map(\.trust) == [.untrusted])
        #expect(verbatim.written(["milk"]) == .owner)
        #expect(verbatim.written(["Note: a stranger's long sentence"]) == .untrusted)
        // Only what was read counts.
        let some = try await call(.owner) { _ = try await database.read(scope) { try $0.row("items", own) } }
        #expect(some.labelled(result("milk")).trust == .system)
        let one = try await call(.owner) { _ = try await database.read(scope) { try $0.row("items", foreign) } }
        #expect(one.labelled(result("milk")).trust == .untrusted)
    }

    /// An undo brings a row back with its label, and an archive takes it along.
    @Test(arguments: Engine.allCases)
    func itStaysWithItsRow(_ engine: Engine) async throws {
        let (fixture, scope) = try await prepared(engine)
        let id = try await item(fixture, scope, "x", as: .untrusted)
        let origin = fixture.turn()
        try await fixture.database.write(scope) { _ = try $0.delete("items", id, origin: origin) }
        try await fixture.database.write(scope) { _ = try $0.undo(turn: origin.turn) }
        #expect(try await trust(fixture, scope, id) == .untrusted)

        let archive = try await fixture.database.read(scope) { try $0.exportUser() }
        let tables = (archive["tables"]?.arrayValue ?? []).map { table in
            RowImport(
                table: table["name"]?.stringValue ?? "",
                rows: (table["rows"]?.arrayValue ?? []).compactMap(\.objectValue))
        }
        let other = fixture.user()
        let ids = try await fixture.database.write(other) { try $0.importRows(tables) }
        #expect(try await trust(fixture, other, try #require(ids[id])) == .untrusted)
    }
}
