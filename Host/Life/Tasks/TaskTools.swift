import TandemCore
import TandemJSON
import TandemStorage

/// Tasks and their steps: capture without fields, one next step, breaking down in the person's own words.
///
/// A step is a task whose `parent_id` is set. Nothing here counts what was missed; a task whose day is over is asked about
/// ("still wanted?"). See the behaviours 1, 2, 3 and 11 of `research/assistant-anchors.md` (d.2).
struct TaskTools: Toolbox {
    let database: any Database
    var reminding: (any TaskReminding)?

    /// Open tasks and steps of one person at most.
    static let mostOpen = 2000
    static let mostSteps = 50
    static let deepest = 6
    /// More than this are not listed at once.
    static let mostShown = 30

    func run(_ request: ToolRequest) async throws -> ToolOutcome {
        switch request.call.tool {
        case "tasks.add": try await add(request)
        case "tasks.add_many": try await addMany(request)
        case "tasks.list": try await list(request)
        case "tasks.next": try await next(request)
        case "tasks.done": try await done(request)
        case "tasks.breakdown": try await breakDown(request)
        case "tasks.smaller": try await makeSmaller(request)
        case "tasks.show": try await show(request)
        case "tasks.due": try await setDue(request)
        case "tasks.snooze": try await snooze(request)
        case "tasks.priority": try await setPriority(request)
        case "tasks.reopen": try await reopen(request)
        case "tasks.rename": try await rename(request)
        case "tasks.delete": try await delete(request)
        case "tasks.clear": try await clear(request)
        default: throw ToolFailure(status: -2, code: "unknown_tool", message: "I do not know how to do that.")
        }
    }

    // MARK: - Capture

    private func add(_ request: ToolRequest) async throws -> ToolOutcome {
        try await add(request, title: request.line("title"), due: try request.when("due"))
    }

