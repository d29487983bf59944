/// An address that mail can go to: `local@domain`, with the limits of RFC 5321 §4.5.3.1, without comments and quotes.
enum EmailAddress {
    /// The address without surrounding spaces, and the key under which it is unique.
    static func read(_ text: String) throws -> (address: String, key: String) {
        var bytes = Substring(text)
        while let first = bytes.utf8.first, first == 32 || first == 9 { bytes = bytes.dropFirst() }
        while let last = bytes.utf8.last, last == 32 || last == 9 { bytes = bytes.dropLast() }
        let parts = bytes.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, isLocal(parts[0]), isDomain(parts[1]), bytes.utf8.count <= 254 else {
            throw AccountsError(.invalidEmail, "That is no e-mail address. It should look like name@example.org.")
        }
        return (String(bytes), bytes.lowercased())
    }

    private static func isLocal(_ text: Substring) -> Bool {
        let bytes = text.utf8
        guard (1...64).contains(bytes.count), bytes.first != 46, bytes.last != 46 else { return false }
        var previous: UInt8 = 0
        for byte in bytes {
            let isAtom =
                (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte >= 0x80
                || "!#$%&'*+-/=?^_`{|}~.".utf8.contains(byte)
            guard isAtom, !(byte == 46 && previous == 46) else { return false }
            previous = byte
        }
        return true
    }

    private static func isDomain(_ text: Substring) -> Bool {
        guard text.utf8.count <= 253 else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2 else { return false }
        return labels.allSatisfy { label in
            let bytes = label.utf8
            return (1...63).contains(bytes.count) && bytes.first != 45 && bytes.last != 45
                && bytes.allSatisfy {
                    (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45
                        || $0 >= 0x80
                }
        }
    }
}
