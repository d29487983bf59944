import TandemSDK

/// Rich text both ways. Limits: https://developers.notion.com/reference/request-limits.
enum RichText {
    /// Of one item, in UTF-16 units, which is what Notion counts.
    static let itemLimit = 2000
    static let itemsLimit = 100

    /// What it says, without its looks.
    static func plain(_ items: JSON?) -> String {
        (items?.arrayValue ?? []).reduce(into: "") { text, item in
            if let plain = item["plain_text"]?.stringValue {
                text += plain
            } else if let content = item["text"]?["content"]?.stringValue {
                text += content
            }
        }
    }

    /// The same with the addresses of links that the text does not show.
    static func withLinks(_ items: JSON?) -> String {
        (items?.arrayValue ?? []).reduce(into: "") { text, item in
            let plain = item["plain_text"]?.stringValue ?? item["text"]?["content"]?.stringValue ?? ""
            text += plain
            if let address = item["href"]?.stringValue, address.hasPrefix("http"), !plain.contains(address) {
                text += " (\(address))"
            }
        }
    }

    /// A text as items that each keep the limit, with web addresses as links.
    static func items(_ text: String) -> [JSON] {
        var items: [JSON] = []
        for (piece, isLink) in pieces(text) {
            for part in parts(piece) {
                var value: JSONObject = ["content": .string(part)]
                if isLink, part.utf16.count == piece.utf16.count { value["link"] = ["url": .string(part)] }
                items.append(["type": "text", "text": .object(value)])
            }
        }
        return items
    }

    /// A text in pieces of at most `itemLimit`, broken between characters, after a space where one is near.
    static func parts(_ text: some StringProtocol, limit: Int = itemLimit) -> [String] {
        guard text.utf16.count > limit else { return text.isEmpty ? [] : [String(text)] }
        var parts: [String] = []
        var start = text.startIndex
        while start < text.endIndex {
            var end = start
            var length = 0
            var space: String.Index?
            while end < text.endIndex {
                let size = text[end].utf16.count
                // One character beyond any limit is cut within.
                if length + size > limit {
                    if length == 0 {
                        parts += scalars(text[end], limit)
                        start = text.index(after: end)
                        end = start
                        continue
                    }
                    break
                }
                length += size
                let next = text.index(after: end)
                if text[end].isWhitespace { space = next }
                end = next
            }
            if end < text.endIndex, let near = space,
                text.utf16.distance(from: start, to: near) > limit * 3 / 4
            {
                end = near
            }
            if start < end { parts.append(String(text[start..<end])) }
            start = end
        }
        return parts
    }

    private static func scalars(_ character: Character, _ limit: Int) -> [String] {
        var parts: [String] = []
        var part = String.UnicodeScalarView()
        var length = 0
        for scalar in character.unicodeScalars {
            let size = scalar.value > 0xFFFF ? 2 : 1
            if length + size > limit {
                parts.append(String(part))
                part = String.UnicodeScalarView()
                length = 0
            }
            part.append(scalar)
            length += size
        }
        if length > 0 { parts.append(String(part)) }
        return parts
    }

    /// The text cut at its web addresses.
    private static func pieces(_ text: String) -> [(text: Substring, isLink: Bool)] {
        var pieces: [(text: Substring, isLink: Bool)] = []
        var rest = text[...]
        while let found = rest.firstRange(of: "https://") ?? rest.firstRange(of: "http://") {
            var end = rest[found.lowerBound...].firstIndex { $0.isWhitespace || "<>\"|".contains($0) } ?? rest.endIndex
            while end > found.upperBound, ".,;:!?)]'".contains(rest[rest.index(before: end)]) {
                end = rest.index(before: end)
            }
            if found.lowerBound > rest.startIndex { pieces.append((rest[..<found.lowerBound], false)) }
            pieces.append((rest[found.lowerBound..<end], end > found.upperBound))
            rest = rest[end...]
        }
        if !rest.isEmpty { pieces.append((rest, false)) }
        return pieces
    }
}
