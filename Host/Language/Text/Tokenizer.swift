/// Cuts a message into tokens with byte ranges of the original, folding case, marks and typographic variants.
///
/// Works on UTF-8 bytes, one pass, no Foundation. Letters outside Latin stay words of their own that nothing matches.
/// Emoji vanish; contractions give two tokens (`don't` → `do`, `n't`).
struct Tokenizer {
    /// The source, then scratch space for folded words.
    private let source: [UInt8]
    private var position = 0
    private var tokens: [Token] = []
    private var word: [UInt8] = []
    private var pendingSpace = true
    private var hyphen = false
    private var inQuotes = false
    private let end: Int

    private init(_ source: [UInt8], limit: Int) {
        self.source = source
        var end = min(source.count, limit)
        while end > 0, end < source.count, source[end] & 0xC0 == 0x80 { end -= 1 }
        self.end = end
        tokens.reserveCapacity(min(64, source.count / 4 + 2))
        word.reserveCapacity(24)
    }

    /// - Parameter limit: bytes beyond it are not looked at.
    static func tokens(of source: [UInt8], limit: Int = 4096) -> [Token] {
        var tokenizer = Tokenizer(source, limit: limit)
        tokenizer.run()
        return tokenizer.tokens
    }

    private mutating func run() {
        while position < end {
            let byte = source[position]
            switch byte {
            case 10, 13:
                emit(.newline, length: 1)
            case 0...32, 127:
                position += 1
                pendingSpace = true
            case 48...57: number()
            case 97...122, 65...90: scanWord()
            case 36: currency(length: 1, index: -1)
            case 34:
                inQuotes.toggle()
                emit(.punctuation, length: 1)
            case 0x80...: scalar()
            case 45:
                hyphen = !pendingSpace && position + 1 < end && isLetter(source[position + 1])
                if hyphen { position += 1 } else { emit(.punctuation, length: 1) }
            default: emit(.punctuation, length: 1)
            }
        }
    }

    private func isLetter(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || byte >= 0xC3
    }

    private func isDigit(_ index: Int) -> Bool { index < end && (48...57).contains(source[index]) }

    private mutating func emit(_ kind: Token.Kind, length: Int, byte: UInt8? = nil) {
        var token = Token(kind: kind, start: position, end: position + length)
        token.byte = byte ?? source[position]
        if pendingSpace { token.flags.formUnion(.spaceBefore) }
        if inQuotes { token.flags.formUnion(.quoted) }
        tokens.append(token)
        position += length
        pendingSpace = kind == .newline
        hyphen = false
    }

    private mutating func currency(length: Int, index: Int) {
        emit(.currency, length: length)
        tokens[tokens.count - 1].first = index
    }

    // MARK: Non-ASCII

    private func decode() -> (scalar: UInt32, length: Int) {
        let first = source[position]
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
        guard length > 1, position + length <= end else { return (0xFFFD, 1) }
        var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
        for offset in 1..<length { value = value << 6 | UInt32(source[position + offset] & 0x3F) }
        return (value, length)
    }

    private mutating func scalar() {
        let (value, length) = decode()
        switch value {
        case 0xA0, 0x2000...0x200F, 0x2028...0x202F, 0x205F...0x2064, 0x3000, 0xFEFF, 0xFE00...0xFE0F:
            position += length
            pendingSpace = true
        case 0x20AC: currency(length: length, index: 1)
        case 0xA3: currency(length: length, index: 2)
        case 0xA5: currency(length: length, index: 3)
        case 0x20B9: currency(length: length, index: 4)
        case 0x20A9, 0x20BD, 0x20BA, 0x20AA, 0x20AB: currency(length: length, index: 5)
        case 0x2018, 0x2019, 0x201B, 0x2032: emit(.punctuation, length: length, byte: 39)
        case 0x201C, 0x201D, 0x201E, 0xAB, 0xBB, 0x2033:
            inQuotes.toggle()
            emit(.punctuation, length: length, byte: 34)
        case 0x2010...0x2015, 0x2212: emit(.punctuation, length: length, byte: 45)
        case 0x2022, 0x25CF, 0x25E6, 0xB7, 0x2043: emit(.punctuation, length: length, byte: 42)
        case 0x2026: emit(.punctuation, length: length, byte: 46)
        case 0xD7: emit(.punctuation, length: length, byte: 120)
        case 0xBC...0xBE, 0x2153, 0x2154: fraction(value, length)
        case 0x1F000..., 0x2190...0x2BFF, 0xA9, 0xAE, 0x2122, 0xFFFD, 0x80...0x9F:
            position += length
            pendingSpace = true
        case 0xA1...0xBF: emit(.punctuation, length: length, byte: 46)
        default: scanWord()
        }
    }

