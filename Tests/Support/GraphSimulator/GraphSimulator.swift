import Foundation
import Synchronization
public import TandemJSON
public import VendorSimulator

/// Microsoft Graph for one mailbox and its calendar, stateful and strict: what is created is found, what the API does not
/// know is refused with its own words. Requests without the preferences that ids and times need are refused, too.
///
/// Shapes are those of the contract samples; requests are checked by the OpenAPI document where it is at hand. Nothing here
/// is copied from the plugin that it tests.
public final class GraphSimulator: Sendable {
    struct Event: Sendable {
        var id: String
        var json: JSONObject
        var start: Int64
        var end: Int64
        /// `2026-11-23` of an all-day event, the end excluded.
        var days: (String, String)?
        var zone: String
        var serial: Int
    }

    struct Message: Sendable {
        var id: String
        var json: JSONObject
        var folder: String
        var date: Int64
        var attachments: [JSON]
        var serial: Int
    }

    /// A message that people elsewhere got.
    public struct Notice: Sendable, Equatable {
        /// `invitation`, `update`, `cancellation`, `accept`, `decline`, `tentativelyAccept`, `mail`, `forward`
        public var kind: String
        public var to: [String]
        public var text: String

        public init(kind: String, to: [String], text: String) {
            self.kind = kind
            self.to = to
            self.text = text
        }
    }

    struct State: Sendable {
        var events: [String: Event] = [:]
        var messages: [String: Message] = [:]
        var folders: [(id: String, name: String)] = []
        var transactions: [String: String] = [:]
        var serial = 0
        /// Ids that went away, with when.
        var removed: [(id: String, serial: Int, isEvent: Bool)] = []
        var oldestSerial = 0
        var links: [String: (serial: Int, skip: Int)] = [:]
        var faults: [(path: String, fault: VendorFault)] = []
        var requests: [VendorRequest] = []
        var refusals: [String] = []
        var notices: [Notice] = []
        var busy: [String: [(Int64, Int64)]] = [:]
    }

    public let address: String
    let state = Mutex(State())
    let contract: VendorContract?
    let now: @Sendable () -> Int64
    private let scopes: @Sendable (String) -> [String]?

    /// - Parameters:
    ///   - contract: the OpenAPI document; nil: only what stands in this file is checked.
    ///   - now: milliseconds since 1970.
    ///   - scopes: what a bearer token allows; nil: it is not good.
    public init(
        address: String = "me@contoso.example", contract: VendorContract? = nil, now: @escaping @Sendable () -> Int64,
        scopes: @escaping @Sendable (String) -> [String]?
    ) {
        self.address = address
        self.contract = contract
        self.now = now
        self.scopes = scopes
        state.withLock { state in
            state.folders = [
                ("inbox", "Inbox"), ("drafts", "Drafts"), ("sentitems", "Sent Items"), ("archive", "Archive"),
                ("deleteditems", "Deleted Items"), ("junkemail", "Junk Email"), ("AAMkFOLDER-house=", "House"),
            ]
        }
    }

    // MARK: What it knows

    public func fail(_ path: String = "", _ faults: VendorFault...) {
        state.withLock { $0.faults += faults.map { (path, $0) } }
    }

    /// The places that delta links lead to are forgotten.
    public func forgetChanges() {
        state.withLock { state in
            state.serial += 1
            state.oldestSerial = state.serial
        }
    }

    public var requests: [VendorRequest] { state.withLock { $0.requests } }
    public var refusals: [String] { state.withLock { $0.refusals } }
    public var notices: [Notice] { state.withLock { $0.notices } }

    public func event(_ id: String) -> JSON? { state.withLock { $0.events[id].map { .object($0.json) } } }
    public var eventIDs: [String] { state.withLock { $0.events.keys.sorted() } }
    public func message(_ id: String) -> JSON? { state.withLock { $0.messages[id].map { .object($0.json) } } }
    public func folder(of id: String) -> String? { state.withLock { $0.messages[id]?.folder } }
    public func setBusy(_ address: String, from: Int64, to: Int64) {
        state.withLock { $0.busy[address, default: []].append((from, to)) }
    }

    /// An event that is there; gives its id.
    @discardableResult
    public func add(
        _ subject: String, start: String, end: String, zone: String = "UTC", isAllDay: Bool = false,
        organizer: String? = nil, attendees: [String] = [], location: String = "", body: String = "",
        recurrence: JSON? = nil
    ) -> String {
        var json: JSONObject = [
            "subject": .string(subject), "start": ["dateTime": .string(start), "timeZone": .string(zone)],
            "end": ["dateTime": .string(end), "timeZone": .string(zone)], "isAllDay": .bool(isAllDay),
            "location": ["displayName": .string(location)],
            "body": ["contentType": "text", "content": .string(body)],
            "attendees": .array(
                attendees.map { ["type": "required", "emailAddress": ["name": .string($0), "address": .string($0)]] }),
        ]
        if let recurrence { json["recurrence"] = recurrence }
        return state.withLock { state in
            state.make(json, organizer: organizer ?? address, own: address)?.id ?? ""
        }
    }

