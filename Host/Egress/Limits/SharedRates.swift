public import TandemCore

/// How much is asked of a provider by all processes of an installation together. Each keeps its own count besides.
public protocol SharedRates: Sendable {
    /// Takes one request from both limits or from none.
    ///
    /// - Returns: Nanoseconds until there is room for it; 0: it has been taken.
    func take(plugin: String, host: String, user: UserID, limit: ProviderLimit) async -> UInt64
}
