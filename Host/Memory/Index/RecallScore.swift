public import TandemCore

/// Why a text was found: the parts of its score, so that a ranking can be explained and tuned.
///
/// `total` is their sum; texts of equal total are ordered by time, newest first.
public struct RecallScore: Sendable, Hashable {
    /// BM25 over stems, words of the question and their synonyms (Robertson and Zaragoza 2009, "The Probabilistic
    /// Relevance Framework: BM25 and Beyond").
    public var lexical: Double = 0
    /// Words of the question that stand side by side in the text, too.
    public var phrase: Double = 0
    /// The share of the question's weight that the text covers.
    public var coverage: Double = 0
    /// What was said right before it, in the same conversation, matches: an answer is found by its question.
    public var neighbour: Double = 0
    /// The text's time, or a date in it, lies in the time that the question names.
    public var date: Double = 0

    public var total: Double { lexical + phrase + coverage + neighbour + date }

    public init() {}
}

/// One found text.
public struct RecallHit<Key: Hashable & Sendable>: Sendable {
    public var key: Key
    public var score: RecallScore
    public var timestamp: Timestamp
}
