import MailCommon
import PluginCommon
public import TandemSDK

/// Brings the index up to date: by Gmail's history, or in full when there is none or it is too old.
///
/// A round reads some pages and notes where it stopped; the next one goes on there. Rows and place are written together,
/// so an interrupted round is rolled back as a whole and done again.
struct MailSync {
    /// Kept this long, so many.
    static let days = 30
    static let most = 1000
    /// Two units each at Gmail, and the units of the heads: a round stays far below the 6,000 of a minute.
    private static let pageSize = 100
    private static let pages = 3

    enum Outcome: String { case changes, full, restarted }

    let service: GmailService
    var context: Context { service.context }

    init(_ context: Context) { service = GmailService(context) }

    /// - Returns: what it did, and whether there is more to do at once.
    func round() async throws -> (outcome: Outcome, hasMore: Bool) {
        let rows = context.rows(SyncState.self)
        guard var state = try await rows.first() else {
            var state = try await begin(round: 1)
            state.id = try await rows.insert(state)
            return (.full, try await full(&state))
        }
        if state.isFull { return (.full, try await full(&state)) }
        do {
            return (.changes, try await changes(&state))
        } catch let error as ToolError where error.code == GmailRefusal.gone {
            // History does not go back that far: all is looked at again; what is kept serves meanwhile.
            var fresh = try await begin(round: state.round + 1)
            fresh.id = state.id
            fresh.syncedAt = state.syncedAt
            try await rows.update(fresh)
            return (.restarted, try await full(&fresh))
        }
    }

    private func begin(round: Int) async throws -> SyncState {
        // Changes while the full round goes on are seen afterwards: the place is taken first.
        let profile = try await service.get("profile", cache: .none).json
        guard let history = profile["historyId"]?.stringValue, let address = profile["emailAddress"]?.stringValue else {
            throw GmailService.unreadable
        }
        return SyncState(address: address, history: history, isFull: true, round: round)
    }

    // MARK: In full

    private func full(_ state: inout SyncState) async throws -> Bool {
        let mails = context.rows(IndexedMail.self)
        for _ in 0..<Self.pages {
            let page = try await service.list(
                "newer_than:\(Self.days)d -in:chats", limit: Self.pageSize, page: state.page)
            try await store(try await service.heads(page.ids).heads, round: state.round)
            state.page = page.next
            let count = try await mails.count(where: \.round == state.round)
            guard page.next != nil, count < Self.most else {
                // Whatever this round did not see is gone.
                try await mails.delete(where: \.round < state.round)
                state.page = nil
                state.isFull = false
                state.syncedAt = context.clock.now
                try await context.rows(SyncState.self).update(state)
                return false
            }
            guard context.timeRemaining > .seconds(20) else { break }
        }
        try await context.rows(SyncState.self).update(state)
        return true
    }

    // MARK: Changes

    private func changes(_ state: inout SyncState) async throws -> Bool {
        let mails = context.rows(IndexedMail.self)
        for _ in 0..<Self.pages {
            var query = [("startHistoryId", state.history), ("maxResults", String(Self.pageSize))]
            if let page = state.page { query.append(("pageToken", page)) }
            let json = try await service.get("history", query, cache: .none).json
            var changed: [String] = []
            var gone: Set<String> = []
            for record in json["history"]?.arrayValue ?? [] {
                for name in ["messagesAdded", "labelsAdded", "labelsRemoved"] {
                    for entry in record[name]?.arrayValue ?? [] {
                        guard let id = entry["message"]?["id"]?.stringValue, GmailService.isID(id) else { continue }
                        if !changed.contains(id) { changed.append(id) }
                        gone.remove(id)
                    }
                }
                for entry in record["messagesDeleted"]?.arrayValue ?? [] {
                    if let id = entry["message"]?["id"]?.stringValue { gone.insert(id) }
                }
            }
            let wanted = changed.filter { !gone.contains($0) }
            let heads = try await service.heads(wanted).heads
            // What cannot be read any more was deleted meanwhile.
            let found = Set(heads.map(\.id))
            gone.formUnion(wanted.filter { !found.contains($0) })
            if !gone.isEmpty {
                for start in stride(from: 0, to: gone.count, by: 100) {
                    try await mails.delete(
                        where: .any(of: Array(Array(gone)[start..<min(start + 100, gone.count)]), \.message))
                }
            }
            try await store(heads, round: state.round)
            state.page = json["nextPageToken"]?.stringValue
            if state.page == nil {
                state.history = json["historyId"]?.stringValue ?? state.history
                state.syncedAt = context.clock.now
                let day = Instant(milliseconds: context.clock.now.milliseconds - Int64(Self.days + 15) * 86_400_000)
                try await mails.delete(where: \.receivedAt < day)
                break
            }
            guard context.timeRemaining > .seconds(20) else { break }
        }
        try await context.rows(SyncState.self).update(state)
        return state.page != nil
    }

