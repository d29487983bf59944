import TandemCore

/// What a question asks for, in terms of an index.
struct RecallQuery {
    struct Term {
        var id: Int32
        /// 1 for a word of the question, less for its synonyms and misspellings.
        var weight: Double
    }

    private(set) var terms: [Term] = []
    /// For each own word its kindred: term, and what a text gets for it.
    private(set) var kindred: [[(id: Int32, worth: Float)]] = []
    /// Pairs of neighbouring words, and what finding one is worth.
    private(set) var pairs: [UInt64: Double] = [:]
    /// What finding all own words is worth.
    private(set) var weight = 0.0
    let vector: [Float]
    /// By another embedder.
    var otherVector: [Float]?
    /// By speaker: whether the question names them; empty when it names nobody, or everybody.
    private(set) var named: [Bool] = []
    let dates: DateHints
    /// It has a word with digits: whoever asks for one number is not helped with another.
    let isExact: Bool
    let asksWhen: Bool
    let asksHowMany: Bool

    var isEmpty: Bool { weight == 0 && dates.isEmpty && !vector.contains { $0 != 0 } }

    init(_ question: String, now: Timestamp?, vector: [Float], texts: inout IndexedTexts) {
        let words = TextAnalyzer.words(question)
        self.vector = vector
        dates = DateHints(question, now: now)
        isExact = words.contains { RecallQuery.hasDigit($0) }
        let pairs = zip(words, words.dropFirst())
        asksWhen =
            words.contains("when")
            || pairs.contains {
                ["what", "which"].contains($0) && ["day", "date", "month", "year", "time"].contains($1)
            }
        asksHowMany = pairs.contains { $0 == "how" && ["many", "much", "long", "often", "old", "far"].contains($1) }
        let names = takeNames(words, texts)
        var own = words.filter { !EnglishWords.stopWords.contains($0) && !names.contains($0) }
        if own.isEmpty { own = words.filter { !EnglishWords.stopWords.contains($0) } }
        if own.isEmpty { own = words }
        take(own, &texts)
    }

    /// Notes whose texts are asked for; returns the words that name them.
    private mutating func takeNames(_ words: [String], _ texts: IndexedTexts) -> Set<String> {
        var names = Set<String>()
        guard (2...2000).contains(texts.speakerNames.count) else { return names }
        let asked = Set(words.filter { $0.utf8.count > 1 && !EnglishWords.stopWords.contains($0) })
        named = texts.speakerNames.map { name in
            let found = TextAnalyzer.words(name).filter { asked.contains($0) }
            names.formUnion(found)
            return !found.isEmpty
        }
        if !named.contains(true) || !named.contains(false) { named = [] }
        return names
    }

    private mutating func take(_ words: [String], _ texts: inout IndexedTexts) {
        let unknown = 0.5 * logarithm(1 + (Double(texts.count) + 0.5) / 0.5)
        var seen = Set<String>()
        var last: Int32?
        for word in words.prefix(texts.tuning.longestQuery) {
            let stem = EnglishStemmer.stem(word)
            let id = texts.vocabulary[stem].flatMap { texts.alive[Int($0)] > 0 ? $0 : nil }
            let rarity = id.map(texts.inverse) ?? unknown
            if let left = last, let id, left != id {
                pairs[RecallQuery.pair(left, id)] = min(texts.inverse(left), rarity)
            }
            last = id
            guard seen.insert(stem).inserted else { continue }
            weight += rarity
            if let id {
                add(id, 1)
            } else if stem.utf8.count >= 5 {
                for id in texts.misspellings(of: stem) { add(id, texts.tuning.misspelling) }
            }
            for other in EnglishWords.synonyms[stem] ?? [] {
                if let id = texts.vocabulary[other], texts.alive[Int(id)] > 0 { add(id, texts.tuning.synonym) }
            }
            if seen.count <= texts.tuning.mostWordsWithKindred { takeKindred(of: word, id, rarity, &texts) }
        }
        for pair in pairs.keys { pairs[pair, default: 0] /= max(weight, 1e-9) }
    }

    private mutating func add(_ id: Int32, _ weight: Double) {
        if let place = terms.firstIndex(where: { $0.id == id }) {
            terms[place].weight = max(terms[place].weight, weight)
        } else {
            terms.append(Term(id: id, weight: weight))
        }
    }

    private mutating func takeKindred(of word: String, _ id: Int32?, _ rarity: Double, _ texts: inout IndexedTexts) {
        guard texts.tuning.kindred != 0, !RecallQuery.hasDigit(word) else { return }
        var found: [(id: Int32, worth: Float)] = []
        for (term, likeness) in texts.kindred(of: word) where term != id && texts.alive[Int(term)] > 0 {
            found.append((term, likeness * Float(min(texts.inverse(term), rarity))))
            if found.count == texts.tuning.mostKindred { break }
        }
        if !found.isEmpty { kindred.append(found) }
    }

    private static func hasDigit(_ word: String) -> Bool { word.utf8.contains { (48...57).contains($0) } }

    static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }
}
