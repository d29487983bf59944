import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// The files of a person's archive.
struct ExportedPerson: Sendable {
    static let format = "tandem-export"
    static let version: Int64 = 1

    var account: Account
    var at: Timestamp

    func files(_ transaction: any ReadTransaction) throws -> [ArchiveFile] {
        var files: [ArchiveFile] = []
        var counts = JSONObject()
        func add(_ path: String, _ json: JSON) {
            files.append(ArchiveFile(path: path, bytes: json.serialized() + [10]))
        }
        func add(_ folder: String, _ name: String, _ purpose: String, _ rows: [JSONObject], owner: String? = nil) {
            var object: JSONObject = ["name": .string(name), "purpose": .string(purpose)]
            if let owner { object["owner"] = .string(owner) }
            object["rows"] = .array(rows.map { .object($0) })
            add("\(folder)/\(name).json", .object(object))
            var columns: [String] = []
            for row in rows { for (column, _) in row where !columns.contains(column) { columns.append(column) } }
            if !rows.isEmpty {
                files.append(ArchiveFile(path: "\(folder)/\(name).csv", bytes: CSV.text(columns: columns, rows: rows)))
            }
            counts["\(folder)/\(name)"] = .integer(Int64(rows.count))
        }
        add(
            "account.json",
            [
                "id": .string(account.id.description), "email": .string(account.email),
                "full_name": .string(account.fullName), "role": .string(account.role.rawValue),
                "status": .string(account.status.rawValue), "created_at": .timestamp(account.createdAt),
            ])
        let all = try transaction.exportUser()
        for table in all["tables"]?.arrayValue ?? [] {
            guard let name = table["name"]?.stringValue else { continue }
            add(
                "tables", name, table["purpose"]?.stringValue ?? "",
                table["rows"]?.arrayValue?.compactMap(\.objectValue) ?? [], owner: table["owner"]?.stringValue)
        }
        for record in all["records"]?.arrayValue ?? [] {
            // System tables come whole below.
            guard let name = record["name"]?.stringValue, DataCatalogue.rule(of: name) == nil else { continue }
            add(
                "records", name, record["purpose"]?.stringValue ?? "",
                record["records"]?.arrayValue?.compactMap(\.objectValue) ?? [])
        }
        let columns = try transaction.tableColumns()
        for rule in DataCatalogue.system {
            guard rule.person != nil, !DataCatalogue.isOfStorage(rule.name), rule.name != "users",
                let there = columns[rule.name]
            else { continue }
            add("system", rule.name, rule.purpose, try SystemRows(rule, there).rows(of: account.id, transaction))
        }
        var last: Int64 = 0
        var events: [JSONObject] = []
        while true {
            let page = try transaction.auditEntries(of: account.id, after: last, limit: 1000)
            guard let end = page.last else { break }
            events += page.compactMap { RecordedAuditEvent($0)?.json.objectValue }
            last = end.sequence
        }
        add("system", "audit", "what was done to your account", events)
        files.append(ArchiveFile(path: "README.txt", bytes: Array(ExportedPerson.explanation.utf8)))
        let listed: [JSON] = files.map { file in
            [
                "path": .string(file.path), "bytes": .integer(Int64(file.bytes.count)),
                "sha256": .string(Archive.checksum(file.bytes)),
            ]
        }
        let manifest: JSON = [
            "format": .string(ExportedPerson.format), "version": .integer(ExportedPerson.version),
            "exported_at": .timestamp(at), "account": .string(account.id.description), "rows": .object(counts),
            "files": .array(listed),
        ]
        files.insert(ArchiveFile(path: "manifest.json", bytes: manifest.serialized() + [10]), at: 0)
        return files
    }

    private static let explanation = """
        Your data
        =========

        account.json    your account
        tables/         what the assistant and its plugins keep for you
        system/         sessions, devices, keys, messages under way, and what was done to your account (audit)
        records/        what else there is
        manifest.json   every file with its size and SHA-256

        Each table is there twice: as JSON (every value as it is) and as CSV for spreadsheets (RFC 4180, UTF-8; a text that a
        spreadsheet would take for a formula has an apostrophe before it). Times are UTC. Passwords, tokens and other secrets
        are in no export. `tandem user import` makes an account of this archive on another instance.

        """
}

/// A person's rows of a system table, as their classes allow: nothing secret, what is sealed opened.
struct SystemRows {
    let rule: TableRule
    let columns: [ColumnRule]

    /// - Parameter there: The columns that the database has.
    init(_ rule: TableRule, _ there: [String]) {
        self.rule = rule
        columns = rule.columns.filter {
            there.contains($0.name) && $0.dataClass != .secret && $0.form != .hashed && $0.name != rule.person
        }
    }

    func rows(of user: UserID, _ transaction: any ReadTransaction) throws -> [JSONObject] {
        guard let person = rule.person, let first = columns.first else { return [] }
        var list: SQL = "\(identifier: first.name)"
        for column in columns.dropFirst() { list.append(", \(identifier: column.name)") }
        // Sealed values are bound to the row's id.
        let id = rule.columns.contains { $0.name == "id" } && !columns.contains { $0.name == "id" }
        if id { list.append(", id") }
        let found = try transaction.query(
            "SELECT \(list) FROM \(identifier: rule.name) WHERE \(identifier: person) = \(user) ORDER BY 1")
        return try found.map { row in
            var object = JSONObject()
            for column in columns {
                guard column.form == .sealed else {
                    object[column.name] = SystemRows.json(row[column.name] ?? .null)
                    continue
                }
                guard case .blob(let sealed)? = row[column.name] else {
                    object[column.name] = .null
                    continue
                }
                let seal = SealContext(table: rule.name, column: column.name, row: try row.int64("id"))
                object[column.name] = SystemRows.json(.blob(try transaction.open(sealed, seal, for: user)))
            }
            return object
        }
    }

    private static func json(_ value: SQLValue) -> JSON {
        switch value {
        case .null: .null
        case .int(let number): .integer(number)
        case .real(let number): .number(number)
        case .text(let text): .string(text)
        case .blob(let bytes):
            if let text = String(validating: bytes, as: UTF8.self) {
                .string(text)
            } else {
                ["hex": .string(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())]
            }
        }
    }

    /// The bytes of a sealed value's JSON form.
    static func bytes(_ json: JSON) -> [UInt8]? {
        if let text = json.stringValue { return Array(text.utf8) }
        guard let hex = json["hex"]?.stringValue, hex.utf8.count % 2 == 0 else { return nil }
        let digits = Array(hex.utf8)
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[place..<(place + 2)], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
