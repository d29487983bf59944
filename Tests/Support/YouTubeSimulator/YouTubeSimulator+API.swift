import Synchronization
import TandemJSON

/// The Data API: https://developers.google.com/youtube/v3/docs.
extension YouTubeSimulator {
    private static let parts: [String: Set<String>] = [
        "search": ["snippet", "id"], "videos": ["snippet", "contentDetails", "statistics", "status", "id"],
        "playlists": ["snippet", "contentDetails", "status", "id"],
        "playlistItems": ["snippet", "contentDetails", "status", "id"], "captions": ["snippet", "id"],
    ]
    private static let parameters: [String: Set<String>] = [
        "search": [
            "part", "q", "type", "maxResults", "order", "safeSearch", "pageToken", "publishedAfter", "publishedBefore",
            "videoDuration", "relevanceLanguage", "regionCode", "channelId", "videoCaption",
        ],
        "videos": ["part", "id", "hl", "maxResults", "pageToken"],
        "playlists": ["part", "id", "mine", "channelId", "maxResults", "pageToken"],
        "playlistItems": ["part", "playlistId", "maxResults", "pageToken", "videoId"],
        "captions": ["part", "videoId", "id"], "download": ["tfmt", "tlang"],
    ]

    func api(_ request: Request) throws -> Response {
        guard request.method == "GET" else {
            throw Refusal(status: 405, reason: "httpMethodNotAllowed", message: request.method)
        }
        let pieces = request.path.split(separator: "/").map(String.init)
        guard pieces.count >= 3, pieces[0] == "youtube", pieces[1] == "v3",
            pieces.count == 3 || pieces[2] == "captions",
            pieces.count <= 4, Self.parts[pieces[2]] != nil
        else { throw Refusal(status: 404, reason: "notFound", message: request.path) }
        let resource = pieces[2]
        let method = pieces.count == 4 ? "download" : resource
        let query = request.query.filter { $0.name != "key" }
        guard Set(query.map(\.name)).count == query.count else {
            throw Refusal(status: 400, reason: "badRequest", message: "a parameter stands twice")
        }
        for (name, _) in query where Self.parameters[method]?.contains(name) != true {
            throw Refusal(status: 400, reason: "unexpectedParameter", message: name)
        }
        if let problem = checker?.problem(
            of: method == "download" ? "youtube.captions.download" : "youtube.\(resource).list", query: request.query)
        {
            throw Refusal(status: 400, reason: "badRequest", message: problem)
        }
        if method != "download" {
            guard let part = request["part"], !part.isEmpty else {
                throw Refusal(
                    status: 400, reason: "missingRequiredParameter", message: "No filter selected. Expected: part")
            }
            for name in part.split(separator: ",") where Self.parts[resource]?.contains(String(name)) != true {
                throw Refusal(status: 400, reason: "unknownPart", message: String(name))
            }
        }
        let isCaptions = resource == "captions"
        let token = try authorize(request, needs: isCaptions ? "youtube.force-ssl" : nil)
        try charge(method)
        if method == "download" { return try download(pieces[3]) }
        let body: JSON
        switch resource {
        case "search": body = try search(request)
        case "videos": body = videos(request)
        case "playlists": body = try playlists(request, isSignedIn: token != nil)
        case "playlistItems": body = try items(request, isSignedIn: token != nil)
        default: body = try captions(request)
        }
        if let problem = checker?.problem(of: "youtube.\(resource).list", answer: body) {
            state.withLock { $0.refusals.append("the simulator's own answer: \(problem)") }
        }
        return json(body)
    }

    private func charge(_ method: String) throws {
        let costs = ["captions": 50, "download": 200]
        let isLeft = state.withLock { state in
            if method == "search" {
                state.searches += 1
                return state.searches <= Self.searchesADay
            }
            state.units += costs[method] ?? 1
            return state.units <= Self.unitsADay
        }
        guard isLeft else {
            throw Refusal(status: 403, reason: "quotaExceeded", message: "You have exceeded your quota.")
        }
    }

    private func size(_ request: Request, _ standard: Int) -> Int {
        request["maxResults"].flatMap { Int($0) } ?? standard
    }

    /// A page of a list; its token is where it begins.
    private func page(_ kind: String, _ items: [JSON], _ request: Request, standard: Int = 5) throws -> JSON {
        let start: Int
        if let token = request["pageToken"] {
            guard token.hasPrefix("CAE"), let place = Int(token.dropFirst(3)), place < items.count else {
                throw Refusal(status: 400, reason: "invalidPageToken", message: token)
            }
            start = place
        } else {
            start = 0
        }
        let size = size(request, standard)
        var body: JSONObject = [
            "kind": .string("youtube#\(kind)"), "etag": "sampleEtag",
            "pageInfo": ["totalResults": .integer(Int64(items.count)), "resultsPerPage": .integer(Int64(size))],
            "items": .array(Array(items.dropFirst(start).prefix(size))),
        ]
        if start + size < items.count { body["nextPageToken"] = .string("CAE\(start + size)") }
        return .object(body)
    }

