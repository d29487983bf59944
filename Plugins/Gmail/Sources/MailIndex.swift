public import MailCommon
import PluginCommon
public import TandemSDK

/// A mail that the index knows: its head, sealed, and what it is found by.
public struct IndexedMail: Row, Hashable {
    public static let table = Table<IndexedMail>(
        "gmail_mail", "who wrote to you about what in the last weeks, without the texts", .copy, .sealed(\.head),
        .searchable(\.head), .unique(\.message), .index(\.receivedAt))

    public var id = RowID()
    /// Gmail's id.
    public var message: String
    public var receivedAt: Instant
    public var head: MailHead
    /// Of the full round that saw it last.
    public var round: Int
}

/// How far the index is; one row. In a table and not among the keys, so that it is rolled back with the rows it is about.
public struct SyncState: Row, Hashable {
    public static let table = Table<SyncState>(
        "gmail_sync", "how far your mail index is up to date", .copy, .sealed(\.address))

    public var id = RowID()
    public var address: String
    /// Where changes are asked from.
    public var history: String
    /// The page that is next, of a full round or of the changes.
    public var page: String?
    /// A full round is under way.
    public var isFull: Bool
    public var round: Int
    /// When the last round was complete.
    public var syncedAt: Instant?
}

/// What was kept of the mail, for when Gmail does not answer. All nil as long as no round was complete.
struct MailIndex {
    struct Kept {
        var heads: [MailHead]
        /// `Gmail does not answer; this is from 12 minutes ago`.
        var note: String
        /// The person's addresses.
        var own: Set<String>
    }

    let context: Context

    init(_ context: Context) { self.context = context }

    func everything() async throws -> Kept? {
        guard let state = try await context.rows(SyncState.self).first(), let at = state.syncedAt else { return nil }
        let rows = try await context.rows(IndexedMail.self).list(
            where: [], order: [.descending(\.receivedAt)], limit: 500)
        return Kept(
            heads: rows.map(\.head), note: Freshness.note("Gmail", since: at, context.clock),
            own: [state.address.lowercased()])
    }

    func recent(
        _ filter: MailFilter, from sender: String?, period: (from: Instant, to: Instant)?, limit: Int
    ) async throws -> Kept? {
        guard var kept = try await everything() else { return nil }
        let words = sender.map(Words.split) ?? []
        kept.heads = kept.heads.filter { head in
            let fits =
                switch filter {
                case .inbox: head.isInInbox || !words.isEmpty || period != nil
                case .unread: head.isUnread && head.isInInbox
                case .starred: head.isStarred
                case .important: head.isImportant && head.isInInbox
                case .sent: head.isOwn
                case .snoozed, .spam, .trash: false
                }
            let name = head.from.name + " " + head.from.address
            return fits && Self.contains(name, words)
                && (period.map { head.date >= $0.from && head.date < $0.to } ?? true)
        }
        kept.heads = Array(kept.heads.prefix(limit))
        return kept
    }

    func containing(_ text: String, limit: Int) async throws -> Kept? {
        guard var kept = try await everything() else { return nil }
        let words = Words.split(MailQuery.words(text))
        kept.heads = Array(
            kept.heads.lazy.filter { head in
                !words.isEmpty
                    && Self.contains(
                        "\(head.from.name) \(head.from.address) \(head.subject) \(head.preview)", words)
            }.prefix(limit))
        return kept
    }

    func mail(_ id: String) async throws -> (head: MailHead, note: String)? {
        guard let row = try await context.rows(IndexedMail.self).first(where: \.message == id),
            let kept = try await everything()
        else { return nil }
        return (row.head, kept.note)
    }

    private static func contains(_ text: String, _ words: [String]) -> Bool {
        guard !words.isEmpty else { return true }
        let all = Words.split(text.replacing("@", with: " ").replacing(".", with: " "))
        return words.allSatisfy { wanted in all.contains { $0.hasPrefix(wanted) } }
    }
}
