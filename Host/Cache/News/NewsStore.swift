/// What a subscriber is told.
public enum News: Sendable, Hashable {
    case message([UInt8])
    /// Messages may have been lost before this: look for yourself.
    case gap
}

/// Tells other processes that something happened. Messages may be lost, never silently for longer than it takes to notice:
/// a subscriber then gets `gap`. So what matters is in the database, and a message only makes it quicker.
public protocol NewsStore: Sendable {
    /// Returns when the store took the messages on.
    func publish(_ messages: [[UInt8]], on channel: String) async throws(CacheError)

    /// - Parameter receiver: Called on a thread that must not be held up, in the order of publication. The first call is
    ///   `gap`, as soon as messages will be received.
    /// - Returns: Ends the subscription when it is cancelled or forgotten.
    func subscribe(to channel: String, _ receiver: @escaping @Sendable (News) -> Void) -> NewsSubscription
}

/// Lasts until it is cancelled or forgotten.
public final class NewsSubscription: Sendable {
    private let end: @Sendable () -> Void

    init(_ end: @escaping @Sendable () -> Void) { self.end = end }

    public func cancel() { end() }

    deinit { end() }
}
