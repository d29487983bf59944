import TandemCore
import TandemEmbedding

/// What `RecallIndex` knows of its texts, by place; places are given in the order of insertion.
struct IndexedTexts: Sendable {
    struct Posting: Sendable {
        var place: Int32
        var count: Int32
    }

    /// What is known of a word as it is written.
    private struct Word {
        var term: Int32
        var isStop: Bool
        var traits: TextTraits
    }

    private(set) var times: [Int64] = []
    /// Number of stems; -1 for a removed text.
    private(set) var lengths: [Int32] = []
    /// The stems of all texts in order, one text after the other; a text's begin at `starts[place]`.
    private var stems: [Int32] = []
    private var starts: [Int] = []
    /// The places of the texts right before and after in the same conversation, or -1.
    private(set) var previous: [Int32] = []
    private(set) var next: [Int32] = []
    private(set) var traits: [TextTraits] = []
    private(set) var speakers: [Int32] = []
    private(set) var vectors: VectorStore
    /// Of another embedder, for some or all of the texts.
    private(set) var others: OtherVectors?
    private(set) var count = 0

    private var words: [String: Word] = [:]
    private(set) var vocabulary: [String: Int32] = [:]
    /// The same by length.
    private var spelled = SpelledWords()
    private(set) var postings: [[Posting]] = []
    /// How many texts have the term.
    private(set) var alive: [Int32] = []
    /// The vector of the form in which the term came first.
    private var termVectors: VectorStore
    private(set) var speakerNames: [String] = []
    private var speakerIDs: [String: Int32] = [:]
    private var totalLength = 0
    private var lastPlace = -1
    private var kindredWords: [String: Kindred] = [:]

    var tuning: RecallTuning
    private let embedder = StaticEmbedder()

    init(tuning: RecallTuning) {
        self.tuning = tuning
        vectors = VectorStore(dimensions: embedder.dimensions)
        termVectors = VectorStore(dimensions: min(IndexedTexts.termDimensions, embedder.dimensions))
    }

    var size: Int {
        let words = stems.capacity * 4 + postings.reduce(0) { $0 + $1.capacity * 8 + 32 }
        let texts = times.capacity * (8 + 4 + 8 + 4 + 4 + 1 + 4)
        let terms = vocabulary.capacity * 28 + self.words.capacity * 32
        return words + texts + terms + spelled.size + vectors.size + termVectors.size + (others?.size ?? 0)
    }

    /// The stems of the text at a place, in order.
    func terms(of place: Int) -> ArraySlice<Int32> {
        let start = starts[place]
        return stems[start..<start + Int(max(lengths[place], 0))]
    }

    /// Stems of a text, on average.
    var averageLength: Float { Float(max(Double(totalLength) / Double(max(count, 1)), 1)) }

    /// The terms that texts have and that differ from a stem by one slip of the finger.
    func misspellings(of stem: String) -> [Int32] { spelled.near(stem).filter { alive[Int($0)] > 0 } }

    /// How rare a term is.
    func inverse(_ term: Int32) -> Double {
        let found = Double(alive[Int(term)])
        return logarithm(1 + (Double(count) - found + 0.5) / (found + 0.5))
    }

    // MARK: - Changes

    mutating func append(_ text: String, at time: Int64) -> Int {
        let line = SpokenLine(text)
        let place = times.count
        var before = -1
        if lastPlace >= 0, lengths[lastPlace] >= 0, abs(time - times[lastPlace]) <= 3_600_000 {
            before = lastPlace
            next[before] = Int32(place)
        }
        times.append(time)
        starts.append(stems.count)
        var traits = TextTraits(line.body)
        takeWords(of: text, &traits)
        lengths.append(Int32(stems.count - starts[place]))
        previous.append(Int32(before))
        next.append(-1)
        self.traits.append(traits)
        speakers.append(line.speaker.map { speakerID($0) } ?? -1)
        vectors.append(embedder.embed(line.body))
        lastPlace = place
        count += 1
        let terms = self.terms(of: place)
        totalLength += terms.count
        var sorted = Array(terms)
        sorted.sort()
        var index = 0
        while index < sorted.count {
            let term = sorted[index]
            var end = index + 1
            while end < sorted.count, sorted[end] == term { end += 1 }
            postings[Int(term)].append(Posting(place: Int32(place), count: Int32(end - index)))
            alive[Int(term)] += 1
            index = end
        }
        return place
    }

    private mutating func takeWords(of text: String, _ traits: inout TextTraits) {
        let cut = TextAnalyzer.words(text)
        let before = stems.count
        for word in cut {
            let known = self.word(word)
            traits.formUnion(known.traits)
            if !known.isStop { stems.append(known.term) }
        }
        if stems.count == before { for word in cut { stems.append(self.word(word).term) } }
    }

