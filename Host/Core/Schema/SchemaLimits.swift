/// Bounds on what a schema may cost to compile and to apply.
public struct SchemaLimits: Sendable, Hashable {
    /// The most subschemas, counting referenced documents.
    public var maxNodes: Int
    /// The longest regular expression, in bytes.
    public var maxPatternBytes: Int
    /// How deep evaluation may nest, counting references and applicators; beyond it an instance is refused.
    public var maxDepth: Int
    /// How many subschemas one validation may apply; beyond it an instance is refused.
    public var maxSteps: Int
    /// PCRE2's match limit for one search (pcre2api(3), `pcre2_set_match_limit`).
    public var matchLimit: UInt32
    /// The time that all searches of one validation may take together; beyond it an instance is refused.
    public var patternTime: Duration
    /// The most violations reported for one instance.
    public var maxViolations: Int

    /// 20,000 subschemas, 4 KiB patterns, 400 levels, a million steps, 200,000 match steps, 250 ms, 20 violations.
    public static let `default` = SchemaLimits()

    public init(
        maxNodes: Int = 20_000, maxPatternBytes: Int = 4096, maxDepth: Int = 400, maxSteps: Int = 1_000_000,
        matchLimit: UInt32 = 200_000, patternTime: Duration = .milliseconds(250), maxViolations: Int = 20
    ) {
        self.maxNodes = maxNodes
        self.maxPatternBytes = maxPatternBytes
        self.maxDepth = maxDepth
        self.maxSteps = maxSteps
        self.matchLimit = matchLimit
        self.patternTime = patternTime
        self.maxViolations = maxViolations
    }
}
