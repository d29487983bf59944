/// Stops calling what fails: closed, open for a while that doubles, half-open with one call that tries.
///
/// Opens after five failures in a row, or when half of at least ten calls within 30 s failed.
public struct CircuitBreaker: Sendable {
    public enum State: Sendable, Hashable {
        case closed
        /// Until the instant.
        case open(UInt64)
        /// One call is on its way to see.
        case halfOpen
    }

    public struct Rules: Sendable, Hashable {
        public var consecutiveFailures = 5
        public var windowNanoseconds: UInt64 = 30_000_000_000
        public var minimumCalls = 10
        public var openNanoseconds: UInt64 = 10_000_000_000
        public var maxOpenNanoseconds: UInt64 = 300_000_000_000
        /// How long the one call may take before another may try.
        public var probeNanoseconds: UInt64 = 60_000_000_000

        public init() {}
    }

    let rules: Rules
    public private(set) var state = State.closed
    private var consecutive = 0
    private var calls = 0
    private var failures = 0
    private var windowStart: UInt64 = 0
    /// How often it opened without having recovered.
    private var openings = 0
    private var probeStarted: UInt64 = 0

    public init(rules: Rules = Rules()) { self.rules = rules }

    /// Nil when a call may be made, whose end must then be told; otherwise nanoseconds to wait.
    public mutating func refusal(now: UInt64) -> UInt64? {
        switch state {
        case .closed: return nil
        case .open(let until):
            guard now >= until else { return until - now }
            state = .halfOpen
            probeStarted = now
            return nil
        case .halfOpen:
            guard now < probeStarted + rules.probeNanoseconds else {
                probeStarted = now
                return nil
            }
            return 1_000_000_000
        }
    }

    /// The call that `refusal` let through ended well; true when that closed the breaker.
    @discardableResult
    public mutating func succeeded(now: UInt64) -> Bool {
        let wasOpen = state != .closed
        if wasOpen {
            state = .closed
            openings = 0
            calls = 0
            failures = 0
            windowStart = now
        }
        consecutive = 0
        count(now: now, isFailure: false)
        return wasOpen
    }

    /// It failed; true when that opened the breaker.
    @discardableResult
    public mutating func failed(now: UInt64) -> Bool {
        if case .open = state { return false }
        consecutive += 1
        count(now: now, isFailure: true)
        let mustOpen =
            state == .halfOpen || consecutive >= rules.consecutiveFailures
            || calls >= rules.minimumCalls && failures * 2 >= calls
        guard mustOpen else { return false }
        let duration = min(
            rules.maxOpenNanoseconds, rules.openNanoseconds << UInt64(min(openings, 10)))
        openings += 1
        consecutive = 0
        calls = 0
        failures = 0
        state = .open(now + duration)
        return true
    }

    /// It was given up without telling anything: another may try.
    public mutating func abandoned() {
        if state == .halfOpen { state = .open(0) }
    }

    private mutating func count(now: UInt64, isFailure: Bool) {
        if now >= windowStart + rules.windowNanoseconds {
            windowStart = now
            calls = 0
            failures = 0
        }
        calls += 1
        if isFailure { failures += 1 }
    }
}
