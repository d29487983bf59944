import MailCommon
import PluginCommon
public import TandemSDK

/// An event as it was before a change.
public struct EventBefore: Object, Hashable {
    /// `#` and the id.
    public var event: String
    public var subject: String
    public var start: Instant
    public var end: Instant
    public var firstDay: Day?
    public var lastDay: Day?
    public var location: String?
    /// It was deleted: it has to be made again.
    public var deleted: Bool

    init(_ event: CalendarEvent, deleted: Bool) {
        self.event = "#" + event.id
        subject = event.subject
        start = event.start
        end = event.end
        firstDay = event.firstDay
        lastDay = event.lastDay
        location = event.location
        self.deleted = deleted
    }
}

public struct ChangedEvent: Object, Hashable {
    public var before: EventBefore?
}

/// Changes one event.
struct EventChanger {
    let service: GraphService
    var clock: PersonClock { service.context.clock }

    init(_ context: Context) { service = GraphService(context) }

    /// Throws when others are invited: they would get a message.
    func checkAlone(_ event: CalendarEvent, say: String) throws {
        guard event.isOrganizer else {
            throw ToolError.invalid(
                "\(event.organizer?.shortName.cut(to: 30) ?? "Somebody else") made that meeting, so only they can change it. "
                    + "You can decline it.", code: "not_organizer")
        }
        guard event.attendees.isEmpty else {
            throw ToolError.invalid(
                "\(MailWords.count(event.attendees.count, "person").replacing("persons", with: "people")) would be told. "
                    + "If you want that, say: \(say).", code: "others_invited")
        }
    }

    func change(_ event: CalendarEvent, to when: When?, duration: Minutes?, title: String?, place: String?) async throws
        -> CalendarEvent
    {
        var body: JSONObject = [:]
        if when != nil || duration != nil {
            let length = duration ?? Minutes(Int((event.end.milliseconds - event.start.milliseconds) / 60_000))
            switch when {
            case .day(let day) where event.isAllDay:
                let days = (event.lastDay ?? day).number(since: event.firstDay ?? day)
                body["isAllDay"] = true
                body["start"] = GraphTime.json(day, clock)
                body["end"] = GraphTime.json(day.adding(days: days + 1), clock)
            case .day(let day):
                // Another day, the same time of day.
                let minute = clock.local(event.start).minute
                let start = clock.instant(day, hour: minute / 60, minute: minute % 60)
                body["start"] = GraphTime.json(start, clock)
                body["end"] = GraphTime.json(start.adding(length), clock)
            case .instant(let start):
                if event.isAllDay { body["isAllDay"] = false }
                let real = event.isAllDay ? duration ?? 60 : length
                body["start"] = GraphTime.json(start, clock)
                body["end"] = GraphTime.json(start.adding(real), clock)
            case nil:
                guard !event.isAllDay else { throw ToolError.invalid("That one is all day. When should it begin?") }
                body["start"] = GraphTime.json(event.start, clock)
                body["end"] = GraphTime.json(event.start.adding(length), clock)
            }
        }
        if let title = title?.singleLine(limit: 200).nonEmpty { body["subject"] = .string(title) }
        if let place = place?.singleLine(limit: 200).nonEmpty { body["location"] = ["displayName": .string(place)] }
        guard !body.isEmpty else {
            throw ToolError.invalid("What should be different: when, how long, where?", code: "nothing_to_change")
        }
        let path = "/events/" + (try GraphService.segment(event.id))
        let json = try await service.send(.patch, path, .object(body), isIdempotent: true)
        guard let changed = CalendarEvent(json, clock) else { throw GraphService.unreadable }
        return changed
    }
}

extension Day {
    /// Days from another one to this one.
    fileprivate func number(since other: Day) -> Int { other.distance(to: self) }
}

public struct ChangeEvent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.change_event", "Change an event", effect: .write,
        "Moves an own event without other people, or changes length, title or place. Of a series one occurrence.",
        undo: .tool("graph.restore_event"),
        utterances: [
            "move [the|my] (meeting|appointment|event) {event} to {when}",
            "move [the|my] {event} (meeting|appointment) to {when}",
            "(shift|postpone) [the|my] (meeting|appointment) {event} to {when}",
            "(shift|postpone) [the|my] {event} (meeting|appointment) to {when}",
            "make [the|my] (meeting|appointment) {event} {duration} long",
            "the {event} appointment is (at|on) {when} [now]",
        ], actsOn: Graph.Event.entity, timeoutMilliseconds: 20_000)

    @Argument("Which event: #id as shown, or its title") var event: EventReference
    @Argument("When it begins now") var when: When?
    @Argument("How long it takes now") var duration: Minutes?
    @Argument("What it is called now", planned: false, schema: ["maxLength": 200]) var title: String?
    @Argument("Where it is now", planned: false, schema: ["maxLength": 200]) var place: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ChangedEvent> {
        let found = try await CalendarFinder(context).find(event)
        let changer = EventChanger(context)
        try changer.checkAlone(found, say: "reschedule \(found.title.cut(to: 30)) with everybody to that time")
        let changed = try await changer.change(found, to: when, duration: duration, title: title, place: place)
        return Reply(
            "Now \(changed.title.cut(to: 60)), \(EventChangePhrase.span(changed, context.clock))."
                + (await EventChangePhrase.clash(changed, changer.service)),
            value: ChangedEvent(before: EventBefore(found, deleted: false)),
            shown: .events([changed], context.clock, numbered: false), trust: .untrusted)
    }
}

