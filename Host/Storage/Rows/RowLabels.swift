public import TandemCore
import TandemJSON

/// The labels of rows that hold others' words: of all tables, the host's and the plugins'.
///
/// A row without a label is its person's own. Labels are set and read by the storage itself while a tool call runs
/// (`CallProvenance`); no tool can change one, and none gets better.
public enum RowLabels {
    public static let owner = "host.labels"

    public static let table = TableDefinition(
        name: "row_labels",
        columns: [ColumnDefinition("row_id", .id), ColumnDefinition("trust", .text)],
        indexes: [IndexDefinition(["row_id"], unique: true)],
        purpose: "which entries hold what others wrote")
}

extension RowExecutor {
    private static let anyLabel = RowStatement("SELECT 1 FROM \"row_labels\" WHERE \"user_id\" = ? LIMIT 1")
    private static let someLabels = RowStatement(
        """
        SELECT "row_id", "trust" FROM "row_labels" WHERE "user_id" = ? AND "row_id" >= ? AND "row_id" <= ?
        """)
    private static let lowerLabel = RowStatement(
        "UPDATE \"row_labels\" SET \"trust\" = ? WHERE \"user_id\" = ? AND \"row_id\" = ?")

    private var labels: UserTable? { snapshot.tables[RowLabels.table.name] }

    /// The labels of those rows that have one.
    func labels(of ids: [Int64]) throws -> [Int64: TrustLabel] {
        guard let first = ids.min(), let last = ids.max(), labels != nil else { return [:] }
        // Most people have none at all: asked once in a transaction.
        if context.hasLabels == nil {
            context.hasLabels = try engine.run(RowExecutor.anyLabel, [.int(user)]).rowCount > 0
        }
        guard context.hasLabels == true else { return [:] }
        let wanted = Set(ids)
        let answer = try engine.run(RowExecutor.someLabels, [.int(user), .int(first), .int(last)])
        var found: [Int64: TrustLabel] = [:]
        for row in 0..<answer.rowCount {
            guard case .int(let id) = answer.values[row * 2], wanted.contains(id),
                case .text(let name) = answer.values[row * 2 + 1]
            else { continue }
            found[id] = TrustLabel(rawValue: name) ?? .untrusted
        }
        return found
    }

    /// Tells the call that runs what it reads of others' words.
    func tell(_ rows: [UserRow], of table: UserTable) throws {
        guard let provenance = context.provenance, !rows.isEmpty, table !== labels else { return }
        let labels = try labels(of: rows.map(\.id.rawValue))
        guard !labels.isEmpty else { return }
        for row in rows {
            guard let trust = labels[row.id.rawValue] else { continue }
            var texts: [String] = []
            for column in row.columns where column != "id" && !column.hasSuffix("_at") {
                RowExecutor.texts(of: row[column], into: &texts)
            }
            provenance.read(row: row.id.rawValue, trust: trust, texts: texts)
        }
    }

    /// What the call that runs writes of others' words is labelled.
    func labelWritten(_ id: Int64, of table: UserTable, _ values: JSONObject) throws {
        guard let provenance = context.provenance, table !== labels else { return }
        var texts: [String] = []
        for (_, value) in values { RowExecutor.texts(of: value, into: &texts) }
        try label(id, as: provenance.written(texts))
    }

    private static func texts(of value: JSON, into texts: inout [String]) {
        switch value {
        case .string(let text): if !text.utf8.allSatisfy({ (48...57).contains($0) }) { texts.append(text) }
        case .array(let items): for item in items { self.texts(of: item, into: &texts) }
        case .object(let members): for member in members { self.texts(of: member.value, into: &texts) }
        default: break
        }
    }

    /// Labels a row; one that is trusted less already stays so.
    func label(_ id: Int64, as trust: TrustLabel) throws {
        guard trust > .system, let labels else { return }
        context.hasLabels = context.hasLabels == true ? true : nil
        if let known = try self.labels(of: [id])[id] {
            guard trust > known else { return }
            _ = try engine.run(RowExecutor.lowerLabel, [.text(trust.rawValue), .int(user), .int(id)])
        } else {
            let now = SQLValue.int(now.millisecondsSinceEpoch)
            _ = try engine.run(
                labels.insertStatement,
                [
                    .int(user), .int(context.store.ids.next().rawValue), now, now, .int(1), .int(id),
                    .text(trust.rawValue),
                ])
            context.hasLabels = true
        }
        context.noteChange(of: labels)
    }
}

extension ReadTransaction {
    /// How far the scope's person's rows of these ids are to be trusted: those that are not in the result are the person's
    /// own.
    public func trust(of rows: [RecordID]) throws -> [RecordID: TrustLabel] {
        let executor = try RowExecutor(context, access: .host, origin: nil, quota: nil)
        var found: [RecordID: TrustLabel] = [:]
        for (id, trust) in try executor.labels(of: rows.map(\.rawValue)) { found[RecordID(rawValue: id)] = trust }
        return found
    }
}

extension WriteTransaction {
    /// Labels a row as what others wrote; nothing for `owner` and `system`. A label never gets better.
    public func label(_ row: RecordID, as trust: TrustLabel) throws {
        try RowExecutor(context, access: .host, origin: nil, quota: nil).label(row.rawValue, as: trust)
    }
}
