/// The constants of the ranking.
///
/// BM25's are the usual ones for short texts (Anserini's defaults, k1 0.9, b 0.4). The weights were fitted on one half of the
/// questions of a public set of long conversations, by conversations, and checked on the other half; docs/memory.md has the
/// figures.
public struct RecallTuning: Sendable, Hashable {
    public var k1 = 0.9
    public var b = 0.4
    /// The weight of a synonym against the word itself.
    public var synonym = 0.4
    /// The weight of a word that differs by one letter from one that no text has.
    public var misspelling = 0.8

    public var lexical = 4.2
    public var coverage = 2.0
    public var phrase = 1.0
    public var kindred = 4.2
    public var meaning = 6.3
    public var speaker = 1.6
    public var date = 4.5
    public var kindOfAnswer = 2.2
    /// What a text loses that is itself a question.
    public var question = 1.0

    /// Shares of the lexical match of the text before, what it gets more when that asks something, of the text before
    /// that one (the same person went on), and of the text after.
    public var afterStatement = 0.45
    public var afterQuestion = 2.8
    public var afterNext = 3.1
    public var beforeNext = 1.3
    /// Shares of the likeness in meaning of the text after, and of a question before.
    public var meaningOfNext = 2.6
    public var meaningOfQuestion = 1.6

    /// Kindred words are at least this like the word of the question.
    public var leastKinship: Float = 0.5
    /// Kindred words of one word of the question at most.
    public var mostKindred = 8
    /// Only so many words of a question are looked up for kindred: each costs a pass over the vocabulary.
    public var mostWordsWithKindred = 8
    /// A text that shares no word with the question is found only when its meaning is at least this like the question's;
    /// nil: every text is found, however unlike, until the limit is full.
    public var leastMeaning: Double? = 0.6
    /// More words of a question than this are not looked at.
    public var longestQuery = 64

    public init() {}

    /// For texts that stand alone: memories, notes.
    public static let facts: RecallTuning = {
        var tuning = RecallTuning()
        tuning.afterStatement = 0
        tuning.afterQuestion = 0
        tuning.afterNext = 0
        tuning.beforeNext = 0
        tuning.meaningOfNext = 0
        tuning.meaningOfQuestion = 0
        return tuning
    }()

    var hasNeighbours: Bool {
        afterStatement != 0 || afterQuestion != 0 || afterNext != 0 || beforeNext != 0 || meaningOfNext != 0
            || meaningOfQuestion != 0
    }
}
