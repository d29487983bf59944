public import TandemCore
import TandemJSON
public import TandemStorage

/// What of one table is searched: its columns, and the text that a row of them is found by.
public struct SearchSource: Sendable {
    public var table: String
    public var columns: RowColumns
    public var tuning: RecallTuning
    /// What a row is found by, and its time; nil: it is not to be found.
    public var text: @Sendable (SearchedRow) -> (text: String, at: Timestamp)?

    public init(
        table: String, columns: [String], tuning: RecallTuning = .facts,
        text: @escaping @Sendable (SearchedRow) -> (text: String, at: Timestamp)?
    ) {
        self.table = table
        self.columns = RowColumns(columns)
        self.tuning = tuning
        self.text = text
    }

    /// Bytes of a row's text that are looked at, where nothing else is said.
    static let longestText = 8192

    /// The searchable columns of a table, as they are; nil when it has none.
    public init?(of definition: TableDefinition) {
        let columns = definition.columns.filter(\.isSearchable).map(\.name)
        guard !columns.isEmpty else { return nil }
        self.init(table: definition.name, columns: columns) { row in
            var texts: [String] = []
            for value in row.values { SearchSource.take(value, depth: 0, into: &texts) }
            let text = texts.joined(separator: "\n")
            return text.isEmpty ? nil : (SearchSource.cut(text), row.updatedAt)
        }
    }

    /// The words within a value; ids, addresses of the web and lone numbers are none.
    private static func take(_ value: JSON, depth: Int, into texts: inout [String]) {
        switch value {
        case .string(let text):
            let isWords =
                depth == 0
                || text.utf8.contains(32)
                || text.utf8.count <= 40 && !text.utf8.contains { (48...57).contains($0) }
                    && text.contains(where: \.isLetter)
            if isWords, !text.isEmpty { texts.append(text) }
        case .array(let items): if depth < 4 { for item in items { take(item, depth: depth + 1, into: &texts) } }
        case .object(let members):
            if depth < 4 { for (_, member) in members { take(member, depth: depth + 1, into: &texts) } }
        default: break
        }
    }

    static func cut(_ text: String) -> String {
        guard text.utf8.count > longestText else { return text }
        return String(decoding: text.utf8.prefix(longestText), as: UTF8.self)
    }
}
