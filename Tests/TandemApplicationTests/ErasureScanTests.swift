import Foundation
import PostgreSQLServer
import RedisServer
import TandemAccounts
import TandemAgent
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// A person with something in every table is erased, and then looked for: in every table, in the raw files of the database,
/// its log included, and in everything that Redis keeps.
@Suite(.timeLimit(.minutes(8)), .serialized)
struct ErasureScanTests {
    /// Where the bytes are.
    private struct Place: Sendable {
        let engine: TestEngine
        let folder: TestFolder
        let server: PostgreSQLServer?
        let name: String
        let redis: RedisServer
        let environment: [String: String]

        init(_ engine: TestEngine) async throws {
            self.engine = engine
            folder = try TestFolder("scan")
            var options = RedisServer.Options()
            options.isDurable = true
            options.arguments = ["--rdbcompression", "no"]
            redis = try await RedisServer(options)
            var environment = [
                "REDIS_URL": redis.url, "TANDEM_SMTP_URL": "smtp://127.0.0.1:9",
                "TANDEM_SMTP_FROM": "us@tandem.example",
                "TANDEM_SMTP_PLAIN": "true",
            ]
            if engine == .postgres {
                // As operators are told to who want the bytes gone at once: docs/data.md.
                let own = try await PostgreSQLServer(settings: [
                    "wal_recycle=off", "min_wal_size=32MB", "max_wal_size=64MB", "wal_init_zero=on",
                ])
                name = try await own.database().address.database
                environment.merge(own.environment(name)) { $1 }
                server = own
            } else {
                name = ""
                server = nil
            }
            self.environment = environment
        }

        /// What the documentation says to do on a server after an erasure.
        func clean() async throws {
            guard let server else { return }
            // Twice: the log of the first is what the second lets go.
            for _ in 0..<2 {
                for statement in [
                    "DELETE FROM pg_statistic", "ANALYZE", "VACUUM FULL", "SELECT pg_switch_wal()", "CHECKPOINT",
                ] {
                    _ = try await server.administer([statement], database: name)
                }
            }
        }

        /// All files of the database.
        func files() throws -> [(String, Data)] {
            let root = server.map { $0.folder + "/data" } ?? folder.path + "/data"
            let paths = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
            let all = paths.compactMap { path -> (String, Data)? in
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isFolder),
                    !isFolder.boolValue
                else { return nil }
                return FileManager.default.contents(atPath: root + "/" + path).map { (path, $0) }
            }
            #expect(all.count > (server == nil ? 1 : 500), "the files cannot be read")
            return all
        }

        /// Every key of Redis with its value, and what it writes to its disk.
        func cache() throws -> [(String, Data)] {
            func redis(_ words: String...) throws -> Data {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
                process.arguments = ["-p", String(self.redis.port)] + words
                let pipe = Pipe()
                process.standardOutput = pipe
                try process.run()
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                try #require(process.terminationStatus == 0)
                return data
            }
            _ = try redis("SAVE")
            let keys = try redis("--scan")
            var all = [("keys", keys)]
            for line in keys.split(separator: 10) {
                let key = String(decoding: line, as: UTF8.self)
                all.append((key, try redis("--no-raw", "DUMP", key)))
            }
            let root = self.redis.folder
            for path in FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? [] {
                if let data = FileManager.default.contents(atPath: root + "/" + path) { all.append((path, data)) }
            }
            #expect(all.contains { $0.0.hasSuffix(".rdb") }, "\(all.map(\.0))")
            return all
        }
    }

    private func places(of words: [String], in contents: [(String, Data)]) -> [String] {
        var found: [String] = []
        for (path, data) in contents {
            for word in words {
                for form in Set([word, word.uppercased(), word.prefix(1).uppercased() + word.dropFirst()])
                where data.range(of: Data(form.utf8)) != nil {
                    found.append("\(form) in \(path)")
                }
            }
        }
        return found
    }

    /// Rows by table, of everything that may hold a person's.
    private func counts(_ application: Application, of user: UserID) async throws -> [String: Int] {
        let tables = DataCatalogue.system.filter { !DataCatalogue.isOfStorage($0.name) }
        let declared = application.database.store.tables.definitions
        return try await application.database.read(.user(UserScope(authenticated: user))) { transaction in
            var counts: [String: Int] = [:]
            for rule in tables {
                guard let person = rule.person else { continue }
                counts[rule.name] = try transaction.first(
                    "SELECT count(*) AS n FROM \(identifier: rule.name) WHERE \(identifier: person) = \(user)")?.int(
                        "n")
            }
            for (owner, definitions) in declared {
                for table in definitions {
                    counts[table.name] = try transaction.count(table.name, tables: .owner(owner))
                }
            }
            counts["undo"] = try transaction.latestUndoable() == nil ? 0 : 1
            counts["keys"] = try transaction.asSystem { try transaction.keyNames(of: user).count }
            return counts
        }
    }

    @Test(arguments: TestEngine.allCases)
    func nothingOfAnErasedPersonIsLeft(on engine: TestEngine) async throws {
        let place = try await Place(engine)
        let household = try await Household.open(environment: place.environment, folder: place.folder)
        let application = household.application
        let work = Task { await application.agent.run() }
        let (ann, bob) = (household.ann, household.bob)
        let secrets = try await WholeLife(household: household, scope: ann).live()
        try await household.say("note: bob keeps amselweg", as: bob)
        let before = try await counts(application, of: ann.user)
        #expect(before.count > 45)
        #expect(before.filter { $0.value == 0 }.keys.sorted() == [], "these have nothing of the person")

        // Before: the search finds what is plain, and what is sealed is nowhere, in no file and not in Redis.
        if let server = place.server {
            _ = try await server.administer(["ANALYZE", "CHECKPOINT"], database: place.name)
        }
        let personal = [
            WholeLife.plain, WholeLife.spoken, "ann@example.org", Household.annPhone,
            String(Household.annPhone.dropFirst(2)),
        ]
        let full = try place.files()
        #expect(!places(of: [WholeLife.plain], in: full).isEmpty && !places(of: ["ann@example.org"], in: full).isEmpty)
        let sealed = [WholeLife.sealed, Household.annPhone] + secrets + secrets.map { String($0.suffix(20)) }
        #expect(places(of: sealed, in: full) == [])
        #expect(places(of: personal + sealed, in: try place.cache()) == [])

        let proof = try await application.personalData.erase(ann, by: .person(ann.user))
        #expect(proof.rowCounts["tasks"] ?? 0 > 0, "\(proof.rowCounts)")
        let after = try await counts(application, of: ann.user)
        #expect(after.filter { $0.value != 0 }.isEmpty, "rows are left: \(after.filter { $0.value != 0 })")
        try await place.clean()
        work.cancel()
        await work.value

        // While the program still runs: nothing waits for a clean end.
        let left = places(of: personal + sealed, in: try place.files())
        #expect(left.isEmpty, "found in \(left)")
        #expect(places(of: personal + sealed, in: try place.cache()) == [])
        #expect(!places(of: ["bob@example.org"], in: try place.files()).isEmpty, "the search finds nothing at all")
        #expect(try await household.rows("notes", of: bob).count == 1)
        let report = try await application.database.verifyAudit()
        #expect(report.isIntact && report.closedChains == 1)
        await application.close()
        let last = places(of: personal + sealed, in: try place.files())
        #expect(last.isEmpty, "found in \(last)")
    }
}
