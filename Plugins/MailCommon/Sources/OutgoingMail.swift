import PluginCommon
public import TandemSDK

/// A mail to be sent, as RFC 5322 wants it: UTF-8 in quoted-printable or base64, names and subject in encoded words.
public struct OutgoingMail: Sendable, Hashable {
    public var from: MailAddress
    public var to: [MailAddress]
    public var cc: [MailAddress]
    public var bcc: [MailAddress]
    public var subject: String
    public var text: String
    /// Of the mail that is answered: `<id@host>`, and its own `References`.
    public var inReplyTo: String?
    public var references: [String]
    public var date: Instant
    /// Its own, `<id@host>`; nil: the service makes one.
    public var messageID: String?

    public init(
        from: MailAddress, to: [MailAddress], cc: [MailAddress] = [], bcc: [MailAddress] = [], subject: String,
        text: String, inReplyTo: String? = nil, references: [String] = [], date: Instant
    ) {
        self.from = from
        self.to = to
        self.cc = cc
        self.bcc = bcc
        self.subject = subject
        self.text = text
        self.inReplyTo = inReplyTo
        self.references = references
        self.date = date
    }

    /// The subject given, or the first words of the text.
    public static func subject(_ given: String?, _ text: String) -> String {
        if let given = given?.singleLine(limit: 200).nonEmpty { return given }
        let line = text.split(separator: "\n").first.map { $0.singleLine(limit: 200) } ?? ""
        let sentence = line.prefix { !".!?".contains($0) }
        return String(sentence.isEmpty ? line[...] : sentence).cut(to: 60).capitalizedFirst
    }

    /// `Re: Leaking tap`, once.
    public static func replySubject(_ subject: String) -> String {
        let lower = subject.lowercased()
        for prefix in ["re:", "aw:", "sv:", "r\u{E9}f:", "antw:"] where lower.hasPrefix(prefix) { return subject }
        return subject.isEmpty ? "Re: your mail" : "Re: " + subject
    }

    /// The whole message, lines ended by CR LF.
    public var bytes: [UInt8] {
        var head = ""
        func field(_ name: String, _ value: String) { head += "\(name): \(value)\r\n" }
        field("From", from.field)
        if !to.isEmpty { field("To", to.map(\.field).joined(separator: ",\r\n ")) }
        if !cc.isEmpty { field("Cc", cc.map(\.field).joined(separator: ",\r\n ")) }
        if !bcc.isEmpty { field("Bcc", bcc.map(\.field).joined(separator: ",\r\n ")) }
        field("Subject", EncodedWords.encode(subject))
        field("Date", Self.dateField(date))
        if let messageID, Self.isMessageID(messageID) { field("Message-ID", messageID) }
        if let inReplyTo, Self.isMessageID(inReplyTo) {
            field("In-Reply-To", inReplyTo)
            let chain = references.filter { Self.isMessageID($0) && $0 != inReplyTo }
            // The first and the last ones keep a long thread together (RFC 5322 section 3.6.4).
            let kept = chain.count > 20 ? [chain[0]] + chain.suffix(19) : chain
            field("References", (kept + [inReplyTo]).joined(separator: "\r\n "))
        }
        field("MIME-Version", "1.0")
        field("Content-Type", "text/plain; charset=UTF-8")
        let body = Array(
            text.replacing("\r\n", with: "\n").replacing("\r", with: "\n").replacing("\n", with: "\r\n").utf8)
        let isPlain =
            body.allSatisfy { $0 < 0x7F && ($0 >= 0x20 || $0 == 13 || $0 == 10 || $0 == 9) }
            && !body.split(separator: 10, omittingEmptySubsequences: false).contains { $0.count > 900 }
        field("Content-Transfer-Encoding", isPlain ? "7bit" : "base64")
        if isPlain { return Array((head + "\r\n").utf8) + body + [13, 10] }
        var lines: [UInt8] = []
        let encoded = Array(TransferEncoding.base64Encoded(body).utf8)
        for start in stride(from: 0, to: encoded.count, by: 76) {
            lines += encoded[start..<min(start + 76, encoded.count)] + [13, 10]
        }
        return Array((head + "\r\n").utf8) + lines
    }

    /// The same for every attempt at the same call, by its key; says nothing about who asked.
    public static func messageID(for key: String, from sender: MailAddress) -> String {
        // FNV-1a in two halves: not secret, only different from call to call.
        func hash(_ seed: UInt64) -> String {
            let value = (key + "/" + sender.address).utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            return String(value, radix: 36)
        }
        let host = sender.address.split(separator: "@").last.map(String.init) ?? "localhost"
        return "<tandem.\(hash(0xcbf2_9ce4_8422_2325)).\(hash(0x8422_2325_cbf2_9ce4))@\(host)>"
    }

    /// `<id@host>` without spaces and control characters.
    public static func isMessageID(_ text: String) -> Bool {
        text.hasPrefix("<") && text.hasSuffix(">") && (5...500).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The ids in a `References` field, in order.
    public static func messageIDs(_ field: String) -> [String] {
        field.split { $0.isWhitespace || $0 == "," }.map(String.init).filter(isMessageID)
    }

    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Fri, 20 Nov 2026 10:15:00 +0000`.
    static func dateField(_ instant: Instant) -> String {
        let seconds = instant.milliseconds / 1000
        let days = Int((Double(seconds) / 86_400).rounded(.down))
        let rest = Int(seconds) - days * 86_400
        guard let day = Day("1970-01-01")?.adding(days: days) else { return "" }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        let (year, month, date) = day.parts
        return "\(Self.days[day.weekday - 1]), \(two(date)) \(months[month - 1]) \(year) "
            + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) +0000"
    }
}
