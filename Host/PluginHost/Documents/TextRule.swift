/// The shapes of names and texts in registries and manifests, checked on bytes.
enum TextRule {
    private static func isLower(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7A }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// `[a-z0-9]+([.-][a-z0-9]+)+`, at most 64 bytes.
    static func isPluginID(_ text: String) -> Bool {
        guard text.utf8.count <= 64 else { return false }
        var separators = 0
        var previousIsSeparator = true
        for byte in text.utf8 {
            if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") {
                guard !previousIsSeparator else { return false }
                separators += 1
                previousIsSeparator = true
            } else {
                guard isLower(byte) || isDigit(byte) else { return false }
                previousIsSeparator = false
            }
        }
        return separators > 0 && !previousIsSeparator
    }

    /// `[a-z][a-z0-9_]{0,limit-1}`.
    static func isName(_ text: some StringProtocol, atMost limit: Int) -> Bool {
        guard let first = text.utf8.first, isLower(first), text.utf8.count <= limit else { return false }
        return text.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    /// `namespace.name`, at most 64 bytes.
    static func isToolID(_ text: String) -> Bool {
        guard text.utf8.count <= 64, let dot = text.firstIndex(of: ".") else { return false }
        return isName(text[..<dot], atMost: 24) && isName(text[text.index(after: dot)...], atMost: 63)
    }

    /// `vendor.name/revision`.
    static func isExtensionID(_ text: String) -> Bool {
        guard text.utf8.count <= 64, let slash = text.lastIndex(of: "/") else { return false }
        let revision = text[text.index(after: slash)...]
        guard let first = revision.utf8.first, first != UInt8(ascii: "0"), revision.utf8.allSatisfy(isDigit) else {
            return false
        }
        return text[..<slash].utf8.allSatisfy {
            isLower($0) || isDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
        } && text.utf8.first.map(isLower) == true
    }

    /// A file name without a folder, at most 128 bytes, not hidden.
    static func isFileName(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 128, text.utf8.first != UInt8(ascii: ".") else { return false }
        return text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7F && $0 != UInt8(ascii: "\\") }
    }

    /// `sha256:` and 64 lower-case hexadecimal digits.
    static func isChecksum(_ text: String) -> Bool {
        guard text.utf8.count == 71, text.utf8.starts(with: "sha256:".utf8) else { return false }
        return text.utf8.dropFirst(7).allSatisfy { isDigit($0) || ($0 >= 0x61 && $0 <= 0x66) }
    }

    /// A label value of a metric: 1 to 48 of `A-Z a-z 0-9 _ . : / -`.
    static func isLabelValue(_ text: String) -> Bool {
        (1...48).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                isLower($0) || isDigit($0) || ($0 >= 0x41 && $0 <= 0x5A) || $0 == UInt8(ascii: "_")
                    || (0x2D...0x2F).contains($0) || $0 == UInt8(ascii: ":")
            }
    }

    /// Semantic Versioning 2.0.0, §2, §9, §10.
    static func isVersion(_ text: String) -> Bool {
        guard text.utf8.count <= 64 else { return false }
        let build = text.utf8.split(separator: UInt8(ascii: "+"), maxSplits: 1, omittingEmptySubsequences: false)
        if build.count == 2, !identifiers(build[1], allowsLeadingZero: true) { return false }
        let release = build[0].split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        if release.count == 2, !identifiers(release[1], allowsLeadingZero: false) { return false }
        let numbers = release[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return numbers.count == 3 && numbers.allSatisfy { isNumber($0) && $0.count <= 9 }
    }

    private static func isNumber(_ text: Substring.UTF8View) -> Bool {
        guard let first = text.first, text.allSatisfy(isDigit) else { return false }
        return text.count == 1 || first != UInt8(ascii: "0")
    }

    private static func identifiers(_ text: Substring.UTF8View, allowsLeadingZero: Bool) -> Bool {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
            guard !part.isEmpty else { return false }
            let isNumeric = part.allSatisfy(isDigit)
            if isNumeric { return allowsLeadingZero || isNumber(part) }
            return part.allSatisfy {
                isLower($0) || isDigit($0) || ($0 >= 0x41 && $0 <= 0x5A) || $0 == UInt8(ascii: "-")
            }
        }
    }

    /// Text for people in one line: not blank, no control or direction-changing characters.
    static func isLine(_ text: String, atMost limit: Int) -> Bool {
        guard text.count <= limit, text.utf8.count <= limit * 8,
            text.utf8.contains(where: { $0 != 0x20 })
        else { return false }
        return !text.unicodeScalars.contains(where: PlainText.isRemoved) && !text.utf8.contains(0x0A)
    }
}
