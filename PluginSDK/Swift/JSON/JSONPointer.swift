/// A path to a value inside a JSON document (RFC 6901), such as `/items/0/name`.
public struct JSONPointer: Sendable, Hashable {
    /// The unescaped reference tokens; none for the whole document.
    public var tokens: [String]

    /// A pointer made of unescaped tokens.
    public init(tokens: [String] = []) { self.tokens = tokens }

    /// Reads the string form; nil unless it is empty or starts with `/` and every `~` is followed by `0` or `1`.
    public init?(_ text: String) {
        tokens = []
        if text.isEmpty { return }
        guard text.utf8.first == 0x2F else { return nil }
        for part in text.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
            guard let token = Self.unescaped(part) else { return nil }
            tokens.append(token)
        }
    }

    private static func unescaped(_ part: Substring.UTF8View) -> String? {
        guard part.contains(0x7E) else { return String(Substring(part)) }
        var bytes: [UInt8] = []
        var iterator = part.makeIterator()
        while let byte = iterator.next() {
            guard byte == 0x7E else {
                bytes.append(byte)
                continue
            }
            switch iterator.next() {
            case 0x30: bytes.append(0x7E)
            case 0x31: bytes.append(0x2F)
            default: return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends a token, escaping `~` and `/`, to the string form of a pointer.
    public static func append(_ token: String, to text: inout String) {
        text.append("/")
        guard token.utf8.contains(where: { $0 == 0x7E || $0 == 0x2F }) else {
            text.append(token)
            return
        }
        for scalar in token.unicodeScalars {
            switch scalar {
            case "~": text.append("~0")
            case "/": text.append("~1")
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    /// This pointer with one more token.
    public func appending(_ token: String) -> JSONPointer { JSONPointer(tokens: tokens + [token]) }
}

extension JSONPointer: CustomStringConvertible {
    /// The string form.
    public var description: String {
        var text = ""
        for token in tokens { Self.append(token, to: &text) }
        return text
    }
}

extension JSON {
    /// The value that a pointer leads to; nil when there is none or the pointer is nil.
    public subscript(pointer pointer: JSONPointer?) -> JSON? {
        guard let pointer else { return nil }
        var value = self
        for token in pointer.tokens {
            switch value {
            case .object(let object):
                guard let next = object[token] else { return nil }
                value = next
            case .array(let elements):
                guard let index = Self.arrayIndex(token), index < elements.count else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    /// The value that the string form of a pointer leads to; nil when there is none or the text is no pointer.
    public func value(at pointer: String) -> JSON? { self[pointer: JSONPointer(pointer)] }

    /// Digits without leading zero (RFC 6901, section 4).
    private static func arrayIndex(_ token: String) -> Int? {
        guard let first = token.utf8.first, token.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        if first == 0x30, token.utf8.count > 1 { return nil }
        return Int(token)
    }
}
