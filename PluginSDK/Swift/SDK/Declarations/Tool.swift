public import TandemJSON

/// One thing that an assistant can do: a struct with its arguments as properties and `run` as its body.
///
///     struct Drink: Tool {
///         static let declaration = ToolDeclaration(
///             "water.drink", "Count a glass of water", effect: .write,
///             utterances: ["I drank [{glasses}] (glass|glasses) of water"])
///
///         @Argument("How many glasses") var glasses = 1
///
///         func run(_ context: Context) async throws -> Reply<Int> { … }
///     }
///
/// A value is made for each call. `run` may throw `ToolError`, `Ask` or `AuthRequired`; any other error is reported to
/// the person as a failure without details and logged by its type.
public protocol Tool: TakingArguments {
    associatedtype Output: ToolOutput

    static var declaration: ToolDeclaration { get }

    /// JSON Schema of the arguments; made of the `@Argument` properties unless a tool says otherwise. A tool that gives
    /// its own reads `context.arguments`.
    static var parameters: JSON { get }

    /// JSON Schema of the result; by default that of `Output`.
    static var result: JSON { get }

    func run(_ context: Context) async throws -> Output
}

/// A struct whose `@Argument` properties are set for each call.
public protocol TakingArguments: Sendable {
    init()
}

extension Tool {
    public static var parameters: JSON { ToolLayout(Self.self).parameters }
    public static var result: JSON { Output.resultSchema }

    /// The arguments that were set, as they go over the wire; for calling a tool from a test.
    public var arguments: JSON { ToolLayout(Self.self).arguments(of: self) }
}

/// The arguments of a tool or a handler, found once.
struct ToolLayout<T: TakingArguments>: Sendable {
    let prototype: T
    let fields: [ArgumentField]
    let problems: [String]

    init(_ type: T.Type) {
        let prototype = T()
        var fields: [ArgumentField] = []
        var problems: [String] = []
        let isStruct = withUnsafeBytes(of: prototype) { bytes in
            forEachStoredProperty(of: T.self) { name, offset, fieldType in
                guard let argument = fieldType as? any AnyArgument.Type else { return }
                let property = name.utf8.first == UInt8(ascii: "_") ? String(name.dropFirst()) : name
                guard let base = bytes.baseAddress,
                    let field = argument.field(property: property, offset: offset, in: base)
                else {
                    problems.append("the argument \(property) is set in init(); give it a default value instead")
                    return
                }
                fields.append(field)
            }
        }
        if !isStruct { problems.append("\(T.self) must be a struct") }
        self.prototype = prototype
        self.fields = fields
        self.problems = problems
    }

    /// The schema of an object with these arguments and no others.
    var parameters: JSON {
        guard case .object(var schema) = openParameters else { return openParameters }
        schema["additionalProperties"] = false
        return .object(schema)
    }

    /// The schema of an object with these arguments and any others.
    var openParameters: JSON {
        var properties = JSONObject()
        var required: [JSON] = []
        for field in fields {
            properties[field.name] = field.schema
            if field.isRequired { required.append(.string(field.name)) }
        }
        var schema: JSONObject = ["type": "object", "properties": .object(properties)]
        if !required.isEmpty { schema["required"] = .array(required) }
        return .object(schema)
    }

    /// A tool with its arguments set.
    func tool(_ arguments: JSON, _ reader: Reader) throws(ShapeError) -> T {
        var tool = prototype
        guard !fields.isEmpty else { return tool }
        guard case .object(let object) = arguments else { throw ShapeError("an object of arguments") }
        // `withUnsafeMutableBytes` has no typed rethrow.
        var failure: ShapeError?
        withUnsafeMutableBytes(of: &tool) { bytes in
            guard let base = bytes.baseAddress else { return }
            for field in fields {
                guard let json = object[field.name] else {
                    if field.isRequired {
                        failure = ShapeError("a value", path: field.name)
                        return
                    }
                    continue
                }
                do throws(ShapeError) {
                    try field.assign(base, json, reader)
                } catch {
                    failure = error
                    return
                }
            }
        }
        if let failure { throw failure }
        return tool
    }

    func arguments(of tool: T) -> JSON {
        withUnsafeBytes(of: tool) { bytes in
            var object = JSONObject()
            guard let base = bytes.baseAddress else { return .object(object) }
            for field in fields {
                if let json = field.read(base), !json.isNull { object[field.name] = json }
            }
            return .object(object)
        }
    }
}
