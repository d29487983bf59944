public import TandemCore

/// A full-text index of one person's texts, in memory: stemmed BM25 with a bonus for phrases, for covering the whole
/// question, for a neighbouring question and for matching dates.
///
/// A value type, not synchronised. Adding and removing cost the length of the text; a search costs the postings of its
/// words. About 100 bytes and twelve bytes a word for each text. The texts themselves are not kept.
public struct LexicalIndex<Key: Hashable & Sendable>: Sendable {
    private struct Posting: Sendable {
        var place: Int32
        var count: Int32
    }

    // A text's parts by its place; places are given in the order of insertion.
    private var keys: [Key?] = []
    private var times: [Int64] = []
    /// Number of stems; -1 for a removed text.
    private var lengths: [Int32] = []
    private var stems: [[Int32]] = []
    /// The place of the text that came right before it in the same conversation, or -1.
    private var previous: [Int32] = []
    private var asks: [Bool] = []

    private var places: [Key: Int32] = [:]
    private var vocabulary: [String: Int32] = [:]
    private var termOfWord: [String: Int32] = [:]
    private var postings: [[Posting]] = []
    /// How many texts have the term.
    private var alive: [Int32] = []
    private var totalLength = 0
    private var lastPlace: Int32 = -1

    public var tuning = RecallTuning()

    public init() {}

    /// The number of texts.
    public var count: Int { places.count }

    public func contains(_ key: Key) -> Bool { places[key] != nil }

    /// Adds a text or replaces the one of the same key.
    ///
    /// Texts that are added one after the other within an hour of each other count as one conversation.
    public mutating func insert(_ key: Key, text: some StringProtocol, at timestamp: Timestamp) {
        if places[key] != nil { remove(key) }
        let terms = analyse(text)
        let place = Int32(keys.count)
        let time = timestamp.millisecondsSinceEpoch
        var before: Int32 = -1
        if lastPlace >= 0, lengths[Int(lastPlace)] >= 0, abs(time - times[Int(lastPlace)]) <= 3_600_000 {
            before = lastPlace
        }
        keys.append(key)
        times.append(time)
        lengths.append(Int32(terms.count))
        stems.append(terms)
        previous.append(before)
        asks.append(text.utf8.reversed().first(where: { $0 > 32 }) == UInt8(ascii: "?"))
        places[key] = place
        lastPlace = place
        totalLength += terms.count
        for (term, count) in counts(of: terms) {
            postings[Int(term)].append(Posting(place: place, count: count))
            alive[Int(term)] += 1
        }
    }

    /// Takes a text out; unknown keys are ignored.
    public mutating func remove(_ key: Key) {
        guard let place = places.removeValue(forKey: key).map(Int.init) else { return }
        totalLength -= stems[place].count
        for (term, _) in counts(of: stems[place]) { alive[Int(term)] -= 1 }
        keys[place] = nil
        lengths[place] = -1
        stems[place] = []
        if keys.count > 64, places.count < keys.count / 2 { compact() }
    }

    /// Drops what removed texts left behind.
    private mutating func compact() {
        var moved = [Int32](repeating: -1, count: keys.count)
        var kept: [Int] = []
        kept.reserveCapacity(places.count)
        for place in keys.indices where lengths[place] >= 0 {
            moved[place] = Int32(kept.count)
            kept.append(place)
        }
        keys = kept.map { keys[$0] }
        times = kept.map { times[$0] }
        lengths = kept.map { lengths[$0] }
        stems = kept.map { stems[$0] }
        asks = kept.map { asks[$0] }
        previous = kept.map { previous[$0] < 0 ? -1 : moved[Int(previous[$0])] }
        for (place, key) in keys.enumerated() { if let key { places[key] = Int32(place) } }
        lastPlace = lastPlace >= 0 ? moved[Int(lastPlace)] : -1
        for term in postings.indices {
            postings[term] = postings[term].compactMap { posting in
                let place = moved[Int(posting.place)]
                return place < 0 ? nil : Posting(place: place, count: posting.count)
            }
        }
    }

    private func counts(of terms: [Int32]) -> [(Int32, Int32)] {
        var result: [(Int32, Int32)] = []
        result.reserveCapacity(terms.count)
        for term in terms.sorted() {
            if let last = result.indices.last, result[last].0 == term {
                result[last].1 += 1
            } else {
                result.append((term, 1))
            }
        }
        return result
    }

