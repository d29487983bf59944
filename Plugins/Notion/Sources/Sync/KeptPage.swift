import PluginCommon
public import TandemSDK

/// A page or an entry of a database, as it was when the copy was last brought up to date.
public struct KeptPage: Row, Hashable {
    public static let table = Table<KeptPage>(
        "notion_pages", "the Notion pages that you share, with their texts", .copy, .sealed(\.entry), .sealed(\.text),
        .searchable(\.entry), .searchable(\.text), .unique(\.page), .index(\.editedAt), .index(\.isRead))

    public var id = RowID()
    /// Notion's id.
    public var page: String
    public var editedAt: Instant
    public var entry: FoundPage
    /// What it says; empty until it was read.
    public var text: String
    /// The text is that of `editedAt`.
    public var isRead: Bool
    public var readAt: Instant?
    /// False when there is more than is kept.
    public var isWhole: Bool
    /// Of the full round that saw it last.
    public var round: Int
}

/// How far the copy is; one row, written with the rows that it is about.
public struct SyncState: Row, Hashable {
    public static let table = Table<SyncState>(
        "notion_sync", "how far the copy of your Notion pages is up to date", .copy, .sealed(\.cursor))

    public var id = RowID()
    /// Of full rounds, from 1.
    public var round: Int
    /// All is looked at; otherwise what changed.
    public var isFull: Bool
    public var isUnderWay: Bool
    /// Which list is being read: 0 are the pages that Notion finds, then the databases.
    public var place: Int
    /// Of the next piece of that list.
    public var cursor: String?
    /// The databases whose entries are looked at.
    public var databases: [String]
    /// When this round began.
    public var startedAt: Instant
    /// What was edited before is known.
    public var knownUntil: Instant?
    /// When the last full round was complete.
    public var fullAt: Instant?
    /// When the last round was complete.
    public var syncedAt: Instant?
}

/// What is kept, for when Notion does not answer, and for the words within pages, which Notion's search does not look at.
/// Nothing as long as no round was complete.
struct KeptPages {
    let context: Context

    init(_ context: Context) { self.context = context }

    /// `Notion does not answer; this is from 12 minutes ago`; nil: there is no copy.
    func note() async throws -> String? {
        guard let at = try await context.rows(SyncState.self).first()?.syncedAt else { return nil }
        return Freshness.note("Notion", since: at, context.clock)
    }

    /// The last edited ones, or those that have all the words in title, properties or text; titles first.
    func pages(_ words: String, limit: Int) async throws -> [KeptPage] {
        let wanted = Words.split(words)
        let order = [Order<KeptPage>.descending(\.editedAt)]
        guard !wanted.isEmpty else {
            return try await context.rows(KeptPage.self).list(where: [], order: order, limit: limit)
        }
        let all = try await context.rows(KeptPage.self).all(order: .descending(\.editedAt))
        func has(_ text: String) -> Bool {
            let spoken = Words.split(text)
            return wanted.allSatisfy { word in spoken.contains { $0.hasPrefix(word) } }
        }
        var titled: [KeptPage] = []
        var others: [KeptPage] = []
        for page in all where titled.count < limit {
            if has(page.entry.title) {
                titled.append(page)
            } else if others.count < limit, page.mentions(wanted) {
                others.append(page)
            }
        }
        return Array((titled + others).prefix(limit))
    }

    func page(_ reference: PageReference) async throws -> KeptPage? {
        switch reference.meaning {
        case .id(let id): return try await context.rows(KeptPage.self).first(where: \.page == id.description)
        case .words(let words):
            let found = try await pages(words, limit: 25)
            switch NameMatcher(found.map(\.entry.title)).match(words) {
            case .exact(let places), .close(let places): return places.first.map { found[$0] }
            case .none: return found.first
            }
        }
    }
}

extension KeptPage {
    /// Every word begins one of its words.
    func mentions(_ wanted: [String]) -> Bool {
        let all = [entry.title] + entry.properties.values + [text]
        let haystack = all.joined(separator: " ").lowercased()
        // Most pages have none of it: that is seen without cutting them into words.
        guard wanted.allSatisfy({ haystack.contains($0) || !$0.utf8.allSatisfy { $0 < 128 } }) else { return false }
        var missing = Set(wanted)
        var rest = haystack[...]
        // `Words.split` reads the first 64 words of a text.
        while !missing.isEmpty, !rest.isEmpty {
            let end = rest.index(rest.startIndex, offsetBy: 256, limitedBy: rest.endIndex) ?? rest.endIndex
            let stop = end == rest.endIndex ? end : rest[..<end].lastIndex(where: \.isWhitespace).map { $0 } ?? end
            let piece = rest[..<(stop == rest.startIndex ? end : stop)]
            let spoken = Words.split(String(piece))
            missing = missing.filter { word in !spoken.contains { $0.hasPrefix(word) } }
            rest = rest[piece.endIndex...]
        }
        return missing.isEmpty
    }
}
