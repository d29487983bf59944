import TandemCore
import TandemJSON
import TandemStorage

/// Breaking down: the steps are the person's words, never ours.
extension TaskTools {
    func breakDown(_ request: ToolRequest) async throws -> ToolOutcome {
        try await split(request) { _, task in task }
    }

    /// Cuts what is to be done next, of the named task or of the one that is next.
    func makeSmaller(_ request: ToolRequest) async throws -> ToolOutcome {
        try await split(request) { tree, task in tree.current(of: task) }
    }

    private func split(
        _ request: ToolRequest, target: @escaping @Sendable (TaskTree, TaskItem) -> TaskItem
    ) async throws -> ToolOutcome {
        let time = request.time
        let steps = TaskTools.steps(request)
        let isSmaller = request.call.tool == "tasks.smaller"
        let (task, root, added) = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            let open = try rows.openTasks()
            let tree = TaskTree(open)
            let task = target(tree, try TaskTools.chosen(request, tree: tree, rows))
            let root = tree.root(of: task)
            guard !steps.isEmpty else {
                let asked = request.memo["asked"]?.int64Value ?? 0
                guard asked < 2 else { return (task, root, [TaskItem]()) }
                var pinned = request
                pinned.arguments["task"] = .string("#\(task.id)")
                pinned.arguments["steps"] = nil
                throw pinned.asking(
                    TaskTools.question(task, asked: asked, isSmaller: isSmaller), field: "steps",
                    memo: ["asked": .integer(asked + 1)])
            }
            guard tree.depth(of: task) + 1 < TaskTools.deepest else {
                throw ToolFailure(
                    status: -21, code: "too_deep",
                    message: Wording.line("\"", task.title, "\" is very small already. Just try the first minute."))
            }
            let existing = tree.children(of: task.id)
            guard existing.count + steps.count <= TaskTools.mostSteps else {
                throw ToolFailure.tooMany(
                    "That would be more than \(TaskTools.mostSteps) steps. A few are enough to start.")
            }
            try TaskTools.checkRoom(open.count, adding: steps.count)
            var order = (existing.map(\.order).max() ?? 0) + 1
            var added: [TaskItem] = []
            for step in steps {
                added.append(try rows.insertTask(step, parent: task.id, order: order, in: time))
                order += 1
            }
            if let first = added.first { try rows.setFocus(first.id) }
            return (task, root, added)
        }
        guard let first = added.first else {
            return .value(
                ["task": task.json(in: time), "steps": []],
                Wording.line("That's fine. Two minutes of \"", task.title, "\" count, too. Come back any time."),
                shown: .touched([task.shown]))
        }
        var items = added.map(\.shown)
        items.append(task.shown)
        if root.id != task.id { items.append(root.shown) }
        let value: JSON = ["task": task.json(in: time), "steps": .array(added.map { $0.json(in: time) })]
        if added.count == 1 {
            return .value(
                value, Wording.line("Good. Start with: ", first.title, ". Say done after."), shown: .touched(items))
        }
        return .value(
            value, Wording.numbered("\(added.count) steps:", added.map(\.title), tail: "Start with 1."),
            shown: ShownEntities(items: added.map(\.shown), select: "tasks.done"))
    }

    /// The task that is meant: named, or last spoken of, or for `smaller` the one that is next, or the only one.
    private static func chosen(_ request: ToolRequest, tree: TaskTree, _ rows: Rows) throws -> TaskItem {
        let open = tree.items
        if request.line("task") == nil {
            if let focus = try rows.focus(in: request.time), let task = tree[focus] { return task }
            guard !open.isEmpty else {
                throw ToolFailure(
                    status: -8, code: "not_found", message: "There is no open task. What would you like to start?")
            }
            if request.call.tool == "tasks.smaller", let next = tree.next(in: request.time) { return next }
            let roots = tree.openRoots
            if roots.count == 1, let only = roots.first { return only }
            throw request.choice("task", items: roots.map(\.reference))
        }
        return open[try resolve(request, among: open)]
    }

    /// What the person gave as steps, in the call or as an answer.
    private static func steps(_ request: ToolRequest) -> [String] {
        let pieces: [String]
        switch request.arguments["steps"] {
        case .string(let text)?:
            if StepSplitter.isDontKnow(text) { return [] }
            pieces = StepSplitter.split(text)
        case .array(let texts)?: pieces = texts.compactMap(\.stringValue).flatMap { StepSplitter.split($0) }
        default: return []
        }
        return pieces.filter { $0.contains(where: \.isLetter) }.compactMap { piece in
            let short = piece.unicodeScalars.count <= titleLimit ? piece : Wording.clip(piece, to: titleLimit)
            return try? title(short)
        }
    }

    private static func question(_ task: TaskItem, asked: Int64, isSmaller: Bool) -> String {
        if asked > 0 {
            return Wording.line("No problem. What would you touch, open or look up first for \"", task.title, "\"?")
        }
        if isSmaller { return Wording.line("Smaller, then. What is the very first movement of \"", task.title, "\"?") }
        return Wording.line(
            "What is the smallest first step for \"", Wording.clip(task.title, to: 45),
            "\"? Something for 5 minutes. Several are fine: this, then that.")
    }
}
