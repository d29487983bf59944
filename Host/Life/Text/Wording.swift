import TandemCore

/// How texts to people are put together: short, on one line, within what one SMS carries.
///
/// Lengths are septets of the GSM 7-bit alphabet (3GPP TS 23.038 §6.2.1): characters of its extension table count two. A
/// character outside it makes the whole message UCS-2 and counts two as well, so that a cut is never too late.
enum Wording {
    /// The longest first line, so that a whole answer fits one segment of 160 with the host's own additions.
    static let firstLineLimit = 150
    /// How much of a title or text is repeated in a receipt.
    static let titleLimit = 60

    /// The length of a text in septets.
    static func septets(_ text: some StringProtocol) -> Int {
        let text = String(text)
        if let septets = SMSText.septets(of: text) { return septets }
        return text.unicodeScalars.reduce(0) { $0 + (SMSText.septets(of: String($1)) ?? 2) }
    }

    /// White space and control characters as single spaces, none at the ends.
    static func oneLine(_ text: some StringProtocol) -> String {
        if isPlainLine(text) { return String(text) }
        var result = String.UnicodeScalarView()
        var isPending = false
        for scalar in text.unicodeScalars {
            if scalar.value <= 32 || scalar.value == 127 || (0x80...0x9F).contains(scalar.value)
                || scalar.properties.isWhitespace
            {
                isPending = !result.isEmpty
            } else {
                if isPending { result.append(" ") }
                isPending = false
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// ASCII without control characters, double spaces and spaces at the ends: nothing to change.
    private static func isPlainLine(_ text: some StringProtocol) -> Bool {
        var last: UInt8 = 32
        for byte in text.utf8 {
            guard (33...126).contains(byte) || (byte == 32 && last != 32) else { return false }
            last = byte
        }
        return last != 32
    }

    /// The text on one line, cut at `limit` septets with `...` at the end, at a word's end where that loses little.
    static func clip(_ text: some StringProtocol, to limit: Int = titleLimit) -> String {
        let line = oneLine(text)
        // No character counts more than two, and none of ASCII is longer than its bytes.
        guard line.utf8.count * 2 > limit, septets(line) > limit else { return line }
        var kept = ""
        var length = 0
        for character in line {
            let next = septets(String(character))
            if length + next > max(limit - 3, 0) { break }
            kept.append(character)
            length += next
        }
        if let space = kept.lastIndex(of: " "), kept.distance(from: space, to: kept.endIndex) <= 12,
            kept.distance(from: kept.startIndex, to: space) >= kept.count / 2
        {
            kept = String(kept[..<space])
        }
        return limit >= 3 ? kept + "..." : kept
    }

    /// A line with one part that may be cut: `before` and `after` stay whole when they fit the first line at all.
    static func line(_ before: String, _ title: some StringProtocol, _ after: String = "") -> String {
        let room = firstLineLimit - septets(before) - septets(after)
        return before + clip(title, to: min(titleLimit, max(room, 12))) + after
    }

    /// `2 tasks`, `1 task`.
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// A numbered list: as many items on the first line as fit, the others on lines of their own.
    ///
    /// - Returns: The text; every item is in it, numbered from 1 in order.
    static func numbered(_ head: String, _ items: [String], tail: String = "") -> String {
        var first = head
        var rest: [String] = []
        for (index, item) in items.enumerated() {
            let entry = "\(index + 1) \(clip(item))"
            let separator = index == 0 ? (head.isEmpty ? "" : " ") : ", "
            let needed = septets(first) + septets(separator) + septets(entry) + septets(tail) + 1
            if rest.isEmpty, needed <= firstLineLimit {
                first += separator + entry
            } else {
                rest.append(entry)
            }
        }
        if !first.hasSuffix(".") && !first.hasSuffix(":") && !first.hasSuffix("?") { first += "." }
        if rest.isEmpty { return first + (tail.isEmpty ? "" : " " + tail) }
        return ([first + (tail.isEmpty ? "" : " " + tail)] + rest).joined(separator: "\n")
    }
}
