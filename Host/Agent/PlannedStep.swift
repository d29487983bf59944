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
    /// Of the words in the arguments, where the person's word stands for them: what is stored of them keeps it.
    var contentLabel: TrustLabel?
    /// The person has just given their word for exactly these arguments.
    var isConfirmed = false
    var resumeState: [UInt8] = []
    var answers: JSON?
    /// The owner's words asked for it before anything of others was read.
    var isPlanned = true
    var reach = CallReach()
    /// The model's request that asked for it, from 0 on, its name for the call, and what it wants back with the result.
    var round = 0
    var call = ""
    var continuation: JSON?
    /// Of a plan's first step: the further messages that the plan answers.
    var joined: [RecordID] = []
    /// What became of it, once that is on record: it is not made again.
    var record: StepRecord?
    /// The person was told of it.
    var isTold = false
}

/// The outcome of a step as it is kept with the plan, and as a model is told of it.
struct StepRecord: Sendable, Equatable {
    /// As `StepResult.word`.
    var word: String
    var value: JSON
    var message: String
    var trust: TrustLabel
    var shown: ShownEntities?
    var milliseconds = 0
    /// The value stands for a longer one that a reader without tools has summed up.
    var isDigest = false

    var isError: Bool { word != "value" && word != "accepted" && word != "confirmation" }
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

extension StepResult {
    /// For the record; nil for a question to the person, which is asked again, unless it is recorded as having been asked.
    ///
    /// - Parameter tool: The tool's own declaration: a failure's words are trusted no more than its results may be.
    func record(of tool: ToolDefinition?, withQuestions: Bool = false) -> StepRecord? {
        func record(_ message: String, value: JSON = .null, trust: TrustLabel = .system) -> StepRecord {
            StepRecord(word: word, value: value, message: message, trust: trust, milliseconds: milliseconds)
        }
        switch outcome {
        case .tool(.value(let value)):
            var made = record(value.message, value: value.value, trust: value.trust)
            made.shown = value.shown
            return made
        // A tool words its failures itself, maybe with what it was told elsewhere.
        case .tool(.failure(let failure)): return record(failure.message, trust: tool?.trust ?? .untrusted)
        case .tool(.inputRequired(let request)): return withQuestions ? record(request.message) : nil
        case .tool(.authRequired(_, let message)): return record(message)
        case .tool(.accepted(_, let message)): return record(message)
        case .needsConfirmation: return record("This waits for the owner's word. The owner is asked by the host.")
        case .refused: return record("Refused: the owner's words did not ask for this step.")
        case .unavailable: return record("There is no such tool for this person.")
        }
    }

    /// The result of a step whose outcome is on record.
    init?(recorded step: PlannedStep) {
        guard let record = step.record else { return nil }
        self.step = step
        milliseconds = record.milliseconds
        switch record.word {
        case "value":
            outcome = .tool(
                .value(
                    ToolValue(value: record.value, message: record.message, shown: record.shown, trust: record.trust)))
        case "confirmation": outcome = .needsConfirmation
        case "refused": outcome = .refused
        case "off": outcome = .unavailable
        case "auth_required": outcome = .tool(.authRequired(grant: "", message: record.message))
        case "input_required":
            outcome = .tool(.inputRequired(InputRequest(message: record.message, field: "")))
        case "accepted": outcome = .tool(.accepted(job: "", message: record.message))
        default:
            let code = record.word.split(separator: ":").last.map(String.init) ?? "failed"
            outcome = .tool(.failure(ToolFailure(code: code, message: record.message)))
        }
    }
}
