import TandemCore
import TandemEmbedding

/// The scores of all texts of an index for one question.
///
/// Let the question's own words be its words that are no stop words and no names of speakers, `idf` a word's rarity, and
/// `weight` the sum of their rarities (a word that no text has counts half of the rarest). Then
///
///     words     = 4.2 x BM25(own words; synonyms at 0.4, misspellings at 0.8) / weight
///     coverage  = 2.0 x (weight of the own words in the text / weight) squared
///     phrase    = 1.0 x the lesser idf of two neighbouring words that neighbour in the text, too / weight, for each two
///     kindred   = 4.2 x cosine x idf x saturation of the most like word in the text / weight, for each own word;
///                 of the eight most like words of the vocabulary, cosine at least 0.5
///     meaning   = 6.3 x cosine of the vectors of question and text
///     neighbour = shares of the BM25 of the two texts before and the one after in the conversation, and of the cosine of
///                 the one after and of a question before
///     speaker   = 1.6 if the question names speakers, and one of them said it
///     date      = 4.5 x closeness of the text's time to the times that the question names
///     form      = 2.2 if the question asks when and the text has words of time, or how many and it has numbers;
///                 less 1.0 if the text is a question
///
/// All numbers are in `RecallTuning`. Scores are added, not ranks: rank fusion forgets how much better the best is.
struct RecallTally {
    private let texts: IndexedTexts
    private let query: RecallQuery
    private let scale: Float
    /// BM25 as a share of what the question could get.
    private var lexical: [Float]
    /// The share of the question's weight that the text has.
    private var covered: [Float]
    private var kindred: [Float]
    private let meaning: [Float]

    init(_ query: RecallQuery, _ texts: IndexedTexts) {
        self.texts = texts
        self.query = query
        let count = texts.times.count
        scale = Float(1 / max(query.weight, 1e-9))
        lexical = [Float](repeating: 0, count: count)
        covered = [Float](repeating: 0, count: count)
        kindred = [Float](repeating: 0, count: count)
        meaning = texts.meaning(query)
        gather()
        gatherKindred()
    }

    /// How much a word that is `count` times in a text says of it; `length` is the text's by the average.
    private func saturation(_ count: Int32, _ length: Float) -> Float {
        let k1 = Float(texts.tuning.k1)
        let b = Float(texts.tuning.b)
        let count = Float(count)
        return count * (k1 + 1) / (count + k1 * (1 - b + b * length))
    }

    private mutating func gather() {
        let average = 1 / texts.averageLength
        for term in query.terms {
            let rarity = texts.inverse(term.id)
            let weight = Float(rarity * term.weight) * scale
            let share = term.weight < 1 ? 0 : Float(rarity) * scale
            for posting in texts.postings[Int(term.id)] {
                let place = Int(posting.place)
                let length = texts.lengths[place]
                guard length >= 0 else { continue }
                lexical[place] += weight * saturation(posting.count, Float(length) * average)
                covered[place] += share
            }
        }
    }

    private mutating func gatherKindred() {
        let average = 1 / texts.averageLength
        var best = [Float](repeating: 0, count: query.kindred.isEmpty ? 0 : texts.times.count)
        var touched: [Int32] = []
        for group in query.kindred {
            for (term, worth) in group {
                for posting in texts.postings[Int(term)] {
                    let place = Int(posting.place)
                    let length = texts.lengths[place]
                    guard length >= 0 else { continue }
                    if best[place] == 0 { touched.append(posting.place) }
                    best[place] = max(best[place], worth * saturation(posting.count, Float(length) * average))
                }
            }
            for place in touched {
                kindred[Int(place)] += best[Int(place)] * scale
                best[Int(place)] = 0
            }
            touched.removeAll(keepingCapacity: true)
        }
    }

    // MARK: - The best

    /// The places of the best `count` texts that may be found, in no order.
    func best(_ count: Int) -> [Int] {
        var totals = basics()
        addNeighbours(&totals)
        addContext(&totals)
        var heap = TopPlaces(count: count)
        let least = texts.tuning.leastMeaning.map(Float.init)
        let onlyDates = query.dates.isOnlyDates
        for place in totals.indices where texts.lengths[place] >= 0 && heap.takes(place, totals[place]) {
            if let least, !onlyDates, !isLike(place, least) { continue }
            heap.offer(place, totals[place])
        }
        return heap.places
    }

