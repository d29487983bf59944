import MailCommon
import PluginCommon
import TandemSDK

/// A message as the API gives it: its parts made readable.
struct GmailMessage: Sendable {
    struct Part: Sendable {
        var type: String
        var charset: String?
        var bytes: [UInt8]
        /// Its text comes with a request of its own.
        var attachment: String
        var size: Int
    }

    private(set) var head: MailHead
    private(set) var labels: [String]
    private(set) var parts: [Part] = []
    private(set) var attachments: [MailFile] = []
    /// `<id@host>`
    private(set) var messageID: String?
    private(set) var references: [String] = []
    private(set) var historyID: UInt64 = 0

    /// Nil when the answer is none.
    init?(_ json: JSON) {
        guard let id = json["id"]?.stringValue, GmailService.isID(id) else { return nil }
        let payload = json["payload"] ?? [:]
        var fields: [String: String] = [:]
        for field in payload["headers"]?.arrayValue ?? [] {
            guard let name = field["name"]?.stringValue?.lowercased(), let value = field["value"]?.stringValue,
                fields[name] == nil
            else { continue }
            fields[name] = value
        }
        labels = (json["labelIds"]?.arrayValue ?? []).compactMap(\.stringValue)
        let own = Set(labels)
        let from = MailAddress.list(fields["from"] ?? "").first
        // A sender without an address is shown by what stands there.
        let unnamed = MailAddress(
            name: EncodedWords.decode(fields["from"] ?? "").singleLine(limit: 60), address: "unknown")
        let date = (json["internalDate"]?.stringValue).flatMap { Int64($0) } ?? 0
        let bulkLabels: Set = ["CATEGORY_PROMOTIONS", "CATEGORY_SOCIAL", "CATEGORY_FORUMS", "SPAM"]
        let precedence = fields["precedence"]?.lowercased() ?? ""
        let submitted = fields["auto-submitted"]?.lowercased() ?? "no"
        let answerTo = MailAddress.list(fields["reply-to"] ?? "").first
        head = MailHead(
            id: id, thread: json["threadId"]?.stringValue ?? id, from: from ?? unnamed,
            replyTo: answerTo.flatMap { from?.isSame(as: $0) == true ? nil : $0 },
            to: MailAddress.list(fields["to"] ?? ""), cc: MailAddress.list(fields["cc"] ?? ""),
            subject: EncodedWords.decode(fields["subject"] ?? "").singleLine(limit: 200),
            preview: HTMLText.text(json["snippet"]?.stringValue ?? "").singleLine(limit: 300),
            date: Instant(milliseconds: date), isUnread: own.contains("UNREAD"), isStarred: own.contains("STARRED"),
            isInInbox: own.contains("INBOX"), isOwn: own.contains("SENT"), isDraft: own.contains("DRAFT"),
            isBulk: !own.isDisjoint(with: bulkLabels) || fields["list-id"] != nil || fields["list-unsubscribe"] != nil
                || ["bulk", "list", "junk"].contains(precedence),
            isAutomatic: submitted != "no"
                || own.contains("CATEGORY_UPDATES") && from.map(MailTriage.isMachine) == true,
            isImportant: own.contains("IMPORTANT"))
        messageID = (fields["message-id"]?.filter { !$0.isWhitespace }).flatMap {
            OutgoingMail.isMessageID($0) ? $0 : nil
        }
        references = OutgoingMail.messageIDs(fields["references"] ?? fields["in-reply-to"] ?? "")
        historyID = (json["historyId"]?.stringValue).flatMap { UInt64($0) } ?? 0
        collect(payload, depth: 0)
        head.hasAttachments = !attachments.isEmpty
    }

    // MARK: Parts

