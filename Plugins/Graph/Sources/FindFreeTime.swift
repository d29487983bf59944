import MailCommon
import PluginCommon
public import TandemSDK

public struct FreeTimes: Object {
    public var day: Day
    public var free: [FreeSlot]
    /// People whose calendar nobody here may see.
    public var unknown: [String]
}

public struct FreeSlot: Object, Hashable {
    public var from: Instant
    public var to: Instant
}

public struct FindFreeTime: Tool {
    public static let declaration = ToolDeclaration(
        "graph.free", "Find free time", effect: .read,
        "Says when the person, and others by their mail addresses, are free on a day between 8 and 18 o'clock.",
        trust: .untrusted,
        utterances: [
            "when am I free [{date}]", "am I free [{date}]", "when do I have time [{date}]",
            "find [me] [a] [free] (slot|time) of {minutes} [{date}]", "when am I free for {minutes} [{date}]",
            "when (is|are) {people} and I [both] free [{date}]", "(is|are) {people} free [{date}]",
            "do I have {minutes} free [{date}]",
        ], timeoutMilliseconds: 20_000)

    @Argument("Which day; today unless given") var date: Day?
    @Argument("For how long at least") var minutes: Minutes = 30
    @Argument("Who else has to be free: mail addresses", schema: ["maxItems": 19]) var people: [String]?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<FreeTimes> {
        let clock = context.clock
        let service = GraphService(context)
        let day = date.map { CalendarDays.ahead($0, today: clock.today) } ?? clock.today
        var from = clock.instant(day, hour: 8)
        let to = clock.instant(day, hour: 18)
        // What is over is not free; the next quarter of an hour is.
        let quarter = Int64(900_000)
        from = max(from, Instant(milliseconds: (clock.now.milliseconds + quarter - 1) / quarter * quarter))
        let when = GraphTime.short(day, clock)
        guard from < to else {
            return Reply("The day is over \(when).", value: FreeTimes(day: day, free: [], unknown: []))
        }
        var addresses = [try await service.profile().address]
        for person in people ?? [] {
            guard let known = MailAddress.list(person).first else {
                throw ToolError.invalid(
                    "I need the mail address of \(person.singleLine(limit: 40)) to see when they are free.",
                    code: "no_address")
            }
            addresses.append(known.address)
        }
        let answer = try await service.send(
            .post, "/calendar/getSchedule",
            [
                "schedules": addresses.json, "startTime": GraphTime.json(from, clock),
                "endTime": GraphTime.json(to, clock), "availabilityViewInterval": 15,
            ], isIdempotent: true)
        var busy: [(from: Instant, to: Instant)] = []
        var unknown: [String] = []
        for schedule in answer["value"]?.arrayValue ?? [] {
            if schedule["error"]?.objectValue != nil {
                unknown.append(schedule["scheduleId"]?.stringValue?.singleLine(limit: 100) ?? "somebody")
            }
            for item in schedule["scheduleItems"]?.arrayValue ?? [] {
                guard !["free", "workingElsewhere"].contains(item["status"]?.stringValue ?? "busy"),
                    let start = GraphTime.instant(item["start"], clock), let end = GraphTime.instant(item["end"], clock)
                else { continue }
                busy.append((start, end))
            }
        }
        let free = Self.gaps(from, to, busy, minutes: max(5, Int64(minutes.count)))
        let value = FreeTimes(day: day, free: free, unknown: unknown)
        var text: String
        if free.isEmpty {
            text = "No \(minutes) free \(when)."
        } else {
            let slots = free.map {
                "\(MailWords.time(clock.local($0.from).minute))-\(MailWords.time(clock.local($0.to).minute))"
            }
            text = MessageText.flow("Free \(when):", slots)
        }
        if !unknown.isEmpty { text += "\nI cannot see the calendar of \(MessageText.enumeration(unknown))." }
        return Reply(text, value: value)
    }

    static func gaps(
        _ from: Instant, _ to: Instant, _ busy: [(from: Instant, to: Instant)], minutes: Int64
    ) -> [FreeSlot] {
        var slots: [FreeSlot] = []
        var place = from
        for (start, end) in busy.sorted(by: { $0.from < $1.from }) {
            if start > place, min(start, to).milliseconds - place.milliseconds >= minutes * 60_000 {
                slots.append(FreeSlot(from: place, to: min(start, to)))
            }
            place = max(place, end)
            if place >= to { return slots }
        }
        if to.milliseconds - place.milliseconds >= minutes * 60_000 { slots.append(FreeSlot(from: place, to: to)) }
        return slots
    }
}
