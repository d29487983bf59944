import PluginCommon
public import TandemSDK

/// Somebody's name and address.
public struct MailAddress: Object, Hashable {
    /// Empty where none was given.
    public var name: String
    public var address: String

    public init(name: String = "", address: String) {
        self.name = name
        self.address = address
    }

    /// `Pat Sample`, or the address.
    public var shortName: String { name.isEmpty ? address : name }

    /// `pat@example.com`, nothing else: one `@`, no space, a point in the host.
    public static func isAddress(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), (3...253).contains(parts[1].utf8.count),
            parts[1].contains("."), !parts[1].hasPrefix("."), !parts[1].hasSuffix("."), !parts[1].contains("..")
        else { return false }
        let local = parts[0].utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"()<>[]:;,\\\"".utf8.contains($0) }
        return local
            && parts[1].utf8.allSatisfy {
                $0 >= 0x80 || $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == 45 || $0 == 46
            }
    }

    /// Reads a list as header fields hold it (RFC 5322 section 3.4): names, quotes, comments and groups; what is no
    /// address is left out.
    public static func list(_ field: String) -> [MailAddress] {
        var all: [MailAddress] = []
        for part in parts(field) {
            guard let found = one(part), all.count < 200 else { continue }
            all.append(found)
        }
        return all
    }

    /// Splits at commas and semicolons outside of quotes, comments and angle brackets; a group's name goes.
    private static func parts(_ field: String) -> [String] {
        var parts: [String] = []
        var current = ""
        var isQuoted = false
        var isEscaped = false
        var depth = 0
        var isAngled = false
        for character in field.unicodeScalars {
            if isEscaped {
                isEscaped = false
            } else if character == "\\", isQuoted || depth > 0 {
                isEscaped = true
            } else if character == "\"", depth == 0 {
                isQuoted.toggle()
            } else if !isQuoted {
                switch character {
                case "(": depth += 1
                case ")": depth = max(0, depth - 1)
                case "<": isAngled = true
                case ">": isAngled = false
                case ",", ";":
                    if depth == 0, !isAngled {
                        parts.append(current)
                        current = ""
                        continue
                    }
                case ":":
                    if depth == 0, !isAngled, !current.contains("@") {
                        current = ""
                        continue
                    }
                default: break
                }
            }
            current.unicodeScalars.append(character)
        }
        parts.append(current)
        return parts
    }

    private static func one(_ text: String) -> MailAddress? {
        if let open = text.lastIndex(of: "<"), let close = text[open...].firstIndex(of: ">") {
            guard let address = closed(text[text.index(after: open)..<close]), isAddress(address) else { return nil }
            return MailAddress(name: name(String(text[..<open])), address: address)
        }
        // `pat@example.com (Pat Sample)`
        var comment = ""
        var rest = ""
        var depth = 0
        for character in text {
            if character == "(" {
                depth += 1
            } else if character == ")" {
                depth = max(0, depth - 1)
            } else if depth > 0 {
                comment.append(character)
            } else {
                rest.append(character)
            }
        }
        guard let address = closed(rest[...]), isAddress(address) else { return nil }
        return MailAddress(name: name(comment), address: address)
    }

    /// Without the spaces that may stand around `@` and points; nil when there are others: `write to pat@example.com` is no
    /// address.
    private static func closed(_ text: Substring) -> String? {
        var result = ""
        var isAfterSpace = false
        for character in text {
            if character.isWhitespace {
                isAfterSpace = !result.isEmpty
                continue
            }
            if isAfterSpace, character != "@", character != ".", result.last != "@", result.last != "." { return nil }
            isAfterSpace = false
            result.append(character)
        }
        return result
    }

    private static func name(_ raw: String) -> String {
        var text = ""
        var isEscaped = false
        for character in raw {
            if isEscaped {
                text.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character != "\"" {
                text.append(character)
            }
        }
        return EncodedWords.decode(text).singleLine(limit: 80)
    }

    /// As a header field holds it: the name quoted or encoded where it must be.
    public var field: String {
        guard !name.isEmpty else { return address }
        let isAtom = name.utf8.allSatisfy {
            $0 == 0x20 || $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0)
        }
        if isAtom, !name.contains("=?") { return "\(name) <\(address)>" }
        if name.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), !name.contains("=?") {
            return "\"\(name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\" <\(address)>"
        }
        return "\(EncodedWords.encode(name)) <\(address)>"
    }

    public func isSame(as other: MailAddress) -> Bool { address.lowercased() == other.address.lowercased() }
}
