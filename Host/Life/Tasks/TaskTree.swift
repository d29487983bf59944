import TandemCore

/// A person's tasks with their steps, for questions about the whole: what is next, how far is it.
///
/// A step whose parent is not among the tasks counts as a task of its own. Pure.
struct TaskTree {
    let items: [TaskItem]
    private let place: [RecordID: Int]
    private let childPlaces: [RecordID: [Int]]

    init(_ items: [TaskItem]) {
        self.items = items
        var place: [RecordID: Int] = [:]
        for (index, item) in items.enumerated() { place[item.id] = index }
        var children: [RecordID: [Int]] = [:]
        for (index, item) in items.enumerated() {
            if let parent = item.parent, place[parent] != nil, parent != item.id {
                children[parent, default: []].append(index)
            }
        }
        for (parent, places) in children {
            children[parent] = places.sorted {
                (items[$0].order, items[$0].id.rawValue) < (items[$1].order, items[$1].id.rawValue)
            }
        }
        self.place = place
        childPlaces = children
    }

    subscript(id: RecordID) -> TaskItem? { place[id].map { items[$0] } }

    func children(of id: RecordID) -> [TaskItem] { (childPlaces[id] ?? []).map { items[$0] } }

    func parent(of item: TaskItem) -> TaskItem? { item.parent.flatMap { self[$0] } }

    /// The task that a step belongs to in the end; the item itself for a task.
    func root(of item: TaskItem) -> TaskItem {
        var current = item
        var visited: Set<RecordID> = [item.id]
        while let parent = parent(of: current), visited.insert(parent.id).inserted { current = parent }
        return current
    }

    /// How many tasks lie above it.
    func depth(of item: TaskItem) -> Int {
        var depth = 0
        var current = item
        while let parent = parent(of: current), depth < 32 {
            depth += 1
            current = parent
        }
        return depth
    }

    /// Everything below, in order.
    func descendants(of id: RecordID) -> [TaskItem] {
        var result: [TaskItem] = []
        var visited: Set<RecordID> = [id]
        func collect(_ id: RecordID) {
            for child in children(of: id) where visited.insert(child.id).inserted {
                result.append(child)
                collect(child.id)
            }
        }
        collect(id)
        return result
    }

    var openRoots: [TaskItem] { items.filter { !$0.isDone && parent(of: $0) == nil } }

    /// The first thing to do of a task: its first open step's first open step and so on; the task itself when it has no
    /// open steps.
    func current(of item: TaskItem) -> TaskItem {
        var current = item
        var visited: Set<RecordID> = [item.id]
        while let step = children(of: current.id).first(where: { !$0.isDone }), visited.insert(step.id).inserted {
            current = step
        }
        return current
    }

    /// What to do after a step was done: the next open step beside it, else the step or task that it was part of.
    func following(_ step: TaskItem) -> TaskItem? {
        guard let parent = parent(of: step) else { return nil }
        if let next = children(of: parent.id).first(where: { !$0.isDone && $0.id != step.id }) {
            return current(of: next)
        }
        return parent.isDone ? following(parent) : parent
    }

    /// The one thing to do now: what is due comes first, then what was begun, what matters, what comes due within a week,
    /// and then the oldest. Parked tasks wait.
    func next(in time: PersonTime) -> TaskItem? {
        let candidates = openRoots.filter { root in
            guard let until = root.snoozedUntil else { return true }
            return until <= time.now
        }
        let best = candidates.min { left, right in rank(left, time) < rank(right, time) }
        return best.map(current(of:))
    }

    private func rank(_ root: TaskItem, _ time: PersonTime) -> Rank {
        var group = 5
        var within = root.createdAt.millisecondsSinceEpoch
        let dueDay = root.due?.date(in: time).daysSinceEpoch
        let today = time.today.daysSinceEpoch
        if case .instant(let instant)? = root.due, instant.since(time.now) <= .seconds(7200), instant >= time.now {
            group = 0
            within = instant.millisecondsSinceEpoch
        } else if let dueDay, dueDay <= today {
            group = 1
            // Of what is due, today's first: what is long past is no longer urgent, only still wanted.
            within = Int64(today - dueDay)
        } else if root.priority == .low {
            group = 6
        } else if isBegun(root, time) {
            group = 2
        } else if root.priority == .high {
            group = 3
            if let dueDay { within = Int64(dueDay) }
        } else if let dueDay, dueDay <= today + 7 {
            group = 4
            within = Int64(dueDay)
        }
        return Rank(group: group, priority: root.priority == .high ? 0 : 1, within: within, id: root.id.rawValue)
    }

    /// A step was done within three days.
    private func isBegun(_ root: TaskItem, _ time: PersonTime) -> Bool {
        descendants(of: root.id).contains { step in
            guard let completed = step.completedAt else { return false }
            return time.now.since(completed) <= .seconds(3 * 86_400)
        }
    }

    private struct Rank: Comparable {
        var group: Int
        var priority: Int
        var within: Int64
        var id: Int64

        static func < (left: Rank, right: Rank) -> Bool {
            (left.group, left.priority, left.within, left.id) < (right.group, right.priority, right.within, right.id)
        }
    }
}
