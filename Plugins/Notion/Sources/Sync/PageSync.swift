import PluginCommon
import TandemSDK

/// Brings the copy of the workspace up to date: all that is shared, and the entries of its databases.
///
/// A round makes a few requests and notes where it stopped; the next one goes on there. A full round looks at everything, and
/// what it did not see is gone; once a day. The others look at what was edited since, newest first. Then the texts of what is
/// new or was edited are read, newest first.
struct PageSync {
    /// Requests of a round, of which there is one a minute at most: Notion allows about 180, and most are the person's.
    static let requests = 24
    /// Pages that are kept: those edited last.
    static let most = 1500
    /// Databases whose entries are looked at.
    static let databases = 50
    /// Characters of a text that are kept.
    static let longest = 8000
    private static let day: Int64 = 86_400_000
    /// Notion gives times of editing by the minute.
    private static let slack: Int64 = 120_000

    enum Outcome: String { case changes, full, restarted, waiting }

    struct Round {
        var outcome: Outcome
        var hasMore: Bool
        /// What Notion asked for.
        var pause: Duration?
    }

    let client: NotionClient
    private var left = PageSync.requests
    private var context: Context { client.context }

    init(_ context: Context) { client = NotionClient(context) }

    /// Throws `AuthRequired`, and what fails before anything was done.
    mutating func round() async throws -> Round {
        let rows = context.rows(SyncState.self)
        let known = try await rows.first()
        var state = known ?? begun(nil)
        if !state.isUnderWay { state = begun(state) }
        var outcome: Outcome = state.isFull ? .full : .changes
        var pause: Duration?
        do {
            try await look(&state)
        } catch let error as ToolError where error.code == "validation" && state.cursor != nil {
            // Notion no longer knows the place in its list.
            state.cursor = nil
            state.place = 0
            outcome = .restarted
        } catch let error as ToolError where error.isRetryable {
            // What was seen stays, and so does the place.
            guard left < Self.requests - 1 else { throw error }
            outcome = .waiting
            pause = error.retryAfterMilliseconds.map { .milliseconds($0) }
        }
        if known == nil { state.id = try await rows.insert(state) } else { try await rows.update(state) }
        if outcome == .waiting || state.isUnderWay { return Round(outcome: outcome, hasMore: true, pause: pause) }
        let isDone: Bool
        do {
            isDone = try await readTexts()
        } catch let error as ToolError where error.isRetryable {
            return Round(
                outcome: outcome, hasMore: true, pause: error.retryAfterMilliseconds.map { .milliseconds($0) })
        }
        return Round(outcome: outcome, hasMore: !isDone, pause: nil)
    }

    private func begun(_ last: SyncState?) -> SyncState {
        let now = context.clock.now
        let isFull = last?.fullAt.map { now.milliseconds - $0.milliseconds >= Self.day } ?? true
        var state = SyncState(
            round: (last?.round ?? 0) + (isFull ? 1 : 0), isFull: isFull, isUnderWay: true, place: 0, cursor: nil,
            databases: last?.databases ?? [], startedAt: now, knownUntil: last?.knownUntil, fullAt: last?.fullAt,
            syncedAt: last?.syncedAt)
        if let last { state.id = last.id }
        return state
    }

    private var mayAsk: Bool { left > 0 && context.timeRemaining > .seconds(20) }

    // MARK: What there is

    /// Reads lists as far as the round goes; `isUnderWay` is false when all were read.
    private mutating func look(_ state: inout SyncState) async throws {
        while state.isUnderWay {
            guard mayAsk else { return }
            left -= 1
            let list = try await piece(of: state)
            let isKnown = try await store(list.pages, state)
            state.cursor = isKnown ? nil : list.next
            guard state.cursor == nil else { continue }
            if state.place == 0, state.isFull {
                guard mayAsk else {
                    // The last piece is read again in the next round.
                    state.cursor = nil
                    return
                }
                left -= 1
                let found = try await client.search("", .dataSource, limit: Self.databases).found
                state.databases = found.compactMap { DataSource($0)?.id.description }
            }
            state.place += 1
            if state.place > state.databases.count { try await end(&state) }
        }
    }

    private func piece(of state: SyncState) async throws -> (pages: [NotionPage], next: String?) {
        guard state.place > 0 else { return try await client.edited(from: state.cursor) }
        guard state.databases.indices.contains(state.place - 1), let id = NotionID(state.databases[state.place - 1])
        else { return ([], nil) }
        do {
            return try await client.edited(in: id, from: state.cursor)
        } catch let error as ToolError where error.code == NotionFailure.notShared {
            // No longer shared, and its entries neither.
            return ([], nil)
        }
    }

