/// Reads settings as people and commands write them, into their one stored form.
enum SettingText {
    private static func invalid(_ message: String) -> AccountsError { AccountsError(.invalidSetting, message) }

    private static func trimmed(_ text: String) -> Substring {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return rest
    }

    static func name(_ text: String) throws -> String {
        guard let name = try? Accounts.name(text), name.utf8.count <= 120 else {
            throw invalid("A name has 1 to 120 letters.")
        }
        return name
    }

    static func timeZone(_ text: String) throws -> String {
        guard let name = TimeZoneNames.find(String(trimmed(text))) else {
            throw invalid("I don't know that time zone. Use a name like Europe/Paris.")
        }
        return name
    }

    static func currency(_ text: String) throws -> String {
        let code = trimmed(text).uppercased()
        guard CurrencyCodes.all.contains(code) else {
            throw invalid("I don't know that currency. Use its three-letter code, like EUR.")
        }
        return code
    }

    /// BCP 47 (RFC 5646 §2.1): a language of 2 or 3 letters, perhaps a script of 4 and a region of 2 letters or 3 digits.
    static func language(_ text: String) throws -> String {
        var parts = trimmed(text).split(separator: "-", omittingEmptySubsequences: false)[...]
        func isLetters(_ part: Substring, _ counts: ClosedRange<Int>) -> Bool {
            counts.contains(part.utf8.count)
                && part.utf8.allSatisfy { (97...122).contains($0) || (65...90).contains($0) }
        }
        guard let first = parts.popFirst(), isLetters(first, 2...3) else {
            throw invalid("I don't know that language. Use its code, like en or pt-BR.")
        }
        var tag = first.lowercased()
        if let script = parts.first, isLetters(script, 4...4) {
            tag += "-\(script.prefix(1).uppercased())\(script.dropFirst().lowercased())"
            parts = parts.dropFirst()
        }
        if let region = parts.first {
            let isNumber = region.utf8.count == 3 && region.utf8.allSatisfy { (48...57).contains($0) }
            guard isLetters(region, 2...2) || isNumber, parts.count == 1 else {
                throw invalid("I don't know that language. Use its code, like en or pt-BR.")
            }
            tag += "-\(region.uppercased())"
        }
        return tag
    }

    /// `22:00-07:00`, `22-7`, or `off`.
    static func quietHours(_ text: String) throws -> UserProfile.QuietHours? {
        let value = trimmed(text).lowercased()
        if value == "off" || value == "none" { return nil }
        let parts = value.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = minute(trimmed(String(parts[0]))),
            let end = minute(trimmed(String(parts[1]))),
            let hours = UserProfile.QuietHours(startMinute: start, endMinute: end)
        else { throw invalid("Write quiet hours like 22:00-07:00, or off.") }
        return hours
    }

    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let hour = number(first) else { return nil }
        let minute = parts.count == 2 ? (parts[1].utf8.count == 2 ? number(parts[1]) : nil) : 0
        guard let minute, (0...24).contains(hour), (0...59).contains(minute), hour < 24 || minute == 0 else {
            return nil
        }
        return hour % 24 * 60 + minute
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    static func segments(_ text: String) throws -> Int {
        guard let count = number(trimmed(text)), (1...3).contains(count) else {
            throw invalid("An answer takes 1 to 3 text messages.")
        }
        return count
    }
}
