import Synchronization
import TandemCore

/// Tells the other processes, in the background: what is the same is told once, what is told together goes out in one piece.
public final class SharedNews: Sendable {
    private struct Item: Hashable {
        var channel: String
        var message: [UInt8]
    }

    private struct State {
        var waiting: [Item] = []
        var known: Set<Item> = []
        var isSending = false
        /// Something could not be told: others have to look for themselves.
        var owed: Set<String> = []
        var flushed: [CheckedContinuation<Void, Never>] = []
    }

    /// Before each message: who sent it.
    private static let tagSize = 8
    /// A message of its own: look for yourself.
    private static let gap: [UInt8] = []
    private static let maxWaiting = 4096

    private let store: any NewsStore
    private let tag: [UInt8]
    private let state = Mutex(State())
    private let metrics: CacheMetrics

    init(store: any NewsStore, metrics: CacheMetrics) {
        self.store = store
        self.metrics = metrics
        tag = (0..<SharedNews.tagSize).map { _ in .random(in: 0...255) }
    }

    /// Tells the others. Never waits; a message that is lost becomes a `gap` as soon as possible.
    ///
    /// - Parameter message: Not empty, and nothing personal besides ids.
    public func publish(_ message: [UInt8], on channel: String) {
        let mustBegin = state.withLock { state in
            let item = Item(channel: channel, message: message)
            if state.owed.contains(channel) {
                // A gap says it all; whether it can be told by now is found out by trying.
            } else if !state.known.insert(item).inserted {
                return false
            } else if state.waiting.count >= SharedNews.maxWaiting {
                state.waiting.removeAll { $0.channel == channel }
                state.known = Set(state.waiting)
                state.owed.insert(channel)
            } else {
                state.waiting.append(item)
            }
            defer { state.isSending = true }
            return !state.isSending
        }
        if mustBegin { Task { await send() } }
    }

    /// Returns when everything published before has been taken on, or could not be.
    public func flush() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                guard state.isSending else { return true }
                state.flushed.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    /// - Parameter receiver: Called for what other processes tell, on a thread that must not be held up.
    public func subscribe(
        to channel: String, _ receiver: @escaping @Sendable (News) -> Void
    ) -> NewsSubscription {
        store.subscribe(to: channel) { [tag] news in
            switch news {
            case .gap: receiver(.gap)
            case .message(let bytes):
                guard bytes.count >= SharedNews.tagSize, !bytes.starts(with: tag) else { return }
                let message = Array(bytes[SharedNews.tagSize...])
                receiver(message == SharedNews.gap ? .gap : .message(message))
            }
        }
    }

    /// The store is back: tells what could not be told.
    func resume() {
        let mustBegin = state.withLock { state in
            guard !state.owed.isEmpty else { return false }
            defer { state.isSending = true }
            return !state.isSending
        }
        if mustBegin { Task { await send() } }
    }

    private func send() async {
        while true {
            let (items, owed, flushed) = state.withLock { state in
                let items = state.waiting
                let owed = state.owed
                state.waiting = []
                state.known = []
                state.owed = []
                // Those who ask from now on wait for the next round.
                let flushed = state.flushed
                state.flushed = []
                return (items, owed, flushed)
            }
            var failed: Set<String> = []
            for (channel, group) in Dictionary(grouping: items, by: \.channel) {
                let messages = group.map { tag + $0.message }
                do throws(CacheError) {
                    try await store.publish(messages, on: channel)
                } catch {
                    failed.insert(channel)
                }
            }
            for channel in owed.subtracting(failed) {
                do throws(CacheError) {
                    try await store.publish([tag + SharedNews.gap], on: channel)
                } catch {
                    failed.insert(channel)
                }
            }
            if !failed.isEmpty { metrics.fallbacks.with("news").increment() }
            for continuation in flushed { continuation.resume() }
            let (isDone, last) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
                state.owed.formUnion(failed)
                if failed.isEmpty {
                    guard state.waiting.isEmpty, state.owed.isEmpty else { return (false, []) }
                } else {
                    // The store is away: the rest is owed, too, until `resume` or the next message.
                    for item in state.waiting { state.owed.insert(item.channel) }
                    state.waiting = []
                    state.known = []
                }
                state.isSending = false
                defer { state.flushed = [] }
                return (true, state.flushed)
            }
            if isDone {
                for continuation in last { continuation.resume() }
                return
            }
        }
    }
}
