import Synchronization
import TandemJSON

/// The way of YouTube's own player, in the form that youtube-transcript-api 1.2.5 reads.
extension YouTubeSimulator {
    func player(_ request: Request) throws -> Response {
        guard request.headers["user-agent"]?.hasPrefix("Mozilla/5.0") == true else {
            throw Refusal(status: 400, reason: "agent", message: "no browser-like User-Agent")
        }
        guard request.headers["authorization"] == nil, request.headers["cookie"] == nil else {
            throw Refusal(status: 400, reason: "token", message: "a token or cookie, where none belongs")
        }
        switch (request.method, request.path) {
        case ("GET", "/watch"):
            guard request["v"] != nil else { throw Refusal(status: 404, reason: "notFound", message: "no video") }
            return html("<!DOCTYPE html><script>ytcfg.set({\"INNERTUBE_API_KEY\":\"\(Self.playerKey)\"});</script>")
        case ("POST", "/youtubei/v1/player"): return try play(request)
        case ("GET", "/api/timedtext"): return try timedText(request)
        default: throw Refusal(status: 404, reason: "notFound", message: request.path)
        }
    }

    private func play(_ request: Request) throws -> Response {
        guard request["key"] == Self.playerKey, request.headers["content-type"]?.hasPrefix("application/json") == true,
            let body = try? JSON(parsing: request.body), let members = body.objectValue,
            Set(members.keys) == ["context", "videoId"],
            let client = body["context"]?["client"]?.objectValue, client["clientName"]?.stringValue != nil,
            client["clientVersion"]?.stringValue != nil,
            client.keys.allSatisfy({ ["clientName", "clientVersion", "hl", "gl"].contains($0) }),
            let id = body["videoId"]?.stringValue, id.utf8.count == 11
        else { throw Refusal(status: 400, reason: "badRequest", message: "the player's request") }
        guard let video = state.withLock(\.videos).first(where: { $0.id == id }) else {
            return json(["playabilityStatus": ["status": "ERROR", "reason": "This video is unavailable"]])
        }
        if let refusal = video.refusal {
            return json([
                "playabilityStatus": ["status": .string(refusal.status), "reason": .string(refusal.reason)]
            ])
        }
        var answer: JSONObject = [
            "playabilityStatus": ["status": "OK", "playableInEmbed": true],
            "videoDetails": [
                "videoId": .string(id), "title": .string(video.title), "lengthSeconds": "300",
                "channelId": "UCsamplechannel00000000", "author": .string(video.channel), "isLiveContent": false,
            ],
        ]
        if !video.captions.isEmpty {
            let tracks = video.captions.map { track -> JSON in
                var address =
                    "https://www.youtube.com/api/timedtext?v=\(id)&signature=SAMPLE&key=yt8&lang=\(track.language)"
                if track.isAutomatic { address += "&kind=asr" }
                if video.needsProof { address += "&exp=xpe" }
                var json: JSONObject = [
                    "baseUrl": .string(address + "&fmt=srv3"), "name": ["runs": [["text": .string(track.language)]]],
                    "languageCode": .string(track.language), "isTranslatable": true,
                ]
                if track.isAutomatic { json["kind"] = "asr" }
                return .object(json)
            }
            answer["captions"] = ["playerCaptionsTracklistRenderer": ["captionTracks": .array(tracks)]]
        }
        return json(.object(answer))
    }

    private func timedText(_ request: Request) throws -> Response {
        guard request["signature"] == "SAMPLE",
            let video = state.withLock(\.videos).first(where: { $0.id == request["v"] }),
            let track = video.captions.first(where: {
                $0.language == request["lang"] && $0.isAutomatic == (request["kind"] == "asr")
            })
        else { throw Refusal(status: 404, reason: "notFound", message: "no such track") }
        // Without a proof the text is empty.
        guard request["exp"] == nil else { return html("") }
        var text = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><transcript>"
        for (start, said) in track.lines {
            text += "<text start=\"\(start)\" dur=\"2\">\(Self.escaped(Self.escaped(said)))</text>"
        }
        return Response(
            status: 200, headers: [("Content-Type", "text/xml; charset=UTF-8")],
            body: Array((text + "</transcript>").utf8))
    }
}
