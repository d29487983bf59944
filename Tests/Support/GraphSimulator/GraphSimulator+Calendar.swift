import Foundation
import Synchronization
import TandemJSON
import VendorSimulator

extension GraphSimulator {
    /// An event or one occurrence of it, in UTC; of all-day events the days as they are.
    func json(_ event: Event, at start: Int64? = nil) -> JSON {
        var json = event.json
        if let days = event.days {
            json["start"] = ["dateTime": .string(days.0 + "T00:00:00.0000000"), "timeZone": "UTC"]
            json["end"] = ["dateTime": .string(days.1 + "T00:00:00.0000000"), "timeZone": "UTC"]
        } else {
            json["start"] = GraphClock.json(start ?? event.start)
            json["end"] = GraphClock.json((start ?? event.start) + event.end - event.start)
        }
        if let start, event.json["recurrence"]?.objectValue != nil {
            json["id"] = .string(event.id.dropLast() + ".\(start)=")
            json["seriesMasterId"] = .string(event.id)
            json["type"] = "occurrence"
            json["recurrence"] = .null
        }
        json["@odata.etag"] = "W/\"sampleEtag==\""
        return .object(json)
    }

    static func selected(_ json: JSON, _ request: VendorRequest) -> JSON {
        guard let select = request.first("$select") else { return json }
        let names = Set(select.split(separator: ",").map(String.init) + ["id", "@odata.etag", "@odata.type"])
        return .object(
            JSONObject(
                (json.objectValue ?? [:]).filter { names.contains($0.key) || $0.key.hasPrefix("@") }.map {
                    ($0.key, $0.value)
                }))
    }

    /// One page; the rest behind a link that says nothing.
    func page(_ values: [JSON], _ request: VendorRequest, size: Int) -> VendorAnswer {
        var skip = 0
        if let token = request.first("$skiptoken") {
            guard let known = state.withLock({ $0.links[token] }) else {
                return refuse("a skip token of nobody's", 400)
            }
            skip = known.skip
        }
        var body: JSON = [
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata",
            "value": .array(values.dropFirst(skip).prefix(size).map { Self.selected($0, request) }),
        ]
        if values.count > skip + size {
            let token = state.withLock { state -> String in
                let token = "opaque\(state.links.count + 1)"
                state.links[token] = (state.serial, skip + size)
                return token
            }
            body["@odata.nextLink"] = .string(link(request, replacing: "$skiptoken", by: token))
        }
        return .json(200, body)
    }