    private mutating func fraction(_ value: UInt32, _ length: Int) {
        let decimal: Decimal =
            switch value {
            case 0xBC: Decimal(units: 25, scale: 2)
            case 0xBD: Decimal(units: 5, scale: 1)
            case 0xBE: Decimal(units: 75, scale: 2)
            case 0x2153: Decimal(numerator: 1, denominator: 3)
            default: Decimal(numerator: 2, denominator: 3)
            }
        if !pendingSpace, let last = tokens.last, last.kind == .number, last.number.scale == 0,
            let sum = last.number.adding(decimal)
        {
            tokens[tokens.count - 1].number = sum
            tokens[tokens.count - 1].end = position + length
            position += length
            return
        }
        emit(.number, length: length)
        tokens[tokens.count - 1].number = decimal
    }

    /// Base letters of U+00C0…U+017F; `.` where there are two or none.
    private static let folded = Array(
        ("aaaaaa.ceeeeiiiidnooooo.ouuuuyt.aaaaaa.ceeeeiiiidnooooo.ouuuuyty"
            + "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkklllllll"
            + "lllnnnnnnnnnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs").utf8)

    // MARK: Words

    private mutating func scanWord() {
        let start = position
        word.removeAll(keepingCapacity: true)
        let isCapital = (65...90).contains(source[position])
        // `1h30m`, `2x3`: letters right after a number end at the next digit.
        let followsNumber = !pendingSpace && tokens.last?.kind == .number
        var apostrophe = -1
        var apostropheSource = -1
        loop: while position < end {
            let byte = source[position]
            switch byte {
            case 97...122:
                word.append(byte)
                position += 1
            case 65...90:
                word.append(byte | 0x20)
                position += 1
            case 48...57 where position > start && !followsNumber:
                word.append(byte)
                position += 1
            case 39 where apostrophe < 0 && position + 1 < end && isLetter(source[position + 1]):
                apostrophe = word.count
                apostropheSource = position
                position += 1
            case 0xC2...:
                let (value, length) = decode()
                switch value {
                case 0x2019, 0x2018:
                    guard apostrophe < 0, position + length < end, isLetter(source[position + length]) else {
                        break loop
                    }
                    apostrophe = word.count
                    apostropheSource = position
                case 0xC6, 0xE6: word.append(contentsOf: [97, 101])
                case 0xDF: word.append(contentsOf: [115, 115])
                case 0x152, 0x153: word.append(contentsOf: [111, 101])
                case 0xC0...0x17F where value != 0xD7 && value != 0xF7:
                    word.append(Tokenizer.folded[Int(value) - 0xC0])
                case 0x300...0x36F, 0x200D, 0xFE0F: break
                case 0x180...0x1FFF, 0x2C00...0x2DFF, 0x3040...0xD7FF, 0xF900...0xFAFF, 0x20000...0x3FFFF:
                    word.append(contentsOf: source[position..<(position + length)])
                default: break loop
                }
                position += length
            default: break loop
            }
        }
        if position == start { position += 1 }
        guard !word.isEmpty else {
            pendingSpace = true
            return
        }
        emitWord(start: start, apostrophe: apostrophe, apostropheSource: apostropheSource, isCapital: isCapital)
    }

