import CPostgreSQL

/// A statement's text on one connection, with a prepared form for each list of types that its values came in.
final class PostgreSQLText {
    let text: String
    /// Keeps the key of the connection's table alive, for a statement of the storage.
    let source: RowStatement?
    var forms: [PostgreSQLStatement] = []

    init(_ text: String, source: RowStatement? = nil) {
        self.text = text
        self.source = source
    }
}

/// One prepared statement of one connection (https://www.postgresql.org/docs/15/libpq-exec.html, PQprepare).
final class PostgreSQLStatement {
    enum State {
        case new
        /// On its way in the pipeline.
        case sent
        case ready
    }

    let name: String
    let text: PostgreSQLText
    /// Type of each parameter by its object id; 0 until the server says what it takes a null for.
    var types: [Oid]
    var state = State.new
    var isDescribed = true
    private var names: SQLColumnNames?
    private var columns: [PostgreSQLType] = []

    init(name: String, text: PostgreSQLText, types: [Oid]) {
        self.name = name
        self.text = text
        self.types = types
    }

    func takes(_ binds: [SQLValue]) -> Bool {
        guard binds.count == types.count else { return false }
        for (bind, type) in zip(binds, types) where !PostgreSQLType.canEncode(bind, as: type) { return false }
        return true
    }

    func columnNames(_ result: OpaquePointer) -> SQLColumnNames {
        if let names { return names }
        let made = SQLColumnNames(
            (0..<PQnfields(result)).map { index in PQfname(result, index).map { String(cString: $0) } ?? "" })
        names = made
        return made
    }

    func appendRows(of result: OpaquePointer, to values: inout [SQLValue]) {
        let count = PQnfields(result)
        if columns.count != Int(count) { columns = (0..<count).map { PostgreSQLType(PQftype(result, $0)) } }
        let rows = PQntuples(result)
        values.reserveCapacity(values.count + Int(rows) * Int(count))
        for row in 0..<rows {
            for column in 0..<count {
                guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
                    values.append(.null)
                    continue
                }
                let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
                values.append(columns[Int(column)].decode(bytes))
            }
        }
    }
}

/// A type of the server in its binary form (the `typreceive` and `typsend` functions of
/// https://www.postgresql.org/docs/15/catalog-pg-type.html): numbers are big-endian.
enum PostgreSQLType {
    case integer, real, boolean, text, bytes, numeric, other

    static let int8: Oid = 20
    static let float8: Oid = 701
    static let textType: Oid = 25
    static let bytea: Oid = 17

    init(_ oid: Oid) {
        switch oid {
        case 16: self = .boolean
        case 17: self = .bytes
        case 20, 21, 23, 26: self = .integer
        case 700, 701: self = .real
        case 18, 19, 25, 705, 1042, 1043, 114: self = .text
        case 1700: self = .numeric
        default: self = .other
        }
    }

    /// The type that a value comes in; 0 for null, which has none.
    static func natural(_ value: SQLValue) -> Oid {
        switch value {
        case .null: 0
        case .int: int8
        case .real: float8
        case .text: textType
        case .blob: bytea
        }
    }

    static func canEncode(_ value: SQLValue, as oid: Oid) -> Bool {
        switch (value, oid) {
        case (.null, _), (.int, 20), (.int, 701), (.real, 701), (.text, 25), (.text, 1043), (.blob, 17): true
        case (.int(let number), 23): Int32(exactly: number) != nil
        case (.int(let number), 21): Int16(exactly: number) != nil
        case (.int(let number), 16): number == 0 || number == 1
        default: false
        }
    }

