import TandemSDK

/// The id of a video: eleven letters, digits, `-` and `_`.
struct VideoID: Sendable, Hashable, CustomStringConvertible {
    let description: String

    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 11, VideoID.isPlain(text) else { return nil }
        description = String(text)
    }

    /// That of an address: `youtube.com/watch?v=…`, `youtu.be/…`, `/shorts/…`, `/live/…`, `/embed/…`.
    init?(address: String) {
        guard let (host, path, query) = Address.parts(of: address) else { return nil }
        let segments = path.split(separator: "/")
        if host == "youtu.be" {
            guard let first = segments.first, let id = VideoID(first) else { return nil }
            self = id
            return
        }
        guard Address.isYouTube(host) else { return nil }
        if segments == ["watch"], let id = Address.value("v", in: query).flatMap({ VideoID($0) }) {
            self = id
        } else if segments.count >= 2, ["shorts", "live", "embed", "v"].contains(segments[0]),
            let id = VideoID(segments[1])
        {
            self = id
        } else {
            return nil
        }
    }

    static func isPlain(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy { byte in
            byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
    }

    var address: String { "https://youtu.be/\(self)" }

    /// The address of a place in the video.
    func address(atSecond second: Int) -> String { "https://youtu.be/\(self)?t=\(max(0, second))" }
}

/// The id of a playlist.
struct PlaylistID: Sendable, Hashable, CustomStringConvertible {
    let description: String

    init?(_ text: some StringProtocol) {
        guard (2...64).contains(text.utf8.count), VideoID.isPlain(text) else { return nil }
        description = String(text)
    }

    /// The parameter `list` of an address of YouTube's.
    init?(address: String) {
        guard let (host, _, query) = Address.parts(of: address), Address.isYouTube(host) || host == "youtu.be",
            let id = Address.value("list", in: query).flatMap({ PlaylistID($0) })
        else { return nil }
        self = id
    }
}

private enum Address {
    static func parts(of address: String) -> (host: String, path: Substring, query: Substring)? {
        var rest = address[...]
        for scheme in ["https://", "http://"] where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            break
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else { return nil }
        let after = rest.dropFirst(authority.count).prefix { $0 != "#" }
        let path = after.prefix { $0 != "?" }
        var host = authority.lowercased()
        for prefix in ["www.", "m.", "music."] where host.hasPrefix(prefix) { host.removeFirst(prefix.count) }
        return (host, path, after.dropFirst(path.count).dropFirst())
    }

    static func isYouTube(_ host: String) -> Bool { host == "youtube.com" || host == "youtube-nocookie.com" }

    static func value(_ name: String, in query: Substring) -> String? {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0] == name { return HTTPRequest.formDecoded(parts[1]) }
        }
        return nil
    }
}
