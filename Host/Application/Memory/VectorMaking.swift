import Logging
import TandemAccounts
import TandemCore
import TandemJobs
import TandemMemory

/// Moves everybody's texts to the embedder that is chosen, and keeps up with them; back to the built-in one when none is.
///
/// In steps with their place on record: an attempt that was cut off is followed by one that goes on there.
struct VectorMaking: JobHandling {
    static let kind = "search.vectors"
    static let rules = JobRules(attempts: 1000, timeLimit: .seconds(3600), concurrency: 1)
    /// What was written since the last round has its vector after this at the latest.
    static let pause = Duration.seconds(300)
    static let idlePause = Duration.seconds(86_400)

    let memory: LongTermMemory
    let accounts: Accounts
    let logger: Logger

    func run(_ job: Job) async throws -> JobOutcome {
        let (embedded, dropped) = try await goOn()
        if embedded + dropped > 0 {
            logger.info("vectors made", metadata: ["made": "\(embedded)", "dropped": "\(dropped)"])
        }
        return .later(memory.search.models.embedder == nil ? VectorMaking.idlePause : VectorMaking.pause)
    }

    /// One round for everybody; honours cancellation between steps.
    func goOn() async throws -> (embedded: Int, dropped: Int) {
        let keeping = VectorKeeping(memory.search)
        var total = (embedded: 0, dropped: 0)
        for account in try await accounts.users() where account.status == .active {
            while true {
                try Task.checkCancellation()
                let step: VectorKeeping.Step
                do {
                    step = try await keeping.step(in: account.scope)
                } catch is EmbeddingRefusal {
                    // This person's go on when there is room again, tomorrow at the latest.
                    break
                }
                total.embedded += step.embedded
                total.dropped += step.dropped
                if step.isOver { break }
            }
        }
        return total
    }
}
