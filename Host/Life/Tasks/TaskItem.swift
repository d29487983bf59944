import TandemCore
import TandemJSON
import TandemStorage

/// One task or step, as a row of `tasks` holds it.
struct TaskItem: Sendable, Equatable {
    enum Priority: String, Sendable { case low, normal, high }

    var id: RecordID
    var title: String
    var isDone: Bool
    var priority: Priority
    var due: DayOrInstant?
    /// The person wants to be texted when it is time.
    var reminds = false
    var snoozedUntil: Timestamp?
    var completedAt: Timestamp?
    var parent: RecordID?
    var order: Int64
    var createdAt: Timestamp

    /// The entity type of tasks and steps in `shown`.
    static let entity = "tasks.task"

    init(row: UserRow) {
        id = row.id
        title = row.string("title") ?? ""
        isDone = row.string("status") != "open"
        priority = row.string("priority").flatMap(Priority.init(rawValue:)) ?? .normal
        if let instant = row.timestamp("due_at") {
            due = .instant(instant)
        } else if let day = row.date("due_date") {
            due = .day(day)
        }
        reminds = row["reminds"].boolValue ?? false
        snoozedUntil = row.timestamp("snoozed_until")
        completedAt = row.timestamp("completed_at")
        parent = row.recordID("parent_id")
        order = row.integer("step_order") ?? 0
        createdAt = row.createdAt
    }

    /// The columns that hold a due day or instant.
    static func columns(due: DayOrInstant?, in time: PersonTime) -> JSONObject {
        switch due {
        case nil: ["due_date": .null, "due_at": .null]
        case .day(let day)?: ["due_date": .string(day.description), "due_at": .null]
        case .instant(let instant)?:
            ["due_date": .string(time.date(of: instant).description), "due_at": .string(instant.description)]
        }
    }

    var reference: Referable { Referable(id: id.description, label: title) }

    var shown: ShownEntities.Item {
        ShownEntities.Item(type: TaskItem.entity, id: id.description, label: Wording.clip(title))
    }

    /// The value that tools give back for it.
    func json(in time: PersonTime) -> JSON {
        var object: JSONObject = [
            "id": .string(id.description), "title": .string(title), "status": isDone ? "done" : "open",
            "priority": .string(priority.rawValue),
        ]
        switch due {
        case .day(let day)?: object["due"] = .string(day.description)
        case .instant(let instant)?: object["due"] = .string(instant.description)
        case nil: break
        }
        if let parent { object["parent"] = .string(parent.description) }
        return .object(object)
    }

    /// ` (by Wed 31 Mar)`, ` (still wanted?)` when its day is over, or nothing.
    func dueNote(in time: PersonTime) -> String {
        guard let due else { return "" }
        return due.isPast(in: time) ? " (still wanted?)" : " (by \(due.say(in: time)))"
    }
}
