/// The words of one set of tools on top of the shared lexicon, and the reading of tokens against both.
struct Vocabulary: Sendable {
    /// Spelling to index, for all forms of the tools' own words.
    private var forms: [UInt64: Int32] = [:]
    /// Lemma by index.
    private(set) var lemmas: [UInt64] = []
    private var indexOfLemma: [UInt64: Int32] = [:]
    private var typos = TypoIndex()

    var count: Int { lemmas.count }

    func index(ofLemma lemma: UInt64) -> Int32 { indexOfLemma[lemma] ?? -1 }

    /// Adds a word of a template, given its folded spelling; gives the index of its lemma.
    mutating func insert(lemma: UInt64, spelling: [UInt8], isKnown: Bool) -> Int32 {
        if let found = indexOfLemma[lemma] { return found }
        let index = Int32(lemmas.count)
        lemmas.append(lemma)
        indexOfLemma[lemma] = index
        if !isKnown, !spelling.isEmpty {
            forms[wordHash(spelling)] = index
            let plural = wordHash(Inflection.withS(spelling))
            if forms[plural] == nil { forms[plural] = index }
            let singular = wordHash(Inflection.singular(spelling[...]))
            if forms[singular] == nil { forms[singular] = index }
            let (gerunds, pasts) = Inflection.participles(spelling)
            for form in gerunds + pasts where forms[wordHash(form)] == nil { forms[wordHash(form)] = index }
            typos.insert(spelling)
        }
        return index
    }

    /// Fills in what is known about each word, corrects slips, and joins phrases.
    /// - Parameter isTemplate: the words are a template's own, right as they are.
    func annotate(_ tokens: inout [Token], source: [UInt8], isTemplate: Bool = false) {
        let lexicon = Lexicon.shared
        for index in tokens.indices where tokens[index].kind == .word {
            if let info = lexicon.words[tokens[index].surface] {
                apply(info, to: &tokens[index])
            } else if let form = forms[tokens[index].surface] {
                tokens[index].lemma = lemmas[Int(form)]
                tokens[index].flags.formUnion(.known)
            } else {
                correct(&tokens[index], source: source, lexicon: lexicon, isTemplate: isTemplate)
            }
        }
        for index in tokens.indices.dropFirst() {
            if tokens[index].has(.filler), Vocabulary.isNoun(tokens, index) { tokens[index].flags.subtract(.filler) }
            if tokens[index].surface == Vocabulary.far, tokens[index - 1].surface == Vocabulary.so {
                tokens[index].flags.insert(.filler)
            }
        }
        readRates(&tokens)
        joinPhrases(&tokens, lexicon: lexicon)
        for index in tokens.indices where tokens[index].kind == .word {
            tokens[index].feature = indexOfLemma[tokens[index].lemma] ?? -1
        }
    }

    /// Filler only as a form of address: `add milk, love`, but `some love`, `my friend`.
    private static let vocatives = Set(
        ["love", "friend", "folks", "man", "dude", "buddy", "mate", "pal", "dear", "bot", "sweetheart", "bro", "hun"]
            .map { wordHash($0.utf8) })

    private static func isNoun(_ tokens: [Token], _ index: Int) -> Bool {
        let before = tokens[index - 1]
        if tokens[index].has(.greeting) {
            return before.kind == .word && !before.has(.filler) && before.surface != good
        }
        return vocatives.contains(tokens[index].surface) && (before.has(.determiner) || before.has(.self1))
    }

    private static let so = wordHash("so"), far = wordHash("far"), good = wordHash("good")

    private static let each = Set(["a", "an", "per", "each", "every"].map { wordHash($0.utf8) })
    private static let every = wordHash("every")
    private static let spans = Set(["day", "week", "month", "year", "quarter"].map { wordHash($0.utf8) })

    /// `80 a month`, `per month`, `each month` are `every month`.
    private func readRates(_ tokens: inout [Token]) {
        for index in tokens.indices.dropFirst() where Vocabulary.spans.contains(tokens[index].lemma) {
            let before = index - 1
            guard tokens[before].kind == .word, Vocabulary.each.contains(tokens[before].surface) else { continue }
            if before > 0, tokens[before - 1].has(.preposition) { continue }
            if index + 1 < tokens.count, tokens[index + 1].surface == wordHash("ago") { continue }
            tokens[before].lemma = Vocabulary.every
            tokens[before].flags.subtract([.determiner, .preposition])
            tokens[before].flags.formUnion(.function)
        }
    }