    func decode(_ bytes: UnsafeRawBufferPointer) -> SQLValue {
        switch self {
        case .integer:
            switch bytes.count {
            case 8: return .int(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
            // An object id has no sign, and none of ours is that large.
            case 4: return .int(Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))))
            case 2: return .int(Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self))))
            default: return .null
            }
        case .real:
            switch bytes.count {
            case 8: return .real(Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))))
            case 4: return .real(Double(Float(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))))
            default: return .null
            }
        case .boolean: return .int(bytes.first == 1 ? 1 : 0)
        case .text: return .text(String(decoding: bytes, as: UTF8.self))
        case .bytes, .other: return .blob([UInt8](bytes))
        case .numeric: return PostgreSQLType.numeric(bytes)
        }
    }

    /// Groups of four decimal digits: their count, the weight of the first, sign, scale, then the groups.
    private static func numeric(_ bytes: UnsafeRawBufferPointer) -> SQLValue {
        func word(_ index: Int) -> Int16? {
            guard index * 2 + 2 <= bytes.count else { return nil }
            return Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self))
        }
        guard let count = word(0), let weight = word(1), let sign = word(2), count >= 0 else { return .null }
        guard sign == 0 || UInt16(bitPattern: sign) == 0x4000 else { return .real(.nan) }
        let groups = (0..<Int(count)).compactMap { word(4 + $0) }
        if groups.count <= Int(weight) + 1 {
            var value: Int64 = 0
            var isWithin = true
            for place in 0...max(0, Int(weight)) {
                let (product, first) = value.multipliedReportingOverflow(by: 10_000)
                let digits = Int64(place < groups.count ? groups[place] : 0)
                // Negative throughout: its range reaches one further.
                let (sum, second) = product.subtractingReportingOverflow(digits)
                value = sum
                if first || second { isWithin = false }
            }
            if isWithin, sign != 0 { return .int(value) }
            if isWithin, value != .min { return .int(-value) }
        }
        var value = 0.0
        for (place, group) in groups.enumerated() {
            var factor = 1.0
            for _ in 0..<abs(Int(weight) - place) { factor *= 10_000 }
            value += Int(weight) >= place ? Double(group) * factor : Double(group) / factor
        }
        return .real(sign == 0 ? value : -value)
    }
}

/// The parameters of one execution, in memory that is used again.
struct PostgreSQLBinds: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity = 4096
    private(set) var values: [UnsafePointer<CChar>?] = []
    private(set) var lengths: [Int32] = []
    /// All binary.
    private(set) var formats: [Int32] = []

    init() { memory = .allocate(byteCount: capacity, alignment: 8) }

    deinit { memory.deallocate() }

    /// Encodes values that `PostgreSQLStatement.takes`; the pointers stay valid until the next call.
    mutating func set(_ binds: [SQLValue], as types: [Oid]) {
        var needed = 0
        for bind in binds {
            switch bind {
            case .null: break
            case .int, .real: needed += 8
            case .text(let text): needed += text.utf8.count + 1
            case .blob(let bytes): needed += bytes.count + 1
            }
        }
        if needed > capacity || (capacity > 1 << 20 && needed < 1 << 16) {
            memory.deallocate()
            capacity = max(4096, needed)
            memory = .allocate(byteCount: capacity, alignment: 8)
        }
        values.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        var used = 0
        for (bind, type) in zip(binds, types) {
            let start = memory + used
            var count = 0
            switch bind {
            case .null:
                values.append(nil)
                lengths.append(0)
                continue
            case .int(let number): count = PostgreSQLBinds.write(number, as: type, to: start)
            case .real(let number):
                start.storeBytes(of: number.bitPattern.bigEndian, as: UInt64.self)
                count = 8
            case .text(var text):
                count = text.withUTF8 { source in
                    if let base = source.baseAddress { start.copyMemory(from: base, byteCount: source.count) }
                    return source.count
                }
            case .blob(let bytes):
                bytes.withUnsafeBytes { source in
                    if let base = source.baseAddress { start.copyMemory(from: base, byteCount: source.count) }
                }
                count = bytes.count
            }
            values.append(UnsafePointer(start.assumingMemoryBound(to: CChar.self)))
            lengths.append(Int32(clamping: count))
            // Never past the end: an empty value has a place, too.
            used += max(count, 1)
        }
        if formats.count != values.count { formats = Array(repeating: 1, count: values.count) }
    }

    private static func write(_ number: Int64, as type: Oid, to start: UnsafeMutableRawPointer) -> Int {
        switch type {
        case 23:
            start.storeBytes(of: Int32(truncatingIfNeeded: number).bigEndian, as: Int32.self)
            return 4
        case 21:
            start.storeBytes(of: Int16(truncatingIfNeeded: number).bigEndian, as: Int16.self)
            return 2
        case 16:
            start.storeBytes(of: number == 0 ? 0 : 1, as: UInt8.self)
            return 1
        case 701:
            start.storeBytes(of: Double(number).bitPattern.bigEndian, as: UInt64.self)
            return 8
        default:
            start.storeBytes(of: number.bigEndian, as: Int64.self)
            return 8
        }
    }
}
