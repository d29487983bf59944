import Synchronization
public import TandemCore

/// What the processes of an installation share besides the database: rate limits, locks, values that may be lost, news.
///
/// With a Redis server between them, or within one process. Losing the server loses nothing and opens nothing: see each
/// part. It recovers by itself. Safe from any thread.
public final class SharedState: Sendable {
    public let limits: any RateLimiting
    public let locks: any Locking
    public let values: SharedValues
    public let news: SharedNews
    /// Nil without a server.
    public let redis: RedisEngine?
    private let upkeep: Upkeep?

    /// How things stand.
    public struct Health: Sendable, Hashable {
        /// False: this process shares with nobody.
        public var hasServer: Bool
        /// Whether the server takes commands; true without one.
        public var isUp: Bool
        /// Whether news from other processes arrive; true without a server.
        public var isListening: Bool
        /// Why it is not up; holds no secret.
        public var problem: String?
        /// Without user and password.
        public var address: String?
    }

    private static let presence = "presence"

    /// For one process, or for several that share only the database.
    ///
    /// - Parameter locks: Where locks come from; nil: from this process, for this process.
    public init(locks: (any LockStore)? = nil, metrics registry: MetricsRegistry = MetricsRegistry()) {
        let engine = InProcessEngine()
        let metrics = CacheMetrics(registry)
        limits = InProcessLimits(engine: engine)
        self.locks = SharedLocks(usual: locks ?? engine, durable: nil, metrics: metrics)
        values = SharedValues(store: engine, metrics: metrics, removeAll: { () throws(CacheError) in })
        news = SharedNews(store: engine, metrics: metrics)
        redis = nil
        upkeep = nil
    }

    /// For several processes with a server between them. Begins to connect; see `waitForFirstAttempt`.
    ///
    /// - Parameter locks: The store of locks that never forgets: the database.
    public init(
        redis options: RedisEngine.Options, locks: (any LockStore)?,
        metrics registry: MetricsRegistry = MetricsRegistry()
    ) {
        let engine = RedisEngine(options)
        let metrics = CacheMetrics(registry)
        let upkeep = Upkeep()
        let limits = SharedLimits(shared: engine, buckets: 200_000, metrics: metrics) { upkeep.peers }
        let values = SharedValues(
            store: engine, metrics: metrics,
            removeAll: { [weak engine] () throws(CacheError) in try await engine?.removeAllValues() })
        let news = SharedNews(store: engine, metrics: metrics)
        self.limits = limits
        self.locks = SharedLocks(usual: engine, durable: locks, metrics: metrics)
        self.values = values
        self.news = news
        redis = engine
        self.upkeep = upkeep
        engine.publish(to: registry)
        engine.observe { isUp in
            // Before anybody can ask a server that has forgotten: it is heard here that it is away before it is back.
            limits.loseTrust()
            if isUp { upkeep.wake() }
        }
        // Each process listens, so that they can be counted.
        upkeep.presence = engine.subscribe(to: SharedState.presence) { _ in }
        engine.start()
        upkeep.start { [weak engine] in
            guard let engine, engine.isUp else { return nil }
            await values.catchUp()
            news.resume()
            return try? await engine.listeners(of: SharedState.presence)
        }
    }

    public var health: Health {
        guard let redis else {
            return Health(hasServer: false, isUp: true, isListening: true, problem: nil, address: nil)
        }
        return Health(
            hasServer: true, isUp: redis.isUp, isListening: redis.isListening, problem: redis.problem,
            address: redis.address)
    }

    /// Whether news from other processes arrive; true without a server, as there are none.
    public var isListening: Bool { redis?.isListening ?? true }

    deinit { upkeep?.stop() }

    /// Returns once it is known whether the server can be reached.
    public func waitForFirstAttempt() async { await redis?.waitForFirstAttempt() }

    /// Ends the threads and connections.
    public func shutdown() async {
        upkeep?.stop()
        await redis?.shutdown()
    }
}

/// Rate limits of a process that shares with nobody.
private struct InProcessLimits: RateLimiting {
    let engine: InProcessEngine

    func take(_ charges: [LimitCharge]) async -> LimitVerdict { LimitVerdict(engine.decide(charges)) }
}

/// What is done every few seconds, and when the server comes back.
private final class Upkeep: Sendable {
    private struct State {
        var peers = 1
        var task: Task<Void, Never>?
        var sleeper: Task<Void, Never>?
        var isWoken = false
        var presence: NewsSubscription?
    }

    private static let interval = Duration.seconds(5)
    private let state = Mutex(State())

    /// Processes that listen, as far as is known.
    var peers: Int { state.withLock { $0.peers } }

    var presence: NewsSubscription? {
        get { state.withLock { $0.presence } }
        set { state.withLock { $0.presence = newValue } }
    }

    /// - Parameter body: returns the number of processes, if it could be found out.
    func start(_ body: @escaping @Sendable () async -> Int?) {
        let task = Task { [weak self] in
            while !Task.isCancelled {
                if let peers = await body() { self?.state.withLock { $0.peers = max(peers, 1) } }
                let sleeper = Task<Void, Never> { try? await Task.sleep(for: Upkeep.interval) }
                let isWoken =
                    self?.state.withLock { state in
                        state.sleeper = sleeper
                        defer { state.isWoken = false }
                        return state.isWoken
                    } ?? true
                if isWoken { sleeper.cancel() }
                await withTaskCancellationHandler {
                    _ = await sleeper.value
                } onCancel: {
                    sleeper.cancel()
                }
            }
        }
        state.withLock { $0.task = task }
    }

    func wake() {
        state.withLock { state in
            state.isWoken = true
            state.sleeper?.cancel()
        }
    }

    func stop() {
        let presence = state.withLock { state in
            state.task?.cancel()
            state.sleeper?.cancel()
            defer { state.presence = nil }
            return state.presence
        }
        presence?.cancel()
    }
}
