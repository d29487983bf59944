import TandemCore
import TandemJSON
import TandemLanguage

/// What a person's confirmations and corrections showed about their own words: kept with the conversation, sealed, for this
/// person alone, at most `most`; exported and erased with it, and dropped when they say `forget what you learned`.
///
/// What they took back was not meant; what they confirmed was; what they say next in other words shows what they had meant.
struct LearnedWays: Sendable, Equatable {
    /// Newest first.
    private(set) var lessons: [PlannerLesson] = []
    /// What the last message was taken for.
    private(set) var last: Taken?
    /// Words that were not understood, or not rightly, until the next message shows what was meant.
    private(set) var open: Taken?

    struct Taken: Sendable, Equatable {
        var text: String
        /// Empty: nothing.
        var tool: String
        var at: Timestamp
    }

    static let most = 48
    static let longest = 160
    /// Another wording comes within this, or is none.
    static let patience = Duration.seconds(300)
    /// How near another wording must be in meaning.
    static let likeness: Float = 0.45

    /// A message was taken to ask for a tool; an earlier one that was not understood may have meant the same.
    mutating func planned(_ text: String, tool: String, at now: Timestamp) {
        if let missed = open, missed.tool != tool, missed.text != text, now.since(missed.at) <= LearnedWays.patience,
            PlannerLesson.likeness(missed.text, text) >= LearnedWays.likeness
        {
            learn(PlannerLesson(text: missed.text, tool: tool, isWrong: false))
        }
        open = nil
        last = text.utf8.count <= LearnedWays.longest ? Taken(text: text, tool: tool, at: now) : nil
    }

    /// The person agreed to what their last message was taken for.
    mutating func confirmed(_ tool: String) {
        if let last, last.tool == tool { learn(PlannerLesson(text: last.text, tool: tool, isWrong: false)) }
        (last, open) = (nil, nil)
    }

    /// The person did not want what their last message was taken for.
    mutating func takenBack(at now: Timestamp) {
        if let last, !last.tool.isEmpty, now.since(last.at) <= LearnedWays.patience {
            learn(PlannerLesson(text: last.text, tool: last.tool, isWrong: true))
            open = Taken(text: last.text, tool: last.tool, at: now)
        }
        last = nil
    }

    /// A message could not be read.
    mutating func missed(_ text: String, at now: Timestamp) {
        open = text.utf8.count <= LearnedWays.longest ? Taken(text: text, tool: "", at: now) : nil
        // Said again although it was taken back: then it was meant after all.
        lessons.removeAll { $0.isWrong && $0.text == text }
        last = nil
    }

    /// Something else was said.
    mutating func passed() { last = nil }

    private mutating func learn(_ lesson: PlannerLesson) {
        lessons.removeAll { $0.text == lesson.text && ($0.tool == lesson.tool || !lesson.isWrong && !$0.isWrong) }
        lessons = Array(([lesson] + lessons).prefix(LearnedWays.most))
    }

    // MARK: JSON

    var json: JSON? {
        var object: JSONObject = [:]
        if !lessons.isEmpty {
            object["lessons"] = .array(
                lessons.map { ["text": .string($0.text), "tool": .string($0.tool), "wrong": .bool($0.isWrong)] })
        }
        for (name, taken) in [("last", last), ("open", open)] {
            guard let taken else { continue }
            object[name] = [
                "text": .string(taken.text), "tool": .string(taken.tool),
                "at": .integer(taken.at.millisecondsSinceEpoch),
            ]
        }
        return object.isEmpty ? nil : .object(object)
    }

    init() {}

    /// Reads what `json` wrote; what cannot be read is left out.
    init(json: JSON?) {
        func taken(_ name: String) -> Taken? {
            guard let stored = json?[name], let text = stored["text"]?.stringValue,
                let tool = stored["tool"]?.stringValue, let at = stored["at"]?.int64Value
            else { return nil }
            return Taken(text: text, tool: tool, at: Timestamp(millisecondsSinceEpoch: at))
        }
        lessons = (json?["lessons"]?.arrayValue ?? []).prefix(LearnedWays.most).compactMap { stored in
            guard let text = stored["text"]?.stringValue, let tool = stored["tool"]?.stringValue else { return nil }
            return PlannerLesson(text: text, tool: tool, isWrong: stored["wrong"] == true)
        }
        last = taken("last")
        open = taken("open")
    }
}

extension TurnDraft {
    /// What a message shows about the one before, and what it was itself taken for.
    mutating func learn(from interpretation: Interpretation, words: String, now: Timestamp) {
        switch interpretation {
        case .steps(let steps, ProviderTurnPlanner.local):
            // Several at once, or an answer to a question: nothing to be learned from.
            if steps.count == 1, let step = steps.first, state.question == nil {
                state.learned.planned(words, tool: step.tool, at: now)
            } else {
                state.learned.passed()
            }
        case .confirmed(let confirmation): state.learned.confirmed(confirmation.tool)
        case .undo: state.learned.takenBack(at: now)
        case .unclear: state.learned.missed(words, at: now)
        case .more: break
        case .reply, .remark, .asking, .unlearn, .steps, .model, .off, .declined: state.learned.passed()
        }
    }
}
