import CTandemPlugin
import Synchronization
import TandemCore

/// One call in flight: who made it, what it may do, and how it ends.
final class PendingCall: Sendable {
    let id: UInt64
    let instance: PluginInstance
    let tool: CallableTool
    let scope: UserScope
    let origin: WriteOrigin
    let deadline: UInt64
    let depth: Int
    let eventDepth: Int
    let idempotencyKey: String
    let traceParent: String
    /// The call may change rows.
    let mayWrite: Bool
    /// A timer or an event made it, nobody asked for it: it may set timers, and write tables that are copies.
    let isHandler: Bool
    let allowedEffect: Effect
    /// Where what the call works with is from.
    let provenance = CallProvenance.current

    enum Claim {
        case granted
        case alreadyDone
        case stale
    }

    private enum Phase {
        case open
        case waiting(UnsafeContinuation<ToolOutcome, Never>)
        /// A completion is being read.
        case claimed(UnsafeContinuation<ToolOutcome, Never>?)
        case completed(ToolOutcome)
        /// Ended by the host: the outcome waits for its reader, if it has not been read.
        case givenUp(ToolOutcome?)
        case over(wasCompleted: Bool)
    }

    /// What a call may do so often.
    struct Counts {
        var events = 0
        var memories = 0
    }

    enum Service {
        case begun
        /// As many run as may.
        case full
        case over
    }

    private struct State {
        var phase = Phase.open
        var isCancelled = false
        var innerCalls = 0
        /// With those that follow from the same call of the agent's; made with the first.
        var following: InnerCallCount?
        var counts = Counts()
        /// Requests to host services that run on behalf of the call.
        var services = 0
        /// Ends those of them that would outlast the call.
        var enders: [UInt64: @Sendable () -> Void] = [:]
        var nextEnder: UInt64 = 1
        var drained: OneShot<Void>?
    }

    private let state = Mutex(State())

    init(
        id: UInt64, instance: PluginInstance, tool: CallableTool, scope: UserScope, call: ToolCall, deadline: UInt64,
        mayWrite: Bool, isHandler: Bool
    ) {
        self.id = id
        self.instance = instance
        self.tool = tool
        self.scope = scope
        self.deadline = deadline
        self.mayWrite = mayWrite
        self.isHandler = isHandler
        origin = call.origin
        depth = call.depth
        eventDepth = call.eventDepth
        idempotencyKey = call.idempotencyKey
        traceParent = call.traceParent
        allowedEffect = call.allowedEffect
        if let following = call.innerCalls { state.withLock { $0.following = following } }
    }

    // MARK: The plugin's side

    /// The first completion takes the call; `finish` must follow.
    func claim() -> Claim {
        state.withLock { state in
            switch state.phase {
            case .open: state.phase = .claimed(nil)
            case .waiting(let continuation): state.phase = .claimed(continuation)
            case .claimed, .completed, .over(wasCompleted: true): return .alreadyDone
            case .givenUp, .over(wasCompleted: false): return .stale
            }
            return .granted
        }
    }

    func finish(_ outcome: ToolOutcome) {
        let waiting = state.withLock { state -> UnsafeContinuation<ToolOutcome, Never>? in
            guard case .claimed(let continuation) = state.phase else { return nil }
            state.phase = continuation == nil ? .completed(outcome) : .over(wasCompleted: true)
            return continuation
        }
        waiting?.resume(returning: outcome)
        endServices()
    }

    var isInFlight: Bool {
        state.withLock { state in
            switch state.phase {
            case .open, .waiting: true
            default: false
            }
        }
    }

    /// 1, 0, or `TANDEM_E_STALE`.
    var cancellation: Int32 {
        state.withLock { state in
            switch state.phase {
            case .open, .waiting: state.isCancelled ? 1 : 0
            default: TANDEM_E_STALE
            }
        }
    }

    /// Counts a request to a host service; false when the call is over.
    func beginService() -> Bool {
        state.withLock { state in
            switch state.phase {
            case .open, .waiting:
                state.services += 1
                return true
            default: return false
            }
        }
    }

    /// Counts a request to a host service, of which `limit` may run at a time.
    func beginService(atMost limit: Int) -> Service {
        state.withLock { state in
            switch state.phase {
            case .open, .waiting:
                guard state.services < limit else { return .full }
                state.services += 1
                return .begun
            default: return .over
            }
        }
    }

