extension JSON {
    /// Whether this is `null`.
    @inlinable public var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    /// The boolean, or nil for any other kind.
    @inlinable public var boolValue: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    /// The integer, also of a `.number` without fraction within `Int64`.
    @inlinable public var int64Value: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): exactInt64(value)
        default: nil
        }
    }

    /// The number as a double; integers beyond 2^53 are rounded.
    @inlinable public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The string, or nil for any other kind.
    @inlinable public var stringValue: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    /// The elements, or nil for any other kind.
    @inlinable public var arrayValue: [JSON]? {
        if case .array(let value) = self { return value }
        return nil
    }

    /// The members, or nil for any other kind.
    @inlinable public var objectValue: JSONObject? {
        if case .object(let value) = self { return value }
        return nil
    }

    /// A member of an object; nil when this is no object or has no such member.
    ///
    /// Setting nil removes the member. Setting on anything but an object replaces `null` by a new object and
    /// otherwise does nothing.
    @inlinable
    public subscript(key: String) -> JSON? {
        get {
            guard case .object(let object) = self else { return nil }
            return object[key]
        }
        set {
            switch self {
            case .object(var object):
                self = .null
                object[key] = newValue
                self = .object(object)
            case .null:
                guard let newValue else { return }
                var object = JSONObject()
                object[key] = newValue
                self = .object(object)
            default: return
            }
        }
    }

    /// An element of an array; nil when this is no array or the index is outside it.
    @inlinable
    public subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, index >= 0, index < elements.count else { return nil }
        return elements[index]
    }
}

/// The integer equal to a double, or nil.
///
/// `Int64(exactly:)` would need the C library's `trunc`, and this module links nothing but the standard library.
@inlinable
@inline(__always)
func exactInt64(_ value: Double) -> Int64? {
    // Both bounds are powers of two and exact; NaN fails them.
    guard value >= -0x1p63, value < 0x1p63 else { return nil }
    let integer = Int64(value)
    return Double(integer) == value ? integer : nil
}