    private func apply(_ info: Lexicon.Info, to token: inout Token) {
        token.lemma = info.lemma
        token.flags.formUnion(info.flags)
        token.strong = info.strong
        token.weak = info.weak
        token.number = Decimal(Int(info.value))
        token.first = Int(info.unit)
        token.second = Int(info.currency)
    }

    private func correct(_ token: inout Token, source: [UInt8], lexicon: Lexicon, isTemplate: Bool) {
        let spelling = Vocabulary.fold(source[token.start..<token.end])
        token.lemma = wordHash(Inflection.singular(spelling[...]))
        guard !isTemplate, spelling.count >= 4, spelling.allSatisfy({ $0 < 0x80 }), !token.has(.quoted) else { return }
        let shared = lexicon.typos.nearest(spelling)
        let own = typos.nearest(spelling)
        let word: [UInt8]
        let distance: Int
        switch (shared, own) {
        case (nil, nil): return
        case (let found?, nil), (nil, let found?): (word, distance) = found
        case (let left?, let right?): (word, distance) = right.distance <= left.distance ? right : left
        }
        let hash = wordHash(word)
        let certainty: Float = distance == 1 ? 0.85 : 0.7
        if let info = lexicon.words[hash] {
            apply(info, to: &token)
        } else if let form = forms[hash] {
            token.lemma = lemmas[Int(form)]
        } else {
            return
        }
        token.certainty = certainty
        token.flags.formUnion(.corrected)
    }

    /// Lower case without marks; bytes of other scripts stay.
    static func fold(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var folded: [UInt8] = []
        folded.reserveCapacity(bytes.count)
        for byte in bytes { folded.append((65...90).contains(byte) ? byte | 0x20 : byte) }
        return folded
    }

    // MARK: Phrases

    private func joinPhrases(_ tokens: inout [Token], lexicon: Lexicon) {
        var index = 0
        while index < tokens.count {
            defer { index += 1 }
            guard tokens[index].kind == .word, !tokens[index].has(.absorbed) else { continue }
            let head = tokens[index]
            guard let candidates = lexicon.phrases[head.lemma] ?? lexicon.phrases[head.surface] else { continue }
            for phrase in candidates {
                if let parts = match(phrase, at: index, in: tokens) {
                    tokens[index].lemma = phrase.lemma
                    tokens[index].strong = phrase.strong
                    tokens[index].weak = phrase.isSeparable ? phrase.weak.union(head.strong) : phrase.weak
                    if phrase.isVerb { tokens[index].flags.formUnion(.verb) }
                    tokens[index].flags.subtract([.function, .filler, .pronoun, .preposition, .question, .auxiliary])
                    for part in parts {
                        tokens[part].flags.formUnion(.absorbed)
                        tokens[part].third = index
                    }
                    break
                }
            }
        }
    }

    /// The positions of the phrase's further words, or nil.
    private func match(_ phrase: Lexicon.Phrase, at start: Int, in tokens: [Token]) -> [Int]? {
        var parts: [Int] = []
        var index = start
        for word in phrase.words.dropFirst() {
            index += 1
            guard index < tokens.count, tokens[index].kind == .word,
                tokens[index].surface == word || tokens[index].lemma == word
            else {
                parts = []
                break
            }
            parts.append(index)
        }
        if !parts.isEmpty { return parts }
        guard phrase.isSeparable else { return nil }
        // `turn expenses off`: the particle ends its clause or stands before what is not its object.
        index = start + 1
        while index < min(tokens.count, start + 9) {
            let token = tokens[index]
            if token.isBreak, token.byte != 39, token.byte != 44 { return nil }
            if token.isWord(phrase.words[1]), !token.has(.absorbed) {
                let isLast = index + 1 >= tokens.count || tokens[index + 1].isBreak
                if isLast || !tokens[index + 1].has([.determiner]) || phrase.words[1] == wordHash("off") {
                    if isLast || phrase.words[1] != wordHash("on") && phrase.words[1] != wordHash("in")
                        || tokens[index + 1].has(.filler) || tokens[index + 1].has(.conjunction)
                    {
                        return [index]
                    }
                }
                return nil
            }
            if index > start + 1, token.has(.verb), !token.has([.function]), !token.has(.ware),
                tokens[index - 1].has(.conjunction)
            {
                return nil
            }
            index += 1
        }
        return nil
    }
}