public struct RescheduleEvent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.reschedule", "Move a meeting for everybody", effect: .send,
        "Moves a meeting that the person organises; everybody invited is told.", undo: .none,
        utterances: [
            "reschedule {event} with everybody to {when}",
            "reschedule [the|my] (meeting|appointment) {event} [with everybody] to {when}",
            "move {event} for (everybody|everyone) to {when}",
        ], actsOn: Graph.Event.entity, timeoutMilliseconds: 20_000)

    @Argument("Which event: #id as shown, or its title") var event: EventReference
    @Argument("When it begins now") var when: When
    @Argument("How long it takes now", planned: false) var duration: Minutes?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ChangedEvent> {
        let found = try await CalendarFinder(context).find(event)
        guard found.isOrganizer else {
            throw ToolError.invalid("Somebody else made that meeting, so only they can move it.", code: "not_organizer")
        }
        let people = MailRecipients(all: found.attendees, isGuess: !found.attendees.isEmpty)
        guard try people.approved(about: "new time of \(found.title.cut(to: 40))", text: "", context) else {
            return Reply("Left as it is.", value: ChangedEvent())
        }
        let changed = try await EventChanger(context).change(
            found, to: when, duration: duration, title: nil, place: nil)
        return Reply(
            "Moved for everybody: \(changed.title.cut(to: 60)), \(EventChangePhrase.span(changed, context.clock)).",
            value: ChangedEvent(before: EventBefore(found, deleted: false)),
            shown: .events([changed], context.clock, numbered: false), trust: .untrusted)
    }
}

public struct DeleteEvent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.delete_event", "Delete an event", effect: .delete,
        "Deletes an event without other people; of a series one occurrence. A meeting of others is declined instead.",
        undo: .tool("graph.restore_event"),
        utterances: [
            "(delete|remove) [the|my] (appointment|event|calendar entry) {event}",
            "(delete|remove) [the|my] {event} (appointment|event)",
            "(delete|remove|take) {event} (from|off) my calendar",
        ], actsOn: Graph.Event.entity, timeoutMilliseconds: 20_000)

    @Argument("Which event: #id as shown, or its title") var event: EventReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ChangedEvent> {
        let found = try await CalendarFinder(context).find(event)
        let changer = EventChanger(context)
        if !(found.isCancelled && !found.isOrganizer) {
            try changer.checkAlone(found, say: "cancel the meeting \(found.title.cut(to: 30))")
        }
        try await changer.service.send(.delete, "/events/" + (try GraphService.segment(found.id)), isIdempotent: true)
        return Reply(
            "Deleted: \(found.label(context.clock)).", value: ChangedEvent(before: EventBefore(found, deleted: true)),
            trust: .untrusted)
    }
}

public struct CancelEvent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.cancel", "Cancel a meeting", effect: .send,
        "Cancels a meeting that the person organises; everybody invited is told.", undo: .none,
        utterances: [
            "cancel [the|my] (meeting|appointment|event) {event}", "cancel [the|my] {event} (meeting|appointment)",
            "cancel the meeting with {event}", "call off [the|my] (meeting|appointment) {event}",
        ], actsOn: Graph.Event.entity, timeoutMilliseconds: 20_000)

    @Argument("Which event: #id as shown, or its title") var event: EventReference
    @Argument("What to tell the others", planned: false, schema: ["maxLength": 1000]) var comment: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<Nothing> {
        let found = try await CalendarFinder(context).find(event)
        guard found.isOrganizer else {
            throw ToolError.invalid("Somebody else made that meeting. You can decline it.", code: "not_organizer")
        }
        let people = MailRecipients(all: found.attendees, isGuess: !found.attendees.isEmpty)
        guard try people.approved(about: "cancellation of \(found.title.cut(to: 40))", text: comment ?? "", context)
        else { return Reply("Left as it is.") }
        let path = "/events/" + (try GraphService.segment(found.id))
        if found.attendees.isEmpty {
            try await GraphService(context).send(.delete, path, isIdempotent: true)
        } else {
            try await GraphService(context).send(.post, path + "/cancel", ["comment": .string(comment ?? "")])
        }
        return Reply("Cancelled: \(found.label(context.clock)).", trust: .untrusted)
    }
}

