import PluginCommon
import TandemSDK

/// Finds the video that a reference means: among those shown lately, or by a search, which costs one of the day's.
struct VideoFinder {
    let client: YouTubeClient
    private var context: Context { client.context }

    private static let recentKey = "recent"

    init(_ context: Context) { client = YouTubeClient(context) }

    /// Enough to say which one it is; what only the API knows may be missing.
    func find(_ reference: VideoReference) async throws -> (id: VideoID, title: String?) {
        switch reference.meaning {
        case .id(let id): return (id, try await recent().first { $0.id == id.description }?.title)
        case .words(let text):
            guard let words = text.singleLine(limit: 200).nonEmpty else {
                throw ToolError.invalid("Which video do you mean? Send its address.")
            }
            let known = try await recent()
            switch NameMatcher(known.map(\.title)).match(words) {
            case .exact(let places), .close(let places):
                if let first = places.first, let id = VideoID(known[first].id) { return (id, known[first].title) }
            case .none: break
            }
            guard let video = try await client.search(.init(words: words)).first, let id = video.videoID else {
                throw ToolError.notFound("YouTube has no video about that.", code: "no_video")
            }
            await remember([video])
            return (id, video.title)
        }
    }

    struct Seen: Object {
        var id: String
        var title: String
    }

    private func recent() async throws -> [Seen] {
        (try? await context.keyValues.get(Self.recentKey, as: [Seen].self))?.value ?? []
    }

    /// The last thirty, for a week; what does not fit is forgotten.
    func remember(_ videos: [Video]) async {
        let new = videos.map { Seen(id: $0.id, title: $0.title) }
        let ids = Set(new.map(\.id))
        _ = try? await context.keyValues.update(
            Self.recentKey, as: [Seen].self, expiresIn: .seconds(7 * 86_400)
        ) { old in Array((new + (old ?? []).filter { !ids.contains($0.id) }).prefix(30)) }
    }
}
