public import MailCommon
import PluginCommon
public import TandemSDK

extension Gmail: MailTaskOwner {
    public static let taskTable = "gmail_tasks"
}

typealias MailTask = MailCommon.MailTask<Gmail>

public struct TaskFromMail: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.task", "Make a task of a mail", effect: .write,
        "Puts a mail on the person's task list, with a way back to it.",
        utterances: [
            "make [the|that|this] (mail|email) {mail} a task", "make a task (of|from|out of) [the (mail|email)] {mail}",
            "turn {mail} into a task [(by|for|due) {due}]", "turn the (mail|email) (from|about) {mail} into a task",
            "add the (mail|email) (from|about) {mail} to my (tasks|to-do list|todo list)",
            "put the (mail|email) (from|about) {mail} on my (tasks|to-do list|todo list)",
            "remind me to answer the (mail|email) (from|about) {mail} [{due}]",
        ], actsOn: Gmail.Mail.entity, timeoutMilliseconds: 20_000)

    @Argument("Which mail: #id as shown, or who or what it is about") var mail: MailReference
    @Argument("By when") var due: When?
    @Argument("What to do; made of sender and subject unless given", planned: false, schema: ["maxLength": 200])
    var title: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailTaskMade> {
        let head = try await MailFinder(context).find(mail)
        return try await MailTask.make(of: head, link: GmailMessage.link(head.id), title: title, due: due, context)
    }
}

public struct MailOfTask: Tool {
    public static let declaration = ToolDeclaration(
        "gmail.of_task", "Show the mail of a task", effect: .read,
        "Finds the mail that a task was made of.", trust: .untrusted,
        utterances: [
            "(show|open|find) the (mail|email) (of|for|behind) the task {task}",
            "which (mail|email) was the task {task} [from|about]",
            "(show|open) the (mail|email) behind {task}",
        ], timeoutMilliseconds: 20_000)

    @Argument("Which task") var task: ServiceReference<TaskEntity>

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailText> {
        var read = ReadMail()
        read.mail = .id(try await MailTask.message(of: task, context))
        return try await read.run(context)
    }
}
