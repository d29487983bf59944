import Foundation
import PostgreSQLServer
import TandemAccounts
import TandemCore
import TandemJSON
import TestDatabases
import Testing

@testable import TandemApplication
@testable import TandemStorage

/// Copying a database, and sealing it anew with other keys, by processes that are killed in the middle: what was interrupted
/// goes on, and nothing is lost.
@Suite(.timeLimit(.minutes(8)), .serialized)
struct KilledCareTests {
    private static let people = 6
    private static let notes = 500
    private static let events = 400

    private func settings(_ folder: TestFolder, _ more: [String: String] = [:]) -> [String: String] {
        [
            "TANDEM_DATA": folder.path + "/data", "TANDEM_REGISTRY": folder.path + "/registry.json",
            "TANDEM_LISTEN": "127.0.0.1:0",
        ].merging(more) { $1 }
    }

    private func open(_ environment: [String: String], clock: any WallClock = SystemClock()) async throws -> Application
    {
        var options = Application.Options()
        options.executableFolder = try Installation.shared().folder
        options.clock = clock
        return try await Application.open(Configuration(environment: environment), options: options)
    }

    private func folder() throws -> TestFolder {
        let folder = try TestFolder("care")
        try folder.write(Installation.registry(), to: "registry.json")
        return folder
    }

    /// People with notes, numbers, sessions and a long audit.
    private func fill(_ application: Application) async throws {
        let audit = application.audit
        for number in 0..<Self.people {
            let scope = try await application.accounts.createUser(
                email: "person\(number)@example.org", fullName: "Person \(number)"
            ).scope
            try await application.accounts.attachPhone("+1555555020\(number)", to: scope, verified: true)
            for part in 0..<5 {
                try await application.database.write(scope) { transaction in
                    let origin = WriteOrigin(turn: transaction.nextID(), step: 0)
                    for row in 0..<(Self.notes / 5) {
                        try transaction.insert(
                            "notes",
                            [
                                "title": .string("note \(part) \(row)"),
                                "content": .string("what person \(number) keeps, part \(part), row \(row)"),
                                "tags": [.string("tag\(row % 7)")],
                            ], origin: origin)
                    }
                    try transaction.label(turn: origin.turn, title: "part \(part)")
                    for event in 0..<(Self.events / 5) {
                        try audit.record(
                            AuditEvent(
                                .staffAccess, user: scope.user, actor: .staff(nil),
                                detail: ["round": String(part), "number": String(event)]), in: transaction)
                    }
                }
            }
        }
    }

    /// Everything of everybody, with the whole audit, by address.
    private func everything(_ application: Application) async throws -> [String: String] {
        var all: [String: String] = [:]
        for account in try await application.accounts.users() {
            let (export, audit) = try await application.database.read(account.scope) { transaction in
                (try transaction.exportUser(), try transaction.auditEntries(of: account.id, after: 0, limit: 100_000))
            }
            #expect(export.rows("notes").count == Self.notes)
            #expect(audit.count >= Self.events && audit.allSatisfy { $0.body != nil })
            let words = audit.map { "\($0.sequence) \(String(decoding: $0.body ?? [], as: UTF8.self))" }
            all[account.email] = export.text + words.joined(separator: "\n")
        }
        #expect(all.count == Self.people)
        return all
    }

    /// Runs the program until `mark` says so, then kills it. Returns whether it was still at work.
    private func killed(
        _ arguments: [String], _ environment: [String: String], _ folder: TestFolder,
        when mark: (ProgramRun) async throws -> Bool
    ) async throws -> Bool {
        let run = try ProgramRun(arguments, environment, in: folder)
        let isThere = try await eventually(within: .seconds(150)) {
            if run.isOver { return true }
            return try await mark(run)
        }
        #expect(isThere, "\(arguments): \(run.errors.suffix(500))")
        return await run.killNow()
    }

    private func finished(
        _ arguments: [String], _ environment: [String: String], _ folder: TestFolder,
        location: SourceLocation = #_sourceLocation
    ) async throws -> ProgramRun {
        let run = try ProgramRun(arguments, environment, in: folder)
        let status = await run.end()
        #expect(status == 0, "\(arguments): \(run.errors.suffix(800))", sourceLocation: location)
        return run
    }

    private func expectIntactAudit(_ environment: [String: String], _ folder: TestFolder) async throws {
        let run = try await finished(["admin", "audit", "verify", "--json"], environment, folder)
        let report = try JSON(parsing: run.text)
        #expect(report["intact"] == true && report["findings"] == [])
        #expect(report["chains"]?.int64Value ?? 0 >= Int64(Self.people))
        #expect(report["entries"]?.int64Value ?? 0 >= Int64(Self.people * Self.events))
    }

    // MARK: Copies

