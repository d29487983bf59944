public import TandemCore

/// A full-text index of one person's texts, in memory: stemmed BM25 with a bonus for phrases, for covering the whole
/// question, for a neighbouring question and for matching dates.
///
/// A value type, not synchronised. Adding and removing cost the length of the text; a search costs the postings of its
/// words. About 150 bytes and four bytes a word for each text. The texts themselves are not kept.
public struct LexicalIndex<Key: Hashable & Sendable>: Sendable {
    private struct Document: Sendable {
        var key: Key
        var timestamp: Timestamp
        var terms: [Int32]
        /// The place of the text that came right before it in the same conversation, or -1.
        var previous: Int32
        var asksSomething: Bool
    }

    private struct Posting: Sendable {
        var document: Int32
        var count: Int32
    }

    private var documents: [Document?] = []
    private var places: [Key: Int32] = [:]
    private var vocabulary: [String: Int32] = [:]
    private var termOfWord: [String: Int32] = [:]
    private var terms: [String] = []
    private var postings: [[Posting]] = []
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
        let stems = analyse(text)
        let place = Int32(documents.count)
        var previous: Int32 = -1
        if lastPlace >= 0, let last = documents[Int(lastPlace)] {
            let gap = abs(timestamp.millisecondsSinceEpoch - last.timestamp.millisecondsSinceEpoch)
            if gap <= 3_600_000 { previous = lastPlace }
        }
        documents.append(
            Document(
                key: key, timestamp: timestamp, terms: stems, previous: previous,
                asksSomething: text.utf8.reversed().first(where: { $0 > 32 }) == UInt8(ascii: "?")))
        places[key] = place
        lastPlace = place
        totalLength += stems.count
        for (term, count) in counts(of: stems) {
            postings[Int(term)].append(Posting(document: place, count: count))
            alive[Int(term)] += 1
        }
    }

    /// Takes a text out; unknown keys are ignored.
    public mutating func remove(_ key: Key) {
        guard let place = places.removeValue(forKey: key), let document = documents[Int(place)] else { return }
        documents[Int(place)] = nil
        totalLength -= document.terms.count
        for (term, _) in counts(of: document.terms) { alive[Int(term)] -= 1 }
        if documents.count > 64, places.count < documents.count / 2 { compact() }
    }

    /// Drops what removed texts left behind.
    private mutating func compact() {
        var moved = [Int32](repeating: -1, count: documents.count)
        var kept: [Document?] = []
        kept.reserveCapacity(places.count)
        for (place, document) in documents.enumerated() {
            guard let document else { continue }
            moved[place] = Int32(kept.count)
            kept.append(document)
        }
        for place in kept.indices {
            guard var document = kept[place] else { continue }
            if document.previous >= 0 { document.previous = moved[Int(document.previous)] }
            kept[place] = document
            places[document.key] = Int32(place)
        }
        lastPlace = lastPlace >= 0 ? moved[Int(lastPlace)] : -1
        documents = kept
        for term in postings.indices {
            postings[term] = postings[term].compactMap { posting in
                let place = moved[Int(posting.document)]
                return place < 0 ? nil : Posting(document: place, count: posting.count)
            }
        }
    }

    private func counts(of stems: [Int32]) -> [(Int32, Int32)] {
        var result: [(Int32, Int32)] = []
        for term in stems.sorted() {
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
            id = Int32(terms.count)
            vocabulary[stem] = id
            terms.append(stem)
            postings.append([])
            alive.append(0)
        }
        termOfWord[word] = id
        return id
    }

    // MARK: - Search

    private struct QueryTerm {
        var id: Int32
        var weight: Double
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
        let stems = TextAnalyzer.stems(question)
        let direct = queryTerms(stems)
        let hints = DateHints(question, now: now)
        if direct.isEmpty, hints.isEmpty { return [] }
        var scores = [RecallScore](repeating: RecallScore(), count: documents.count)
        var seen: [Int32] = []
        var covered: [Int32: Double] = [:]
        let total = max(direct.reduce(0) { $0 + (isSynonym($1) ? 0 : inverse($1.id)) }, 1e-9)
        let average = max(Double(totalLength) / Double(places.count), 1)
        for term in direct {
            let weight = inverse(term.id) * term.weight
            for posting in postings[Int(term.id)] {
                guard let document = documents[Int(posting.document)] else { continue }
                let place = Int(posting.document)
                let count = Double(posting.count)
                let length = Double(document.terms.count) / average
                let saturated =
                    count * (tuning.k1 + 1) / (count + tuning.k1 * (1 - tuning.b + tuning.b * length))
                if scores[place].lexical == 0 { seen.append(posting.document) }
                scores[place].lexical += weight * saturated
                if !isSynonym(term) { covered[posting.document, default: 0] += inverse(term.id) }
            }
        }
        for place in seen {
            let share = min((covered[place] ?? 0) / total, 1)
            scores[Int(place)].coverage = tuning.coverage * share * share * total
        }
        addPhrases(stems, seen: seen, to: &scores)
        addNeighbours(&seen, scores: &scores)
        addDates(hints, &seen, scores: &scores)
        return ranked(seen, scores: scores, limit: limit, accepts: accepts)
    }

    private func isSynonym(_ term: QueryTerm) -> Bool { term.weight < 1 }

    private func inverse(_ term: Int32) -> Double {
        let found = Double(alive[Int(term)])
        return logarithm(1 + (Double(places.count) - found + 0.5) / (found + 0.5))
    }

    private func queryTerms(_ stems: [String]) -> [QueryTerm] {
        var result: [QueryTerm] = []
        func add(_ stem: String, _ weight: Double) {
            guard let id = vocabulary[stem], alive[Int(id)] > 0 else { return }
            if let index = result.firstIndex(where: { $0.id == id }) {
                result[index].weight = max(result[index].weight, weight)
            } else {
                result.append(QueryTerm(id: id, weight: weight))
            }
        }
        for stem in stems.prefix(tuning.longestQuery) {
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

    private func addPhrases(_ stems: [String], seen: [Int32], to scores: inout [RecallScore]) {
        guard stems.count > 1 else { return }
        var pairs: [UInt64: Double] = [:]
        for index in 1..<stems.count {
            guard let left = vocabulary[stems[index - 1]], let right = vocabulary[stems[index]], left != right else {
                continue
            }
            pairs[pair(left, right)] = tuning.phrase * min(inverse(left), inverse(right))
        }
        guard !pairs.isEmpty else { return }
        for place in seen {
            guard let terms = documents[Int(place)]?.terms, terms.count > 1 else { continue }
            var sum = 0.0
            var used = Set<UInt64>()
            for index in 1..<terms.count {
                let key = pair(terms[index - 1], terms[index])
                if let bonus = pairs[key], used.insert(key).inserted { sum += bonus }
            }
            scores[Int(place)].phrase = sum
        }
    }

    private func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// An answer rarely repeats the words of its question: a share of the question's score goes to what follows it.
    private func addNeighbours(_ seen: inout [Int32], scores: inout [RecallScore]) {
        let matched = Set(seen)
        guard !matched.isEmpty else { return }
        var following: [Int32: Int32] = [:]
        for place in matched {
            let next = place + 1
            guard Int(next) < documents.count, let document = documents[Int(next)], document.previous == place else {
                continue
            }
            following[next] = place
        }
        for (next, place) in following {
            guard let before = documents[Int(place)] else { continue }
            let share = before.asksSomething ? tuning.afterQuestion : tuning.afterStatement
            let own = scores[Int(place)]
            if !matched.contains(next) { seen.append(next) }
            scores[Int(next)].neighbour = share * (own.lexical + own.coverage)
        }
    }

    private func addDates(_ hints: DateHints, _ seen: inout [Int32], scores: inout [RecallScore]) {
        guard !hints.isEmpty else { return }
        if seen.isEmpty, hints.isOnlyDates {
            seen = places.values.sorted()
        }
        for place in seen {
            guard let document = documents[Int(place)] else { continue }
            scores[Int(place)].date = tuning.date * hints.closeness(of: document.timestamp)
        }
    }

    private func ranked(
        _ seen: [Int32], scores: [RecallScore], limit: Int, accepts: (Key) -> Bool
    ) -> [RecallHit<Key>] {
        let totals = seen.map { (place: $0, total: scores[Int($0)].total) }.filter { $0.total > 0 }
        let sorted = totals.sorted { left, right in
            if abs(left.total - right.total) > 1e-9 { return left.total > right.total }
            let (a, b) = (documents[Int(left.place)]?.timestamp, documents[Int(right.place)]?.timestamp)
            if let a, let b, a != b { return a > b }
            return left.place > right.place
        }
        var hits: [RecallHit<Key>] = []
        for candidate in sorted {
            guard hits.count < limit, let document = documents[Int(candidate.place)] else { break }
            guard accepts(document.key) else { continue }
            hits.append(
                RecallHit(key: document.key, score: scores[Int(candidate.place)], timestamp: document.timestamp))
        }
        return hits
    }
}

/// The constants of the ranking. BM25's are the usual ones for short texts (Anserini's defaults, k1 0.9, b 0.4).
public struct RecallTuning: Sendable, Hashable {
    public var k1 = 0.9
    public var b = 0.4
    /// The weight of a synonym against the word itself.
    public var synonym = 0.4
    /// The weight of a word that differs by one letter from one that no text has.
    public var misspelling = 0.8
    public var phrase = 0.3
    public var coverage = 0.3
    /// The share of a question's score that its answer gets, and of a statement's that the next one gets.
    public var afterQuestion = 0.3
    public var afterStatement = 0.1
    public var date = 1.5
    /// More words of a question than this are not looked at.
    public var longestQuery = 64

    public init() {}
}
