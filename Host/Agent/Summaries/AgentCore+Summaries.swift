import Synchronization
import TandemAccounts
public import TandemCore
import TandemLanguage
import TandemModels
import TandemStorage

extension AgentCore {
    /// Answers of a person after which what was said longer ago is folded.
    static let answersPerFold = 3

    /// Folds what a person and the assistant said longer ago into the rolling summary; the messages stay as they are.
    ///
    /// Points are taken by rule; where a model may be asked, it writes them out, within the budget for what nobody waits for.
    /// Safe to be cut off and called again at any place. Returns how many messages were folded.
    @discardableResult
    public func foldConversation(of scope: UserScope) async throws -> Int {
        let store = store
        var folded = 0
        while let (old, messages, codes) = try await services.database.read(
            scope, { try store.unfoldedMessages(in: $0) })
        {
            try Task.checkCancellation()
            var summary = old
            summary.fold(messages, codes: codes)
            summary.madeBy = ProviderTurnPlanner.local
            if planning.asksModels, let (prose, model) = await prose(of: summary, scope) {
                (summary.prose, summary.proseUpTo, summary.madeBy) = (prose, summary.upTo, model)
            }
            let kept = summary
            guard
                try await services.database.write(scope, { try store.keep(kept, madeFrom: old.upTo, in: $0) })
            else { break }
            folded += messages.count
        }
        return folded
    }

    /// Drops what a person's summary has from before an instant; true when there was any.
    public func pruneSummary(of scope: UserScope, before: Timestamp) async throws -> Bool {
        let store = store
        guard
            try await services.database.read(scope, { try store.summary(in: $0) })?.points
                .contains(where: { $0.at < before }) == true
        else { return false }
        return try await services.database.write(scope) { transaction in
            guard var summary = try store.summary(in: transaction) else { return false }
            let upTo = summary.upTo
            summary.points.removeAll { $0.at < before }
            // Nobody can tell what of it came from where.
            (summary.prose, summary.proseUpTo) = (nil, RecordID(rawValue: 0))
            return try store.keep(summary, madeFrom: upTo, in: transaction)
        }
    }

    /// Counts an answer; asks for a fold when there were some.
    func noteConversed(_ scope: UserScope) {
        guard planning.asksModels, let fold = services.fold else { return }
        let isDue = conversed.withLock { counts in
            let count = (counts[scope.user] ?? 0) + 1
            // Whoever is dropped here is found by the job that goes over everybody.
            if counts.count > 10_000 { counts.removeAll() }
            counts[scope.user] = count >= AgentCore.answersPerFold ? nil : count
            return count >= AgentCore.answersPerFold
        }
        if isDue { fold(scope) }
    }

    /// What a model makes of the points that nobody else wrote; nil when there is none to be had now.
    private func prose(of summary: ConversationSummary, _ scope: UserScope) async -> (text: String, model: String)? {
        let own = summary.points.filter { $0.trust <= .system && $0.message > summary.proseUpTo }
        guard !own.isEmpty else { return nil }
        var text = summary.prose.map { "The summary so far:\n\($0)\n\nWhat was said since:\n" } ?? ""
        text += own.map(ConversationSummary.line).joined(separator: "\n")
        guard let profile = try? await services.accounts.profile(of: scope) else { return nil }
        let request = LanguageRequest(
            instructions: services.prompts.summary.text, messages: [.person(text)], tools: [],
            context: PlannerContext(now: services.clock.now, timeZone: profile.timeZone, currency: profile.currency),
            outputLimit: 400, toolUse: .none, account: LanguageAccount(scope: scope, isSilent: true))
        guard let response = try? await services.language.respond(to: request), response.calls.isEmpty,
            response.finish == .complete || response.finish == .truncated,
            response.handledBy != ProviderTurnPlanner.local,
            let said = response.text?.split(whereSeparator: \.isNewline).joined(separator: " "), !said.isEmpty
        else { return nil }
        return (ConversationSummary.cut(said, ConversationSummary.longestProse), response.handledBy ?? "model")
    }
}
