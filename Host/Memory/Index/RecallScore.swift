public import TandemCore

/// Why a text was found: the parts of its score, so that a ranking can be explained and tuned.
///
/// `total` is their sum; texts of equal total are ordered by time, newest first. Matches of words are shares of the best
/// that the question could get, so that scores of long and short questions, and of large and small indexes, compare.
public struct RecallScore: Sendable, Hashable {
    /// BM25 over stems, words of the question and their synonyms (Robertson and Zaragoza 2009, "The Probabilistic
    /// Relevance Framework: BM25 and Beyond").
    public var lexical: Double = 0
    /// Words of the question that stand side by side in the text, too.
    public var phrase: Double = 0
    /// The share of the question's weight that the text covers, squared.
    public var coverage: Double = 0
    /// Words that mean about the same as words of the question, by the embedding table.
    public var kindred: Double = 0
    /// How like the whole text is to the whole question: the cosine of their vectors.
    public var meaning: Double = 0
    /// The texts around it in the same conversation match: an answer is found by its question.
    public var neighbour: Double = 0
    /// The person whom the question names said it.
    public var speaker: Double = 0
    /// The text's time lies in the time that the question names.
    public var date: Double = 0
    /// The question asks when, or how many, and the text has such words; less when the text is a question itself.
    public var form: Double = 0
    /// What a source of texts adds or takes away: importance, age.
    public var standing: Double = 0
    /// It belongs to what the person is at now.
    public var focus: Double = 0

    public var total: Double {
        lexical + phrase + coverage + kindred + meaning + neighbour + speaker + date + form + standing + focus
    }

    public init() {}

    /// The parts that are not zero, by name, in the order above.
    public var parts: [(name: String, value: Double)] {
        [
            ("words", lexical), ("phrase", phrase), ("coverage", coverage), ("kindred words", kindred),
            ("meaning", meaning), ("neighbours", neighbour), ("speaker", speaker), ("date", date), ("form", form),
            ("standing", standing), ("focus", focus),
        ].filter { $0.1 != 0 }
    }
}

/// One found text.
public struct RecallHit<Key: Hashable & Sendable>: Sendable {
    public var key: Key
    public var score: RecallScore
    public var timestamp: Timestamp
}
