import PluginCommon
public import TandemSDK

/// Steps as they are said: one text that holds all, or a list of texts or of objects with time and tip.
public struct StepList: Sendable, Hashable, JSONRepresentable {
    public struct Step: Sendable, Hashable {
        public var text: String
        public var minutes: Int?
        public var tip: String?

        /// Nil for a text with nothing in it.
        init?(_ text: String, minutes: Int? = nil, tip: String? = nil) {
            let clean = text.singleLine(limit: RecipeLimits.stepLength)
            guard clean.isVisible else { return nil }
            self.text = clean
            self.minutes = minutes.map { min(max($0, 1), RecipeLimits.minutes) } ?? StepTime.minutes(in: clean)
            self.tip = tip?.singleLine(limit: RecipeLimits.noteLength).nonEmpty
        }
    }

    public var all: [Step]

    public static var shape: Shape {
        let text: JSON = ["type": "string", "minLength": 1, "maxLength": 8000]
        return Shape(
            schema: [
                "anyOf": [
                    text,
                    [
                        "type": "array", "maxItems": .integer(Int64(RecipeLimits.steps)),
                        "items": [
                            "anyOf": [
                                text,
                                [
                                    "type": "object",
                                    "properties": [
                                        "text": text, "minutes": ["type": "integer", "minimum": 1, "maximum": 10_080],
                                        "tip": ["type": "string", "maxLength": 1000],
                                    ],
                                    "required": ["text"], "additionalProperties": false,
                                ],
                            ]
                        ],
                    ],
                ]
            ], slot: .text, column: nil)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        switch json {
        case .string(let text): all = StepList.split(text).compactMap { Step($0) }
        case .array(let elements):
            all = []
            for element in elements {
                if let text = element.stringValue {
                    if let step = Step(text) { all.append(step) }
                } else if let text = element["text"]?.stringValue {
                    let minutes = element["minutes"]?.int64Value.map { Int($0) }
                    if let step = Step(text, minutes: minutes, tip: element["tip"]?.stringValue) { all.append(step) }
                } else {
                    throw ShapeError("a list of texts")
                }
            }
        default: throw ShapeError("text or a list of texts")
        }
    }

    public var json: JSON {
        .array(
            all.map { step in
                var object: JSONObject = ["text": .string(step.text)]
                if let minutes = step.minutes { object["minutes"] = .integer(Int64(minutes)) }
                if let tip = step.tip { object["tip"] = .string(tip) }
                return .object(object)
            })
    }

    // MARK: One text

    /// By lines or numbers where there are any, else by semicolons, else by sentences, else by commas and `then`.
    static func split(_ text: String) -> [String] {
        let text = String(text.prefix(8000))
        for separated in [lines(text), enumerated(text), text.split(separator: ";").map(String.init), sentences(text)] {
            let parts = separated.map(bare).filter { !$0.isEmpty }
            if parts.count > 1 { return parts }
        }
        return clauses(text).map(bare).filter { !$0.isEmpty }
    }

    private static func lines(_ text: String) -> [String] { text.split(whereSeparator: \.isNewline).map(String.init) }

    /// `1. mix 2. fry`, `1) mix 2) fry`: numbers that count up from 1.
    private static func enumerated(_ text: String) -> [String] {
        var parts: [String] = []
        var words: [Substring] = []
        var expected = 1
        for word in text.split(whereSeparator: \.isWhitespace) {
            if let last = word.last, ".):".contains(last), word.dropLast() == String(expected) {
                if expected > 1 { parts.append(words.joined(separator: " ")) }
                words = []
                expected += 1
            } else {
                words.append(word)
            }
        }
        parts.append(words.joined(separator: " "))
        return expected > 2 ? parts : []
    }

    private static func sentences(_ text: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var closing = false
        for character in text {
            if closing, character.isWhitespace {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
            closing = character == "." || character == "!"
        }
        parts.append(part)
        return parts
    }

    /// `mix flour, eggs and milk, rest 20 min, then fry`: what begins with food goes on with the step before.
    private static func clauses(_ text: String) -> [String] {
        var parts: [String] = []
        for piece in text.split(separator: ",") {
            for (index, clause) in thens(piece).enumerated() where !clause.isEmpty {
                if index == 0, let last = parts.indices.last, continuesList(clause) {
                    parts[last] += ", " + clause
                } else {
                    parts.append(clause)
                }
            }
        }
        return parts
    }

    private static func thens(_ piece: Substring) -> [String] {
        var parts: [String] = []
        var words: [Substring] = []
        for word in piece.split(whereSeparator: \.isWhitespace) {
            if word.lowercased() == "then" {
                if words.last?.lowercased() == "and" { words.removeLast() }
                parts.append(words.joined(separator: " "))
                words = []
            } else {
                words.append(word)
            }
        }
        parts.append(words.joined(separator: " "))
        return parts
    }

    private static func continuesList(_ clause: String) -> Bool {
        var words = Words.split(clause)
        if words.first == "and" { words.removeFirst() }
        guard let first = words.first, !cookingVerbs.contains(first) else { return false }
        for length in stride(from: min(3, words.count), through: 1, by: -1)
        where FoodLexicon.isKnown(words.prefix(length).map(Words.stem)) { return true }
        return false
    }

    /// Verbs that are also names of food or could be taken for them.
    private static let cookingVerbs: Set<String> = [
        "mix", "stir", "fry", "roast", "toast", "grill", "steam", "season", "pepper", "salt", "butter", "oil", "dice",
        "mince", "chop", "slice", "roll", "wrap", "cut", "ice", "water", "sprinkle", "top", "serve", "cream", "stew",
        "sauce", "dress", "drain", "bake", "boil", "whip", "whisk", "chill", "rest", "heat", "add", "flour", "bread",
        "sugar", "spice", "crumble", "cube", "peel", "juice", "batter",
    ]

    /// Without number, dash, closing mark and a leading `and`.
    private static func bare(_ part: String) -> String {
        var text = part.singleLine(limit: 8000)[...]
        while let first = text.first, "-*.,;:)".contains(first) || first.isWhitespace { text = text.dropFirst() }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        if !digits.isEmpty, digits.count <= 2, let mark = text.dropFirst(digits.count).first, ".):".contains(mark) {
            text = text.dropFirst(digits.count + 1)
        }
        while let last = text.last, ".,;".contains(last) || last.isWhitespace { text = text.dropLast() }
        var words = text.split(whereSeparator: \.isWhitespace)
        while words.count > 1, let first = words.first?.lowercased(),
            ["and", "then", "finally", "first", "firstly"].contains(first)
        { words.removeFirst() }
        let joined = words.joined(separator: " ")
        return joined == "and" || joined == "then" ? "" : joined
    }
}
