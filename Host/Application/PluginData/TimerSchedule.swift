import TandemCore
import TandemPluginHost

/// When a timer is due: pure arithmetic on the first due time, the repetition and the person's clock.
struct TimerSchedule: Sendable {
    /// The first due time as the person's clock showed it: milliseconds as if that were UTC.
    var anchorLocal: Int64
    /// The first due time, for timers that count seconds.
    var first: Timestamp
    var repeats: TimerRepeat?

    /// Seconds to add to UTC at an instant.
    typealias Offset = @Sendable (Int64) -> Int32

    static func local(_ instant: Timestamp, offset: Offset) -> Int64 {
        instant.millisecondsSinceEpoch + Int64(offset(instant.millisecondsSinceEpoch)) * 1000
    }

    /// The instant at which the person's clock shows a time; of a time that it shows twice the first, of one that it
    /// leaves out the one as much later as the clock is put forward.
    static func instant(ofLocal local: Int64, offset: Offset) -> Timestamp {
        // Before and after a change of the clocks nearby.
        let before = local - Int64(offset(local - 86_400_000)) * 1000
        let after = local - Int64(offset(local + 86_400_000)) * 1000
        for candidate in [min(before, after), max(before, after)]
        where candidate + Int64(offset(candidate)) * 1000 == local {
            return Timestamp(millisecondsSinceEpoch: candidate)
        }
        return Timestamp(millisecondsSinceEpoch: before)
    }

    /// The due time with a number, the first being 0.
    func occurrence(_ number: Int, offset: Offset) -> Timestamp {
        guard let repeats, number > 0 else { return first }
        switch repeats {
        case .seconds(let every):
            return Timestamp(
                millisecondsSinceEpoch: first.millisecondsSinceEpoch + Int64(number) * Int64(every) * 1000)
        case .days(let every):
            return Self.instant(ofLocal: anchorLocal + Int64(number) * Int64(every) * 86_400_000, offset: offset)
        case .months(let every):
            let day = Int((Double(anchorLocal) / 86_400_000).rounded(.down))
            let anchor = CivilDate(daysSinceEpoch: day)
            let months = anchor.year * 12 + anchor.month - 1 + number * every
            let (year, month) = (months / 12, months % 12 + 1)
            let last = CivilDate.daysInMonth(month, of: year)
            guard let date = CivilDate(year: year, month: month, day: min(anchor.day, last)) else { return first }
            let timeOfDay = anchorLocal - Int64(day) * 86_400_000
            return Self.instant(ofLocal: Int64(date.daysSinceEpoch) * 86_400_000 + timeOfDay, offset: offset)
        }
    }

    /// The last occurrence from `number` on that is not after `now`; `number` itself when it is.
    func latest(from number: Int, notAfter now: Timestamp, offset: Offset) -> Int {
        guard let repeats else { return number }
        let elapsed = now.millisecondsSinceEpoch - first.millisecondsSinceEpoch
        let step: Int64 =
            switch repeats {
            case .seconds(let every): Int64(every) * 1000
            case .days(let every): Int64(every) * 86_400_000
            case .months(let every): Int64(every) * 28 * 86_400_000
            }
        // At most so many; the last ones are found by looking, since days and months differ in length.
        var latest = max(number, Int(max(elapsed, 0) / step) + 1)
        while latest > number, occurrence(latest, offset: offset) > now { latest -= 1 }
        return latest
    }
}
