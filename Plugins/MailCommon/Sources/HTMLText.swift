/// The text of an HTML mail, as somebody who looks at it would read it: blocks on lines of their own, list items marked,
/// links with where they lead, and nothing that is not shown.
///
/// Text that is hidden by its style or its size is left out: it is no part of what the sender shows, only of what they
/// would have programs read. No tree is built; linear in the text, and no text fails.
public enum HTMLText {
    public static func text(_ html: String) -> String {
        var reader = Reader(bytes: Array(html.utf8))
        return reader.read()
    }

    private static let blocks: Set<String> = [
        "p", "div", "br", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre",
        "hr",
        "section", "article", "header", "footer", "center", "dl", "dt", "dd", "address", "form",
    ]
    private static let empty: Set<String> = [
        "br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr",
    ]
    private static let skipped: Set<String> = [
        "script", "style", "head", "title", "template", "noscript", "object", "svg", "iframe", "select", "button",
    ]

    private struct Reader {
        let bytes: [UInt8]
        var index = 0
        var output = ""
        /// Open elements that hide what is in them, by name; the first is the outermost.
        var hidden: [String] = []
        /// Elements open within it.
        var depth = 0
        var quotes = 0
        var link: (address: String, start: Int)?

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func read() -> String {
            while index < bytes.count {
                if bytes[index] == UInt8(ascii: "<") {
                    tag()
                } else {
                    text()
                }
            }
            return HTMLText.tidy(output)
        }

        private mutating func text() {
            let start = index
            while index < bytes.count, bytes[index] != UInt8(ascii: "<") { index += 1 }
            guard hidden.isEmpty else { return }
            append(HTMLText.resolved(bytes[start..<index]))
        }

        private mutating func append(_ text: String) {
            var space = output.unicodeScalars.last.map { $0.value == 0x20 || $0.value == 0x0A } ?? true
            for scalar in text.unicodeScalars {
                // Soft hyphens and zero-width marks pad the previews of newsletters.
                if scalar.value == 0xAD || scalar.value == 0x34F || (0x200B...0x200F).contains(scalar.value)
                    || scalar.value == 0xFEFF || scalar.value == 0x2060
                {
                    continue
                }
                if scalar.properties.isWhitespace {
                    if !space { output.unicodeScalars.append(" ") }
                    space = true
                } else {
                    if output.unicodeScalars.last?.value == 0x0A || output.isEmpty {
                        for _ in 0..<quotes { output += "> " }
                    }
                    output.unicodeScalars.append(scalar)
                    space = false
                }
            }
        }

        private mutating func line() {
            while output.unicodeScalars.last == " " { output.unicodeScalars.removeLast() }
            if !output.isEmpty, output.unicodeScalars.last != "\n" { output.unicodeScalars.append("\n") }
        }

        private mutating func tag() {
            if starts(with: "<!--") {
                skip(past: "-->")
                return
            }
            var place = index + 1
            guard place < bytes.count else {
                index += 1
                return
            }
            if bytes[place] == UInt8(ascii: "!") || bytes[place] == UInt8(ascii: "?") {
                skip(past: ">")
                return
            }
            let isClosing = bytes[place] == UInt8(ascii: "/")
            if isClosing { place += 1 }
            guard place < bytes.count, (bytes[place] | 0x20) &- 97 < 26 else {
                if hidden.isEmpty { append("<") }
                index += 1
                return
            }
            let start = place
            while place < bytes.count, !HTMLText.isSpace(bytes[place]), bytes[place] != UInt8(ascii: ">"),
                bytes[place] != UInt8(ascii: "/")
            {
                place += 1
            }
            let name = String(decoding: bytes[start..<place], as: UTF8.self).lowercased()
            var attributes: [String: String] = [:]
            var isSelfClosing = false
            while place < bytes.count, bytes[place] != UInt8(ascii: ">") {
                if HTMLText.isSpace(bytes[place]) || bytes[place] == UInt8(ascii: "/") {
                    isSelfClosing = bytes[place] == UInt8(ascii: "/")
                    place += 1
                    continue
                }
                isSelfClosing = false
                let (key, value, end) = attribute(from: place)
                if attributes.count < 32, attributes[key] == nil { attributes[key] = value }
                place = max(end, place + 1)
            }
            index = min(place + 1, bytes.count)
            if isClosing {
                close(name)
            } else if isSelfClosing || HTMLText.empty.contains(name) {
                single(name, attributes)
            } else {
                open(name, attributes)
            }
        }

        private mutating func single(_ name: String, _ attributes: [String: String]) {
            guard hidden.isEmpty else { return }
            if HTMLText.blocks.contains(name) { line() }
            if name == "br", output.unicodeScalars.last == "\n" { output.unicodeScalars.append("\n") }
            if name == "img", !HTMLText.isHidden(attributes), let alternative = attributes["alt"], !alternative.isEmpty
            {
                append(" " + alternative + " ")
            }
        }

