import TandemCore
import TandemJSON
import TandemLanguage

/// What a message means, before anything is done.
enum Interpretation: Sendable {
    /// Nothing to do but answer.
    case reply(String)
    /// Nothing to do but answer, and what was asked before is still open.
    case remark(String)
    /// A call lacks a number: the person is asked for it.
    case asking(String, PendingQuestion)
    /// The planner can make nothing of it; with the answer that says so.
    case unclear(String)
    /// The rest of the last answer.
    case more
    /// Take back the last change.
    case undo
    /// Drop what was learned about the person's way of saying things.
    case unlearn
    case steps([PlannedStep], handledBy: String)
    /// A model took it up; with what the embedded planner reads in the same words.
    case model(LanguageResponse, reading: [LanguageCall], note: String?)
    /// The person said the code of a waiting action, or agreed to the only one.
    case confirmed(Confirmation)
    case declined(Confirmation)
    /// The person wants something that is switched off.
    case off(tool: String, integration: String)
}

/// Reads a message in its context: control words, decisions about integrations, the answer to a question, a
/// confirmation; else the planner.
struct Interpreter: Sendable {
    var context: TurnContext
    var directory: ToolDirectory
    var planning: any TurnPlanning
    var limits: AgentLimits

    func interpret(_ text: String) async -> (Interpretation, handledBy: String) {
        let message = text.trimmingSpace()
        if message.isEmpty { return (.remark("Your message came empty. Text ? to see what I can do."), "local") }
        if message.utf8.count > limits.messageBytes {
            return (.remark("That is a lot at once. Send it in smaller parts, and I take them one by one."), "local")
        }
        if let word = ControlWord(message), let found = control(word) { return (found, "local") }
        if let (name, arguments) = planning.decision(in: message), let tool = directory[name]?.definition {
            let step = PlannedStep(
                index: 0, tool: name, effect: tool.effect, arguments: arguments, confidence: 1, label: .owner)
            return (.steps([step], handledBy: "local"), "local")
        }
        if let answer = await answerToQuestion(message) { return (answer, "local") }
        return await plan(message)
    }

    // MARK: Control words

    private func control(_ word: ControlWord) -> Interpretation? {
        switch word {
        case .more: return .more
        case .hint: return .remark(hint)
        case .undo: return .undo
        case .unlearn: return .unlearn
        case .number(let number):
            if let confirmation = context.confirmations.first(where: { $0.code == number }) {
                return .confirmed(confirmation)
            }
            if let question = context.question, (1...max(question.options.count, 1)).contains(number),
                question.options.indices.contains(number - 1)
            {
                return steps(answering: question, with: question.options[number - 1].value)
            }
            if context.question != nil { return nil }
            if (1000...9999).contains(number), context.state.shown?.items.count ?? 0 < number {
                return .remark("That code is not open any more. Ask again, and I give you a new one.")
            }
            return nil
        case .agree, .disagree:
            if context.confirmations.count == 1, let only = context.confirmations.first {
                return word == .agree ? .confirmed(only) : .declined(only)
            }
            if context.confirmations.count > 1 {
                return .remark("Several things wait for your word. Text the number of the one you mean.")
            }
            if let question = context.question {
                if word == .disagree { return .reply("Alright, left as it is.") }
                return question.options.count == 1 ? steps(answering: question, with: question.options[0].value) : nil
            }
            return .reply(word == .agree ? "Good. What is next?" : "Alright. I am here when you want something.")
        case .skip:
            if context.question != nil { return .reply("Skipped.") }
            if let first = context.confirmations.first { return .declined(first) }
            return .reply("Nothing is waiting. What would you like to do?")
        }
    }

    // MARK: Answers to questions

