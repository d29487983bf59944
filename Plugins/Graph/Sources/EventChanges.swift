import MailCommon
import PluginCommon
public import TandemSDK

/// How often an event comes again.
public enum EventRepeats: String, Choice {
    case daily, weekdays, weekly, biweekly, monthly, yearly

    public var words: [String] {
        switch self {
        case .daily: ["every day", "daily", "each day"]
        case .weekdays: ["every weekday", "on weekdays", "every working day"]
        case .weekly: ["every week", "weekly", "each week"]
        case .biweekly: ["every two weeks", "every other week", "fortnightly"]
        case .monthly: ["every month", "monthly"]
        case .yearly: ["every year", "yearly", "annually"]
        }
    }

    private static let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    func recurrence(from day: Day, until: Day?, zone: String) -> JSON {
        let weekday = Self.names[day.weekday - 1]
        let pattern: JSON =
            switch self {
            case .daily: ["type": "daily", "interval": 1]
            case .weekdays:
                [
                    "type": "weekly", "interval": 1,
                    "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                    "firstDayOfWeek": "monday",
                ]
            case .weekly, .biweekly:
                [
                    "type": "weekly", "interval": self == .weekly ? 1 : 2, "daysOfWeek": [.string(weekday)],
                    "firstDayOfWeek": "monday",
                ]
            case .monthly: ["type": "absoluteMonthly", "interval": 1, "dayOfMonth": .integer(Int64(day.day))]
            case .yearly:
                [
                    "type": "absoluteYearly", "interval": 1, "dayOfMonth": .integer(Int64(day.day)),
                    "month": .integer(Int64(day.month)),
                ]
            }
        var range: JSONObject = [
            "type": until == nil ? "noEnd" : "endDate", "startDate": day.json, "recurrenceTimeZone": .string(zone),
        ]
        if let until { range["endDate"] = until.json }
        return ["pattern": pattern, "range": .object(range)]
    }
}

/// What is written of a new event.
struct NewEvent {
    var title: String
    var when: When
    var duration: Minutes?
    var place: String?
    var notes: String?
    var repeats: EventRepeats?
    var until: Day?
    var reminder: Minutes?
    var people: [MailAddress] = []

    /// The event at Microsoft; made once, however often the call is made again.
    func create(_ service: GraphService) async throws -> CalendarEvent {
        let clock = service.context.clock
        guard let subject = title.singleLine(limit: 200).nonEmpty else {
            throw ToolError.invalid("What is it called?", code: "no_title")
        }
        var body: JSONObject = ["subject": .string(subject)]
        let first: Day
        switch when {
        case .day(let day):
            first = day
            let days = max(1, (duration?.count ?? 1440) / 1440)
            body["isAllDay"] = true
            body["start"] = GraphTime.json(day, clock)
            body["end"] = GraphTime.json(day.adding(days: days), clock)
        case .instant(let start):
            first = clock.day(of: start)
            body["start"] = GraphTime.json(start, clock)
            body["end"] = GraphTime.json(start.adding(max(1, duration ?? 60)), clock)
        }
        guard first >= clock.today.adding(days: -3660), first <= clock.today.adding(days: 7320) else {
            throw ToolError.invalid("That day is too far away. Which day is it?", code: "invalid_date")
        }
        if let place = place?.singleLine(limit: 200).nonEmpty { body["location"] = ["displayName": .string(place)] }
        if let notes, !notes.isEmpty { body["body"] = ["contentType": "text", "content": .string(notes)] }
        if let repeats { body["recurrence"] = repeats.recurrence(from: first, until: until, zone: clock.timeZone) }
        if let reminder {
            body["isReminderOn"] = true
            body["reminderMinutesBeforeStart"] = .integer(Int64(min(reminder.count, 40_320)))
        }
        if !people.isEmpty { body["attendees"] = .array(people.map(GraphPeople.attendee)) }
        // A repeated request with the same one gives the event that is there.
        body["transactionId"] = .string(String(service.context.idempotencyKey.prefix(64)))
        let made = try await service.send(.post, "/events", .object(body), isIdempotent: true)
        guard let event = CalendarEvent(made, clock) else { throw GraphService.unreadable }
        return event
    }
}

enum EventChangePhrase {
    /// `Mon 23 Nov 09:00-09:30`, `Mon 23 Nov, all day`
    static func span(_ event: CalendarEvent, _ clock: PersonClock) -> String {
        if let first = event.firstDay {
            let last = event.lastDay ?? first
            let text = GraphTime.short(first, clock)
            return last > first ? "\(text) to \(GraphTime.short(last, clock)), all day" : "\(text), all day"
        }
        let start = clock.local(event.start)
        let end = clock.local(event.end)
        let day = end.day == start.day ? "" : GraphTime.short(end.day, clock) + " "
        return
            "\(GraphTime.short(start.day, clock)) \(MailWords.time(start.minute))-\(day)\(MailWords.time(end.minute))"
    }