    /// A mail that comes in; gives its id.
    @discardableResult
    public func deliver(
        from: String, name: String = "", subject: String, text: String, isHTML: Bool = false, isRead: Bool = false,
        replyTo: String? = nil, minutesAgo: Int64 = 60, folder: String = "inbox", attachments: [JSON] = []
    ) -> String {
        func person(_ address: String, _ name: String) -> JSON {
            ["emailAddress": ["name": .string(name.isEmpty ? address : name), "address": .string(address)]]
        }
        return state.withLock { state in
            state.serial += 1
            let id = "AAMkMSG\(state.serial)="
            let date = now() - minutesAgo * 60_000
            let json: JSONObject = [
                "id": .string(id), "subject": .string(subject), "bodyPreview": .string(String(text.prefix(200))),
                "body": ["contentType": .string(isHTML ? "html" : "text"), "content": .string(text)],
                "from": person(from, name), "sender": person(from, name),
                "toRecipients": [person(address, "Me")], "ccRecipients": [], "bccRecipients": [],
                "replyTo": replyTo.map { [person($0, "")] } ?? [], "receivedDateTime": .string(Self.stamp(date)),
                "isRead": .bool(isRead), "isDraft": false, "flag": ["flagStatus": "notFlagged"],
                "hasAttachments": .bool(!attachments.isEmpty), "importance": "normal",
                "inferenceClassification": "focused", "parentFolderId": .string(folder),
                "conversationId": .string("AAQk\(state.serial)="),
                "webLink": "https://outlook.office365.com/owa/?ItemID=x",
            ]
            state.messages[id] = Message(
                id: id, json: json, folder: folder, date: date, attachments: attachments, serial: state.serial)
            return id
        }
    }

    public func delete(_ id: String) {
        state.withLock { state in
            state.serial += 1
            if state.messages.removeValue(forKey: id) != nil { state.removed.append((id, state.serial, false)) }
            if state.events.removeValue(forKey: id) != nil { state.removed.append((id, state.serial, true)) }
        }
    }

    static func stamp(_ milliseconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(milliseconds / 1000))
        return ISO8601DateFormatter().string(from: date)
    }

    // MARK: Answering

    public func answer(_ request: VendorRequest) -> VendorAnswer {
        let fault = state.withLock { state -> VendorFault? in
            state.requests.append(request)
            guard let place = state.faults.firstIndex(where: { $0.path.isEmpty || request.path.contains($0.path) })
            else { return nil }
            return state.faults.remove(at: place).fault
        }
        var cut = VendorAnswer(status: 0)
        cut.isCut = true
        switch fault {
        case .answer(let answer): return answer
        case .cutBefore: return cut
        case .cutAfter:
            _ = judged(request)
            return cut
        case .html:
            return VendorAnswer(
                status: 200, headers: [("Content-Type", "text/html")], body: Array("<html>Sign in</html>".utf8))
        case .slow(let milliseconds):
            var answer = judged(request)
            answer.milliseconds = milliseconds
            return answer
        case nil: return judged(request)
        }
    }

    private func judged(_ request: VendorRequest) -> VendorAnswer {
        guard let bearer = request.bearer, let granted = scopes(bearer) else {
            return Self.error(401, "InvalidAuthenticationToken", "Access token is empty.")
        }
        if let contract {
            guard let faults = contract.faults(request) else { return refuse("\(request.path) is nothing here", 404) }
            guard faults.isEmpty else { return refuse(faults.joined(separator: "; "), 400) }
        }
        let prefer = request.headers["prefer"] ?? ""
        guard prefer.contains("IdType=\"ImmutableId\"") else { return refuse("ids would change: no ImmutableId", 400) }
        guard prefer.contains("outlook.timezone=\"") else { return refuse("no outlook.timezone", 400) }
        return routed(request, Set(granted.map { $0.split(separator: "/").last.map(String.init) ?? $0 }))
    }

    func refuse(_ reason: String, _ status: Int) -> VendorAnswer {
        state.withLock { $0.refusals.append(reason) }
        return Self.error(status, status == 404 ? "ResourceNotFound" : "BadRequest", reason)
    }

    static func error(_ status: Int, _ code: String, _ message: String) -> VendorAnswer {
        let id: JSON = "00000000-0000-4000-8000-0000000000aa"
        return .json(
            status,
            [
                "error": [
                    "code": .string(code), "message": .string(message),
                    "innerError": ["date": "2026-11-21T09:00:00", "request-id": id, "client-request-id": id],
                ]
            ])
    }

    static let notFound = error(404, "ErrorItemNotFound", "The specified object was not found in the store.")
}

