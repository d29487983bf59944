public import TandemJSON
import TandemMemory

/// What a person says in fixed words of memory and notes: `note: ...`, `remember that ...`, `why did you say that`.
///
/// Read by rule before any planner: what follows such words is the person's own text and is kept to the letter, whatever it
/// says.
public enum MemoryPhrases {
    /// The tool of `memory.` or `notes.` that a message asks for; nil for everything else.
    public static func call(for text: String) -> (tool: String, arguments: JSON)? {
        guard text.utf8.count <= NoteTools.longestBytes else { return nil }
        if text.utf8.count <= 120 {
            var words = PhraseWords.split(text)
            PhraseWords.dropPoliteness(&words)
            if (2...12).contains(words.count), why.matches(words) { return ("memory.why", [:]) }
        }
        var line = Opening(text)
        line.skipPoliteness()
        if let kept = line.note() { return ("notes.add", ["text": .string(kept)]) }
        if let kept = line.fact() { return ("memory.remember", ["text": .string(kept)]) }
        return nil
    }

    private static let why = PhrasePattern(
        """
        [but|and|so|wait|hm|hmm]* (why (did|do|would) you (say|think|write|answer|tell me|claim|believe|mention|suggest)
        [that|this|it|so] [to me]|why that|why [that|this] answer|why did you (do|save|remember) (that|this|it)|
        how (do|did|could|would) you know [(that|this|it) [about me]]|how come you know (that|this|it)|
        (where|from where) (did|do) you (get|have|know|take|hear|learn) (that|this|it) [from]|
        (who|when did who) told you (that|this|it)|what makes you (think|say|believe) (that|this|so|it)|
        what made you (think|say|believe) (that|this|so|it)|where does (that|this|it) come from|
        where is (that|this|it) from|(what|which) (memory|memories|message|messages) (did you use|was that|is that from|did
        (that|this) come from|is (that|this) from)|what is (that|this) based on|whats that based on|
        (explain|justify) (that|this|your answer|that answer|yourself|your last answer)|how did you (get|come) to
        (that|this))
        """)

    /// The beginning of a message, word by word, so that the rest keeps its letters.
    private struct Opening {
        var rest: Substring

        init(_ text: String) {
            rest = text[...]
            skipSpace()
        }

        private mutating func skipSpace() {
            while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        }

        /// Takes these words, whatever their case, when the text begins with them and goes on after them.
        private mutating func take(_ words: String) -> Bool {
            guard rest.utf8.count > words.utf8.count,
                zip(rest.utf8, words.utf8).allSatisfy({ pair in
                    let byte = (65...90).contains(pair.0) ? pair.0 + 32 : pair.0
                    return byte == pair.1
                }), let end = rest.utf8.index(rest.startIndex, offsetBy: words.utf8.count, limitedBy: rest.endIndex),
                end < rest.endIndex, !(rest[end].isLetter || rest[end].isNumber || rest[end] == "'")
            else { return false }
            rest = rest[end...]
            skipSpace()
            return !rest.isEmpty
        }

        mutating func skipPoliteness() {
            var rounds = 0
            while rounds < 4,
                ["please", "hey", "hi", "ok", "okay", "can you", "could you", "would you"].contains(where: {
                    take($0)
                })
            {
                rounds += 1
                if rest.first == "," {
                    rest.removeFirst()
                    skipSpace()
                }
            }
        }

        /// A mark that says: here it begins.
        private mutating func takeColon() -> Bool {
            guard let first = rest.first, first == ":" || first == "-" || first == "\u{2013}" || first == "\u{2014}"
            else {
                return false
            }
            var after = rest.dropFirst()
            // `note-taking` is a word.
            guard first == ":" || after.first?.isWhitespace == true else { return false }
            while let next = after.first, next.isWhitespace { after.removeFirst() }
            guard !after.isEmpty else { return false }
            rest = after
            return true
        }

        /// The text of `note: ...`, `take a note: ...`, `note that ...`, `note the harbour is calm`.
        mutating func note() -> String? {
            var copy = self
            for head in Opening.noteHeads where copy.take(head) {
                if copy.takeColon() { return String(copy.rest) }
                copy = self
            }
            guard copy.take("note down") || copy.take("note") else { return nil }
            if copy.take("that") { return copy.isClause ? String(copy.rest) : nil }
            return copy.isStatement ? String(copy.rest) : nil
        }

        private static let noteHeads = [
            "note to self", "note down", "note", "notes", "take a note", "make a note", "write a note", "add a note",
            "new note", "save a note", "save this note", "create a note", "quick note", "write down", "write this down",
            "jot down", "jot this down", "memo",
        ]

        /// The text of `remember that ...`, `keep in mind that ...`.
        mutating func fact() -> String? {
            for head in Opening.factHeads {
                var copy = self
                guard copy.take(head) else { continue }
                let isMarked = copy.takeColon()
                guard isMarked || copy.take("that") else { continue }
                // Several sentences may ask for several things; something to do is a task.
                guard copy.isClause, !copy.rest.contains("?"), MemoryCapture.sentences(in: String(copy.rest)) == 1,
                    StatementKind(String(copy.rest)) != .plan
                else { return nil }
                return String(copy.rest)
            }
            return nil
        }

        private static let factHeads = [
            "remember", "always remember", "keep in mind", "don't forget", "dont forget", "don\u{2019}t forget",
            "memorize",
            "memorise", "you should know", "you must know", "for future reference", "for the record",
            "make a mental note",
            "learn",
        ]

        /// Three words or more, and none before them that makes it a thing: `that time`, `that recipe`.
        private var isClause: Bool {
            let words = PhraseWords.split(String(rest.prefix(400)))
            return words.count >= 3 && words.contains { Opening.verbs.contains($0) }
                || words.count >= 3 && !["time", "day", "one", "recipe", "night", "thing"].contains(words[0])
        }

        /// It says how something is: not `note about`, `note 2`, `note called`.
        private var isStatement: Bool {
            let words = PhraseWords.split(String(rest.prefix(400)))
            guard words.count >= 3, let first = words.first else { return false }
            let leads = [
                "about", "on", "for", "to", "called", "titled", "named", "with", "tagged", "number", "is", "was", "has",
                "list", "saying", "says", "of", "from", "in", "book", "app", "taking", "down", "that", "it",
            ]
            guard !leads.contains(first), !first.utf8.allSatisfy({ (48...57).contains($0) }) else { return false }
            return words.dropFirst().dropLast().contains { Opening.verbs.contains($0) }
        }

        private static let verbs: Set<String> = [
            "is", "are", "was", "were", "has", "have", "had", "will", "can", "needs", "need", "does", "do", "isnt",
            "arent",
            "wasnt", "doesnt", "lives", "works", "likes", "opens", "closes", "starts", "begins", "ends", "costs",
            "goes",
            "comes", "said", "says", "wants", "must", "should", "am", "im", "like", "love", "hate", "prefer", "live",
            "work",
            "park", "keep", "put", "left",
        ]
    }
}
