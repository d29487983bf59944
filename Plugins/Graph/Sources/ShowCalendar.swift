import MailCommon
import PluginCommon
public import TandemSDK

/// Days as they are meant of a calendar.
enum CalendarDays {
    /// A weekday that was said means the coming one, although questions are usually about what was: `on friday`, asked on a
    /// Monday. Yesterday stays yesterday.
    static func ahead(_ day: Day, today: Day) -> Day {
        (2...6).contains(day.distance(to: today)) ? day.adding(days: 7) : day
    }

    static func ahead(_ period: Period, today: Day) -> Period {
        let period = period.ordered
        guard period.from == period.to else { return period }
        let day = ahead(period.from, today: today)
        return Period(from: day, to: day)
    }
}

public struct EventList: Object {
    public var events: [EventSummary]
    public var note: String?
}

public struct EventSummary: Object, Hashable {
    public var id: String
    public var subject: String
    public var start: Instant
    public var end: Instant
    public var allDay: Bool
    public var location: String?
    public var organizer: String?
    public var attendees: [String]
    public var response: String
    public var recurring: Bool

    init(_ event: CalendarEvent) {
        id = event.id
        subject = event.subject
        start = event.start
        end = event.end
        allDay = event.isAllDay
        location = event.location
        organizer = event.organizer?.address
        attendees = event.attendees.prefix(30).map(\.address)
        response = event.response
        recurring = event.isRecurring
    }
}

enum EventPhrase {
    static func reply(
        _ events: [CalendarEvent], nothing: String, note: String?, _ clock: PersonClock
    ) -> Reply<EventList> {
        let shown = Array(events.prefix(20))
        let value = EventList(events: shown.map(EventSummary.init), note: note)
        guard !shown.isEmpty else {
            return Reply(note.map { "\($0.capitalizedFirst).\n\(nothing)" } ?? nothing, value: value, trust: .untrusted)
        }
        var lines: [String] = []
        var number = 0
        var parts: [String] = []
        var day: Day?
        func flush() {
            if let day { lines.append(MessageText.flow(GraphTime.short(day, clock).capitalizedFirst + ":", parts)) }
            parts = []
        }
        for event in shown {
            let own = max(event.firstDay ?? clock.day(of: event.start), Day("0001-01-01") ?? clock.today)
            if own != day {
                flush()
                day = own
            }
            number += 1
            parts.append("\(number) \(event.line(clock))")
        }
        flush()
        var text = lines.joined(separator: "\n")
        if events.count > shown.count { text += "\nand \(events.count - shown.count) more." }
        if let note { text = note.capitalizedFirst + ".\n" + text }
        return Reply(text, value: value, shown: .events(shown, clock), trust: .untrusted)
    }
}

extension Shown {
    static func events(_ events: [CalendarEvent], _ clock: PersonClock, numbered: Bool = true) -> Shown {
        Shown(
            events.map { Item(type: Graph.Event.entity, id: $0.id, label: $0.label(clock)) }, select: "graph.event",
            numbered: numbered)
    }
}

public struct ShowCalendar: Tool {
    public static let declaration = ToolDeclaration(
        "graph.calendar", "Show the calendar", effect: .read,
        "Shows the events of a day or of several.", trust: .untrusted,
        utterances: [
            "(show|open|check) my [outlook] calendar [for|on] [{period}]",
            "what's on my (calendar|agenda|schedule) [{period}]",
            "what's on {period}", "what have I got [on] {period}", "do I have anything [planned] [on] {period}",
            "how does my (day|week|weekend) look",
            "what (meetings|appointments|events) do I have [{period}]",
            "do I have [any] (meetings|appointments) [{period}]",
            "my (calendar|agenda|schedule|appointments|meetings) [for|on] [{period}]",
            "what is my next (meeting|appointment)", "when is my next (meeting|appointment)",
            "what does my (day|calendar) look like [{period}]", "how (busy|full) is my (calendar|schedule) {period}",
        ], timeoutMilliseconds: 20_000)

