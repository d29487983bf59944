import TandemMemory
import Testing

struct EnglishStemmerTests {
    /// From the sample vocabulary of https://snowballstem.org/algorithms/english/stemmer.html.
    @Test(arguments: [
        ("consign", "consign"), ("consigned", "consign"), ("consigning", "consign"), ("consignment", "consign"),
        ("consist", "consist"), ("consisted", "consist"), ("consistency", "consist"), ("consistently", "consist"),
        ("consolation", "consol"), ("consolingly", "consol"), ("conspicuously", "conspicu"),
        ("conspiracy", "conspiraci"), ("conspirators", "conspir"), ("knackeries", "knackeri"), ("knaves", "knave"),
        ("kneeling", "kneel"), ("knightly", "knight"), ("knitting", "knit"), ("knocks", "knock"),
        ("knots", "knot"), ("happy", "happi"), ("happiness", "happi"), ("hopping", "hop"), ("hoping", "hope"),
        ("agreed", "agre"), ("luxuriate", "luxuri"), ("sensational", "sensat"), ("relational", "relat"),
        ("generously", "generous"), ("communism", "communism"), ("cries", "cri"), ("ties", "tie"), ("gas", "gas"),
        ("this", "this"), ("kiwis", "kiwi"), ("sky", "sky"), ("say", "say"), ("by", "by"), ("dying", "die"),
    ])
    func reducesToTheStem(word: String, stem: String) {
        #expect(EnglishStemmer.stem(word) == stem)
    }

    @Test(arguments: [("bought", "buy"), ("children", "child"), ("took", "take"), ("went", "go")])
    func knowsIrregularForms(word: String, base: String) {
        #expect(EnglishStemmer.stem(word) == EnglishStemmer.stem(base))
    }

    @Test(arguments: ["", "a", "ab", "4512", "3.20", "naïve", "日", String(repeating: "s", count: 4000)])
    func leavesOtherTextAlone(word: String) {
        #expect(EnglishStemmer.stem(word) == word)
    }
}
