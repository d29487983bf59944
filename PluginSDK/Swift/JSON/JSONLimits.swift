/// Bounds on what the parser accepts, so that a document costs at most what its reader is ready to pay.
public struct JSONLimits: Sendable, Hashable {
    /// The largest document, in bytes.
    public var maxBytes: Int
    /// The deepest nesting of arrays and objects; a scalar document has depth 0. Values above 512 count as 512.
    public var maxDepth: Int
    /// The longest string or member name, in bytes as written between its quotes.
    public var maxStringBytes: Int
    /// The most members of one object.
    public var maxMembers: Int
    /// The most elements of one array.
    public var maxElements: Int

    /// 1 MiB, 64 levels, and no further bound than these.
    public static let `default` = JSONLimits()

    public init(
        maxBytes: Int = 1 << 20, maxDepth: Int = 64, maxStringBytes: Int = .max, maxMembers: Int = .max,
        maxElements: Int = .max
    ) {
        self.maxBytes = maxBytes
        self.maxDepth = maxDepth
        self.maxStringBytes = maxStringBytes
        self.maxMembers = maxMembers
        self.maxElements = maxElements
    }
}