    func link(_ request: VendorRequest, replacing name: String, by token: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        func escaped(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: allowed) ?? "" }
        let rest = request.query.filter { !["$skiptoken", "$deltatoken"].contains($0.name) }
        let pairs = rest.map { "\(escaped($0.name))=\(escaped($0.value))" } + ["\(escaped(name))=\(token)"]
        return "https://graph.microsoft.com\(request.path)?\(pairs.joined(separator: "&"))"
    }

    func calendarView(_ request: VendorRequest) -> VendorAnswer {
        guard let from = request.first("startDateTime").flatMap({ GraphClock.instant($0, zone: "UTC") }),
            let to = request.first("endDateTime").flatMap({ GraphClock.instant($0, zone: "UTC") }), from < to
        else { return refuse("a calendar view needs its times", 400) }
        return page(view(from, to), request, size: min(Int(request.first("$top") ?? "10") ?? 10, 1000))
    }

    private func view(_ from: Int64, _ to: Int64) -> [JSON] {
        let events = state.withLock { Array($0.events.values) }
        var found: [(Int64, JSON)] = []
        for event in events {
            for start in GraphClock.starts(event, from: from, to: to) { found.append((start, json(event, at: start))) }
        }
        return found.sorted { ($0.0, $0.1["id"]?.stringValue ?? "") < ($1.0, $1.1["id"]?.stringValue ?? "") }.map(\.1)
    }

    func calendarDelta(_ request: VendorRequest) -> VendorAnswer {
        for name in ["$select", "$top", "$filter", "$orderby", "$search"] where request.first(name) != nil {
            return refuse("\(name) is not possible with changes of a calendar", 400)
        }
        guard let from = request.first("startDateTime").flatMap({ GraphClock.instant($0, zone: "UTC") }),
            let to = request.first("endDateTime").flatMap({ GraphClock.instant($0, zone: "UTC") })
        else { return refuse("changes of a calendar need its times", 400) }
        guard let since = since(request) else { return Self.staleToken }
        let events = state.withLock { state in state.events.values.filter { $0.serial > since } }
        var values: [JSON] = []
        for event in events.sorted(by: { $0.serial < $1.serial }) {
            if event.json["recurrence"]?.objectValue != nil { values.append(json(event)) }
            values += GraphClock.starts(event, from: from, to: to).map { json(event, at: $0) }
        }
        values += removed(since, isEvent: true)
        return changes(values, request)
    }

    func since(_ request: VendorRequest) -> Int? {
        guard let token = request.first("$deltatoken") else { return 0 }
        return state.withLock { state in
            guard let known = state.links[token], known.serial >= state.oldestSerial else { return nil }
            return known.serial
        }
    }

    static let staleToken = error(
        410, "SyncStateNotFound", "The sync state generation is not found; continuing with full sync.")

    func removed(_ since: Int, isEvent: Bool) -> [JSON] {
        guard since > 0 else { return [] }
        return state.withLock { state in
            state.removed.filter { $0.serial > since && $0.isEvent == isEvent }
                .map { ["id": .string($0.id), "@removed": ["reason": "deleted"]] }
        }
    }

    /// Pages of changes; behind the last one a link to those that follow.
    func changes(_ values: [JSON], _ request: VendorRequest) -> VendorAnswer {
        let prefer = request.headers["prefer"] ?? ""
        let size =
            prefer.components(separatedBy: "odata.maxpagesize=").dropFirst().first.flatMap {
                Int($0.prefix { $0.isNumber })
            }
            ?? 10
        var skip = 0
        if let token = request.first("$skiptoken") {
            guard let known = state.withLock({ $0.links[token] }) else { return Self.staleToken }
            skip = known.skip
        }
        var body: JSON = [
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata",
            "value": .array(values.dropFirst(skip).prefix(size).map { Self.selected($0, request) }),
        ]
        let hasMore = values.count > skip + size
        let token = state.withLock { state -> String in
            let token = "opaque\(state.links.count + 1)"
            state.links[token] = (state.serial, skip + size)
            return token
        }
        if hasMore {
            body["@odata.nextLink"] = .string(link(request, replacing: "$skiptoken", by: token))
        } else {
            body["@odata.deltaLink"] = .string(link(request, replacing: "$deltatoken", by: token))
        }
        return .json(200, body)
    }

    // MARK: Changing

    private func people(_ json: JSON?) -> [String] {
        (json?.arrayValue ?? []).compactMap { $0["emailAddress"]?["address"]?.stringValue }
    }

    func createEvent(_ body: JSON) -> VendorAnswer {
        guard let given = body.objectValue, given["subject"]?.stringValue != nil else {
            return refuse("an event needs a subject here", 400)
        }
        return state.withLock { state in
            if let key = given["transactionId"]?.stringValue, let id = state.transactions[key],
                let event = state.events[id]
            {
                return .json(201, json(event))
            }
            guard let event = state.make(given, organizer: address, own: address) else {
                state.refusals.append("times that make no sense")
                return Self.error(400, "ErrorInvalidRequest", "The times make no sense.")
            }
            if let key = given["transactionId"]?.stringValue { state.transactions[key] = event.id }
            let invited = people(given["attendees"])
            if !invited.isEmpty {
                state.notices.append(
                    Notice(kind: "invitation", to: invited, text: given["subject"]?.stringValue ?? ""))
            }
            return .json(201, json(event))
        }
    }

    /// The event behind an id, also behind that of an occurrence.
    private func found(_ id: String) -> (event: Event, start: Int64?)? {
        state.withLock { state in
            if let event = state.events[id] { return (event, nil) }
            guard let point = id.firstIndex(of: "."), let start = Int64(id[id.index(after: point)...].dropLast()),
                let event = state.events[id[..<point] + "="]
            else { return nil }
            return (event, start)
        }
    }

    func getEvent(_ id: String, _ request: VendorRequest) -> VendorAnswer {
        guard let (event, start) = found(id) else { return Self.notFound }
        return .json(200, Self.selected(json(event, at: start), request))
    }

    func patchEvent(_ id: String, _ body: JSON) -> VendorAnswer {
        guard var (event, start) = found(id) else { return Self.notFound }
        let changes = body.objectValue ?? [:]
        guard event.json["isOrganizer"] == true else {
            return Self.error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        }
        return state.withLock { state in
            for (name, value) in changes { event.json[name] = value }
            if start != nil {
                // An exception leaves its series.
                event.json["recurrence"] = .null
                event.json["seriesMasterId"] = .string(event.id)
            }
            let isAllDay = event.json["isAllDay"] == true
            if changes["start"] != nil || changes["end"] != nil || start != nil {
                let newStart = changes["start"].flatMap(GraphClock.instant) ?? start ?? event.start
                let newEnd = changes["end"].flatMap(GraphClock.instant) ?? newStart + event.end - event.start
                guard newStart <= newEnd else {
                    state.refusals.append("ends before it begins")
                    return Self.error(400, "ErrorInvalidRequest", "The end lies before the start.")
                }
                (event.start, event.end) = (newStart, newEnd)
                event.days = nil
                if isAllDay {
                    event.days = (
                        String((changes["start"]?["dateTime"]?.stringValue ?? "").prefix(10)),
                        String((changes["end"]?["dateTime"]?.stringValue ?? "").prefix(10))
                    )
                }
                start = nil
            }
            state.serial += 1
            event.serial = state.serial
            if id != event.id {
                event.json["id"] = .string(id)
                event.id = id
            }
            state.events[event.id] = event
            let others = people(event.json["attendees"])
            if !others.isEmpty {
                state.notices.append(Notice(kind: "update", to: others, text: event.json["subject"]?.stringValue ?? ""))
            }
            return .json(200, json(event))
        }
    }

    func deleteEvent(_ id: String, cancelling comment: String? = nil) -> VendorAnswer {
        guard let (event, _) = found(id) else { return Self.notFound }
        let others = people(event.json["attendees"])
        if comment != nil, event.json["isOrganizer"] != true {
            return Self.error(400, "ErrorInvalidRequest", "You are not the organizer.")
        }
        if !others.isEmpty, event.json["isOrganizer"] == true {
            state.withLock { $0.notices.append(Notice(kind: "cancellation", to: others, text: comment ?? "")) }
        }
        delete(event.id)
        return VendorAnswer(status: comment == nil ? 204 : 202)
    }

    func respond(_ id: String, _ kind: String, _ body: JSON) -> VendorAnswer {
        guard let (found, _) = found(id) else { return Self.notFound }
        guard found.json["isOrganizer"] != true else {
            return Self.error(
                400, "ErrorInvalidRequest", "You can't respond to this meeting because you're the meeting organizer.")
        }
        state.withLock { state in
            var event = found
            let word = ["accept": "accepted", "decline": "declined"][kind] ?? "tentativelyAccepted"
            event.json["responseStatus"] = ["response": .string(word), "time": .string(Self.stamp(now()))]
            state.serial += 1
            event.serial = state.serial
            state.events[event.id] = event
            if body["sendResponse"] != false {
                let host = event.json["organizer"]?["emailAddress"]?["address"]?.stringValue ?? ""
                state.notices.append(Notice(kind: kind, to: [host], text: body["comment"]?.stringValue ?? ""))
            }
        }
        return VendorAnswer(status: 202)
    }

    func getSchedule(_ body: JSON) -> VendorAnswer {
        guard let from = GraphClock.instant(body["startTime"]), let to = GraphClock.instant(body["endTime"]), from < to
        else { return refuse("a schedule needs its times", 400) }
        let known = state.withLock { $0.busy }
        let values: [JSON] = (body["schedules"]?.arrayValue ?? []).compactMap(\.stringValue).map { address in
            var busy: [(Int64, Int64)]
            if address == self.address {
                busy = view(from, to).filter { $0["showAs"] != "free" }.compactMap { event in
                    guard let start = GraphClock.instant(event["start"]), let end = GraphClock.instant(event["end"])
                    else {
                        return nil
                    }
                    return (start, end)
                }
            } else if let others = known[address] {
                busy = others
            } else {
                return [
                    "scheduleId": .string(address), "availabilityView": "",
                    "error": ["message": "Unable to resolve", "responseCode": "ErrorMailRecipientNotFound"],
                ]
            }
            busy = busy.filter { $0.1 > from && $0.0 < to }
            return [
                "scheduleId": .string(address), "availabilityView": "0",
                "scheduleItems": .array(
                    busy.map { ["status": "busy", "start": GraphClock.json($0.0), "end": GraphClock.json($0.1)] }),
            ]
        }
        return .json(200, ["value": .array(values)])
    }
}
