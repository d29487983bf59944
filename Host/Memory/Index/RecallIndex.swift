public import TandemCore
import TandemEmbedding

/// A search index of one person's texts, in memory: by words (stemmed BM25), by meaning (vectors), by speaker, by date, and
/// by the texts around each in its conversation.
///
/// A value type, not synchronised. Adding and removing cost the length of the text; a search costs the postings of its words
/// and one pass over all vectors (about ten microseconds per thousand texts). About 400 bytes and twelve bytes a word for
/// each text. The texts themselves are not kept. `RecallTally` says how the score is made.
public struct RecallIndex<Key: Hashable & Sendable>: Sendable {
    private var texts: IndexedTexts
    private var keys: [Key?] = []
    private var places: [Key: Int] = [:]

    public var tuning: RecallTuning {
        get { texts.tuning }
        set { texts.tuning = newValue }
    }

    public init(tuning: RecallTuning = RecallTuning()) { texts = IndexedTexts(tuning: tuning) }

    /// The number of texts.
    public var count: Int { places.count }

    /// About how many bytes are held.
    public var size: Int { texts.size + keys.capacity * MemoryLayout<Key?>.stride + places.capacity * 40 }

    public func contains(_ key: Key) -> Bool { places[key] != nil }

    /// Adds a text or replaces the one of the same key.
    ///
    /// Texts that are added one after the other within an hour of each other count as one conversation. A line that begins
    /// with a name and a colon is that speaker's.
    public mutating func insert(_ key: Key, text: String, at timestamp: Timestamp) {
        if places[key] != nil { remove(key) }
        places[key] = texts.append(text, at: timestamp.millisecondsSinceEpoch)
        keys.append(key)
    }

    /// Takes a text out; unknown keys are ignored.
    public mutating func remove(_ key: Key) {
        guard let place = places.removeValue(forKey: key) else { return }
        keys[place] = nil
        texts.remove(place)
        guard keys.count > 64, places.count < keys.count / 2 else { return }
        let kept = texts.compact()
        keys = kept.map { keys[$0] }
        for (place, key) in keys.enumerated() { if let key { places[key] = place } }
    }

    /// Keeps another embedder's vector of a text, as `VectorStore.packed` made it; unknown keys are ignored.
    public mutating func attach(_ packed: [UInt8], dimensions: Int, to key: Key) {
        if let place = places[key] { texts.attach(packed, dimensions: dimensions, to: place) }
    }

    /// Forgets the other embedder's vectors.
    public mutating func detachAll() { texts.detachAll() }

    /// The best texts for a question, best first.
    ///
    /// - Parameters:
    ///   - now: For relative times in the question (`last week`); nil leaves them aside.
    ///   - vector: The question's by another embedder, for texts that have theirs (`attach`).
    ///   - standing: What a text gets beside its match, by key; asked for the best candidates only.
    ///   - accepts: Called for candidates, best first, until `limit` were accepted.
    public mutating func search(
        _ question: String, limit: Int, now: Timestamp? = nil, vector: [Float]? = nil,
        standing: (Key) -> Double = { _ in 0 },
        accepts: (Key) -> Bool = { _ in true }
    ) -> [RecallHit<Key>] {
        guard limit > 0, !places.isEmpty else { return [] }
        let query = texts.query(question, now: now, vector: vector)
        guard !query.isEmpty else { return [] }
        let tally = RecallTally(query, texts)
        let most = min(limit, keys.count)
        var candidates = tally.best(max(most * 2, most + 40)).map { place in
            var score = tally.score(place)
            if let key = keys[place] { score.standing = standing(key) }
            return (place: place, score: score, total: score.total)
        }
        candidates.sort { left, right in
            if abs(left.total - right.total) > 1e-9 { return left.total > right.total }
            let (older, newer) = (texts.times[left.place], texts.times[right.place])
            return older != newer ? older > newer : left.place > right.place
        }
        var hits: [RecallHit<Key>] = []
        for candidate in candidates {
            guard hits.count < most else { break }
            guard let key = keys[candidate.place], accepts(key) else { continue }
            let time = Timestamp(millisecondsSinceEpoch: texts.times[candidate.place])
            hits.append(RecallHit(key: key, score: candidate.score, timestamp: time))
        }
        return hits
    }
}
