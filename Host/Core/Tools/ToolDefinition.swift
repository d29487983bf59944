public import TandemJSON

/// One thing an assistant can do, as its author declares it: the same for plugins and for the host's own tools.
///
/// The embedded planner and the language models work from this alone. The JSON form is documented in
/// `docs/plugins/manifest.md`.
public struct ToolDefinition: Sendable, Hashable {
    /// `namespace.verb`, e.g. `grocery.add`; `[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*`, unique in the host.
    public var id: String
    /// A few words for people: `Add to the grocery list`.
    public var title: String
    /// For the language model and the permission page: what it does and when to use it.
    public var description: String
    /// JSON Schema (draft 2020-12) of the arguments: an object with `additionalProperties: false`.
    public var parameters: JSON
    /// JSON Schema of the outcome's value.
    public var result: JSON
    public var effect: Effect
    public var undo: UndoPolicy
    /// The best trust its results may carry.
    public var trust: TrustLabel
    /// Example sentences with slots, for the embedded planner.
    public var utterances: [Utterance]
    /// What each slot holds; the key is a top-level name of `parameters`.
    public var slots: [String: SlotDefinition]
    /// The tool accepts entities of this type by reference: `remove that`, `2 done`. E.g. `grocery.item`.
    /// Equal to the `entity` of its `reference` slot.
    public var actsOn: String?
    /// At most this long, then the host gives up. Milliseconds; default 10,000.
    public var timeoutMilliseconds: Int
    /// For `send` and `spend`: the reading tool of the same plugin that tells whether such a call came about, given
    /// `{"idempotency_key":…,"arguments":{…}}`; its value is `{"found":true,"value":…}` or `{"found":false}`. Asked when an
    /// outcome is not known; no person and no model is offered it.
    public var lookup: String?
    /// Only the account's owner may cause it, by their own words: no other tool and nobody else's text. For what decides
    /// about permissions; the host's own tools only.
    public var isOwnersAlone: Bool
    /// This person wants to be asked before each call. Set by the host for one person, never declared.
    public var asksFirst = false
    /// Whose tool it is, for people, when it did not come with the host: `Tides (dev)`. Set by the host, never declared.
    public var source = ""

    public init(
        id: String, title: String, description: String, parameters: JSON, result: JSON = true,
        effect: Effect, undo: UndoPolicy = .rows, trust: TrustLabel = .system, utterances: [Utterance] = [],
        slots: [String: SlotDefinition] = [:], actsOn: String? = nil, timeoutMilliseconds: Int = 10_000,
        lookup: String? = nil, isOwnersAlone: Bool = false
    ) {
        self.id = id
        self.title = title
        self.description = description
        self.parameters = parameters
        self.result = result
        self.effect = effect
        self.undo = undo
        self.trust = trust
        self.utterances = utterances
        self.slots = slots
        self.actsOn = actsOn
        self.timeoutMilliseconds = timeoutMilliseconds
        self.lookup = lookup
        self.isOwnersAlone = isOwnersAlone
    }

    /// The part of the id before the dot.
    public var namespace: String { String(id.prefix(while: { $0 != "." })) }
}

/// An example sentence: words and `{slot}`s; `[optional words]`; `a|b` alternatives within parentheses `(a|b c)`.
///
/// `add {items} to (my|the) [grocery] list`. Case, punctuation, filler and word order are the planner's business.
public struct Utterance: Sendable, Hashable {
    public var text: String
    /// Arguments that this wording implies besides the slots: `{"period": "month"}`.
    public var arguments: JSONObject

    public init(_ text: String, arguments: JSONObject = [:]) {
        self.text = text
        self.arguments = arguments
    }
}

/// What a slot holds and how it is written into the arguments.
public struct SlotDefinition: Sendable, Hashable {
    public var kind: SlotKind
    /// The tool cannot be planned without it. Defaults to the schema's `required`.
    public var isRequired: Bool
    /// Words that often surround or stand for this slot, as a hint: `["budget", "limit"]`.
    public var hints: [String]

    public init(_ kind: SlotKind, required: Bool = false, hints: [String] = []) {
        self.kind = kind
        self.isRequired = required
        self.hints = hints
    }
}

/// The kinds of slots and the JSON that the planner writes for them.
public enum SlotKind: Sendable, Hashable {
    /// Free words, trimmed, original spelling: `"call the dentist"`.
    case text
    /// `3`, `three`, `2.5`: a JSON number (integer where integral).
    case number
    /// One thing with an amount: `{"name":"milk","quantity":"2","unit":"l"}`; quantity (decimal string) and unit
    /// (canonical short form: g, kg, ml, l, tsp, tbsp, cup, oz, lb, piece, pack, can, bottle, bunch, clove, slice …)
    /// left out where not said.
    case quantity
    /// Several of them: an array of `quantity`. `2 litres of milk, eggs and some bread`.
    case items
    /// `{"amount":"3.20","currency":"EUR"}`; currency left out where the person did not say one.
    case money
    /// `"2027-03-31"`, in the person's zone.
    case date
    /// `"2026-11-22T08:00:00.000Z"` (the instant) for a date with a time; a bare date gives the date string `"2026-11-22"`.
    case dateTime
    /// Whole minutes: a JSON integer.
    case duration
    /// One of the given values; each with the words that mean it.
    case choice([Choice])
    /// Several texts split at commas, `and`, new lines, numbering: an array of strings.
    case list
    /// A thing named before or shown in the last answer: the string `"#<id>"` when it is resolved from the
    /// conversation (digit, "that", "it", "the first one"), else the words that name it.
    case reference(entity: String)
    /// A span of time in the past or future: `{"from":"2026-11-01","to":"2026-11-30"}`, both inclusive.
    case period

    public struct Choice: Sendable, Hashable {
        public var value: String
        public var words: [String]

        public init(_ value: String, _ words: [String] = []) {
            self.value = value
            self.words = words
        }
    }
}
