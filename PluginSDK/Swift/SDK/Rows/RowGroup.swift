internal import TandemJSON

/// One group of a sum: the values of the columns it was grouped by, the exact sum and the number of rows.
public struct RowGroup<R: Row>: Sendable {
    let key: JSONObject
    public let sum: Decimal
    public let count: Int

    init(_ json: JSON) throws(ToolError) {
        guard case .object(let key) = json["key"] ?? [:], let count = json["count"]?.int64Value,
            let value = json["sum"], let sum = value.isNull ? .zero : try? Decimal(json: value, reader: Reader())
        else { throw RowOperations.unreadable }
        self.key = key
        self.sum = sum
        self.count = Int(count)
    }

    /// The value of a column that the sum was grouped by; nil for any other.
    public subscript<V: JSONRepresentable>(column: KeyPath<R, V>) -> V? {
        guard let name = MemoryLayout<R>.offset(of: column).flatMap({ StructLayout.of(R.self).field(at: $0)?.name }),
            let json = key[name]
        else { return nil }
        return try? V(json: json, reader: Reader())
    }
}
