import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage

/// What was said longer ago, in short; the messages themselves stay as they are.
///
/// Points taken from messages by rule, and, where a model may be asked, its prose of those that are nobody else's words. Each
/// point has its message's label, and the whole the least trusted of them: what others wrote never gets into the prose, nor
/// to a model that has tools.
struct ConversationSummary: Sendable, Equatable {
    struct Point: Sendable, Equatable {
        /// The message that it is from.
        var message: RecordID
        var at: Timestamp
        var text: String
        /// The person's own words; else what was answered.
        var isPersons: Bool
        var trust: TrustLabel
        /// What it is worth to be kept; fades with each further fold.
        var weight: Double
    }

    var points: [Point] = []
    /// A model's, of everything up to `proseUpTo`.
    var prose: String?
    var proseUpTo = RecordID(rawValue: 0)
    /// The last message that is in it.
    var upTo = RecordID(rawValue: 0)
    /// How many messages are in it.
    var count = 0
    /// Who made it last: `local`, or the model.
    var madeBy = "local"
    /// Its row, once it has one.
    var row: RecordID?

    /// The least trusted of what it came from.
    var trust: TrustLabel { points.reduce(.owner) { $0.joined(with: $1.trust) } }

    static let mostPoints = 32
    static let longestPoint = 160
    static let longestProse = 900
    /// Of the text for a prompt.
    static let longestText = 1800
    /// What a point loses of its worth whenever more is folded.
    private static let fading = 0.94

    // MARK: - Folding

    /// Takes messages in, oldest first; drops the least points when there are too many.
    mutating func fold(_ messages: [Message], codes: Set<String>) {
        for index in points.indices { points[index].weight *= ConversationSummary.fading }
        for message in messages {
            points += ConversationSummary.points(of: message, codes: codes)
            upTo = max(upTo, message.id)
            count += 1
        }
        // What says the same as a later one is said once.
        var said: Set<String> = []
        points = points.reversed().filter { said.insert(TextAnalyzer.stems($0.text).joined(separator: " ")).inserted }
            .reversed()
        while points.count > ConversationSummary.mostPoints,
            let least = points.indices.min(by: { points[$0].weight < points[$1].weight })
        {
            points.remove(at: least)
        }
    }

    /// A message as it is folded.
    struct Message: Sendable {
        var id: RecordID
        var at: Timestamp
        var text: String
        var isPersons: Bool
        var trust: TrustLabel
    }

    /// - Parameter codes: Codes of confirmations: what has one is left out.
    static func points(of message: Message, codes: Set<String>) -> [Point] {
        var points: [Point] = []
        for sentence in sentences(message.text).prefix(message.isPersons ? 12 : 2) {
            let words = TextAnalyzer.words(sentence)
            guard words.count >= (message.isPersons ? 3 : 2), codes.isDisjoint(with: words) else { continue }
            points.append(
                Point(
                    message: message.id, at: message.at, text: cut(sentence, longestPoint),
                    isPersons: message.isPersons,
                    trust: message.trust, weight: weight(of: sentence, words, isPersons: message.isPersons)))
        }
        // A long text is worth its best sentences only.
        guard points.count > 4 else { return points }
        let kept = Set(points.indices.sorted { points[$0].weight > points[$1].weight }.prefix(4))
        return points.indices.filter { kept.contains($0) }.map { points[$0] }
    }

    private static func weight(of sentence: String, _ words: [String], isPersons: Bool) -> Double {
        guard isPersons else { return 0.2 }
        let kind = StatementKind(sentence)
        var weight = Double(kind.importance) / 10
        if sentence.utf8.contains(where: { (48...57).contains($0) }) { weight += 0.1 }
        // What was to be done matters more than what was asked.
        if kind == .question { weight += 0.1 }
        return weight + min(Double(words.count), 12) / 60
    }

    private static func sentences(_ text: String) -> [String] {
        var sentences: [String] = []
        var current = ""
        var last: Character = " "
        for character in text.prefix(8000) {
            if character.isNewline || (last == "." || last == "!" || last == "?") && character.isWhitespace {
                take(&current, into: &sentences)
            } else {
                current.append(character)
            }
            last = character
        }
        take(&current, into: &sentences)
        return sentences
    }

    private static func take(_ current: inout String, into sentences: inout [String]) {
        let words = current.split(whereSeparator: \.isWhitespace)
        if !words.isEmpty { sentences.append(words.joined(separator: " ")) }
        current = ""
    }

    static func cut(_ text: String, _ length: Int) -> String {
        text.count <= length ? text : String(text.prefix(length - 3)) + "..."
    }

    // MARK: - Texts

    /// For a model that has tools: without what others wrote. Nil when there is nothing.
    var promptText: String? {
        var lines: [String] = []
        if let prose, !prose.isEmpty { lines.append(prose) }
        let rest = points.filter { $0.trust <= .system && (prose == nil || $0.message > proseUpTo) }
        // The worthiest, in the order in which they were said.
        var room = ConversationSummary.longestText - (lines.first?.count ?? 0)
        var kept: Set<Int> = []
        for index in rest.indices.sorted(by: { rest[$0].weight > rest[$1].weight }) {
            room -= rest[index].text.count + 24
            if room < 0 { break }
            kept.insert(index)
        }
        lines += rest.indices.filter { kept.contains($0) }.map { ConversationSummary.line(rest[$0]) }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    static func line(_ point: Point) -> String {
        let who =
            switch point.trust {
            case .owner where point.isPersons: "you"
            case .contact, .untrusted: "others"
            default: "assistant"
            }
        return "- \(point.at.description.prefix(10)) \(who): \(point.text)"
    }

    // MARK: - Form

    var json: JSON {
        var object: JSONObject = [
            "points": .array(
                points.map { point in
                    [
                        "message": .id(point.message), "at": .integer(point.at.millisecondsSinceEpoch),
                        "text": .string(point.text), "own": .bool(point.isPersons),
                        "trust": .string(point.trust.rawValue), "weight": .number(point.weight),
                    ]
                })
        ]
        if let prose {
            object["prose"] = .string(prose)
            object["prose_up_to"] = .id(proseUpTo)
        }
        return .object(object)
    }

    init() {}

    /// What cannot be read is left out.
    init(row: UserRow) {
        let json = row["summary"]
        points = (json["points"]?.arrayValue ?? []).compactMap { point in
            guard let message = point["message"]?.stringValue.flatMap({ RecordID($0) }),
                let at = point["at"]?.int64Value, let text = point["text"]?.stringValue
            else { return nil }
            return Point(
                message: message, at: Timestamp(millisecondsSinceEpoch: at), text: text,
                isPersons: point["own"]?.boolValue ?? false,
                trust: point["trust"]?.stringValue.flatMap(TrustLabel.init(rawValue:)) ?? .untrusted,
                weight: point["weight"]?.doubleValue ?? 0)
        }
        prose = json["prose"]?.stringValue
        proseUpTo = json["prose_up_to"]?.stringValue.flatMap { RecordID($0) } ?? proseUpTo
        upTo = row.recordID("up_to") ?? upTo
        count = Int(row.integer("message_count") ?? 0)
        madeBy = row.string("made_by") ?? "local"
        self.row = row.id
    }
}
