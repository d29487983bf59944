import MailCommon
import PluginCommon
import TandemSDK

/// Makes drafts and sends them: a call that is made again finds its draft, and a draft that has become a sent mail is not
/// sent again. (With immutable ids a draft keeps its id when it goes.)
struct GraphSender {
    let service: GraphService
    var context: Context { service.context }

    init(_ context: Context) { service = GraphService(context) }

    func recipients(_ texts: [String]) async throws -> MailRecipients {
        try await MailRecipients.find(texts, context) { name in
            try await GraphMail(context).search(name, limit: 10).heads.flatMap { [$0.from] + $0.to }
        }
    }

    /// The draft of this call: made now, or by an earlier attempt.
    func draft(_ make: () async throws -> JSON) async throws -> String {
        let key = Self.key(context.idempotencyKey)
        if let known = try await context.keyValues.get(key, as: Draft.self) { return known.value.id }
        let made = try await make()
        guard let id = made["id"]?.stringValue else { throw GraphService.unreadable }
        let draft = Draft(id: id, messageID: made["internetMessageId"]?.stringValue)
        try await context.keyValues.set(key, to: draft, expiresIn: .seconds(172_800))
        return id
    }

    private struct Draft: Object {
        var id: String
        /// `<id@host>`
        var messageID: String?
    }

    private static func key(_ idempotencyKey: String) -> String { "draft/" + idempotencyKey }

    private static func mark(_ idempotencyKey: String) -> String { "sending/" + idempotencyKey }

    /// Whether the mail of a call went, by the call's key.
    func sent(by idempotencyKey: String) async throws -> SentMail? {
        guard let draft = try await context.keyValues.get(Self.key(idempotencyKey), as: Draft.self)?.value,
            try await context.keyValues.get(Self.mark(idempotencyKey), as: Bool.self) != nil
        else { return nil }
        let select = ("$select", "id,isDraft,subject,toRecipients,ccRecipients")
        var mail: JSON?
        do {
            // With an immutable id a draft keeps it when it goes.
            mail = try await service.get(
                "/messages/" + (try GraphService.segment(draft.id)), [select], cache: .none
            ).json
        } catch let error as ToolError where error.code == GraphRefusal.gone {
            if let id = draft.messageID {
                let quoted = id.replacing("'", with: "''")
                mail = try await service.get(
                    "/messages", [("$filter", "internetMessageId eq '\(quoted)'"), select], cache: .none
                ).json["value"]?.arrayValue?.first
            }
        }
        guard let mail, mail["isDraft"] != true else { return nil }
        return SentMail(mail)
    }

    func send(_ id: String) async throws {
        let path = "/messages/" + (try GraphService.segment(id))
        let mark = Self.mark(context.idempotencyKey)
        if try await context.keyValues.get(mark, as: Bool.self) != nil {
            // Tried before: it has gone when it is no draft any more.
            do {
                let json = try await service.get(path, [("$select", "id,isDraft")], cache: .none).json
                if json["isDraft"] != true { return }
            } catch let error as ToolError where error.code == GraphRefusal.gone {
                return
            }
        } else {
            // What the lookup of this call is told by.
            let key = Self.key(context.idempotencyKey)
            if try await context.keyValues.get(key, as: Draft.self) == nil {
                try await context.keyValues.set(key, to: Draft(id: id), expiresIn: .seconds(172_800))
            }
            try await context.keyValues.set(mark, to: true, expiresIn: .seconds(172_800))
        }
        _ = try await Sending.once {
            try await service.send(.post, path + "/send")
        } found: {
            try await sent(by: context.idempotencyKey) == nil ? nil : [:]
        }
    }

    // MARK: Forwarding

    /// Where a forwarded mail is looked for.
    struct Forwarded: Object {
        var thread: String
        var to: [String]
        var subject: String
        var since: Instant
    }

    /// A draft of it cannot be made, so an attempt is noted, and what became of it is seen among the sent mails.
    func forward(_ head: MailHead, to people: [MailAddress], text: String, subject: String) async throws {
        let key = "forward/" + context.idempotencyKey
        if try await context.keyValues.get(key, as: Forwarded.self) != nil {
            throw ToolError.conflict(
                "I do not know whether it went. Look into the sent mail before you ask again.", code: "outcome_unknown")
        }
        let note = Forwarded(
            thread: head.thread, to: people.map { $0.address.lowercased() }, subject: subject, since: context.clock.now)
        try await context.keyValues.set(key, to: note, expiresIn: .seconds(172_800))
        do {
            _ = try await Sending.once {
                try await service.send(
                    .post, "/messages/\(try GraphService.segment(head.id))/forward",
                    ["comment": .string(text), "toRecipients": .array(people.map(GraphPeople.recipient))])
            } found: {
                try await forwarded(by: context.idempotencyKey) == nil ? nil : [:]
            }
        } catch let error as ToolError where error.code != "outcome_unknown" {
            // Refused: nothing went.
            try await context.keyValues.remove(key)
            throw error
        }
    }

    /// Whether the forwarded mail of a call went. Throws when that cannot be told: it may lie in the outbox still.
    func forwarded(by idempotencyKey: String) async throws -> SentMail? {
        guard let note = try await context.keyValues.get("forward/" + idempotencyKey, as: Forwarded.self)?.value else {
            return nil
        }
        let found =
            try await service.get(
                "/mailFolders/sentitems/messages",
                [("$select", GraphMail.select), ("$orderby", "receivedDateTime desc"), ("$top", "25")], cache: .none
            ).json["value"]?.arrayValue ?? []
        let sent = found.compactMap { GraphMail.head($0) }.first { mail in
            let people = Set(mail.to.map { $0.address.lowercased() })
            return mail.thread == note.thread && note.to.allSatisfy(people.contains)
                && mail.date.milliseconds >= note.since.milliseconds - 60_000
        }
        guard sent != nil else {
            throw ToolError(code: "outcome_unknown", "It is not among the sent mails yet.", retryable: true)
        }
        return SentMail(sent: true, to: note.to, subject: note.subject)
    }

    static func message(_ to: [MailAddress], cc: [MailAddress] = [], subject: String, text: String) -> JSON {
        var message: JSONObject = [
            "subject": .string(subject), "body": ["contentType": "text", "content": .string(text)],
            "toRecipients": .array(to.map(GraphPeople.recipient)),
        ]
        if !cc.isEmpty { message["ccRecipients"] = .array(cc.map(GraphPeople.recipient)) }
        return .object(message)
    }
}
