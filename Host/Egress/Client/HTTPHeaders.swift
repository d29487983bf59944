/// The header fields of a request or response, in their order; names compare without regard to case (RFC 9110 §5.1).
public struct HTTPHeaders: Sendable, Hashable {
    public struct Field: Sendable, Hashable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var fields: [Field] = []

    public init() {}

    public mutating func append(_ name: String, _ value: String) { fields.append(Field(name, value)) }

    /// The first field of this name. Setting replaces all of the name by one; setting nil removes them.
    public subscript(name: String) -> String? {
        get { fields.first { isSameName($0.name, name) }?.value }
        set {
            fields.removeAll { isSameName($0.name, name) }
            if let newValue { fields.append(Field(name, newValue)) }
        }
    }

    /// All values of this name, in order.
    public func all(_ name: String) -> [String] {
        fields.compactMap { isSameName($0.name, name) ? $0.value : nil }
    }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field($0.0, $0.1) }
    }
}

extension HTTPHeaders: CustomStringConvertible {
    /// The names only: values may hold credentials.
    public var description: String { "[" + fields.map(\.name).joined(separator: ", ") + "]" }
}

extension HTTPHeaders.Field: CustomStringConvertible {
    public var description: String { name }
}

private func isSameName(_ left: String, _ right: String) -> Bool {
    left.utf8.count == right.utf8.count
        && zip(left.utf8, right.utf8).allSatisfy { a, b in
            a == b || ((a | 0x20) == (b | 0x20) && (a | 0x20) &- 97 < 26)
        }
}