    /// Copies with kills in the middle of three tables, and compares what the program says of the result.
    private func copy(
        _ arguments: [String], _ environment: [String: String], to target: [String: String], _ folder: TestFolder
    ) async throws {
        var kills = 0
        for table in ["audit_entries", "notes", "row_journal"] {
            if try await killed(
                arguments, environment, folder, when: { run in run.errors.contains(", \(table): ") })
            {
                kills += 1
            }
            // Nothing serves from half a database.
            let early = try ProgramRun(["admin", "usage", "--json"], target, in: folder)
            #expect(await early.end() != 0 && early.errors.contains("was not finished"), "\(early.errors)")
        }
        #expect(kills == 3, "the copy is over before it can be killed")
        let run = try await finished(arguments + ["--json"], environment, folder)
        let report = try JSON(parsing: run.text)
        let tables = report["tables"]?.arrayValue ?? []
        func count(_ name: String) -> Int64? {
            tables.first { $0["name"]?.stringValue == name }?["rows"]?.int64Value
        }
        #expect(count("notes") == Int64(Self.people * Self.notes))
        #expect(count("audit_entries") ?? 0 >= Int64(Self.people * Self.events))
        #expect(tables.allSatisfy { $0["sha256"]?.stringValue?.count == 64 } && report["source_has_changed"] == false)
        // What the killed ones had written was not written again.
        let written = tables.first { $0["name"]?.stringValue == "audit_entries" }?["written"]?.int64Value ?? .max
        #expect(written < count("audit_entries") ?? 0)
        try await expectIntactAudit(target, folder)
    }

    @Test func aCopyThatIsKilledGoesOnInBothDirections() async throws {
        let folder = try folder()
        let server = try await PostgreSQLServer.shared()
        let database = server.environment(try await server.database().address.database)
        let file = settings(folder, ["DATABASE_URL": "sqlite:\(folder.path)/source.sqlite"])
        let onServer = settings(folder, database)
        let back = settings(folder, ["DATABASE_URL": "sqlite:\(folder.path)/back.sqlite"])

        let source = try await open(file)
        try await fill(source)
        let before = try await everything(source)
        await source.close()

        try await copy(
            ["db", "copy", "--from", "sqlite:\(folder.path)/source.sqlite", "--to", "postgres"], onServer, to: onServer,
            folder)
        let middle = try await open(onServer)
        #expect(try await everything(middle) == before)
        await middle.close()

        // Opening it told nobody of anything: the way back has the same rows.
        try await copy(
            ["db", "copy", "--from", "postgres", "--to", "sqlite:\(folder.path)/back.sqlite"], onServer, to: back,
            folder)
        let last = try await open(back)
        #expect(try await everything(last) == before)
        #expect(try await last.accounts.identify(phone: "+15555550203") != nil)
        await last.close()
    }

    // MARK: Keys

    /// Ends the lease of the killed one and the time that other processes have to take the new keys, which are a minute each.
    private func passTime(_ application: Application) async throws -> (phase: String, done: Int64) {
        try await application.database.write(.system) { transaction in
            _ = try transaction.context.engine.run(
                RowStatement("UPDATE key_rotations SET lease_until = 0, phase_at = phase_at - 61000"), [])
            let job = try RotationJob.find(.users, in: transaction.context)
            return (job?.phase.rawValue ?? "", Int64(job?.done ?? 0))
        }
    }

    @Test(arguments: TestEngine.allCases)
    func resealingThatIsKilledGoesOnAndLosesNothing(_ engine: TestEngine) async throws {
        let folder = try folder()
        var environment = settings(folder, ["DATABASE_URL": "sqlite:\(folder.path)/sealed.sqlite"])
        if engine == .postgres {
            let server = try await PostgreSQLServer.shared()
            environment = settings(folder, server.environment(try await server.database().address.database))
        }
        let filling = try await open(environment)
        try await fill(filling)
        let before = try await everything(filling)
        await filling.close()

        let command = ["admin", "keys", "rotate", "--users", "--json"]
        var kills = 0
        var phases: Set<String> = []
        // In each phase and, in the long one, after more and more of it.
        for parts in [1, 1, 4, 9, 16, 25] {
            let wasAtWork = try await killed(command, environment, folder) { run in
                run.text.utf8.count { $0 == UInt8(ascii: "\n") } >= parts
            }
            if wasAtWork { kills += 1 }
            let between = try await open(environment)
            #expect(try await everything(between) == before)
            phases.insert(try await passTime(between).phase)
            await between.close()
        }
        #expect(kills == 6 && phases.contains("sealing"), "\(kills) kills, \(phases)")
        _ = try await finished(command, environment, folder)

        let last = try await open(environment)
        #expect(try await passTime(last) == ("done", Int64(Self.people) + 1))
        #expect(try await everything(last) == before)
        // The keys that all of it was sealed with are gone.
        let old = try await last.database.read(.system) { transaction in
            try transaction.context.engine.run(
                RowStatement("SELECT user_id FROM user_keys WHERE version = 1"), []
            ).rowCount
        }
        #expect(old == 0)
        await last.close()
        try await expectIntactAudit(environment, folder)
    }
}
