/// What kind of statement a text is: whether it tells a fact at all, and how long such facts keep.
///
/// By rules over words, English only. A question, a joke, a plan or a supposition is no fact: taken for one, it would be
/// repeated as one for months.
public enum StatementKind: String, Sendable, Hashable, CaseIterable {
    case fact
    /// Names, birthdays, where the person lives and works.
    case identity
    /// Allergies, illnesses, medicines.
    case health
    case preference
    /// Who somebody is to the person.
    case relation
    /// Codes, numbers, passwords.
    case credential
    /// What somebody means to do.
    case plan
    /// What might be, or would be.
    case hypothetical
    case question
    case joke

    /// It tells what is so.
    public var isFact: Bool {
        switch self {
        case .fact, .identity, .health, .preference, .relation, .credential: true
        case .plan, .hypothetical, .question, .joke: false
        }
    }

    /// It holds until something else is said, however long ago it was.
    public var isEvergreen: Bool {
        switch self {
        case .identity, .health, .preference, .relation: true
        case .fact, .credential, .plan, .hypothetical, .question, .joke: false
        }
    }

    /// 1 to 10.
    public var importance: Int {
        switch self {
        case .health: 9
        case .identity, .credential: 8
        case .relation: 7
        case .preference: 6
        case .fact: 5
        case .plan: 3
        case .hypothetical: 2
        case .question, .joke: 1
        }
    }

    /// One pass over the words: linear, a few microseconds for a text message.
    public init(_ text: String) {
        let words = TextAnalyzer.words(text)
        let cues = StatementKind.cues.found(in: words)
        if cues.contains(.joke) || words.last == "not" || StatementKind.laughs(text) {
            self = .joke
        } else if StatementKind.isQuestion(text, words) {
            self = .question
        } else if cues.contains(.supposition) || StatementKind.isConditional(words) {
            self = .hypothetical
        } else if cues.contains(.health) {
            self = .health
        } else if cues.contains(.plan) {
            self = .plan
        } else if cues.contains(.credential) {
            self = .credential
        } else if cues.contains(.identity) {
            self = .identity
        } else if cues.contains(.preference) {
            self = .preference
        } else if StatementKind.isRelation(words) {
            self = .relation
        } else {
            self = .fact
        }
    }

    /// What the words of a text hint at.
    private struct Cues: OptionSet {
        let rawValue: UInt8
        static let joke = Cues(rawValue: 1 << 0)
        static let supposition = Cues(rawValue: 1 << 1)
        static let health = Cues(rawValue: 1 << 2)
        static let plan = Cues(rawValue: 1 << 3)
        static let credential = Cues(rawValue: 1 << 4)
        static let identity = Cues(rawValue: 1 << 5)
        static let preference = Cues(rawValue: 1 << 6)
    }

    /// Phrases by their first word, so that all kinds are looked for at once.
    private struct CueTable: Sendable {
        private var phrases: [String: [(rest: ArraySlice<String>, cues: Cues)]] = [:]

        init(_ kinds: [(cues: Cues, phrases: [String])]) {
            for kind in kinds {
                for phrase in kind.phrases {
                    let words = phrase.split(separator: " ").map(String.init)
                    phrases[words[0], default: []].append((words.dropFirst(), kind.cues))
                }
            }
        }

        func found(in words: [String]) -> Cues {
            var found: Cues = []
            for (index, word) in words.enumerated() {
                guard let candidates = phrases[word] else { continue }
                for candidate in candidates where words[(index + 1)...].starts(with: candidate.rest) {
                    found.formUnion(candidate.cues)
                }
            }
            return found
        }
    }

    private static let cues = CueTable([
        (.joke, jokes), (.supposition, suppositions), (.health, healthWords), (.plan, plans),
        (.credential, credentials), (.identity, identityWords), (.preference, preferences),
    ])

    private static func laughs(_ text: String) -> Bool {
        text.unicodeScalars.contains { [0x1F602, 0x1F923, 0x1F61C, 0x1F609].contains($0.value) }
    }

    private static func isQuestion(_ text: String, _ words: [String]) -> Bool {
        if text.utf8.reversed().first(where: { $0 > 32 }) == UInt8(ascii: "?") { return true }
        guard let first = words.first, words.count > 1 else { return false }
        if auxiliaries.contains(first) {
            return asked.contains(words[1])
        }
        return askers.contains(first) && (auxiliaries.contains(words[1]) || degrees.contains(words[1]))
    }

    private static let asked: Set<String> = [
        "i", "you", "we", "he", "she", "they", "it", "there", "my", "the", "this", "that",
    ]
    private static let askers: Set<String> = ["who", "what", "which", "how", "why", "whose"]
    private static let degrees: Set<String> = ["many", "much", "often", "long", "old", "will"]

