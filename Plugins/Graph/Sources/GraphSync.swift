import MailCommon
import PluginCommon
public import TandemSDK

/// Brings what is kept up to date by delta queries; from the beginning when the service has forgotten the place.
struct GraphSync {
    private static let pages = 4
    private static let pageSize = 100
    private static let mailDays: Int64 = 30
    private static let most = 500

    enum What: String, CaseIterable { case calendar, mail }
    enum Outcome: String { case changes, full, restarted }

    let service: GraphService
    var context: Context { service.context }

    init(_ context: Context) { service = GraphService(context) }

    /// - Returns: what it did, and whether there is more to do at once.
    func round(_ what: What) async throws -> (outcome: Outcome, hasMore: Bool) {
        let rows = context.rows(SyncState.self)
        let known = try await rows.first(where: \.what == what.rawValue)
        // The calendar's days move on: a week before they end, a new round takes the next ones.
        let isOver = known?.until.map { $0.milliseconds - context.clock.now.milliseconds < 7 * 86_400_000 } ?? false
        guard var state = known, !isOver else {
            return (.full, try await restart(what, known))
        }
        do {
            return (state.isUnderWay ? .full : .changes, try await follow(what, &state))
        } catch let error as ToolError where error.code == GraphRefusal.stateGone || error.code == GraphRefusal.gone {
            return (.restarted, try await restart(what, state))
        }
    }

    private func restart(_ what: What, _ known: SyncState?) async throws -> Bool {
        let now = context.clock.now.milliseconds
        let link: String
        var until: Instant?
        switch what {
        case .calendar:
            let from = context.clock.instant(context.clock.today.adding(days: -7))
            let to = context.clock.instant(context.clock.today.adding(days: 67))
            until = to
            link =
                GraphService.origin
                + "/v1.0/me/calendarView/delta?startDateTime=\(HTTPRequest.percentEncoded(GraphTime.parameter(from)))"
                + "&endDateTime=\(HTTPRequest.percentEncoded(GraphTime.parameter(to)))"
            try await context.rows(KeptEvent.self).delete(where: \.startsAt > Instant(milliseconds: 0))
        case .mail:
            let since = GraphTime.parameter(Instant(milliseconds: now - Self.mailDays * 86_400_000))
            link =
                GraphService.origin + "/v1.0/me/mailFolders/inbox/messages/delta?$select="
                + HTTPRequest.percentEncoded(GraphMail.select) + "&$filter="
                + HTTPRequest.percentEncoded("receivedDateTime ge " + since) + "&$orderby="
                + HTTPRequest.percentEncoded("receivedDateTime desc")
            try await context.rows(KeptMail.self).delete(where: \.receivedAt >= Instant(milliseconds: 0))
        }
        var state = SyncState(what: what.rawValue, link: link, isUnderWay: true, until: until, syncedAt: nil)
        let rows = context.rows(SyncState.self)
        if let known {
            state.id = known.id
            try await rows.update(state)
        } else {
            state.id = try await rows.insert(state)
        }
        return try await follow(what, &state)
    }

    private func follow(_ what: What, _ state: inout SyncState) async throws -> Bool {
        var seen: Set<String> = []
        for _ in 0..<Self.pages {
            guard seen.insert(state.link).inserted else { throw GraphService.unreadable }
            let json = try await service.page(state.link, pageSize: Self.pageSize)
            let values = json["value"]?.arrayValue ?? []
            switch what {
            case .calendar: try await storeEvents(values)
            case .mail: try await storeMails(values)
            }
            if let next = json["@odata.nextLink"]?.stringValue {
                state.link = next
                state.isUnderWay = true
            } else if let delta = json["@odata.deltaLink"]?.stringValue {
                state.link = delta
                state.isUnderWay = false
                state.syncedAt = context.clock.now
                try await context.rows(SyncState.self).update(state)
                if what == .mail {
                    let old = Instant(milliseconds: context.clock.now.milliseconds - (Self.mailDays + 15) * 86_400_000)
                    try await context.rows(KeptMail.self).delete(where: \.receivedAt < old)
                }
                return false
            } else {
                throw GraphService.unreadable
            }
            guard context.timeRemaining > .seconds(20) else { break }
        }
        try await context.rows(SyncState.self).update(state)
        return true
    }

