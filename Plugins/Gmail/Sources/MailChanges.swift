import MailCommon
import PluginCommon
public import TandemSDK

/// What was changed about mails, in labels; what `gmail.restore` takes back.
public struct MailChanges: Object, Hashable {
    public var changes: [MailChange]
}

public struct MailChange: Object, Hashable {
    public var mails: [String]
    public var added: [String]
    public var removed: [String]

    /// Bounded, so that what is given back can be given in again.
    public static var shape: Shape {
        func list(_ count: Int64, _ length: Int64) -> JSON {
            [
                "type": "array", "maxItems": .integer(count),
                "items": ["type": "string", "maxLength": .integer(length)],
            ]
        }
        return Shape(
            schema: [
                "type": "object",
                "properties": ["mails": list(1000, 40), "added": list(20, 64), "removed": list(20, 64)],
                "required": ["mails", "added", "removed"], "additionalProperties": false,
            ])
    }
}

/// Changes labels, and notes what really changed, so that it can be taken back exactly.
struct LabelChanger {
    let service: GmailService

    init(_ context: Context) { service = GmailService(context) }

    func change(_ mails: [MailHead], add: [String], remove: [String]) async throws -> MailChanges {
        var changes: [MailChange] = []
        for mail in mails {
            let present = labels(of: mail)
            let added = add.filter { present[$0] != true }
            let removed = remove.filter { present[$0] != false }
            guard !added.isEmpty || !removed.isEmpty else { continue }
            if let index = changes.firstIndex(where: { $0.added == added && $0.removed == removed }) {
                changes[index].mails.append(mail.id)
            } else {
                changes.append(MailChange(mails: [mail.id], added: added, removed: removed))
            }
        }
        await SyncSchedule.begin(SyncInBackground.self, service.context)
        for change in changes { try await service.modify(change.mails, add: change.added, remove: change.removed) }
        return MailChanges(changes: changes)
    }

    /// Of Gmail's own labels whether the mail has them; others are not known.
    private func labels(of mail: MailHead) -> [String: Bool] {
        ["INBOX": mail.isInInbox, "UNREAD": mail.isUnread, "STARRED": mail.isStarred]
    }

    func takeBack(_ changes: MailChanges) async throws -> Int {
        var count = 0
        for change in changes.changes.reversed() {
            if change.added.contains("TRASH") {
                for id in change.mails {
                    try await service.post(try GmailService.path(id) + "/untrash", isIdempotent: true)
                }
            }
            try await service.modify(
                change.mails, add: change.removed, remove: change.added.filter { $0 != "TRASH" })
            count += change.mails.count
        }
        return count
    }
}

enum ChangePhrase {
    /// `Archived: Pat Sample: Leaking tap.` or `Archived 3 mails.`
    static func reply(
        _ verb: String, _ mails: [MailHead], _ changes: MailChanges, already: String
    ) -> Reply<MailChanges> {
        let shown = Shown.mails(mails, type: Gmail.Mail.entity, select: "gmail.read", numbered: false)
        guard !changes.changes.isEmpty else { return Reply(already, value: changes, shown: shown) }
        let text = mails.count == 1 ? "\(verb): \(mails[0].line)." : "\(verb) \(MailWords.count(mails.count))."
        return Reply(text, value: changes, shown: shown, trust: .untrusted)
    }
}

public struct RestoreMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.restore", "Take back a change of mails", effect: .write,
        "Puts labels back as they were before a change; takes mails out of the trash.",
        utterances: [
            "restore the last change of my gmail (labels|mails)"
        ], timeoutMilliseconds: 30_000)

    @Argument("The changes, as the tool that made them gave them back", planned: false, schema: ["maxItems": 3])
    var changes: [MailChange]

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailChanges> {
        guard !changes.isEmpty else { throw ToolError.invalid("There is nothing to take back.") }
        let changer = LabelChanger(context)
        let count = try await changer.takeBack(MailChanges(changes: changes))
        return Reply("\(MailWords.count(count).capitalizedFirst) as before.", value: MailChanges(changes: []))
    }
}