public enum EventAnswer: String, Choice {
    case accept, decline, tentative

    public var words: [String] {
        switch self {
        case .accept: ["accept", "yes", "I come", "coming"]
        case .decline: ["decline", "no", "not coming"]
        case .tentative: ["maybe", "tentatively", "tentative", "perhaps"]
        }
    }
}

public struct RespondToEvent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.respond", "Answer an invitation", effect: .send,
        "Accepts, declines or tentatively accepts an invitation; the organiser is told.", undo: .none,
        utterances: [
            Utterance("accept [the] (invitation|meeting|invite) {event}", arguments: ["answer": "accept"]),
            Utterance("accept the {event} (invitation|invite|meeting)", arguments: ["answer": "accept"]),
            Utterance("decline [the] (invitation|meeting|invite) {event}", arguments: ["answer": "decline"]),
            Utterance("decline the {event} (invitation|invite|meeting)", arguments: ["answer": "decline"]),
            Utterance("tentatively accept [the] (invitation|meeting) {event}", arguments: ["answer": "tentative"]),
            Utterance("say maybe to [the] (invitation|meeting) {event}", arguments: ["answer": "tentative"]),
        ], actsOn: Graph.Event.entity, timeoutMilliseconds: 20_000)

    @Argument("Which event: #id as shown, or its title") var event: EventReference
    @Argument("The answer") var answer: EventAnswer
    @Argument("What to tell the organiser", planned: false, schema: ["maxLength": 1000]) var comment: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<Nothing> {
        let found = try await CalendarFinder(context).find(event)
        guard !found.isOrganizer else {
            throw ToolError.invalid("That is your own meeting.", code: "own_meeting")
        }
        let verb =
            switch answer {
            case .accept: "accept"
            case .decline: "decline"
            case .tentative: "tentativelyAccept"
            }
        var body: JSONObject = ["sendResponse": true]
        if let comment = comment?.nonEmpty { body["comment"] = .string(comment) }
        // A second answer of the same kind changes nothing, but another message would go out.
        let mark = "respond/" + context.idempotencyKey
        if try await context.keyValues.get(mark, as: Bool.self) == nil {
            try await context.keyValues.set(mark, to: true, expiresIn: .seconds(86_400))
            try await GraphService(context).send(
                .post, "/events/\(try GraphService.segment(found.id))/\(verb)", .object(body))
        }
        let host = found.organizer?.shortName.cut(to: 40) ?? "The organiser"
        let word = answer == .tentative ? "Maybe" : answer == .accept ? "Accepted" : "Declined"
        return Reply("\(word): \(found.label(context.clock)). \(host) is told.", trust: .untrusted)
    }
}

public struct RestoreEvent: Tool {
    public static let declaration = ToolDeclaration(
        "graph.restore_event", "Take back a change of an event", effect: .write,
        "Puts an event back to when and where it was; makes a deleted one again.", undo: .rows,
        utterances: ["restore the last change of my outlook (event|calendar)"], timeoutMilliseconds: 20_000)

    @Argument("The event as it was, as the tool that changed it gave it back", planned: false) var before: EventBefore?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ChangedEvent> {
        guard let before, before.event.hasPrefix("#") else { throw ToolError.invalid("There is nothing to take back.") }
        let service = GraphService(context)
        let clock = context.clock
        var body: JSONObject = ["subject": .string(before.subject)]
        if let first = before.firstDay {
            body["isAllDay"] = true
            body["start"] = GraphTime.json(first, clock)
            body["end"] = GraphTime.json((before.lastDay ?? first).adding(days: 1), clock)
        } else {
            body["isAllDay"] = false
            body["start"] = GraphTime.json(before.start, clock)
            body["end"] = GraphTime.json(before.end, clock)
        }
        body["location"] = ["displayName": .string(before.location ?? "")]
        if before.deleted {
            body["transactionId"] = .string(String(context.idempotencyKey.prefix(64)))
            try await service.send(.post, "/events", .object(body), isIdempotent: true)
        } else {
            let path = "/events/" + (try GraphService.segment(String(before.event.dropFirst())))
            try await service.send(.patch, path, .object(body), isIdempotent: true)
        }
        return Reply("As before: \(before.subject.cut(to: 60)).", value: ChangedEvent(), trust: .untrusted)
    }
}
