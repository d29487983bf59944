public import MailCommon
import PluginCommon
public import TandemSDK

/// What sorting, and making tasks of mails, needs of Gmail.
extension Gmail: MailboxPlugin {
    public static let taskTable = "gmail_tasks"
    public static let reading = "gmail.read"
    public static let adviceAboutNoise = "say archive newsletters"

    public static let makingATask = ToolDeclaration(
        "gmail.task", "Make a task of a mail", effect: .write,
        "Puts a mail on the person's task list, with a way back to it.",
        utterances: [
            "make [the|that|this] (mail|email) {mail} a task", "make a task (of|from|out of) [the (mail|email)] {mail}",
            "turn {mail} into a task [(by|for|due) {due}]", "turn the (mail|email) (from|about) {mail} into a task",
            "add the (mail|email) (from|about) {mail} to my (tasks|to-do list|todo list)",
            "put the (mail|email) (from|about) {mail} on my (tasks|to-do list|todo list)",
            "remind me to answer the (mail|email) (from|about) {mail} [{due}]",
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 20_000)

    public static let findingTheMail = ToolDeclaration(
        "gmail.of_task", "Show the mail of a task", effect: .read,
        "Finds the mail that a task was made of.", trust: .untrusted,
        utterances: [
            "(show|open|find) the (mail|email) (of|for|behind) the task {task}",
            "which (mail|email) was the task {task} [from|about]",
            "(show|open) the (mail|email) behind {task}",
        ], timeoutMilliseconds: 20_000)

    public static let triage = ToolDeclaration(
        "gmail.triage", "Sort out the mail", effect: .read,
        "Says which mails need the person's answer, where the person waits for others, and what is noise.",
        trust: .untrusted,
        utterances: [
            "what (mail|mails|email|emails) (need|needs) (an answer|a reply|me)",
            "which (mails|emails) (need|needs) (an answer|a reply|answering)",
            "what needs (an answer|a reply) in my (inbox|mail|email)",
            "who do I (need|have) to (answer|reply to|write back to)",
            "who is waiting for (my answer|a reply from me|me to reply)", "triage my (inbox|mail|email|emails)",
            "sort [out] my (inbox|mail|email|emails)", "go through my (inbox|mail|email|emails)",
            "which (mails|emails) should I answer [first]", "what is important in my (inbox|mail|email)",
            Utterance(
                "who (has not|hasn't|did not|didn't) (answered|replied|answer|reply) [to] me",
                arguments: ["kind": "waiting"]),
            Utterance("what (mail|mails|email|emails) am I waiting for", arguments: ["kind": "waiting"]),
            Utterance("who owes me (an answer|a reply)", arguments: ["kind": "waiting"]),
            Utterance("what is (noise|junk|unimportant) in my (inbox|mail|email)", arguments: ["kind": "noise"]),
        ], timeoutMilliseconds: 30_000)

    public static func find(
        _ mail: MailReference, _ context: Context
    ) async throws -> (head: MailHead, link: String) {
        let head = try await MailFinder(context).find(mail)
        return (head, GmailMessage.link(head.id))
    }

    public static func read(_ id: String, _ context: Context) async throws -> Reply<MailText> {
        var read = ReadMail()
        read.mail = .id(id)
        return try await read.run(context)
    }

    public static func recent(_ context: Context) async throws -> RecentMail {
        do {
            let service = GmailService(context)
            let own = try await service.ownAddress().lowercased()
            let inbox = try await service.list("newer_than:21d", labels: ["INBOX"], limit: 25)
            let sent = try await service.list("newer_than:21d", labels: ["SENT"], limit: 20)
            let found = try await service.heads(inbox.ids + sent.ids.filter { !inbox.ids.contains($0) })
            return RecentMail(found.heads, own: [own], note: inbox.note ?? found.note)
        } catch let error as ToolError where error.isRetryable {
            guard let kept = try await MailIndex(context).everything() else { throw error }
            return RecentMail(kept.heads, own: kept.own, note: kept.note)
        }
    }

    /// An answer may have been archived: the threads are looked at.
    public static func stillWaiting(
        _ verdicts: [MailTriage.Verdict], _ context: Context
    ) async throws -> [MailTriage.Verdict] {
        let service = GmailService(context)
        var waiting: [MailTriage.Verdict] = []
        for verdict in verdicts where waiting.count < 8 {
            let path = "threads/" + HTTPRequest.percentEncoded(verdict.mail.thread)
            guard let thread = try? await service.get(path, [("format", "minimal")]).json,
                let newest = thread["messages"]?.arrayValue?.last
            else { continue }
            let labels = (newest["labelIds"]?.arrayValue ?? []).compactMap(\.stringValue)
            if labels.contains("SENT") { waiting.append(verdict) }
        }
        return waiting
    }
}

typealias MailTask = MailCommon.MailTask<Gmail>
typealias TaskFromMail = MailCommon.TaskFromMail<Gmail>
typealias MailOfTask = MailCommon.MailOfTask<Gmail>
typealias TriageMail = MailCommon.TriageMail<Gmail>
