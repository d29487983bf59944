import TandemCore
import TandemJSON

/// One tool call of a turn, decided but not made.
struct PlannedStep: Sendable, Equatable {
    var index: Int
    var tool: String
    var effect: Effect
    var arguments: JSON
    var confidence: Double
    /// The least trusted source of the arguments.
    var label: TrustLabel
    /// The person has just given their word for exactly these arguments.
    var isConfirmed = false
    var resumeState: [UInt8] = []
    var answers: JSON?
}

/// What became of a step.
struct StepResult: Sendable {
    enum Outcome: Sendable {
        case tool(ToolOutcome)
        /// The policy wants the person's word first.
        case needsConfirmation
        case refused
        /// The tool is not switched on for this person.
        case unavailable
    }

    var step: PlannedStep
    var outcome: Outcome
    var milliseconds: Int

    /// One word for logs, metrics and `--json`.
    var word: String {
        switch outcome {
        case .tool(.value): "value"
        case .tool(.failure(let failure)): "error:\(failure.code)"
        case .tool(.inputRequired): "input_required"
        case .tool(.authRequired): "auth_required"
        case .tool(.accepted): "accepted"
        case .needsConfirmation: "confirmation"
        case .refused: "refused"
        case .unavailable: "off"
        }
    }
}

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
        switch policy.decide(tool: entry.definition, label: step.label) {
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
        let outcome =
            start >= deadline
            ? ToolOutcome.failure(TurnRunner.outOfTime)
            : await watch.run(until: call.deadlineNanoseconds) { await entry.provider.call(call, in: scope) }
        let nanoseconds = monotonicNanoseconds() - start
        let result = StepResult(step: step, outcome: .tool(outcome), milliseconds: Int(nanoseconds / 1_000_000))
        metrics.called(tool: step.tool, outcome: result.word, nanoseconds: nanoseconds)
        return result
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
        guard policy.decide(tool: entry.definition, label: .system) == .allow else {
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
        return policy.decide(tool: entry.definition, label: .system) == .allow
    }
}
