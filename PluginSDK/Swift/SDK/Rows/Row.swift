public import TandemJSON

/// A row of one of the plugin's tables: a struct whose stored properties are its columns.
///
///     struct Glass: Row {
///         static let table = Table<Glass>("water_glasses", "glasses of water that you drank", .index(\.day))
///         var id = RowID()
///         var day: Day
///         var glasses: Int
///     }
///
/// The column's name is the property's in snake case. Optional properties are nullable columns. `createdAt` and
/// `updatedAt` (`Instant?`) may be declared to read what the host keeps; they are never written. The host adds the
/// person; a row is only ever that person's.
public protocol Row: Entity, JSONRepresentable {
    static var table: Table<Self> { get }

    /// Given by the host when the row is inserted.
    var id: RowID { get set }
}

extension Row {
    /// The table's name, for rows that people do not refer to.
    public static var entity: String { table.name }

    public static var shape: Shape { Shape(schema: StructLayout.of(Self.self).schema, column: nil) }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .object(let object) = json else { throw ShapeError("a row") }
        self = try StructLayout.of(Self.self).decode(Self.self, object, reader)
    }

    public var json: JSON { .object(StructLayout.of(Self.self).encode(self, omittingNulls: true)) }
}

/// The columns that every table has.
let impliedColumns: Set<String> = ["id", "created_at", "updated_at"]

/// A table: its name, what a row is in a few words for consent and export, and what the types of the columns do not say.
public struct Table<R: Row>: Sendable {
    /// `[a-z][a-z0-9_]{0,47}`.
    public let name: String
    /// `the items on your grocery list`.
    public let purpose: String
    let options: [TableOption<R>]

    public init(_ name: String, _ purpose: String, _ options: TableOption<R>...) {
        self.name = name
        self.purpose = purpose
        self.options = options
    }
}

/// Something about a table that the types of the columns do not say.
public struct TableOption<R: Row>: Sendable {
    enum Kind: Sendable {
        case sealed
        case searchable
        case scale(Int)
        case references(String)
        case standard(JSON)
        case index(unique: Bool)
        case copy
    }

    let kind: Kind
    /// Places of the columns in the struct; nil for a path that is no stored property.
    let offsets: [Int?]

    private init(_ kind: Kind, _ paths: [PartialKeyPath<R>]) {
        self.kind = kind
        offsets = paths.map { MemoryLayout<R>.offset(of: $0) }
    }

    /// Encrypted at rest; found only by equality, never ordered, ranged or summed.
    public static func sealed(_ columns: PartialKeyPath<R>...) -> TableOption { TableOption(.sealed, columns) }

    /// Texts that the person finds by words and meaning among all that they have; of JSON the texts within.
    public static func searchable(_ columns: PartialKeyPath<R>...) -> TableOption {
        TableOption(.searchable, columns)
    }

    /// Digits after the point of a decimal column; 4 otherwise.
    public static func scale(_ column: PartialKeyPath<R>, _ places: Int) -> TableOption {
        TableOption(.scale(places), [column])
    }

    /// The column holds the id of a row of that table, and goes with it.
    public static func references<Other: Row>(_ column: PartialKeyPath<R>, _ other: Other.Type) -> TableOption {
        TableOption(.references(other.table.name), [column])
    }

    /// The value of rows that were there before the column.
    public static func standard<V: JSONRepresentable>(_ column: KeyPath<R, V>, _ value: V) -> TableOption {
        TableOption(.standard(value.json), [column])
    }

    /// The rows mirror what lies elsewhere: handlers of effect `read` may write them, tools of effect `read` may not; the
    /// host deletes them when the person switches the plugin off.
    public static var copy: TableOption { TableOption(.copy, []) }

    /// Makes finding by these columns, in this order, fast.
    public static func index(_ columns: PartialKeyPath<R>...) -> TableOption {
        TableOption(.index(unique: false), columns)
    }

    /// No two rows of one person agree in all of these columns.
    public static func unique(_ columns: PartialKeyPath<R>...) -> TableOption {
        TableOption(.index(unique: true), columns)
    }
}

extension Row {
    /// It mirrors what lies elsewhere.
    static var isCopy: Bool {
        table.options.contains { option in
            if case .copy = option.kind { return true }
            return false
        }
    }

    /// The manifest's form of the table.
    static var tableJSON: JSON {
        let layout = StructLayout.of(Self.self)
        var columns: [(name: String, json: JSONObject)] = []
        for field in layout.fields where !impliedColumns.contains(field.name) {
            guard let type = field.shape.column else { continue }
            var column: JSONObject = ["name": .string(field.name), "type": .string(type.name)]
            if case .decimal(let scale) = type { column["scale"] = .integer(Int64(scale)) }
            if field.shape.isOptional { column["nullable"] = true }
            columns.append((field.name, column))
        }
        var indexes: [JSON] = []
        for option in table.options {
            let names = option.offsets.compactMap { offset in offset.flatMap { layout.field(at: $0)?.name } }
            if case .copy = option.kind { continue }
            if case .index(let unique) = option.kind {
                var index: JSONObject = ["columns": names.json]
                if unique { index["unique"] = true }
                indexes.append(.object(index))
                continue
            }
            for place in columns.indices where names.contains(columns[place].name) {
                switch option.kind {
                case .sealed: columns[place].json["sealed"] = true
                case .searchable: columns[place].json["searchable"] = true
                case .scale(let scale): columns[place].json["scale"] = .integer(Int64(scale))
                case .references(let other): columns[place].json["references"] = .string(other)
                case .standard(let value): columns[place].json["default"] = value
                case .index, .copy: break
                }
            }
        }
        var json: JSONObject = [
            "name": .string(table.name), "purpose": .string(table.purpose),
            "columns": .array(columns.map { .object($0.json) }),
        ]
        if !indexes.isEmpty { json["indexes"] = .array(indexes) }
        if isCopy { json["copy"] = true }
        return .object(json)
    }
}