    /// What ends a request to a host service when the call ends or is cancelled before it: called at most once. Nil,
    /// and not kept, when that has happened.
    func onEnd(_ end: @escaping @Sendable () -> Void) -> UInt64? {
        state.withLock { state in
            switch state.phase {
            case .open, .waiting:
                guard !state.isCancelled else { return nil }
                defer { state.nextEnder += 1 }
                state.enders[state.nextEnder] = end
                return state.nextEnder
            default: return nil
            }
        }
    }

    /// False when it was done `limit` times before.
    func count(_ counter: WritableKeyPath<Counts, Int>, atMost limit: Int) -> Bool {
        state.withLock { state in
            guard state.counts[keyPath: counter] < limit else { return false }
            state.counts[keyPath: counter] += 1
            return true
        }
    }

    func removeEnder(_ ender: UInt64) { state.withLock { $0.enders[ender] = nil } }

    func endService() {
        let drained = state.withLock { state -> OneShot<Void>? in
            state.services -= 1
            return state.services == 0 ? state.drained : nil
        }
        drained?.resolve(())
    }

    /// Counts an inner call: its number within this one, and what all are counted by that follow from the same call of the
    /// agent's; nil when there were too many of one or the other.
    func beginInnerCall(atMost limit: Int, following total: Int) -> (ordinal: Int, following: InnerCallCount)? {
        state.withLock { state in
            let following = state.following ?? InnerCallCount()
            state.following = following
            guard state.innerCalls < limit, following.begin(atMost: total) else { return nil }
            state.innerCalls += 1
            return (state.innerCalls, following)
        }
    }

    // MARK: The host's side

    /// Ends the call in the host's name; false when it ended before.
    ///
    /// - Parameter note: runs when it did not, before whoever waits for the call hears of it: what is counted is counted then.
    @discardableResult
    func giveUp(_ outcome: ToolOutcome, _ note: () -> Void = {}) -> Bool {
        let result = state.withLock { state -> (Bool, UnsafeContinuation<ToolOutcome, Never>?) in
            switch state.phase {
            case .open:
                state.phase = .givenUp(outcome)
                return (true, nil)
            case .waiting(let continuation):
                state.phase = .givenUp(nil)
                return (true, continuation)
            default: return (false, nil)
            }
        }
        guard result.0 else { return false }
        note()
        result.1?.resume(returning: outcome)
        endServices()
        return true
    }

    /// True the first time.
    func markCancelled() -> Bool {
        let isFirst = state.withLock { state in
            if state.isCancelled { return false }
            state.isCancelled = true
            return true
        }
        if isFirst { endServices() }
        return isFirst
    }

    private func endServices() {
        let enders = state.withLock { state in
            defer { state.enders = [:] }
            return Array(state.enders.values)
        }
        for end in enders { end() }
    }

    /// The outcome, when there is one already.
    func takeOutcome() -> ToolOutcome? {
        state.withLock { state in
            switch state.phase {
            case .completed(let outcome):
                state.phase = .over(wasCompleted: true)
                return outcome
            case .givenUp(let outcome):
                state.phase = .givenUp(nil)
                return outcome
            default: return nil
            }
        }
    }

    func outcome() async -> ToolOutcome {
        await withUnsafeContinuation { continuation in
            let ready = state.withLock { state -> ToolOutcome? in
                switch state.phase {
                case .open: state.phase = .waiting(continuation)
                case .claimed(nil): state.phase = .claimed(continuation)
                case .completed(let outcome):
                    state.phase = .over(wasCompleted: true)
                    return outcome
                case .givenUp(let outcome?):
                    state.phase = .givenUp(nil)
                    return outcome
                case .waiting, .claimed, .givenUp(nil), .over:
                    return .failure(ToolFailure(status: TANDEM_E_INTERNAL, code: "internal", message: "That failed."))
                }
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    var wasCompleted: Bool {
        state.withLock { state in
            switch state.phase {
            case .claimed, .completed, .over(wasCompleted: true): true
            default: false
            }
        }
    }

    /// What `services` are still running, to be awaited: after it nothing is written in the call's name any more.
    func remainingServices() -> OneShot<Void>? {
        state.withLock { state in
            guard state.services > 0 else { return nil }
            let drained = state.drained ?? OneShot<Void>()
            state.drained = drained
            return drained
        }
    }
}
