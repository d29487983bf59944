import PluginCommon
public import TandemSDK

public struct SearchVideos: Tool {
    public static let declaration = ToolDeclaration(
        "youtube.search", "Search YouTube", effect: .read,
        "Finds videos on YouTube. Searches are scarce: use it when the person asks for videos.", trust: .untrusted,
        utterances: [
            "search youtube for {query}", "(find|show|get) [me] [a|some] [youtube] video[s] (about|on|of) {query}",
            "youtube {query}", "look for {query} on youtube", "find {query} on youtube",
            "search [for] videos (about|on|of) {query}", "[a|any] video[s] (about|on) {query}",
            "(find|show) [me] [a] {length} video[s] (about|on) {query}",
            "[the] (latest|newest) videos (about|on|from) {query}",
        ], timeoutMilliseconds: 20_000)

    @Argument("What the videos should be about", schema: ["minLength": 1, "maxLength": 500]) var query: String
    @Argument("Only as long as this: short is under 4 minutes, long over 20") var length: VideoDuration?
    @Argument("Only what was published since this day", planned: false) var since: Day?
    @Argument("Newest first instead of the best fit", planned: false) var newest = false

    public init() {}

    public func run(_ context: Context) async throws -> Reply<[Video]> {
        guard let words = query.singleLine(limit: 200).nonEmpty else {
            throw ToolError.invalid("What should the video be about?")
        }
        let finder = VideoFinder(context)
        let videos = try await finder.client.search(
            .init(words: words, after: since, length: length, isNewestFirst: newest))
        guard !videos.isEmpty else { return Reply("YouTube has no video about that. Try other words.", value: []) }
        await finder.remember(videos)
        return VideoList.reply("", videos, after: "Send a number to see more about one.")
    }
}

/// How long a video is, by YouTube's own limits.
public enum VideoDuration: String, Choice {
    case short, medium, long

    public var words: [String] {
        switch self {
        case .short: ["brief", "quick"]
        case .medium: ["medium length"]
        case .long: ["lengthy", "full length"]
        }
    }
}

/// Videos by numbers.
enum VideoList {
    static func reply(_ lead: String, _ videos: [Video], after: String) -> Reply<[Video]> {
        let parts = videos.enumerated().map { index, video in
            "\(index + 1) \(video.title.cut(to: 50))" + (video.detail.nonEmpty.map { " (\($0))" } ?? "")
        }
        return Reply(
            MessageText.flow(lead, parts) + "\n" + after, value: videos,
            shown: Shown(videos.map(\.shown), select: "youtube.video"), trust: .untrusted)
    }
}