    private func end(_ state: inout SyncState) async throws {
        state.isUnderWay = false
        state.place = 0
        state.cursor = nil
        state.knownUntil = state.startedAt
        state.syncedAt = context.clock.now
        guard state.isFull else { return }
        // Whatever this round did not see is in the trash, or no longer shared.
        let round = state.round
        try await context.rows(KeptPage.self).delete(where: \.round < round)
        state.fullAt = state.syncedAt
    }

    /// Writes what was found. True when the rest of the list is known: it was edited before the last round.
    private func store(_ pages: [NotionPage], _ state: SyncState) async throws -> Bool {
        guard !pages.isEmpty else { return false }
        let rows = context.rows(KeptPage.self)
        let since = state.isFull ? nil : state.knownUntil.map { $0.milliseconds - Self.slack }
        let known = try await rows.list(where: [.any(of: pages.map(\.id.description), \.page)], limit: 200)
        let places = Dictionary(known.map { ($0.page, $0) }, uniquingKeysWith: { first, _ in first })
        var room = Self.most - (try await rows.count())
        var isKnown = false
        var seen: Set<NotionID> = []
        try await context.batch { batch in
            for page in pages where seen.insert(page.id).inserted {
                let edited = page.edited ?? state.startedAt
                if let since, edited.milliseconds < since {
                    isKnown = true
                    continue
                }
                let entry = FoundPage(page)
                if page.isInTrash {
                    if let old = places[page.id.description] { batch.delete(KeptPage.self, old.id) }
                } else if let old = places[page.id.description] {
                    // Edited again within the minute, it looks as if it were the same.
                    let isRead =
                        old.isRead && old.editedAt == edited
                        && (old.readAt.map { $0.milliseconds > edited.milliseconds + Self.slack } ?? false)
                    batch.update(
                        KeptPage.self, old.id, .set(\.entry, entry), .set(\.editedAt, edited),
                        .set(\.isRead, isRead), .set(\.round, state.round))
                } else if room > 0 {
                    room -= 1
                    batch.insert(
                        KeptPage(
                            page: page.id.description, editedAt: edited, entry: entry, text: "", isRead: false,
                            readAt: nil, isWhole: false, round: state.round))
                }
            }
        }
        return isKnown
    }

    // MARK: What it says

    /// True when every text is that of its page.
    private mutating func readTexts() async throws -> Bool {
        let rows = context.rows(KeptPage.self)
        let waiting = try await rows.list(
            where: [\.isRead == false], order: [.descending(\.editedAt)], limit: Self.requests + 1)
        for page in waiting {
            guard mayAsk else { return false }
            guard let id = NotionID(page.page) else { continue }
            do {
                let text = try await BlockReader.read(id, client, limit: min(left, 5))
                left -= max(1, text.requests)
                let whole = text.whole
                try await rows.update(
                    page.id, .set(\.text, String(whole.prefix(Self.longest))), .set(\.isRead, true),
                    .set(\.readAt, context.clock.now),
                    .set(\.isWhole, text.rest == nil && whole.count <= Self.longest))
            } catch let error as ToolError where error.code == NotionFailure.notShared || error.code == "validation" {
                left -= 1
                try await rows.delete(page.id)
            }
        }
        return waiting.count <= Self.requests
    }
}

extension NotionClient {
    /// A hundred of all pages that are shared, last edited first, and where the next ones begin.
    func edited(from cursor: String?) async throws -> (pages: [NotionPage], next: String?) {
        var body: JSONObject = [
            "filter": ["property": "object", "value": .string(Kind.page.rawValue)],
            "sort": ["timestamp": "last_edited_time", "direction": "descending"],
            "page_size": .integer(Int64(Self.pageSize)),
        ]
        if let cursor { body["start_cursor"] = .string(cursor) }
        return try Self.pages(try await send(.post, "search", .object(body), isRepeatable: true), after: cursor)
    }

    /// The same of a database's entries.
    func edited(in source: NotionID, from cursor: String?) async throws -> (pages: [NotionPage], next: String?) {
        var body: JSONObject = [
            "sorts": [["timestamp": "last_edited_time", "direction": "descending"]],
            "page_size": .integer(Int64(Self.pageSize)),
        ]
        if let cursor { body["start_cursor"] = .string(cursor) }
        return try Self.pages(
            try await send(.post, "data_sources/\(source)/query", .object(body), isRepeatable: true), after: cursor)
    }

    private static func pages(_ answer: JSON, after cursor: String?) throws -> (pages: [NotionPage], next: String?) {
        guard let results = answer["results"]?.arrayValue else { throw NotionFailure.unreadable }
        let next = answer["has_more"] == true ? answer["next_cursor"]?.stringValue : nil
        return (results.compactMap { NotionPage($0) }, next == cursor ? nil : next)
    }
}
