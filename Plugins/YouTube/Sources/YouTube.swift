public import TandemSDK

/// Videos on YouTube: found, described, and read by what is said in them.
///
/// Search, details and playlists by the YouTube Data API v3, with the operator's key or the person's account. What is said in
/// a video by the way that YouTube's own player takes, which is not documented, may change, and is refused to whom YouTube
/// takes for a robot; for the person's own videos also by the API. What a video says is somebody's words: untrusted.
public enum YouTube: Plugin {
    public static let definition = PluginDefinition(
        id: "tandem.youtube", namespace: "youtube", name: "YouTube", version: "1.0.0",
        summary: "Finds videos, and tells you what is said in them, and where.", aliases: ["videos"],
        license: "Apache-2.0",
        tools: [
            SearchVideos.self, ShowVideo.self, ShowTranscript.self, AskVideo.self, SummarizeVideo.self,
            ShowChapters.self, KeepSummary.self, ForgetSummary.self, ListPlaylists.self, ShowPlaylist.self,
            OwnCaptions.self,
        ],
        calls: [
            .init("notes.add", reason: "to keep the summary of a video when you ask for it"),
            .init("notes.delete", reason: "to take back a summary that was kept by mistake"),
        ],
        hosts: [
            .init("www.googleapis.com", reason: "to find videos and see their details"),
            .init(
                "www.youtube.com", reason: "to read what is said in videos", reads: ["POST /youtubei/v1/player"]),
        ],
        uses: [.keyValues],
        secrets: [
            DeclaredSecret(
                "api_key", "API key of YouTube",
                hint: "In the Google Cloud console, under APIs and services, Credentials",
                enteredBy: .operator)
        ],
        accounts: [
            .init(
                YouTubeClient.grant, provider: "youtube", reason: "to show your own playlists and captions",
                scopes: [
                    .init("https://www.googleapis.com/auth/youtube.readonly", reason: "to show your playlists"),
                    // The only one that YouTube reads captions for.
                    .init(
                        "https://www.googleapis.com/auth/youtube.force-ssl", isForWriting: true,
                        reason: "to read the captions of your own videos"),
                ])
        ],
        metrics: [searches, transcripts], configuration: Settings.self)

    static let searches = Metric.counter(
        "searches_total", "Searches, by what came of them", labels: ["result": ["asked", "kept", "refused"]])
    static let transcripts = Metric.counter(
        "transcripts_total", "Transcripts, by what came of them",
        labels: ["result": ["read", "kept", "none", "blocked", "failed"]])

    public struct Settings: Configuration {
        /// What YouTube leaves out of searches.
        public var safeSearch = SafeSearch.moderate
        /// The language of transcripts where there are several, such as `en` or `pt-BR`; empty: the person's.
        public var language = ""

        public init() {}
    }

    public enum SafeSearch: String, Choice {
        case none, moderate, strict
    }
}
