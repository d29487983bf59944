import MailCommon
import PluginCommon
public import TandemSDK

/// A task that was made of a mail: the way back.
public struct MailTask: Row, Hashable {
    public static let table = Table<MailTask>(
        "gmail_tasks", "which of your tasks came from which mail", .sealed(\.title), .unique(\.message), .index(\.task))

    public var id = RowID()
    /// Gmail's id.
    public var message: String
    /// The task's id.
    public var task: String
    public var title: String
    public var link: String
}

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

    public struct Made: Object {
        public var task: String
        public var title: String
        public var mail: String
        public var link: String
    }

    public func run(_ context: Context) async throws -> Reply<Made> {
        let head = try await MailFinder(context).find(mail)
        let rows = context.rows(MailTask.self)
        let words =
            title?.singleLine(limit: 150).nonEmpty
            ?? "\(head.isOwn ? "Follow up with" : "Answer") \(head.party.shortName.cut(to: 40)): \(head.title.cut(to: 90))"
        var arguments: JSONObject = ["title": .string(words)]
        if let due { arguments["due"] = due.json }
        let made = try await context.tools.call("tasks.add", .object(arguments))
        guard let task = made.value["task"]?["id"]?.stringValue else {
            throw ToolError(code: "unexpected_result", "The task list answered in an unexpected way.")
        }
        let row = MailTask(message: head.id, task: task, title: words, link: GmailMessage.link(head.id))
        if let known = try await rows.first(where: \.message == head.id) {
            try await rows.update(known.id, .set(\.task, task), .set(\.title, words))
        } else {
            try await rows.insert(row)
        }
        return Reply(
            "On your tasks: \(words.cut(to: 100)).\nThe mail: \(row.link)",
            value: Made(task: task, title: words, mail: head.id, link: row.link),
            shown: Shown(
                [.init(type: "tasks.task", id: task, label: words)], numbered: false), trust: .untrusted)
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

    enum Task: Entity { static let entity = "tasks.task" }

    @Argument("Which task") var task: ServiceReference<Task>

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailText> {
        let rows = context.rows(MailTask.self)
        let found: MailTask?
        switch task {
        case .id(let id): found = try await rows.first(where: \.task == id)
        case .words(let words):
            let wanted = Words.split(words)
            let all = try await rows.list(where: [], order: [.descending(\.id)], limit: 200)
            found = all.first { row in
                let text = Words.split(row.title)
                return !wanted.isEmpty && wanted.allSatisfy(text.contains)
            }
        }
        guard let found else { throw ToolError.notFound("No mail belongs to that task.") }
        var read = ReadMail()
        read.mail = .id(found.message)
        return try await read.run(context)
    }
}
