public import MailCommon
import PluginCommon
public import TandemSDK

/// An event as the plugin knows it.
public struct CalendarEvent: Object, Hashable {
    public var id: String
    public var subject: String
    public var start: Instant
    public var end: Instant
    /// Of an all-day event, whatever the zone; the last one is included.
    public var firstDay: Day?
    public var lastDay: Day?
    public var location: String?
    public var preview: String
    public var organizer: MailAddress?
    /// Others who are invited.
    public var attendees: [MailAddress]
    public var isOrganizer: Bool
    public var isCancelled: Bool
    /// `none`, `accepted`, `declined`, `tentativelyAccepted`, `organizer`, `notResponded`
    public var response: String
    /// `free`, `busy`, `tentative`, `oof`, `workingElsewhere`, `unknown`
    public var showAs: String
    /// Of an occurrence: its series.
    public var series: String?
    public var isRecurring: Bool
    public var link: String?

    public var isAllDay: Bool { firstDay != nil }

    /// What lists and changes need.
    static let select =
        "id,subject,start,end,isAllDay,location,bodyPreview,organizer,attendees,isOrganizer,isCancelled,responseStatus,"
        + "showAs,seriesMasterId,type,webLink"

    /// Nil when the answer is no event.
    init?(_ json: JSON, _ clock: PersonClock) {
        guard let id = json["id"]?.stringValue, let start = GraphTime.instant(json["start"], clock),
            let end = GraphTime.instant(json["end"], clock)
        else { return nil }
        self.id = id
        subject = json["subject"]?.stringValue?.singleLine(limit: 200) ?? ""
        self.start = start
        self.end = end
        if json["isAllDay"] == true, let first = GraphTime.day(json["start"]), let next = GraphTime.day(json["end"]) {
            firstDay = first
            lastDay = max(first, next.adding(days: -1))
            self.start = clock.instant(first)
            self.end = clock.instant(max(next, first.adding(days: 1)))
        }
        location = json["location"]?["displayName"]?.stringValue?.singleLine(limit: 100).nonEmpty
        preview = json["bodyPreview"]?.stringValue?.singleLine(limit: 300) ?? ""
        organizer = GraphPeople.one(json["organizer"])
        isOrganizer = json["isOrganizer"]?.boolValue ?? true
        let host = organizer
        attendees = (json["attendees"]?.arrayValue ?? []).prefix(200).compactMap(GraphPeople.one).filter { person in
            host.map { !$0.isSame(as: person) } ?? true
        }
        isCancelled = json["isCancelled"]?.boolValue ?? false
        response = json["responseStatus"]?["response"]?.stringValue ?? "none"
        showAs = json["showAs"]?.stringValue ?? "busy"
        series = json["seriesMasterId"]?.stringValue
        isRecurring = series != nil || json["type"] == "seriesMaster"
        link = json["webLink"]?.stringValue
    }

    var title: String { subject.isEmpty ? "(no title)" : subject }

    /// `09:00 Dentist`, `all day Holiday`
    func line(_ clock: PersonClock) -> String {
        let place = location.map { " (\($0.cut(to: 24)))" } ?? ""
        let mark = isCancelled ? "cancelled: " : response == "notResponded" ? "? " : ""
        guard !isAllDay else { return "all day \(mark)\(title.cut(to: 40))\(place)" }
        return "\(MailWords.time(clock.local(start).minute)) \(mark)\(title.cut(to: 40))\(place)"
    }

    /// `Dentist, Mon 23 Nov 09:00`
    func label(_ clock: PersonClock) -> String {
        let day = GraphTime.short(firstDay ?? clock.day(of: start), clock)
        return "\(title.cut(to: 60)), \(day)\(isAllDay ? "" : " " + MailWords.time(clock.local(start).minute))"
    }
}

/// Names and addresses in Graph's form.
enum GraphPeople {
    static func one(_ json: JSON?) -> MailAddress? {
        guard let person = json?["emailAddress"], let address = person["address"]?.stringValue else { return nil }
        let name = person["name"]?.stringValue?.singleLine(limit: 80) ?? ""
        return MailAddress(name: name == address ? "" : name, address: address.singleLine(limit: 320))
    }

    static func recipient(_ person: MailAddress) -> JSON {
        var address: JSONObject = ["address": .string(person.address)]
        if !person.name.isEmpty { address["name"] = .string(person.name) }
        return ["emailAddress": .object(address)]
    }

    static func attendee(_ person: MailAddress) -> JSON {
        var json = recipient(person)
        json["type"] = "required"
        return json
    }
}

/// Times in Graph's form: `{"dateTime": "2026-11-23T08:00:00.0000000", "timeZone": "UTC"}`, seven digits and no offset.
enum GraphTime {
    static func instant(_ json: JSON?, _ clock: PersonClock) -> Instant? {
        guard let text = json?["dateTime"]?.stringValue else { return nil }
        let zone = json?["timeZone"]?.stringValue ?? "UTC"
        let bare = text.hasSuffix("Z") ? String(text.dropLast()) : text
        if text.hasSuffix("Z") || ["UTC", "Etc/UTC", "Etc/GMT", "GMT", "tzone://Microsoft/Utc"].contains(zone) {
            return Instant(bare + "Z")
        }
        // The service did as it liked: taken as the person's own time.
        guard let day = Day(bare.prefix(10)), bare.utf8.count >= 16,
            let hour = Int(bare.dropFirst(11).prefix(2)), let minute = Int(bare.dropFirst(14).prefix(2))
        else { return nil }
        return clock.instant(day, hour: hour, minute: minute)
    }

    static func day(_ json: JSON?) -> Day? { (json?["dateTime"]?.stringValue?.prefix(10)).flatMap { Day($0) } }

    /// In the person's zone, by its IANA name, so that series keep their time of day over changes of the clocks.
    static func json(_ instant: Instant, _ clock: PersonClock) -> JSON {
        let (day, minute) = clock.local(instant)
        return ["dateTime": .string("\(day)T\(MailWords.time(minute)):00"), "timeZone": .string(clock.timeZone)]
    }

    static func json(_ day: Day, _ clock: PersonClock) -> JSON {
        ["dateTime": .string("\(day)T00:00:00"), "timeZone": .string(clock.timeZone)]
    }

    /// `2026-11-23T00:00:00Z`
    static func parameter(_ instant: Instant) -> String { instant.description.prefix(19) + "Z" }

    private static let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    /// `today`, `tomorrow`, `Mon 23 Nov`
    static func short(_ day: Day, _ clock: PersonClock) -> String {
        let today = clock.today
        if day == today { return "today" }
        if day == today.adding(days: 1) { return "tomorrow" }
        let year = day.year == today.year ? "" : " \(day.year)"
        return "\(names[day.weekday - 1]) \(day.day) \(day.monthName.prefix(3))\(year)"
    }
}
