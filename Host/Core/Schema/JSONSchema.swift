public import TandemJSON

/// A JSON Schema of draft 2020-12, compiled once and applied any number of times from any thread.
///
/// Covers the core, applicator, unevaluated and validation vocabularies; `format` is an annotation unless asked for
/// as an assertion. References stay within the schema, the documents given with it and the 2020-12 metaschema: nothing
/// is ever fetched. Schemas of drafts 6, 7 and 2019-09, as their `$schema` says, are read with the differences that
/// matter (lists under `items`, `dependencies`, `$ref` hiding its siblings). Patterns are ECMA-262 regular expressions
/// with bounded matching. Source: https://json-schema.org/draft/2020-12/json-schema-core and
/// https://json-schema.org/draft/2020-12/json-schema-validation.
public struct JSONSchema: Sendable {
    private let program: SchemaProgram

    /// Compiles a schema.
    ///
    /// - Parameters:
    ///   - schema: An object or a boolean.
    ///   - limits: Bounds on compilation and on every later validation.
    ///   - formatAssertion: Whether `format` is checked (2020-12 validation, section 7.2.2).
    ///   - documents: Other schemas that this one may refer to, by absolute URI.
    /// - Throws: ``JSONSchemaError`` with the place of the first fault in the schema.
    public init(
        compiling schema: JSON, limits: SchemaLimits = .default, formatAssertion: Bool = false,
        documents: [String: JSON] = [:]
    ) throws(JSONSchemaError) {
        program = try SchemaCompiler.program(
            for: schema, documents: documents, limits: limits, formatAssertion: formatAssertion)
    }

    /// Whether a value matches; stops at the first violation.
    public func isValid(_ instance: borrowing JSON) -> Bool {
        var run = SchemaRun(program, reports: false)
        return withUnsafePointer(to: instance) { run.check(0, $0) } && !run.isSpent
    }

    /// How a value fails to match, at most `SchemaLimits.maxViolations` ways; empty when it matches.
    ///
    /// A value that matches costs as little as with ``isValid(_:)``.
    public func validate(_ instance: borrowing JSON) -> [SchemaViolation] {
        if isValid(instance) { return [] }
        var run = SchemaRun(program, reports: true)
        _ = withUnsafePointer(to: instance) { run.check(0, $0) }
        guard run.violations.isEmpty else { return run.violations }
        return [SchemaViolation(instanceLocation: "", keywordLocation: "", message: "is too costly to be checked")]
    }
}
