/// One way in which an instance does not match its schema.
public struct SchemaViolation: Sendable, Hashable {
    /// A JSON Pointer to the offending value in the instance.
    public let instanceLocation: String
    /// A JSON Pointer to the keyword in the schema; for another document it follows that document's URI and `#`.
    public let keywordLocation: String
    /// What the value must be, such as "must be at least 1"; it names members but never quotes values.
    public let message: String

    public init(instanceLocation: String, keywordLocation: String, message: String) {
        self.instanceLocation = instanceLocation
        self.keywordLocation = keywordLocation
        self.message = message
    }
}