    /// Something that is there at the same time.
    static func clash(_ event: CalendarEvent, _ service: GraphService) async -> String {
        guard !event.isAllDay else { return "" }
        let found = try? await CalendarFinder(service.context).events(from: event.start, to: event.end, limit: 20)
            .events
        let other = found?.first {
            $0.id != event.id && !$0.isAllDay && !$0.isCancelled && $0.showAs != "free"
                && ($0.series == nil || $0.series != event.id)
        }
        guard let other else { return "" }
        return "\nAt the same time: \(other.line(service.context.clock))."
    }
}

public struct EventMade: Object, Hashable {
    /// `#` and the id.
    public var event: String
}

public struct AddEvent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.add_event", "Put an event into the calendar", effect: .write,
        "Adds an event without other people: with a time, or all day; once or again and again.",
        undo: .tool("graph.delete_event"),
        utterances: [
            "(add|put) {title} (to|in|into|on) my calendar [{when}] [{repeats}]",
            "(schedule|plan) {title} {when} [for {duration}]",
            "(add|make|create) an (appointment|event) {title} {when} [for {duration}]",
            "new (appointment|event|calendar entry) {title} {when}", "block {when} for {title}",
            "block {duration} {when} for {title}", "calendar: {title} {when}",
            "I have a {title} appointment {when}", "I have an appointment (at|with) the {title} {when}",
            "put a {title} appointment in my calendar {when}",
        ], timeoutMilliseconds: 20_000)

    @Argument("What it is called", schema: ["minLength": 1, "maxLength": 200]) var title: String
    @Argument("When it begins; a day alone is all day") var when: When
    @Argument("How long; an hour unless given") var duration: Minutes?
    @Argument("Where", planned: false, schema: ["maxLength": 200]) var place: String?
    @Argument("What else to know", planned: false, schema: ["maxLength": 4000]) var notes: String?
    @Argument("How often it comes again") var repeats: EventRepeats?
    @Argument("The last day of a series", planned: false) var until: Day?
    @Argument("How long before it Microsoft reminds of it", planned: false) var reminder: Minutes?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<EventMade> {
        let service = GraphService(context)
        let event = try await NewEvent(
            title: title, when: when, duration: duration, place: place, notes: notes, repeats: repeats, until: until,
            reminder: reminder
        ).create(service)
        await SyncSchedule.begin(SyncInBackground.self, context)
        let clock = context.clock
        let again = repeats.map { ", \($0.words.first ?? "")" } ?? ""
        return Reply(
            "In your calendar: \(event.title.cut(to: 60)), \(EventChangePhrase.span(event, clock))\(again)."
                + (await EventChangePhrase.clash(event, service)),
            value: EventMade(event: "#" + event.id), shown: .events([event], clock, numbered: false))
    }
}

public struct InviteToEvent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.invite", "Invite people to a meeting", effect: .send,
        "Makes a meeting and sends invitations to people by their mail addresses.", undo: .none,
        utterances: [
            "(schedule|set up|make|plan) a meeting with {to} {when}",
            "(schedule|set up) a meeting with {to} {when} about {title}",
            "invite {to} to a meeting {when}", "invite {to} to {title} {when}",
            "send {to} an invitation for {when}", "(schedule|set up) a meeting (with|for) {to} {when} for {duration}",
        ], timeoutMilliseconds: 20_000)

    @Argument("Who is invited: mail addresses", schema: ["minItems": 1, "maxItems": 50]) var to: [String]
    @Argument("When it begins; a day alone is all day") var when: When
    @Argument("What it is called", schema: ["maxLength": 200]) var title: String?
    @Argument("How long; an hour unless given") var duration: Minutes?
    @Argument("Where", planned: false, schema: ["maxLength": 200]) var place: String?
    @Argument("What else to know", planned: false, schema: ["maxLength": 4000]) var notes: String?
    @Argument("How often it comes again", planned: false) var repeats: EventRepeats?
    @Argument("The last day of a series", planned: false) var until: Day?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<EventMade> {
        let service = GraphService(context)
        let people = try await GraphSender(context).recipients(to)
        guard try people.approved(about: "an invitation", text: title ?? "Meeting", context) else {
            return Reply("Nobody was invited.", value: EventMade(event: ""))
        }
        let event = try await NewEvent(
            title: title ?? "Meeting", when: when, duration: duration, place: place, notes: notes, repeats: repeats,
            until: until, people: people.all
        ).create(service)
        let names = MessageText.enumeration(people.all.map(\.address))
        return Reply(
            "Invited \(names): \(event.title.cut(to: 60)), \(EventChangePhrase.span(event, context.clock)).",
            value: EventMade(event: "#" + event.id), shown: .events([event], context.clock, numbered: false))
    }
}
