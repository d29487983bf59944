import Synchronization
public import TandemAgent
public import TandemCore
public import TandemStorage

/// Tells whoever watches a person's messages that there is something new. Safe from any thread.
public final class MessageFeed: Sendable {
    private struct State {
        var watchers: [UserID: [UInt64: AsyncStream<Void>.Continuation]] = [:]
        var next: UInt64 = 0
        var count = 0
        var isOver = false
    }

    /// Streams of one person, and of all, at once.
    static let mostOfOne = 8
    static let most = 2000
    private let state = Mutex(State())

    public init() {}

    /// Something of this person is durable. Never blocks.
    public func notify(_ user: UserID) {
        let watchers = state.withLock { $0.watchers[user].map { Array($0.values) } ?? [] }
        for watcher in watchers { watcher.yield() }
    }

    /// Ends all streams, and each that is opened from now on at once: a server that goes down does not wait for those who watch.
    public func end() {
        let watchers = state.withLock { state in
            state.isOver = true
            return state.watchers.values.flatMap(\.values)
        }
        for watcher in watchers { watcher.finish() }
    }

    /// Nil when there are too many in all. Of one person's the oldest ends: who opened it has probably gone.
    func watch(_ user: UserID) -> AsyncStream<Void>? {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (number, oldest) = state.withLock { state -> (UInt64?, AsyncStream<Void>.Continuation?) in
            var oldest: AsyncStream<Void>.Continuation?
            if let own = state.watchers[user], own.count >= MessageFeed.mostOfOne, let first = own.keys.min() {
                oldest = state.watchers[user]?.removeValue(forKey: first)
                state.count -= 1
            }
            guard state.count < MessageFeed.most else { return (nil, oldest) }
            state.next += 1
            state.count += 1
            state.watchers[user, default: [:]][state.next] = continuation
            return (state.next, oldest)
        }
        oldest?.finish()
        guard let number else { return nil }
        continuation.onTermination = { [weak self] _ in self?.forget(user, number) }
        if state.withLock({ $0.isOver }) { continuation.finish() }
        Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: MessageStream.beat)
                if case .terminated = continuation.yield() { return }
            }
        }
        return stream
    }

    private func forget(_ user: UserID, _ number: UInt64) {
        state.withLock { state in
            guard state.watchers[user]?.removeValue(forKey: number) != nil else { return }
            state.count -= 1
            if state.watchers[user]?.isEmpty == true { state.watchers[user] = nil }
        }
    }
}

/// Answers for those who asked over this interface: they wait for them or watch the stream; nothing is sent.
public struct RESTChannel: DeliveryChannel {
    public static let channelName = "rest"

    public let name = RESTChannel.channelName
    private let feed: MessageFeed

    public init(feed: MessageFeed) { self.feed = feed }

    public func enqueue(_ message: OutboundMessage, in transaction: any WriteTransaction) throws {
        let feed = feed
        transaction.afterCommit { feed.notify(message.scope.user) }
    }

    public func wake() {}
}
