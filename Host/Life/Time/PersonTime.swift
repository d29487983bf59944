import TandemCore

/// The time as one person has it: the instant, and how far their clock is from UTC.
struct PersonTime: Sendable {
    var now: Timestamp
    /// Seconds to add to UTC at an instant.
    var offset: @Sendable (Timestamp) -> Int

    var today: CivilDate { date(of: now) }

    /// The person's date at an instant.
    func date(of instant: Timestamp) -> CivilDate { parts(of: instant).date }

    /// The person's minutes since midnight at an instant.
    func minuteOfDay(of instant: Timestamp) -> Int { parts(of: instant).minute }

    private func parts(of instant: Timestamp) -> (date: CivilDate, minute: Int) {
        let local = instant.millisecondsSinceEpoch + Int64(offset(instant)) * 1000
        let day = Int((Double(local) / 86_400_000).rounded(.down))
        return (CivilDate(daysSinceEpoch: day), Int((local - Int64(day) * 86_400_000) / 60_000))
    }

    /// `today`, `tomorrow`, `Wed 31 Mar`, and `Wed 31 Mar 2027` outside this year.
    func say(_ date: CivilDate) -> String {
        let today = self.today
        switch date.daysSinceEpoch - today.daysSinceEpoch {
        case 0: return "today"
        case 1: return "tomorrow"
        case -1: return "yesterday"
        default: break
        }
        let name = "\(PersonTime.weekdays[date.isoWeekday - 1]) \(date.day) \(PersonTime.months[date.month - 1])"
        return date.year == today.year ? name : "\(name) \(date.year)"
    }

    /// A day and a time: `tomorrow 09:30`.
    func say(_ instant: Timestamp) -> String {
        let parts = parts(of: instant)
        return "\(say(parts.date)) \(ClockTime(minuteOfDay: parts.minute))"
    }

    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

/// A day, or a day with a time: what the `dateTime` slot carries.
enum DayOrInstant: Sendable, Hashable {
    case day(CivilDate)
    case instant(Timestamp)

    /// Reads `2027-03-31` or an RFC 3339 date-time; nil for anything else.
    init?(_ text: String) {
        if let date = CivilDate(text) {
            self = .day(date)
        } else if let instant = Timestamp(text) {
            self = .instant(instant)
        } else {
            return nil
        }
    }

    func date(in time: PersonTime) -> CivilDate {
        switch self {
        case .day(let date): date
        case .instant(let instant): time.date(of: instant)
        }
    }

    func say(in time: PersonTime) -> String {
        switch self {
        case .day(let date): time.say(date)
        case .instant(let instant): time.say(instant)
        }
    }

    /// The day is over, or the instant has passed.
    func isPast(in time: PersonTime) -> Bool {
        switch self {
        case .day(let date): date < time.today
        case .instant(let instant): instant < time.now
        }
    }
}
