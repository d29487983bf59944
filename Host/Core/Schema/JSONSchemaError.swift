/// Why a schema cannot be compiled, and where in it.
public struct JSONSchemaError: Error, Sendable, Equatable {
    /// What was wrong: an open set, new codes may be added and names never change.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// A keyword whose value has the wrong form, or a schema that is neither an object nor a boolean.
        public static let invalidKeyword = Code(rawValue: "invalid_keyword")
        /// A regular expression that does not compile.
        public static let invalidPattern = Code(rawValue: "invalid_pattern")
        /// A reference within the known documents that leads nowhere.
        public static let unresolvedReference = Code(rawValue: "unresolved_reference")
        /// A reference to a document that was not given; nothing is ever fetched.
        public static let remoteReference = Code(rawValue: "remote_reference")
        /// References that lead back to themselves without consuming any of the instance.
        public static let circularReference = Code(rawValue: "circular_reference")
        /// Two schemas with the same identifier.
        public static let duplicateIdentifier = Code(rawValue: "duplicate_identifier")
        /// A `$schema` of a draft before 6, or a required vocabulary that is not known.
        public static let unsupportedDialect = Code(rawValue: "unsupported_dialect")
        /// More subschemas than `SchemaLimits.maxNodes` or a longer pattern than `maxPatternBytes`.
        public static let tooLarge = Code(rawValue: "too_large")
    }

    /// What was wrong.
    public let code: Code
    /// A JSON Pointer into the schema; for another document it follows that document's URI and `#`.
    public let location: String
    /// A sentence for the schema's author, such as "must be a number".
    public let message: String

    public init(code: Code, location: String, message: String) {
        self.code = code
        self.location = location
        self.message = message
    }
}

extension JSONSchemaError: CustomStringConvertible {
    public var description: String { "\(location.isEmpty ? "schema" : location): \(message)" }
}
