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
    /// Tells archives apart, in letters.
    private var mark: String

    /// Whose the rows become.
    enum Destination: Sendable {
        /// - Parameter email: Instead of the archive's.
        case newAccount(email: String?)
        case account(Account)
    }

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

    init(archive: [UInt8], upTo mostBytes: Int = Archive.mostBytes) throws {
        let files = try Archive.read(archive, upTo: mostBytes)
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
        mark = String(
            Archive.checksum(first.bytes).prefix(24).unicodeScalars.map { Character(ImportedPerson.letter($0)) })
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
            if isTable {
                tables.append(RowImport(table: name, rows: objects.map { ImportedPerson.settled($0, in: name) }))
            } else {
                system[name] = objects
            }
        }
        system = try ImportedPerson.counted(system)
    }

    /// No manifest may ask for more.
    private static let mostTimers = 10_000

    /// How much there is of plugins' values is counted, not believed; and no more timers come than any plugin may have.
    private static func counted(_ system: [String: [JSONObject]]) throws -> [String: [JSONObject]] {
        var system = system
        var usage: [String: (entries: Int64, bytes: Int64, version: Int64)] = [:]
        system["plugin_values"] = try system["plugin_values"]?.map { row in
            guard let plugin = row["plugin"]?.stringValue, let key = row["key"]?.stringValue,
                let version = row["version"]?.int64Value, version > 0,
                let value = row["value"].flatMap(SystemRows.bytes)
            else { throw ArchiveFailure(reason: "system/plugin_values.json is no table") }
            var row = row
            let size = Int64(key.utf8.count + value.count)
            row["byte_count"] = .integer(size)
            var known = usage[plugin] ?? (0, 0, 0)
            known = (known.entries + 1, known.bytes + size, max(known.version, version))
            usage[plugin] = known
            return row
        }
        system["plugin_value_usage"] = usage.sorted { $0.key < $1.key }.map { plugin, usage in
            [
                "plugin": .string(plugin), "entries": .integer(usage.entries), "bytes": .integer(usage.bytes),
                "last_version": .integer(usage.version),
            ]
        }
        let timers = Dictionary(grouping: system["plugin_timers"] ?? []) { $0["plugin"]?.stringValue ?? "" }
        guard timers.values.allSatisfy({ $0.count <= ImportedPerson.mostTimers }) else {
            throw ArchiveFailure(reason: "a plugin has more timers in it than any may have")
        }
        return system
    }

    private static func letter(_ digit: Unicode.Scalar) -> Unicode.Scalar {
        Unicode.Scalar(UInt8(97 + (UInt32(String(digit), radix: 16) ?? 0)))
    }

    /// What was under way elsewhere is over, and what could be taken back there cannot be taken back here: no call comes to
    /// be by an archive.
    private static func settled(_ row: JSONObject, in table: String) -> JSONObject {
        guard table == "turns" else { return row }
        var row = row
        if row["state"] == "running" { row["state"] = "failed" }
        row["undo_calls"] = .null
        row["undo_state"] = .null
        return row
    }

    func write(
        to database: any Database, _ accounts: Accounts, _ audit: any AuditSink, into destination: Destination,
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
                            + " install the plugin, or leave such tables out (--leave-out, leave_out).")
                }
                leftOut[table.table] = "no such table here: its plugin is not installed"
            } else {
                wanted.append(table)
            }
        }
        for (name, rows) in system where !rows.isEmpty && ImportedPerson.taken[name] == nil {
            leftOut[name] = "of another instance"
        }
        let user: UserID
        let isNew: Bool
        switch destination {
        case .newAccount:
            user = UserID(rawValue: database.store.ids.next().rawValue)
            isNew = true
        case .account(let account):
            user = account.id
            isNew = false
        }
        let (system, mark, left) = (system, mark, leftOut)
        let (imports, address, name) = (wanted, email, fullName)
        let result: (account: Account, counts: [String: Int], leftOut: [String: String])
        do {
            result = try await database.write(UserScope(authenticated: user)) { transaction in
                var leftOut = left
                var imports = imports
                let account: Account
                switch destination {
                case .newAccount(let other):
                    account = try accounts.createUser(user, email: other ?? address, fullName: name, in: transaction)
                case .account(let known):
                    account = known
                    guard try !ImportedPerson.came(mark, to: user, transaction) else {
                        throw ImportConflict(description: "This archive was taken over already.")
                    }
                    try ImportedPerson.keepSettings(of: &imports, leftOut: &leftOut, transaction)
                }
                var counts: [String: Int] = [:]
                for item in imports {
                    counts[item.table] = try transaction.count(
                        item.table, tables: .owner(catalogue.owner(of: item.table) ?? ""))
                }
                try transaction.importRows(imports)
                for item in imports {
                    let owner = catalogue.owner(of: item.table) ?? ""
                    let written = try transaction.count(item.table, tables: .owner(owner)) - (counts[item.table] ?? 0)
                    guard written == item.rows.count else {
                        throw StorageError(.internalFailure, "rows are missing after the import", table: item.table)
                    }
                    counts[item.table] = written
                }
                for (table, begins) in ImportedPerson.taken.sorted(by: { $0.key < $1.key }) {
                    guard let rule = DataCatalogue.rule(of: table), var rows = system[table] else { continue }
                    if !isNew {
                        rows = try ImportedPerson.fresh(rows, of: table, user, leftOut: &leftOut, transaction)
                    }
                    for row in rows {
                        try ImportedPerson.insert(row, into: rule, of: user, beginning: begins, transaction)
                    }
                    if !rows.isEmpty { counts[table] = rows.count }
                }
                try audit.record(
                    AuditEvent(
                        .imported, user: user, actor: actor,
                        detail: ["rows": String(counts.values.reduce(0, +)), "archive": mark]), in: transaction)
                return (account, counts, leftOut)
            }
        } catch let error as StorageError where error.code == .unique && !isNew {
            throw ImportConflict(
                description: "There is something of the same name in \(error.table ?? "a table") already."
                    + " Nothing was taken over.")
        } catch let error as StorageError
            where [
                .invalid, .typeMismatch, .unknownColumn, .notNull, .reference, .unique, .check, .tooLarge, .overflow,
            ].contains(error.code)
        {
            let place = [error.table, error.column].compactMap(\.self).joined(separator: ".")
            throw ApplicationError("The archive does not fit: \(place): \(error.message). Nothing was taken over.")
        }
        return PersonalData.ImportReport(
            account: result.account, rowCounts: result.counts, leftOut: result.leftOut)
    }

    // MARK: Into an account that is there

    /// The audit of the account tells of it.
    private static func came(_ mark: String, to user: UserID, _ transaction: any ReadTransaction) throws -> Bool {
        var last: Int64 = 0
        while true {
            let page = try transaction.auditEntries(of: user, after: last, limit: 1000)
            guard let end = page.last else { return false }
            for event in page.compactMap(RecordedAuditEvent.init)
            where event.name == AuditEvent.Name.imported.rawValue && event.event["detail"]?["archive"] == .string(mark)
            {
                return true
            }
            last = end.sequence
        }
    }

    /// What the person has set here stays.
    private static func keepSettings(
        of imports: inout [RowImport], leftOut: inout [String: String], _ transaction: any ReadTransaction
    ) throws {
        let table = "user_settings"
        guard let place = imports.firstIndex(where: { $0.table == table }) else { return }
        let known = Set(try transaction.list(table, limit: 1000).compactMap { $0.string("setting_key") })
        let rows = imports[place].rows.filter { !known.contains($0["setting_key"]?.stringValue ?? "") }
        guard rows.count < imports[place].rows.count else { return }
        leftOut[table] = "settings that you have here stay"
        if rows.isEmpty { imports.remove(at: place) } else { imports[place].rows = rows }
    }

    /// The rows of plugins that keep nothing of the kind here yet.
    private static func fresh(
        _ rows: [JSONObject], of table: String, _ user: UserID, leftOut: inout [String: String],
        _ transaction: any ReadTransaction
    ) throws -> [JSONObject] {
        let known = try transaction.query(
            "SELECT DISTINCT plugin FROM \(identifier: table) WHERE user_id = \(user)")
        let plugins = Set(try known.map { try $0.text("plugin") })
        let fresh = rows.filter { !plugins.contains($0["plugin"]?.stringValue ?? "") }
        if fresh.count < rows.count { leftOut[table] = "what plugins keep of you here stays" }
        return fresh
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
