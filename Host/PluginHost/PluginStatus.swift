/// What `tandem plugin list` shows of one plugin.
public struct PluginStatus: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        case loaded
        case refused(PluginRefusal)
    }

    public var id: String
    /// Nil when the manifest could not be read.
    public var namespace: String?
    public var name: String?
    public var version: String?
    public var bundle: String
    public var state: State
    /// Ids.
    public var tools: [String]
    /// `sha256:` of the library; nil when it could not be read.
    public var checksum: String?
    public var trust: RegistryEntry.Trust
    /// Who signed it; nil when the registry's pin or the lock of local builds vouches for it, or when it is refused.
    public var signature: BundleSignature?
    public var isolation: RegistryEntry.Isolation
    public var plan: String?
    /// For the operator: exported symbols besides the entry …
    public var warnings: [String]
    /// Why the last instance could not be made, if one could not.
    public var lastFailure: String?
    /// People who have an instance right now.
    public var instances: Int
    public var counters: PluginCounters
    /// Nil for a plugin in the host's process.
    public var runner: RunnerStatus?

    /// The tier for people to read: whom nobody reviewed is marked.
    public var trustMark: String { trust.mark }

    public var refusal: PluginRefusal? {
        if case .refused(let refusal) = state { return refusal }
        return nil
    }
}

extension RegistryEntry.Trust {
    /// For operators: whom nobody reviewed stands out.
    public var mark: String { self == .developer ? "DEVELOPER (not reviewed)" : rawValue }
}