    private mutating func analyse(_ text: some StringProtocol) -> [Int32] {
        let words = TextAnalyzer.words(text)
        var result: [Int32] = []
        result.reserveCapacity(words.count)
        for word in words where !EnglishWords.stopWords.contains(word) { result.append(termID(word)) }
        if result.isEmpty { for word in words { result.append(termID(word)) } }
        return result
    }

    private mutating func termID(_ word: String) -> Int32 {
        if let known = termOfWord[word] { return known }
        let stem = EnglishStemmer.stem(word)
        let id: Int32
        if let known = vocabulary[stem] {
            id = known
        } else {
            id = Int32(postings.count)
            vocabulary[stem] = id
            postings.append([])
            alive.append(0)
        }
        termOfWord[word] = id
        return id
    }

    // MARK: - Search

    private struct QueryTerm {
        var id: Int32
        /// 1 for a word of the question, less for its synonyms and misspellings.
        var weight: Double
    }

    /// What every text gathers during a search, by its place.
    private struct Tally {
        var lexical: [Float]
        /// The weight of the question's own words that the text has.
        var covered: [Float]
        /// The places that gathered anything, in the order of gathering.
        var seen: [Int32] = []

        init(_ count: Int) {
            lexical = [Float](repeating: 0, count: count)
            covered = [Float](repeating: 0, count: count)
        }
    }

    /// The best texts for a question, best first; only such that share something with it.
    ///
    /// - Parameters:
    ///   - now: For relative times in the question (`last week`); nil leaves them aside.
    ///   - accepts: Called for candidates, best first, until `limit` were accepted.
    public func search(
        _ question: String, limit: Int, now: Timestamp? = nil, accepts: (Key) -> Bool = { _ in true }
    ) -> [RecallHit<Key>] {
        guard limit > 0, !places.isEmpty else { return [] }
        let words = TextAnalyzer.stems(question)
        let terms = queryTerms(words)
        let hints = DateHints(question, now: now)
        if terms.isEmpty, hints.isEmpty { return [] }
        var tally = Tally(keys.count)
        gather(terms, into: &tally)
        if tally.seen.isEmpty {
            guard hints.isOnlyDates else { return [] }
            tally.seen = places.values.sorted()
        }
        let scale = max(terms.reduce(0.0) { $1.weight < 1 ? $0 : $0 + inverse($1.id) }, 1e-9)
        var candidates = best(of: tally, scale: scale, hints: hints, count: max(limit * 2, 400))
        let phrases = phrases(of: words)
        if !phrases.isEmpty {
            for index in candidates.indices {
                candidates[index].score.phrase = phrase(in: candidates[index].place, phrases)
            }
        }
        candidates.sort { left, right in
            let (a, b) = (left.score.total, right.score.total)
            if abs(a - b) > 1e-9 { return a > b }
            let (older, newer) = (times[left.place], times[right.place])
            return older != newer ? older > newer : left.place > right.place
        }
        var hits: [RecallHit<Key>] = []
        for candidate in candidates {
            guard hits.count < limit else { break }
            guard candidate.score.total > 0, let key = keys[candidate.place], accepts(key) else { continue }
            hits.append(
                RecallHit(
                    key: key, score: candidate.score,
                    timestamp: Timestamp(millisecondsSinceEpoch: times[candidate.place])))
        }
        return hits
    }

    private func inverse(_ term: Int32) -> Double {
        let found = Double(alive[Int(term)])
        return logarithm(1 + (Double(places.count) - found + 0.5) / (found + 0.5))
    }

    private func queryTerms(_ words: [String]) -> [QueryTerm] {
        var result: [QueryTerm] = []
        func add(_ stem: String, _ weight: Double) {
            guard let id = vocabulary[stem], alive[Int(id)] > 0 else { return }
            if let index = result.firstIndex(where: { $0.id == id }) {
                result[index].weight = max(result[index].weight, weight)
            } else {
                result.append(QueryTerm(id: id, weight: weight))
            }
        }
        for stem in words.prefix(tuning.longestQuery) {
            add(stem, 1)
            for other in EnglishWords.synonyms[stem] ?? [] { add(other, tuning.synonym) }
            if !isAlive(stem), stem.utf8.count >= 5 {
                for (other, id) in vocabulary where alive[Int(id)] > 0 && EditDistance.isWithinOne(stem, other) {
                    add(other, tuning.misspelling)
                }
            }
        }
        return result
    }

    private func isAlive(_ stem: String) -> Bool { vocabulary[stem].map { alive[Int($0)] > 0 } ?? false }

