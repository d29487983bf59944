import Foundation
import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

@Suite(.timeLimit(.minutes(8)))
struct DataCatalogueTests {
    @Test(.eachEngine) func everyColumnOfEveryTableHasAClass() async throws {
        try await Household.run { household in
            let database = household.application.database
            let columns = try await database.read(.system) { try $0.tableColumns() }
            #expect(columns.count > 40)
            let declared = database.store.tables.definitions.values.flatMap(\.self)
            var rules: [String: [ColumnRule]] = [:]
            for table in declared { rules[table.name] = DataCatalogue.rules(of: table) }
            for table in DataCatalogue.system { rules[table.name] = table.columns }
            for (table, names) in columns.sorted(by: { $0.key < $1.key }) {
                let known = Set(rules[table, default: []].map(\.name))
                for name in names {
                    #expect(known.contains(name), "\(table).\(name) has no class: add it to DataCatalogue")
                }
                #expect(
                    known.isSubset(of: names),
                    "DataCatalogue has columns that \(table) has not: \(known.subtracting(names))")
            }
        }
    }

    @Test func whatIsSecretIsNeverPlain() {
        for table in DataCatalogue.system {
            for column in table.columns where column.dataClass == .secret {
                #expect(column.form != .plain, "\(table.name).\(column.name)")
            }
            #expect(Set(table.columns.map(\.name)).count == table.columns.count, "\(table.name)")
        }
    }

    @Test func logsMaskWhatIsSecret() {
        Redaction.mask(names: DataCatalogue.maskedNames)
        for name in [
            "password_hash", "sealed_to", "access_token", "refresh_token", "code_hash", "full_name", "oauth.verifier",
        ] {
            #expect(Redaction.isSensitive(key: name), "\(name)")
        }
        for name in ["plugin", "status", "turn", "user_id", "rows", "reason"] {
            #expect(!Redaction.isSensitive(key: name), "\(name)")
        }
    }

    @Test func theDocumentIsUpToDate() async throws {
        try await Household.run { household in
            let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appendingPathComponent("docs/data.md").path
            let kept = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
            let made = household.application.dataDocument
            #expect(kept.hasPrefix(made), "run: tandem admin data > docs/data.md, and keep what follows it")
        }
    }
}
