import TandemCore
import TandemJSON

/// Makes the calls of a turn: policy first, then the provider; reads side by side, writes one after the other.
///
/// It is also the mediator of calls from tool to tool: the same directory, the same policy.
final class TurnRunner: ToolMediator {
    private let directories: ToolDirectoryCache
    private let policy: Policy
    private let limits: AgentLimits
    private let metrics: AgentMetrics
    /// Its loop runs with the agent.
    let watch = CallWatch()

    init(directories: ToolDirectoryCache, policy: Policy, limits: AgentLimits, metrics: AgentMetrics) {
        self.directories = directories
        self.policy = policy
        self.limits = limits
        self.metrics = metrics
    }

    func run(
        _ steps: [PlannedStep], turn: RecordID, scope: UserScope, directory: ToolDirectory, deadline: UInt64
    ) async -> [StepResult] {
        guard steps.count > 1, steps.allSatisfy({ $0.effect == .read }) else {
            var results: [StepResult] = []
            for step in steps {
                results.append(
                    await run(step, turn: turn, scope: scope, directory: directory, deadline: deadline))
            }
            return results
        }
        return await withTaskGroup(of: (Int, StepResult).self) { group in
            for (position, step) in steps.enumerated() {
                group.addTask {
                    let result = await self.run(
                        step, turn: turn, scope: scope, directory: directory, deadline: deadline)
                    return (position, result)
                }
            }
            var results = [StepResult?](repeating: nil, count: steps.count)
            for await (position, result) in group { results[position] = result }
            return results.compactMap { $0 }
        }
    }

    private func run(
        _ step: PlannedStep, turn: RecordID, scope: UserScope, directory: ToolDirectory, deadline: UInt64
    ) async -> StepResult {
        guard let entry = directory[step.tool] else {
            return StepResult(step: step, outcome: .unavailable, milliseconds: 0)
        }
        let facts = PolicyFacts(
            tool: entry.definition, label: step.label, isPlanned: step.isPlanned, reach: step.reach)
        switch policy.decide(facts) {
        case .allow: break
        case .confirm where step.isConfirmed: break
        case .confirm:
            // Nobody is asked for what could not be done anyway.
            if let refusal = entry.provider.refusal(of: step.arguments, tool: step.tool) {
                return StepResult(step: step, outcome: .tool(.failure(refusal)), milliseconds: 0)
            }
            return StepResult(step: step, outcome: .needsConfirmation, milliseconds: 0)
        case .refuse: return StepResult(step: step, outcome: .refused, milliseconds: 0)
        }
        let start = monotonicNanoseconds()
        let limit = start + UInt64(max(entry.definition.timeoutMilliseconds, 1)) * 1_000_000
        let call = ToolCall(
            tool: step.tool, arguments: step.arguments, origin: WriteOrigin(turn: turn, step: step.index),
            deadlineNanoseconds: min(deadline, limit), idempotencyKey: "\(turn).\(step.index)",
            resumeState: step.resumeState, answers: step.answers, allowedEffect: entry.definition.effect)
        var outcome =
            start >= deadline
            ? ToolOutcome.failure(TurnRunner.outOfTime)
            : await watch.run(until: call.deadlineNanoseconds) { await entry.provider.call(call, in: scope) }
        if step.effect >= .send, start < deadline, TurnRunner.isUnknown(outcome) {
            outcome = await reconcile(call, entry, scope: scope, deadline: deadline)
        }
        let nanoseconds = monotonicNanoseconds() - start
        let result = StepResult(step: step, outcome: .tool(outcome), milliseconds: Int(nanoseconds / 1_000_000))
        metrics.called(tool: step.tool, outcome: result.word, nanoseconds: nanoseconds)
        return result
    }

    /// Nobody knows whether it reached the other side.
    private static func isUnknown(_ outcome: ToolOutcome) -> Bool {
        if case .failure(let failure) = outcome {
            return failure.code == "timeout" || failure.code == "outcome_unknown"
        }
        return false
    }

    /// Asks once more with the same idempotency key, which makes it the same effect and tells what became of it. What is
    /// not known then is said to be unknown, and not tried again.
    private func reconcile(
        _ call: ToolCall, _ entry: ToolDirectory.Entry, scope: UserScope, deadline: UInt64
    ) async -> ToolOutcome {
        var again = call
        let limit = monotonicNanoseconds() + UInt64(max(entry.definition.timeoutMilliseconds, 1)) * 1_000_000
        again.deadlineNanoseconds = min(deadline, limit)
        if monotonicNanoseconds() < deadline {
            let outcome = await watch.run(until: again.deadlineNanoseconds) { [again] in
                await entry.provider.call(again, in: scope)
            }
            if !TurnRunner.isUnknown(outcome) { return outcome }
        }
        return .failure(
            ToolFailure(
                status: -23, code: "outcome_unknown",
                message: "I could not find out whether that went through. Look before you ask for it again.",
                isRetryable: false))
    }

    private static let outOfTime = ToolFailure(
        status: -23, code: "timeout", message: "That took too long, so I left it. Try it again in a moment.",
        isRetryable: true)

    // MARK: Calls from tool to tool

    func mediate(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome {
        let directory: ToolDirectory
        do {
            directory = try await directories.directory(for: scope)
        } catch {
            return .failure(
                ToolFailure(status: -62, code: "unavailable", message: "That is not reachable just now."))
        }
        guard let entry = directory[call.tool] else {
            return .failure(
                ToolFailure(status: -40, code: "not_granted", message: "That integration is switched off."))
        }
        // A tool's words are the host's at best: its own trust limits what it may cause elsewhere. An effect that would
        // need the person's word cannot be had in passing.
        guard policy.decide(tool: entry.definition, label: TurnRunner.label(of: entry.definition)) == .allow else {
            return .failure(
                ToolFailure(
                    status: -42, code: "confirmation_denied",
                    message: "That needs your word first, so please ask for it directly."))
        }
        // A call that may only read cannot cause a write through another tool.
        guard entry.definition.effect <= call.allowedEffect || entry.definition.effect == .read else {
            return .failure(
                ToolFailure(status: -40, code: "not_granted", message: "A tool that only reads cannot change things."))
        }
        var inner = call
        inner.allowedEffect = min(entry.definition.effect, max(call.allowedEffect, .read))
        let start = monotonicNanoseconds()
        let outcome = await entry.provider.call(inner, in: scope)
        let result = StepResult(
            step: PlannedStep(
                index: call.origin.step, tool: call.tool, effect: entry.definition.effect, arguments: call.arguments,
                confidence: 1, label: .system), outcome: .tool(outcome), milliseconds: 0)
        metrics.called(tool: call.tool, outcome: result.word, nanoseconds: monotonicNanoseconds() - start)
        return outcome
    }

    func isAvailable(tool: String, in scope: UserScope) async -> Bool {
        guard let directory = try? await directories.directory(for: scope), let entry = directory[tool] else {
            return false
        }
        return policy.decide(tool: entry.definition, label: TurnRunner.label(of: entry.definition)) == .allow
    }

    /// Of what a tool says to another one: the host's word at best, and nobody's for what is believed of the owner.
    private static func label(of tool: ToolDefinition) -> TrustLabel {
        PolicyFacts(tool: tool, label: .system, isPlanned: true).isMemory ? .untrusted : .system
    }
}
