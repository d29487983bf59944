import Testing

@testable import TandemAgent

struct ControlWordTests {
    @Test(arguments: [
        ("more", ControlWord.more), ("More", .more), (" MORE! ", .more), ("m", .more), ("show  more", .more),
        ("?", .hint), ("??", .hint), ("What can you do?", .hint), ("undo", .undo), ("Undo.", .undo),
        ("take that back", .undo), ("oops, undo", .undo), ("yes", .agree), ("Y", .agree), ("ok", .agree),
        ("go ahead!", .agree), ("no", .disagree), ("don\u{2019}t", .disagree), ("never mind", .disagree),
        ("skip", .skip), ("Skip it", .skip), ("1", .number(1)), ("4711", .number(4711)), ("007", .number(7)),
        ("undo\n", .undo), ("more?", .more),
    ])
    func understands(text: String, word: ControlWord) { #expect(ControlWord(text) == word) }

    @Test(arguments: [
        "", " ", "undo the milk", "more milk", "no milk today", "1 milk", "1234567", "-1", "1.5x", "12.50", "3,5",
        "yes and no",
        "\u{0661}", "undо", String(repeating: "m", count: 41), "stop", "STOP", "help", "cancel", "end", "quit", "info",
        "start", "unstop", "stopall", "unsubscribe", "revoke", "optout",
    ])
    func leavesTheRestToThePlanner(text: String) { #expect(ControlWord(text) == nil) }

    /// What we ask people to write must never be a word that the carrier answers in our place.
    @Test func neverAsksForACarrierWord() {
        let reserved = [
            "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "start", "yes", "unstop",
            "help", "info",
        ]
        for code in [1000, 4711, 9999] {
            let prompt = ConfirmationText.prompt(summary: "Send it", code: code).lowercased()
            let words = prompt.split { !$0.isLetter }.map(String.init)
            #expect(!words.contains { reserved.contains($0) })
            #expect(prompt.contains("\(code)"))
        }
    }
}