    private func snippet(_ video: Video, isEscaped: Bool) -> JSONObject {
        [
            "publishedAt": "2026-01-02T03:04:05Z", "channelId": "UCsamplechannel00000000",
            "title": .string(isEscaped ? Self.escaped(video.title) : video.title),
            "description": .string(isEscaped ? "Sample" : video.description),
            "thumbnails": ["default": ["url": .string("https://i.ytimg.com/vi/\(video.id)/default.jpg")]],
            "channelTitle": .string(video.channel), "liveBroadcastContent": "none",
        ]
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;").replacing(
            "'", with: "&#39;")
    }

    private func search(_ request: Request) throws -> JSON {
        guard request["type"] == "video" else { throw Refusal(status: 400, reason: "badRequest", message: "type") }
        let words = (request["q"] ?? "").lowercased().split(separator: " ")
        let found = state.withLock(\.videos).filter { video in
            words.allSatisfy { video.title.lowercased().contains($0) || video.description.lowercased().contains($0) }
        }
        return try page(
            "searchListResponse",
            found.map { video in
                [
                    "kind": "youtube#searchResult", "etag": "e",
                    "id": ["kind": "youtube#video", "videoId": .string(video.id)],
                    "snippet": .object(snippet(video, isEscaped: true)),
                ]
            }, request)
    }

    private func videos(_ request: Request) -> JSON {
        let ids = (request["id"] ?? "").split(separator: ",").map(String.init)
        let known = state.withLock(\.videos)
        let items = ids.compactMap { id in known.first { $0.id == id } }.map { video -> JSON in
            var snippet = snippet(video, isEscaped: false)
            snippet["categoryId"] = "28"
            snippet["defaultAudioLanguage"] = "en"
            return [
                "kind": "youtube#video", "etag": "e", "id": .string(video.id), "snippet": .object(snippet),
                "contentDetails": [
                    "duration": .string(video.duration), "dimension": "2d", "definition": "hd",
                    "caption": video.captions.isEmpty ? "false" : "true", "licensedContent": false,
                    "projection": "rectangular",
                ], "statistics": ["viewCount": "12345", "likeCount": "678", "favoriteCount": "0", "commentCount": "9"],
            ]
        }
        return [
            "kind": "youtube#videoListResponse", "etag": "e",
            "pageInfo": ["totalResults": .integer(Int64(items.count)), "resultsPerPage": .integer(Int64(items.count))],
            "items": .array(items),
        ]
    }

    private func playlists(_ request: Request, isSignedIn: Bool) throws -> JSON {
        guard request["mine"] != "true" || isSignedIn else {
            throw Refusal(status: 401, reason: "required", message: "Login Required.")
        }
        let lists = state.withLock(\.playlists).filter { list in
            request["mine"] == "true"
                ? list.isOwn : request["id"]?.split(separator: ",").contains(list.id[...]) ?? false
        }
        return try page(
            "playlistListResponse",
            lists.map { list in
                [
                    "kind": "youtube#playlist", "etag": "e", "id": .string(list.id),
                    "snippet": ["title": .string(list.title), "channelTitle": "Me", "description": ""],
                    "contentDetails": ["itemCount": .integer(Int64(list.videos.count))],
                ]
            }, request)
    }

    private func items(_ request: Request, isSignedIn: Bool) throws -> JSON {
        let (lists, videos) = state.withLock { ($0.playlists, $0.videos) }
        guard let list = lists.first(where: { $0.id == request["playlistId"] }), !list.isOwn || isSignedIn else {
            throw Refusal(status: 404, reason: "playlistNotFound", message: "The playlist cannot be found.")
        }
        return try page(
            "playlistItemListResponse",
            list.videos.enumerated().map { index, id in
                let video = videos.first { $0.id == id }
                var snippet: JSONObject = [
                    "title": .string(video?.title ?? "Deleted video"), "description": "", "channelTitle": "Me",
                    "position": .integer(Int64(index)), "playlistId": .string(list.id),
                    "resourceId": ["kind": "youtube#video", "videoId": .string(id)],
                ]
                var details: JSONObject = ["videoId": .string(id)]
                if let video {
                    snippet["videoOwnerChannelTitle"] = .string(video.channel)
                    details["videoPublishedAt"] = "2026-01-02T03:04:05Z"
                }
                return [
                    "kind": "youtube#playlistItem", "etag": "e", "id": .string("item\(index)"),
                    "snippet": .object(snippet), "contentDetails": .object(details),
                ]
            }, request)
    }

    private func captions(_ request: Request) throws -> JSON {
        guard let video = state.withLock(\.videos).first(where: { $0.id == request["videoId"] }) else {
            throw Refusal(status: 404, reason: "videoNotFound", message: "The video could not be found.")
        }
        guard video.isOwn else {
            throw Refusal(status: 403, reason: "forbidden", message: "The permissions do not suffice.")
        }
        return [
            "kind": "youtube#captionListResponse", "etag": "e",
            "items": .array(
                video.captions.enumerated().map { index, track in
                    [
                        "kind": "youtube#caption", "etag": "e", "id": .string("\(video.id)-\(index)"),
                        "snippet": [
                            "videoId": .string(video.id), "lastUpdated": "2026-01-03T00:00:00Z",
                            "trackKind": track.isAutomatic ? "asr" : "standard", "language": .string(track.language),
                            "name": "", "isDraft": false, "status": "serving",
                        ],
                    ]
                }),
        ]
    }

    private func download(_ id: String) throws -> Response {
        let parts = id.split(separator: "-")
        guard let place = parts.last.flatMap({ Int($0) }),
            let video = state.withLock(\.videos).first(where: { id.hasPrefix($0.id + "-") }),
            video.captions.indices.contains(place)
        else { throw Refusal(status: 404, reason: "captionNotFound", message: id) }
        guard video.isOwn else { throw Refusal(status: 403, reason: "forbidden", message: "not the owner") }
        func clock(_ seconds: Double) -> String {
            let whole = Int(seconds)
            func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            return "\(two(whole / 3600)):\(two(whole / 60 % 60)):\(two(whole % 60)),000"
        }
        var text = ""
        for (index, (start, said)) in video.captions[place].lines.enumerated() {
            text += "\(index + 1)\n\(clock(start)) --> \(clock(start + 2))\n\(said)\n\n"
        }
        return Response(status: 200, headers: [("Content-Type", "application/octet-stream")], body: Array(text.utf8))
    }
}
