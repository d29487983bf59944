/// URIs (RFC 3986), IRIs (RFC 3987) and URI templates (RFC 6570).
enum FormatURI {
    static func accepts(_ text: FormatBytes, isInternational: Bool, needsScheme: Bool) -> Bool {
        var rest = text
        var hasScheme = false
        if let colon = rest.firstIndex(of: 0x3A), isScheme(rest[..<colon]) {
            hasScheme = true
            rest = rest[(colon + 1)...]
        }
        if needsScheme, !hasScheme { return false }
        let international = isInternational
        if let hash = rest.firstIndex(of: 0x23) {
            guard areCharacters(rest[(hash + 1)...], international, extra: [0x3A, 0x40, 0x2F, 0x3F]) else {
                return false
            }
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: 0x3F) {
            guard areCharacters(rest[(mark + 1)...], international, extra: [0x3A, 0x40, 0x2F, 0x3F]) else {
                return false
            }
            rest = rest[..<mark]
        }
        if rest.starts(with: [0x2F, 0x2F]) {
            rest = rest.dropFirst(2)
            let slash = rest.firstIndex(of: 0x2F) ?? rest.endIndex
            guard isAuthority(rest[..<slash], international) else { return false }
            rest = rest[slash...]
        } else if !hasScheme {
            // A first segment with a colon would be read as a scheme (RFC 3986, section 4.2).
            let segment = rest.prefix { $0 != 0x2F }
            if segment.contains(0x3A) { return false }
        }
        return areCharacters(rest, international, extra: [0x3A, 0x40, 0x2F])
    }

    private static func isScheme(_ text: FormatBytes) -> Bool {
        guard let first = text.first, ASCII.isLetter(first) else { return false }
        return text.allSatisfy { ASCII.isAlphanumeric($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }
    }

    private static func isAuthority(_ text: FormatBytes, _ international: Bool) -> Bool {
        var host = text
        if let at = host.lastIndex(of: 0x40) {
            guard areCharacters(host[..<at], international, extra: [0x3A]) else { return false }
            host = host[(at + 1)...]
        }
        if host.first == 0x5B {
            guard let close = host.firstIndex(of: 0x5D) else { return false }
            let literal = host[(host.startIndex + 1)..<close]
            guard FormatHosts.isIPv6(literal) || isFutureAddress(literal) else { return false }
            let port = host[(close + 1)...]
            return port.isEmpty || (port.first == 0x3A && port.dropFirst().allSatisfy(ASCII.isDigit))
        }
        if let colon = host.lastIndex(of: 0x3A) {
            guard host[(colon + 1)...].allSatisfy(ASCII.isDigit) else { return false }
            host = host[..<colon]
        }
        return areCharacters(host, international, extra: [])
    }

    private static func isFutureAddress(_ text: FormatBytes) -> Bool {
        guard let first = text.first, first | 0x20 == 0x76 else { return false }
        let version = text.dropFirst().prefix { ASCII.hexValue($0) != nil }
        let rest = text.dropFirst(1 + version.count)
        return !version.isEmpty && rest.first == 0x2E && rest.count > 1
            && areCharacters(rest.dropFirst(), false, extra: [0x3A]) && !rest.contains(0x25)
    }

    /// Unreserved characters, sub-delimiters, percent escapes and the given extra ones.
    private static func areCharacters(_ text: FormatBytes, _ international: Bool, extra: [UInt8]) -> Bool {
        var index = text.startIndex
        while index < text.endIndex {
            let unit = text[index]
            if unit == 0x25 {
                guard text.endIndex - index >= 3, ASCII.hexValue(text[index + 1]) != nil,
                    ASCII.hexValue(text[index + 2]) != nil
                else { return false }
                index += 3
                continue
            }
            guard isUnreserved(unit) || isSubDelimiter(unit) || extra.contains(unit) || (international && unit >= 0x80)
            else { return false }
            index += 1
        }
        return true
    }

    private static func isUnreserved(_ unit: UInt8) -> Bool {
        ASCII.isAlphanumeric(unit) || unit == 0x2D || unit == 0x2E || unit == 0x5F || unit == 0x7E
    }

    private static func isSubDelimiter(_ unit: UInt8) -> Bool {
        switch unit {
        case 0x21, 0x24, 0x26...0x2C, 0x3B, 0x3D: true
        default: false
        }
    }

    // MARK: Templates

    /// RFC 6570, section 2.
    static func isTemplate(_ text: FormatBytes) -> Bool {
        var rest = text
        while let unit = rest.first {
            switch unit {
            case 0x7B:
                guard let close = rest.firstIndex(of: 0x7D), isExpression(rest[(rest.startIndex + 1)..<close]) else {
                    return false
                }
                rest = rest[(close + 1)...]
            case 0x25:
                guard rest.count >= 3, ASCII.hexValue(rest[rest.startIndex + 1]) != nil,
                    ASCII.hexValue(rest[rest.startIndex + 2]) != nil
                else { return false }
                rest = rest.dropFirst(3)
            case 0x00...0x20, 0x22, 0x27, 0x3C, 0x3E, 0x5C, 0x5E, 0x60, 0x7C, 0x7D, 0x7F: return false
            default: rest = rest.dropFirst()
            }
        }
        return true
    }

    private static func isExpression(_ text: FormatBytes) -> Bool {
        var rest = text
        if let first = rest.first,
            [0x2B, 0x23, 0x2E, 0x2F, 0x3B, 0x3F, 0x26, 0x3D, 0x2C, 0x21, 0x40, 0x7C].contains(first)
        {
            rest = rest.dropFirst()
        }
        return rest.split(separator: 0x2C, omittingEmptySubsequences: false).allSatisfy { variable in
            var name = variable
            if name.last == 0x2A {
                name = name.dropLast()
            } else if let colon = name.firstIndex(of: 0x3A) {
                let length = name[(colon + 1)...]
                guard (1...4).contains(length.count), length.allSatisfy(ASCII.isDigit), length.first != 0x30 else {
                    return false
                }
                name = name[..<colon]
            }
            guard !name.isEmpty, name.first != 0x2E, name.last != 0x2E else { return false }
            return areVariableCharacters(name)
        }
    }

    private static func areVariableCharacters(_ text: FormatBytes) -> Bool {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == 0x25 {
                guard text.endIndex - index >= 3, ASCII.hexValue(text[index + 1]) != nil,
                    ASCII.hexValue(text[index + 2]) != nil
                else { return false }
                index += 3
                continue
            }
            guard ASCII.isAlphanumeric(text[index]) || text[index] == 0x5F || text[index] == 0x2E else { return false }
            index += 1
        }
        return true
    }
}
