import Synchronization
public import TandemCore
import TandemLanguage

/// A meter of one process that forgets when it ends.
public final class MemoryMeter: ModelMeter {
    private struct State {
        var day = 0
        var people: [UserID: ModelDay] = [:]
        var silent: [UserID: ModelDay] = [:]
        var total = ModelDay()
        var outcomes: [ModelOutcome] = []
    }

    private let state = Mutex(State())
    private let clock: any WallClock

    public init(clock: any WallClock) { self.clock = clock }

    /// The last thousand.
    public var outcomes: [ModelOutcome] { state.withLock { $0.outcomes } }

    public func day(of user: UserID) -> ModelDay { state.withLock { $0.people[user] ?? ModelDay() } }

    public func reserve(_ charge: ModelCharge, within budget: ModelBudget) async throws -> BudgetVerdict {
        let today = ModelDays.day(of: clock.now)
        return state.withLock { state in
            if state.day != today { state = State(day: today, outcomes: state.outcomes) }
            let user = charge.account.scope.user
            let limit = ModelDay.limit(
                for: charge, day: state.people[user] ?? ModelDay(), silent: state.silent[user] ?? ModelDay(),
                total: state.total, within: budget)
            if let limit { return .refused(limit) }
            Self.add(charge, tokens: charge.tokens, micros: charge.micros, requests: 1, to: &state)
            return .granted(ModelReservation(charge: charge, day: today))
        }
    }

    public func settle(_ reservation: ModelReservation, _ outcome: ModelOutcome) async {
        state.withLock { state in
            if state.outcomes.count >= 1000 { state.outcomes.removeFirst() }
            state.outcomes.append(outcome)
            guard state.day == reservation.day else { return }
            let charge = reservation.charge
            Self.add(
                charge, tokens: outcome.usage.input + outcome.usage.output - charge.tokens,
                micros: outcome.micros - charge.micros, requests: 0, to: &state)
        }
    }

    private static func add(
        _ charge: ModelCharge, tokens: Int, micros: Int64, requests: Int, to state: inout State
    ) {
        let user = charge.account.scope.user
        state.people[user, default: ModelDay()].add(tokens: tokens, micros: micros, requests: requests)
        if charge.account.isSilent {
            state.silent[user, default: ModelDay()].add(tokens: tokens, micros: micros, requests: requests)
        }
        state.total.add(tokens: tokens, micros: micros, requests: requests)
    }
}

/// Days of the budgets.
public enum ModelDays {
    /// Days since 1970-01-01, UTC.
    public static func day(of time: Timestamp) -> Int {
        Int((Double(time.millisecondsSinceEpoch) / 86_400_000).rounded(.down))
    }
}
