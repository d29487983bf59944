import TandemCore
import TandemJSON
import TandemLanguage

/// The conversation with a model within one turn: what it asked for, what came back, and which of its wishes are the
/// owner's.
///
/// A value that is made anew from the persisted steps, so that another process goes on where one ended. Nothing that the
/// model says is believed: its calls become steps with labels that the host works out, and the policy decides about them.
struct ModelLoop: Sendable {
    let words: String
    let directory: ToolDirectory
    let limits: AgentLimits
    /// What was said before in this conversation, without what others wrote.
    let history: [LanguageMessage]
    private(set) var sources: ArgumentSources
    /// What the model is told of from the start.
    let offer: ToolOffer
    private(set) var plan = EffectPlan()
    private(set) var steps: [PlannedStep] = []
    /// What the model said beside its calls, by round.
    private var texts: [Int: String] = [:]
    private(set) var round = 0

    /// - Parameter reading: What the embedded planner reads in the owner's words.
    init(
        words: String, directory: ToolDirectory, limits: AgentLimits, history: [LanguageMessage] = [],
        reading: [LanguageCall] = [], offer: ToolOffer = .everything
    ) {
        self.offer = offer
        self.words = words
        self.directory = directory
        self.limits = limits
        self.history = history
        sources = ArgumentSources(words: words)
        let isPlural = ModelLoop.speaksOfSeveral(words)
        for call in reading where call.confidence >= ModelLoop.confidence {
            plan.allow(call.tool, times: isPlural ? EffectPlan.many : reading.count { $0.tool == call.tool })
        }
    }

    /// A reading of the embedded planner that is less sure than this says nothing about what the owner wants.
    static let confidence = 0.6
    /// Arguments beyond this many bytes are not looked at.
    static let longestArguments = 16_384
    /// What of a result a model is shown at most.
    static let longestValue = 24_000

    private static func speaksOfSeveral(_ words: String) -> Bool {
        let severals: Set<Substring> = ["each", "every", "all", "both", "everything", "them", "those", "these"]
        return words.lowercased().split(whereSeparator: { !$0.isLetter }).contains { severals.contains($0) }
    }

    // MARK: Steps

    /// Makes steps of what the model asks for; they follow those of earlier rounds.
    mutating func take(_ response: LanguageResponse) {
        round = steps.isEmpty ? 0 : (steps.map(\.round).max() ?? 0) + 1
        if let text = response.text { texts[round] = text }
        // Plans count before the calls beside them, in whatever order they come.
        let isOpen = !sources.isTainted
        if isOpen {
            for call in response.calls where call.tool == PlanTool.id { add(plan: call.arguments) }
        }
        for (number, call) in response.calls.enumerated() { append(call, number: number, isOpen: isOpen) }
    }

    private mutating func add(plan arguments: JSON) {
        for (tool, times) in PlanTool.steps(in: arguments) where directory[tool] != nil { plan.add(tool, times: times) }
    }

    private mutating func append(_ call: LanguageCall, number: Int, isOpen: Bool) {
        guard steps.count < limits.stepsPerTurn else { return }
        let isTaken = call.id.isEmpty || steps.contains { $0.call == call.id }
        var step = PlannedStep(
            index: steps.count, tool: String(call.tool.prefix(128)), effect: .read, arguments: call.arguments,
            confidence: call.confidence, label: .owner, round: round,
            call: isTaken ? "call-\(round)-\(number)" : call.id,
            continuation: call.continuation)
        if call.tool == PlanTool.id {
            step.record = StepRecord(
                word: "value", value: ["planned": .bool(isOpen)],
                message: isOpen ? "Planned." : "Too late: something of others has been read.", trust: .system)
            steps.append(step)
            return
        }
        if call.tool == FindTool.id {
            let (found, unknown) = FindTool.answer(to: call.arguments, among: usable)
            step.record = StepRecord(
                word: "value", value: ["given": .array(found.map { .string($0) })],
                message: unknown.isEmpty ? "You have them now." : "There is no \(unknown.joined(separator: ", ")).",
                trust: .system)
            steps.append(step)
            return
        }
        guard let tool = directory[call.tool]?.definition, !tool.isOwnersAlone else {
            step.arguments = [:]
            step.record = StepRecord(
                word: "off", value: .null, message: "There is no tool of this name.", trust: .system)
            steps.append(step)
            return
        }
        step.effect = tool.effect
        if number >= limits.callsPerRound {
            step.record = ModelLoop.refusal("too_many", "Too many calls at once; ask again for this one.")
        } else if call.arguments.objectValue == nil || call.arguments.text.utf8.count > ModelLoop.longestArguments {
            step.arguments = [:]
            step.record = ModelLoop.refusal("invalid_arguments", "The arguments are no object, or too long.")
        } else if let refusal = directory[call.tool]?.provider.refusal(of: call.arguments, tool: call.tool) {
            step.record = ModelLoop.refusal(refusal.code, refusal.message)
        }
        if step.record == nil {
            step.label = sources.label(ofAll: call.arguments)
            step.reach = CallReach.of(call.arguments, tool: tool, sources: sources)
            // What a model makes of the talk is its guess; the owner is asked before it is believed.
            if PolicyFacts(tool: tool, label: .owner, isPlanned: true).isMemory,
                !sources.ownersWords(cover: call.arguments)
            {
                step.label = step.label.joined(with: .contact)
            }
            if sources.isTainted {
                step.isPlanned = plan.take(call.tool)
            } else if tool.effect != .read {
                // What is done at once is done; it is no licence to do it again later.
                _ = plan.take(call.tool)
            }
        }
        steps.append(step)
    }