    private func storeEvents(_ values: [JSON]) async throws {
        let rows = context.rows(KeptEvent.self)
        for value in values {
            guard let id = value["id"]?.stringValue else { continue }
            let known = try await rows.first(where: \.key == id)
            // The master of a series has no place of its own in the calendar; its occurrences have.
            let isGone = value["@removed"] != nil || value["type"] == "seriesMaster"
            guard !isGone else {
                if let known { try await rows.delete(known.id) }
                continue
            }
            // Of an occurrence only what differs from its series may come.
            var event = CalendarEvent(value, context.clock)
            if let series = event?.series, event?.subject.isEmpty == true,
                let master = values.first(where: { $0["id"]?.stringValue == series })
            {
                event?.subject = master["subject"]?.stringValue?.singleLine(limit: 200) ?? ""
                event?.location = master["location"]?["displayName"]?.stringValue?.singleLine(limit: 100).nonEmpty
            }
            guard let event else { continue }
            if let known {
                try await rows.update(
                    known.id, .set(\.startsAt, event.start), .set(\.endsAt, event.end), .set(\.event, event))
            } else {
                try await rows.insert(KeptEvent(key: id, startsAt: event.start, endsAt: event.end, event: event))
            }
        }
    }

    private func storeMails(_ values: [JSON]) async throws {
        let rows = context.rows(KeptMail.self)
        for value in values {
            guard let id = value["id"]?.stringValue else { continue }
            let known = try await rows.first(where: \.key == id)
            if value["@removed"] != nil {
                if let known { try await rows.delete(known.id) }
                continue
            }
            guard var head = GraphMail.head(value, isInInbox: true) else { continue }
            if let known {
                // A change may come with what changed alone.
                if value["receivedDateTime"] == nil {
                    var old = known.head
                    if let isRead = value["isRead"]?.boolValue { old.isUnread = !isRead }
                    if let flag = value["flag"]?["flagStatus"] { old.isStarred = flag == "flagged" }
                    head = old
                }
                try await rows.update(known.id, .set(\.head, head), .set(\.receivedAt, head.date))
            } else if try await rows.count() < Self.most {
                try await rows.insert(KeptMail(key: id, receivedAt: head.date, head: head))
            }
        }
    }
}

/// Called by the timer, and when the plugin can begin.
struct SyncInBackground: Handler {
    static let declaration = HandlerDeclaration(
        "refresh", "Keeps your calendar and the list of your mails up to date", effect: .read,
        timeoutMilliseconds: 90_000)

    func run(_ context: Context, _ occasion: Occasion) async throws {
        if await SyncSchedule.begins(Self.self, context, occasion) { return }
        var hasMore = false
        var failure: (any Error)?
        for what in GraphSync.What.allCases {
            do {
                let (outcome, more) = try await GraphSync(context).round(what)
                context.metrics.add(Graph.syncs, labels: what.rawValue, outcome.rawValue)
                hasMore = hasMore || more
            } catch {
                context.metrics.add(Graph.syncs, labels: what.rawValue, "failed")
                failure = error
            }
        }
        if hasMore { try await SyncSchedule.goOn(Self.self, context) }
        // What one of them wrote stays when the other fails: the timer comes again by itself.
        if let failure, !(failure is ToolError) { throw failure }
    }
}

public struct SyncAll: Tool {
    public static let declaration = ToolDeclaration(
        "graph.sync", "Keep calendar and mail up to date", effect: .write,
        "Begins to keep the next two months' events and the last weeks' mails, which works when Microsoft does not.",
        utterances: [
            "(sync|synchronise|synchronize|refresh|update) my (calendar|outlook|outlook calendar|outlook mail)",
            "keep my (calendar|outlook) up to date", "how fresh is my calendar",
        ])

    public init() {}

    public struct Freshness: Object {
        public var calendar: Instant?
        public var mail: Instant?
    }

    public func run(_ context: Context) async throws -> Reply<Freshness> {
        await SyncSchedule.begin(SyncInBackground.self, context, now: true)
        let states = try await context.rows(SyncState.self).list(where: [], limit: 10)
        let value = Freshness(
            calendar: states.first { $0.what == "calendar" }?.syncedAt,
            mail: states.first { $0.what == "mail" }?.syncedAt)
        guard let at = value.calendar else {
            return Reply("I keep your calendar and mail up to date from now on, every 15 minutes.", value: value)
        }
        return Reply(
            "Looking again. Last done \(PluginCommon.Freshness.span(since: at, context.clock)) ago.", value: value)
    }
}
