import TandemAccounts
import TandemCache
import TandemCore
import TandemEgress
import TandemOAuth
import TandemStorage

/// What the parts of the program use of the shared state, each by its own protocol.
enum SharedParts {
    /// Makes the shared state that the settings ask for. `REDIS_URL` without a server that answers is no reason not to start.
    ///
    /// Throws `ApplicationError` when the address cannot be read.
    static func open(
        _ configuration: Configuration, database: any Database, metrics: MetricsRegistry
    ) async throws -> SharedState {
        let secret = try database.store.keyring.lookupHash("keys", purpose: "shared state")
        let locks = DurableLocks(locks: DatabaseLocks(database: database), secret: secret)
        guard let text = configuration.redis else { return SharedState(locks: locks, metrics: metrics) }
        let address: RedisAddress
        do throws(RedisAddress.Invalid) {
            address = try RedisAddress(text.reveal())
        } catch {
            throw ApplicationError(
                "REDIS_URL cannot be used: \(error.reason). Write for example redis://:PASSWORD@127.0.0.1:6379/0.")
        }
        let shared = SharedState(
            redis: RedisEngine.Options(address: address, secret: secret), locks: locks, metrics: metrics)
        await shared.waitForFirstAttempt()
        return shared
    }
}

/// Tells other processes whose sessions, permissions and numbers changed.
struct SharedAccountNews: AccountNews {
    static let channel = "accounts"
    let shared: SharedState

    var isListening: Bool { shared.isListening }

    func tell(_ change: AccountChange) { shared.news.publish(change.bytes, on: Self.channel) }

    func flush() async { await shared.news.flush() }

    /// What others tell, for as long as the subscription lives.
    static func subscribe(_ accounts: Accounts, to shared: SharedState) -> NewsSubscription {
        shared.news.subscribe(to: channel) { [weak accounts] news in
            switch news {
            // What this version does not know may concern anything.
            case .message(let bytes): accounts?.apply(AccountChange(bytes))
            case .gap: accounts?.apply(nil)
            }
        }
    }
}

/// Limits of providers over all processes: for a plugin, a host and a person, and for all people.
struct SharedProviderRates: SharedRates {
    let limits: any RateLimiting

    func take(plugin: String, host: String, user: UserID, limit: ProviderLimit) async -> UInt64 {
        let name = "\(plugin) \(host)"
        let verdict = await limits.take([
            LimitCharge(Self.limit("provider.user", limit.perUser), CacheKey("provider", "\(name) \(user)")),
            LimitCharge(Self.limit("provider", limit.total), CacheKey("provider", name)),
        ])
        guard !verdict.isAllowed else { return 0 }
        // A cost of one fits every quota some time.
        let wait = verdict.retryAfter ?? .seconds(60)
        return UInt64(max(wait.milliseconds, 1)) * 1_000_000
    }

    private static func limit(_ name: String, _ rate: Rate) -> RateLimit {
        // Slow rates are counted over an hour, so that they keep their precision.
        let count = max(Int((rate.perSecond * 3600).rounded()), 1)
        return RateLimit(name, count, per: .seconds(3600), burst: max(Int(rate.burst), 1))
    }
}

/// The database's locks as the shared state wants them: fences in microseconds, as the server's are, so that either's follow
/// the other's.
struct DurableLocks: LockStore {
    let locks: DatabaseLocks
    let secret: [UInt8]

    func acquire(_ key: CacheKey, owner: String, for lease: Duration) async throws(CacheError) -> FencedLock? {
        let end = FencedLock.end(of: lease)
        let name = key.hashed(with: secret)
        let held: HeldLock?
        do {
            held = try await locks.acquire(name, lease: lease)
        } catch {
            throw Self.unavailable
        }
        return held.map { FencedLock(key: key, fence: $0.fence * 1000, owner: $0.owner, heldUntil: end) }
    }

    func extend(_ lock: FencedLock, for lease: Duration) async throws(CacheError) -> FencedLock? {
        let end = FencedLock.end(of: lease)
        let isHeld: Bool
        do {
            isHeld = try await locks.extend(held(lock), lease: lease)
        } catch {
            throw Self.unavailable
        }
        return isHeld ? FencedLock(key: lock.key, fence: lock.fence, owner: lock.owner, heldUntil: end) : nil
    }

    func release(_ lock: FencedLock) async throws(CacheError) -> Bool {
        await locks.release(held(lock))
        return true
    }

    private func held(_ lock: FencedLock) -> HeldLock {
        HeldLock(name: lock.key.hashed(with: secret), fence: lock.fence / 1000, owner: lock.owner)
    }

    private static let unavailable = CacheError(.unavailable, "the database gives no locks now")
}

/// Locks of the shared state for the connections to other services, which store the fence with every pair of tokens.
///
/// Always through this, with a server or without: fences then keep their unit.
struct SharedLockService: LockService {
    private static let space = "named"
    private let locks: any Locking

    init(_ shared: SharedState) { locks = shared.locks }

    func acquire(_ name: String, lease: Duration) async throws -> HeldLock? {
        try await locks.acquire(CacheKey(Self.space, name), for: lease, need: .fenced).map {
            // The store it came from goes along: that one has to be asked again.
            HeldLock(name: name, fence: $0.fence, owner: ($0.isFallback ? "d" : "u") + $0.owner)
        }
    }

    func extend(_ lock: HeldLock, lease: Duration) async throws -> Bool {
        try await locks.extend(fenced(lock), for: lease) != nil
    }

    func release(_ lock: HeldLock) async { await locks.release(fenced(lock)) }

    private func fenced(_ lock: HeldLock) -> FencedLock {
        var fenced = FencedLock(
            key: CacheKey(Self.space, lock.name), fence: lock.fence, owner: String(lock.owner.dropFirst()), heldUntil: 0
        )
        fenced.isFallback = lock.owner.hasPrefix("d")
        return fenced
    }
}
