import Logging
import TandemAccounts
import TandemCore
import TandemJobs
import TandemMemory

/// Goes over what is remembered of everybody once a day: archives what has ended or faded, merges what says the same, takes
/// over how often each was used.
///
/// What was done stays done: an attempt that is cut off is followed by one that finds less to do. Holds no application.
struct MemoryKeeping: JobHandling {
    static let kind = "memory.keep"
    static let rules = JobRules(attempts: 100, timeLimit: .seconds(3600), concurrency: 1)
    static let pause = Duration.seconds(86_400)

    let memory: LongTermMemory
    let accounts: Accounts
    let logger: Logger

    func run(_ job: Job) async throws -> JobOutcome {
        let total = try await keep()
        if total.expired + total.merged + total.faded > 0 {
            logger.info(
                "memories kept",
                metadata: [
                    "expired": "\(total.expired)", "merged": "\(total.merged)", "faded": "\(total.faded)",
                ])
        }
        return .later(MemoryKeeping.pause)
    }

    /// A few memories per transaction; honours cancellation between them.
    func keep() async throws -> ConsolidationStep {
        var total = ConsolidationStep()
        for account in try await accounts.users() where account.status == .active {
            guard try await !memory.all(limit: 1, in: account.scope).isEmpty else { continue }
            var next: RecordID?
            repeat {
                try Task.checkCancellation()
                let step = try await memory.consolidate(after: next, in: account.scope)
                total.seen += step.seen
                total.expired += step.expired
                total.merged += step.merged
                total.faded += step.faded
                next = step.next
            } while next != nil
        }
        return total
    }
}
