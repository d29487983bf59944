/// What general English says about a word, whatever the tools are.
struct WordFlags: OptionSet, Sendable {
    let rawValue: UInt64

    /// In the lexicon at all: never corrected as a typing slip.
    static let known = WordFlags(rawValue: 1 << 0)
    /// Carries no meaning of its own here: "please", "hey", "just".
    static let filler = WordFlags(rawValue: 1 << 1)
    /// Articles, prepositions, pronouns, auxiliaries: little weight.
    static let function = WordFlags(rawValue: 1 << 2)
    static let determiner = WordFlags(rawValue: 1 << 3)
    static let preposition = WordFlags(rawValue: 1 << 4)
    static let pronoun = WordFlags(rawValue: 1 << 5)
    static let question = WordFlags(rawValue: 1 << 6)
    static let auxiliary = WordFlags(rawValue: 1 << 7)
    static let negation = WordFlags(rawValue: 1 << 8)
    static let conjunction = WordFlags(rawValue: 1 << 9)
    /// A form that tells of the past: "bought", "spent".
    static let past = WordFlags(rawValue: 1 << 10)
    /// Can be the action of a request.
    static let verb = WordFlags(rawValue: 1 << 11)
    /// "might", "maybe", "should".
    static let hypothetical = WordFlags(rawValue: 1 << 12)
    /// Something people eat, drink or keep in the house.
    static let ware = WordFlags(rawValue: 1 << 13)
    /// Something people do: the start of a task, not of a shopping item.
    static let deed = WordFlags(rawValue: 1 << 14)
    /// "said", "told", "wrote": what follows is somebody's words.
    static let speech = WordFlags(rawValue: 1 << 15)
    static let unit = WordFlags(rawValue: 1 << 16)
    static let cardinal = WordFlags(rawValue: 1 << 17)
    static let ordinal = WordFlags(rawValue: 1 << 18)
    static let month = WordFlags(rawValue: 1 << 19)
    static let weekday = WordFlags(rawValue: 1 << 20)
    /// Belongs to a phrase whose first word carries the meaning: the "off" of "turn expenses off".
    static let absorbed = WordFlags(rawValue: 1 << 21)
    static let quoted = WordFlags(rawValue: 1 << 22)
    static let capitalised = WordFlags(rawValue: 1 << 23)
    static let spaceBefore = WordFlags(rawValue: 1 << 24)
    /// "me", "I", "we": the person.
    static let self1 = WordFlags(rawValue: 1 << 25)
    static let gerund = WordFlags(rawValue: 1 << 26)
    static let hyphenBefore = WordFlags(rawValue: 1 << 27)
    /// Read as another word because of a typing slip.
    static let corrected = WordFlags(rawValue: 1 << 28)
    static let currencyWord = WordFlags(rawValue: 1 << 29)
    static let greeting = WordFlags(rawValue: 1 << 30)
    /// Belongs to something that assistants are asked for elsewhere: alarms, lights, flights.
    static let elsewhere = WordFlags(rawValue: 1 << 32)
    /// What a person feels, wants or lives through rather than buys or gets done: "a hug", "to cry", "energy".
    static let inner = WordFlags(rawValue: 1 << 33)
    /// "that", "it", "them": stands for something named before.
    static let pointer = WordFlags(rawValue: 1 << 31)
}

/// Up to 128 groups of words that mean about the same.
struct ClusterSet: Sendable, Hashable {
    var low: UInt64 = 0
    var high: UInt64 = 0

    var isEmpty: Bool { low | high == 0 }

    func intersects(_ other: ClusterSet) -> Bool { (low & other.low) | (high & other.high) != 0 }

    func union(_ other: ClusterSet) -> ClusterSet { ClusterSet(low: low | other.low, high: high | other.high) }

    func intersection(_ other: ClusterSet) -> ClusterSet { ClusterSet(low: low & other.low, high: high & other.high) }

    func subtracting(_ other: ClusterSet) -> ClusterSet {
        ClusterSet(low: low & ~other.low, high: high & ~other.high)
    }

    mutating func subtract(_ other: ClusterSet) {
        low &= ~other.low
        high &= ~other.high
    }

    mutating func formUnion(_ other: ClusterSet) {
        low |= other.low
        high |= other.high
    }

    func contains(_ index: Int) -> Bool { (index < 64 ? low >> UInt64(index) : high >> UInt64(index - 64)) & 1 == 1 }

    mutating func insert(_ index: Int) {
        if index < 64 { low |= 1 << UInt64(index) } else { high |= 1 << UInt64(index - 64) }
    }

    /// Calls `body` with every member in ascending order.
    func visit(_ body: (Int) -> Void) {
        var rest = low
        while rest != 0 {
            body(rest.trailingZeroBitCount)
            rest &= rest - 1
        }
        rest = high
        while rest != 0 {
            body(64 + rest.trailingZeroBitCount)
            rest &= rest - 1
        }
    }
}

/// FNV-1a over the bytes of a folded word: the identity of words throughout the planner. A clash of two words would only
/// make them synonyms.
func wordHash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return hash
}

func wordHash(_ word: StaticString) -> UInt64 {
    word.withUTF8Buffer { wordHash($0) }
}
