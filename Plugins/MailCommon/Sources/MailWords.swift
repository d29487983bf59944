import PluginCommon
public import TandemSDK

/// Short messages about mail.
public enum MailWords {
    /// A text in lines that each fit a message, broken between words; the lines of the text stay.
    public static func wrapped(_ text: String) -> String {
        var lines: [String] = []
        for paragraph in text.split(separator: "\n") {
            var line = ""
            for word in paragraph.split(whereSeparator: \.isWhitespace) {
                if !line.isEmpty, line.unicodeScalars.count + word.unicodeScalars.count + 1 > MessageText.lineLimit {
                    lines.append(line)
                    line = ""
                }
                line += line.isEmpty ? String(word) : " " + word
            }
            if !line.isEmpty { lines.append(line) }
        }
        return lines.joined(separator: "\n")
    }

    /// `300 B`, `50 KB`, `2 MB`.
    public static func size(_ bytes: Int) -> String {
        if bytes < 1000 { return "\(bytes) B" }
        return bytes < 1_000_000 ? "\((bytes + 500) / 1000) KB" : "\((bytes + 500_000) / 1_000_000) MB"
    }

    /// `14:05` today, else `20 Nov`.
    public static func when(_ instant: Instant, _ clock: PersonClock) -> String {
        let (day, minute) = clock.local(instant)
        guard day == clock.today else { return day.short(today: clock.today) }
        return time(minute)
    }

    /// `09:05` of minutes since midnight.
    public static func time(_ minute: Int) -> String {
        "\(minute / 60 < 10 ? "0" : "")\(minute / 60):\(minute % 60 < 10 ? "0" : "")\(minute % 60)"
    }

    /// `1 mail`, `3 mails`.
    public static func count(_ number: Int, _ noun: String = "mail") -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