    private func answerToQuestion(_ message: String) async -> Interpretation? {
        guard let question = context.question else { return nil }
        if question.words != nil, directory[question.tool] == nil { return nil }
        if let option = question.options.first(where: { $0.label.equalsIgnoringCase(message) }) {
            return steps(answering: question, with: option.value)
        }
        // Nothing but a number is the number that was asked for, whatever a list before it showed.
        if question.options.isEmpty, let kind = kind(of: question) {
            if let value = SpokenValue.read(message, as: kind, context: context.planner) {
                return fits(value, question.schema)
                    ? steps(answering: question, with: value, said: message) : .remark(Interpreter.misfit)
            }
            if question.words != nil {
                let verdict = await planning.read(message, context: context, directory: directory).verdict
                if case .unclear = verdict, !planning.asksModels { return .remark(Interpreter.misfit) }
                // Said once more in full, or something else.
                return nil
            }
        }
        // A clear request of its own is not an answer. To a free question nearly anything is one.
        let threshold = question.options.isEmpty ? 0.9 : 0.6
        let verdict = await planning.read(message, context: context, directory: directory).verdict
        if case .calls(let calls) = verdict,
            calls.allSatisfy({ $0.confidence >= threshold && $0.missing.isEmpty }),
            !calls.contains(where: { $0.tool == question.tool && question.options.isEmpty })
        {
            return nil
        }
        if let value = value(of: message, for: question) { return steps(answering: question, with: value) }
        switch verdict {
        // Small talk while a decision is open decides nothing.
        case .reply(let text): return .remark(text)
        case .off where !question.options.isEmpty: return nil
        default: return .remark(Interpreter.misfit)
        }
    }

    private static let misfit = "That does not fit the question. Text skip to leave it."

    /// What kind of number answers a question; nil where another answer is wanted.
    private func kind(of question: PendingQuestion) -> SlotKind? {
        if question.words != nil {
            return directory[question.tool].flatMap { Interpreter.kind(of: question.field, of: $0.definition) }
        }
        return Interpreter.isNumber(question.schema) ? .number : nil
    }

    /// The kind of number that an argument is; nil for any other value.
    static func kind(of parameter: String, of tool: ToolDefinition) -> SlotKind? {
        switch tool.slots[parameter]?.kind {
        case let kind? where [.number, .money, .duration].contains(kind): kind
        case nil where isNumber(tool.parameters["properties"]?[parameter] ?? true): .number
        default: nil
        }
    }

    private static func isNumber(_ schema: JSON) -> Bool {
        ["integer", "number"].contains(schema["type"]?.stringValue)
    }

    private func fits(_ value: JSON, _ schema: JSON) -> Bool {
        (try? JSONSchema(compiling: schema))?.validate(value).isEmpty ?? true
    }

    private func value(of message: String, for question: PendingQuestion) -> JSON? {
        if let allowed = question.schema["enum"]?.arrayValue {
            let words = message.lowercased().filter { !".!,".contains($0) }
            return allowed.first { $0.stringValue == words }
        }
        switch question.schema["type"]?.stringValue {
        case "integer", "number": return nil
        case "array": return [.string(message)]
        case "boolean":
            switch ControlWord(message) {
            case .agree: return true
            case .disagree: return false
            default: return nil
            }
        default: return .string(message)
        }
    }

    private func steps(
        answering question: PendingQuestion, with value: JSON, said: String = ""
    ) -> Interpretation {
        guard let entry = directory[question.tool] else {
            return .reply("That was switched off meanwhile, so I left it.")
        }
        if let words = question.words {
            var arguments = question.arguments.objectValue ?? [:]
            arguments[question.field] = value
            let missing = Interpreter.required(by: entry.definition).filter { arguments[$0] == nil }
            let call = LanguageCall(
                id: "answered", tool: question.tool, arguments: .object(arguments), missing: missing)
            return interpretation(of: [call], in: words + " " + said)
        }
        let step = PlannedStep(
            index: 0, tool: question.tool, effect: entry.definition.effect, arguments: question.arguments,
            confidence: 1, label: question.label, resumeState: question.resumeState,
            answers: [question.field: value])
        return .steps([step], handledBy: "local")
    }

    // MARK: Planning

    private func plan(_ message: String) async -> (Interpretation, handledBy: String) {
        let planned = await planning.plan(message, context: context, directory: directory)
        switch planned.verdict {
        case .reply(let text): return (.reply(text), planned.handledBy)
        case .unclear: return (.unclear("I did not get that. " + hint), planned.handledBy)
        case .off(let tool, let integration): return (.off(tool: tool, integration: integration), planned.handledBy)
        case .model(let response, let reading):
            return (.model(response, reading: reading, note: planned.note), planned.handledBy)
        case .calls(let calls):
            return (interpretation(of: calls, in: message, by: planned.handledBy), planned.handledBy)
        }
    }

