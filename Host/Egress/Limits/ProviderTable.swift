import Synchronization
import TandemCore

/// What is remembered about each provider that each plugin calls: its breaker, and how much has been asked of it.
///
/// Kept apart by plugin: one that provokes failures, or spends what a provider allows, harms only itself.
final class ProviderTable: Sendable {
    struct Key: Sendable, Hashable {
        var plugin: String
        var host: String
    }

    enum Admission: Sendable, Hashable {
        /// After so many nanoseconds; 0 is now. What was taken has been taken.
        case after(UInt64)
        /// Too much has been asked; it could be in so many nanoseconds.
        case rateLimited(UInt64)
        /// As many of the person's requests as may are under way.
        case crowded
        /// The provider fails; it is called again in so many nanoseconds.
        case broken(UInt64)
    }

    enum Verdict: Sendable, Hashable {
        /// It answered, whatever it said.
        case works
        /// Too much has been asked; wait so many nanoseconds.
        case pushedBack(UInt64)
        case fails
        /// Nothing is known: given up, or our own fault.
        case unknown
    }

    enum Transition: Sendable, Hashable { case opened, closed }

    private struct Person {
        var bucket: TokenBucket
        var blockedUntil: UInt64 = 0
        /// Admitted, and not recorded yet.
        var running = 0
    }

    private struct Provider {
        var breaker: CircuitBreaker
        var bucket: TokenBucket
        var people: [UserID: Person] = [:]
        var lastUse: UInt64
        /// As it was when it was last asked for.
        var total: Rate

        /// In place: a provider may have many people.
        mutating func admit(_ user: UserID, limit: ProviderLimit, patience: UInt64, now: UInt64) -> Admission {
            lastUse = now
            total = limit.total
            if people.count >= ProviderTable.maxPeople, people[user] == nil {
                people = people.filter { person in
                    var bucket = person.value.bucket
                    return person.value.running > 0 || person.value.blockedUntil > now
                        || !bucket.isFull(limit.perUser, now: now)
                }
            }
            let shared = bucket.wait(limit.total, now: now)
            let wait = { (person: inout Person) -> UInt64 in
                let blocked = person.blockedUntil > now ? person.blockedUntil - now : 0
                return max(blocked, person.bucket.wait(limit.perUser, now: now), shared)
            }(&people[user, default: Person(bucket: TokenBucket(limit.perUser, now: now))])
            guard wait <= patience else { return .rateLimited(wait) }
            guard people[user].map({ $0.running < limit.concurrent }) ?? true else { return .crowded }
            if let wait = breaker.refusal(now: now) { return .broken(wait) }
            people[user]?.bucket.take()
            people[user]?.running += 1
            bucket.take()
            return .after(wait)
        }
    }

    private let providers = Mutex<[Key: Provider]>([:])
    private let rules: CircuitBreaker.Rules
    private static let maxProviders = 2048
    private static let maxPeople = 20_000

    init(rules: CircuitBreaker.Rules = CircuitBreaker.Rules()) { self.rules = rules }

    /// - Parameter patience: nanoseconds that the caller could wait for its turn.
    func admit(_ key: Key, user: UserID, limit: ProviderLimit, patience: UInt64, now: UInt64) -> Admission {
        providers.withLock { providers in
            if providers[key] == nil, providers.count >= Self.maxProviders { Self.prune(&providers) }
            let new = Provider(
                breaker: CircuitBreaker(rules: rules), bucket: TokenBucket(limit.total, now: now), lastUse: now,
                total: limit.total)
            return providers[key, default: new].admit(user, limit: limit, patience: patience, now: now)
        }
    }

    /// What came of an admitted request: once for each.
    @discardableResult
    func record(_ verdict: Verdict, _ key: Key, user: UserID, now: UInt64) -> Transition? {
        providers.withLock { providers in
            if let running = providers[key]?.people[user]?.running, running > 0 {
                providers[key]?.people[user]?.running = running - 1
            }
            switch verdict {
            case .works: return providers[key]?.breaker.succeeded(now: now) == true ? .closed : nil
            case .pushedBack(let wait):
                // At most an hour: a service that asks for more is asked again.
                let until = now + min(wait, 3_600_000_000_000)
                providers[key]?.people[user]?.blockedUntil = until
                return providers[key]?.breaker.succeeded(now: now) == true ? .closed : nil
            case .fails: return providers[key]?.breaker.failed(now: now) == true ? .opened : nil
            case .unknown:
                providers[key]?.breaker.abandoned()
                return nil
            }
        }
    }

    func state(_ key: Key) -> CircuitBreaker.State? { providers.withLock { $0[key]?.breaker.state } }

    /// What is left of each provider's budget, for the exposition: of the most recently called ones.
    func snapshots(now: UInt64) -> [MetricSnapshot] {
        let rows = providers.withLock { providers in
            providers.sorted { $0.value.lastUse > $1.value.lastUse }.prefix(Self.mostShown).map { key, provider in
                var bucket = provider.bucket
                bucket.refill(provider.total, now: now)
                return (
                    labels: [key.plugin, key.host], left: max(0, bucket.tokens), rate: provider.total.perSecond,
                    waiting: provider.people.values.count { $0.blockedUntil > now },
                    running: provider.people.values.reduce(0) { $0 + $1.running }
                )
            }
        }
        func gauge(_ name: String, _ help: String, _ value: (Int) -> Double) -> MetricSnapshot {
            MetricSnapshot(
                name: name, help: help, kind: .gauge, labels: ["plugin", "provider"],
                samples: rows.indices.map { .init(labelValues: rows[$0].labels, value: .number(value($0))) })
        }
        return [
            gauge("tandem_egress_budget_left", "Requests that all people together may make at once now.") {
                rows[$0].left.rounded(.down)
            },
            gauge("tandem_egress_budget_per_second", "Requests that all people together may make in a second.") {
                rows[$0].rate
            },
            gauge("tandem_egress_people_held_back", "People whom the provider told to wait.") {
                Double(rows[$0].waiting)
            },
            gauge("tandem_egress_in_flight", "Requests that are under way or wait for their turn.") {
                Double(rows[$0].running)
            },
        ]
    }

    private static let mostShown = 100

    private static func prune(_ providers: inout [Key: Provider]) {
        let old = providers.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(maxProviders / 8)
        for entry in old { providers[entry.key] = nil }
    }
}
