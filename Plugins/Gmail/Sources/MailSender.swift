import MailCommon
import PluginCommon
import TandemSDK

/// Makes drafts and sends them.
///
/// Gmail knows no idempotency key. A mail is therefore made as a draft first, and the draft is sent: a call that is made
/// again after an interruption finds its draft, and a draft that is gone has been sent. Nothing goes out twice.
struct MailSender {
    let service: GmailService
    var context: Context { service.context }

    init(_ context: Context) { service = GmailService(context) }

    struct Draft: Object {
        var id: String
        var message: String?
        /// Of the mail itself, `<id@host>`: what the sent mail is found by.
        var messageID: String?
        var to: [String]
        var subject: String
    }

    /// The draft of this call: made now, or by an earlier attempt.
    func draft(_ mail: OutgoingMail, thread: String? = nil) async throws -> Draft {
        let key = Self.key(context.idempotencyKey)
        if let known = try await context.keyValues.get(key, as: Draft.self) { return known.value }
        var mail = mail
        mail.messageID = mail.messageID ?? OutgoingMail.messageID(for: context.idempotencyKey, from: mail.from)
        var message: JSONObject = [
            "raw": .string(TransferEncoding.base64Encoded(mail.bytes, isURL: true))
        ]
        if let thread { message["threadId"] = .string(thread) }
        let made = try await service.post("drafts", ["message": .object(message)])
        guard let id = made["id"]?.stringValue else { throw GmailService.unreadable }
        let draft = Draft(
            id: id, message: made["message"]?["id"]?.stringValue, messageID: mail.messageID,
            to: (mail.to + mail.cc).map(\.address), subject: mail.subject)
        try await context.keyValues.set(key, to: draft, expiresIn: .seconds(172_800))
        return draft
    }

    /// The id of the sent message; nil when an earlier attempt had sent it.
    @discardableResult
    func send(_ draft: Draft) async throws -> String? {
        let mark = Self.mark(draft.id)
        let wasTried = try await context.keyValues.get(mark, as: Bool.self) != nil
        if !wasTried {
            // What the lookup of this call is told by.
            try await context.keyValues.set(Self.key(context.idempotencyKey), to: draft, expiresIn: .seconds(172_800))
            try await context.keyValues.set(mark, to: true, expiresIn: .seconds(172_800))
        }
        do {
            return try await Sending.once {
                try await service.post("drafts/send", ["id": .string(draft.id)])["id"]?.stringValue
            } found: {
                try await sent(by: context.idempotencyKey).map { $0.id }
            }
        } catch let error as ToolError where error.code == GmailRefusal.gone && wasTried {
            return nil
        }
    }

    private static func key(_ idempotencyKey: String) -> String { "draft/" + idempotencyKey }

    private static func mark(_ draft: String) -> String { "sending/" + draft }

    /// What became of the mail of a call, by the call's key; nil: it was not sent.
    func sent(by idempotencyKey: String) async throws -> SentMail? {
        guard let draft = try await context.keyValues.get(Self.key(idempotencyKey), as: Draft.self)?.value,
            try await context.keyValues.get(Self.mark(draft.id), as: Bool.self) != nil
        else { return nil }
        do {
            // As long as it is a draft, it has not gone.
            _ = try await service.get(
                "drafts/" + HTTPRequest.percentEncoded(draft.id), [("format", "minimal")], cache: .none)
            return nil
        } catch let error as ToolError where error.code == GmailRefusal.gone {
            var found: String?
            if let id = draft.messageID?.dropFirst().dropLast() {
                found = try await service.list("rfc822msgid:\(id) in:sent", limit: 1, cache: .none).ids.first
            }
            return SentMail(id: found, to: draft.to, subject: draft.subject)
        }
    }

    func ownAddress() async throws -> MailAddress { MailAddress(address: try await service.ownAddress()) }

    // MARK: Whom it goes to

    /// The people that the person named: addresses as they are, names by who wrote to them before.
    func recipients(_ texts: [String]) async throws -> MailRecipients {
        try await MailRecipients.find(texts, context) { name in
            let words = MailQuery.words(name)
            guard !words.isEmpty else { throw ToolError.invalid("Who should get it?", code: "no_recipient") }
            var people: [MailAddress] = []
            for query in ["from:(\(words))", "to:(\(words)) in:sent"] {
                let heads = try await service.heads(service.list(query, limit: 5).ids).heads
                people += heads.flatMap { $0.isOwn ? $0.to : [$0.from] }
            }
            return people
        }
    }
}
