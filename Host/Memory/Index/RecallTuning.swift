/// The constants of the ranking. BM25's are the usual ones for short texts (Anserini's defaults, k1 0.9, b 0.4).
public struct RecallTuning: Sendable, Hashable {
    public var k1 = 0.9
    public var b = 0.4
    /// The weight of a synonym against the word itself.
    public var synonym = 0.4
    /// The weight of a word that differs by one letter from one that no text has.
    public var misspelling = 0.8
    public var phrase = 0.3
    public var coverage = 0.3
    /// The share of a question's score that its answer gets, and of a statement's that the next one gets.
    public var afterQuestion = 0.3
    public var afterStatement = 0.1
    public var date = 1.5
    /// More words of a question than this are not looked at.
    public var longestQuery = 64

    public init() {}
}
