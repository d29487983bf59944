public import MailCommon
import PluginCommon
public import TandemSDK

/// An event that is kept, for when Microsoft does not answer.
public struct KeptEvent: Row, Hashable {
    public static let table = Table<KeptEvent>(
        "graph_events", "your appointments of the next two months", .copy, .sealed(\.event), .searchable(\.event),
        .unique(\.key),
        .index(\.startsAt))

    public var id = RowID()
    /// Microsoft's id.
    public var key: String
    public var startsAt: Instant
    public var endsAt: Instant
    public var event: CalendarEvent
}

/// A mail of the inbox that is kept, without its text.
public struct KeptMail: Row, Hashable {
    public static let table = Table<KeptMail>(
        "graph_mail", "who wrote to your Outlook inbox about what in the last weeks, without the texts",
        .copy, .sealed(\.head), .searchable(\.head), .unique(\.key), .index(\.receivedAt))

    public var id = RowID()
    public var key: String
    public var receivedAt: Instant
    public var head: MailHead
}

/// How far each of them is; rolled back with the rows that it is about.
public struct SyncState: Row, Hashable {
    public static let table = Table<SyncState>(
        "graph_sync", "how far your calendar and Outlook inbox are up to date", .copy, .sealed(\.link),
        .unique(\.what))

    public var id = RowID()
    /// `calendar` or `mail`
    public var what: String
    /// Where to go on: the next page, or the changes since.
    public var link: String
    /// A page of a round that is under way.
    public var isUnderWay: Bool
    /// Days that the calendar's round covers; a new one begins when they move on.
    public var until: Instant?
    public var syncedAt: Instant?
}

/// What was kept. All nil as long as no round was complete.
struct KeptCalendar {
    let context: Context

    init(_ context: Context) { self.context = context }

    private func note(_ what: String) async throws -> String? {
        guard let at = try await context.rows(SyncState.self).first(where: \.what == what)?.syncedAt else { return nil }
        return Freshness.note("Microsoft", since: at, context.clock)
    }

    func events(from: Instant, to: Instant) async throws -> (events: [CalendarEvent], note: String)? {
        guard let note = try await note("calendar") else { return nil }
        let rows = try await context.rows(KeptEvent.self).list(
            where: [\.startsAt < to, \.endsAt > from], order: [.ascending(\.startsAt)], limit: 500)
        return (CalendarFinder.sorted(rows.map(\.event)), note)
    }

    func mails(_ filter: MailFilter, limit: Int) async throws -> (mails: [MailHead], note: String)? {
        guard filter != .sent, let note = try await note("mail") else { return nil }
        let rows = try await context.rows(KeptMail.self).list(where: [], order: [.descending(\.receivedAt)], limit: 500)
        let heads = rows.map(\.head).filter { head in
            switch filter {
            case .inbox: true
            case .unread: head.isUnread
            case .flagged: head.isStarred
            case .sent: false
            }
        }
        return (Array(heads.prefix(limit)), note)
    }
}
