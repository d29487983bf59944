/// A forgiving reader of HTML: tags with their attributes, and text with its character references resolved.
///
/// Enough for pages whose structure is known; no tree, no scripts. Linear in the text, and no text fails.
public struct Markup: Sequence, IteratorProtocol {
    public enum Token: Sendable, Hashable {
        /// Names in lower case; of attributes that stand twice, the first.
        case open(String, [String: String])
        case close(String)
        case text(String)
    }

    private let bytes: [UInt8]
    private var index = 0
    /// Within `script` or `style`: text up to this end tag is skipped.
    private var rawEnd: String?

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public mutating func next() -> Token? {
        while index < bytes.count {
            if let name = rawEnd {
                skipRaw(name)
                continue
            }
            guard bytes[index] == UInt8(ascii: "<") else { return .text(text()) }
            if starts(with: "<!--") {
                skip(past: "-->")
            } else if index + 1 < bytes.count,
                bytes[index + 1] == UInt8(ascii: "!") || bytes[index + 1] == UInt8(ascii: "?")
            {
                skip(past: ">")
            } else if let tag = tag() {
                return tag
            } else {
                // A bare `<`.
                index += 1
                return .text("<")
            }
        }
        return nil
    }

    private func starts(with text: String) -> Bool {
        let wanted = text.utf8
        return index + wanted.count <= bytes.count && bytes[index..<(index + wanted.count)].elementsEqual(wanted)
    }

    private mutating func skip(past end: String) {
        let wanted = Array(end.utf8)
        while index < bytes.count {
            if bytes[index] == wanted[0], starts(with: end) {
                index += wanted.count
                return
            }
            index += 1
        }
    }

    private mutating func skipRaw(_ name: String) {
        rawEnd = nil
        let wanted = Array("</\(name)".utf8)
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "<"), index + wanted.count <= bytes.count,
                zip(bytes[index..<(index + wanted.count)], wanted).allSatisfy({ Markup.lower($0) == $1 })
            {
                return
            }
            index += 1
        }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte &- 9 < 5 }

    private mutating func text() -> String {
        let start = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "<") { index += 1 }
        return Markup.resolved(bytes[start..<index])
    }

    private mutating func tag() -> Token? {
        var place = index + 1
        let isClosing = place < bytes.count && bytes[place] == UInt8(ascii: "/")
        if isClosing { place += 1 }
        guard place < bytes.count, Markup.lower(bytes[place]) &- 97 < 26 else { return nil }
        let start = place
        while place < bytes.count, !Markup.isSpace(bytes[place]), bytes[place] != UInt8(ascii: ">"),
            bytes[place] != UInt8(ascii: "/")
        {
            place += 1
        }
        let name = String(decoding: bytes[start..<place].map(Markup.lower), as: UTF8.self)
        var attributes: [String: String] = [:]
        while place < bytes.count, bytes[place] != UInt8(ascii: ">") {
            if Markup.isSpace(bytes[place]) || bytes[place] == UInt8(ascii: "/") {
                place += 1
                continue
            }
            let (key, value, end) = attribute(from: place)
            if !isClosing, attributes.count < 64, attributes[key] == nil { attributes[key] = value }
            place = Swift.max(end, place + 1)
        }
        index = Swift.min(place + 1, bytes.count)
        if isClosing { return .close(name) }
        if name == "script" || name == "style" { rawEnd = name }
        return .open(name, attributes)
    }

    private func attribute(from start: Int) -> (key: String, value: String, end: Int) {
        var place = start
        while place < bytes.count, !Markup.isSpace(bytes[place]), bytes[place] != UInt8(ascii: "="),
            bytes[place] != UInt8(ascii: ">"), bytes[place] != UInt8(ascii: "/") || place == start
        {
            place += 1
        }
        let key = String(decoding: bytes[start..<place].map(Markup.lower), as: UTF8.self)
        while place < bytes.count, Markup.isSpace(bytes[place]) { place += 1 }
        guard place < bytes.count, bytes[place] == UInt8(ascii: "=") else { return (key, "", place) }
        place += 1
        while place < bytes.count, Markup.isSpace(bytes[place]) { place += 1 }
        guard place < bytes.count else { return (key, "", place) }
        let quote = bytes[place]
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            let begin = place + 1
            place = begin
            while place < bytes.count, bytes[place] != quote { place += 1 }
            return (key, Markup.resolved(bytes[begin..<place]), Swift.min(place + 1, bytes.count))
        }
        let begin = place
        while place < bytes.count, !Markup.isSpace(bytes[place]), bytes[place] != UInt8(ascii: ">") { place += 1 }
        return (key, Markup.resolved(bytes[begin..<place]), place)
    }

    // MARK: Character references

    private static let named: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "ndash": "-", "mdash": "-",
        "hellip": "...", "lsquo": "'", "rsquo": "'", "ldquo": "\"", "rdquo": "\"", "laquo": "\"", "raquo": "\"",
        "middot": "\u{b7}", "bull": "-", "copy": "\u{a9}", "reg": "\u{ae}", "trade": "\u{2122}", "euro": "\u{20ac}",
        "pound": "\u{a3}", "deg": "\u{b0}", "eacute": "\u{e9}", "egrave": "\u{e8}", "agrave": "\u{e0}",
        "ccedil": "\u{e7}", "uuml": "\u{fc}", "ouml": "\u{f6}", "auml": "\u{e4}", "szlig": "\u{df}",
        "ntilde": "\u{f1}",
    ]

    /// Text with `&amp;`, `&#39;` and `&#x27;` resolved; what is no reference stays as it is.
    public static func resolved(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var place = bytes.startIndex
        while place < bytes.endIndex {
            if bytes[place] == UInt8(ascii: "&"),
                let end = bytes[place...].prefix(12).firstIndex(of: UInt8(ascii: ";")),
                let character = character(bytes[(place + 1)..<end])
            {
                result.append(contentsOf: character.utf8)
                place = end + 1
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    public static func resolved(_ text: String) -> String { resolved(Array(text.utf8)[...]) }

    private static func character(_ reference: ArraySlice<UInt8>) -> String? {
        let name = String(decoding: reference, as: UTF8.self)
        guard name.hasPrefix("#") else { return named[name] }
        let digits = name.dropFirst()
        let value =
            digits.first == "x" || digits.first == "X"
            ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
        guard let value, value >= 0x20, let scalar = Unicode.Scalar(value) else { return nil }
        return String(Character(scalar))
    }

    /// The text of a fragment without its tags.
    public static func plain(_ fragment: String) -> String {
        var text = ""
        for case .text(let piece) in Markup(Array(fragment.utf8)) { text += piece }
        return text
    }
}
