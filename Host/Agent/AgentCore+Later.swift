import TandemAccounts
public import TandemCore
public import TandemJSON
import TandemLanguage
public import TandemStorage

/// Keeps turns that go on after their first answer, and has them gone on with.
public protocol LaterWork: Sendable {
    /// Somebody is there to go on with them. Where nobody is, turns end with their answer.
    var isThere: Bool { get }

    /// Has `AgentCore.goOn(with:)` called with the same value, at that time at the earliest, in whatever process, until it
    /// returned true once. In the transaction of the first answer.
    func put(off turn: LaterTurn, until time: Timestamp?, in transaction: any WriteTransaction) throws
}

/// A turn that goes on after its first answer: since it takes long, or since it waits a moment in which it can be stopped.
///
/// What it is about is on record; this only names it.
public struct LaterTurn: Sendable, Hashable {
    public var scope: UserScope
    public var turn: RecordID
    /// What the owner agreed to and may still stop.
    public var confirmation: RecordID?
    /// Whose calls go on meanwhile, and until when they have certainly ended.
    var holder: String
    var busyUntil: Timestamp

    public var json: JSON {
        var object: JSONObject = [
            "turn": .id(turn), "holder": .string(holder), "until": .timestamp(busyUntil),
        ]
        if let confirmation { object["confirmation"] = .id(confirmation) }
        return .object(object)
    }

    init(scope: UserScope, turn: RecordID, confirmation: RecordID?, holder: String, busyUntil: Timestamp) {
        self.scope = scope
        self.turn = turn
        self.confirmation = confirmation
        self.holder = holder
        self.busyUntil = busyUntil
    }

    /// Nil when `json` did not write it.
    public init?(_ json: JSON, of scope: UserScope) {
        guard let turn = json["turn"]?.stringValue.flatMap({ RecordID($0) }),
            let holder = json["holder"]?.stringValue,
            let until = json["until"]?.stringValue.flatMap({ Timestamp($0) })
        else { return nil }
        self.init(
            scope: scope, turn: turn, confirmation: json["confirmation"]?.stringValue.flatMap { RecordID($0) },
            holder: holder, busyUntil: until)
    }
}

extension AgentCore {
    /// Whether a confirmed call waits a moment, since nothing could take it back afterwards.
    func isHeld(_ tool: ToolDefinition) -> Bool {
        services.later?.isThere == true && services.limits.sendDelay > .zero && tool.effect == .send
            && tool.undo == .none
    }

    /// Until when a turn that begins now works before its person gets a first answer; nil: until it is done.
    func patience(since start: UInt64) -> UInt64? {
        guard services.later?.isThere == true else { return nil }
        return start + UInt64(max(services.limits.answerTime.milliseconds, 0)) * 1_000_000
    }

    /// Goes on with a turn, to its end; its outcome is a message of its own.
    ///
    /// May be called again for the same one: what has an outcome on record is not done again, what was interrupted is taken
    /// back by the journal first, and what reaches others is made under the same idempotency key.
    ///
    /// - Parameter ending: Runs in the transaction that ends the turn.
    /// - Returns: False while another process has calls of it that go on: to be asked again in a moment.
    public func goOn(
        with later: LaterTurn, ending: @escaping @Sendable (any WriteTransaction) throws -> Void
    ) async throws -> Bool {
        let start = monotonicNanoseconds()
        let (store, scope) = (store, later.scope)
        let now = services.clock.now
        let other = TurnHolder(text: later.holder)
        if other != services.holder, other.mayBeAlive, now < later.busyUntil { return false }
        let runner = runner
        let work = try await services.database.write(scope) { transaction -> TurnWork? in
            let work = try store.goOn(with: later, now: now, in: transaction) { origin in
                // What goes on in this process is waited for, not made again.
                !runner.goesOn(turn: origin.turn, step: origin.step)
            }
            if work == nil { try ending(transaction) }
            return work
        }
        guard let work, let earlier = work.earlier else { return true }
        services.metrics.wentOn()
        let profile = try await services.accounts.profile(of: scope)
        let directory = try await directories.directory(for: scope)
        let context = TurnContext(
            state: work.state, confirmations: work.confirmations, now: now, timeZone: profile.timeZone,
            currency: profile.currency, account: LanguageAccount(scope: scope, turn: work.turn), summary: work.summary)
        var draft = TurnDraft(work: work, context: context)
        draft.handledBy = earlier.handledBy
        draft.questions = services.limits.questionsPerTurn
        draft.later = later
        let deadline = start + UInt64(services.limits.laterTime.milliseconds) * 1_000_000
        // As with first answers, a process that is restarted again and again is no fault of the message.
        if earlier.attempts > services.limits.attempts, now.since(work.receivedAt) >= services.limits.laterTime {
            draft.steps = earlier.steps
            draft.reply.add("Something went wrong on my side with what you asked before. Please send it again.")
        } else if earlier.handledBy == ProviderTurnPlanner.local {
            try await carryOut(
                earlier.steps, draft: &draft, directory: directory, scope: scope, deadline: deadline, isResumed: true)
        } else {
            let loop = try await restored(earlier.steps, work, context: context, directory: directory)
            try await converse(loop, from: nil, draft: &draft, context: context, scope: scope, deadline: deadline)
            draft.note(said: work.text)
        }
        let channel = channels[draft.channel]
        try await services.database.write(scope) { [draft] transaction in
            try store.finish(later: draft, channel: channel, in: transaction)
            try ending(transaction)
        }
        channel?.wake()
        services.metrics.answered(channel: draft.channel, by: draft.handledBy, since: start)
        return true
    }
}
