import TandemAccounts
import TandemAgent
import TandemCore
import TandemJSON
import TandemJobs
import TandemLife
import TandemSMS
import TandemStorage

/// Texts people when a task that they wanted to be reminded of is due: jobs of the queue, so that one text leaves whatever
/// process dies.
struct TaskTexts: TaskReminding {
    let jobs: JobQueue
    let late: LateParts
    let accounts: Accounts

    func reaches(_ scope: UserScope) async throws -> Bool {
        guard late.outbox != nil else { return false }
        return try await accounts.phoneForTexts(of: scope) != nil
    }

    func put(_ reminder: TaskReminder, in transaction: any WriteTransaction) throws {
        try jobs.enqueue(
            NewJob(
                TaskTextJob.kind, for: reminder.scope, payload: reminder.json,
                key: "\(reminder.task)/\(reminder.at.millisecondsSinceEpoch)", runAt: reminder.at),
            in: transaction)
    }
}

/// Sends one of them.
struct TaskTextJob: JobHandling {
    static let kind = "tasks.remind"
    static let rules = JobRules(attempts: 50, timeLimit: .seconds(30), concurrency: 8)
    /// A text that could not leave in this time helps nobody any more.
    private static let patience = Duration.seconds(24 * 3600)

    let texts: TaskTexts
    let database: any Database
    let clock: any WallClock

    func run(_ job: Job) async throws -> JobOutcome {
        guard let scope = job.scope, let reminder = TaskReminder(job.payload, of: scope) else {
            throw JobFailure("invalid", isRetryable: false)
        }
        let now = clock.now
        guard now >= reminder.at else { return .later(.milliseconds(reminder.at.since(now).milliseconds)) }
        guard now.since(reminder.at) < TaskTextJob.patience, let outbox = texts.late.outbox,
            let phone = try await texts.accounts.phoneForTexts(of: scope)
        else { return .done }
        let profile = try await texts.accounts.profile(of: scope)
        if reminder.isFollowUp {
            let minute =
                (now.millisecondsSinceEpoch / 1000 + Int64(ZoneOffsets.seconds(profile.timeZone, at: now))) / 60
            if profile.quietHours?.contains(minute: Int((minute % 1440 + 1440) % 1440)) == true { return .done }
        }
        try await database.write(scope) { transaction in
            try job.complete(in: transaction)
            // Whoever wrote since has been here.
            if reminder.isFollowUp, try heard(since: reminder.at, in: transaction) { return }
            guard let text = try reminder.text(now: now, zone: profile.timeZone, in: transaction) else { return }
            try outbox.channel.enqueue(
                OutboundMessage(
                    scope: scope, turn: job.id, ordinal: 1,
                    address: ReplyAddress(to: phone.number, from: outbox.sender).text, text: text),
                in: transaction)
            guard !reminder.isFollowUp else { return }
            let followUp = reminder.followUp
            try texts.jobs.enqueue(
                NewJob(
                    TaskTextJob.kind, for: scope, payload: followUp.json,
                    key: "\(reminder.task)/\(reminder.at.millisecondsSinceEpoch)/2",
                    runAt: now.advanced(by: TaskReminder.patience)),
                in: transaction)
        }
        outbox.channel.wake()
        return .done
    }

    private func heard(since instant: Timestamp, in transaction: any ReadTransaction) throws -> Bool {
        try !transaction.list(
            "messages",
            where: [
                RowCondition("direction", .equal, "in"), RowCondition("created_at", .greater, .timestamp(instant)),
            ], limit: 1
        ).isEmpty
    }
}
