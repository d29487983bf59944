import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// An archive that was read and checked, and how it becomes an account.
struct ImportedPerson: Sendable {
    private var email: String
    private var fullName: String
    private var tables: [RowImport] = []
    private var system: [String: [JSONObject]] = [:]

    /// What a person gives anew at another place, and why.
    private static let notTaken = [
        "user_phone_numbers": "numbers are verified again", "user_identification_logs": "of another instance",
        "plugin_grants": "switch plugins on again: the approval was for another instance",
        "confirmations": "questions that were open", "conversation_state": "what was shown last",
        "oauth_integrations": "connect the services again", "sms_usage_logs": "of another instance",
    ]

    /// System tables that go along, with the columns of work under way that begin anew.
    private static let taken: [String: [String: SQLValue]] = [
        "plugin_values": [:], "plugin_value_usage": [:], "plugin_settings": [:], "plugin_event_keys": [:],
        "plugin_timers": ["turn": .null, "holder": .null, "lease_until": .int(0), "attempts": .int(0)],
    ]

    init(archive: [UInt8]) throws {
        let files = try Archive.read(archive)
        guard let first = files.first(where: { $0.path == "manifest.json" }),
            let manifest = try? JSON(parsing: first.bytes), manifest["format"]?.stringValue == ExportedPerson.format
        else { throw ArchiveFailure(reason: "it has no manifest of tandem user export") }
        guard manifest["version"]?.int64Value == ExportedPerson.version else {
            throw ArchiveFailure(reason: "it was made by another version of the program")
        }
        var listed: [String: (bytes: Int64, sum: String)] = [:]
        for file in manifest["files"]?.arrayValue ?? [] {
            guard let path = file["path"]?.stringValue, let bytes = file["bytes"]?.int64Value,
                let sum = file["sha256"]?.stringValue
            else { throw ArchiveFailure(reason: "its manifest is damaged") }
            listed[path] = (bytes, sum)
        }
        let content = files.filter { $0.path != "manifest.json" }
        guard content.count == listed.count else { throw ArchiveFailure(reason: "files are missing or were added") }
        for file in content {
            guard let entry = listed[file.path], entry.bytes == Int64(file.bytes.count),
                entry.sum == Archive.checksum(file.bytes)
            else { throw ArchiveFailure(reason: "\(file.path) is not what the manifest says") }
        }
        guard let account = content.first(where: { $0.path == "account.json" }),
            let json = try? JSON(parsing: account.bytes), let email = json["email"]?.stringValue,
            let fullName = json["full_name"]?.stringValue
        else { throw ArchiveFailure(reason: "it has no account") }
        self.email = email
        self.fullName = fullName
        let limits = JSONLimits(maxBytes: Archive.mostBytes, maxDepth: 512)
        for file in content where file.path.hasSuffix(".json") {
            let isTable = file.path.hasPrefix("tables/")
            guard isTable || file.path.hasPrefix("system/") else { continue }
            guard let json = try? JSON(parsing: file.bytes, limits: limits), let name = json["name"]?.stringValue,
                let rows = json["rows"]?.arrayValue
            else { throw ArchiveFailure(reason: "\(file.path) is no table") }
            let objects = try rows.map { row in
                guard let object = row.objectValue else { throw ArchiveFailure(reason: "\(file.path) is no table") }
                return object
            }
            if isTable { tables.append(RowImport(table: name, rows: objects)) } else { system[name] = objects }
        }
    }

    func write(
        to database: any Database, _ accounts: Accounts, _ audit: any AuditSink, email other: String?,
        leavingOut: Bool, by actor: AuditEvent.Actor
    ) async throws -> PersonalData.ImportReport {
        var leftOut: [String: String] = [:]
        var wanted: [RowImport] = []
        let catalogue = database.store.tables
        for table in tables where !table.rows.isEmpty {
            if let reason = ImportedPerson.notTaken[table.table] {
                leftOut[table.table] = reason
            } else if catalogue.owner(of: table.table) == nil {
                guard leavingOut else {
                    throw ApplicationError(
                        "The archive has \(table.rows.count) rows of \(table.table), which this instance does not have:"
                            + " install the plugin, or leave such tables out (--leave-out).")
                }
                leftOut[table.table] = "no such table here: its plugin is not installed"
            } else {
                wanted.append(table)
            }
        }
        for (name, rows) in system where !rows.isEmpty && ImportedPerson.taken[name] == nil {
            leftOut[name] = "of another instance"
        }
        let user = UserID(rawValue: database.store.ids.next().rawValue)
        let (address, name, system, imports) = (other ?? email, fullName, system, wanted)
        let result: (Account, [String: Int])
        do {
            result = try await database.write(UserScope(authenticated: user)) { transaction in
                let account = try accounts.createUser(user, email: address, fullName: name, in: transaction)
                try transaction.importRows(imports)
                var counts: [String: Int] = [:]
                for item in imports {
                    counts[item.table] = item.rows.count
                    let owner = catalogue.owner(of: item.table) ?? ""
                    let written = try transaction.count(item.table, tables: .owner(owner))
                    guard written == item.rows.count else {
                        throw StorageError(.internalFailure, "rows are missing after the import", table: item.table)
                    }
                }
                for (table, begins) in ImportedPerson.taken.sorted(by: { $0.key < $1.key }) {
                    guard let rule = DataCatalogue.rule(of: table), let rows = system[table] else { continue }
                    for row in rows {
                        try ImportedPerson.insert(row, into: rule, of: user, beginning: begins, transaction)
                    }
                    if !rows.isEmpty { counts[table] = rows.count }
                }
                try audit.record(
                    AuditEvent(
                        .imported, user: user, actor: actor,
                        detail: ["rows": String(counts.values.reduce(0, +))]), in: transaction)
                return (account, counts)
            }
        } catch let error as StorageError
            where [
                .invalid, .typeMismatch, .unknownColumn, .notNull, .reference, .unique, .check, .tooLarge, .overflow,
            ].contains(error.code)
        {
            let place = [error.table, error.column].compactMap(\.self).joined(separator: ".")
            throw ApplicationError("The archive does not fit: \(place): \(error.message). Nothing was taken over.")
        }
        return PersonalData.ImportReport(account: result.0, rowCounts: result.1, leftOut: leftOut)
    }

    private static func insert(
        _ row: JSONObject, into rule: TableRule, of user: UserID, beginning: [String: SQLValue],
        _ transaction: any WriteTransaction
    ) throws {
        let id = transaction.nextID()
        var names: SQL = "user_id"
        var values: SQL = "\(user)"
        for column in rule.columns where column.name != rule.person {
            let value: SQLValue
            if column.name == "id" {
                value = .int(id.rawValue)
            } else if let start = beginning[column.name] {
                value = start
            } else if column.form == .sealed {
                guard let bytes = row[column.name].flatMap(SystemRows.bytes) else { throw malformed(rule, column) }
                let seal = SealContext(table: rule.name, column: column.name, row: id.rawValue)
                value = .blob(try transaction.seal(bytes, seal))
            } else {
                switch row[column.name] {
                case .integer(let number)?: value = .int(number)
                case .string(let text)?: value = .text(text)
                case .null?: value = .null
                default: throw malformed(rule, column)
                }
            }
            names.append(", \(identifier: column.name)")
            values.append(", \(value)")
        }
        try transaction.execute("INSERT INTO \(identifier: rule.name) (\(names)) VALUES (\(values))")
    }

    private static func malformed(_ rule: TableRule, _ column: ColumnRule) -> StorageError {
        StorageError(.invalid, "a row lacks a value of its type", table: rule.name, column: column.name)
    }
}
