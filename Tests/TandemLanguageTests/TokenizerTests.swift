import Testing

@testable import TandemLanguage

struct TokenizerTests {
    private func words(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        return Tokenizer.tokens(of: bytes).map { String(decoding: bytes[$0.start..<$0.end], as: UTF8.self) }
    }

    private func surfaces(_ text: String) -> [UInt64] {
        Tokenizer.tokens(of: Array(text.utf8)).filter { $0.kind == .word }.map(\.surface)
    }

    @Test func foldsCaseAndMarksButKeepsTheSpelling() {
        #expect(surfaces("Crème BRÛLÉE") == ["creme", "brulee"].map { wordHash($0.utf8) })
        #expect(words("Crème BRÛLÉE") == ["Crème", "BRÛLÉE"])
        #expect(surfaces("cafe\u{301} Straße Œuf") == ["cafe", "strasse", "oeuf"].map { wordHash($0.utf8) })
    }

    @Test(arguments: [
        ("don't", ["do", "not"]), ("don’t", ["do", "not"]), ("dont", ["do", "not"]), ("what's", ["what", "is"]),
        ("whats", ["what", "is"]), ("I'm", ["i", "am"]), ("can't", ["can", "not"]), ("won't", ["will", "not"]),
        ("let's", ["let", "us"]), ("I'd", ["i", "would"]), ("Anna's", ["anna", "'s"]), ("we've", ["we", "have"]),
    ])
    func readsContractions(_ text: String, _ expected: [String]) {
        #expect(surfaces(text) == expected.map { wordHash($0.utf8) })
    }

    @Test func dropsEmojiAndInvisibleCharacters() {
        #expect(surfaces("add 🥛 mi\u{200B}lk 👍🏽") == ["add", "mi", "lk"].map { wordHash($0.utf8) })
        #expect(Tokenizer.tokens(of: Array("🎉🎉".utf8)).isEmpty)
    }

    @Test(arguments: [
        ("3.20", "3.2"), ("12,50", "12.5"), ("1,299.99", "1299.99"), ("1.299,99", "1299.99"), ("1,299", "1299"),
        ("1,234,567", "1234567"), ("250", "250"), ("½", "0.5"), ("2½", "2.5"),
    ])
    func readsNumbersOfEitherHabit(_ text: String, _ expected: String) {
        let tokens = Tokenizer.tokens(of: Array(text.utf8))
        #expect(tokens.count == 1)
        #expect(tokens.first?.number.text() == expected)
    }

    @Test func splitsAnAmountFromItsUnit() { #expect(words("250g 2l 3x") == ["250", "g", "2", "l", "3", "x"]) }

    @Test func keepsTimesAndDatesTogether() {
        #expect(
            Tokenizer.tokens(of: Array("17:30 2026-12-01 3/5 1.12.2026".utf8)).map(\.kind) == [
                .clock, .date, .date, .date,
            ])
    }

    @Test func survivesBytesThatAreNotUTF8() {
        for bytes in [[0xFF, 0xFE, 0x41], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC3], [0x80, 0x80]] as [[UInt8]] {
            let tokens = Tokenizer.tokens(of: bytes)
            #expect(tokens.allSatisfy { $0.start >= 0 && $0.end <= bytes.count && $0.start <= $0.end })
        }
    }

    @Test func looksNoFurtherThanItsLimit() {
        let tokens = Tokenizer.tokens(of: Array(String(repeating: "é ", count: 100).utf8), limit: 10)
        #expect(tokens.count <= 5)
    }
}

struct TypoIndexTests {
    private let index: TypoIndex = {
        var index = TypoIndex()
        for word in ["tomorrow", "grocery", "remind", "list", "budget"] { index.insert(Array(word.utf8)) }
        return index
    }()

    @Test(arguments: [
        ("tomorow", "tomorrow"), ("tommorow", "tomorrow"), ("grocrey", "grocery"), ("remidn", "remind"),
        ("bugdet", "budget"), ("lsit", "list"),
    ])
    func findsTheNearestWord(_ slip: String, _ word: String) {
        #expect(index.nearest(Array(slip.utf8)).map { String(decoding: $0.word, as: UTF8.self) } == word)
    }

    @Test(arguments: ["mist", "fist", "lis", "groc", "yesterday", "reminder"])
    func leavesOtherWordsAlone(_ word: String) {
        #expect(index.nearest(Array(word.utf8)) == nil)
    }

    @Test func measuresSwapsAsOne() {
        #expect(TypoIndex.distance(Array("abcd".utf8), Array("abdc".utf8), limit: 2) == 1)
        #expect(TypoIndex.distance(Array("abcd".utf8), Array("xyzw".utf8), limit: 2) == 3)
    }
}
