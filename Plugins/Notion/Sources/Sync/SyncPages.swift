import PluginCommon
public import TandemSDK

/// Called by the timer, and when the plugin can begin.
struct SyncInBackground: Handler {
    static let declaration = HandlerDeclaration(
        "refresh", "Keeps a copy of the Notion pages that you share", effect: .read, timeoutMilliseconds: 90_000)

    func run(_ context: Context, _ occasion: Occasion) async throws {
        if await SyncSchedule.begins(Self.self, context, occasion) { return }
        do {
            var sync = PageSync(context)
            let round = try await sync.round()
            context.metrics.add(Notion.syncs, labels: round.outcome.rawValue)
            if round.hasMore { try await SyncSchedule.goOn(Self.self, context, after: round.pause) }
        } catch {
            context.metrics.add(Notion.syncs, labels: "failed")
            throw error
        }
    }
}

public struct SyncPages: Tool {
    public static let declaration = ToolDeclaration(
        "notion.sync", "Keep Notion pages up to date", effect: .write,
        "Begins to keep a copy of the shared Notion pages that works when Notion does not, and says how fresh it is.",
        utterances: [
            "(sync|synchronise|synchronize|refresh|update) [all] [of] my notion [pages|workspace|databases]",
            "keep my notion [pages|workspace] up to date", "how (fresh|old) is [my|the] [copy of] notion [copy|pages]",
        ])

    public init() {}

    public struct Freshness: Object {
        public var syncedAt: Instant?
        public var pages: Int
        /// Whose texts are not read yet.
        public var waiting: Int
    }

    public func run(_ context: Context) async throws -> Reply<Freshness> {
        await SyncSchedule.begin(SyncInBackground.self, context, now: true)
        let rows = context.rows(KeptPage.self)
        let state = try await context.rows(SyncState.self).first()
        let value = Freshness(
            syncedAt: state?.syncedAt, pages: try await rows.count(),
            waiting: try await rows.count(where: \.isRead == false))
        guard let at = state?.syncedAt else {
            return Reply("I keep a copy of your Notion pages from now on, every 15 minutes.", value: value)
        }
        let rest = value.waiting > 0 ? ", \(value.waiting) still to be read" : ""
        return Reply(
            """
            Looking again. \(value.pages) \(value.pages == 1 ? "page" : "pages") kept\(rest), last looked at \
            \(PluginCommon.Freshness.span(since: at, context.clock)) ago.
            """, value: value)
    }
}
