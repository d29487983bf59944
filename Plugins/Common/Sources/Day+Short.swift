public import TandemSDK

extension Day {
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let longMonthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// `today`, `yesterday`, `12 Nov`, or `12 Nov 2025` in another year.
    public func short(today: Day) -> String {
        if self == today { return "today" }
        if self == today.adding(days: -1) { return "yesterday" }
        let (year, month, day) = parts
        let text = "\(day) \(Day.monthNames[month - 1])"
        return year == today.year ? text : "\(text) \(year)"
    }

    /// `November`.
    public var monthName: String { Day.longMonthNames[month - 1] }
}

extension Period {
    /// `today`, `in November`, `in 2025`, `this week`, `1 Nov to 12 Nov`.
    public func phrase(today: Day) -> String {
        if from == to {
            let text = from.short(today: today)
            return text == "today" || text == "yesterday" ? text : "on \(text)"
        }
        if self == from.wholeMonth {
            if contains(today) { return "this month" }
            return from.year == today.year ? "in \(from.monthName)" : "in \(from.monthName) \(from.year)"
        }
        if self == today.wholeWeek { return "this week" }
        if self == from.wholeYear { return contains(today) ? "this year" : "in \(from.year)" }
        return "\(from.short(today: today)) to \(to.short(today: today))"
    }

    /// The period with its ends in order.
    public var ordered: Period { from <= to ? self : Period(from: to, to: from) }
}

extension StringProtocol {
    /// With a capital first letter, for the beginning of a sentence.
    public var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
