import TandemMemory
import Testing

struct TextAnalyzerTests {
    @Test(arguments: [
        ("My locker code is 4512.", ["my", "locker", "code", "is", "4512"]),
        ("Caf\u{E9} M\u{FC}nchen", ["cafe", "munchen"]),
        ("don't, won\u{2019}t; mum's", ["don't", "won't", "mum"]),
        ("wi-fi", ["wi", "fi", "wifi"]),
        ("cost 3.20 at 22:00.", ["cost", "3.20", "at", "22:00"]),
        ("end. Start", ["end", "start"]),
        ("a/b_c", ["a", "b", "c"]),
        ("", []),
        ("...---'''", []),
        ("\u{65E5}\u{672C}", ["\u{65E5}", "\u{672C}"]),
    ])
    func cutsWords(text: String, words: [String]) {
        #expect(TextAnalyzer.words(text) == words)
    }

    @Test func leavesOutStopWordsUnlessThereIsNothingElse() {
        #expect(TextAnalyzer.stems("what is my locker code") == ["locker", "code"])
        #expect(TextAnalyzer.stems("who am I") == ["who", "am", "i"])
    }

    @Test func boundsAWord() {
        let word = String(repeating: "x", count: 100_000)
        #expect(TextAnalyzer.words(word).map(\.utf8.count) == [64])
    }
}
