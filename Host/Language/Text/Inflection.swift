/// Regular English inflection on folded ASCII bytes: rules only, no word list.
enum Inflection {
    private static func isVowel(_ byte: UInt8) -> Bool {
        switch byte {
        case 97, 101, 105, 111, 117: true
        default: false
        }
    }

    /// The plural or third person: `match` gives `matches`, `berry` gives `berries`.
    static func withS(_ word: [UInt8]) -> [UInt8] {
        guard let last = word.last else { return word }
        if last == 121, word.count > 1, !isVowel(word[word.count - 2]) {
            return word.dropLast() + Array("ies".utf8)
        }
        if last == 115 || last == 120 || last == 122 || last == 111 || word.suffix(2).elementsEqual("ch".utf8)
            || word.suffix(2).elementsEqual("sh".utf8)
        {
            return word + Array("es".utf8)
        }
        return word + [115]
    }

    private static func isShortClosed(_ word: [UInt8]) -> Bool {
        guard word.count >= 3, let last = word.last, !isVowel(last), last != 119, last != 120, last != 121 else {
            return false
        }
        return isVowel(word[word.count - 2]) && !isVowel(word[word.count - 3])
    }

    /// The forms with `-ing` (first) and `-ed`, with and without a doubled consonant.
    static func participles(_ word: [UInt8]) -> (gerunds: [[UInt8]], pasts: [[UInt8]]) {
        guard let last = word.last, word.count >= 2 else { return ([], []) }
        let ing = Array("ing".utf8)
        let ed = Array("ed".utf8)
        if last == 101 {
            return ([word.dropLast() + ing], [word + [100]])
        }
        var gerunds = [word + ing]
        var pasts = [word + ed]
        if last == 121, !isVowel(word[word.count - 2]) { pasts = [word.dropLast() + Array("ied".utf8)] }
        if isShortClosed(word) {
            gerunds.append(word + [last] + ing)
            pasts.append(word + [last] + ed)
        }
        return (gerunds, pasts)
    }

    /// A guess at the singular of a word that no list has: enough to compare two spellings of one thing.
    static func singular(_ word: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let count = word.count
        guard count >= 4, word.last == 115 else { return word }
        let end = word.endIndex
        if word[end - 2] == 115 || word[end - 2] == 117 || word[end - 2] == 105 { return word }
        if word[end - 2] == 101 {
            let before = word[end - 3]
            if before == 120 || before == 111 || before == 115 || before == 122
                || (before == 104 && (word[end - 4] == 99 || word[end - 4] == 115))
            {
                return word.dropLast(2)
            }
        }
        return word.dropLast()
    }
}
