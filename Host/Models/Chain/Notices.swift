import Synchronization
import TandemCore

/// Says once that answers are less than usual, to each person and for each reason.
final class Notices: Sendable {
    enum Reason: Hashable, Sendable {
        case outage
        case budget
        case turn

        /// One line of GSM-7, well below a segment.
        var text: String {
            switch self {
            case .outage: "My smart half is away just now; plain requests still work."
            case .budget: "Today's share of smart answers is used up; plain requests still work."
            case .turn: "That took too many steps, so I stopped there."
            }
        }
    }

    private struct Key: Hashable {
        var user: UserID?
        var reason: Reason
    }

    private struct Said {
        var at: Timestamp
        var hasRecovered = false
    }

    /// As long as it stays so, it is said again only after this …
    static let pause = Duration.seconds(12 * 3600)
    /// … and after it was well in between, after this.
    static let pauseAfterRecovery = Duration.seconds(1800)
    private static let capacity = 20_000

    private let said = Mutex<[Key: Said]>([:])
    private let clock: any WallClock

    init(clock: any WallClock) { self.clock = clock }

    func note(_ reason: Reason, for user: UserID?) -> String? {
        // Of this turn alone: it concerns what was just asked.
        if reason == .turn { return reason.text }
        let now = clock.now
        return said.withLock { said in
            let key = Key(user: user, reason: reason)
            if let last = said[key] {
                let pause = last.hasRecovered ? Self.pauseAfterRecovery : Self.pause
                guard now.since(last.at) >= pause else { return nil }
            }
            if said.count >= Self.capacity { said = said.filter { now.since($0.value.at) < Self.pause } }
            if said.count >= Self.capacity { said.removeAll() }
            said[key] = Said(at: now)
            return reason.text
        }
    }

    func recovered(_ user: UserID?) {
        said.withLock { said in
            for reason in [Reason.outage, .budget] { said[Key(user: user, reason: reason)]?.hasRecovered = true }
        }
    }
}

/// Tokens of turns under way.
final class TurnTokens: Sendable {
    private struct State {
        var tokens: [RecordID: Int] = [:]
        var order: [RecordID] = []
    }

    private static let capacity = 4096
    private let state = Mutex(State())

    func tokens(of turn: RecordID) -> Int { state.withLock { $0.tokens[turn] ?? 0 } }

    func add(_ count: Int, to turn: RecordID) {
        state.withLock { state in
            if state.tokens[turn] == nil {
                if state.order.count >= Self.capacity {
                    for old in state.order.prefix(Self.capacity / 4) { state.tokens[old] = nil }
                    state.order.removeFirst(Self.capacity / 4)
                }
                state.order.append(turn)
            }
            state.tokens[turn, default: 0] += count
        }
    }
}
