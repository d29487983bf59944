import PluginCommon
public import TandemSDK

/// A video, as far as it is known.
public struct Video: Object, Hashable {
    public var id: String
    public var title: String
    public var channel: String
    public var published: Instant?
    /// Absent for what is live, and for results of a search that was not looked at further.
    public var seconds: Int?
    public var views: Int?
    public var likes: Int?
    public var language: String?
    public var live: Bool
    public var description: String?
    public var url: String

    static let entity = "youtube.video"

    /// An item of `videos.list`.
    init?(_ json: JSON) {
        guard let id = json["id"]?.stringValue, let video = Video(id: id, snippet: json["snippet"], isEscaped: false)
        else {
            return nil
        }
        self = video
        let isLive = json["snippet"]?["liveBroadcastContent"]?.stringValue ?? "none"
        let length = json["contentDetails"]?["duration"]?.stringValue.flatMap { VideoLength.seconds($0) }
        seconds = isLive == "none" ? length : nil
        views = Video.count(json["statistics"]?["viewCount"])
        likes = Video.count(json["statistics"]?["likeCount"])
    }

    /// An item of `search.list`, whose titles are escaped for HTML.
    init?(found json: JSON) {
        guard let id = json["id"]?["videoId"]?.stringValue,
            let video = Video(id: id, snippet: json["snippet"], isEscaped: true)
        else { return nil }
        self = video
    }

    /// An item of `playlistItems.list`; nil for one that was deleted or made private.
    init?(listed json: JSON) {
        let snippet = json["snippet"]
        guard let id = snippet?["resourceId"]?["videoId"]?.stringValue,
            snippet?["videoOwnerChannelTitle"] != nil || json["contentDetails"]?["videoPublishedAt"] != nil,
            var video = Video(id: id, snippet: snippet, isEscaped: false)
        else { return nil }
        video.channel = (snippet?["videoOwnerChannelTitle"]?.stringValue ?? video.channel).singleLine(limit: 80)
        self = video
    }

    private init?(id: String, snippet: JSON?, isEscaped: Bool) {
        guard let known = VideoID(id) else { return nil }
        func text(_ name: String, _ limit: Int) -> String {
            let text = snippet?[name]?.stringValue ?? ""
            return (isEscaped ? Markup.resolved(text) : text).singleLine(limit: limit)
        }
        self.id = id
        title = text("title", 200).nonEmpty ?? "Untitled"
        channel = text("channelTitle", 80)
        published = snippet?["publishedAt"]?.stringValue.flatMap { Instant($0) }
        live = snippet?["liveBroadcastContent"] == "live"
        language = (snippet?["defaultAudioLanguage"] ?? snippet?["defaultLanguage"])?.stringValue
        description = snippet?["description"]?.stringValue.flatMap { String($0.prefix(5000)).nonEmpty }
        url = known.address
        seconds = nil
        views = nil
        likes = nil
    }

    /// A video of which only the player told.
    init(_ id: VideoID, title: String, channel: String, seconds: Int?) {
        self.id = id.description
        self.title = title.singleLine(limit: 200).nonEmpty ?? "Untitled"
        self.channel = channel.singleLine(limit: 80)
        self.seconds = seconds
        live = false
        url = id.address
    }

    /// Counts are strings.
    private static func count(_ json: JSON?) -> Int? {
        json?.stringValue.flatMap { Int($0) } ?? json?.int64Value.map { Int($0) }
    }

    var videoID: VideoID? { VideoID(id) }

    /// `Sample Channel, 1:02:03`.
    var detail: String {
        let length = live ? "live" : seconds.map { VideoLength.clock($0) }
        return [channel.cut(to: 25).nonEmpty, length].compactMap { $0 }.joined(separator: ", ")
    }

    var shown: Shown.Item { Shown.Item(type: Self.entity, id: id, label: title.cut(to: 100)) }
}

/// A part of a video, as its description lists them.
public struct Chapter: Object, Hashable {
    public var second: Int
    public var title: String
    public var url: String

    /// Lines of a description that begin or end with a time, as YouTube reads them: at least three, the first at 0:00, each
    /// later than the one before (support.google.com/youtube/answer/9884579).
    static func chapters(of description: String, _ id: VideoID) -> [Chapter] {
        var chapters: [Chapter] = []
        for line in description.split(whereSeparator: \.isNewline) {
            var words = line.split(separator: " ").map { $0.filter { !"()[]".contains($0) } }
            words.removeAll { $0.isEmpty }
            guard let first = words.first, let last = words.last else { continue }
            let second: Int
            if let time = VideoLength.seconds(clock: first) {
                second = time
                words.removeFirst()
            } else if let time = VideoLength.seconds(clock: last) {
                second = time
                words.removeLast()
            } else {
                continue
            }
            let marks: Set<Character> = ["-", ":", "|", "\u{2013}", "\u{2014}", "\u{2022}"]
            let title = words.joined(separator: " ").drop { marks.contains($0) || $0 == " " }.singleLine(limit: 100)
            guard !title.isEmpty, second > (chapters.last?.second ?? -1) else { continue }
            chapters.append(Chapter(second: second, title: title, url: id.address(atSecond: second)))
        }
        return chapters.count >= 3 && chapters[0].second == 0 ? chapters : []
    }
}
