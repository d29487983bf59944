import Foundation
import TandemAccounts
import TandemAgent
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct PersonalDataTests {
    private static let canary = "kanarienvogel"

    /// Uses what there is, so that every kind of table has something of the person; each text holds the canary.
    private func live(_ household: Household, as scope: UserScope, _ mark: String) async throws {
        for text in [
            "add task call \(mark) tomorrow at 10am", "note: \(mark) likes tea", "remember that \(mark) is my dentist",
            "add 2 \(mark) to my grocery list", "I spent 3.20 euro on \(mark)", "what's on my list?",
        ] { try await household.say(text, as: scope) }
        let database = household.application.database
        let id = database.store.ids.next().rawValue
        let account = try #require(try await household.application.accounts.user(scope.user))
        try await household.application.accounts.setPassword("seven green bottles", of: scope)
        _ = try await household.application.accounts.logIn(
            email: account.email, password: "seven green bottles",
            from: ClientSource(address: "203.0.113.7", deviceName: "\(mark) tablet"))
        try await database.write(scope) { transaction in
            let value = try transaction.seal(
                Array("{\"\(mark)\":1}".utf8), SealContext(table: "plugin_values", column: "value", row: id))
            try transaction.execute(
                """
                INSERT INTO plugin_values (user_id, plugin, key, id, version, value, byte_count)
                VALUES (\(scope.user), 'test.plugin', \("key \(mark)"), \(id), 3, \(value), 20)
                """)
            let data = try transaction.seal(
                Array("{\"for\":\"\(mark)\"}".utf8), SealContext(table: "plugin_timers", column: "data", row: id + 1))
            try transaction.execute(
                """
                INSERT INTO plugin_timers (user_id, id, plugin, name, handler, data, due_at, anchor_local, next_at)
                VALUES (\(scope.user), \(id + 1), 'test.plugin', \("timer \(mark)"), 'h', \(data), 5, 5, 5)
                """)
        }
    }

    private func files(_ archive: [UInt8]) throws -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: try Archive.read(archive).map { ($0.path, $0.bytes) })
    }

    @Test func anExportHasEverythingAndNoSecret() async throws {
        try await Household.run { household in
            try await live(household, as: household.ann, Self.canary)
            let archive = try await household.application.personalData.export(household.ann, by: .staff(nil))
            let files = try files(archive)
            let text = files.values.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
            for path in [
                "account.json", "tables/tasks.json", "tables/tasks.csv", "tables/notes.json", "tables/messages.json",
                "tables/grocery_items.json", "tables/expenses.json", "system/account_sessions.json",
                "system/plugin_values.json", "system/audit.json", "tables/user_phone_numbers.json", "README.txt",
            ] { #expect(files[path] != nil, "\(path) is missing") }
            #expect(text.contains("\(Self.canary) tablet") && text.contains(Household.annPhone))
            #expect(text.contains("login.succeeded") && !text.contains("bob@example.org"))
            for secret in ["argon2", "password_hash", "refresh_hash", "token_hash", "code_hash"] {
                #expect(!text.contains(secret), "\(secret)")
            }
            let manifest = try JSON(parsing: try #require(files["manifest.json"]))
            #expect(manifest["format"] == "tandem-export")
            #expect(manifest["files"]?.arrayValue?.count == files.count - 1)
            // Others' tools read it as well.
            let path = household.folder.path + "/ann.zip"
            #expect(FileManager.default.createFile(atPath: path, contents: Data(archive)))
            let check = Process()
            check.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            check.arguments = [
                "-c", "import sys,zipfile; sys.exit(0 if zipfile.ZipFile(sys.argv[1]).testzip() is None else 1)", path,
            ]
            try check.run()
            check.waitUntilExit()
            #expect(check.terminationStatus == 0)
        }
    }

    @Test func anotherInstanceTakesAnArchiveWithNewIds() async throws {
        var archive: [UInt8] = []
        var before: JSON = .null
        try await Household.run { household in
            try await live(household, as: household.ann, Self.canary)
            before = try await household.export(of: household.ann)
            archive = try await household.application.personalData.export(household.ann, by: .staff(nil))
        }
        let (sent, old) = (archive, before)
        try await Household.run { household in
            let data = household.application.personalData
            // Ids begin with the time.
            household.clock.advance(by: .seconds(3600))
            // Ann's address is somebody's here.
            await #expect(throws: AccountsError.self) { _ = try await data.importArchive(sent, by: .staff(nil)) }
            let report = try await data.importArchive(sent, email: "other@example.org", by: .staff(nil))
            let new = try await household.export(of: report.account.scope)
            for table in ["tasks", "notes", "messages", "turns", "grocery_items", "expenses", "ltm_memories"] {
                let (left, right) = (old.rows(table), new.rows(table))
                #expect(!left.isEmpty && left.count == right.count, "\(table): \(left.count) and \(right.count)")
                #expect(report.rowCounts[table] == left.count)
                let (oldIDs, newIDs) = (
                    left.compactMap { $0["id"]?.stringValue }, right.compactMap { $0["id"]?.stringValue }
                )
                #expect(Set(oldIDs).isDisjoint(with: newIDs))
                #expect(
                    left.compactMap { $0["created_at"]?.stringValue }.sorted()
                        == right.compactMap { $0["created_at"]?.stringValue }.sorted())
            }
            // What refers to a message refers to the new one.
            let messages = Set(new.rows("messages").compactMap { $0["id"]?.stringValue })
            #expect(new.rows("turns").allSatisfy { messages.contains($0["message"]?.stringValue ?? "") })
            #expect(new.text.contains(Self.canary))
            #expect(report.rowCounts["plugin_values"] == 1 && report.rowCounts["plugin_timers"] == 1)
            #expect(report.leftOut["user_phone_numbers"] != nil && report.leftOut["plugin_grants"] != nil)
            #expect(try await household.application.accounts.identify(phone: Household.annPhone) == household.ann)
            // It is a whole account: exported again, it has the same.
            let again = try files(try await data.export(report.account.scope, by: .staff(nil)))
            let values = try JSON(parsing: try #require(again["system/plugin_values.json"]))
            #expect(values["rows"]?.arrayValue?.first?["key"]?.stringValue == "key \(Self.canary)")
            #expect(values["rows"]?.arrayValue?.first?["value"]?.stringValue == "{\"\(Self.canary)\":1}")
            #expect(try await household.application.database.verifyAudit().isIntact)
        }
    }

    @Test func aDamagedOrHostileArchiveIsRefusedAsAWhole() async throws {
        try await Household.run { household in
            try await live(household, as: household.ann, Self.canary)
            let data = household.application.personalData
            let good = try await data.export(household.ann, by: .staff(nil))
            let files = try Archive.read(good)
            let people = try await household.application.accounts.users().count
            func expectRefusal(_ bytes: [UInt8], _ what: String) async throws {
                do {
                    _ = try await data.importArchive(bytes, email: "x@example.org", by: .staff(nil))
                    Issue.record("\(what) was taken")
                } catch is ApplicationError {
                } catch { Issue.record("\(what): \(error)") }
            }
            try await expectRefusal([], "nothing")
            try await expectRefusal(Array("PK\u{3}\u{4} no archive".utf8), "no archive")
            try await expectRefusal(Array(good.prefix(good.count / 2)), "half an archive")
            func changed(_ change: (inout [ArchiveFile]) -> Void) throws -> [UInt8] {
                var copy = files
                change(&copy)
                return try Archive.write(copy, at: 0)
            }
            try await expectRefusal(try changed { $0.removeLast() }, "a missing file")
            try await expectRefusal(
                try changed { $0.append(ArchiveFile(path: "tables/extra.json", bytes: [])) }, "an added file")
            try await expectRefusal(try changed { $0[1].bytes.append(32) }, "a changed file")
            for path in ["../evil.json", "/etc/evil", "tables/../../evil", ".hidden"] {
                try await expectRefusal(
                    try changed { $0.append(ArchiveFile(path: path, bytes: [])) }, "the path \(path)")
            }
            // Rows that do not fit: everything is as it was before.
            func forged(_ path: String, _ change: (String) -> String) throws -> [UInt8] {
                var copy = files
                guard let place = copy.firstIndex(where: { $0.path == path }) else { throw Missing() }
                copy[place].bytes = Array(change(String(decoding: copy[place].bytes, as: UTF8.self)).utf8)
                guard var manifest = try JSON(parsing: copy[0].bytes).objectValue,
                    var listed = manifest["files"]?.arrayValue,
                    let entry = listed.firstIndex(where: { $0["path"]?.stringValue == path })
                else { throw Missing() }
                listed[entry] = [
                    "path": .string(path), "bytes": .integer(Int64(copy[place].bytes.count)),
                    "sha256": .string(Archive.checksum(copy[place].bytes)),
                ]
                manifest["files"] = .array(listed)
                copy[0].bytes = JSON.object(manifest).serialized()
                return try Archive.write(copy, at: 0)
            }
            try await expectRefusal(
                try forged("tables/expenses.json") { $0.replacing("\"3.2000\"", with: "\"much\"") }, "a broken amount")
            try await expectRefusal(
                try forged("tables/notes.json") { $0.replacing("\"name\":\"notes\"", with: "\"name\":\"elsewhere\"") },
                "a table of nobody")
            #expect(try await household.application.accounts.users().count == people)
        }
    }

    struct Missing: Error {}

    @Test func anErasedPersonIsNowhereInTheFiles() async throws {
        let folder = try TestFolder()
        var household: Household? = try await Household.open(folder: folder)
        let mark = "zaunkoenig"
        // Where PostgreSQL keeps what was deleted is its own business until it is vacuumed.
        var isFile = true
        do {
            let home = try #require(household)
            let work = [Task { await home.application.agent.run() }]
            try await live(home, as: home.ann, mark)
            try await live(home, as: home.bob, "rotkehlchen")
            isFile = home.application.database.dialect == .sqlite
            let before = try await home.application.database.read(.system) { try $0.keyNames(of: home.ann.user) }
            let proof = try await home.application.personalData.erase(home.ann, by: .person(home.ann.user))
            #expect(proof.keyNames == before && !before.isEmpty)
            #expect(proof.rowCounts["tasks"] ?? 0 > 0 && proof.rowCounts["messages"] ?? 0 > 0)
            #expect(proof.rowCounts["account_sessions"] == 1 && proof.actor == "person")
            #expect(try await home.application.personalData.proofs() == [proof])
            #expect(try await home.application.accounts.user(email: "ann@example.org") == nil)
            let report = try await home.application.database.verifyAudit()
            #expect(report.isIntact && report.closedChains == 1)
            // Bob is as he was.
            #expect(try await home.rows("tasks", of: home.bob).count == 1)
            for task in work { task.cancel() }
            for task in work { await task.value }
            // Found while the database is still open: nothing waits for a clean end.
            if isFile {
                try expectNothing(of: [mark, "ann@example.org", Household.annPhone, "5555550123"], in: folder)
                #expect(try contains("rotkehlchen", in: folder), "the search finds nothing at all")
            }
            await home.application.close()
        }
        household = nil
        try expectNothing(of: [mark, "ann@example.org", Household.annPhone, "5555550123"], in: folder)
    }

    private func content(_ folder: TestFolder) throws -> [(String, Data)] {
        let root = folder.path + "/data"
        let paths = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return paths.compactMap { path in
            FileManager.default.contents(atPath: root + "/" + path).map { (path, $0) }
        }
    }

    private func contains(_ word: String, in folder: TestFolder) throws -> Bool {
        try content(folder).contains { $0.1.range(of: Data(word.utf8)) != nil }
    }

    private func expectNothing(of words: [String], in folder: TestFolder) throws {
        for (path, data) in try content(folder) {
            for word in words {
                let forms = [word, word.uppercased(), word.prefix(1).uppercased() + word.dropFirst()]
                for form in forms { #expect(data.range(of: Data(form.utf8)) == nil, "\(path) holds \(form)") }
            }
        }
    }

    @Test func aTableForSpreadsheetsIsSafe() {
        let rows: [JSONObject] = [
            ["a": "=1+1", "b": "plain", "c": .integer(-3)],
            ["a": "-3.20", "b": "with \"quotes\", and\nlines", "c": .null],
            ["a": "@SUM(A1)", "b": "+33612", "c": .bool(true)], ["a": "-2+3", "b": "\ttab", "c": ["x": 1]],
        ]
        let text = String(decoding: CSV.text(columns: ["a", "b", "c"], rows: rows), as: UTF8.self)
        #expect(
            text == "a,b,c\r\n'=1+1,plain,-3\r\n-3.20,\"with \"\"quotes\"\", and\nlines\",\r\n'@SUM(A1),+33612,true\r\n"
                + "'-2+3,'\ttab,\"{\"\"x\"\":1}\"\r\n")
    }

    @Test func retentionForgetsWhatIsDue() async throws {
        try await Household.run(environment: ["TANDEM_RETAIN_CONVERSATION_DAYS": "30"]) { household in
            try await live(household, as: household.ann, Self.canary)
            #expect(try await household.application.applyRetention().isEmpty)
            household.clock.advance(by: .seconds(31 * 86_400))
            let counts = try await household.application.applyRetention()
            #expect(counts["messages"] ?? 0 > 0 && counts["row_journal"] ?? 0 > 0)
            #expect(try await household.rows("messages").isEmpty)
            #expect(try await household.rows("tasks").count == 1)
            household.clock.advance(by: .seconds(500 * 86_400))
            #expect(try await household.application.applyRetention()["audit_entries"] ?? 0 > 0)
            #expect(try await household.application.database.verifyAudit().isIntact)
        }
    }
}
