import PluginCommon
public import TandemSDK

/// A plugin that makes tasks of mails.
public protocol MailTaskOwner: Sendable {
    /// The table of its tasks: `gmail_tasks`.
    static var taskTable: String { get }
}

/// A task that was made of a mail: the way back.
public struct MailTask<Owner: MailTaskOwner>: Row, Hashable {
    public static var table: Table<MailTask> {
        Table(
            Owner.taskTable, "which of your tasks came from which mail", .sealed(\.title), .unique(\.message),
            .index(\.task))
    }

    public var id = RowID()
    /// The mail's id at the service.
    public var message: String
    /// The task's id.
    public var task: String
    public var title: String
    public var link: String

    /// Puts a mail on the person's list: a second time it is the same mail with another task.
    ///
    /// - Parameter title: what to do; nil: made of sender and subject.
    public static func make(
        of head: MailHead, link: String, title: String?, due: When?, _ context: Context
    ) async throws -> Reply<MailTaskMade> {
        let rows = context.rows(Self.self)
        let words =
            title?.singleLine(limit: 150).nonEmpty
            ?? "\(head.isOwn ? "Follow up with" : "Answer") \(head.party.shortName.cut(to: 40)): \(head.title.cut(to: 90))"
        var arguments: JSONObject = ["title": .string(words)]
        if let due { arguments["due"] = due.json }
        let made = try await context.tools.call("tasks.add", .object(arguments))
        guard let task = made.value["task"]?["id"]?.stringValue else {
            throw ToolError(code: "unexpected_result", "The task list answered in an unexpected way.")
        }
        if let known = try await rows.first(where: \.message == head.id) {
            try await rows.update(known.id, .set(\.task, task), .set(\.title, words))
        } else {
            try await rows.insert(MailTask(message: head.id, task: task, title: words, link: link))
        }
        return Reply(
            "On your tasks: \(words.cut(to: 100)).\nThe mail: \(link)",
            value: MailTaskMade(task: task, title: words, mail: head.id, link: link),
            shown: Shown([.init(type: TaskEntity.entity, id: task, label: words)], numbered: false),
            trust: .untrusted)
    }

    /// The mail's id at the service. Throws `not_found` when no mail belongs to the task.
    public static func message(of task: ServiceReference<TaskEntity>, _ context: Context) async throws -> String {
        let rows = context.rows(Self.self)
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
        return found.message
    }
}

/// The tasks of the person's own list.
public enum TaskEntity: Entity { public static let entity = "tasks.task" }

public struct MailTaskMade: Object {
    public var task: String
    public var title: String
    public var mail: String
    public var link: String
}
