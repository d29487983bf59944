import MailCommon
import PluginCommon
import TandemSDK

/// Looks into the calendar.
struct CalendarFinder {
    let service: GraphService
    var context: Context { service.context }
    var clock: PersonClock { service.context.clock }

    init(_ context: Context) { service = GraphService(context) }

    /// Occurrences within a time, in order; series are taken apart by the service.
    func events(from: Instant, to: Instant, limit: Int = 100) async throws -> (events: [CalendarEvent], note: String?) {
        let found = try await service.all(
            "/calendarView",
            [
                ("startDateTime", GraphTime.parameter(from)), ("endDateTime", GraphTime.parameter(to)),
                ("$select", CalendarEvent.select), ("$orderby", "start/dateTime"), ("$top", "50"),
            ], limit: limit)
        let events = found.values.compactMap { CalendarEvent($0, clock) }
        return (Self.sorted(events.filter { $0.end > from && $0.start < to }), found.note)
    }

    static func sorted(_ events: [CalendarEvent]) -> [CalendarEvent] {
        events.sorted {
            ($0.start, $0.isAllDay ? 0 : 1, $0.end, $0.id) < ($1.start, $1.isAllDay ? 0 : 1, $1.end, $1.id)
        }
    }

    func event(_ id: String) async throws -> CalendarEvent {
        let path = "/events/" + (try GraphService.segment(id))
        let json = try await service.get(path, [("$select", CalendarEvent.select)], cache: .none).json
        guard let event = CalendarEvent(json, clock) else { throw GraphService.unreadable }
        return event
    }

    /// The event that is meant: by id, or by words among those of the next two months, the next one first.
    func find(_ reference: EventReference) async throws -> CalendarEvent {
        switch reference {
        case .id(let id): return try await event(id)
        case .words(let words):
            if let id = context.answer("which")?.stringValue, id.hasPrefix("#") {
                return try await event(String(id.dropFirst()))
            }
            let now = clock.now
            let from = clock.instant(clock.today)
            let all = try await events(
                from: from, to: Instant(milliseconds: now.milliseconds + 62 * 86_400_000), limit: 400
            ).events
            let live = all.filter { !$0.isCancelled }
            let next = ["next", "the next one", "next meeting", "next appointment", "next event"]
            if next.contains(words.lowercased()), let first = live.first(where: { $0.start >= now && !$0.isAllDay }) {
                return first
            }
            let fitting = Self.fitting(live.filter { $0.end > now }, words)
            guard let first = fitting.first else {
                throw ToolError.notFound(
                    "I find no \(words.singleLine(limit: 40)) in the next two months. To see what is there: show my calendar."
                )
            }
            // Of a series the next one is meant.
            let others = fitting.dropFirst().filter { $0.series == nil || $0.series != first.series }
            guard !others.isEmpty else { return first }
            throw Ask(
                "Which one?", field: "which",
                options: ([first] + others.prefix(4)).map { Ask.Option($0.label(clock), value: .string("#" + $0.id)) })
        }
    }

    /// All words stand in the title, the place or somebody's name.
    static func fitting(_ events: [CalendarEvent], _ words: String) -> [CalendarEvent] {
        let small: Set = ["the", "my", "a", "an", "with", "meeting", "appointment", "event", "at", "on"]
        let all = Words.split(words)
        var wanted = all.filter { !small.contains($0) }
        if wanted.isEmpty { wanted = all }
        guard !wanted.isEmpty else { return [] }
        return events.filter { event in
            let people = (event.attendees + [event.organizer].compactMap { $0 }).map(\.shortName).joined(separator: " ")
            let text = Words.split("\(event.subject) \(event.location ?? "") \(people)").map(Words.stem)
            return wanted.allSatisfy { text.contains(Words.stem($0)) }
        }
    }
}
