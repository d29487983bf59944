import PluginCommon
import TandemSDK

/// What is said in a video, by the way that YouTube's player takes: the page, the player's answer, the track.
///
/// Not documented by YouTube; as the client youtube-transcript-api 1.2.5 reads it. Whom YouTube takes for a robot it refuses:
/// then it is left alone for long.
struct TranscriptService {
    let context: Context

    init(_ context: Context) { self.context = context }

    /// A transcript, with what the player tells of the video.
    struct Found: Sendable {
        var transcript: Transcript
        var title: String?
        var channel: String?
        var seconds: Int?
        /// Languages that are there.
        var languages: [String]
    }

    static let blocked = "blocked"
    private static let agent = HTTPField("User-Agent", "Mozilla/5.0 (compatible; Tandem/1.0)")

    /// - Parameter language: wanted first; nil: the setting, then the person's.
    func transcript(of id: VideoID, language: String? = nil) async throws -> Found {
        let wanted = wanted(language)
        let key = "transcript:\(id):\(wanted.first ?? "")"
        if let kept = try? await context.keyValues.get(key, as: JSON.self), let found = Found(kept.value) {
            context.metrics.add(YouTube.transcripts, labels: "kept")
            return found
        }
        let quiet = self.quiet
        if let wait = await quiet.rest() { throw Self.refused(wait) }
        do {
            let found = try await fetch(id, wanted)
            await quiet.end()
            context.metrics.add(YouTube.transcripts, labels: "read")
            // A very long one is not kept: a value has a limit.
            _ = try? await context.keyValues.set(key, to: found.json, expiresIn: .seconds(24 * 3600))
            return found
        } catch let error as ToolError {
            let result = error.code == Self.blocked ? "blocked" : error.code == "no_captions" ? "none" : "failed"
            context.metrics.add(YouTube.transcripts, labels: result)
            throw error
        }
    }

    private func wanted(_ language: String?) -> [String] {
        let setting = context.config(YouTube.Settings.self).language
        var languages: [String] = []
        for name in [language ?? "", setting, context.clock.language, "en"] {
            let plain = name.lowercased()
            guard !plain.isEmpty, plain.utf8.count <= 20 else { continue }
            // `pt-BR`, then `pt`.
            for form in [plain, String(plain.prefix { $0 != "-" && $0 != "_" })] where !languages.contains(form) {
                languages.append(form)
            }
        }
        return languages
    }

    // MARK: The player's way

    private func fetch(_ id: VideoID, _ wanted: [String]) async throws -> Found {
        let page = try await context.http.send(
            HTTPRequest(
                .get, HTTPRequest.url("https://www.youtube.com/watch", query: [("v", id.description), ("hl", "en")]),
                headers: [Self.agent, HTTPField("Accept-Language", "en-US")], maxResponseBytes: 4 << 20))
        try await check(page)
        let html = page.text
        if html.contains("class=\"g-recaptcha\"") { throw await refuse() }
        guard let key = Self.playerKey(in: html) else {
            throw ToolError.rejected(
                "YouTube's page is not as I know it, so I cannot read what is said.", code: "unexpected_answer")
        }
        let player = try await context.http.send(
            HTTPRequest(
                .post, HTTPRequest.url("https://www.youtube.com/youtubei/v1/player", query: [("key", key)]),
                headers: [Self.agent],
                body: .json([
                    "context": ["client": ["clientName": "ANDROID", "clientVersion": "20.10.38"]],
                    "videoId": .string(id.description),
                ]), isIdempotent: true, followsRedirects: false))
        try await check(player)
        guard let answer = try? JSON(parsing: player.body), answer["playabilityStatus"] != nil else {
            throw YouTubeFailure.unreadable
        }
        try await checkPlayability(answer["playabilityStatus"] ?? .null)
        let tracks = (answer["captions"]?["playerCaptionsTracklistRenderer"]?["captionTracks"]?.arrayValue ?? [])
            .compactMap { Track($0) }
        guard let track = Track.best(of: tracks, wanted) else {
            throw ToolError.notFound(
                "Nobody wrote down what is said in this video, and YouTube neither.", code: "no_captions")
        }
        // YouTube wants a proof from the player that only the player can give.
        guard !track.address.contains("&exp=xpe") else {
            throw ToolError.rejected(
                "YouTube shows what is said in this video to its own player only.", code: "player_only")
        }
        let text = try await context.http.send(
            HTTPRequest(.get, track.address, headers: [Self.agent], maxResponseBytes: 4 << 20, followsRedirects: false))
        try await check(text)
        guard
            let transcript = Transcript(xml: text.body, language: track.language, isAutomatic: track.isAutomatic)
        else {
            throw ToolError.rejected("YouTube gave an empty text for what is said.", code: "empty_transcript")
        }
        let details = answer["videoDetails"]
        return Found(
            transcript: transcript, title: details?["title"]?.stringValue, channel: details?["author"]?.stringValue,
            seconds: details?["lengthSeconds"]?.stringValue.flatMap { Int($0) },
            languages: Array(Set(tracks.map(\.language))).sorted())
    }

