import PluginCommon

/// What a page of the web says, without what surrounds it: its title and the text of its main part.
///
/// By blocks: text counts where it stands in sentences and is not mostly links; `<article>` and `<main>` go before the rest of
/// the page when they hold enough. No tree, no scripts; linear in the text, and no text fails.
struct ReadableText: Sendable, Hashable {
    var title = ""
    /// Paragraphs, headings (`# `), items (`- `), each a line.
    var lines: [String] = []

    var text: String { lines.joined(separator: "\n") }

    /// Enough for any article.
    static let limit = 60_000

    private struct Block {
        var text = ""
        var linked = 0
        var mark = ""
        var isMain = false
        var isArticle = false

        /// Whether it is something to read: long, or a heading; not mostly links.
        var isProse: Bool {
            let count = text.utf8.count
            guard count > 0, linked * 2 < count else { return false }
            return mark == "# " || count >= 60 || (count >= 20 && (text.contains(". ") || text.hasSuffix(".")))
        }
    }

    private static let skipped: Set<String> = [
        "script", "style", "noscript", "template", "svg", "nav", "footer", "aside", "form", "button", "select",
        "iframe",
        "object", "canvas", "video", "audio", "dialog", "figcaption", "menu",
    ]
    private static let blocks: Set<String> = [
        "p", "div", "section", "article", "main", "header", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul", "ol", "dl",
        "dt", "dd", "table", "tr", "td", "th", "blockquote", "pre", "br", "hr", "figure", "body", "address", "details",
        "summary",
    ]
    /// Elements without an end tag.
    private static let empty: Set<String> = [
        "br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr",
    ]
    private static let surroundings = [
        "cookie", "consent", "newsletter", "subscribe", "sidebar", "breadcrumb", "comment", "related", "share",
        "social",
        "advert", "promo", "popup", "modal",
    ]

    init(_ body: [UInt8]) {
        var reader = Reader()
        for token in Markup(body) {
            reader.read(token)
            if reader.bytes > ReadableText.limit * 4 { break }
        }
        reader.end()
        title = (reader.heading.isEmpty ? reader.title : reader.heading).singleLine(limit: 200)
        func prose(_ isWanted: (Block) -> Bool) -> [Block] { reader.found.filter { isWanted($0) && $0.isProse } }
        let whole = prose { _ in true }
        let size = whole.reduce(0) { $0 + $1.text.utf8.count }
        var chosen = whole
        for part in [prose(\.isArticle), prose(\.isMain)] where part.reduce(0, { $0 + $1.text.utf8.count }) * 3 >= size
        {
            chosen = part
            break
        }
        var bytes = 0
        for block in chosen where block.text != title {
            bytes += block.text.utf8.count
            guard bytes <= ReadableText.limit else { break }
            lines.append(block.mark + block.text)
        }
        // A heading under which nothing stands says nothing.
        while lines.last?.hasPrefix("# ") == true { lines.removeLast() }
    }

    private struct Reader {
        var found: [Block] = []
        var title = ""
        /// `og:title`.
        var heading = ""
        var bytes = 0
        private var block = Block()
        private var isTitle = false
        private var links = 0
        private var mains = 0
        private var articles = 0
        /// Open elements that are left out, innermost last, with how many of the same name are open within.
        private var skipping: (name: String, depth: Int)?

        mutating func read(_ token: Markup.Token) {
            switch token {
            case .text(let text):
                bytes += text.utf8.count
                if isTitle { title += text }
                guard skipping == nil, !isTitle else { return }
                block.text += text
                if links > 0 { block.linked += text.utf8.count }
            case .open(let name, let attributes): open(name, attributes)
            case .close(let name): close(name)
            }
        }

        private mutating func open(_ name: String, _ attributes: [String: String]) {
            if let (skipped, depth) = skipping {
                if name == skipped { skipping = (skipped, depth + 1) }
                return
            }
            if name == "title", title.isEmpty { isTitle = true }
            if name == "meta", attributes["property"] == "og:title" { heading = attributes["content"] ?? "" }
            if ReadableText.skipped.contains(name) || isHidden(name, attributes) {
                end()
                if !ReadableText.empty.contains(name) { skipping = (name, 1) }
                return
            }
            if name == "a" { links += 1 }
            guard ReadableText.blocks.contains(name) else { return }
            end()
            switch name {
            case "main": mains += 1
            case "article": articles += 1
            case "h1", "h2", "h3", "h4", "h5", "h6": block.mark = "# "
            case "li": block.mark = "- "
            case "blockquote": block.mark = "> "
            default: break
            }
            block.isMain = mains > 0
            block.isArticle = articles > 0
        }

