/// What a person can always say, whatever is switched on: understood before any planner looks at the message.
///
/// None of them is a word that the carrier answers itself (STOP, CANCEL, END, QUIT, YES, START, HELP, INFO …): `yes` is
/// understood when a person writes it, but never asked for.
enum ControlWord: Equatable {
    /// The rest of the last answer.
    case more
    /// What can I do here?
    case hint
    case undo
    /// A bare number: an option of the pending question, an item of the last list, or a confirmation code.
    case number(Int)
    case agree
    case disagree
    case skip
    /// What was learned from confirmations and corrections is to go.
    case unlearn

    private static let words: [String: ControlWord] = [
        "more": .more, "m": .more, "more please": .more, "show more": .more, "go on": .more,
        "?": .hint, "??": .hint, "what can you do": .hint, "what can i do": .hint, "what can i say": .hint,
        "commands": .hint, "menu": .hint,
        "undo": .undo, "undo that": .undo, "undo it": .undo, "undo please": .undo, "undo last": .undo,
        "undo the last one": .undo, "take that back": .undo, "take it back": .undo, "oops undo": .undo,
        "yes": .agree, "y": .agree, "ok": .agree, "okay": .agree, "yep": .agree, "yeah": .agree, "sure": .agree,
        "do it": .agree, "yes please": .agree, "go ahead": .agree, "confirm": .agree,
        "no": .disagree, "n": .disagree, "nope": .disagree, "no thanks": .disagree, "don't": .disagree,
        "dont": .disagree, "never mind": .disagree, "nevermind": .disagree, "not now": .disagree,
        "forget what you learned": .unlearn, "forget what you have learned": .unlearn,
        "forget what you've learned": .unlearn, "forget what you learnt": .unlearn,
        "skip": .skip, "skip it": .skip, "skip that": .skip,
    ]

    /// Reads a whole message; nil when it is anything but one of these.
    init?(_ text: String) {
        guard text.utf8.count <= 40 else { return nil }
        var folded = [UInt8]()
        let bytes = Array(text.utf8)
        func isDigit(_ index: Int) -> Bool { bytes.indices.contains(index) && (48...57).contains(bytes[index]) }
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): folded.append(byte + 32)
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if let last = folded.last, last != UInt8(ascii: " ") { folded.append(UInt8(ascii: " ")) }
            case UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: ","):
                // `12.50` is no `1250`.
                if isDigit(index - 1), isDigit(index + 1) { folded.append(byte) }
            default: folded.append(byte)
            }
        }
        while folded.last == UInt8(ascii: " ") { folded.removeLast() }
        // A question mark after words is punctuation; alone it is the command.
        if folded.count > 2, folded.last == UInt8(ascii: "?") { folded.removeLast() }
        var phrase = String(decoding: folded, as: UTF8.self)
        if folded.contains(0xE2) { phrase = phrase.replacing("\u{2019}", with: "'") }
        if let word = ControlWord.words[phrase] {
            self = word
        } else if (1...6).contains(folded.count), folded.allSatisfy({ (48...57).contains($0) }),
            let number = Int(phrase)
        {
            self = .number(number)
        } else {
            return nil
        }
    }
}