    /// `"INNERTUBE_API_KEY":"…"` of the page.
    static func playerKey(in html: String) -> String? {
        guard let mark = html.firstRange(of: "\"INNERTUBE_API_KEY\"") else { return nil }
        let rest = html[mark.upperBound...].prefix(200).drop { $0 == ":" || $0 == " " }
        guard rest.first == "\"" else { return nil }
        let key = rest.dropFirst().prefix { $0 != "\"" }
        return !key.isEmpty && VideoID.isPlain(key) ? String(key) : nil
    }

    private func check(_ answer: HTTPResponse) async throws {
        switch answer.status {
        case 200..<300: return
        case 429, 403: throw await refuse()
        case 404, 410: throw YouTubeFailure.noVideo
        case 300..<400:
            // A page of consent, or another that is not the video's.
            throw ToolError.rejected("YouTube does not show the video's page to me.", code: "not_shown")
        default:
            throw ToolError.unavailable("YouTube has a problem. Try again later.", retryAfter: answer.retryAfter)
        }
    }

    /// Reasons as YouTube writes them in English.
    private func checkPlayability(_ playability: JSON) async throws {
        let status = playability["status"]?.stringValue ?? ""
        let reason = (playability["reason"]?.stringValue ?? "").lowercased()
        switch status {
        case "OK": return
        case "LOGIN_REQUIRED" where reason.contains("not a bot"): throw await refuse()
        case "LOGIN_REQUIRED" where reason.contains("inappropriate"), "AGE_VERIFICATION_REQUIRED":
            throw ToolError.rejected(
                "YouTube asks for your age before it shows this video, so I cannot read it.", code: "age_restricted")
        case "LOGIN_REQUIRED":
            throw ToolError.rejected("This video is private.", code: "private_video")
        case "ERROR": throw YouTubeFailure.noVideo
        case "LIVE_STREAM_OFFLINE":
            throw ToolError.rejected("This video has not begun yet.", code: "not_begun")
        default:
            throw ToolError.rejected("YouTube does not play this video here, so I cannot read it.", code: "unplayable")
        }
    }

    /// A quarter of an hour, twice as long each time, six hours at most.
    private var quiet: QuietTime { QuietTime(context, of: "transcripts", first: 900_000, longest: 21_600_000) }

    private func refuse() async -> ToolError { Self.refused(await quiet.begin()) }

    private static func refused(_ milliseconds: Int64) -> ToolError {
        let minutes = max(1, (milliseconds + 59_999) / 60_000)
        let wait = minutes < 120 ? "\(minutes) minutes" : "\(minutes / 60) hours"
        var error = ToolError.rateLimited(
            "YouTube takes me for a robot and does not say what is in its videos. Try again in \(wait).",
            retryAfter: .milliseconds(milliseconds))
        error.code = blocked
        return error
    }

    struct Track: Sendable, Hashable {
        var address: String
        var language: String
        var isAutomatic: Bool

        /// Nil for an address that is not YouTube's own.
        init?(_ json: JSON) {
            guard let address = json["baseUrl"]?.stringValue,
                address.hasPrefix("https://www.youtube.com/api/timedtext?"),
                let language = json["languageCode"]?.stringValue
            else { return nil }
            self.address = address.replacing("&fmt=srv3", with: "")
            self.language = language.lowercased()
            isAutomatic = json["kind"]?.stringValue?.lowercased() == "asr"
        }

        /// What people wrote goes before what a machine wrote; of several languages, the one wanted first, else the first.
        static func best(of tracks: [Track], _ wanted: [String]) -> Track? {
            func fits(_ track: Track, _ language: String) -> Bool {
                track.language == language || track.language.hasPrefix(language + "-")
            }
            for language in wanted {
                if let track = tracks.first(where: { !$0.isAutomatic && fits($0, language) })
                    ?? tracks.first(where: { fits($0, language) })
                {
                    return track
                }
            }
            return tracks.first { !$0.isAutomatic } ?? tracks.first
        }
    }
}

extension TranscriptService.Found {
    fileprivate var json: JSON {
        var object: JSONObject = ["transcript": transcript.json, "languages": languages.json]
        if let title { object["title"] = .string(title) }
        if let channel { object["channel"] = .string(channel) }
        if let seconds { object["seconds"] = .integer(Int64(seconds)) }
        return .object(object)
    }

    fileprivate init?(_ json: JSON) {
        guard let transcript = json["transcript"].flatMap({ Transcript(json: $0) }) else { return nil }
        self.init(
            transcript: transcript, title: json["title"]?.stringValue, channel: json["channel"]?.stringValue,
            seconds: json["seconds"]?.int64Value.map { Int($0) },
            languages: (json["languages"]?.arrayValue ?? []).compactMap(\.stringValue))
    }
}