    /// Walks the tree (RFC 2046): of alternatives the plainest one that says something, of related parts the first, of
    /// all others each in turn.
    private mutating func collect(_ part: JSON, depth: Int) {
        guard depth < 20, parts.count + attachments.count < 200 else { return }
        let type = part["mimeType"]?.stringValue?.lowercased() ?? ""
        let children = part["parts"]?.arrayValue ?? []
        var name = EncodedWords.decode(part["filename"]?.stringValue ?? "").singleLine(limit: 100)
        let body = part["body"] ?? [:]
        let size = Int(body["size"]?.int64Value ?? 0)
        let disposition = Self.header("content-disposition", of: part).lowercased()
        if type == "message/rfc822", name.isEmpty { name = "attached mail" }
        if !name.isEmpty || disposition.hasPrefix("attachment") {
            attachments.append(MailFile(name: name.isEmpty ? "attachment" : name, type: type, size: size))
            return
        }
        switch type {
        case "multipart/alternative":
            let kinds = ["text/plain", "text/html"]
            func rank(_ child: JSON) -> Int {
                let type = child["mimeType"]?.stringValue?.lowercased() ?? ""
                return kinds.firstIndex(of: type) ?? (type.hasPrefix("multipart/") ? 2 : 3)
            }
            var best: GmailMessage?
            for child in children.sorted(by: { rank($0) < rank($1) }) where best == nil {
                var trial = self
                trial.collect(child, depth: depth + 1)
                let saysSomething = trial.parts.dropFirst(parts.count).contains { part in
                    !part.attachment.isEmpty || !Self.isBlank(part)
                }
                if saysSomething { best = trial }
            }
            // Files may hang on an alternative that is not shown.
            if let best { self = best }
            for child in children where child["mimeType"]?.stringValue?.hasPrefix("multipart/") == true {
                collectFiles(child, depth: depth + 1)
            }
        case "multipart/related", "multipart/signed":
            if let first = children.first { collect(first, depth: depth + 1) }
            for child in children.dropFirst() { collectFiles(child, depth: depth + 1) }
        case _ where !children.isEmpty: for child in children { collect(child, depth: depth + 1) }
        case "text/plain", "text/html", "":
            let charset = Self.parameter("charset", in: Self.header("content-type", of: part))
            parts.append(
                Part(
                    type: type.isEmpty ? "text/plain" : type, charset: charset,
                    bytes: TransferEncoding.base64((body["data"]?.stringValue ?? "").utf8),
                    attachment: body["data"] == nil ? body["attachmentId"]?.stringValue ?? "" : "", size: size))
        default:
            // Pictures within the text, calendars, signatures.
            if body["attachmentId"] != nil, !type.hasPrefix("image/"), !type.contains("signature") {
                attachments.append(MailFile(name: type, type: type, size: size))
            }
        }
    }

    private mutating func collectFiles(_ part: JSON, depth: Int) {
        guard depth < 20 else { return }
        let name = part["filename"]?.stringValue ?? ""
        let isInline = Self.header("content-disposition", of: part).lowercased().hasPrefix("inline")
        if !name.isEmpty, !isInline, part["body"]?["attachmentId"] != nil {
            let size = Int(part["body"]?["size"]?.int64Value ?? 0)
            let found = MailFile(
                name: EncodedWords.decode(name).singleLine(limit: 100), type: part["mimeType"]?.stringValue ?? "",
                size: size)
            if !attachments.contains(found) { attachments.append(found) }
        }
        for child in part["parts"]?.arrayValue ?? [] { collectFiles(child, depth: depth + 1) }
    }

    private static func isBlank(_ part: Part) -> Bool {
        let text = Charset.decode(part.bytes, part.charset)
        return (part.type == "text/html" ? HTMLText.text(text) : text).allSatisfy(\.isWhitespace)
    }

    private static func header(_ name: String, of part: JSON) -> String {
        for field in part["headers"]?.arrayValue ?? [] where field["name"]?.stringValue?.lowercased() == name {
            return field["value"]?.stringValue ?? ""
        }
        return ""
    }

    /// `text/plain; charset="UTF-8"`
    static func parameter(_ name: String, in field: String) -> String? {
        for part in field.split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].filter({ !$0.isWhitespace }).lowercased() == name else { continue }
            let value = pair[1].filter { !$0.isWhitespace && $0 != "\"" }
            return value.isEmpty ? nil : value
        }
        return nil
    }

    /// Texts that were too long to come along.
    var textsElsewhere: [Part] { parts.filter { !$0.attachment.isEmpty } }

    mutating func fill(_ attachment: String, _ bytes: [UInt8]) {
        for index in parts.indices where parts[index].attachment == attachment {
            parts[index].bytes = bytes
            parts[index].attachment = ""
        }
    }

    // MARK: What it says

    /// The text of all parts.
    var text: String {
        parts.map { part in
            let text = Charset.decode(part.bytes, part.charset)
            return part.type == "text/html" ? HTMLText.text(text) : text
        }.filter { !$0.allSatisfy(\.isWhitespace) }.joined(separator: "\n\n")
    }

    var body: MailBody { MailBody(text) }

    /// Where the person sees it in a browser.
    static func link(_ id: String) -> String { "https://mail.google.com/mail/u/0/#all/" + id }
}
