public import TandemCore

/// Finds in what people say the few statements that are worth keeping without being asked to.
///
/// Only the owner's own words count: never a contact's, a page's, a tool's, or our own. Of those only plain statements about
/// who they are, their health, people, codes and where their things are: no questions, jokes, plans, suppositions, moods
/// or passing likes, nothing quoted or forwarded, and nothing that only repeats what was recalled in the same conversation.
public enum MemoryCapture {
    public struct Statement: Sendable, Hashable {
        public var text: String
        public var kind: StatementKind
    }

    /// A message cut into what is worth keeping and the rest of it.
    public struct Reading: Sendable, Hashable {
        public var statements: [Statement] = []
        /// The other sentences, in order; empty when there are none.
        public var rest = ""
    }

    /// Longer messages are texts, not things said in passing.
    public static let longestMessage = 4000
    /// More statements at once are a text that was pasted.
    public static let mostStatements = 5

    /// The statements of one message, in order; none unless the message is the owner's.
    ///
    /// - Parameter recalled: What was shown from memory lately: saying it again is no news.
    public static func statements(in message: String, trust: TrustLabel, recalled: [String] = []) -> [Statement] {
        read(message, trust: trust, recalled: recalled).statements
    }

    /// The statements of one message and what else it says. Linear; well below a tenth of a millisecond for a text message.
    public static func read(_ message: String, trust: TrustLabel, recalled: [String] = []) -> Reading {
        guard trust == .owner, message.utf8.count <= longestMessage, !isOfOthers(message) else {
            return Reading(rest: message)
        }
        var reading = Reading()
        var rest: [String] = []
        for sentence in Sentences.split(message) {
            if let statement = statement(sentence.text),
                !recalled.contains(where: { Likeness.isSame($0, statement.text) })
            {
                reading.statements.append(statement)
            } else {
                rest.append(sentence.whole)
            }
        }
        guard reading.statements.count <= mostStatements else { return Reading(rest: message) }
        reading.rest = rest.joined(separator: " ")
        return reading
    }

    /// How many sentences a text has.
    public static func sentences(in text: String) -> Int { Sentences.split(text).count }

    /// A forwarded or quoted text is somebody else's words.
    private static func isOfOthers(_ message: String) -> Bool {
        let start = message.prefix(12).lowercased()
        return message.contains("\"") || message.contains("\u{201C}") || message.contains("\u{00AB}")
            || ["fw:", "fwd:", "re:", ">", "forwarded"].contains { start.hasPrefix($0) } || message.contains("\n>")
    }

    private static func statement(_ sentence: String) -> Statement? {
        var words = TextAnalyzer.words(sentence)
        guard (2...32).contains(words.count), !sentence.utf8.contains(UInt8(ascii: "?")) else { return nil }
        if words.starts(with: ["by", "the", "way"]) { words.removeFirst(3) }
        while let first = words.first, ["so", "and", "also", "well", "oh", "btw", "fyi", "yes"].contains(first) {
            words.removeFirst()
        }
        guard words.count >= 2 else { return nil }
        let kind = StatementKind(words.joined(separator: " "))
        guard kind.isFact, isTelling(words, kind, isOwn: isOwn(words) || isOfSomebody(sentence)) else { return nil }
        return Statement(text: sentence, kind: kind)
    }

    // MARK: - What is told

    /// About the speaker, or somebody or something of the speaker's, in a form that says how things are.
    private static func isTelling(_ words: [String], _ kind: StatementKind, isOwn: Bool) -> Bool {
        guard kind == .credential || !words.contains(where: { passing.contains($0) }) else { return false }
        switch kind {
        case .health:
            return isOwn && says(words) && !words.contains(where: { errands.contains($0) })
                && !zip(words, words.dropFirst()).contains { ["have", "has"].contains($0) && $1 == "to" }
        case .identity: return isOwn && says(words)
        case .relation: return isOwn && says(words) && !isSomewhere(words)
        case .credential: return (isOwn || words.first == "the") && says(words) && hasValue(words)
        case .preference: return isOwn && isLasting(words)
        case .fact: return isOwn && (FactShape(words.joined(separator: " ")) != nil || isPlaced(words))
        case .plan, .hypothetical, .question, .joke: return false
        }
    }

    /// `I …`, `my …`, `Ben is my …`.
    private static func isOwn(_ words: [String]) -> Bool {
        if ["i", "i'm", "im", "my", "our", "we", "we're", "i've", "both"].contains(words[0]) { return true }
        return ["is", "are", "and"].contains(words[1]) && words.contains("my")
    }

    /// `Anna's … is …`: of somebody who has a name.
    private static func isOfSomebody(_ sentence: String) -> Bool {
        let first = sentence.prefix { !$0.isWhitespace }
        guard let letter = first.unicodeScalars.first, letter.properties.isUppercase else { return false }
        let word = first.lowercased().replacing("\u{2019}", with: "'")
        return word.hasSuffix("'s") && !unowned.contains(word)
    }

    private static let unowned: Set<String> = [
        "it's", "that's", "what's", "there's", "here's", "let's", "who's", "where's", "how's", "he's", "she's",
        "this's",
        "today's", "tomorrow's", "yesterday's", "everybody's", "nobody's", "everyone's", "somebody's", "when's",
        "why's",
    ]

    /// `my mum is in the hospital`, `my aunt is visiting`: where somebody is just now, or what they do.
    private static func isSomewhere(_ words: [String]) -> Bool {
        zip(words, words.dropFirst()).contains { verb, next in
            ["is", "are", "was", "were"].contains(verb)
                && (places.contains(next) || next.hasSuffix("ing") && next.utf8.count > 5
                    || ["out", "away", "home", "here", "there", "back", "not", "so", "asleep", "awake"].contains(next))
        }
    }

