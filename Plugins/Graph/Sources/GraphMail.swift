import MailCommon
import PluginCommon
import TandemSDK

/// Looks into the mailbox.
struct GraphMail {
    static let select =
        "id,conversationId,subject,bodyPreview,from,toRecipients,ccRecipients,replyTo,receivedDateTime,isRead,isDraft,flag,"
        + "hasAttachments,importance,inferenceClassification,parentFolderId"

    let service: GraphService
    var context: Context { service.context }

    init(_ context: Context) { service = GraphService(context) }

    /// Nil when the answer is no message.
    static func head(_ json: JSON, isInInbox: Bool = false, own: String = "") -> MailHead? {
        guard let id = json["id"]?.stringValue else { return nil }
        let people = { (name: String) in (json[name]?.arrayValue ?? []).prefix(200).compactMap(GraphPeople.one) }
        let from = GraphPeople.one(json["from"]) ?? MailAddress(name: "somebody", address: "unknown")
        let answerTo = people("replyTo").first
        return MailHead(
            id: id, thread: json["conversationId"]?.stringValue ?? id, from: from,
            replyTo: answerTo.flatMap { $0.isSame(as: from) ? nil : $0 }, to: people("toRecipients"),
            cc: people("ccRecipients"), subject: json["subject"]?.stringValue?.singleLine(limit: 200) ?? "",
            preview: json["bodyPreview"]?.stringValue?.singleLine(limit: 300) ?? "",
            date: (json["receivedDateTime"]?.stringValue).flatMap { Instant($0) } ?? Instant(milliseconds: 0),
            isUnread: json["isRead"] == false, isStarred: json["flag"]?["flagStatus"] == "flagged",
            isInInbox: isInInbox, isOwn: !own.isEmpty && from.address.lowercased() == own.lowercased(),
            isDraft: json["isDraft"]?.boolValue ?? false, hasAttachments: json["hasAttachments"]?.boolValue ?? false,
            isBulk: json["inferenceClassification"] == "other", isImportant: json["importance"] == "high")
    }

    func list(_ path: String, _ query: [(String, String)], limit: Int) async throws -> (
        heads: [MailHead], note: String?
    ) {
        let (json, note) = try await service.get(
            path, [("$select", Self.select)] + query + [("$top", String(limit))])
        let heads = (json["value"]?.arrayValue ?? []).compactMap { Self.head($0, isInInbox: path.contains("inbox")) }
        return (Array(heads.prefix(limit)), note)
    }

    /// Quoted for KQL; what has a meaning there goes.
    func search(_ words: String, limit: Int) async throws -> (heads: [MailHead], note: String?) {
        let plain = words.singleLine(limit: 200).map { "\"\\()*:<>=".contains($0) ? " " : $0 }
        let text = String(plain).split(separator: " ").joined(separator: " ")
        guard !text.isEmpty else { return ([], nil) }
        return try await list("/messages", [("$search", "\"\(text)\"")], limit: limit)
    }

    func head(_ id: String) async throws -> MailHead {
        let path = "/messages/" + (try GraphService.segment(id))
        let json = try await service.get(path, [("$select", Self.select)], cache: .none).json
        guard let head = Self.head(json) else { throw GraphService.unreadable }
        return head
    }

    func find(_ references: MailReferences) async throws -> [MailHead] {
        var found: [MailHead] = []
        for reference in references.all {
            let mail = try await find(reference)
            if !found.contains(where: { $0.id == mail.id }) { found.append(mail) }
        }
        return found
    }

    func find(_ reference: MailReference) async throws -> MailHead {
        switch reference {
        case .id(let id): return try await head(id)
        case .words(let words):
            if let id = context.answer("which")?.stringValue, id.hasPrefix("#") {
                return try await head(String(id.dropFirst()))
            }
            let newest: Set = ["latest", "last", "newest", "latest mail", "last mail", "newest mail"]
            let heads: [MailHead]
            if newest.contains(words.lowercased()) {
                heads = try await list(
                    "/mailFolders/inbox/messages", [("$orderby", "receivedDateTime desc")], limit: 1
                ).heads
            } else {
                // What somebody wrote is meant before what the person answered to it.
                let own = try await service.profile().address.lowercased()
                let found = try await search(words, limit: 8).heads.filter { !$0.isDraft }
                let theirs = found.filter { $0.from.address.lowercased() != own }
                heads = theirs.isEmpty ? found : theirs
            }
            guard let first = heads.first else {
                throw ToolError.notFound("I find no mail for \(words.singleLine(limit: 40)) in Outlook.")
            }
            let others = heads.dropFirst().filter { $0.thread != first.thread }
            guard !others.isEmpty else { return first }
            throw Ask(
                "Which one?", field: "which",
                options: ([first] + others.prefix(4)).map { Ask.Option($0.line, value: .string("#" + $0.id)) })
        }
    }
}

enum MailPhrase {
    static func reply(_ heads: [MailHead], nothing: String, note: String?, _ context: Context) -> Reply<MailList> {
        MailList.reply(
            "", nothing: nothing, heads, note: note, type: Graph.Mail.entity, select: "graph.read", context.clock)
    }
}
