public import TandemJSON

/// Turns tools into function declarations of the common chat-completions API (OpenAI, Ollama, vLLM, llama.cpp).
///
/// Parameters stay JSON Schema, written so that each of these servers takes it: an object at the root, references written
/// out but for recursion, `const` as `enum`, only keywords that narrow nothing without need. What is dropped the host
/// checks anyway.
public enum ChatDeclaration {
    /// `{"type":"function","function":{"name","description","parameters"}}`.
    ///
    /// - Throws: ``JSONSchemaError`` as ``GeminiDeclaration`` does.
    public static func declaration(name: String, description: String, parameters: JSON) throws(JSONSchemaError) -> JSON
    {
        guard !name.isEmpty else {
            throw JSONSchemaError(code: .invalidKeyword, location: "", message: "a function must have a name")
        }
        _ = try JSONSchema(compiling: parameters)
        var schema: JSONObject = ["type": "object", "properties": [:]]
        if parameters != true {
            var converter = try GeminiSchemaConverter(parameters)
            if let converted = try converter.plainParameters() { schema = converted }
        }
        return [
            "type": "function",
            "function": [
                "name": .string(Self.name(for: name)), "description": .string(description.isEmpty ? name : description),
                "parameters": .object(schema),
            ],
        ]
    }

    /// The most characters of a function name.
    static let maxNameLength = 64

    /// A legal function name for a tool: letters, digits, `_`, `-`, at most 64.
    ///
    /// The dot of an id becomes `-`; any other byte, and a `-` or dot that would read otherwise, becomes `-` and two
    /// hexadecimal digits. Names that come out too long end in a hash. Different ids have different names.
    public static func name(for toolID: String) -> String {
        let bytes = Array(toolID.utf8)
        var output: [UInt8] = []
        for (offset, unit) in bytes.enumerated() {
            let readsAsEscape =
                offset + 2 < bytes.count && GeminiDeclaration.isHex(bytes[offset + 1])
                && GeminiDeclaration.isHex(bytes[offset + 2])
            if ASCII.isAlphanumeric(unit) || unit == 0x5F {
                output.append(unit)
            } else if unit == 0x2E, !readsAsEscape {
                output.append(0x2D)
            } else {
                output += [0x2D, GeminiDeclaration.hexDigit(unit >> 4), GeminiDeclaration.hexDigit(unit & 15)]
            }
        }
        return GeminiDeclaration.shortened(output, of: bytes, to: maxNameLength)
    }

    /// The tool that a function name stands for, if it is one of those given.
    public static func toolID(for name: String, among toolIDs: some Sequence<String>) -> String? {
        toolIDs.first { Self.name(for: $0) == name }
    }
}
