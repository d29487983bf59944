public import TandemJSON

/// Turns tools into function declarations of the Gemini API (v1beta, `FunctionDeclaration` and `Schema`).
///
/// Parameters become the API's own subset of OpenAPI 3.0 wherever it can carry them: references inlined, `allOf`
/// merged, `const` and alternatives of constants as `enum`, null as `nullable`, 64-bit counts as strings. Keywords
/// that the subset lacks and that only narrow a value are dropped, for the host validates every call anyway. Where
/// the shape itself does not fit (recursion, tuples, maps, alternatives of different types, values of any type,
/// numbers under `enum`) the declaration carries `parametersJsonSchema` instead.
public enum GeminiDeclaration {
    /// The declaration of a tool; the name is ``name(for:)``.
    ///
    /// - Throws: ``JSONSchemaError`` if the parameters are no valid schema, do not describe an object, or refer to
    ///   other documents; also if the name is empty.
    public static func declaration(name: String, description: String, parameters: JSON) throws(JSONSchemaError) -> JSON
    {
        guard !name.isEmpty else {
            throw JSONSchemaError(code: .invalidKeyword, location: "", message: "a function must have a name")
        }
        _ = try JSONSchema(compiling: parameters)
        var declaration: JSONObject = [
            "name": .string(Self.name(for: name)),
            "description": .string(description.isEmpty ? name : description),
        ]
        if parameters == true { return .object(declaration) }
        var converter = try GeminiSchemaConverter(parameters)
        if let (field, schema) = try converter.parameters() { declaration[field] = schema }
        return .object(declaration)
    }

    /// The most characters of a function name.
    static let maxNameLength = 64

    /// A legal function name for a tool: letters, digits, `_`, `:`, `.`, `-`, at most 64, not starting with a mark.
    ///
    /// Legal ids such as `grocery.add` stay as they are; any other byte becomes `:` and two hexadecimal digits. Names
    /// that come out too long end in a hash instead. ``toolID(for:among:)`` leads back.
    public static func name(for toolID: String) -> String {
        let bytes = Array(toolID.utf8)
        var output: [UInt8] = []
        if let first = bytes.first, !ASCII.isLetter(first), first != 0x5F { output += [0x5F, 0x3A] }
        if bytes.starts(with: [0x5F, 0x3A]) {
            output += [0x5F, 0x3A]
        }
        for (offset, unit) in bytes.enumerated() {
            let isLegal = ASCII.isAlphanumeric(unit) || unit == 0x5F || unit == 0x2E || unit == 0x2D
            // A colon stands for itself unless it would read as an escape.
            let isPlainColon =
                unit == 0x3A && !(offset + 2 < bytes.count && isHex(bytes[offset + 1]) && isHex(bytes[offset + 2]))
            if isLegal || isPlainColon {
                output.append(unit)
            } else {
                output += [0x3A, hexDigit(unit >> 4), hexDigit(unit & 15)]
            }
        }
        return shortened(output, of: bytes, to: maxNameLength)
    }

    /// A name that is too long ends in a hash of the whole id (FNV-1a) instead.
    static func shortened(_ name: [UInt8], of id: [UInt8], to length: Int) -> String {
        guard name.count > length else { return String(decoding: name, as: UTF8.self) }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for unit in id { hash = (hash ^ UInt64(unit)) &* 0x0000_0100_0000_01B3 }
        var output = Array(name.prefix(length - 17)) + [0x2D]
        for shift in stride(from: 60, through: 0, by: -4) {
            output.append(hexDigit(UInt8(truncatingIfNeeded: hash >> UInt64(shift)) & 15))
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The tool that a function name stands for, if it is one of those given.
    public static func toolID(for name: String, among toolIDs: some Sequence<String>) -> String? {
        toolIDs.first { Self.name(for: $0) == name }
    }

    static func isHex(_ unit: UInt8) -> Bool { ASCII.isDigit(unit) || (0x41...0x46).contains(unit) }

    static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}