extension GraphSimulator.State {
    /// Nil when its times make no sense.
    mutating func make(_ given: JSONObject, organizer: String, own: String) -> GraphSimulator.Event? {
        guard let start = GraphClock.instant(given["start"]), let end = GraphClock.instant(given["end"]), start <= end
        else { return nil }
        serial += 1
        let id = "AAMkEVT\(serial)="
        var json = given
        json["id"] = .string(id)
        json["organizer"] = ["emailAddress": ["name": .string(organizer), "address": .string(organizer)]]
        json["isOrganizer"] = .bool(organizer == own)
        json["responseStatus"] = [
            "response": organizer == own ? "organizer" : "notResponded", "time": "0001-01-01T00:00:00Z",
        ]
        json["type"] = given["recurrence"]?.objectValue == nil ? "singleInstance" : "seriesMaster"
        json["isCancelled"] = false
        json["showAs"] = given["showAs"] ?? "busy"
        json["isAllDay"] = given["isAllDay"] ?? false
        json["attendees"] = given["attendees"] ?? []
        json["bodyPreview"] = .string(String((given["body"]?["content"]?.stringValue ?? "").prefix(200)))
        json["webLink"] = "https://outlook.office365.com/owa/?itemid=sample"
        json["seriesMasterId"] = .null
        var event = GraphSimulator.Event(
            id: id, json: json, start: start, end: end, days: nil,
            zone: given["start"]?["timeZone"]?.stringValue ?? "UTC", serial: serial)
        if json["isAllDay"] == true {
            let first = String((given["start"]?["dateTime"]?.stringValue ?? "").prefix(10))
            let last = String((given["end"]?["dateTime"]?.stringValue ?? "").prefix(10))
            // "All-day events must begin and end at midnight."
            guard given["start"]?["dateTime"]?.stringValue?.contains("T00:00:00") == true, first < last else {
                return nil
            }
            event.days = (first, last)
        }
        events[id] = event
        return event
    }
}

/// Times in Graph's form, by the system's zones.
enum GraphClock {
    static func instant(_ json: JSON?) -> Int64? {
        guard let text = json?["dateTime"]?.stringValue, let name = json?["timeZone"]?.stringValue else { return nil }
        return instant(text, zone: name)
    }

    static func instant(_ text: String, zone name: String) -> Int64? {
        guard let zone = TimeZone(identifier: name == "UTC" ? "GMT" : name) else { return nil }
        var bare = text
        var own = zone
        if bare.hasSuffix("Z") {
            bare.removeLast()
            own = .gmt
        }
        let parts = bare.split(whereSeparator: { "-T:.".contains($0) }).compactMap { Int($0) }
        guard parts.count >= 5 else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = own
        let components = DateComponents(
            year: parts[0], month: parts[1], day: parts[2], hour: parts[3], minute: parts[4],
            second: parts.count > 5 ? parts[5] : 0)
        guard let date = calendar.date(from: components) else { return nil }
        return Int64((date.timeIntervalSince1970 * 1000).rounded())
    }

    /// In UTC, seven digits and no offset.
    static func json(_ milliseconds: Int64) -> JSON {
        ["dateTime": .string(GraphSimulator.stamp(milliseconds).dropLast() + ".0000000"), "timeZone": "UTC"]
    }

    /// The starts of a series' occurrences within a time.
    static func starts(_ event: GraphSimulator.Event, from: Int64, to: Int64) -> [Int64] {
        guard let pattern = event.json["recurrence"]?["pattern"], let range = event.json["recurrence"]?["range"] else {
            return event.end > from && event.start < to
                || event.start == event.end && event.start >= from && event.start < to
                ? [event.start] : []
        }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: event.zone == "UTC" ? "GMT" : event.zone) ?? .gmt
        let interval = Int(pattern["interval"]?.int64Value ?? 1)
        let length = event.end - event.start
        let names = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        let days = Set(
            (pattern["daysOfWeek"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap(names.firstIndex(of:)) })
        let first = Date(timeIntervalSince1970: Double(event.start) / 1000)
        let until = range["endDate"]?.stringValue.flatMap { instant($0 + "T23:59:59", zone: event.zone) } ?? Int64.max
        var starts: [Int64] = []
        for step in 0..<4000 {
            let date: Date?
            switch pattern["type"]?.stringValue {
            case "daily": date = calendar.date(byAdding: .day, value: step * interval, to: first)
            case "weekly":
                guard let day = calendar.date(byAdding: .day, value: step, to: first) else { return starts }
                let weeks =
                    calendar.dateComponents(
                        [.day], from: calendar.startOfDay(for: first), to: calendar.startOfDay(for: day)
                    ).day
                    ?? 0
                let isDay = days.contains(calendar.component(.weekday, from: day) - 1)
                date = isDay && (weeks / 7) % interval == 0 ? day : nil
            case "absoluteMonthly": date = calendar.date(byAdding: .month, value: step * interval, to: first)
            case "absoluteYearly": date = calendar.date(byAdding: .year, value: step * interval, to: first)
            default: return starts
            }
            guard let date else { continue }
            let start = Int64((date.timeIntervalSince1970 * 1000).rounded())
            if start >= to || start > until { break }
            if start + length > from { starts.append(start) }
        }
        return starts
    }
}
