import TandemCore

/// A mail as it goes over the wire (RFC 5322, RFC 2045): ASCII, CRLF, no line beyond 78 characters.
enum MailMessage {
    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Nil when an address or the subject holds a control character: it could begin a header of its own.
    static func bytes(_ mail: Mail, from: String, name: String, id: String, at time: Timestamp) -> [UInt8]? {
        let fields = [mail.to, mail.subject, from, name, id]
        guard fields.allSatisfy({ $0.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } }),
            isAddress(mail.to), isAddress(from), let domain = from.split(separator: "@").last
        else { return nil }
        let headers = [
            "From: \(word(name)) <\(from)>", "To: <\(mail.to)>", "Subject: \(word(mail.subject))",
            "Date: \(date(time))", "Message-ID: <\(id)@\(domain)>", "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
        ]
        let text = mail.text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        let body = base64(Array(text.utf8))
        var message = headers.joined(separator: "\r\n") + "\r\n\r\n"
        var rest = body[...]
        while !rest.isEmpty {
            message += rest.prefix(76) + "\r\n"
            rest = rest.dropFirst(76)
        }
        return Array(message.utf8)
    }

    static func isAddress(_ text: String) -> Bool {
        guard let address = try? EmailAddress.read(text).address else { return false }
        return address == text && !text.utf8.contains { $0 == 60 || $0 == 62 || $0 <= 32 }
    }

    /// A header's text: as it is where it is plain, else as encoded words of at most 75 characters (RFC 2047 §2).
    private static func word(_ text: String) -> String {
        let plain = text.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 32 || $0 == 45
        }
        if plain, text.utf8.count <= 60 { return text }
        var words: [String] = []
        var piece: [UInt8] = []
        for character in text.unicodeScalars {
            let bytes = Array(String(character).utf8)
            if piece.count + bytes.count > 42 {
                words.append("=?utf-8?B?\(base64(piece))?=")
                piece = []
            }
            piece += bytes
        }
        words.append("=?utf-8?B?\(base64(piece))?=")
        return words.joined(separator: "\r\n ")
    }

    /// `Sat, 21 Nov 2026 18:00:00 +0000`.
    private static func date(_ time: Timestamp) -> String {
        let seconds = max(0, time.millisecondsSinceEpoch / 1000)
        let date = CivilDate(daysSinceEpoch: Int(seconds / 86_400))
        let rest = Int(seconds % 86_400)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        return "\(days[date.isoWeekday - 1]), \(date.day) \(months[date.month - 1]) \(date.year) "
            + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) +0000"
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let text = Base64URL.text(bytes).utf8.map { $0 == 45 ? UInt8(43) : $0 == 95 ? 47 : $0 }
        return String(decoding: text + [UInt8](repeating: 61, count: (4 - text.count % 4) % 4), as: UTF8.self)
    }
}
