import Synchronization
import TandemCore
import TandemEgress
import TandemLanguage

/// When a breaker opens.
public struct CircuitRules: Sendable, Hashable {
    public var consecutiveFailures = 3
    public var openFor = Duration.seconds(10)
    public var openAtMost = Duration.seconds(300)

    public init() {}

    var rules: CircuitBreaker.Rules {
        var rules = CircuitBreaker.Rules()
        rules.consecutiveFailures = consecutiveFailures
        rules.openNanoseconds = UInt64(max(0, openFor.milliseconds)) * 1_000_000
        rules.maxOpenNanoseconds = UInt64(max(0, openAtMost.milliseconds)) * 1_000_000
        return rules
    }
}

/// How each provider is doing.
final class LinkStates: Sendable {
    private struct Link {
        var breaker: CircuitBreaker
        /// It asked to be left alone, or refuses the key.
        var restsUntil: UInt64 = 0
    }

    private let links: Mutex<[Link]>
    let names: [String]

    init(names: [String], rules: CircuitRules) {
        self.names = names
        links = Mutex(names.map { _ in Link(breaker: CircuitBreaker(rules: rules.rules)) })
    }

    /// Whether it may be asked now; then its end must be told.
    func admit(_ index: Int, now: UInt64) -> Bool {
        links.withLock { links in
            now >= links[index].restsUntil && links[index].breaker.refusal(now: now) == nil
        }
    }

    func succeeded(_ index: Int, now: UInt64) { links.withLock { _ = $0[index].breaker.succeeded(now: now) } }

    func abandon(_ index: Int) { links.withLock { $0[index].breaker.abandoned() } }

    func failed(_ index: Int, _ failure: LanguageError, longestWait: Duration, now: UInt64) {
        links.withLock { links in
            switch failure.code {
            case .rejected:
                // It works, and does not want this request.
                links[index].breaker.succeeded(now: now)
            case .rateLimited:
                links[index].breaker.succeeded(now: now)
                let wait = min(Int64(failure.retryAfterMilliseconds ?? 30_000), longestWait.milliseconds)
                links[index].restsUntil = now + UInt64(max(0, wait)) * 1_000_000
            case .unauthorized:
                links[index].breaker.abandoned()
                links[index].restsUntil = now + 60_000_000_000
            case .unavailable, .timeout, .invalidResponse:
                links[index].breaker.failed(now: now)
                if let wait = failure.retryAfterMilliseconds {
                    let bounded = min(Int64(wait), longestWait.milliseconds)
                    links[index].restsUntil = now + UInt64(max(0, bounded)) * 1_000_000
                }
            }
        }
    }

    /// True while it would not be asked.
    func isResting(_ index: Int, now: UInt64) -> Bool {
        links.withLock { links in
            if now < links[index].restsUntil { return true }
            if case .open(let until) = links[index].breaker.state { return now < until }
            return false
        }
    }
}
