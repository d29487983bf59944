public import TandemSDK

/// What a mail wants of the person, by rules: from headers, people and words, never from what a mail says of itself.
public enum MailTriage {
    public enum Kind: String, Choice {
        /// Somebody waits for the person's answer.
        case answer
        /// The person waits for somebody's.
        case waiting
        /// Newsletters, notices, lists.
        case noise
        /// From people, but nothing seems to be asked.
        case other

        public var words: [String] {
            switch self {
            case .answer: ["need an answer", "needs an answer", "needs a reply", "to answer", "unanswered"]
            case .waiting: ["waiting for", "waits for others", "waiting on"]
            case .noise: ["newsletters", "noise", "spam", "junk"]
            case .other: ["the rest", "other"]
            }
        }
    }

    public struct Verdict: Object, Hashable {
        public var mail: MailHead
        public var kind: Kind
        /// Why, in a few words for the person.
        public var reason: String
        /// Greater goes first.
        public var weight: Int

        public init(mail: MailHead, kind: Kind, reason: String, weight: Int) {
            self.mail = mail
            self.kind = kind
            self.reason = reason
            self.weight = weight
        }
    }

    /// Judges the newest mail of every thread.
    ///
    /// - Parameters:
    ///   - mails: of inbox and sent mail, in any order.
    ///   - own: the person's addresses, in lower case.
    public static func judge(_ mails: [MailHead], own: Set<String>, now: Instant) -> [Verdict] {
        var threads: [String: [MailHead]] = [:]
        for mail in mails where !mail.isDraft { threads[mail.thread, default: []].append(mail) }
        // Whoever the person writes to is somebody, whatever their mail looks like.
        let partners = Set(mails.filter(\.isOwn).flatMap { $0.to + $0.cc }.map { $0.address.lowercased() })
        var verdicts: [Verdict] = []
        for thread in threads.values {
            guard let newest = thread.max(by: { ($0.date, $0.id) < ($1.date, $1.id) }) else { continue }
            if let verdict = judge(newest, thread, own, partners, now) { verdicts.append(verdict) }
        }
        return verdicts.sorted {
            ($0.weight, $0.mail.date, $0.mail.id) > ($1.weight, $1.mail.date, $1.mail.id)
        }
    }

    private static func judge(
        _ mail: MailHead, _ thread: [MailHead], _ own: Set<String>, _ partners: Set<String>, _ now: Instant
    ) -> Verdict? {
        let hours = max(0, (now.milliseconds - mail.date.milliseconds) / 3_600_000)
        if mail.isOwn {
            let others = (mail.to + mail.cc).filter { !own.contains($0.address.lowercased()) }
            guard !others.isEmpty, hours >= 24 else { return nil }
            let asked = asks(mail)
            // Without a question, only an exchange of several mails waits for an answer.
            guard asked || thread.contains(where: { !$0.isOwn }) && hours < 24 * 14 else { return nil }
            guard asked else { return nil }
            return Verdict(
                mail: mail, kind: .waiting, reason: "you asked \(age(hours)) ago", weight: 20 + Int(min(hours / 24, 20))
            )
        }
        guard mail.isInInbox else { return nil }
        let isPartner = partners.contains(mail.from.address.lowercased())
        let wroteInThread = thread.contains(where: \.isOwn)
        if mail.isAutomatic { return Verdict(mail: mail, kind: .noise, reason: "automatic", weight: 0) }
        if mail.isBulk || isMachine(mail.from), !isPartner, !wroteInThread {
            return Verdict(mail: mail, kind: .noise, reason: "sent to many", weight: 0)
        }
        let isDirect = mail.to.contains { own.contains($0.address.lowercased()) }
        if asks(mail), isDirect || wroteInThread {
            var weight = 50 + Int(min(hours / 12, 20))
            if isPartner || wroteInThread { weight += 20 }
            if mail.isStarred || mail.isImportant { weight += 10 }
            if isUrgent(mail) { weight += 15 }
            return Verdict(mail: mail, kind: .answer, reason: "asks, \(age(hours)) ago", weight: weight)
        }
        if isDirect, wroteInThread || (isPartner && mail.isUnread) {
            return Verdict(
                mail: mail, kind: .answer, reason: "answered you \(age(hours)) ago",
                weight: 30 + (mail.isUnread ? 10 : 0))
        }
        return Verdict(mail: mail, kind: .other, reason: age(hours) + " ago", weight: 10 + (mail.isUnread ? 5 : 0))
    }

    private static func age(_ hours: Int64) -> String { hours < 48 ? "\(max(1, hours)) h" : "\(hours / 24) d" }

    private static let requests = [
        "can you", "could you", "would you", "will you", "do you", "did you", "are you", "have you", "please",
        "let me know",
        "let us know", "waiting for", "need your", "your opinion", "what do you think", "when can", "confirm", "reply",
        "rsvp", "by tomorrow", "deadline", "as soon as possible", "asap", "any news", "any update",
        "looking forward to",
        "get back to me", "k\u{F6}nnen sie", "kannst du", "bitte", "pouvez-vous", "peux-tu", "merci de", "por favor",
        "puedes",
    ]

    /// It asks something, by its subject and how it begins.
    static func asks(_ mail: MailHead) -> Bool {
        let text = (mail.subject + "\n" + mail.preview).lowercased()
        // A question mark inside of a link is none.
        let words = text.split(whereSeparator: \.isWhitespace)
        if words.contains(where: { $0.contains("?") && !$0.contains("://") && !$0.hasPrefix("www.") }) { return true }
        return requests.contains { text.contains($0) }
    }

    private static func isUrgent(_ mail: MailHead) -> Bool {
        let text = (mail.subject + "\n" + mail.preview).lowercased()
        return ["urgent", "deadline", "asap", "today", "tomorrow", "overdue", "last reminder"].contains {
            text.contains($0)
        }
    }

    private static let machines: Set<String> = [
        "noreply", "no-reply", "donotreply", "do-not-reply", "no.reply", "notifications", "notification",
        "mailer-daemon",
        "newsletter", "news", "updates", "alerts", "info-noreply", "postmaster", "bounce", "marketing",
        "billing-noreply",
    ]

    /// An address that nobody reads.
    public static func isMachine(_ address: MailAddress) -> Bool {
        let local = address.address.prefix { $0 != "@" }.lowercased()
        return machines.contains(String(local)) || local.contains("noreply") || local.contains("no-reply")
            || local.contains("donotreply")
    }
}
