import TandemCore
import TandemJSON
import TandemStorage

/// The rows of tasks and notes within one transaction; writes are journalled under the call's origin.
struct Rows {
    private let reading: any ReadTransaction
    private let writing: (any WriteTransaction)?
    private let origin: WriteOrigin?

    init(_ transaction: any ReadTransaction) {
        reading = transaction
        writing = nil
        origin = nil
    }

    init(_ transaction: any WriteTransaction, _ origin: WriteOrigin) {
        reading = transaction
        writing = transaction
        self.origin = origin
    }

    private func writer() throws -> any WriteTransaction {
        guard let writing else { throw StorageError(.notAllowed, "a write in a reading transaction") }
        return writing
    }

    // MARK: - Any table

    func count(_ table: String) throws -> Int { try reading.count(table) }

    func update(_ table: String, _ id: RecordID, _ set: JSONObject) throws {
        try writer().update(table, id, set: set, origin: origin)
    }

    func delete(_ table: String, _ id: RecordID) throws { try writer().delete(table, id, origin: origin) }

    // MARK: - Tasks

    private static let isOpen = RowCondition("status", .equal, "open")
    private static let isDone = RowCondition("status", .equal, "done")

    func task(_ id: RecordID) throws -> TaskItem? { try reading.row("tasks", id).map(TaskItem.init(row:)) }

    /// Open tasks and steps, oldest first.
    func openTasks() throws -> [TaskItem] {
        try reading.list("tasks", where: [Rows.isOpen], order: [RowOrder("id")], limit: TaskTools.mostOpen)
            .map(TaskItem.init(row:))
    }

    func countOpenTasks() throws -> Int { try reading.count("tasks", where: [Rows.isOpen]) }

    /// The open task of exactly these words, capitals at the usual places aside. Found without opening any title.
    func openTask(titled title: String) throws -> TaskItem? {
        let lower = title.lowercased()
        var forms = [title, lower, title.uppercased()]
        for text in [title, lower] { if let first = text.first { forms.append(first.uppercased() + text.dropFirst()) } }
        if let first = title.first { forms.append(first.lowercased() + title.dropFirst()) }
        return try reading.list(
            "tasks",
            where: [
                Rows.isOpen, RowCondition("parent_id", .isNull),
                RowCondition("title", .oneOf, .array(forms.map { .string($0) })),
            ], limit: 1
        ).first.map(TaskItem.init(row:))
    }

    /// Finished tasks and steps, the last one first.
    func doneTasks(limit: Int) throws -> [TaskItem] {
        try reading.list(
            "tasks", where: [Rows.isDone], order: [RowOrder("completed_at", descending: true)], limit: limit
        ).map(TaskItem.init(row:))
    }

    /// What is open, and what was finished lately.
    func recentTasks() throws -> [TaskItem] { try openTasks() + doneTasks(limit: 200) }

    func insertTask(
        _ title: String, due: DayOrInstant? = nil, priority: String? = nil, reminds: Bool = false,
        parent: RecordID? = nil, order: Int64 = 0, in time: PersonTime
    ) throws -> TaskItem {
        var values = TaskItem.columns(due: due, in: time)
        values["title"] = .string(title)
        if let priority { values["priority"] = .string(priority) }
        if reminds { values["reminds"] = true }
        if let parent { values["parent_id"] = .id(parent) }
        values["step_order"] = .integer(order)
        let id = try writer().insert("tasks", values, origin: origin)
        guard let task = try task(id) else { throw StorageError(.internalFailure, "an inserted row is not there") }
        return task
    }

    func deleteTasks(onlyDone: Bool) throws -> Int {
        try writer().delete("tasks", where: onlyDone ? [Rows.isDone] : [], origin: origin)
    }

    /// Remembers which task was last spoken of; apart from what an undo takes back.
    func setFocus(_ id: RecordID) throws {
        let values: JSONObject = ["task_id": .id(id)]
        if let row = try reading.list("task_focus", limit: 1).first {
            try writer().update("task_focus", row.id, set: values)
        } else {
            try writer().insert("task_focus", values)
        }
    }

    /// The id of the task that was last spoken of, if that was lately.
    func focus(in time: PersonTime) throws -> RecordID? {
        guard let row = try reading.list("task_focus", limit: 1).first,
            time.now.since(row.updatedAt) <= Rows.focusLifetime
        else { return nil }
        return row.recordID("task_id")
    }

    private static let focusLifetime = Duration.seconds(6 * 3600)

    // MARK: - Notes

    func note(_ id: RecordID) throws -> NoteItem? { try reading.row("notes", id).map(NoteItem.init(row:)) }

    /// All notes, the one that changed last first.
    func notes() throws -> [NoteItem] {
        try reading.list(
            "notes", where: [RowCondition("status", .equal, "active")],
            order: [RowOrder("updated_at", descending: true), RowOrder("id", descending: true)],
            limit: NoteTools.mostNotes
        ).map(NoteItem.init(row:))
    }

    func updateNote(_ id: RecordID, _ set: JSONObject) throws {
        try update("notes", id, set)
    }

    func insertNote(_ values: JSONObject) throws -> NoteItem {
        let id = try writer().insert("notes", values, origin: origin)
        guard let note = try note(id) else { throw StorageError(.internalFailure, "an inserted row is not there") }
        return note
    }
}