    @Argument("Which days; today and what is next unless given") var period: Period?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<EventList> {
        let clock = context.clock
        let today = clock.today
        let asked = period.map { CalendarDays.ahead($0, today: today) }
        let days = asked ?? Period(from: today, to: today)
        guard days.dayCount <= 100 else {
            throw ToolError.invalid("That is more days than I show at once. Which month is it?", code: "too_long")
        }
        let (from, to) = clock.range(days)
        var events: [CalendarEvent]
        var note: String?
        do {
            let finder = CalendarFinder(context)
            (events, note) = try await finder.events(from: from, to: to)
            // An old answer to the same question is older than what is kept every quarter of an hour.
            if note != nil, let kept = try await KeptCalendar(context).events(from: from, to: to) {
                (events, note) = (kept.events, kept.note)
            }
            // Without a day, what is over is of no use; an empty day is followed by what comes next.
            if asked == nil {
                events = events.filter { $0.end > clock.now }
                if events.isEmpty {
                    let later = try await finder.events(
                        from: clock.now, to: Instant(milliseconds: clock.now.milliseconds + 14 * 86_400_000), limit: 50)
                    events = Array(later.events.prefix(3))
                    if !events.isEmpty { note = note ?? "Nothing more today; next" }
                }
            }
        } catch let error as ToolError where error.isRetryable {
            guard let kept = try await KeptCalendar(context).events(from: from, to: to) else { throw error }
            (events, note) = (kept.events, kept.note)
        }
        let when = days.from == days.to ? GraphTime.short(days.from, clock) : days.phrase(today: today)
        return EventPhrase.reply(events, nothing: "Nothing in your calendar \(when).", note: note, clock)
    }
}

public struct SearchEvents: Tool {
    public static let declaration = ToolDeclaration(
        "graph.find_event", "Find an event", effect: .read,
        "Finds events by words in title, place or people: from a month ago to half a year ahead.", trust: .untrusted,
        utterances: [
            "when is [the|my] {query} (meeting|appointment)",
            "when is [the|my] (meeting|appointment) (with|about|at) {query}",
            "find [the|my] (meeting|appointment|event) (with|about|for) {query}",
            "search my (calendar|agenda) for {query}", "look for {query} in my (calendar|agenda)",
            "when do I (see|meet) {query}", "when am I meeting {query}", "find {query} in my calendar",
        ], timeoutMilliseconds: 20_000)

    @Argument("Words to look for", schema: ["minLength": 1, "maxLength": 200]) var query: String

    public init() {}

    public func run(_ context: Context) async throws -> Reply<EventList> {
        let clock = context.clock
        let now = clock.now.milliseconds
        let from = Instant(milliseconds: now - 31 * 86_400_000)
        let to = Instant(milliseconds: now + 183 * 86_400_000)
        var events: [CalendarEvent]
        var note: String?
        do {
            (events, note) = try await CalendarFinder(context).events(from: from, to: to, limit: 600)
        } catch let error as ToolError where error.isRetryable {
            guard let kept = try await KeptCalendar(context).events(from: from, to: to) else { throw error }
            (events, note) = (kept.events, kept.note)
        }
        let found = CalendarFinder.fitting(events, query)
        let coming = found.filter { $0.end > clock.now }
        // What is over counts when nothing comes; of a series the next three.
        var perSeries: [String: Int] = [:]
        let chosen = (coming.isEmpty ? found.suffix(3) : coming.prefix(100)).filter { event in
            guard let series = event.series else { return true }
            perSeries[series, default: 0] += 1
            return perSeries[series, default: 0] <= 3
        }
        return EventPhrase.reply(
            Array(chosen.prefix(9)), nothing: "Nothing like that in your calendar.", note: note, clock)
    }
}

public struct EventDetails: Object {
    public var event: EventSummary
    public var text: String
    public var link: String?
}

public struct ShowEvent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.event", "Show an event", effect: .read,
        "Shows one event: when, where, who, what it is about.", trust: .untrusted,
        utterances: [
            "show [me] [the] (meeting|appointment|event) {event}",
            "details (of|on|about) [the] (meeting|appointment|event) {event}",
            "who is [coming] (in|at|to) [the] (meeting|appointment|event) {event}",
            "where is [the] (meeting|appointment|event) {event}",
            "tell me about the {event} (meeting|appointment)",
        ], actsOn: Graph.Event.entity, timeoutMilliseconds: 20_000)

    @Argument("Which event: #id as shown, or its title") var event: EventReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<EventDetails> {
        let clock = context.clock
        let found = try await CalendarFinder(context).find(event)
        var lines = [EventChangePhrase.span(found, clock)]
        if let place = found.location { lines.append("At \(place).") }
        if let host = found.organizer, !found.isOrganizer { lines.append("By \(host.shortName.cut(to: 40)).") }
        if !found.attendees.isEmpty {
            lines.append("With \(MessageText.enumeration(found.attendees.map { $0.shortName.cut(to: 30) }, limit: 8)).")
        }
        if found.response == "notResponded" { lines.append("You have not answered the invitation.") }
        let text = MailBody(found.preview).text
        if !text.isEmpty { lines.append(MailWords.wrapped(text)) }
        return Reply(
            "\(found.title.cut(to: 80)): " + lines.joined(separator: "\n"),
            value: EventDetails(event: EventSummary(found), text: text, link: found.link),
            shown: .events([found], clock, numbered: false), trust: .untrusted)
    }
}
