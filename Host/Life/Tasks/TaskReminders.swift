public import TandemCore
public import TandemJSON
public import TandemStorage

/// Texts people at the times that they asked for, out of turn.
public protocol TaskReminding: Sendable {
    /// Whether this person can be texted at all: there is a carrier, and a number of theirs that takes texts.
    func reaches(_ scope: UserScope) async throws -> Bool

    /// Has `TaskReminder.text` asked for at that time, in whatever process, until what it gave is on its way. In the
    /// transaction that saves what is to be remembered.
    func put(_ reminder: TaskReminder, in transaction: any WriteTransaction) throws
}

/// A wish to be reminded of a task at a time.
///
/// Only the task says whether it still holds: it may be done, moved or gone by then. See "Reminder ladder" in
/// `research/assistant-anchors.md` (d.2): one text at the time, one gentle follow-up when nothing came of it, then quiet.
public struct TaskReminder: Sendable, Hashable {
    public var scope: UserScope
    public var task: RecordID
    public var at: Timestamp
    /// The second text, when the first had no answer.
    public var isFollowUp: Bool

    /// From the first text to the second.
    public static let patience = Duration.seconds(15 * 60)
    /// On a day without a time, the person's clock.
    static let morning = 9 * 60
    /// A text that comes later than this says for when it was.
    private static let late = Duration.seconds(20 * 60)

    init(scope: UserScope, task: RecordID, at: Timestamp, isFollowUp: Bool = false) {
        self.scope = scope
        self.task = task
        self.at = at
        self.isFollowUp = isFollowUp
    }

    public var json: JSON {
        ["task": .id(task), "at": .integer(at.millisecondsSinceEpoch), "follow_up": .bool(isFollowUp)]
    }

    /// Nil when `json` did not write it.
    public init?(_ json: JSON, of scope: UserScope) {
        guard let task = json["task"]?.stringValue.flatMap({ RecordID($0) }), let at = json["at"]?.int64Value else {
            return nil
        }
        self.init(
            scope: scope, task: task, at: Timestamp(millisecondsSinceEpoch: at),
            isFollowUp: json["follow_up"]?.boolValue ?? false)
    }

    public var followUp: TaskReminder {
        TaskReminder(scope: scope, task: task, at: at, isFollowUp: true)
    }

    /// What the person is texted; nil when the task is done, was moved, or is gone. The task becomes the one that a bare
    /// `done` or `later` means.
    ///
    /// - Parameter zone: The person's.
    public func text(now: Timestamp, zone: String, in transaction: any WriteTransaction) throws -> String? {
        let time = PersonTime(now: now, offset: { ZoneOffsets.seconds(zone, at: $0) })
        let rows = Rows(transaction)
        guard let task = try rows.task(task), !task.isDone, holds(task, time) else {
            return nil
        }
        try Rows(transaction, WriteOrigin(turn: transaction.nextID(), step: 0)).setFocus(task.id)
        if isFollowUp { return Wording.line("Still up for ", task.title, "? Say done, later or smaller.") }
        let head = now.since(at) > TaskReminder.late ? "From \(time.say(at)): " : "Now: "
        return Wording.line(head, task.title, ". Say done, later or smaller.")
    }
}

extension TaskReminder {
    /// The task is still to be remembered at this time; parked until a day begins is parked until its morning.
    private func holds(_ task: TaskItem, _ time: PersonTime) -> Bool {
        let day = time.startOfDay(time.date(of: at))
        return task.reminderTime(in: time, since: at) == at || task.reminderTime(in: time, since: day) == at
    }
}

extension TaskItem {
    /// When to remind; nil when the person did not ask for it, or no day is known. Past instants count: they are for a host
    /// that was away.
    ///
    /// - Parameter instant: What the task was parked until counts when it is not before this.
    func reminderTime(in time: PersonTime, since instant: Timestamp) -> Timestamp? {
        guard reminds else { return nil }
        if let snoozedUntil, snoozedUntil >= instant {
            return time.minuteOfDay(of: snoozedUntil) == 0
                ? TaskItem.morning(of: time.date(of: snoozedUntil), time) : snoozedUntil
        }
        switch due {
        case .instant(let instant)?: return instant
        case .day(let day)?: return TaskItem.morning(of: day, time)
        case nil: return nil
        }
    }

    private static func morning(of day: CivilDate, _ time: PersonTime) -> Timestamp {
        let nine = time.startOfDay(day).advanced(by: .seconds(TaskReminder.morning * 60))
        // A day of 23 or 25 hours.
        return nine.advanced(by: .seconds((TaskReminder.morning - time.minuteOfDay(of: nine)) * 60))
    }
}

extension TaskTools {
    /// Plans the reminder of a task that wants one; when it will come.
    func plan(_ task: TaskItem, _ request: ToolRequest, in transaction: any WriteTransaction) throws -> Timestamp? {
        guard let reminding, let at = task.reminderTime(in: request.time, since: request.time.now),
            at > request.time.now
        else { return nil }
        try reminding.put(TaskReminder(scope: request.scope, task: task.id, at: at), in: transaction)
        return at
    }

    /// What the answer says of a reminder that was asked for.
    func promise(_ at: Timestamp?, _ task: TaskItem, _ request: ToolRequest) async throws -> String {
        guard task.reminds else { return "" }
        guard let reminding, try await reminding.reaches(request.scope) else {
            return " I have no number to text you on; ask me \"what's next\"."
        }
        guard let at else {
            return task.due == nil && task.snoozedUntil == nil
                ? " When shall I text you? Say a day or a time." : ""
        }
        if case .instant(at)? = task.due { return " I text you then." }
        return " I text you \(request.time.say(at))."
    }
}
