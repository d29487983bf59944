import Synchronization
import TandemSDK

/// The searches of a day: YouTube allows a hundred to a project (developers.google.com/youtube/v3/determine_quota_cost), so
/// all people here share them, and nobody takes more than a share.
struct SearchBudget {
    /// What one person may take of the operator's hundred.
    static let share = 15
    static let total = 100

    /// Of this process: what all people took today. Other processes count for themselves; YouTube's refusal tells them all.
    final class Shared: Sendable {
        private struct State {
            var day = ""
            var count = 0
            var isExhausted = false
        }

        private let state = Mutex(State())

        /// False when nothing is left.
        func spend(now: Instant) -> Bool {
            let day = PacificDay(now).name
            return state.withLock { state in
                if state.day != day { state = State(day: day) }
                guard !state.isExhausted, state.count < SearchBudget.total else { return false }
                state.count += 1
                return true
            }
        }

        /// YouTube says that nothing is left.
        func exhausted(now: Instant) {
            let day = PacificDay(now).name
            state.withLock { state in
                if state.day != day { state = State(day: day) }
                state.isExhausted = true
            }
        }

        /// For tests.
        func clear() { state.withLock { $0 = State() } }
    }

    static let shared = Shared()

    let context: Context

    init(_ context: Context) { self.context = context }

    /// Takes one search. Throws when none is left today.
    func spend() async throws {
        let now = context.clock.now
        let key = "searches:" + PacificDay(now).name
        let count = try await context.keyValues.update(key, as: Int.self, expiresIn: .seconds(48 * 3600)) {
            ($0 ?? 0) + 1
        }
        guard count <= Self.share else { throw YouTubeFailure.spent(now, ofAll: false) }
        guard Self.shared.spend(now: now) else { throw YouTubeFailure.spent(now, ofAll: true) }
    }
}

/// A day in California, where YouTube's quota days begin and end.
struct PacificDay {
    /// `2026-11-21`
    let name: String
    /// Its last instant, the next midnight.
    let end: Instant

    init(_ now: Instant) {
        let seconds = now.milliseconds / 1000
        let day = PacificDay.day(of: seconds)
        name = day.description
        let midnight = Int64(day.adding(days: 1).number) * 86_400
        // The clocks change at two in the morning: midnight has the offset of the evening before it.
        end = Instant(milliseconds: (midnight - PacificDay.offset(at: midnight - 1 + 8 * 3600)) * 1000)
    }

    private static func day(of seconds: Int64) -> Day {
        let local = seconds + offset(at: seconds)
        return Day(number: Int(local >= 0 ? local / 86_400 : (local - 86_399) / 86_400))
    }

    /// Seconds from UTC: summer time from the second Sunday of March, 2:00, to the first of November, 2:00 (15 U.S.C. 260a).
    static func offset(at seconds: Int64) -> Int64 {
        let year = Day(number: Int(seconds / 86_400)).year
        guard let march = Day(year: year, month: 3, day: 1), let november = Day(year: year, month: 11, day: 1) else {
            return -8 * 3600
        }
        // 1970-01-01 was a Thursday.
        func firstSunday(_ day: Day) -> Int { day.number + (7 - (day.number + 4) % 7) % 7 }
        let begin = Int64(firstSunday(march) + 7) * 86_400 + 10 * 3600
        let end = Int64(firstSunday(november)) * 86_400 + 9 * 3600
        return begin <= seconds && seconds < end ? -7 * 3600 : -8 * 3600
    }
}
