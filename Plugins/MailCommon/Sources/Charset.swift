internal import Glibc

/// Text of any character set that mail comes in.
///
/// UTF-8, UTF-16, ASCII, the ISO 8859 and Windows families, KOI8 and IBM 866 are read here; the East Asian sets by the C
/// library, where the process may load its tables. What cannot be read becomes U+FFFD; nothing fails.
public enum Charset {
    /// - Parameter label: as `Content-Type` or an encoded word names it; nil or unknown: UTF-8, else Windows-1252.
    public static func decode(_ bytes: [UInt8], _ label: String?) -> String {
        let key = label.map(Self.key) ?? ""
        // Escape sequences are ASCII, too: they have to be looked at before UTF-8.
        let isStateful = key.hasPrefix("iso-2022") || key == "utf-7" || key == "hz-gb-2312"
        // Services often convert to UTF-8 and leave the label; nothing else is valid UTF-8 by chance.
        if !isStateful, !key.hasPrefix("utf-16"), !key.hasPrefix("utf-32"),
            let text = String(validating: bytes, as: UTF8.self)
        {
            return text.utf8.first == 0xEF && text.unicodeScalars.first == "\u{FEFF}" ? String(text.dropFirst()) : text
        }
        switch key {
        case "", "utf-8", "us-ascii":
            // Mostly UTF-8 with a slip is UTF-8; hardly any of it is something older.
            return looksLikeUTF8(bytes) ? String(decoding: bytes, as: UTF8.self) : single(bytes, "windows-1252")
        case "iso-8859-1": return single(bytes, "windows-1252")
        case "utf-16", "utf-16le", "utf-16be": return wide(bytes, key)
        default:
            if SingleByteTables.tables[key] != nil { return single(bytes, key) }
            return converted(bytes, key) ?? single(bytes, "windows-1252")
        }
    }

    /// The usual name of a label: lower case, without quotes, aliases resolved (WHATWG Encoding, section 4.2).
    static func key(_ label: String) -> String {
        var name = label.lowercased().filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" }
        // RFC 2231: a language may follow.
        if let star = name.firstIndex(of: "*") { name = String(name[..<star]) }
        if let known = aliases[name] { return known }
        if name.hasPrefix("cp125"), name.utf8.count == 6 { return "windows-" + name.dropFirst(2) }
        if name.hasPrefix("iso8859") {
            return "iso-8859-" + name.dropFirst(7).drop { $0 == "-" || $0 == "_" }
        }
        if name.hasPrefix("iso_8859") { return "iso-8859-" + name.dropFirst(8).drop { $0 == "-" || $0 == "_" } }
        return name
    }

    private static let aliases = [
        "utf8": "utf-8", "ascii": "us-ascii", "ansi_x3.4-1968": "us-ascii", "latin1": "iso-8859-1",
        "latin-1": "iso-8859-1", "l1": "iso-8859-1", "latin2": "iso-8859-2", "latin5": "windows-1254",
        "iso-8859-9": "windows-1254", "latin9": "iso-8859-15", "iso-8859-8-i": "iso-8859-8",
        "iso-8859-11": "windows-874", "tis-620": "windows-874", "cp874": "windows-874", "koi8": "koi8-r",
        "cp866": "ibm866", "866": "ibm866", "x-mac-roman": "macintosh", "mac": "macintosh", "utf16": "utf-16",
        "unicode": "utf-16", "x-sjis": "shift_jis", "shift-jis": "shift_jis", "sjis": "shift_jis",
        "ks_c_5601-1987": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030",
        "unknown-8bit": "", "x-unknown": "", "default": "", "8bit": "",
    ]

    private static func single(_ bytes: [UInt8], _ key: String) -> String {
        let table = SingleByteTables.tables[key] ?? []
        var view = String.UnicodeScalarView()
        view.reserveCapacity(bytes.count)
        for byte in bytes {
            let value = byte < 0x80 ? UInt32(byte) : table.count == 128 ? UInt32(table[Int(byte) - 0x80]) : 0xFFFD
            view.append(Unicode.Scalar(value) ?? "\u{FFFD}")
        }
        return String(view)
    }

    private static func wide(_ bytes: [UInt8], _ key: String) -> String {
        var rest = bytes[...]
        var isLittle = key == "utf-16le"
        if rest.starts(with: [0xFF, 0xFE]) {
            isLittle = true
            rest = rest.dropFirst(2)
        } else if rest.starts(with: [0xFE, 0xFF]) {
            isLittle = false
            rest = rest.dropFirst(2)
        }
        var units: [UInt16] = []
        var index = rest.startIndex
        while index + 1 < rest.endIndex {
            let (first, second) = (UInt16(rest[index]), UInt16(rest[index + 1]))
            units.append(isLittle ? second << 8 | first : first << 8 | second)
            index += 2
        }
        return String(decoding: units, as: UTF16.self)
    }

    private static func looksLikeUTF8(_ bytes: [UInt8]) -> Bool {
        let high = bytes.count { $0 >= 0x80 }
        let broken = String(decoding: bytes, as: UTF8.self).unicodeScalars.count { $0 == "\u{FFFD}" }
        return broken * 4 <= high
    }

    /// By the C library; nil when it does not know the name or may not load its tables.
    private static func converted(_ bytes: [UInt8], _ key: String) -> String? {
        guard (1...40).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2F }) else {
            return nil
        }
        guard let converter = iconv_open("UTF-8", key), converter != iconv_t(bitPattern: -1) else { return nil }
        defer { iconv_close(converter) }
        var source = bytes.map { CChar(bitPattern: $0) }
        var output: [UInt8] = []
        var chunk = [CChar](repeating: 0, count: 4096)
        var offset = 0
        while offset < source.count {
            var left = source.count - offset
            var room = chunk.count
            let before = left
            let (result, problem) = source.withUnsafeMutableBufferPointer { source in
                chunk.withUnsafeMutableBufferPointer { chunk in
                    var from = source.baseAddress.map { $0 + offset }
                    var to = chunk.baseAddress
                    let result = iconv(converter, &from, &left, &to, &room)
                    return (result, errno)
                }
            }
            output += chunk.prefix(chunk.count - room).map { UInt8(bitPattern: $0) }
            offset += before - left
            if result == Int.max || result == -1 || result == Int(bitPattern: UInt.max) {
                guard problem != E2BIG else { continue }
                // A byte that means nothing here.
                output += [0xEF, 0xBF, 0xBD]
                offset += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
