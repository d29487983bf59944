/// What a text is beside its words: who speaks, whether it asks, whether it names a time or a number.
struct TextTraits: OptionSet {
    let rawValue: UInt8

    /// A question mark is in it.
    static let asks = TextTraits(rawValue: 1)
    /// It ends with a question mark.
    static let isQuestion = TextTraits(rawValue: 2)
    static let hasTime = TextTraits(rawValue: 4)
    static let hasNumber = TextTraits(rawValue: 8)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What the text's signs tell.
    init(_ text: some StringProtocol) {
        self = []
        var last: UInt8 = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "?") { insert(.asks) }
            if byte > 32, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "'"), byte != UInt8(ascii: ")") {
                last = byte
            }
        }
        if last == UInt8(ascii: "?") { insert(.isQuestion) }
    }

    /// What a word tells of the text that it is in.
    init(word: String) {
        self = []
        if TextTraits.timeWords.contains(word) { insert(.hasTime) }
        if let first = word.utf8.first, (48...57).contains(first) || TextTraits.numberWords.contains(word) {
            insert(.hasNumber)
        }
    }

    private static let timeWords: Set<String> = [
        "yesterday", "today", "tomorrow", "tonight", "week", "weeks", "weekend", "month", "months", "year", "years",
        "ago",
        "last", "next", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "summer",
        "winter",
        "spring", "autumn", "january", "february", "march", "april", "june", "july", "august", "september", "october",
        "november", "december", "morning", "evening", "night", "recently", "since", "noon", "midnight", "day", "days",
    ]

    private static let numberWords: Set<String> = [
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "dozen", "once",
        "twice", "couple", "hundred", "thousand",
    ]
}

/// The speaker that a line of a conversation names at its beginning: `Ann: I moved`, `Ann said, "I moved"`.
struct SpokenLine {
    /// Lower case, as one string; nil when there is none.
    var speaker: String?
    /// What was said.
    var body: Substring

    init(_ text: String) {
        body = text[...]
        var line = text[...]
        // A time in brackets may stand before: `[2023-05-08 13:56] Ann: …`.
        if let first = line.first, first == "[" || first == "(",
            let end = line.prefix(48).firstIndex(of: first == "[" ? "]" : ")")
        {
            line = line[line.index(after: end)...].drop { $0 == " " }
        }
        let bytes = line.utf8
        var words = 1
        var length = 0
        for index in bytes.indices {
            let byte = bytes[index]
            length += 1
            if length > 40 { return }
            if byte == UInt8(ascii: ":") {
                let rest = bytes.index(after: index)
                guard length > 1, rest == bytes.endIndex || bytes[rest] == 32 else { return }
                take(line[..<index], line[rest...])
                return
            }
            if byte == 32 {
                let tail = line[bytes.index(after: index)...]
                for verb in ["said, ", "said: ", "says: ", "wrote: ", "asked, "] where tail.hasPrefix(verb) {
                    take(line[..<index], tail.dropFirst(verb.count))
                    return
                }
                words += 1
                if words > 3 { return }
                continue
            }
            let isLetter = byte >= 0x80 || (97...122).contains(byte | 0x20) || (48...57).contains(byte)
            guard
                isLetter || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "_")
            else { return }
        }
    }

    private mutating func take(_ name: Substring, _ said: Substring) {
        // `Note: …` and `PS: …` are no people, but no question asks for them either.
        guard let first = name.unicodeScalars.first, first.properties.isAlphabetic else { return }
        speaker = name.lowercased()
        body = said.drop { $0 == " " || $0 == "\"" }
        while let last = body.last, last == "\"" || last == " " { body.removeLast() }
    }
}
