/// Tells two writes to a key apart.
public struct ValueVersion: Sendable, Hashable {
    let number: UInt64

    static func random() -> ValueVersion { ValueVersion(number: .random(in: 1 ... .max)) }
}

/// What was found under a key.
public struct CachedValue: Sendable, Hashable {
    public let version: ValueVersion
    /// Nil: it is known that there is none.
    public let bytes: [UInt8]?

    public init(version: ValueVersion, bytes: [UInt8]?) {
        self.version = version
        self.bytes = bytes
    }
}

/// Values that may be gone at any time. What is personal is not put here, or sealed.
public protocol ValueStore: Sendable {
    /// One answer for each key; nil where nothing is kept.
    func values(of keys: [CacheKey]) async throws(CacheError) -> [CachedValue?]

    /// Keeps a value, or that there is none, for at most so long. At most 1 MiB.
    @discardableResult
    func set(_ key: CacheKey, to bytes: [UInt8]?, for lifetime: Duration) async throws(CacheError) -> ValueVersion

    /// Keeps a value if what is there is still of that version, or still nothing; nil when it is not.
    func replace(
        _ key: CacheKey, _ expected: ValueVersion?, with bytes: [UInt8]?, for lifetime: Duration
    ) async throws(CacheError) -> ValueVersion?

    /// True when there was something.
    @discardableResult
    func remove(_ key: CacheKey) async throws(CacheError) -> Bool
}

extension ValueStore {
    public func value(of key: CacheKey) async throws(CacheError) -> CachedValue? { try await values(of: [key])[0] }
}
