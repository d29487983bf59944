public import TandemSDK

/// The person's pages and databases in Notion: found, read, written, and tied to notes here.
///
/// By Notion's REST interface, versions 2025-09-03 and 2026-03-11. What a page says is somebody's words, not the person's
/// orders: everything that comes from there is untrusted.
public enum Notion: Plugin {
    public static let definition = PluginDefinition(
        id: "tandem.notion", namespace: "notion", name: "Notion", version: "1.0.0",
        summary: "Finds, reads and writes your Notion pages and databases, and ties them to your notes.",
        aliases: ["notion pages", "notion workspace"], license: "Apache-2.0",
        tables: [NoteLink.self, KeptPage.self, SyncState.self],
        tools: [
            SearchPages.self, ReadPage.self, CreatePage.self, AppendToPage.self, RenamePage.self, ArchivePage.self,
            RestorePage.self, ListDatabases.self, QueryDatabase.self, AddEntry.self, SetProperty.self, LinkNote.self,
            CopyPage.self, ShowLinks.self, UnlinkNote.self, SyncPages.self, UndoChange.self, UndoLink.self,
        ],
        calls: [
            .init("notes.add", reason: "to keep a page as a note when you ask for it"),
            .init("notes.show", reason: "to read the note that you tie to a page"),
            .init("notes.delete", reason: "to take back a note that was kept by mistake"),
            .init("notes.update", reason: "to keep the note and its link up to date"),
        ],
        hosts: [
            .init(
                "api.notion.com", reason: "to reach your Notion workspace",
                reads: ["POST /v1/search", "POST /v1/data_sources/*/query"])
        ],
        uses: [.keyValues, .timers], handlers: [RefreshLinks.self, SyncInBackground.self],
        accounts: [
            .init(
                NotionClient.grant, provider: "notion",
                reason: "to work with the pages that you choose to share with it")
        ],
        metrics: [syncs],
        subscribes: [
            .init(
                HostTopic.ready, SyncInBackground.self,
                reason: "to begin with a copy of the pages that you share, for when Notion does not answer")
        ],
        configuration: Settings.self,
        quota: .init(rows: PageSync.most + 600, bytes: 32 << 20, kvEntries: 100, timers: 4))

    static let syncs = Metric.counter(
        "syncs_total", "Rounds of bringing the copy of the pages up to date",
        labels: ["outcome": ["changes", "full", "restarted", "waiting", "failed"]])

    public struct Settings: Configuration {
        /// The version of Notion's interface.
        public var apiVersion = APIVersion.september2025
        /// The name of the page under which new pages go; empty: the top of the workspace.
        public var home = ""

        public init() {}
    }

    /// What changed with 2026-03-11: `archived` is gone for `in_trash`, `after` for `position`, `transcription` is called
    /// `meeting_notes`.
    public enum APIVersion: String, Choice {
        case september2025 = "2025-09-03"
        case march2026 = "2026-03-11"
    }
}