        private mutating func open(_ name: String, _ attributes: [String: String]) {
            if let outer = hidden.first {
                if outer == name { depth += 1 }
                return
            }
            if HTMLText.skipped.contains(name) || HTMLText.isHidden(attributes) {
                hidden = [name]
                depth = 1
                if name == "script" || name == "style" || name == "title" { skipRaw(name) }
                return
            }
            let classes = attributes["class"] ?? ""
            if HTMLText.blocks.contains(name) { line() }
            switch name {
            case "blockquote": quotes += 1
            case "div" where classes.contains("gmail_quote") && !classes.contains("container"): line()
            case "li": append("- ")
            case "td", "th": append(" ")
            case "a":
                let address = attributes["href"] ?? ""
                if address.hasPrefix("http://") || address.hasPrefix("https://") {
                    link = (address, output.utf8.count)
                }
            default: break
            }
        }

        private mutating func close(_ name: String) {
            if let outer = hidden.first {
                guard outer == name else { return }
                depth -= 1
                if depth <= 0 { hidden = [] }
                return
            }
            switch name {
            case "blockquote":
                line()
                quotes = max(0, quotes - 1)
            case "a":
                guard let (address, start) = link else { return }
                link = nil
                let shown = String(
                    decoding: Array(output.utf8).suffix(max(0, output.utf8.count - start)), as: UTF8.self)
                // Where it leads is said where the words do not say it.
                if let host = HTMLText.host(of: address), !shown.lowercased().contains(host), !shown.isEmpty {
                    append(" (\(host))")
                }
            case "p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol":
                line()
                output.unicodeScalars.append("\n")
            default: if HTMLText.blocks.contains(name) { line() }
            }
        }

        private func starts(with text: String) -> Bool {
            let wanted = text.utf8
            return index + wanted.count <= bytes.count && bytes[index..<(index + wanted.count)].elementsEqual(wanted)
        }

        private mutating func skip(past end: String) {
            while index < bytes.count {
                if starts(with: end) {
                    index += end.utf8.count
                    return
                }
                index += 1
            }
        }

        private mutating func skipRaw(_ name: String) {
            let wanted = Array("</\(name)".utf8)
            while index < bytes.count {
                if bytes[index] == UInt8(ascii: "<"), index + wanted.count <= bytes.count,
                    zip(bytes[index..<(index + wanted.count)], wanted).allSatisfy({ ($0 | 0x20) == ($1 | 0x20) })
                {
                    return
                }
                index += 1
            }
        }

        private func attribute(from start: Int) -> (key: String, value: String, end: Int) {
            var place = start
            while place < bytes.count, !HTMLText.isSpace(bytes[place]), bytes[place] != UInt8(ascii: "="),
                bytes[place] != UInt8(ascii: ">"), bytes[place] != UInt8(ascii: "/") || place == start
            {
                place += 1
            }
            let key = String(decoding: bytes[start..<place], as: UTF8.self).lowercased()
            while place < bytes.count, HTMLText.isSpace(bytes[place]) { place += 1 }
            guard place < bytes.count, bytes[place] == UInt8(ascii: "=") else { return (key, "", place) }
            place += 1
            while place < bytes.count, HTMLText.isSpace(bytes[place]) { place += 1 }
            guard place < bytes.count else { return (key, "", place) }
            let quote = bytes[place]
            if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
                let from = place + 1
                place = from
                while place < bytes.count, bytes[place] != quote { place += 1 }
                return (key, HTMLText.resolved(bytes[from..<place]), min(place + 1, bytes.count))
            }
            let from = place
            while place < bytes.count, !HTMLText.isSpace(bytes[place]), bytes[place] != UInt8(ascii: ">") { place += 1 }
            return (key, HTMLText.resolved(bytes[from..<place]), place)
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte &- 9 < 5 }