    private mutating func emitWord(start: Int, apostrophe: Int, apostropheSource: Int, isCapital: Bool) {
        var flags: WordFlags = []
        if pendingSpace { flags.formUnion(.spaceBefore) }
        if hyphen { flags.formUnion(.hyphenBefore) }
        if inQuotes { flags.formUnion(.quoted) }
        if isCapital { flags.formUnion(.capitalised) }
        pendingSpace = false
        hyphen = false
        var split = apostrophe
        var second: StaticString? = nil
        var splitSource = apostropheSource
        if apostrophe >= 0 {
            let suffix = word[apostrophe...]
            if suffix.elementsEqual("t".utf8), word[apostrophe - 1 >= 0 ? apostrophe - 1 : 0] == 110 {
                second = "not"
                split = apostrophe - 1
                splitSource = apostropheSource - 1
            } else if suffix.elementsEqual("s".utf8) {
                second = Tokenizer.ofIs(word[..<apostrophe])
            } else if suffix.elementsEqual("re".utf8) {
                second = "are"
            } else if suffix.elementsEqual("ve".utf8) {
                second = "have"
            } else if suffix.elementsEqual("ll".utf8) {
                second = "will"
            } else if suffix.elementsEqual("d".utf8) {
                second = "would"
            } else if suffix.elementsEqual("m".utf8) {
                second = "am"
            }
        } else if let bare = Tokenizer.bare(word) {
            split = bare.split
            second = bare.second
            splitSource = start + bare.split
        }
        guard let second, split > 0 else {
            append(wordHash(word), start, position, flags)
            return
        }
        let head = word[..<split]
        let hash: UInt64 =
            switch second.description {
            case "not" where head.elementsEqual("ca".utf8): wordHash("can")
            case "not" where head.elementsEqual("wo".utf8): wordHash("will")
            default: wordHash(head)
            }
        append(hash, start, splitSource, flags)
        append(wordHash(second), splitSource, position, flags.intersection(.quoted))
    }

    private static let subjects = Set(
        ["what", "that", "how", "where", "who", "here", "there", "when", "it", "he", "she", "this", "why", "which"].map
        {
            wordHash($0.utf8)
        })

    /// What `'s` stands for after the word.
    private static func ofIs(_ head: ArraySlice<UInt8>) -> StaticString {
        let hash = wordHash(head)
        return hash == wordHash("let") ? "us" : subjects.contains(hash) ? "is" : "'s"
    }

    /// Contractions that people write without the apostrophe.
    private static func bare(_ word: [UInt8]) -> (split: Int, second: StaticString)? {
        func ends(_ text: StaticString) -> Bool {
            text.withUTF8Buffer { word.count == $0.count && word.elementsEqual($0) }
        }
        guard word.count >= 2, word.count <= 8 else { return nil }
        switch word[word.count - 1] {
        case 116:  // t
            for candidate in [
                "dont", "cant", "wont", "didnt", "doesnt", "isnt", "wasnt", "havent", "hasnt", "shouldnt",
                "couldnt", "wouldnt", "arent",
            ] as [StaticString] where ends(candidate) {
                return (word.count - 2, "not")
            }
        case 115:  // s
            for candidate in ["whats", "thats", "hows", "wheres", "whos", "heres", "theres", "whens"] as [StaticString]
            where ends(candidate) {
                return (word.count - 1, "is")
            }
        case 109 where ends("im"): return (1, "am")
        case 101 where ends("ive"): return (1, "have")
        case 101 where ends("youre") || ends("theyre"): return (word.count - 2, "are")
        default: break
        }
        return nil
    }

    private mutating func append(_ hash: UInt64, _ start: Int, _ end: Int, _ flags: WordFlags) {
        var token = Token(kind: .word, start: start, end: end)
        token.surface = hash
        token.flags = flags
        tokens.append(token)
    }

    // MARK: Numbers

    private mutating func digits(_ index: inout Int, _ value: inout Int64) -> Int {
        let first = index
        while isDigit(index) {
            if index - first < 15 { value = value * 10 + Int64(source[index] - 48) }
            index += 1
        }
        return index - first
    }

