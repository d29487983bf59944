/// Host names, addresses and mailboxes.
enum FormatHosts {
    /// RFC 1123, section 2.1, with the lengths of RFC 1034, section 3.1.
    static func isHostname(_ text: FormatBytes) -> Bool {
        guard !text.isEmpty, text.count <= 253 else { return false }
        for label in text.split(separator: 0x2E, omittingEmptySubsequences: false) {
            guard isLabel(label) else { return false }
        }
        return true
    }

    private static func isLabel(_ label: FormatBytes) -> Bool {
        guard (1...63).contains(label.count), label.first != 0x2D, label.last != 0x2D,
            label.allSatisfy({ ASCII.isAlphanumeric($0) || $0 == 0x2D })
        else { return false }
        guard label.count >= 4, label[label.startIndex + 2] == 0x2D, label[label.startIndex + 3] == 0x2D else {
            return true
        }
        // Two hyphens there are kept for A-labels (RFC 5891, section 4.2.3.1), whose content must be valid too.
        guard label.first.map({ $0 | 0x20 }) == 0x78, label[label.startIndex + 1] | 0x20 == 0x6E,
            let scalars = Punycode.decoded(label.dropFirst(4))
        else { return false }
        return scalars.contains { $0.value >= 0x80 } && InternationalLabel.isValid(scalars)
    }

    /// RFC 5890, section 2.3.2.3: A-labels, U-labels and plain ones, with the separators of RFC 3490, section 3.1.
    static func isInternationalHostname(_ text: FormatBytes) -> Bool {
        let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
        guard !scalars.isEmpty else { return false }
        var length = 0
        let separators: Set<Unicode.Scalar> = [".", "\u{3002}", "\u{ff0e}", "\u{ff61}"]
        for label in scalars.split(omittingEmptySubsequences: false, whereSeparator: separators.contains) {
            if label.allSatisfy(\.isASCII) {
                let bytes = label.map { UInt8($0.value) }
                guard bytes.withUnsafeBufferPointer({ isLabel($0[...]) }) else { return false }
                length += bytes.count + 1
            } else {
                let scalars = Array(label)
                guard InternationalLabel.isValid(scalars), let encoded = Punycode.encodedLength(scalars),
                    encoded + 4 <= 63
                else { return false }
                length += encoded + 5
            }
        }
        return length <= 254
    }

    /// RFC 2673, section 3.2: four decimal numbers without leading zeros.
    static func isIPv4(_ text: FormatBytes) -> Bool {
        let parts = text.split(separator: 0x2E, omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy(ASCII.isDigit) else { return false }
                if part.count > 1, part.first == 0x30 { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
            }
    }

    /// RFC 4291, section 2.2.
    static func isIPv6(_ text: FormatBytes) -> Bool {
        var groups = 0
        var hasGap = false
        var rest = text
        guard rest.count >= 2 else { return false }
        if rest.starts(with: [0x3A, 0x3A]) {
            hasGap = true
            rest = rest.dropFirst(2)
            if rest.isEmpty { return true }
        }
        while true {
            let group = rest.prefix { $0 != 0x3A }
            if group.contains(0x2E) {
                guard group.endIndex == rest.endIndex, isIPv4(group) else { return false }
                groups += 2
                rest = rest.dropFirst(group.count)
            } else {
                guard (1...4).contains(group.count), group.allSatisfy({ ASCII.hexValue($0) != nil }) else {
                    return false
                }
                groups += 1
                rest = rest.dropFirst(group.count)
            }
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            if rest.first == 0x3A {
                guard !hasGap else { return false }
                hasGap = true
                rest = rest.dropFirst()
                if rest.isEmpty { break }
            } else if rest.isEmpty {
                return false
            }
        }
        return hasGap ? groups <= 7 : groups == 8
    }

    /// `Mailbox` of RFC 5321, section 4.1.2, and of RFC 6531, section 3.3, when international.
    static func isEmail(_ text: FormatBytes, isInternational: Bool) -> Bool {
        guard let at = text.lastIndex(of: 0x40) else { return false }
        let local = text[..<at]
        let domain = text[(at + 1)...]
        return isLocalPart(local, isInternational) && isMailDomain(domain, isInternational)
    }

    private static func isLocalPart(_ local: FormatBytes, _ isInternational: Bool) -> Bool {
        guard !local.isEmpty, local.count <= 64 else { return false }
        if local.count >= 2, local.first == 0x22, local.last == 0x22 {
            var isEscaped = false
            for unit in local.dropFirst().dropLast() {
                guard unit >= 0x20, unit != 0x7F, unit < 0x80 || isInternational else { return false }
                if isEscaped {
                    isEscaped = false
                } else if unit == 0x5C {
                    isEscaped = true
                } else if unit == 0x22 {
                    return false
                }
            }
            return !isEscaped
        }
        return local.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy { isAtomText($0) || ($0 >= 0x80 && isInternational) }
        }
    }

    private static func isAtomText(_ unit: UInt8) -> Bool {
        if ASCII.isAlphanumeric(unit) { return true }
        switch unit {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: return true
        default: return false
        }
    }

    private static func isMailDomain(_ domain: FormatBytes, _ isInternational: Bool) -> Bool {
        if domain.first == 0x5B {
            guard domain.last == 0x5D else { return false }
            let address = domain.dropFirst().dropLast()
            if address.starts(with: "IPv6:".utf8) { return isIPv6(address.dropFirst(5)) }
            return isIPv4(address)
        }
        return isInternational ? isInternationalHostname(domain) : isHostname(domain)
    }
}
