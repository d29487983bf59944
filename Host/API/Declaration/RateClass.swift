/// How often a kind of route may be called: a bucket of `burst` requests that refills by `perSecond`.
///
/// The figures are fuses against clients that run wild, far above what a person does: what is precious (guesses of
/// passwords, mails, texts) has its own counters in the accounts, which are durable.
public struct RateClass: Sendable, Hashable {
    public let name: String
    /// For one signed-in account.
    public let perSecond: Double
    public let burst: Double
    /// For one network address over all accounts; nil: as much as five accounts.
    public let addressFactor: Double

    init(_ name: String, perSecond: Double, burst: Double, addressFactor: Double = 5) {
        self.name = name
        self.perSecond = perSecond
        self.burst = burst
        self.addressFactor = addressFactor
    }

    /// Reading one's own rows.
    public static let read = RateClass("read", perSecond: 20_000, burst: 40_000)
    public static let write = RateClass("write", perSecond: 500, burst: 5_000)
    /// A turn of the assistant.
    public static let message = RateClass("message", perSecond: 50, burst: 500)
    /// Whatever checks a password, a code or a token without a session.
    public static let sign = RateClass("sign", perSecond: 20, burst: 200)
    /// Export, erasure: costly and rare.
    public static let heavy = RateClass("heavy", perSecond: 1, burst: 60)

    public static let all = [read, write, message, sign, heavy]
}
