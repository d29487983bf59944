public import TandemSDK

/// How often something is paid.
public enum Frequency: String, Choice {
    case weekly, monthly, yearly

    public var words: [String] {
        switch self {
        case .weekly: ["every week", "each week", "a week", "per week", "once a week", "week"]
        case .monthly: ["every month", "each month", "a month", "per month", "once a month", "month"]
        case .yearly: ["every year", "each year", "a year", "per year", "once a year", "annually", "annual", "year"]
        }
    }

    /// `every month`.
    var phrase: String {
        switch self {
        case .weekly: "every week"
        case .monthly: "every month"
        case .yearly: "every year"
        }
    }
}

/// The days on which something recurs, counted from the first: the 31st stays the last day of shorter months without
/// slipping to the 28th for ever.
struct Recurrence: Sendable, Hashable {
    var first: Day
    var frequency: Frequency

    /// No single look at a schedule goes further than this: seven years of weeks.
    static let limit = 370

    /// Occurrence `index`, 0 for the first day.
    func day(_ index: Int) -> Day {
        switch frequency {
        case .weekly: first.adding(days: 7 * min(max(index, 0), 500_000))
        case .monthly: first.adding(months: max(index, 0))
        case .yearly: first.adding(months: 12 * min(max(index, 0), 10_000))
        }
    }

    /// The days from occurrence `index` through `today`, at most `limit` of them.
    func due(from index: Int, through today: Day) -> [Day] {
        var days: [Day] = []
        var next = min(max(index, 0), 10_000_000)
        while days.count < Recurrence.limit {
            let day = day(next)
            // The calendar ends with the year 9999: there every later occurrence falls on the same day.
            guard day <= today, days.last.map({ $0 < day }) ?? true else { break }
            days.append(day)
            next += 1
        }
        return days
    }
}