    /// It has a verb that says how things are, not what was done once.
    private static func says(_ words: [String]) -> Bool {
        words.prefix(9).contains { stating.contains($0) }
    }

    /// `I have to get my medicine` is something to do.
    private static let errands: Set<String> = [
        "need", "needs", "must", "forgot", "forget", "remind", "buy", "bought", "refill", "out", "get", "should",
        "took",
        "migraine",
    ]

    private static let stating: Set<String> = [
        "take", "takes", "is", "are", "i'm", "im", "am", "live", "lives", "work", "works", "was", "were", "called",
        "named", "speak",
        "speaks", "study", "studies", "moved", "changed", "we're", "has", "have",
    ]

    /// What a code is: something with a digit, or one word of no other use.
    private static func hasValue(_ words: [String]) -> Bool {
        guard let verb = words.firstIndex(where: { ["is", "are", "changed"].contains($0) }), verb + 1 < words.count
        else { return false }
        let value = words[(verb + 1)...].filter { !["now", "to", "the", "a"].contains($0) }
        return value.contains { $0.utf8.contains { (48...57).contains($0) } } || value.count <= 3 && !value.isEmpty
    }

    private static func isLasting(_ words: [String]) -> Bool {
        let line = " " + words.joined(separator: " ") + " "
        return lasting.contains { line.contains($0) }
    }

    private static let lasting = [
        " vegetarian ", " vegan ", " pescatarian ", " kosher ", " halal ", " favorite ", " favourite ", " prefer ",
        " prefers ", " can't stand ", " don't eat ", " doesn't eat ", " don't drink ", " doesn't drink ",
        " never eat ", " never drink ", " teetotal ",
    ]

    /// `my keys are in the blue bowl`: where something of the speaker's is.
    private static func isPlaced(_ words: [String]) -> Bool {
        guard ["my", "our", "i"].contains(words[0]) else { return false }
        for (index, word) in words.enumerated().dropFirst().prefix(7) where index + 2 < words.count {
            let next = words[index + 1]
            if ["parked", "stored", "hidden", "buried"].contains(word), places.contains(next) { return true }
            guard ["is", "are", "hangs", "lies", "sits"].contains(word), places.contains(next), index >= 2 else {
                continue
            }
            // Of things: `my head is in the clouds` and `my mum is in Rome` tell nothing for later.
            return !words[1..<index].contains { bodies.contains($0) || StatementKind.people.contains($0) }
        }
        return false
    }

    private static let places: Set<String> = [
        "in", "at", "on", "under", "behind", "beside", "inside", "below", "above", "with", "near", "next", "over", "by",
    ]
    private static let bodies: Set<String> = [
        "head", "heart", "mind", "back", "life", "day", "week", "mood", "hands", "feet", "stomach", "turn", "time",
        "way", "bus", "train", "flight", "period", "battery", "meeting", "food", "dinner", "lunch", "birthday",
    ]

    /// Moods, weather and news of the hour: true now, and no help later.
    private static let passing: Set<String> = [
        "today", "tonight", "tomorrow", "yesterday", "late", "tired", "hungry", "thirsty", "busy", "broken", "dead",
        "awful", "terrible", "horrible", "killing", "boring", "bored", "sad", "angry", "mad", "annoying", "idiot",
        "stupid", "joke", "mess", "endless", "exhausting", "exhausted", "stressed", "overwhelmed", "nervous", "anxious",
        "funny", "driving", "ringing", "calling", "coming", "leaving", "waiting", "sick", "hurts", "hurting", "dying",
        "crazy", "hard", "great", "amazing", "fine", "ok", "okay", "bad", "good", "nice", "wrong", "right", "ready",
        "done", "gone", "lost", "stolen", "full", "empty", "low", "off", "down", "slow", "fault", "problem", "yours",
        "you", "your", "you're", "fucking", "damn", "shit", "soon", "again", "everything", "nothing",
    ]
}

/// Cuts a message into sentences.
enum Sentences {
    struct Sentence: Equatable {
        /// Without the mark at its end.
        var text: String
        /// With it.
        var whole: String
    }

    /// Cut at ends of sentences and at line breaks; a point within a number or after an abbreviation is none.
    static func split(_ message: String) -> [Sentence] {
        var result: [Sentence] = []
        var current = String.UnicodeScalarView()
        var rest = message.unicodeScalars[...]
        func close() {
            let whole = trimmed(String(current), without: "")
            let text = trimmed(whole, without: ".!;,")
            if !whole.isEmpty { result.append(Sentence(text: text, whole: whole)) }
            current = String.UnicodeScalarView()
        }
        while let scalar = rest.popFirst() {
            current.append(scalar)
            let ends: Bool
            switch scalar {
            case "\n", "!", "?", ";": ends = true
            case ".": ends = (rest.first.map { $0 == " " || $0 == "\n" } ?? true) && !isAbbreviation(current)
            default: ends = false
            }
            if ends { close() }
        }
        close()
        return result
    }

    /// `Dr.`, `St.`, an initial.
    private static func isAbbreviation(_ text: String.UnicodeScalarView) -> Bool {
        let word = text.dropLast().reversed().prefix { $0 != " " && $0 != "\n" }.reversed()
        let lower = String(String.UnicodeScalarView(word)).lowercased()
        if ["dr", "mr", "mrs", "ms", "st", "no", "prof", "nr", "vs", "e.g", "i.e", "approx", "ave"].contains(lower) {
            return true
        }
        return word.count == 1 && word.allSatisfy { $0.properties.isUppercase }
    }

    private static func trimmed(_ text: String, without marks: String) -> String {
        var rest = Substring(text)
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace || marks.contains(last) { rest.removeLast() }
        return String(rest)
    }
}
