public import MailCommon
import PluginCommon
public import TandemSDK

/// What sorting, and making tasks of mails, needs of Outlook.
extension Graph: MailboxPlugin {
    public static let taskTable = "graph_tasks"
    public static let reading = "graph.read"
    public static let adviceAboutNoise = ""

    public static let makingATask = ToolDeclaration(
        "graph.task", "Make a task of an Outlook mail", effect: .write,
        "Puts an Outlook mail on the person's task list, with a way back to it.",
        utterances: [
            "make [the|that|this] outlook (mail|email) {mail} a task",
            "make a task (of|from|out of) the outlook (mail|email) [from|about] {mail}",
            "turn the outlook (mail|email) (from|about) {mail} into a task [(by|for|due) {due}]",
            "add the outlook (mail|email) (from|about) {mail} to my (tasks|to-do list|todo list)",
            "remind me to answer the outlook (mail|email) (from|about) {mail} [{due}]",
        ], actsOn: Graph.Mail.entity, timeoutMilliseconds: 20_000)

    public static let findingTheMail = ToolDeclaration(
        "graph.of_task", "Show the Outlook mail of a task", effect: .read,
        "Finds the Outlook mail that a task was made of.", trust: .untrusted,
        utterances: [
            "(show|open|find) the outlook (mail|email) (of|for|behind) the task {task}",
            "which outlook (mail|email) was the task {task} [from|about]",
        ], timeoutMilliseconds: 20_000)

    public static let triage = ToolDeclaration(
        "graph.triage", "Sort out the Outlook mail", effect: .read,
        "Says which Outlook mails need the person's answer, where the person waits for others, and what is noise.",
        trust: .untrusted,
        utterances: [
            "what outlook (mail|mails|email|emails) (need|needs) (an answer|a reply|me)",
            "which outlook (mails|emails) (need|needs) (an answer|a reply|answering)",
            "what needs (an answer|a reply) in (my outlook|outlook|my outlook inbox)",
            "triage my outlook [inbox|mail|email|emails]", "sort [out] my outlook [inbox|mail|email|emails]",
            "go through my outlook [inbox|mail|email|emails]",
            Utterance(
                "who (has not|hasn't|did not|didn't) (answered|replied|answer|reply) [to] me (in|on) outlook",
                arguments: ["kind": "waiting"]),
            Utterance("what is (noise|junk|unimportant) in [my] outlook", arguments: ["kind": "noise"]),
        ], timeoutMilliseconds: 30_000)

    public static func find(
        _ mail: MailReference, _ context: Context
    ) async throws -> (head: MailHead, link: String) {
        let mails = GraphMail(context)
        let head = try await mails.find(mail)
        let path = "/messages/" + (try GraphService.segment(head.id))
        let link = try await mails.service.get(path, [("$select", "id,webLink")]).json["webLink"]?.stringValue
        return (head, link ?? "https://outlook.office.com/mail/")
    }

    public static func read(_ id: String, _ context: Context) async throws -> Reply<MailText> {
        var read = ReadMail()
        read.mail = .id(id)
        return try await read.run(context)
    }

    public static func recent(_ context: Context) async throws -> RecentMail {
        let mails = GraphMail(context)
        do {
            let own = try await mails.service.profile().address.lowercased()
            let since = GraphTime.parameter(
                Instant(milliseconds: context.clock.now.milliseconds - 21 * 86_400_000))
            let window = [("$filter", "receivedDateTime ge " + since), ("$orderby", "receivedDateTime desc")]
            let inbox = try await mails.list("/mailFolders/inbox/messages", window, limit: 25)
            var sent = try await mails.list("/mailFolders/sentitems/messages", window, limit: 20)
            for index in sent.heads.indices { sent.heads[index].isOwn = true }
            return RecentMail(inbox.heads + sent.heads, own: [own], note: inbox.note ?? sent.note)
        } catch let error as ToolError where error.isRetryable {
            guard let kept = try await KeptCalendar(context).mails(.inbox, limit: 200) else { throw error }
            return RecentMail(kept.mails, own: [], note: kept.note)
        }
    }
}

typealias MailTask = MailCommon.MailTask<Graph>
typealias TaskFromMail = MailCommon.TaskFromMail<Graph>
typealias MailOfTask = MailCommon.MailOfTask<Graph>
typealias TriageMail = MailCommon.TriageMail<Graph>
