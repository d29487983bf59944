import PluginCommon
public import TandemSDK

public struct ListPlaylists: Tool {
    public static let declaration = ToolDeclaration(
        "youtube.playlists", "List my playlists", effect: .read, "Lists the person's own playlists on YouTube.",
        trust: .untrusted,
        utterances: [
            "[show|list] [me] my [youtube] playlists", "which [youtube] playlists do I have", "my playlists on youtube",
        ], timeoutMilliseconds: 20_000)

    public init() {}

    public struct Found: Object {
        public var id: String
        public var title: String
        public var videos: Int?
    }

    public func run(_ context: Context) async throws -> Reply<[Found]> {
        let playlists = try await YouTubeClient(context).playlists()
        let value = playlists.map { Found(id: $0.id.description, title: $0.title, videos: $0.count) }
        guard !playlists.isEmpty else { return Reply("You have no playlists on YouTube.", value: value) }
        let parts = playlists.enumerated().map { index, playlist in
            "\(index + 1) \(playlist.title.cut(to: 50))" + (playlist.count.map { " (\($0))" } ?? "")
        }
        return Reply(
            MessageText.flow("", parts) + "\nSend a number to see its videos.", value: value,
            shown: Shown(
                playlists.map {
                    Shown.Item(type: PlaylistReference.entity, id: $0.id.description, label: $0.title.cut(to: 100))
                }, select: "youtube.playlist"), trust: .untrusted)
    }
}

public struct ShowPlaylist: Tool {
    public static let declaration = ToolDeclaration(
        "youtube.playlist", "Show a playlist", effect: .read,
        "Lists the videos of a playlist on YouTube: one of the person's own, or any by its address.", trust: .untrusted,
        utterances: [
            "[show|open] [me] [the|my] [youtube] playlist {playlist}", "[show|open] [me] [the|my] {playlist} playlist",
            "[which] videos [are] (in|on) [the|my] [youtube] playlist {playlist}",
            "what is (in|on) my {playlist} playlist",
        ], actsOn: PlaylistReference.entity, timeoutMilliseconds: 20_000)

    @Argument("Which playlist: #id as shown, its address, or its title among the person's own") var playlist:
        PlaylistReference
    @Argument("How many at most", planned: false, schema: ["minimum": 1, "maximum": 200]) var limit = 50

    public init() {}

    public func run(_ context: Context) async throws -> Reply<[Video]> {
        let finder = VideoFinder(context)
        let (id, isOwn) = try await find(finder.client)
        let found: (videos: [Video], hasMore: Bool)
        do {
            found = try await finder.client.videos(of: id, isOwn: isOwn, limit: limit)
        } catch let error as ToolError where !isOwn && (error.code == "not_found" || error.code == "not_allowed") {
            // It may be a private one of theirs.
            found = try await finder.client.videos(of: id, isOwn: true, limit: limit)
        }
        guard !found.videos.isEmpty else { return Reply("That playlist is empty.", value: []) }
        await finder.remember(Array(found.videos.prefix(10)))
        return VideoList.reply(
            "", found.videos,
            after: found.hasMore
                ? "There are more. Send a number to see more about one."
                : "Send a number to see more about one.")
    }

    private func find(_ client: YouTubeClient) async throws -> (PlaylistID, isOwn: Bool) {
        switch playlist.meaning {
        case .id(let id): return (id, false)
        case .words(let words):
            if let answer = client.context.answer("playlist")?.stringValue, let id = PlaylistID(answer.dropFirst()) {
                return (id, true)
            }
            let own = try await client.playlists()
            switch NameMatcher(own.map(\.title)).match(words) {
            case .exact(let places) where places.count == 1, .close(let places) where places.count == 1:
                return (own[places[0]].id, true)
            case .exact(let places), .close(let places):
                throw Ask(
                    "Which playlist?", field: "playlist",
                    options: places.prefix(5).map {
                        Ask.Option(own[$0].title.cut(to: 60), value: .string("#\(own[$0].id)"))
                    })
            case .none: throw ToolError.notFound("You have no such playlist on YouTube.")
            }
        }
    }
}

public struct OwnCaptions: Tool {
    public static let declaration = ToolDeclaration(
        "youtube.captions", "Read the captions of my video", effect: .read,
        "Reads the captions of one of the person's own videos on YouTube, by their account.", trust: .untrusted,
        utterances: [
            "[show|read|get] [me] [the] captions (of|for) my video {video}",
            "[the] captions (of|for) my [own] video {video}",
        ], actsOn: Video.entity, timeoutMilliseconds: 30_000)

    @Argument("Which video: #id as shown, its address, or words of its title") var video: VideoReference
    @Argument("In which language, such as en", planned: false, schema: ["maxLength": 20]) var language: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<ShowTranscript.Said> {
        let finder = VideoFinder(context)
        let (id, title) = try await finder.find(video)
        let tracks = try await finder.client.captions(of: id)
        let wanted = (language ?? context.clock.language).lowercased().prefix { $0 != "-" }
        let best =
            tracks.first { $0.language.lowercased().hasPrefix(wanted) && !$0.isAutomatic }
            ?? tracks.first { !$0.isAutomatic } ?? tracks.first
        guard let best else { throw ToolError.notFound("That video has no captions.", code: "no_captions") }
        let transcript = try await finder.client.download(best)
        let text = transcript.passages().map { "[\(VideoLength.clock($0.second))] \($0.text)" }.joined(separator: "\n")
        let value = ShowTranscript.Said(
            video: id.description, title: title, language: transcript.language, automatic: transcript.isAutomatic,
            languages: Array(Set(tracks.map(\.language))).sorted(), text: String(text.prefix(ShowTranscript.limit)),
            complete: text.count <= ShowTranscript.limit)
        return Reply(
            MessageText.wrapped("\(title?.cut(to: 60) ?? "Your video"): " + transcript.text) + "\n" + id.address,
            value: value,
            shown: Shown(
                [Shown.Item(type: Video.entity, id: id.description, label: (title ?? "video").cut(to: 100))],
                numbered: false), trust: .untrusted)
    }
}
