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
    private let ongoing = OngoingCalls()

    init(directories: ToolDirectoryCache, policy: Policy, limits: AgentLimits, metrics: AgentMetrics) {
        self.directories = directories
        self.policy = policy
        self.limits = limits
        self.metrics = metrics
    }

    /// Ends calls that outlive their deadlines, until the task is cancelled.
    func run() async {
        await watch.run()
        ongoing.cancelAll()
    }

    /// Whether a call of a turn goes on here although its turn was answered.
    func goesOn(turn: RecordID, step: Int) -> Bool { ongoing.contains(TurnRunner.key(turn, step)) }

    /// The idempotency key of a step: the same for every attempt, in whatever process.
    private static func key(_ turn: RecordID, _ step: Int) -> String { "\(turn).\(step)" }

    /// Makes the calls of some steps.
    ///
    /// - Parameters:
    ///   - patience: What takes longer goes on in the background: its step has no result, and none that follows it begins.
    ///     Nil: everything is waited for.
    ///   - isRepeated: The calls may have been made before, by a process that died.
    func run(
        _ steps: [PlannedStep], turn: RecordID, scope: UserScope, directory: ToolDirectory, deadline: UInt64,
        patience: UInt64? = nil, isRepeated: Bool = false
    ) async -> [StepResult] {
        let frame = Frame(
            turn: turn, scope: scope, directory: directory, deadline: deadline, patience: patience,
            isRepeated: isRepeated)
        guard steps.count > 1, steps.allSatisfy({ $0.effect == .read }) else {
            var results: [StepResult] = []
            for step in steps {
                guard let result = await run(step, frame) else { break }
                results.append(result)
            }
            return results
        }
        return await withTaskGroup(of: (Int, StepResult?).self) { group in
            for (position, step) in steps.enumerated() {
                group.addTask { (position, await self.run(step, frame)) }
            }
            var results = [StepResult?](repeating: nil, count: steps.count)
            for await (position, result) in group { results[position] = result }
            return results.compactMap { $0 }
        }
    }

    /// What the steps of one run have in common.
    private struct Frame: Sendable {
        var turn: RecordID
        var scope: UserScope
        var directory: ToolDirectory
        var deadline: UInt64
        var patience: UInt64?
        var isRepeated: Bool
    }

    /// Nil when it goes on in the background.
    private func run(_ step: PlannedStep, _ frame: Frame) async -> StepResult? {
        guard let entry = frame.directory[step.tool] else {
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
        let key = TurnRunner.key(frame.turn, step.index)
        let limit = start + UInt64(max(entry.definition.timeoutMilliseconds, 1)) * 1_000_000
        // What may go on has its own time; everything else ends with its turn.
        let mayGoOn = frame.patience.map { limit > $0 } ?? false
        let call = ToolCall(
            tool: step.tool, arguments: step.arguments, origin: WriteOrigin(turn: frame.turn, step: step.index),
            deadlineNanoseconds: mayGoOn ? limit : min(frame.deadline, limit), idempotencyKey: key,
            resumeState: step.resumeState, answers: step.answers, allowedEffect: entry.definition.effect)
        let attempt = EffectAttempt(
            call: call, tool: entry, lookup: entry.definition.lookup.flatMap { frame.directory[$0] },
            scope: frame.scope, label: step.contentLabel ?? step.label,
            deadline: mayGoOn ? limit : frame.deadline,
            isRepeated: frame.isRepeated && step.effect >= .send)
        let outcome: ToolOutcome
        if start >= frame.deadline {
            outcome = .failure(TurnRunner.outOfTime)
        } else if mayGoOn || ongoing.contains(key) {
            let ended = await ongoing.run(key, patience: frame.patience) { [watch] in await attempt.make(watch) }
            guard let ended else { return nil }
            outcome = ended
        } else {
            outcome = await attempt.make(watch)
        }
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
        // What the calling tool has read may be in what it hands on, and what it is given in what it makes.
        let outer = CallProvenance.current
        let provenance = CallProvenance(
            trust: [outer?.written ?? .system, entry.definition.trust].max() ?? .untrusted,
            isVerbatim: entry.provider.showsRowsAsTheyAre)
        var outcome = await CallProvenance.$current.withValue(provenance) { [inner] in
            await entry.provider.call(inner, in: scope)
        }
        if case .value(let value) = outcome {
            let labelled = provenance.labelled(value)
            outer?.read(labelled.trust)
            outcome = .value(labelled)
        }
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
