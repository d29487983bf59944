import MailCommon
import PluginCommon
import TandemSDK

/// Finds the mails that references mean: by id as shown, or by words, in Gmail itself.
struct MailFinder {
    let service: GmailService
    var context: Context { service.context }

    init(_ context: Context) { service = GmailService(context) }

    func find(_ references: MailReferences) async throws -> [MailHead] {
        var found: [MailHead] = []
        for reference in references.all {
            let mail = try await find(reference)
            if !found.contains(where: { $0.id == mail.id }) { found.append(mail) }
        }
        return found
    }

    /// The newest mail that the words fit; asks when they fit several people's.
    func find(_ reference: MailReference, in place: String = "") async throws -> MailHead {
        switch reference {
        case .id(let id): return try await service.head(id).head
        case .words(let words):
            if let id = context.answer("which")?.stringValue, id.hasPrefix("#") {
                return try await service.head(String(id.dropFirst())).head
            }
            let heads = try await candidates(words, place)
            guard let first = heads.first else {
                throw ToolError.notFound(
                    "I find no mail for \(words.singleLine(limit: 40)). To see what is there: show my inbox.")
            }
            let others = heads.dropFirst().filter { $0.thread != first.thread }
            guard !others.isEmpty else { return first }
            throw Ask(
                "Which one?", field: "which",
                options: ([first] + others.prefix(4)).map { Ask.Option($0.line, value: .string("#" + $0.id)) })
        }
    }

    private func candidates(_ words: String, _ place: String) async throws -> [MailHead] {
        let plain = MailQuery.words(words)
        guard !plain.isEmpty else { return [] }
        let newest: Set = ["latest", "last", "newest", "most recent", "latest mail", "last mail", "newest mail"]
        if newest.contains(plain.lowercased()) {
            return try await service.heads(service.list(place, labels: ["INBOX"], limit: 1).ids).heads
        }
        let scope = place.isEmpty ? "-in:drafts" : place
        // Whose it is says more than what it mentions.
        for query in ["from:(\(plain)) \(scope)", "subject:(\(plain)) \(scope)", "\(plain) \(scope)"] {
            let page = try await service.list(query, limit: 5)
            if !page.ids.isEmpty { return try await service.heads(page.ids).heads }
        }
        return []
    }
}

/// Gmail's search words.
enum MailQuery {
    /// Words of a person's as they go into a group: without what has a meaning in a search.
    static func words(_ text: String) -> String {
        let plain = text.singleLine(limit: 200).map { "(){}[]\"|:\\<>".contains($0) ? " " : $0 }
        return String(plain).split(separator: " ").map { $0.drop { $0 == "-" || $0 == "+" } }.filter { !$0.isEmpty }
            .joined(separator: " ")
    }

    /// `after:1795128000 before:…` in seconds, so that the person's own days are meant.
    static func period(_ period: Period?, _ clock: PersonClock) -> String {
        guard let period else { return "" }
        let (from, to) = clock.range(period.ordered)
        return "after:\(from.milliseconds / 1000) before:\(to.milliseconds / 1000)"
    }

    static func joined(_ parts: String...) -> String { parts.filter { !$0.isEmpty }.joined(separator: " ") }
}
