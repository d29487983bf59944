import TandemAPI
import TandemCache
import TandemCore

/// The routes' limits over all processes. Fuses that nobody reaches with a reason, and that would ask the shared store for
/// every read, stay in each process.
struct SharedRouteLimits: TandemAPI.RateLimiter {
    /// Limits that refill faster are counted here alone.
    static let fastest = 1000.0
    let shared: any RateLimiting
    let own = TokenBuckets()

    func take(_ key: RateKey, perSecond: Double, burst: Double) async -> RateDecision {
        guard perSecond <= Self.fastest else { return await own.take(key, perSecond: perSecond, burst: burst) }
        let verdict = await shared.take(
            RateLimit(
                "route", Int(max(1, perSecond * 1000).rounded()), per: .seconds(1000),
                burst: Int(max(1, burst).rounded())),
            Self.name(key))
        guard let decision = verdict.decisions.first else {
            return RateDecision(isAllowed: true, remaining: Int(burst), wait: 0)
        }
        let wait = decision.retryAfter ?? decision.reset
        let seconds = Int(wait.components.seconds) + (wait.components.attoseconds > 0 ? 1 : 0)
        return RateDecision(
            isAllowed: decision.hasRoom, remaining: decision.remaining, wait: decision.hasRoom ? 0 : max(1, seconds))
    }

    private static func name(_ key: RateKey) -> CacheKey {
        switch key.holder {
        case .account(let user): CacheKey("route.\(key.route)", user, 0)
        case .network(let network): CacheKey("route.\(key.route)", Int64(bitPattern: network), 1)
        }
    }
}
