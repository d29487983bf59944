public import TandemCore
public import TandemJSON

/// What the planner may know besides the message: the time, the person's habits of writing, and what was just shown.
public struct PlannerContext: Sendable {
    /// The instant of the message; "tomorrow" is counted from it.
    public var now: Timestamp
    /// IANA name of the person's time zone; an unknown name counts as UTC.
    public var timeZone: String
    /// ISO 4217 code that a bare `$` stands for when it is a dollar currency (`CAD`, `AUD`); otherwise unused.
    public var currency: String
    /// The last answer's list, for `2`, `the first one`, `both`.
    public var shown: ShownEntities?
    /// Things named or changed lately, newest first, for `that` and `it`.
    public var touched: [ShownEntities.Item]
    /// Tools called lately, newest first, for `and eggs`.
    public var recentTools: [String]
    /// What this person confirmed and took back before, newest first; the first 64 count.
    public var lessons: [PlannerLesson]

    public init(
        now: Timestamp, timeZone: String = "UTC", currency: String = "EUR", shown: ShownEntities? = nil,
        touched: [ShownEntities.Item] = [], recentTools: [String] = [], lessons: [PlannerLesson] = []
    ) {
        self.now = now
        self.timeZone = timeZone
        self.currency = currency
        self.shown = shown
        self.touched = touched
        self.recentTools = recentTools
        self.lessons = lessons
    }
}

/// A tool call that the message asks for. Nothing has been validated against the tool's schema.
public struct PlannedCall: Sendable, Hashable {
    public var tool: String
    /// An object with one member per slot that was found, in the JSON of its kind, and the wording's own arguments.
    public var arguments: JSON
    /// 0…1; comparable between calls of one planner.
    public var confidence: Double
    /// The part of the message that asks for it, as written.
    public var text: String
    /// Required arguments that the message does not give: ask the person, do not call.
    public var missing: [String]

    public init(tool: String, arguments: JSON, confidence: Double, text: String, missing: [String] = []) {
        self.tool = tool
        self.arguments = arguments
        self.confidence = confidence
        self.text = text
        self.missing = missing
    }
}

/// What the planner makes of a message.
public enum PlanVerdict: Sendable, Hashable {
    /// One or more calls, in the order of the message; never empty.
    case calls([PlannedCall])
    /// Nothing to do but be kind; the text is a short answer.
    case smallTalk(String)
    /// Not understood well enough to act. `best` is the closest reading, for "did you mean", never to be run unasked.
    case unclear(best: PlannedCall?)
}
