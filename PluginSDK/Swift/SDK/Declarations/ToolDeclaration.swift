/// What a tool says about itself, besides its arguments and its result.
public struct ToolDeclaration: Sendable {
    /// `namespace.verb`: `grocery.add`.
    public var id: String
    /// A few words for people: `Add to the grocery list`.
    public var title: String
    /// What it does and when to use it, for the language model and the permission page.
    public var description: String
    public var effect: Effect
    public var undo: Undo
    /// The best trust of its results.
    public var trust: Trust
    /// Example sentences for the embedded planner.
    public var utterances: [Utterance]
    /// The entity that a bare `2` or "that" may name for this tool; by default that of its only reference argument.
    public var actsOn: String?
    /// The host gives up after this long.
    public var timeoutMilliseconds: Int
    /// For `send` and `spend`: the reading tool of this plugin that tells by its idempotency key whether such a call came
    /// about (docs/plugins/manifest.md). The host asks it when it does not know.
    public var lookup: String?
    /// The tool starts on the host's thread and runs there up to its first suspension. Set to false when it computes
    /// for more than a millisecond before that: it then runs on Swift's pool from the start.
    public var startsInline: Bool

    public init(
        _ id: String, _ title: String, effect: Effect, _ description: String = "", undo: Undo = .rows,
        trust: Trust = .system, utterances: [Utterance] = [], actsOn: String? = nil,
        timeoutMilliseconds: Int = 10_000, lookup: String? = nil, startsInline: Bool = true
    ) {
        self.id = id
        self.title = title
        self.description = description.isEmpty ? title + "." : description
        self.effect = effect
        self.undo = undo
        self.trust = trust
        self.utterances = utterances
        self.actsOn = actsOn
        self.timeoutMilliseconds = timeoutMilliseconds
        self.lookup = lookup
        self.startsInline = startsInline
    }
}