    private mutating func word(_ text: String) -> Word {
        if let known = words[text] { return known }
        let word = Word(
            term: term(text), isStop: EnglishWords.stopWords.contains(text), traits: TextTraits(word: text))
        words[text] = word
        return word
    }

    private mutating func term(_ word: String) -> Int32 {
        let stem = EnglishStemmer.stem(word)
        if let known = vocabulary[stem] { return known }
        let id = Int32(postings.count)
        vocabulary[stem] = id
        spelled.insert(stem, id)
        postings.append([])
        alive.append(0)
        termVectors.append(termVector(word))
        return id
    }

    /// Single words are told apart well enough by the first half of the dimensions, which carry the most.
    private static let termDimensions = 128

    private func termVector(_ word: String) -> [Float] {
        var vector = Array(embedder.sum(word).prefix(termVectors.dimensions))
        StaticEmbedder.normalise(&vector)
        return vector
    }

    private mutating func speakerID(_ name: String) -> Int32 {
        if let known = speakerIDs[name] { return known }
        let id = Int32(speakerNames.count)
        speakerNames.append(name)
        speakerIDs[name] = id
        return id
    }

    /// Takes the text at a place out; the place stays, empty, until `compact`.
    mutating func remove(_ place: Int) {
        let terms = self.terms(of: place)
        totalLength -= terms.count
        for term in Set(terms) { alive[Int(term)] -= 1 }
        lengths[place] = -1
        vectors.clear(place)
        others?.remove(place)
        count -= 1
    }

    /// Drops what removed texts left behind; returns the old places of those that stay, in order.
    mutating func compact() -> [Int] {
        let kept = lengths.indices.filter { lengths[$0] >= 0 }
        var moved = [Int32](repeating: -1, count: lengths.count)
        for (new, old) in kept.enumerated() { moved[old] = Int32(new) }
        var words: [Int32] = []
        var begins: [Int] = []
        for place in kept {
            begins.append(words.count)
            words.append(contentsOf: terms(of: place))
        }
        stems = words
        starts = begins
        times = kept.map { times[$0] }
        lengths = kept.map { lengths[$0] }
        traits = kept.map { traits[$0] }
        speakers = kept.map { speakers[$0] }
        previous = kept.map { previous[$0] < 0 ? -1 : moved[Int(previous[$0])] }
        next = kept.map { next[$0] < 0 ? -1 : moved[Int(next[$0])] }
        vectors.keep(kept)
        others?.keep(kept)
        lastPlace = lastPlace >= 0 ? Int(moved[lastPlace]) : -1
        for term in postings.indices {
            postings[term] = postings[term].compactMap { posting in
                let place = moved[Int(posting.place)]
                return place < 0 ? nil : Posting(place: place, count: posting.count)
            }
        }
        return kept
    }

    // MARK: - Kindred words

    private struct Kindred {
        /// How many terms were looked at.
        var seen = 0
        /// Most like first.
        var terms: [(id: Int32, likeness: Float)] = []
    }

    /// The terms most like a word in meaning, with their cosine; the word itself is not left out.
    ///
    /// Kept from one question to the next: only terms that came since are compared.
    mutating func kindred(of word: String) -> [(id: Int32, likeness: Float)] {
        var known = kindredWords[word] ?? Kindred()
        guard known.seen < termVectors.count else { return known.terms }
        let likeness = termVectors.dots(termVector(word), from: known.seen)
        for (offset, value) in likeness.enumerated() where value >= tuning.leastKinship {
            known.terms.append((Int32(known.seen + offset), value))
        }
        known.terms.sort { $0.likeness > $1.likeness }
        // Some of them may be in no text any more.
        if known.terms.count > 4 * tuning.mostKindred {
            known.terms.removeLast(known.terms.count - 4 * tuning.mostKindred)
        }
        known.seen = termVectors.count
        if kindredWords.count >= 2000 { kindredWords.removeAll() }
        kindredWords[word] = known
        return known.terms
    }

    mutating func query(_ question: String, now: Timestamp?, vector: [Float]? = nil) -> RecallQuery {
        var query = RecallQuery(question, now: now, vector: embedder.embed(question), texts: &self)
        query.otherVector = vector
        return query
    }

    // MARK: - Another embedder

    /// Keeps another embedder's vector of the text at a place.
    mutating func attach(_ packed: [UInt8], dimensions: Int, to place: Int) {
        if others?.dimensions != dimensions { others = OtherVectors(dimensions: dimensions) }
        others?.attach(packed, to: place)
    }

    mutating func detachAll() { others = nil }

    /// How like each text is to the question: by the other embedder where both have its vector.
    func meaning(_ query: RecallQuery) -> [Float] {
        var own = vectors.dots(query.vector)
        if let vector = query.otherVector { others?.replace(&own, by: vector) }
        return own
    }
}
