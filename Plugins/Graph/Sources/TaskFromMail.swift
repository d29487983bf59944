public import MailCommon
import PluginCommon
public import TandemSDK

extension Graph: MailTaskOwner {
    public static let taskTable = "graph_tasks"
}

typealias MailTask = MailCommon.MailTask<Graph>

public struct TaskFromMail: Tool {
    public static let declaration = ToolDeclaration(
        "graph.task", "Make a task of an Outlook mail", effect: .write,
        "Puts an Outlook mail on the person's task list, with a way back to it.",
        utterances: [
            "make [the|that|this] outlook (mail|email) {mail} a task",
            "make a task (of|from|out of) the outlook (mail|email) [from|about] {mail}",
            "turn the outlook (mail|email) (from|about) {mail} into a task [(by|for|due) {due}]",
            "add the outlook (mail|email) (from|about) {mail} to my (tasks|to-do list|todo list)",
            "remind me to answer the outlook (mail|email) (from|about) {mail} [{due}]",
        ], actsOn: Graph.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mail: #id as shown, or who or what it is about") var mail: MailReference
    @Argument("By when") var due: When?
    @Argument("What to do; made of sender and subject unless given", planned: false, schema: ["maxLength": 200])
    var title: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailTaskMade> {
        let mails = GraphMail(context)
        let head = try await mails.find(mail)
        let path = "/messages/" + (try GraphService.segment(head.id))
        let link = try await mails.service.get(path, [("$select", "id,webLink")]).json["webLink"]?.stringValue
        return try await MailTask.make(
            of: head, link: link ?? "https://outlook.office.com/mail/", title: title, due: due, context)
    }
}

public struct MailOfTask: Tool {
    public static let declaration = ToolDeclaration(
        "graph.of_task", "Show the Outlook mail of a task", effect: .read,
        "Finds the Outlook mail that a task was made of.", trust: .untrusted,
        utterances: [
            "(show|open|find) the outlook (mail|email) (of|for|behind) the task {task}",
            "which outlook (mail|email) was the task {task} [from|about]",
        ], timeoutMilliseconds: 20_000)

    @Argument("Which task") var task: ServiceReference<TaskEntity>

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailText> {
        var read = ReadMail()
        read.mail = .id(try await MailTask.message(of: task, context))
        return try await read.run(context)
    }
}
