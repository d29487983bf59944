/// Where a host looks for what it trusts. A path that is nil stands for an empty document.
public struct TrustPaths: Sendable, Hashable {
    /// `trust.json`.
    public var store: String?
    /// `revocations.json`.
    public var revocations: String?
    /// Where the host keeps the last list that it accepted, so that a file that was taken away or put back in time
    /// changes nothing. Nil: remembered as long as the process lives.
    public var acceptedRevocations: String?
    /// The folder of this machine's own keys: they vouch for plugins of the tier developer.
    public var keys: String?

    public init(
        store: String? = nil, revocations: String? = nil, acceptedRevocations: String? = nil, keys: String? = nil
    ) {
        self.store = store
        self.revocations = revocations
        self.acceptedRevocations = acceptedRevocations
        self.keys = keys
    }
}
