import PluginCommon
import Synchronization
import TandemSDK

/// What the rules leave: mails from people that seem to ask nothing. A reader without tools says what they want, where the
/// host has one; else they stay what they are.
extension MailTriage {
    /// So many are read, the newest first.
    static let mostRead = 12
    static let field = "kinds"

    static func undecided(_ verdicts: [Verdict]) -> [Verdict] {
        Array(
            verdicts.filter { $0.kind == .other }.sorted { ($0.mail.date, $0.mail.id) > ($1.mail.date, $1.mail.id) }
                .prefix(mostRead))
    }

    static func question(about verdicts: [Verdict]) -> Ask {
        Ask.reader(
            field, "What does each mail want of the person who got it?",
            verdicts.map { verdict in
                """
                From: \(verdict.mail.from.shortName.cut(to: 60))
                Subject: \(verdict.mail.subject.cut(to: 150))
                \(verdict.mail.preview.cut(to: 350))
                """
            },
            kinds: [
                "answer": "A person waits for an answer or for something to be done.",
                "noise": "An advertisement, a newsletter or a notice that nobody has to read.",
                "other": "Anything else, or it cannot be told.",
            ])
    }

    /// - Parameter kinds: what the reader said of `undecided`, in its order.
    static func settled(_ verdicts: [Verdict], _ undecided: [Verdict], _ kinds: [String?]) -> [Verdict] {
        var said: [String: Kind] = [:]
        for (verdict, kind) in zip(undecided, kinds) { said[verdict.mail.id] = kind.flatMap(Kind.init(rawValue:)) }
        let settled = verdicts.map { verdict -> Verdict in
            var verdict = verdict
            guard verdict.kind == .other else { return verdict }
            switch said[verdict.mail.id] {
            case .answer:
                // Behind everything that the rules are sure of.
                (verdict.kind, verdict.reason, verdict.weight) = (.answer, "seems to ask", 25)
            case .noise: (verdict.kind, verdict.reason, verdict.weight) = (.noise, "says nothing to you", 0)
            default: break
            }
            return verdict
        }
        return settled.sorted { ($0.weight, $0.mail.date, $0.mail.id) > ($1.weight, $1.mail.date, $1.mail.id) }
    }
}

/// What was found while a reader is asked about it, so that the service is not asked twice.
final class TriageMemory: InstanceCache {
    struct Found: Sendable {
        var verdicts: [MailTriage.Verdict]
        var waiting: [MailTriage.Verdict]
        var note: String?
    }

    private let found = Mutex<[String: Found]>([:])

    /// Of one call, by its key; the others were given up.
    func keep(_ new: Found, of key: String) {
        found.withLock { found in
            if found.count >= 8 { found.removeAll() }
            found[key] = new
        }
    }

    func take(of key: String) -> Found? { found.withLock { $0.removeValue(forKey: key) } }
}
