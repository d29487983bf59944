/// What English says about words, built once from `LexiconData` and shared by all planners. Immutable.
struct Lexicon: Sendable {
    struct Info: Sendable {
        var lemma: UInt64 = 0
        var flags: WordFlags = []
        var strong = ClusterSet()
        var weak = ClusterSet()
        /// By flag: cardinal, ordinal, month, weekday, unit index, currency index.
        var value: Int32 = 0
        var unit: Int16 = -1
        var currency: Int16 = -1
    }

    /// Words that together mean something: `run out of`, or `turn … off` with words between.
    struct Phrase: Sendable {
        var words: [UInt64]
        var lemma: UInt64
        var strong: ClusterSet
        var weak: ClusterSet
        var isSeparable: Bool
        var isVerb: Bool
    }

    static let shared = Lexicon()

    private(set) var words: [UInt64: Info] = [:]
    /// By the lemma of the first word, longest first.
    private(set) var phrases: [UInt64: [Phrase]] = [:]
    private(set) var typos = TypoIndex()
    private(set) var unitNames: [String] = []
    private(set) var currencyCodes: [String] = []
    private(set) var clusterNames: [String: Int] = [:]
    /// Clusters of verbs.
    private(set) var verbClusters = ClusterSet()
    private(set) var nounClusters = ClusterSet()

    static let particles: Set<UInt64> = Set(
        ["up", "down", "off", "on", "out", "away", "in", "back"].map { wordHash($0.utf8) })

    func cluster(_ name: String) -> ClusterSet {
        var set = ClusterSet()
        if let index = clusterNames[name] { set.insert(index) }
        return set
    }

    private init() {
        loadCommon()
        loadClasses()
        loadClusters()
        loadIrregular()
        for (word, isCalendar) in correctable.sorted(by: { $0.key < $1.key }) where isCalendar {
            typos.insert(Array(word.utf8))
        }
        correctable = [:]
    }

    /// Spellings that slips are corrected to; emptied after construction.
    private var correctable: [String: Bool] = [:]

    private static func fields(_ text: StaticString, _ separator: UInt8) -> [[UInt8]] {
        text.withUTF8Buffer { buffer in
            buffer.split(whereSeparator: { $0 == separator || $0 == 10 || ($0 == 32 && separator == 32) }).map { part in
                var slice = part
                while slice.first == 32 { slice = slice.dropFirst() }
                while slice.last == 32 { slice = slice.dropLast() }
                return Array(slice)
            }
        }
    }

    private mutating func mark(_ word: [UInt8], _ flags: WordFlags) {
        let hash = wordHash(word)
        words[hash, default: Info(lemma: hash)].flags.formUnion(flags.union(.known))
    }

    private mutating func loadCommon() {
        for word in Lexicon.fields(LexiconData.common, 32) {
            mark(word, [])
            inflectNoun(word, [])
        }
        for word in Lexicon.fields(LexiconData.wares, 32) {
            mark(word, .ware)
            inflectNoun(word, .ware)
        }
        for word in Lexicon.fields(LexiconData.deeds, 32) {
            mark(word, [.deed, .verb])
            inflectVerb(word, .deed)
        }
    }

    private mutating func loadClasses() {
        let classes: [(StaticString, WordFlags)] = [
            (LexiconData.filler, .filler), (LexiconData.greeting, [.greeting, .filler]),
            (LexiconData.determiner, [.function, .determiner]), (LexiconData.preposition, [.function, .preposition]),
            (LexiconData.pronoun, [.function, .pronoun]), (LexiconData.question, [.function, .question]),
            (LexiconData.auxiliary, [.function, .auxiliary]), (LexiconData.negation, [.function, .negation]),
            (LexiconData.conjunction, [.function, .conjunction]), (LexiconData.hypothetical, .hypothetical),
            (LexiconData.speech, []), (LexiconData.elsewhere, .elsewhere), (LexiconData.reported, .speech),
        ]
        for (text, flags) in classes {
            for word in Lexicon.fields(text, 32) { mark(word, flags) }
        }
        for word in Lexicon.fields(LexiconData.elsewhere, 32) { inflectNoun(word, .elsewhere) }
        for word in Lexicon.fields(LexiconData.inner, 32) {
            let (gerunds, pasts) = Inflection.participles(word)
            for form in [word, Inflection.withS(word)] + gerunds + pasts {
                let hash = wordHash(form)
                if words[hash] == nil { words[hash] = Info(lemma: wordHash(word)) }
                words[hash]?.flags.formUnion([.known, .inner])
            }
        }
        for word in ["i", "me", "my", "we", "us", "our", "myself"] { mark(Array(word.utf8), .self1) }
        mark(Array("'s".utf8), .function)
        for word in ["it", "that", "this", "them", "those", "these", "both", "one", "ones"] {
            mark(Array(word.utf8), .pointer)
        }
        func pairs(_ text: StaticString) -> [(word: [UInt8], value: [UInt8])] {
            Lexicon.fields(text, 44).compactMap { entry in
                let parts = entry.split(separator: 32)
                return parts.count == 2 ? (Array(parts[0]), Array(parts[1])) : nil
            }
        }
        let numeric: [(StaticString, WordFlags)] = [
            (LexiconData.cardinals, .cardinal), (LexiconData.ordinals, .ordinal), (LexiconData.months, .month),
            (LexiconData.weekdays, .weekday),
        ]
        for (text, flag) in numeric {
            for (word, value) in pairs(text) {
                mark(word, flag)
                words[wordHash(word)]?.value = Int32(String(decoding: value, as: UTF8.self)) ?? 0
                correctable[String(decoding: word, as: UTF8.self)] = true
            }
        }
        var unitIndex: [String: Int16] = [:]
        for (word, value) in pairs(LexiconData.units) {
            let name = String(decoding: value, as: UTF8.self)
            if unitIndex[name] == nil {
                unitIndex[name] = Int16(unitNames.count)
                unitNames.append(name)
            }
            mark(word, .unit)
            words[wordHash(word)]?.unit = unitIndex[name] ?? -1
        }
        var currencyIndex: [String: Int16] = [:]
        for (word, value) in pairs(LexiconData.currencies) {
            let code = String(decoding: value, as: UTF8.self)
            mark(word, .currencyWord)
            if currencyIndex[code] == nil {
                currencyIndex[code] = Int16(currencyCodes.count)
                currencyCodes.append(code)
            }
            words[wordHash(word)]?.currency = currencyIndex[code] ?? -1
        }
        for word in Lexicon.fields(LexiconData.calendar, 32) {
            mark(word, [])
            correctable[String(decoding: word, as: UTF8.self)] = true
        }
    }

