/// A piece of a message with what is known about it.
struct Token: Sendable {
    enum Kind: UInt8, Sendable {
        case word
        case number
        /// `17:30`; `value` is minutes since midnight.
        case clock
        /// `2026-12-01`, `3/5`, `1.12.2026`: `first`, `second`, `third` as written.
        case date
        case currency
        case punctuation
        case newline
    }

    var kind: Kind
    /// Bytes of the source.
    var start: Int
    var end: Int
    /// Hash of the folded spelling.
    var surface: UInt64 = 0
    var lemma: UInt64 = 0
    /// The lemma without a guess at inflection, where `lemma` is a guess.
    var flags: WordFlags = []
    var strong = ClusterSet()
    var weak = ClusterSet()
    /// The value of a number, cardinal, ordinal, month, weekday, unit, or currency index.
    var number = Decimal(0)
    var first = 0
    var second = 0
    var third = 0
    /// The first byte, for punctuation.
    var byte: UInt8 = 0
    /// Index in the planner's vocabulary, or -1.
    var feature: Int32 = -1
    /// How sure the reading of this word is: 1, less for a corrected spelling.
    var certainty: Float = 1

    func has(_ flag: WordFlags) -> Bool { !flags.isDisjoint(with: flag) }
    func isWord(_ hash: UInt64) -> Bool { kind == .word && (surface == hash || lemma == hash) }
    var isWordLike: Bool { kind == .word }
    var isBreak: Bool { kind == .punctuation || kind == .newline }
}