    /// Writes heads in as few transactions as there are hundreds.
    private func store(_ heads: [MailHead], round: Int) async throws {
        let rows = context.rows(IndexedMail.self)
        for start in stride(from: 0, to: heads.count, by: 100) {
            let some = heads[start..<min(start + 100, heads.count)]
            let known = try await rows.list(where: [.any(of: some.map(\.id), \.message)], limit: 200)
            let places = Dictionary(known.map { ($0.message, $0) }, uniquingKeysWith: { first, _ in first })
            try await context.batch { batch in
                for head in some {
                    let row = IndexedMail(message: head.id, receivedAt: head.date, head: head, round: round)
                    if let old = places[head.id] {
                        batch.update(
                            IndexedMail.self, old.id, .set(\.head, head), .set(\.round, round),
                            .set(\.receivedAt, head.date))
                    } else {
                        batch.insert(row)
                    }
                }
            }
        }
    }
}

/// Called by the timer, and when the plugin can begin.
struct SyncInBackground: Handler {
    static let declaration = HandlerDeclaration(
        "refresh", "Keeps the list of your mails up to date", effect: .read, timeoutMilliseconds: 90_000)

    func run(_ context: Context, _ occasion: Occasion) async throws {
        if await SyncSchedule.begins(Self.self, context, occasion) { return }
        do {
            let (outcome, hasMore) = try await MailSync(context).round()
            context.metrics.add(Gmail.syncs, labels: outcome.rawValue)
            if hasMore { try await SyncSchedule.goOn(Self.self, context) }
        } catch {
            context.metrics.add(Gmail.syncs, labels: "failed")
            throw error
        }
    }
}

public struct SyncMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.sync", "Keep mail up to date", effect: .write,
        "Begins to keep a list of the last weeks' mails that works when Gmail does not, and says how fresh it is.",
        utterances: [
            "(sync|synchronise|synchronize|refresh|update) my [gmail] (mail|mails|email|emails|inbox)",
            "keep my [gmail] (mail|mails|email|inbox) up to date", "how (fresh|old) is my (mail|inbox|email) list",
            "watch my [gmail] (mail|inbox|email)",
        ])

    public init() {}

    public struct Freshness: Object {
        public var syncedAt: Instant?
        public var mails: Int
    }

    public func run(_ context: Context) async throws -> Reply<Freshness> {
        await SyncSchedule.begin(SyncInBackground.self, context, now: true)
        let state = try await context.rows(SyncState.self).first()
        let count = try await context.rows(IndexedMail.self).count()
        let value = Freshness(syncedAt: state?.syncedAt, mails: count)
        guard let at = state?.syncedAt else {
            return Reply("I keep your mail up to date from now on, every 15 minutes.", value: value)
        }
        return Reply(
            "Looking again. \(MailWords.count(count)) kept, last looked at \(PluginCommon.Freshness.span(since: at, context.clock)) ago.",
            value: value)
    }
}