    /// What planned calls come to: steps, or a question for what one of them lacks.
    private func interpretation(
        of calls: [LanguageCall], in words: String, by handler: String = ProviderTurnPlanner.local
    ) -> Interpretation {
        if calls.count > limits.callsPerTurn {
            return .reply("That is \(calls.count) things at once; I can do \(limits.callsPerTurn). Send them in parts.")
        }
        if let incomplete = calls.first(where: { !$0.missing.isEmpty }), let name = incomplete.missing.first,
            let tool = directory[incomplete.tool]?.definition
        {
            let kinds = incomplete.missing.map { Interpreter.kind(of: $0, of: tool) }
            guard calls.count == 1, !kinds.contains(nil), let kind = kinds[0] else {
                return .reply("\(Interpreter.question(about: name, of: tool)) Send it again with that.")
            }
            return .asking(
                "\(Interpreter.question(about: name, of: tool)) \(Interpreter.hint(for: kind))",
                PendingQuestion(
                    tool: tool.id, arguments: incomplete.arguments, field: name,
                    schema: tool.parameters["properties"]?[name] ?? true, options: [], resumeState: [],
                    askedAt: context.now, words: words))
        }
        let steps = calls.enumerated().compactMap { index, call -> PlannedStep? in
            guard let tool = directory[call.tool]?.definition else { return nil }
            return labelled(
                PlannedStep(
                    index: index, tool: call.tool, effect: tool.effect, arguments: call.arguments,
                    confidence: call.confidence, label: .owner), tool, words)
        }
        return .steps(steps, handledBy: handler)
    }

    /// The owner's words ask for the step; what they point at may be named in somebody else's.
    private func labelled(_ step: PlannedStep, _ tool: ToolDefinition, _ message: String) -> PlannedStep {
        let foreign = ((context.state.shown?.items ?? []) + context.state.touched).filter { $0.trust > .system }
        guard step.effect >= .send || (!foreign.isEmpty && step.effect != .read) else { return step }
        var sources = ArgumentSources(words: message)
        for item in foreign { sources.saw(item.label, trust: item.trust) }
        var step = step
        step.label = sources.label(ofAll: step.arguments)
        step.reach = CallReach.of(step.arguments, tool: tool, sources: sources)
        return step
    }

    private static func question(about parameter: String, of tool: ToolDefinition) -> String {
        "\(tool.title): which \(parameter.replacing("_", with: " "))?"
    }

    private static func hint(for kind: SlotKind) -> String {
        switch kind {
        case .money: "The amount is enough."
        case .duration: "For example: 20 minutes."
        default: "The number is enough."
        }
    }

    /// What a call of the tool cannot do without.
    private static func required(by tool: ToolDefinition) -> [String] {
        let names = tool.parameters["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return names + tool.slots.filter { $0.value.isRequired && !names.contains($0.key) }.map(\.key).sorted()
    }

    /// One line of what this person can do now, by what is switched on.
    var hint: String {
        var seen: Set<String> = []
        var examples: [String] = []
        for tool in directory.definitions where seen.insert(tool.namespace).inserted {
            let name = Interpreter.examples[tool.namespace] ?? planning.integration(of: tool.id)?.lowercased()
            if let name { examples.append(name) }
        }
        return "I keep \(examples.joined(separator: ", ")). Try: \"add milk to my list\", \"what's next?\", \"undo\"."
    }

    private static let examples: [String: String] = ["tasks": "tasks", "notes": "notes", "memory": "what you tell me"]
}

extension String {
    func trimmingSpace() -> String {
        var view = self[...]
        while let first = view.unicodeScalars.first, first.properties.isWhitespace {
            view = Substring(view.unicodeScalars.dropFirst())
        }
        while let last = view.unicodeScalars.last, last.properties.isWhitespace {
            view = Substring(view.unicodeScalars.dropLast())
        }
        return String(view)
    }

    func equalsIgnoringCase(_ other: String) -> Bool { lowercased() == other.trimmingSpace().lowercased() }
}