        private func isHidden(_ name: String, _ attributes: [String: String]) -> Bool {
            if attributes["hidden"] != nil || attributes["aria-hidden"] == "true" { return true }
            if let style = attributes["style"]?.lowercased().filter({ $0 != " " }),
                style.contains("display:none") || style.contains("visibility:hidden") || style.contains("font-size:0")
            {
                return true
            }
            if ["navigation", "banner", "contentinfo", "complementary", "search", "dialog"].contains(attributes["role"])
            {
                return true
            }
            guard ["div", "section", "ul"].contains(name) else { return false }
            let names = ((attributes["class"] ?? "") + " " + (attributes["id"] ?? "")).lowercased()
            return ReadableText.surroundings.contains { names.contains($0) }
        }

        private mutating func close(_ name: String) {
            if let (skipped, depth) = skipping {
                guard name == skipped else { return }
                skipping = depth > 1 ? (skipped, depth - 1) : nil
                return
            }
            if name == "title" { isTitle = false }
            if name == "a" { links = max(0, links - 1) }
            guard ReadableText.blocks.contains(name) else { return }
            end()
            if name == "main" { mains = max(0, mains - 1) }
            if name == "article" { articles = max(0, articles - 1) }
            block.isMain = mains > 0
            block.isArticle = articles > 0
        }

        mutating func end() {
            let linked = block.linked
            block.text = block.text.singleLine(limit: 4000)
            if !block.text.isEmpty {
                block.linked = min(linked, block.text.utf8.count)
                found.append(block)
            }
            block = Block()
            block.isMain = mains > 0
            block.isArticle = articles > 0
        }
    }
}

/// The text of an answer in the character set that it has: by the header, else by the page, else UTF-8.
enum PageText {
    /// UTF-8 of a page, or nil for a character set that is not read here.
    static func utf8(_ body: [UInt8], contentType: String) -> [UInt8]? {
        if body.starts(with: [0xEF, 0xBB, 0xBF]) { return Array(body.dropFirst(3)) }
        if body.starts(with: [0xFF, 0xFE]) || body.starts(with: [0xFE, 0xFF]) { return utf16(body) }
        var name = charset(in: contentType.lowercased())
        if name == nil {
            name = charset(in: String(decoding: body.prefix(2048), as: UTF8.self).lowercased())
        }
        switch name ?? "utf-8" {
        case "utf-8", "utf8", "us-ascii", "ascii": return body
        // Browsers read Latin 1 as its superset of Windows (WHATWG Encoding).
        case "iso-8859-1", "latin1", "windows-1252", "cp1252", "iso-8859-15": return windows(body)
        default: return String(validating: body, as: UTF8.self) == nil ? nil : body
        }
    }

    private static func charset(in text: String) -> String? {
        guard let mark = text.firstRange(of: "charset=") else { return nil }
        let rest = text[mark.upperBound...].drop { $0 == "\"" || $0 == "'" || $0 == " " }
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        return name.isEmpty ? nil : String(name)
    }

    private static func utf16(_ body: [UInt8]) -> [UInt8] {
        let isLittle = body[0] == 0xFF
        var units: [UInt16] = []
        units.reserveCapacity(body.count / 2)
        for place in stride(from: 2, to: body.count - 1, by: 2) {
            let (first, second) = (UInt16(body[place]), UInt16(body[place + 1]))
            units.append(isLittle ? first | second << 8 : first << 8 | second)
        }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    /// 0x80 to 0x9F of Windows 1252; 0 where it has nothing.
    private static let special: [UInt32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]

    private static func windows(_ body: [UInt8]) -> [UInt8] {
        var text = String.UnicodeScalarView()
        for byte in body {
            let value = (0x80...0x9F).contains(byte) ? special[Int(byte) - 0x80] : UInt32(byte)
            text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
        }
        return Array(String(text).utf8)
    }
}
