public import TandemJSON

/// An argument of a tool: a property of the tool's struct.
///
///     @Argument("What to add, with amounts") var items: [Quantity]
///     @Argument("Which store") var store: String?
///     @Argument("How urgent it is") var priority = Priority.normal
///
/// Without a default value and not optional, it is required. Its name on the wire, in schema, slots and utterances, is
/// the property's in snake case. The host has validated the value against the schema before the tool runs.
@propertyWrapper
public struct Argument<Value: JSONRepresentable>: Sendable {
    enum Storage {
        case declared(ArgumentDeclaration, Value?)
        case value(Value)
    }

    var storage: Storage

    /// A required argument, or one that is nil when left out.
    ///
    /// - Parameters:
    ///   - description: What it means, for the language model and the documentation.
    ///   - slot: How the planner fills it, where the type's own way does not fit.
    ///   - planned: False for an argument that the planner never fills from words.
    ///   - hints: Words that often surround or stand for it.
    ///   - schema: Members to add to the type's JSON Schema: `["minimum": 1]`.
    ///   - name: The name on the wire, where the property's does not fit.
    public init(
        _ description: String = "", slot: SlotKind? = nil, planned: Bool = true, hints: [String] = [],
        schema: JSONObject = [:], name: String? = nil
    ) {
        storage = .declared(
            ArgumentDeclaration(
                description: description, slot: slot, isPlanned: planned, hints: hints, schema: schema, name: name),
            Value.whenAbsent)
    }

    /// An argument that may be left out and then has this value.
    public init(
        wrappedValue: Value, _ description: String = "", slot: SlotKind? = nil, planned: Bool = true,
        hints: [String] = [], schema: JSONObject = [:], name: String? = nil
    ) {
        storage = .declared(
            ArgumentDeclaration(
                description: description, slot: slot, isPlanned: planned, hints: hints, schema: schema, name: name),
            wrappedValue)
    }

    /// The value. Reading a required argument of a tool that nobody called is a mistake of the program.
    public var wrappedValue: Value {
        get {
            switch storage {
            case .value(let value): return value
            case .declared(_, let value?): return value
            case .declared(_, nil): preconditionFailure("a required argument was read before it was set")
            }
        }
        set { storage = .value(newValue) }
    }
}

extension Argument.Storage: Sendable {}

/// What an author said about an argument.
final class ArgumentDeclaration: Sendable {
    let description: String
    let slot: SlotKind?
    let isPlanned: Bool
    let hints: [String]
    let schema: JSONObject
    let name: String?

    init(description: String, slot: SlotKind?, isPlanned: Bool, hints: [String], schema: JSONObject, name: String?) {
        self.description = description
        self.slot = slot
        self.isPlanned = isPlanned
        self.hints = hints
        self.schema = schema
        self.name = name
    }
}

/// How a tool's layout deals with any `Argument`, whatever its value.
protocol AnyArgument {
    static func field(property: String, offset: Int, in prototype: UnsafeRawPointer) -> ArgumentField?
}

/// One argument of one tool, ready to be set at its place in the tool's struct. A class, so that walking the arguments
/// of a call copies nothing.
final class ArgumentField: Sendable {
    let name: String
    let property: String
    let declaration: ArgumentDeclaration
    let shape: Shape
    let isRequired: Bool
    let defaultValue: JSON?
    let assign: @Sendable (UnsafeMutableRawPointer, JSON, Reader) throws(ShapeError) -> Void
    let read: @Sendable (UnsafeRawPointer) -> JSON?

    init(
        name: String, property: String, declaration: ArgumentDeclaration, shape: Shape, isRequired: Bool,
        defaultValue: JSON?,
        assign: @escaping @Sendable (UnsafeMutableRawPointer, JSON, Reader) throws(ShapeError) -> Void,
        read: @escaping @Sendable (UnsafeRawPointer) -> JSON?
    ) {
        self.name = name
        self.property = property
        self.declaration = declaration
        self.shape = shape
        self.isRequired = isRequired
        self.defaultValue = defaultValue
        self.assign = assign
        self.read = read
    }

    /// The slot that the planner fills, if any.
    var slot: SlotKind? { declaration.isPlanned ? declaration.slot ?? shape.slot : nil }

    /// The member of `properties`.
    var schema: JSON {
        guard case .object(var schema) = shape.schema else {
            guard !declaration.description.isEmpty || !declaration.schema.isEmpty else { return shape.schema }
            var schema = declaration.schema
            if !declaration.description.isEmpty { schema["description"] = .string(declaration.description) }
            return .object(schema)
        }
        if !declaration.description.isEmpty { schema["description"] = .string(declaration.description) }
        if let defaultValue, !defaultValue.isNull { schema["default"] = defaultValue }
        for (name, value) in declaration.schema { schema[name] = value }
        return .object(schema)
    }
}

extension Argument: AnyArgument {
    static func field(property: String, offset: Int, in prototype: UnsafeRawPointer) -> ArgumentField? {
        let argument = (prototype + offset).assumingMemoryBound(to: Self.self).pointee
        guard case .declared(let declaration, let initial) = argument.storage else { return nil }
        let name = declaration.name ?? snakeCase(property)
        return ArgumentField(
            name: name, property: property, declaration: declaration, shape: Value.shape, isRequired: initial == nil,
            defaultValue: initial?.json,
            assign: { base, json, reader throws(ShapeError) in
                do throws(ShapeError) {
                    let value = try Value(json: json, reader: reader)
                    (base + offset).assumingMemoryBound(to: Self.self).pointee.storage = .value(value)
                } catch {
                    throw error.within(name)
                }
            },
            read: { base in
                switch (base + offset).assumingMemoryBound(to: Self.self).pointee.storage {
                case .value(let value): value.json
                case .declared: nil
                }
            })
    }
}
