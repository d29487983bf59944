/// The words of a message for rules that read it word by word.
enum PhraseWords {
    /// In lower case, without punctuation; `don't` is `dont`, `read-only` two words.
    static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        for scalar in text.lowercased().unicodeScalars {
            switch scalar {
            case "'", "\u{2019}", "\"", "\u{201C}", "\u{201D}": continue
            default:
                if scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" {
                    word.append(scalar)
                } else if !word.isEmpty {
                    words.append(String(word))
                    word = String.UnicodeScalarView()
                }
            }
        }
        if !word.isEmpty { words.append(String(word)) }
        return words
    }

    private static let openings: [[String]] = [
        "please", "hey", "hi", "ok", "okay", "tandem", "can you", "could you", "would you", "will you", "now", "and",
        "i want to", "i want you to", "i would like to", "id like to", "id like you to", "from now on",
    ].map { PhraseWords.split($0) }
    private static let closings: [[String]] = [
        "please", "now", "again", "thanks", "thank you", "from now on", "for now", "in future", "for me",
    ].map { PhraseWords.split($0) }

    /// Removes what is said around a request: `hey`, `could you`, `please`.
    static func dropPoliteness(_ words: inout [String]) {
        var isDone = false
        while !isDone {
            isDone = true
            for opening in openings where words.count > opening.count && words.starts(with: opening) {
                words.removeFirst(opening.count)
                isDone = false
            }
            for closing in closings where words.count > closing.count && words.suffix(closing.count) == closing[...] {
                words.removeLast(closing.count)
                isDone = false
            }
        }
    }
}