    private mutating func number() {
        let start = position
        var index = position
        var value: Int64 = 0
        let count = digits(&index, &value)
        var token = Token(kind: .number, start: start, end: index)
        if pendingSpace { token.flags.formUnion(.spaceBefore) }
        if inQuotes { token.flags.formUnion(.quoted) }
        defer {
            token.end = position
            tokens.append(token)
            pendingSpace = false
            hyphen = false
        }
        token.number = Decimal(units: value, scale: 0)
        token.first = count
        position = index
        guard index < end, isDigit(index + 1), count <= 15 else { return }
        let separator = source[index]
        var next = index + 1
        var second: Int64 = 0
        let secondCount = digits(&next, &second)
        switch separator {
        case 58 where count <= 2 && secondCount == 2 && value < 24 && second < 60:  // 17:30
            token.kind = .clock
            token.number = Decimal(Int(value * 60 + second))
            position = next
        case 45 where count == 4 && secondCount <= 2, 47 where count == 4 && secondCount <= 2:  // 2026-12-01
            var third: Int64 = 0
            guard next < end, source[next] == separator, isDigit(next + 1) else { return }
            next += 1
            guard digits(&next, &third) <= 2 else { return }
            token.kind = .date
            (token.first, token.second, token.third) = (Int(value), Int(second), Int(third))
            token.byte = separator
            position = next
        case 47 where count <= 3 && secondCount <= 3:  // 3/5, 1/2, 3/5/2026
            token.kind = .date
            token.byte = 47
            (token.first, token.second, token.third) = (Int(value), Int(second), 0)
            position = next
            if next < end, source[next] == 47, isDigit(next + 1) {
                var third: Int64 = 0
                next += 1
                if digits(&next, &third) <= 4 {
                    token.third = Int(third)
                    position = next
                }
            }
        // 1.12.2026
        case 46 where count <= 2 && secondCount <= 2 && next < end && source[next] == 46 && isDigit(next + 1):
            var third: Int64 = 0
            next += 1
            guard digits(&next, &third) <= 4 else { return }
            token.kind = .date
            token.byte = 46
            (token.first, token.second, token.third) = (Int(value), Int(second), Int(third))
            position = next
        case 46, 44:
            decimal(&token, separator, value, second, secondCount, next)
        default: break
        }
    }

    /// `1,299.99`, `1.299,99`, `12,50`, `3.20`, `1,299`.
    private mutating func decimal(
        _ token: inout Token, _ separator: UInt8, _ value: Int64, _ second: Int64, _ secondCount: Int, _ after: Int
    ) {
        var whole = value
        var next = after
        var count = secondCount
        var part = second
        var used = separator
        var grouped = false
        // Groups of three, then perhaps the other separator.
        if secondCount == 3, token.first <= 3, value != 0 {
            whole = whole * 1000 + part
            grouped = true
            while next < end, source[next] == separator, isDigit(next + 1), whole < 1_000_000_000_000 {
                var probe = next + 1
                var group: Int64 = 0
                guard digits(&probe, &group) == 3 else { break }
                whole = whole * 1000 + group
                next = probe
            }
            let other: UInt8 = separator == 44 ? 46 : 44
            if next < end, source[next] == other, isDigit(next + 1) {
                var probe = next + 1
                part = 0
                count = digits(&probe, &part)
                if count <= 6 {
                    used = other
                    token.number = Decimal(units: whole * Decimal.power(count) + part, scale: count)
                    token.second = count
                    position = probe
                    return
                }
            }
            if separator == 44 {
                token.number = Decimal(units: whole, scale: 0)
                position = next
                return
            }
            whole = value
            grouped = false
            part = second
            next = after
        }
        _ = (used, grouped)
        guard count <= 6, whole < 1_000_000_000_000 else { return }
        if separator == 44, count > 2 { return }
        token.number = Decimal(units: whole * Decimal.power(count) + part, scale: count)
        token.second = count
        position = next
    }
}
