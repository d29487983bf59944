import TandemJSON

/// A compiled schema: nodes in one block, rules beside them, all immutable once built.
final class SchemaProgram: @unchecked Sendable {
    // Written only before init returns; afterwards every thread only reads.

    let nodes: UnsafeMutablePointer<SchemaNode>
    let nodeCount: Int
    /// Whether any `$dynamicRef` needs to know through which resources evaluation came.
    let tracksScope: Bool
    let limits: SchemaLimits

    init(_ built: [SchemaNode], tracksScope: Bool, limits: SchemaLimits) {
        nodeCount = built.count
        nodes = .allocate(capacity: Swift.max(built.count, 1))
        nodes.initialize(from: built, count: built.count)
        self.tracksScope = tracksScope
        self.limits = limits
    }

    deinit {
        for index in 0..<nodeCount { nodes[index].release() }
        nodes.deinitialize(count: nodeCount)
        nodes.deallocate()
    }
}

/// A place in `SchemaProgram.nodes`.
typealias NodeIndex = Int32

/// The kinds of JSON Schema, as bits.
struct SchemaTypes: OptionSet, Sendable {
    let rawValue: UInt8

    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let integer = SchemaTypes(rawValue: 4)
    /// Numbers that are not integers; the keyword value `number` stands for both bits.
    static let fraction = SchemaTypes(rawValue: 8)
    static let string = SchemaTypes(rawValue: 16)
    static let array = SchemaTypes(rawValue: 32)
    static let object = SchemaTypes(rawValue: 64)
    static let number: SchemaTypes = [.integer, .fraction]
    static let any = SchemaTypes(rawValue: 127)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init?(name: String) {
        switch name {
        case "null": self = .null
        case "boolean": self = .boolean
        case "integer": self = .integer
        case "number": self = .number
        case "string": self = .string
        case "array": self = .array
        case "object": self = .object
        default: return nil
        }
    }

    /// The names for a message, such as "a string or null".
    var text: String {
        var names: [String] = []
        if contains(.null) { names.append("null") }
        if contains(.boolean) { names.append("a boolean") }
        if contains(.fraction) { names.append("a number") } else if contains(.integer) { names.append("an integer") }
        if contains(.string) { names.append("a string") }
        if contains(.array) { names.append("an array") }
        if contains(.object) { names.append("an object") }
        return names.joined(separator: " or ")
    }
}

/// One subschema: plain data, with its rules by the kind of value they apply to.
///
/// Rules are owned by the program; a nil pointer means that the subschema says nothing about such values.
struct SchemaNode {
    var types: SchemaTypes = .any
    /// The boolean schema `false`.
    var isFalse = false
    /// The resource (document or embedded `$id`) that the subschema belongs to.
    var resource: Int32 = 0
    var number: UnsafeMutablePointer<NumberRules>?
    var string: UnsafeMutablePointer<StringRules>?
    var array: UnsafeMutablePointer<ArrayRules>?
    var object: UnsafeMutablePointer<ObjectRules>?
    var general: UnsafeMutablePointer<GeneralRules>?
    /// Where the subschema stands, for messages.
    var location: UnsafeMutablePointer<String>?

    /// Whether every value passes.
    var isTrivial: Bool {
        types == .any && !isFalse && number == nil && string == nil && array == nil && object == nil && general == nil
    }

    static func box<Rules>(_ rules: Rules) -> UnsafeMutablePointer<Rules> {
        let pointer = UnsafeMutablePointer<Rules>.allocate(capacity: 1)
        pointer.initialize(to: rules)
        return pointer
    }

    func release() {
        func free<Rules>(_ pointer: UnsafeMutablePointer<Rules>?) {
            pointer?.deinitialize(count: 1)
            pointer?.deallocate()
        }
        free(number)
        free(string)
        free(array)
        free(object)
        free(general)
        free(location)
    }
}

/// A bound on numbers, compared exactly.
enum NumberBound {
    case integer(Int64)
    case double(Double)

    init(_ value: JSON) {
        if let integer = value.int64Value {
            self = .integer(integer)
        } else {
            self = .double(value.doubleValue ?? 0)
        }
    }

    var text: String {
        switch self {
        case .integer(let value): JSON.integer(value).text
        case .double(let value): JSON.number(value).text
        }
    }
}

/// Keywords on numbers.
struct NumberRules {
    var minimum: NumberBound?
    var maximum: NumberBound?
    var exclusiveMinimum: NumberBound?
    var exclusiveMaximum: NumberBound?
    var multipleOf: ExactDecimal?
    /// The same divisor when it is an integer.
    var integerDivisor: Int64 = 0
    var multipleOfText = ""
}

/// Keywords on strings.
struct StringRules {
    var minLength = 0
    var maxLength = Int.max
    var pattern: SchemaPattern?
    var format: SchemaFormat?
}

/// Keywords on arrays; -1 stands for a keyword that is absent.
struct ArrayRules {
    var minItems = 0
    var maxItems = Int.max
    var uniqueItems = false
    var prefix: [NodeIndex] = []
    var items: NodeIndex = -1
    var itemsKeyword = "items"
    var contains: NodeIndex = -1
    var minContains = 1
    var maxContains = Int.max
    var unevaluated: NodeIndex = -1
}

/// Keywords on objects; -1 stands for a keyword that is absent.
struct ObjectRules {
    /// A name that the schema mentions under `properties` or `required`.
    struct Entry {
        var words: SmallString.Words
        var isSmall: Bool
        var name: String
        var node: NodeIndex
        /// The bit of a required member, or 0.
        var required: UInt64
    }

    var entries: [Entry] = []
    /// Open addressing over `entries`: the index plus one, 0 for an empty slot; a power of two in size.
    var slots: [UInt32] = []
    /// All the bits of required members.
    var requiredMask: UInt64 = 0
    /// Required names beyond the 64th.
    var furtherRequired: [String] = []
    var patterns: [(pattern: SchemaPattern, text: String, node: NodeIndex)] = []
    var additional: NodeIndex = -1
    var propertyNames: NodeIndex = -1
    var minProperties = 0
    var maxProperties = Int.max
    var dependentRequired: [(name: String, required: [String])] = []
    var dependentSchemas: [(name: String, node: NodeIndex)] = []
    var unevaluated: NodeIndex = -1
    /// Whether members have to be looked at one by one.
    var visitsMembers = false
}

/// Keywords on values of every kind; -1 stands for a keyword that is absent.
struct GeneralRules {
    var constant: JSON?
    var values: [JSON]?
    /// The words of `values` when all of them are short strings, for comparison without calls.
    var smallValues: [SmallString.Words] = []
    var reference: NodeIndex = -1
    var dynamicReference: NodeIndex = -1
    /// Where `$dynamicRef` leads when evaluation came through a resource that has the anchor.
    var dynamicTargets: [(resource: Int32, node: NodeIndex)] = []
    var allOf: [NodeIndex] = []
    var anyOf: [NodeIndex] = []
    var oneOf: [NodeIndex] = []
    var not: NodeIndex = -1
    var condition: NodeIndex = -1
    var then: NodeIndex = -1
    var otherwise: NodeIndex = -1
    /// `unevaluatedProperties` or `unevaluatedItems` is present, so this subschema tracks what was evaluated.
    var tracks = false
    /// `enum` and `const` alone: the other members need not be looked at.
    var isOnlyValues = false
}