    private func gather(_ terms: [QueryTerm], into tally: inout Tally) {
        let average = Float(max(Double(totalLength) / Double(places.count), 1))
        let k1 = Float(tuning.k1)
        let b = Float(tuning.b)
        for term in terms {
            let rarity = inverse(term.id)
            let weight = Float(rarity * term.weight) * (k1 + 1)
            let covered = term.weight < 1 ? 0 : Float(rarity)
            for posting in postings[Int(term.id)] {
                let place = Int(posting.place)
                let length = lengths[place]
                guard length >= 0 else { continue }
                let count = Float(posting.count)
                let score = weight * count / (count + k1 * (1 - b + b * Float(length) / average))
                if tally.lexical[place] == 0 { tally.seen.append(posting.place) }
                tally.lexical[place] += score
                tally.covered[place] += covered
            }
        }
    }

    private struct Candidate {
        var place: Int
        var score: RecallScore
    }

    /// The `count` texts with the highest sums of all parts but phrases, in no order.
    private func best(of tally: Tally, scale: Double, hints: DateHints, count: Int) -> [Candidate] {
        var heap = TopPlaces(count: count)
        func score(_ place: Int, isNeighbour: Bool = false) -> RecallScore {
            var score = RecallScore()
            score.lexical = Double(tally.lexical[place])
            let share = min(Double(tally.covered[place]) / scale, 1)
            score.coverage = tuning.coverage * share * share * scale
            // An answer rarely repeats the words of its question: it gets a share of the question's score.
            let before = previous[place]
            if before >= 0, tally.lexical[Int(before)] > 0 {
                let portion = asks[Int(before)] ? tuning.afterQuestion : tuning.afterStatement
                let covered = min(Double(tally.covered[Int(before)]) / scale, 1)
                score.neighbour =
                    portion * (Double(tally.lexical[Int(before)]) + tuning.coverage * covered * covered * scale)
            }
            if !hints.isEmpty {
                score.date = tuning.date * hints.closeness(of: Timestamp(millisecondsSinceEpoch: times[place]))
            }
            return score
        }
        for place in tally.seen {
            heap.offer(Int(place), score(Int(place)).total)
            let next = Int(place) + 1
            if next < keys.count, previous[next] == place, lengths[next] >= 0, tally.lexical[next] == 0 {
                heap.offer(next, score(next).total)
            }
        }
        return heap.places.map { Candidate(place: $0, score: score($0)) }
    }

    /// The question's pairs of words side by side, and what finding one is worth.
    private func phrases(of words: [String]) -> [UInt64: Double] {
        guard words.count > 1 else { return [:] }
        var pairs: [UInt64: Double] = [:]
        for index in 1..<words.count {
            guard let left = vocabulary[words[index - 1]], let right = vocabulary[words[index]], left != right else {
                continue
            }
            pairs[pair(left, right)] = tuning.phrase * min(inverse(left), inverse(right))
        }
        return pairs
    }

    private func phrase(in place: Int, _ pairs: [UInt64: Double]) -> Double {
        let terms = stems[place]
        guard terms.count > 1 else { return 0 }
        var sum = 0.0
        var used: [UInt64] = []
        for index in 1..<terms.count {
            let key = pair(terms[index - 1], terms[index])
            if let bonus = pairs[key], !used.contains(key) {
                used.append(key)
                sum += bonus
            }
        }
        return sum
    }

    private func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }
}

/// The places with the highest totals among those offered: a heap whose root is the lowest that is kept.
///
/// Of equal totals the later place is kept, which is the newer text.
struct TopPlaces {
    private var heap: [(place: Int, total: Double)] = []
    private let count: Int

    init(count: Int) {
        self.count = count
        heap.reserveCapacity(min(count, 4096))
    }

    var places: [Int] { heap.map(\.place) }

    mutating func offer(_ place: Int, _ total: Double) {
        if heap.count < count {
            heap.append((place, total))
            var child = heap.count - 1
            while child > 0 {
                let parent = (child - 1) / 2
                guard isLower(child, parent) else { break }
                heap.swapAt(child, parent)
                child = parent
            }
            return
        }
        guard let root = heap.first, total > root.total || (total == root.total && place > root.place) else { return }
        heap[0] = (place, total)
        var parent = 0
        while true {
            var lowest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isLower(child, lowest) {
                lowest = child
            }
            guard lowest != parent else { return }
            heap.swapAt(parent, lowest)
            parent = lowest
        }
    }

    private func isLower(_ left: Int, _ right: Int) -> Bool {
        let (a, b) = (heap[left], heap[right])
        return a.total != b.total ? a.total < b.total : a.place < b.place
    }
}