    /// A text has something of the question, or stands beside one that has.
    private func isLike(_ place: Int, _ least: Float) -> Bool {
        if lexical[place] > 0 || meaning[place] >= least && !query.isExact { return true }
        let before = Int(texts.previous[place])
        return texts.tuning.hasNeighbours && before >= 0 && covered[before] > 0.5
    }

    private func basics() -> [Float] {
        let tuning = texts.tuning
        let (words, like, mean) = (Float(tuning.lexical), Float(tuning.kindred), Float(tuning.meaning))
        let whole = Float(tuning.coverage)
        return [Float](unsafeUninitializedCapacity: lexical.count) { out, count in
            for place in lexical.indices {
                let share = min(covered[place], 1)
                out[place] =
                    words * lexical[place] + like * kindred[place] + mean * meaning[place] + whole * share * share
            }
            count = lexical.count
        }
    }

    private func addNeighbours(_ totals: inout [Float]) {
        guard texts.tuning.hasNeighbours else { return }
        for place in totals.indices { totals[place] += neighbour(place) }
    }

    private func neighbour(_ place: Int) -> Float {
        let tuning = texts.tuning
        var sum: Float = 0
        let before = Int(texts.previous[place])
        if before >= 0 {
            sum += Float(tuning.afterStatement) * lexical[before]
            if texts.traits[before].contains(.asks) {
                sum += Float(tuning.afterQuestion) * lexical[before] + Float(tuning.meaningOfQuestion) * meaning[before]
            }
            let earlier = Int(texts.previous[before])
            if earlier >= 0 { sum += Float(tuning.afterNext) * lexical[earlier] }
        }
        let after = Int(texts.next[place])
        if after >= 0 {
            sum += Float(tuning.beforeNext) * lexical[after] + Float(tuning.meaningOfNext) * meaning[after]
        }
        return sum
    }

    private func addContext(_ totals: inout [Float]) {
        if !query.named.isEmpty {
            for place in totals.indices { totals[place] += Float(speaker(place)) }
        }
        for place in totals.indices { totals[place] += Float(form(place)) }
        guard !query.dates.isEmpty else { return }
        // Neighbours are mostly of one day.
        var (day, closeness) = (Int64.min, 0.0)
        for place in totals.indices {
            let of = texts.times[place] / 86_400_000
            if of != day { (day, closeness) = (of, self.closeness(place)) }
            totals[place] += Float(texts.tuning.date * closeness)
        }
    }

    private func speaker(_ place: Int) -> Double {
        guard !query.named.isEmpty else { return 0 }
        let speaker = Int(texts.speakers[place])
        return speaker >= 0 && query.named[speaker] ? texts.tuning.speaker : 0
    }

    private func form(_ place: Int) -> Double {
        let traits = texts.traits[place]
        var sum = 0.0
        if query.asksWhen && traits.contains(.hasTime) || query.asksHowMany && traits.contains(.hasNumber) {
            sum += texts.tuning.kindOfAnswer
        }
        if traits.contains(.isQuestion) { sum -= texts.tuning.question }
        return sum
    }

    private func closeness(_ place: Int) -> Double {
        query.dates.closeness(of: Timestamp(millisecondsSinceEpoch: texts.times[place]))
    }

    /// The parts of a text's score.
    func score(_ place: Int) -> RecallScore {
        let tuning = texts.tuning
        var score = RecallScore()
        let share = Double(min(covered[place], 1))
        score.lexical = tuning.lexical * Double(lexical[place])
        score.coverage = tuning.coverage * share * share
        score.phrase = phrase(in: place)
        score.kindred = tuning.kindred * Double(kindred[place])
        score.meaning = tuning.meaning * Double(meaning[place])
        score.neighbour = tuning.hasNeighbours ? Double(neighbour(place)) : 0
        score.speaker = speaker(place)
        score.date = query.dates.isEmpty ? 0 : tuning.date * closeness(place)
        score.form = form(place)
        return score
    }

    private func phrase(in place: Int) -> Double {
        guard !query.pairs.isEmpty else { return 0 }
        let terms = texts.terms(of: place)
        var sum = 0.0
        var used: [UInt64] = []
        for index in terms.indices.dropFirst() {
            let key = RecallQuery.pair(terms[index - 1], terms[index])
            if let bonus = query.pairs[key], !used.contains(key) {
                used.append(key)
                sum += bonus
            }
        }
        return texts.tuning.phrase * sum
    }
}