    func add(_ request: ToolRequest, title: String?, due: DayOrInstant?) async throws -> ToolOutcome {
        let title = try TaskTools.title(title)
        let priority = request.line("priority")
        let time = request.time
        let reminds = request.flag("reminder")
        let (task, isNew, at) = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            if let existing = try rows.openTask(titled: title) {
                var set: JSONObject = [:]
                if let due { for (key, value) in TaskItem.columns(due: due, in: time) { set[key] = value } }
                if let priority { set["priority"] = .string(priority) }
                if reminds { set["reminds"] = true }
                if !set.isEmpty { try rows.update("tasks", existing.id, set) }
                try rows.setFocus(existing.id)
                let task = try rows.task(existing.id) ?? existing
                return (task, false, try plan(task, request, in: transaction))
            }
            try TaskTools.checkRoom(try rows.countOpenTasks(), adding: 1)
            let task = try rows.insertTask(title, due: due, priority: priority, reminds: reminds, in: time)
            try rows.setFocus(task.id)
            return (task, true, try plan(task, request, in: transaction))
        }
        let head = isNew ? "Saved: " : "Already on your list: "
        var tail =
            task.due.map { due in
                switch due {
                case .day: ", by \(due.say(in: time))."
                case .instant: ", \(due.say(in: time))."
                }
            } ?? "."
        tail += try await promise(at, task, request)
        return .value(
            ["task": task.json(in: time), "created": .bool(isNew)], Wording.line(head, task.title, tail),
            shown: .touched([task.shown]))
    }

    private func addMany(_ request: ToolRequest) async throws -> ToolOutcome {
        let given = (request.arguments["titles"]?.arrayValue ?? []).compactMap(\.stringValue)
        var titles: [String] = []
        for text in given {
            guard let title = try? TaskTools.title(text) else { continue }
            if !titles.contains(where: { TaskTools.isSame($0, title) }) { titles.append(title) }
        }
        guard !titles.isEmpty else { throw ToolFailure.empty("There is nothing in it yet. What is on your mind?") }
        let time = request.time
        let wanted = titles
        let tasks = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            try TaskTools.checkRoom(try rows.countOpenTasks(), adding: wanted.count)
            return try wanted.map { title in
                try rows.openTask(titled: title) ?? rows.insertTask(title, in: time)
            }
        }
        return .value(
            ["tasks": .array(tasks.map { $0.json(in: time) })],
            Wording.numbered("Saved \(tasks.count):", tasks.map(\.title)),
            shown: ShownEntities(items: tasks.map(\.shown), select: "tasks.done"))
    }

    // MARK: - Looking

    private func list(_ request: ToolRequest) async throws -> ToolOutcome {
        let filter = request.line("filter") ?? "open"
        let time = request.time
        if filter == "done" { return try await listDone(request) }
        let tree = TaskTree(try await openTasks(request))
        var tasks = tree.openRoots
        var what = "open"
        switch filter {
        case "today":
            tasks.removeAll { task in task.due.map { $0.date(in: time) > time.today } ?? true }
            what = "for today"
        case "week":
            tasks.removeAll { task in task.due.map { $0.date(in: time) > time.today.adding(days: 7) } ?? true }
            what = "for the next 7 days"
        case "high":
            tasks.removeAll { $0.priority != .high }
            what = "high priority"
        default: break
        }
        tasks.sort { TaskTools.listOrder($0, time) < TaskTools.listOrder($1, time) }
        guard !tasks.isEmpty else {
            let empty = filter == "open" ? "Your task list is empty. Tell me what is on your mind." : "Nothing \(what)."
            return .value(["tasks": []], empty)
        }
        let total = tasks.count
        tasks = Array(tasks.prefix(TaskTools.mostShown))
        let labels = tasks.map { task in
            let steps = tree.descendants(of: task.id).count
            let note = steps > 0 ? " (\(Wording.count(steps, "step")) left)" : task.dueNote(in: time)
            return Wording.clip(task.title, to: 40) + note
        }
        let head = filter == "open" ? "\(Wording.count(total, "task")):" : "\(total) \(what):"
        return .value(
            ["tasks": .array(tasks.map { $0.json(in: time) })], Wording.numbered(head, labels),
            shown: ShownEntities(items: tasks.map(\.shown), select: "tasks.done"))
    }

    private func listDone(_ request: ToolRequest) async throws -> ToolOutcome {
        let tasks = try await database.read(request.scope) { try Rows($0).doneTasks(limit: 20) }
        guard !tasks.isEmpty else {
            return .value(["tasks": []], "Nothing is ticked off yet. One small thing is enough.")
        }
        return .value(
            ["tasks": .array(tasks.map { $0.json(in: request.time) })],
            Wording.numbered("Done lately:", tasks.map { Wording.clip($0.title, to: 40) }),
            shown: ShownEntities(items: tasks.map(\.shown), select: "tasks.reopen"))
    }

    private func next(_ request: ToolRequest) async throws -> ToolOutcome {
        let tree = TaskTree(try await openTasks(request))
        guard let task = tree.next(in: request.time) else {
            let isParked = !tree.openRoots.isEmpty
            return .value(
                [:], isParked ? "Nothing for now: the rest is parked." : "Nothing is waiting. Enjoy the free moment.")
        }
        let root = tree.root(of: task)
        var items = [task.shown]
        if root.id != task.id { items.append(root.shown) }
        try await database.write(request.scope) { try Rows($0, request.call.origin).setFocus(task.id) }
        return .value(
            ["task": task.json(in: request.time)], TaskTools.nextLine(task, root: root, in: request.time),
            shown: .touched(items))
    }

    /// `Next: find the old passport (for renew my passport, by Wed 31 Mar). Too big? Say smaller.`
    private static func nextLine(_ task: TaskItem, root: TaskItem, in time: PersonTime) -> String {
        var note = ""
        if root.id != task.id {
            note = " (for \(Wording.clip(root.title, to: 30)))"
        } else {
            note = task.dueNote(in: time)
        }
        return Wording.line("Next: ", task.title, "\(note). Too big? Say smaller.")
    }

    private func show(_ request: ToolRequest) async throws -> ToolOutcome {
        let time = request.time
        let all = try await database.read(request.scope) { try Rows($0).recentTasks() }
        let tree = TaskTree(all)
        let task = all[try TaskTools.resolve(request, among: all)]
        let steps = tree.descendants(of: task.id)
        var parts: [String] = []
        if task.isDone {
            parts.append("done")
        } else if let due = task.due {
            parts.append(due.isPast(in: time) ? "still wanted?" : "by \(due.say(in: time))")
        }
        if task.priority != .normal, !task.isDone { parts.append("\(task.priority.rawValue) priority") }
        if let until = task.snoozedUntil, until > time.now { parts.append("parked until \(time.say(until))") }
        if !steps.isEmpty {
            parts.append("\(steps.filter(\.isDone).count) of \(Wording.count(steps.count, "step")) done")
        }
        let after = parts.isEmpty ? ": open, no day set." : ": \(parts.joined(separator: ", "))."
        var lines = [Wording.line("", task.title, after)]
        var items = [task.shown]
        for step in steps {
            lines.append("\(step.isDone ? "done" : "open"): \(Wording.clip(step.title))")
            if !step.isDone { items.append(step.shown) }
        }
        return .value(
            ["task": task.json(in: time), "steps": .array(steps.map { $0.json(in: time) })],
            lines.joined(separator: "\n"), shown: .touched(items))
    }

    // MARK: - Shared

    func openTasks(_ request: ToolRequest) async throws -> [TaskItem] {
        try await database.read(request.scope) { try Rows($0).openTasks() }
    }

    static func resolve(
        _ request: ToolRequest, among tasks: [TaskItem], noun: String = "task", memo: JSONObject = [:]
    ) throws -> Int {
        try request.resolve(
            "task", among: tasks.map(\.reference), noun: noun,
            ignoring: ["task", "tasks", "step", "todo", "mark", "is", "are", "as"], memo: memo)
    }

    /// Like `resolve`; a request that names no task means the one that was last spoken of.
    static func resolveOrFocus(_ request: ToolRequest, among tasks: [TaskItem], _ rows: Rows) throws -> Int {
        if request.line("task") == nil, let focus = try rows.focus(in: request.time),
            let index = tasks.firstIndex(where: { $0.id == focus })
        {
            return index
        }
        return try resolve(request, among: tasks)
    }

    static func isSame(_ left: String, _ right: String) -> Bool { left.lowercased() == right.lowercased() }

    static func checkRoom(_ open: Int, adding count: Int) throws {
        guard open + count <= mostOpen else {
            throw ToolFailure.tooMany("Your list is full (\(mostOpen)). Let something go first, then I can add this.")
        }
    }

    /// A title as it is stored: on one line, without the quotes and the full stop around it.
    static func title(_ text: String?) throws -> String {
        var title = Substring(Wording.oneLine(text ?? ""))
        while let last = title.last, ".,;: ".contains(last) { title = title.dropLast() }
        while let first = title.first, ".,;:- ".contains(first) { title = title.dropFirst() }
        if title.count > 1, let first = title.first, first == "\"", title.last == first {
            title = title.dropFirst().dropLast()
        }
        guard title.contains(where: { $0.isLetter || $0.isNumber || $0.isSymbol }) else {
            throw ToolFailure.empty("There is nothing in it yet. What would you like to do?")
        }
        guard title.unicodeScalars.count <= titleLimit else {
            throw ToolFailure(
                status: -1, code: "too_long", message: "That is long for a task. Say it in \(titleLimit) characters?")
        }
        return String(title)
    }

    private static func listOrder(_ task: TaskItem, _ time: PersonTime) -> (Int, Int, Int64) {
        let importance = task.priority == .high ? 0 : task.priority == .normal ? 1 : 2
        return (task.due?.date(in: time).daysSinceEpoch ?? .max, importance, task.id.rawValue)
    }
}

extension ShownEntities {
    /// Things that were only named: `that`, `it`.
    static func touched(_ items: [Item]) -> ShownEntities { ShownEntities(items: items, isNumbered: false) }
}
