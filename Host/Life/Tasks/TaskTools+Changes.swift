import TandemCore
import TandemJSON
import TandemStorage

extension TaskTools {
    func done(_ request: ToolRequest) async throws -> ToolOutcome {
        let time = request.time
        let (task, next, root, isNew) = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            let open = try rows.openTasks()
            let task: TaskItem
            if let id = TaskTools.id(request), !open.contains(where: { $0.id == id }) {
                // Said twice, or a tap on an old list: being done already is no failure.
                guard let finished = try rows.task(id) else { throw ToolFailure.notFound("task", request.line("task")) }
                return (finished, TaskItem?.none, finished, false)
            } else {
                task = open[try TaskTools.resolveOrFocus(request, among: open, rows)]
            }
            let tree = TaskTree(open)
            let finished: JSONObject = ["status": "done", "completed_at": .string(time.now.description)]
            try rows.update("tasks", task.id, finished)
            let steps = tree.descendants(of: task.id)
            for step in steps { try rows.update("tasks", step.id, finished) }
            let gone = Set(steps.map(\.id))
            let next = TaskTree(open.filter { !gone.contains($0.id) }).following(task)
            if let next { try rows.setFocus(next.id) }
            return (try rows.task(task.id) ?? task, next, tree.root(of: task), true)
        }
        var value: JSONObject = ["task": task.json(in: time)]
        guard isNew else {
            return .value(
                .object(value), Wording.line("", task.title, " is done already. Nice."), shown: .touched([task.shown]))
        }
        guard let next else {
            return .value(
                .object(value), Wording.line("Done: ", task.title, ". Well done."), shown: .touched([task.shown]))
        }
        value["next"] = next.json(in: time)
        let title = Wording.clip(next.title, to: 60)
        let tail = next.id == task.parent ? ". Was that all of \"\(title)\"? Then say done." : ". Next: \(title)."
        var items = [next.shown]
        if root.id != next.id { items.append(root.shown) }
        items.append(task.shown)
        return .value(.object(value), Wording.line("Done: ", task.title, tail), shown: .touched(items))
    }

    func reopen(_ request: ToolRequest) async throws -> ToolOutcome {
        let task = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            let finished = try rows.doneTasks(limit: 200)
            let task: TaskItem
            if let id = TaskTools.id(request) {
                guard let found = try rows.task(id) else { throw ToolFailure.notFound("task", request.line("task")) }
                task = found
            } else {
                task = finished[try TaskTools.resolve(request, among: finished, noun: "finished task")]
            }
            let open: JSONObject = ["status": "open", "completed_at": .null]
            try rows.update("tasks", task.id, open)
            // An open step needs an open task above it.
            var parent = task.parent
            var levels = 0
            while let id = parent, levels < 32, let above = try rows.task(id) {
                if above.isDone { try rows.update("tasks", id, open) }
                parent = above.parent
                levels += 1
            }
            return try rows.task(task.id) ?? task
        }
        return one(task, Wording.line("Open again: ", task.title, "."), request)
    }

    func setDue(_ request: ToolRequest) async throws -> ToolOutcome {
        let due = try request.when("due")
        guard due != nil || request.flag("clear") else {
            throw request.asking("By when? A day is enough, like Friday or 31 March.", field: "due")
        }
        let time = request.time
        let task: TaskItem
        let at: Timestamp?
        do {
            // A time that was said before and is over holds back no new one.
            (task, at) = try await change(request) { _ in
                var columns = TaskItem.columns(due: due, in: time)
                columns["snoozed_until"] = .null
                return columns
            }
        } catch let failure as ToolFailure where failure.code == "not_found" && request.flag("create") {
            // "Rent is due on Friday" about a task that is not there yet: kept rather than lost.
            guard let words = request.line("task"), !words.hasPrefix("#"), let due else { throw failure }
            return try await add(request, title: words, due: due)
        }
        guard let due else { return one(task, Wording.line("No day set any more: ", task.title, "."), request) }
        let promise = try await promise(at, task, request)
        return one(task, Wording.line("", task.title, ": by \(due.say(in: time)).\(promise)"), request)
    }

    func snooze(_ request: ToolRequest) async throws -> ToolOutcome {
        let time = request.time
        let until = try request.when("until") ?? .day(time.today.adding(days: 1))
        let instant: Timestamp
        switch until {
        case .instant(let value): instant = value
        case .day(let day): instant = time.startOfDay(day)
        }
        let (task, at) = try await change(request) { _ in ["snoozed_until": .string(instant.description)] }
        let promise = try await promise(at, task, request)
        return one(task, Wording.line("Parked until \(until.say(in: time)): ", task.title, ".\(promise)"), request)
    }

    func setPriority(_ request: ToolRequest) async throws -> ToolOutcome {
        guard let priority = request.line("priority").flatMap(TaskItem.Priority.init(rawValue:)) else {
            throw ToolFailure(status: -1, code: "invalid", message: "Is it high, normal or low?")
        }
        let (task, _) = try await change(request) { _ in ["priority": .string(priority.rawValue)] }
        let tail = priority == .low ? " can wait (low priority)." : " is \(priority.rawValue) priority now."
        return one(task, Wording.line("", task.title, tail), request)
    }

    func rename(_ request: ToolRequest) async throws -> ToolOutcome {
        let title = try TaskTools.title(request.line("title"))
        let (task, _) = try await change(request) { _ in ["title": .string(title)] }
        return one(task, Wording.line("Now called: ", task.title, "."), request)
    }

    func delete(_ request: ToolRequest) async throws -> ToolOutcome {
        let (task, steps) = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            let all = try rows.recentTasks()
            let task: TaskItem
            if let id = TaskTools.id(request) {
                guard let found = try rows.task(id) else { throw ToolFailure.notFound("task", request.line("task")) }
                task = found
            } else {
                // Words mean an open task before a finished one.
                let open = all.filter { !$0.isDone }
                task = try TaskTools.pick(request, among: open, else: all)
            }
            let steps = TaskTree(all).descendants(of: task.id)
            try rows.delete("tasks", task.id)
            return (task, steps.count)
        }
        let tail = steps > 0 ? " and its \(Wording.count(steps, "step"))." : "."
        return .value(["removed": task.json(in: request.time)], Wording.line("Removed: ", task.title, tail))
    }

    func clear(_ request: ToolRequest) async throws -> ToolOutcome {
        let isAll = request.line("which") == "all"
        let removed = try await database.write(request.scope) { transaction in
            try Rows(transaction, request.call.origin).deleteTasks(onlyDone: !isAll)
        }
        let what = isAll ? "task" : "finished task"
        return .value(
            ["removed": .integer(Int64(removed))],
            removed == 0 ? "There was nothing to remove." : "Removed \(Wording.count(removed, what)).")
    }

    // MARK: - Shared

    private func one(_ task: TaskItem, _ message: String, _ request: ToolRequest) -> ToolOutcome {
        .value(["task": task.json(in: request.time)], message, shown: .touched([task.shown]))
    }

    /// Sets columns of the open task that the request means, and returns it as it is then, with the time of its reminder.
    private func change(
        _ request: ToolRequest, _ columns: @escaping @Sendable (TaskItem) throws -> JSONObject
    ) async throws -> (task: TaskItem, reminder: Timestamp?) {
        try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            let open = try rows.openTasks()
            let task = open[try TaskTools.resolveOrFocus(request, among: open, rows)]
            try rows.update("tasks", task.id, try columns(task))
            let changed = try rows.task(task.id) ?? task
            return (changed, try plan(changed, request, in: transaction))
        }
    }

    private static func pick(_ request: ToolRequest, among open: [TaskItem], else all: [TaskItem]) throws -> TaskItem {
        do {
            return open[try resolve(request, among: open)]
        } catch let failure as ToolFailure where failure.code == "not_found" {
            return all[try resolve(request, among: all)]
        }
    }

    /// The id in `#ID`; nil for words.
    static func id(_ request: ToolRequest) -> RecordID? {
        guard let words = request.line("task"), words.hasPrefix("#") else { return nil }
        return RecordID(String(words.dropFirst()))
    }
}

extension PersonTime {
    /// The instant at which a day begins on the person's clock.
    func startOfDay(_ date: CivilDate) -> Timestamp {
        let midnight = Int64(date.daysSinceEpoch) * 86_400_000
        var instant = Timestamp(millisecondsSinceEpoch: midnight)
        // The offset at the result decides; twice is enough around a change of clocks.
        for _ in 0..<2 {
            instant = Timestamp(millisecondsSinceEpoch: midnight - Int64(offset(instant)) * 1000)
        }
        return instant
    }
}
