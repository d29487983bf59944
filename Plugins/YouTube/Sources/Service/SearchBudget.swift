import TandemSDK

/// The searches of a day: YouTube allows a hundred to a project (developers.google.com/youtube/v3/determine_quota_cost), so
/// all people here share them, and nobody takes more than a share. Who counts is YouTube: once it says that nothing is left,
/// the person does not search again before its day is over.
struct SearchBudget {
    /// What one person may take of the operator's hundred.
    static let share = 15

    let context: Context

    init(_ context: Context) { self.context = context }

    /// Takes one search. Throws when none is left today.
    func spend() async throws {
        let now = context.clock.now
        let day = PacificDay(now).name
        if (try? await context.keyValues.get("exhausted", as: String.self))?.value == day {
            throw YouTubeFailure.spent(now, ofAll: true)
        }
        let count = try await context.keyValues.update(
            "searches:" + day, as: Int.self, expiresIn: .seconds(48 * 3600)
        ) { ($0 ?? 0) + 1 }
        guard count <= Self.share else { throw YouTubeFailure.spent(now, ofAll: false) }
    }

    /// YouTube says that nothing is left.
    func exhausted() async {
        let day = PacificDay(context.clock.now).name
        _ = try? await context.keyValues.set("exhausted", to: day, expiresIn: .seconds(48 * 3600))
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