    /// `If I moved …`, `… if we win`: of people. `If the alarm rings, press 3` is an instruction.
    private static func isConditional(_ words: [String]) -> Bool {
        zip(words, words.dropFirst()).contains { ($0 == "if" || $0 == "unless") && persons.contains($1) }
    }

    private static let persons: Set<String> = ["i", "i'm", "we", "we're", "he", "she", "they", "you"]

    /// `My dentist is Dr Li`, `Ben is my younger brother`.
    private static func isRelation(_ words: [String]) -> Bool {
        guard words.contains(where: { ["is", "are", "called", "named", "lives", "live", "works"].contains($0) }) else {
            return false
        }
        for (index, word) in words.enumerated() where ["my", "our"].contains(word) {
            for place in [index + 1, index + 2] where place < words.count && people.contains(words[place]) {
                // `my dentist appointment`, `my doctor's number`: something of theirs.
                if place + 1 < words.count, FactShape.isSingle(words[place + 1]) { continue }
                return true
            }
        }
        return false
    }

    // MARK: - Words

    private static let auxiliaries: Set<String> = [
        "do", "does", "did", "can", "could", "would", "should", "is", "are", "am", "was", "were", "have", "has",
        "shall",
    ]

    private static let jokes = [
        "just kidding", "only kidding", "jk", "lol", "lmao", "rofl", "haha", "hahaha", "yeah right", "in my dreams",
        "just joking", "i'm joking", "i was joking", "as a joke",
    ]

    private static let suppositions = [
        "might", "maybe", "perhaps", "possibly", "hypothetically", "what if", "imagine", "suppose", "supposing",
        "pretend",
        "i wish", "as if", "were to", "thinking about", "thinking of", "considering", "if only", "would be",
        "would have",
        "would love", "would like", "i'd", "i would", "could be", "could have", "dreamed", "dreamt", "in theory",
        "not sure", "unsure", "probably", "i guess", "should have",
    ]

    private static let plans = [
        "going to", "gonna", "i'll", "i will", "we'll", "we will", "plan to", "plans to", "planning to", "planning on",
        "hope to", "hoping to", "intend to", "want to", "wants to", "wanna", "i should", "need to", "have to",
        "about to",
        "someday", "one day", "try to", "trying to", "i must",
    ]

    private static let healthWords = [
        "allergic", "allergy", "allergies", "intolerant", "intolerance", "diabetic", "diabetes", "asthma", "epilepsy",
        "pregnant", "blood type", "blood group", "medication", "medicine", "insulin", "adhd", "celiac", "coeliac",
        "prescribed", "diagnosed", "epipen", "mg", "migraine", "migraines", "pacemaker",
    ]

    private static let credentials = [
        "code", "password", "passcode", "passphrase", "pin", "combination", "iban", "account number", "wifi",
        "license plate", "serial number", "membership number", "passport number", "username", "login",
    ]

    private static let identityWords = [
        "my name", "call me", "i'm called", "i am called", "birthday", "was born", "were born", "anniversary", "i live",
        "we live", "my address", "our address", "i work", "my job", "i'm from", "i am from", "my surname", "years old",
        "my phone number", "my number", "my email", "my e mail", "i study", "i moved to", "i speak", "my pronouns",
    ]

    private static let preferences = [
        "like", "likes", "love", "loves", "hate", "hates", "dislike", "dislikes", "prefer", "prefers", "favorite",
        "favourite", "enjoy", "enjoys", "can't stand", "vegetarian", "vegan", "don't eat", "doesn't eat", "don't drink",
        "doesn't drink", "fan of", "kosher", "halal",
    ]

    /// Who somebody may be to somebody.
    static let people: Set<String> = [
        "wife", "husband", "partner", "girlfriend", "boyfriend", "spouse", "mother", "mum", "mom", "father", "dad",
        "son",
        "daughter", "brother", "sister", "friend", "boss", "manager", "doctor", "dentist", "therapist", "neighbour",
        "neighbor", "landlord", "aunt", "uncle", "cousin", "grandmother", "grandfather", "grandma", "grandpa", "child",
        "kids", "children", "dog", "cat", "colleague", "roommate", "flatmate", "teacher", "coach", "nephew", "niece",
        "psychiatrist", "gp", "vet", "accountant", "lawyer", "hairdresser", "mechanic", "landlady", "fiance", "fiancee",
        "stepmother", "stepfather", "godmother", "godfather", "twin", "baby", "parents", "ex", "nanny", "babysitter",
    ]
}
