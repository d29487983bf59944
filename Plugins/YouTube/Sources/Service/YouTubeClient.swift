import PluginCommon
import TandemSDK

/// Asks the YouTube Data API v3: with a key where somebody entered one, otherwise by the person's account.
struct YouTubeClient {
    static let grant = "account"
    private static let base = "https://www.googleapis.com/youtube/v3/"

    let context: Context

    init(_ context: Context) { self.context = context }

    // MARK: Requests

    /// - Parameter isOwn: what only the person's account may see.
    private func get(_ path: String, _ query: [(String, String)], isOwn: Bool = false) async throws -> HTTPResponse {
        let key = isOwn ? nil : try await context.secrets.find("api_key")
        let answer = try await context.http.send(
            HTTPRequest(
                .get, HTTPRequest.url(Self.base + path, query: query + (key.map { [("key", $0.text)] } ?? [])),
                headers: [HTTPField("Accept", "application/json")], grant: key == nil ? Self.grant : nil,
                followsRedirects: false))
        guard answer.isSuccess else { throw YouTubeFailure.error(answer, context) }
        return answer
    }

    private func items(_ path: String, _ query: [(String, String)], isOwn: Bool = false) async throws -> JSON {
        let body = try await get(path, query, isOwn: isOwn).body
        guard let json = try? JSON(parsing: body), json.objectValue != nil else { throw YouTubeFailure.unreadable }
        return json
    }

    // MARK: Search

    struct Search: Sendable, Hashable {
        var words: String
        var after: Day?
        var length: VideoDuration?
        var isNewestFirst = false

        /// What is kept under it, for a few hours.
        func key(_ safe: YouTube.SafeSearch) -> String {
            let text =
                "\(words.lowercased())|\(after?.description ?? "")|\(length?.rawValue ?? "")|\(isNewestFirst)|\(safe)"
            var hash: UInt64 = 14_695_981_039_346_656_037
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
            return "search:" + String(hash, radix: 16)
        }
    }

    /// What YouTube finds. One of the hundred searches that YouTube allows a day, unless it was asked lately.
    func search(_ search: Search) async throws -> [Video] {
        let safe = context.config(YouTube.Settings.self).safeSearch
        let key = search.key(safe)
        if let kept = try? await context.keyValues.get(key, as: [Video].self) {
            context.metrics.add(YouTube.searches, labels: "kept")
            return kept.value
        }
        try await SearchBudget(context).spend()
        var query = [
            ("part", "snippet"), ("q", search.words), ("type", "video"), ("maxResults", "10"),
            ("order", search.isNewestFirst ? "date" : "relevance"), ("safeSearch", safe.rawValue),
        ]
        if let length = search.length { query.append(("videoDuration", length.rawValue)) }
        if let after = search.after { query.append(("publishedAfter", "\(after)T00:00:00Z")) }
        let json: JSON
        do {
            json = try await items("search", query)
        } catch let error as ToolError where error.code == YouTubeFailure.quota {
            await SearchBudget(context).exhausted()
            context.metrics.add(YouTube.searches, labels: "refused")
            throw error
        }
        context.metrics.add(YouTube.searches, labels: "asked")
        let found = (json["items"]?.arrayValue ?? []).compactMap { Video(found: $0) }
        // How long each is costs one of ten thousand units; without it the results are good all the same.
        var videos = found
        if !found.isEmpty, let known = try? await self.videos(found.map(\.id)) {
            let byID = Dictionary(known.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            videos = found.map { byID[$0.id] ?? $0 }
        }
        _ = try? await context.keyValues.set(key, to: videos, expiresIn: .seconds(6 * 3600))
        return videos
    }

    // MARK: Videos and playlists

    func videos(_ ids: [String]) async throws -> [Video] {
        let json = try await items(
            "videos", [("part", "snippet,contentDetails,statistics"), ("id", ids.prefix(50).joined(separator: ","))])
        return (json["items"]?.arrayValue ?? []).compactMap { Video($0) }
    }

    /// An id that YouTube does not know is answered with 200 and nothing in it.
    func video(_ id: VideoID) async throws -> Video {
        let key = "video:\(id)"
        if let kept = try? await context.keyValues.get(key, as: Video.self) { return kept.value }
        guard let video = try await videos([id.description]).first else { throw YouTubeFailure.noVideo }
        _ = try? await context.keyValues.set(key, to: video, expiresIn: .seconds(6 * 3600))
        return video
    }

    struct Playlist: Sendable, Hashable {
        var id: PlaylistID
        var title: String
        var count: Int?
    }

    /// The person's own.
    func playlists() async throws -> [Playlist] {
        let json = try await items(
            "playlists", [("part", "snippet,contentDetails"), ("mine", "true"), ("maxResults", "50")], isOwn: true)
        return (json["items"]?.arrayValue ?? []).compactMap { item in
            guard let id = PlaylistID(item["id"]?.stringValue ?? "") else { return nil }
            return Playlist(
                id: id,
                title: (item["snippet"]?["title"]?.stringValue ?? "").singleLine(limit: 100).nonEmpty ?? "Untitled",
                count: item["contentDetails"]?["itemCount"]?.int64Value.map { Int($0) })
        }
    }

    /// At most `limit` videos, page after page; deleted and private ones are left out.
    ///
    /// - Parameter isOwn: among the person's, which may be private.
    func videos(of playlist: PlaylistID, isOwn: Bool, limit: Int) async throws -> (videos: [Video], hasMore: Bool) {
        var videos: [Video] = []
        var token: String?
        repeat {
            var query = [
                ("part", "snippet,contentDetails"), ("playlistId", playlist.description), ("maxResults", "50"),
            ]
            if let token { query.append(("pageToken", token)) }
            let json = try await items("playlistItems", query, isOwn: isOwn)
            videos += (json["items"]?.arrayValue ?? []).compactMap { Video(listed: $0) }
            let next = json["nextPageToken"]?.stringValue
            token = next == token ? nil : next
        } while token != nil && videos.count < limit
        return (Array(videos.prefix(limit)), token != nil || videos.count > limit)
    }

    // MARK: Captions of the person's own videos

    struct Track: Sendable, Hashable {
        var id: String
        var language: String
        var isAutomatic: Bool
    }

    func captions(of id: VideoID) async throws -> [Track] {
        let json = try await items("captions", [("part", "snippet"), ("videoId", id.description)], isOwn: true)
        return (json["items"]?.arrayValue ?? []).compactMap { item in
            guard let track = item["id"]?.stringValue, item["snippet"]?["isDraft"] != true else { return nil }
            return Track(
                id: track, language: item["snippet"]?["language"]?.stringValue ?? "",
                // `ASR` in the specification, `asr` on the wire.
                isAutomatic: item["snippet"]?["trackKind"]?.stringValue?.lowercased() == "asr")
        }
    }

    func download(_ track: Track) async throws -> Transcript {
        let answer = try await get(
            "captions/" + HTTPRequest.percentEncoded(track.id), [("tfmt", "srt")], isOwn: true)
        guard
            let transcript = Transcript(srt: answer.text, language: track.language, isAutomatic: track.isAutomatic)
        else { throw YouTubeFailure.unreadable }
        return transcript
    }
}
