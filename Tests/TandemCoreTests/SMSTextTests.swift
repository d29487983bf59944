import TandemCore
import Testing

@Suite struct SMSTextTests {
    @Test(arguments: [
        ("", 1), (String(repeating: "a", count: 160), 1), (String(repeating: "a", count: 161), 2),
        (String(repeating: "a", count: 306), 2), (String(repeating: "a", count: 307), 3),
        (String(repeating: "€", count: 80), 1), (String(repeating: "€", count: 81), 2),
        // An escape pair is not parted: 76 pairs and a spare septet in each part of 153.
        (String(repeating: "€", count: 152), 2), (String(repeating: "€", count: 153), 3),
        (String(repeating: "ж", count: 70), 1), (String(repeating: "ж", count: 71), 2),
        (String(repeating: "ж", count: 134), 2), (String(repeating: "ж", count: 135), 3),
        (String(repeating: "😀", count: 35), 1), (String(repeating: "😀", count: 36), 2),
        // A surrogate pair is not parted: 33 in each part of 67.
        (String(repeating: "😀", count: 66), 2), (String(repeating: "😀", count: 67), 3),
    ])
    func countsSegments(text: String, segments: Int) {
        #expect(SMSText.segments(of: text) == segments)
    }

    @Test func countsTheWholeGSM7Table() {
        let basic =
            "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
            + "abcdefghijklmnopqrstuvwxyzäöñüà"
        #expect(SMSText.septets(of: basic) == 127)
        #expect(SMSText.septets(of: "[]{}^\\|~€\u{0C}") == 20)
        for outside in ["ç", "ê", "`", "\t", "’", "…", "°", "α", "Á"] { #expect(SMSText.septets(of: outside) == nil) }
    }

    @Test(arguments: [
        ("It\u{2019}s \u{201C}ok\u{201D} \u{2013} really\u{2026}", "It's \"ok\" - really..."),
        ("a\u{00A0}b\u{202F}c\td", "a b c d"), ("x\r\ny\rz", "x\ny\nz"), ("bell\u{07}", "bell"),
        ("1\u{00BD} cup", "11/2 cup"), ("180\u{00B0}C", "180 degC"), ("zero\u{200B}width", "zerowidth"),
        ("caf\u{0065}\u{0301}", "café"), ("plain", "plain"), ("Grüße €5", "Grüße €5"),
        ("\u{FF21}\u{FF11}", "A1"),
    ])
    func givesTypographicMarksTheirCounterpart(text: String, expected: String) {
        let prepared = SMSText.prepared(text)
        #expect(prepared == expected)
        #expect(Array(prepared.utf8) == Array(expected.utf8))
    }

    @Test func keepsAccentsWhileTheyCostNothing() {
        #expect(SMSText.prepared("crêpes, maïs") == "crêpes, maïs")
        let long = "crêpes " + String(repeating: "et du lait ", count: 8)
        #expect(SMSText.prepared(long) == "crepes " + String(repeating: "et du lait ", count: 8))
    }

    @Test func keepsOtherScriptsWhole() {
        let text = "\u{201C}привет\u{201D} 👨‍👩‍👧"
        #expect(SMSText.prepared(text) == text)
    }

    @Test func splitsAtAWord() {
        let text = String(repeating: "word ", count: 40) + "end"
        let (head, rest) = SMSText.split(text, suffix: " ...")
        #expect(SMSText.segments(of: head) == 1)
        #expect(head.hasSuffix("word ..."))
        #expect(head.utf8.count > 150)
        #expect(rest.hasPrefix("word"))
        #expect(rest.hasSuffix("end"))
        #expect(head.dropLast(4) + " " + rest == text)
    }

    @Test func splitsOneLongWordInsideIt() {
        let text = String(repeating: "x", count: 400)
        let (head, rest) = SMSText.split(text)
        #expect(head.utf8.count == 160)
        #expect(head + rest == text)
    }

    @Test func splitsWhereTheEncodingChanges() {
        let text = String(repeating: "a", count: 100) + " 😀 tail"
        let (head, rest) = SMSText.split(text)
        #expect(head == String(repeating: "a", count: 100))
        #expect(rest == "😀 tail")
    }

    @Test func keepsGraphemesWhole() {
        let text = String(repeating: "👨‍👩‍👧‍👦", count: 10)
        let (head, rest) = SMSText.split(text)
        #expect(SMSText.segments(of: head) == 1)
        #expect(head + rest == text)
        #expect(head.count + rest.count == 10)
    }

    @Test func splitsAGraphemeLongerThanASegment() {
        let text = "a" + String(repeating: "\u{0301}", count: 500)
        let (head, rest) = SMSText.split(text)
        #expect(SMSText.segments(of: head) == 1)
        #expect(!head.isEmpty && !rest.isEmpty)
    }

    @Test func leavesWhatFitsAlone() {
        let text = String(repeating: "€", count: 80)
        #expect(SMSText.split(text, suffix: " ...") == (text, ""))
    }

    @Test func everySplitEndsAndLosesNoWord() {
        var rest = (0..<300).map { "w\($0)" }.joined(separator: " ")
        let words = rest
        var heads: [String] = []
        while !rest.isEmpty, heads.count < 50 {
            let part = SMSText.split(rest)
            #expect(SMSText.segments(of: part.head) == 1)
            heads.append(part.head)
            rest = part.rest
        }
        #expect(heads.joined(separator: " ") == words)
    }
}
