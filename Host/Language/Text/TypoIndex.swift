/// Finds the one listed word within a small edit distance of a misspelt one.
///
/// Symmetric deletion: every listed word is filed under each spelling with one letter left out (two for long words), and
/// so is looked up, so a look-up costs one hash per letter whatever the size of the list. Candidates are then measured
/// with the optimal string alignment distance (insert, delete, replace, swap neighbours): 1 is allowed from 4 letters
/// on, 2 from 8. Two candidates at the same distance are no candidate.
struct TypoIndex: Sendable {
    private var words: [[UInt8]] = []
    private var filed: [UInt64: [Int32]] = [:]

    static func allowance(_ length: Int) -> Int { length < 4 ? 0 : length < 8 ? 1 : 2 }

    mutating func insert(_ word: [UInt8]) {
        guard word.count >= 4, word.count <= 24 else { return }
        let index = Int32(words.count)
        words.append(word)
        TypoIndex.spellings(word, removing: word.count >= 8 ? 2 : 1) { filed[$0, default: []].append(index) }
    }

    /// Calls `body` with the hash of the word and of each spelling with up to `removing` letters left out.
    private static func spellings(_ word: [UInt8], removing: Int, _ body: (UInt64) -> Void) {
        body(wordHash(word))
        let prime: UInt64 = 0x0000_0100_0000_01b3
        var prefix: UInt64 = 0xcbf2_9ce4_8422_2325
        for skipped in 0..<word.count {
            var hash = prefix
            for index in (skipped + 1)..<max(word.count, skipped + 1) {
                if removing > 1 {
                    var other = hash
                    for rest in (index + 1)..<max(word.count, index + 1) {
                        other = (other ^ UInt64(word[rest])) &* prime
                    }
                    body(other)
                }
                hash = (hash ^ UInt64(word[index])) &* prime
            }
            body(hash)
            prefix = (prefix ^ UInt64(word[skipped])) &* prime
        }
    }

    /// The listed word and its distance, or nil.
    func nearest(_ word: [UInt8]) -> (word: [UInt8], distance: Int)? {
        guard word.count >= 4, word.count <= 24 else { return nil }
        let allowed = TypoIndex.allowance(word.count)
        var best = allowed + 1
        var bestIndex: Int32 = -1
        var tied = false
        TypoIndex.spellings(word, removing: word.count >= 8 ? 2 : 1) { hash in
            guard let candidates = filed[hash] else { return }
            for candidate in candidates where candidate != bestIndex {
                let other = words[Int(candidate)]
                // A different first letter is rarely a slip of the same word, unless the first two were swapped.
                guard other[0] == word[0] || (other[0] == word[1] && other[1] == word[0]) else { continue }
                let limit = min(allowed, TypoIndex.allowance(other.count))
                let distance = TypoIndex.distance(word, other, limit: limit)
                guard distance <= limit else { continue }
                if distance < best {
                    best = distance
                    bestIndex = candidate
                    tied = false
                } else if distance == best {
                    tied = true
                }
            }
        }
        guard bestIndex >= 0, !tied else { return nil }
        return (words[Int(bestIndex)], best)
    }

    /// Optimal string alignment distance, or `limit + 1` as soon as it is surely more.
    static func distance(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int {
        guard abs(a.count - b.count) <= limit else { return limit + 1 }
        let width = b.count + 1
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: width * 3) { rows in
            for column in 0..<width { rows[width + column] = UInt8(column) }
            for column in 0..<width { rows[column] = 0 }
            var beforeLast = 0
            var last = width
            var current = 2 * width
            for i in 1...a.count {
                rows[current] = UInt8(i)
                var lowest = rows[current]
                for j in 1...b.count {
                    let same = a[i - 1] == b[j - 1]
                    var value = min(rows[last + j] + 1, rows[current + j - 1] + 1, rows[last + j - 1] + (same ? 0 : 1))
                    if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                        value = min(value, rows[beforeLast + j - 2] + 1)
                    }
                    rows[current + j] = value
                    lowest = min(lowest, value)
                }
                if Int(lowest) > limit { return limit + 1 }
                (beforeLast, last, current) = (last, current, beforeLast)
            }
            return Int(rows[last + b.count])
        }
    }
}