    private mutating func inflectNoun(_ word: [UInt8], _ flags: WordFlags) {
        let plural = wordHash(Inflection.withS(word))
        if words[plural] == nil {
            words[plural] = Info(lemma: wordHash(word), flags: flags.union(.known))
        } else if !flags.isEmpty {
            words[plural]?.flags.formUnion(flags)
        }
    }

    private mutating func inflectVerb(_ word: [UInt8], _ flags: WordFlags) {
        let lemma = wordHash(word)
        inflectNoun(word, flags.union(.verb))
        let (gerunds, pasts) = Inflection.participles(word)
        for form in gerunds {
            let hash = wordHash(form)
            if words[hash] == nil { words[hash] = Info(lemma: lemma, flags: [.known, .verb]) }
            words[hash]?.flags.formUnion(flags.union([.verb, .gerund]))
        }
        for form in pasts {
            let hash = wordHash(form)
            if words[hash] == nil { words[hash] = Info(lemma: lemma, flags: [.known, .verb]) }
            words[hash]?.flags.formUnion(flags.union([.verb, .past]))
        }
    }

    private mutating func loadClusters() {
        for (index, line) in Lexicon.fields(LexiconData.clusters, 10).enumerated() {
            guard let colon = line.firstIndex(of: 58) else { continue }
            let isVerb = line[0] == 118
            clusterNames[String(decoding: line[2..<colon], as: UTF8.self)] = index
            if isVerb { verbClusters.insert(index) } else { nounClusters.insert(index) }
            var isStrong = true
            for word in line[(colon + 1)...].split(separator: 32) {
                if word.elementsEqual([124]) {
                    isStrong = false
                    continue
                }
                file(Array(word), cluster: index, isStrong: isStrong, isVerb: isVerb)
            }
        }
        // Inflected forms share the meaning of their lemma.
        for (hash, info) in words where info.lemma != hash {
            guard let base = words[info.lemma] else { continue }
            words[hash]?.strong.formUnion(base.strong)
            words[hash]?.weak.formUnion(base.weak)
        }
        for key in phrases.keys { phrases[key]?.sort { $0.words.count > $1.words.count } }
    }

    private mutating func file(_ word: [UInt8], cluster: Int, isStrong: Bool, isVerb: Bool) {
        var bit = ClusterSet()
        bit.insert(cluster)
        let parts = word.split(separator: 95).map(Array.init)
        if parts.count > 1 {
            let hash = wordHash(word)
            let hashes = parts.map { wordHash($0) }
            for part in parts { mark(part, []) }
            if let found = phrases[hashes[0]]?.firstIndex(where: { $0.words == hashes }) {
                if isStrong { phrases[hashes[0]]?[found].strong.formUnion(bit) }
                if !isStrong { phrases[hashes[0]]?[found].weak.formUnion(bit) }
            } else {
                phrases[hashes[0], default: []].append(
                    Phrase(
                        words: hashes, lemma: hash, strong: isStrong ? bit : ClusterSet(),
                        weak: isStrong ? ClusterSet() : bit,
                        isSeparable: isVerb && parts.count == 2 && Lexicon.particles.contains(hashes[1]),
                        isVerb: isVerb))
            }
            if isVerb { inflectVerb(parts[0], []) }
            return
        }
        mark(word, isVerb ? .verb : [])
        let hash = wordHash(word)
        if isStrong { words[hash]?.strong.formUnion(bit) } else { words[hash]?.weak.formUnion(bit) }
        if isVerb { inflectVerb(word, []) } else { inflectNoun(word, []) }
        if word.count >= 4 { correctable[String(decoding: word, as: UTF8.self)] = true }
        let plural = Inflection.withS(word)
        if !isVerb, plural.count >= 5 { correctable[String(decoding: plural, as: UTF8.self)] = true }
    }

    private mutating func loadIrregular() {
        for entry in Lexicon.fields(LexiconData.irregular, 44) {
            let parts = entry.split(separator: 32)
            guard parts.count == 2 else { continue }
            let isPast = parts[0].last == 42
            let form = isPast ? Array(parts[0].dropLast()) : Array(parts[0])
            let lemma = wordHash(parts[1])
            let base = words[lemma] ?? Info(lemma: lemma)
            let hash = wordHash(form)
            var info = words[hash] ?? Info(lemma: lemma)
            info.lemma = lemma
            info.strong.formUnion(base.strong)
            info.weak.formUnion(base.weak)
            info.flags.formUnion(base.flags.intersection([.verb, .deed]).union(.known))
            if isPast { info.flags.formUnion([.past, .verb]) }
            words[hash] = info
        }
    }
}
