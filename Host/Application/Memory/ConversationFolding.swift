import TandemAccounts
import TandemAgent
import TandemCore
import TandemJobs
import TandemStorage

/// Folds one person's conversation into its rolling summary.
///
/// Asked for after some answers where a model may be asked, whose requests then begin with the summary.
struct ConversationFolding: JobHandling {
    static let kind = "conversation.fold"
    static let sweep = "conversation.sweep"
    static let rules = JobRules(attempts: 5, timeLimit: .seconds(300), concurrency: 2)

    let agent: AgentCore

    /// Puts it into the queue, once while it waits; in vain when that cannot be written, since the sweep finds it.
    static func ask(of scope: UserScope, _ jobs: JobQueue) {
        Task { _ = try? await jobs.enqueue(NewJob(kind, for: scope, key: "fold")) }
    }

    func run(_ job: Job) async throws -> JobOutcome {
        guard let scope = job.scope else { throw JobFailure("invalid", isRetryable: false) }
        try await agent.foldConversation(of: scope)
        return .done
    }
}

/// Goes over everybody's conversations every six hours: those that nobody asked for, and where there is no model.
struct ConversationSweep: JobHandling {
    static let pause = Duration.seconds(6 * 3600)

    let agent: AgentCore
    let accounts: Accounts

    func run(_ job: Job) async throws -> JobOutcome {
        for account in try await accounts.users() where account.status == .active {
            try Task.checkCancellation()
            try await agent.foldConversation(of: account.scope)
        }
        return .later(ConversationSweep.pause)
    }
}