    private static func refusal(_ code: String, _ message: String) -> StepRecord {
        StepRecord(word: "error:\(code)", value: .null, message: message, trust: .system)
    }

    /// Steps that have no outcome yet.
    var pending: [PlannedStep] { steps.filter { $0.record == nil } }

    /// Keeps an outcome and takes note of what was read by it.
    mutating func note(_ record: StepRecord, of index: Int) {
        guard steps.indices.contains(index) else { return }
        steps[index].record = record
        read(steps[index])
    }

    private mutating func read(_ step: PlannedStep) {
        guard let record = step.record, !step.isHosts else { return }
        sources.read(
            ["value": record.value, "message": .string(record.message)], of: step.tool, trust: record.trust)
    }

    /// Goes on with steps that another process left: their labels and places in the plan are as they were.
    mutating func restore(_ earlier: [PlannedStep]) {
        steps = earlier
        round = earlier.map(\.round).max() ?? 0
        for number in 0...round {
            let isOpen = !sources.isTainted
            let these = earlier.filter { $0.round == number }
            if isOpen { for step in these where step.tool == PlanTool.id { add(plan: step.arguments) } }
            for step in these where !step.isHosts {
                if isOpen ? step.effect != .read : step.isPlanned { _ = plan.take(step.tool) }
            }
            for step in these { read(step) }
        }
    }

    // MARK: Messages

    /// What the model is told: the owner's words, then each of its requests with the results.
    var messages: [LanguageMessage] {
        var messages = history + [.person(words)]
        guard !steps.isEmpty else { return messages }
        for number in 0...(steps.map(\.round).max() ?? 0) {
            let these = steps.filter { $0.round == number }
            guard !these.isEmpty else { continue }
            messages.append(
                .assistant(
                    text: texts[number],
                    calls: these.map {
                        LanguageCall(
                            id: $0.call, tool: $0.tool, arguments: $0.arguments, confidence: $0.confidence,
                            continuation: $0.continuation)
                    }))
            for step in these {
                guard let record = step.record else { continue }
                messages.append(
                    .result(
                        call: step.call, tool: step.tool, value: ModelLoop.value(of: record), trust: record.trust,
                        isError: record.isError))
            }
        }
        return messages
    }

    private static func value(of record: StepRecord) -> JSON {
        var object: JSONObject = [:]
        if !record.message.isEmpty { object["message"] = .string(String(record.message.prefix(4000))) }
        if !record.value.isNull {
            let text = record.value.text
            object["value"] =
                text.utf8.count <= longestValue ? record.value : .string(String(text.prefix(longestValue / 2)) + " ...")
        }
        if record.word != "value" { object["outcome"] = .string(record.word) }
        return .object(object)
    }

    /// What a model may ask for at all.
    private var usable: [ToolDefinition] { directory.definitions.filter { !$0.isOwnersAlone } }

    /// The tools for the next request: once something of others was read, what only reads, and what is still planned. Of
    /// many those that are offered, called, planned, or were asked for.
    var tools: [ToolDefinition] {
        let usable = usable
        let asked = Set(
            steps.flatMap { step in
                step.tool == FindTool.id ? FindTool.answer(to: step.arguments, among: usable).found : [step.tool]
            })
        var tools = usable.filter { tool in
            guard !sources.isTainted || tool.effect == .read || plan.allows(tool.id) else { return false }
            return offer.holds(tool.id) || asked.contains(tool.id) || plan.allows(tool.id)
        }
        if offer.chosen != nil { tools.append(FindTool.definition(for: usable)) }
        if !sources.isTainted { tools.append(PlanTool.definition) }
        return tools
    }

    /// The next request to a model.
    func request(context: TurnContext) -> LanguageRequest {
        LanguageRequest(
            messages: messages, tools: tools, context: context.modelPlanner, account: context.account,
            allTools: offer.chosen == nil ? nil : usable)
    }
}
