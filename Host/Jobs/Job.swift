public import TandemCore
public import TandemJSON
public import TandemStorage

/// Work to be put into the queue.
public struct NewJob: Sendable {
    /// Names the handler, e.g. `memory.consolidate`.
    public var kind: String
    /// Whose it is; nil: the program's own. A person's jobs go with the person.
    public var scope: UserScope?
    /// What the handler needs; sealed. Nothing personal in a job of the program's own.
    public var payload: JSON
    /// While a job with this key waits or runs (for this person and kind), the same is not enqueued again.
    public var key: String?
    /// Jobs of one person in one lane run one at a time, in the order in which they were enqueued.
    public var lane: String?
    /// Not before; nil for at once.
    public var runAt: Timestamp?

    public init(
        _ kind: String, for scope: UserScope? = nil, payload: JSON = .null, key: String? = nil, lane: String? = nil,
        runAt: Timestamp? = nil
    ) {
        self.kind = kind
        self.scope = scope
        self.payload = payload
        self.key = key
        self.lane = lane
        self.runAt = runAt
    }
}

/// A job on its way: what a handler is given.
public struct Job: Sendable {
    /// The same at every attempt: the idempotency key of what the job does elsewhere.
    public let id: RecordID
    public let kind: String
    public let scope: UserScope?
    public let payload: JSON
    /// 1 for the first.
    public let attempt: Int
    public let createdAt: Timestamp
    let lane: String?
    let holder: String
    let receipt: JobReceipt

    /// Ends the job in the transaction of what it did, so that both or neither is durable: then its effect in the database
    /// happens exactly once. Otherwise a process that dies between effect and acknowledgement runs the job again.
    ///
    /// Throws `conflict` when the job is another process's by now; the transaction must then fail, too.
    public func complete(in transaction: any WriteTransaction) throws {
        guard try JobStore.delete(self, in: transaction) else {
            throw StorageError(.conflict, "the job was taken over by another process")
        }
        let receipt = receipt
        transaction.afterCommit { receipt.complete() }
    }
}

/// What a handler says of a job that it did not fail at.
public enum JobOutcome: Sendable, Hashable {
    case done
    /// Nothing could be done yet, and nothing is wrong: again after this time, without counting as an attempt.
    case later(Duration)
}

/// Why a job could not be done. Any other error counts as one that may pass, with the code `error`.
public struct JobFailure: Error, Sendable, Hashable {
    /// For operators: `[a-z_]`, nothing personal.
    public var code: String
    /// A second attempt may succeed.
    public var isRetryable: Bool
    /// Not before, if whoever refused said so.
    public var retryAfter: Duration?

    public init(_ code: String, isRetryable: Bool, retryAfter: Duration? = nil) {
        self.code = code
        self.isRetryable = isRetryable
        self.retryAfter = retryAfter
    }
}

/// How the jobs of a kind are run.
public struct JobRules: Sendable {
    /// Attempts before a job is given up.
    public var attempts: Int
    /// An attempt is cancelled after this.
    public var timeLimit: Duration
    /// At once in this process.
    public var concurrency: Int
    /// Before the second attempt; four times as long before each further one, with up to a quarter added at random.
    public var firstPause: Duration
    public var longestPause: Duration

    public init(
        attempts: Int = 8, timeLimit: Duration = .seconds(60), concurrency: Int = 4,
        firstPause: Duration = .seconds(5), longestPause: Duration = .seconds(3600)
    ) {
        self.attempts = max(attempts, 1)
        self.timeLimit = timeLimit
        self.concurrency = max(concurrency, 1)
        self.firstPause = firstPause
        self.longestPause = longestPause
    }

    func pause(after attempt: Int, _ failure: JobFailure) -> Duration {
        let grown = firstPause.milliseconds << Int64(min(2 * (attempt - 1), 24))
        let bounded = min(max(grown, 1), max(longestPause.milliseconds, 1))
        let spread = bounded + Int64.random(in: 0...(bounded / 4))
        let asked = min(failure.retryAfter ?? .zero, .seconds(7 * 86_400))
        return max(.milliseconds(spread), asked)
    }
}

/// Runs the jobs of one kind. Several run at once.
public protocol JobHandling: Sendable {
    /// Does the job. It may have been done before, in whole or in part, by a process that died: see `Job.complete` and
    /// `Job.id`. Honours cancellation, which comes at the time limit and when the process ends.
    func run(_ job: Job) async throws -> JobOutcome

    /// The job is given up: the last thing that is done with it.
    func gaveUp(_ job: Job, because failure: JobFailure) async
}

extension JobHandling {
    public func gaveUp(_ job: Job, because failure: JobFailure) async {}
}
