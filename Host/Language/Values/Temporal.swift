import TandemCore

/// A date, a span of dates or an instant that a message names, in both readings where past or future is left open.
struct Temporal: Sendable, Hashable {
    enum Lead: UInt8, Sendable {
        case none, on, by, until, since, within, at, duration
    }

    struct Range: Sendable, Hashable {
        var from: CivilDate
        var to: CivilDate

        init(_ from: CivilDate, _ to: CivilDate) {
            self.from = from
            self.to = max(from, to)
        }

        init(_ day: CivilDate) { (from, to) = (day, day) }
    }

    var start: Int
    var end: Int
    var lead = Lead.none
    /// The reading for plans, and the one for what has been.
    var future: Range
    var past: Range
    /// The words decide the direction themselves ("yesterday", "in 3 weeks").
    var isFixed = true
    /// A single day.
    var isDay = true
    /// Minutes since midnight of the first day.
    var minutes: Int?
    /// Exactly this many minutes from now.
    var offset: Int?
    /// A time without a day.
    var isTimeOnly = false

    init(_ start: Int, _ end: Int, _ range: Range, isDay: Bool = true) {
        self.start = start
        self.end = end
        future = range
        past = range
        self.isDay = isDay
    }

    init(_ start: Int, _ end: Int, future: Range, past: Range, isDay: Bool = true) {
        self.start = start
        self.end = end
        self.future = future
        self.past = past
        self.isDay = isDay
        isFixed = false
    }
}
