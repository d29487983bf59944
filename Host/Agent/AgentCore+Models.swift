import TandemCore
import TandemJSON
import TandemLanguage
import TandemModels

extension AgentCore {
    /// Goes through a turn with a model: its calls, their results, its next calls, until it has no more or the turn's limits
    /// are reached.
    ///
    /// Before a step that may change something the whole plan is on record, and after it its outcome: whoever takes the
    /// turn up when this process dies goes on from there, with the same labels and the same idempotency keys.
    ///
    /// - Parameters:
    ///   - response: The model's first; nil when the turn goes on from its record.
    ///   - patience: Until when the person is kept waiting; nil: until all is done.
    func converse(
        _ loop: ModelLoop, from response: LanguageResponse?, draft: inout TurnDraft, context: TurnContext,
        scope: UserScope, deadline: UInt64, patience: UInt64? = nil
    ) async throws {
        var loop = loop
        var text: String?
        draft.state.question = nil
        if let response {
            loop.take(response)
            text = response.text
        }
        let reader = QuarantinedReader(
            language: services.language, account: LanguageAccount(scope: scope, turn: draft.turn),
            context: context.modelPlanner, prompt: services.prompts.extract.text)
        var questions: [StepResult] = []
        var requests = loop.round + 1
        // What has no outcome yet may have been begun by a process that died.
        var isRepeated = response == nil
        while !loop.steps.isEmpty {
            let pending = loop.pending
            let mayChange = pending.contains { $0.effect != .read }
            if mayChange {
                draft.steps = loop.steps
                try await putOnRecord(&draft, scope: scope)
            }
            if !pending.isEmpty {
                let results = await runner.run(
                    pending, turn: draft.turn, scope: scope, directory: loop.directory, deadline: deadline,
                    patience: patience, isRepeated: isRepeated)
                isRepeated = false
                for result in results {
                    guard var record = result.record(of: loop.directory[result.step.tool]?.definition) else {
                        questions.append(result)
                        continue
                    }
                    await digest(&record, of: result, loop, reader)
                    loop.note(record, of: result.step.index)
                }
                if results.count < pending.count { return setAside(loop, &draft) }
            }
            if mayChange {
                draft.steps = loop.steps
                try await putOnRecord(&draft, scope: scope)
            }
            guard questions.isEmpty, requests < services.limits.roundsPerTurn,
                loop.steps.count < services.limits.stepsPerTurn
            else { break }
            if let patience, monotonicNanoseconds() >= patience { return setAside(loop, &draft) }
            guard monotonicNanoseconds() < deadline else { break }
            requests += 1
            guard let next = await ask(loop, context: context, deadline: deadline) else {
                text = nil
                break
            }
            text = next.text
            if let note = next.note { draft.reply.add(note) }
            if next.calls.isEmpty { break }
            loop.take(next)
        }
        draft.steps = loop.steps
        draft.trust = loop.sources.label
        let results = loop.steps.filter { !$0.isHosts }.compactMap(StepResult.init(recorded:)) + questions
        draft.take(results, text: text, directory: loop.directory, now: services.clock.now)
        if draft.reply.isEmpty, draft.opened.isEmpty { draft.reply.add("That is done as far as I could.") }
    }

    /// The person gets a line now, and the rest when it is there.
    private func setAside(_ loop: ModelLoop, _ draft: inout TurnDraft) {
        (draft.steps, draft.trust, draft.goesOn) = (loop.steps, loop.sources.label, true)
        draft.reply.add(AgentCore.goesOnLine)
    }

    /// A turn that another process began with a model, as its record has it.
    func restored(
        _ steps: [PlannedStep], _ work: TurnWork, context: TurnContext, directory: ToolDirectory
    ) async throws -> ModelLoop {
        var reading: [LanguageCall] = []
        if case .calls(let calls) = await planning.read(work.text, context: context, directory: directory).verdict {
            reading = calls
        }
        var loop = ModelLoop(
            words: work.text, directory: directory, limits: services.limits, history: context.history,
            reading: reading,
            offer: planning.offer(for: work.text, context: context, reading: reading, directory: directory))
        loop.restore(steps)
        return loop
    }

    /// The model's next response; nil when there is none to be had now.
    private func ask(
        _ loop: ModelLoop, context: TurnContext, deadline: UInt64
    ) async -> LanguageResponse? {
        let request = loop.request(context: context)
        let language = services.language
        return await runner.watch.run(until: deadline) { try? await language.respond(to: request) }
    }

    /// Replaces what others wrote at length by what a reader without tools makes of it.
    private func digest(
        _ record: inout StepRecord, of result: StepResult, _ loop: ModelLoop, _ reader: QuarantinedReader
    ) async {
        guard record.trust > .system, record.word == "value",
            record.message.utf8.count + record.value.text.utf8.count > QuarantinedReader.longest
        else { return }
        let digest = await reader.digest(record.value, message: record.message, question: loop.words)
        record.value = digest ?? ["unread": true]
        record.message = digest == nil ? "It could not be read." : ""
        record.isDigest = true
    }
}