    private static func isHidden(_ attributes: [String: String]) -> Bool {
        if attributes["hidden"] != nil || attributes["aria-hidden"] == "true" { return true }
        guard let style = attributes["style"]?.lowercased().filter({ !$0.isWhitespace }) else { return false }
        for declaration in style.split(separator: ";") {
            let parts = declaration.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].prefix { $0 != "!" }
            switch parts[0] {
            case "display": if value == "none" { return true }
            case "visibility": if value == "hidden" || value == "collapse" { return true }
            case "opacity", "font-size", "max-height", "max-width", "line-height":
                let digits = value.prefix { $0.isNumber || $0 == "." }
                if let number = Double(digits), number < (parts[0] == "font-size" ? 3 : 0.01),
                    !(parts[0] == "font-size" && (value.hasSuffix("em") || value.hasSuffix("%")) && number > 0),
                    parts[0] != "line-height" || style.contains("font-size:0")
                {
                    return true
                }
            case "mso-hide": if value == "all" { return true }
            default: break
            }
        }
        return false
    }

    private static func host(of address: String) -> String? {
        guard let slashes = address.firstRange(of: "://") else { return nil }
        let authority = address[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = (authority.split(separator: "@").last ?? "").prefix { $0 != ":" }.lowercased()
        guard !host.isEmpty, host.utf8.count <= 100, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return nil
        }
        return host.hasPrefix("www.") ? String(host.dropFirst(4)) : host
    }

    /// No space at the ends of lines, no more than one empty line.
    static func tidy(_ text: String) -> String {
        var lines: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var trimmed = line
            while trimmed.last == " " || trimmed.last == "\r" || trimmed.last == "\t" { trimmed = trimmed.dropLast() }
            if trimmed.isEmpty, lines.last?.isEmpty ?? true { continue }
            lines.append(trimmed)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    private static let references: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "ensp": " ", "emsp": " ",
        "thinsp": " ", "zwnj": "", "zwj": "", "shy": "", "ndash": "\u{2013}", "mdash": "\u{2014}",
        "lsquo": "\u{2018}", "rsquo": "\u{2019}", "sbquo": "\u{201A}", "ldquo": "\u{201C}", "rdquo": "\u{201D}",
        "bdquo": "\u{201E}", "laquo": "\u{AB}", "raquo": "\u{BB}", "hellip": "\u{2026}", "bull": "\u{2022}",
        "middot": "\u{B7}", "euro": "\u{20AC}", "pound": "\u{A3}", "yen": "\u{A5}", "cent": "\u{A2}", "sect": "\u{A7}",
        "copy": "\u{A9}", "reg": "\u{AE}", "trade": "\u{2122}", "deg": "\u{B0}", "plusmn": "\u{B1}", "times": "\u{D7}",
        "frac12": "\u{BD}", "auml": "\u{E4}", "ouml": "\u{F6}", "uuml": "\u{FC}", "Auml": "\u{C4}", "Ouml": "\u{D6}",
        "Uuml": "\u{DC}", "szlig": "\u{DF}", "agrave": "\u{E0}", "aacute": "\u{E1}", "acirc": "\u{E2}",
        "atilde": "\u{E3}", "aring": "\u{E5}", "aelig": "\u{E6}", "ccedil": "\u{E7}", "egrave": "\u{E8}",
        "eacute": "\u{E9}", "ecirc": "\u{EA}", "euml": "\u{EB}", "igrave": "\u{EC}", "iacute": "\u{ED}",
        "icirc": "\u{EE}", "iuml": "\u{EF}", "ntilde": "\u{F1}", "ograve": "\u{F2}", "oacute": "\u{F3}",
        "ocirc": "\u{F4}", "otilde": "\u{F5}", "oslash": "\u{F8}", "ugrave": "\u{F9}", "uacute": "\u{FA}",
        "ucirc": "\u{FB}", "yacute": "\u{FD}", "yuml": "\u{FF}", "Agrave": "\u{C0}", "Aacute": "\u{C1}",
        "Acirc": "\u{C2}", "Aring": "\u{C5}", "AElig": "\u{C6}", "Ccedil": "\u{C7}", "Egrave": "\u{C8}",
        "Eacute": "\u{C9}", "Ecirc": "\u{CA}", "Ntilde": "\u{D1}", "Oslash": "\u{D8}", "oelig": "\u{153}",
        "OElig": "\u{152}", "iexcl": "\u{A1}", "iquest": "\u{BF}", "rarr": "->", "larr": "<-", "check": "\u{2713}",
    ]

    /// Text with its character references resolved.
    private static func resolved(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var place = bytes.startIndex
        while place < bytes.endIndex {
            guard bytes[place] == UInt8(ascii: "&"),
                let end = bytes[place..<min(place + 34, bytes.endIndex)].firstIndex(of: UInt8(ascii: ";"))
            else {
                output.append(bytes[place])
                place += 1
                continue
            }
            let name = String(decoding: bytes[(place + 1)..<end], as: UTF8.self)
            if let text = reference(name) {
                output += text.utf8
                place = end + 1
            } else {
                output.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func reference(_ name: String) -> String? {
        guard name.hasPrefix("#") else { return references[name] }
        let digits = name.dropFirst()
        let value =
            digits.first == "x" || digits.first == "X" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        guard let value else { return nil }
        // Windows-1252 was meant, as browsers read it (WHATWG HTML, numeric character reference end state).
        if (0x80..<0xA0).contains(value) { return Charset.decode([UInt8(value)], "windows-1252") }
        return Unicode.Scalar(value).map { $0.value == 0 ? "\u{FFFD}" : String($0) } ?? "\u{FFFD}"
    }
}
