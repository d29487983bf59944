/// How the limits of `RateClass` apply here.
public struct RateSettings: Sendable, Hashable {
    /// Multiplies every limit; nil: no limits.
    public var factor: Double?

    public init(factor: Double? = 1) { self.factor = factor }
}
