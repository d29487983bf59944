/// Finds which of a few named things a person means.
///
/// Forgiving about case, accents, plurals, fillers, word order and single typos; strict where two things fit equally.
/// Cost is linear in the number of names.
public struct NameMatcher: Sendable {
    public enum Match: Sendable, Hashable {
        /// The names at these places are exactly meant: one, unless several are written alike.
        case exact([Int])
        /// The names at these places fit: all words said occur in them, or all their words were said, or nearly so.
        case close([Int])
        case none
    }

    private let names: [Words]
    private let keys: [String]
    private let isKnown: @Sendable ([String]) -> Bool

    /// - Parameter isKnown: whether stems as a whole name a kind of thing of their own. Such a word is no typo for
    ///   another, and such a phrase is not merely a longer name for one of its words (`peanut butter` is no butter).
    public init(_ names: [String], isKnown: @escaping @Sendable ([String]) -> Bool = { _ in false }) {
        self.names = names.map { Words($0) }
        keys = names.map { Words.key($0) }
        self.isKnown = isKnown
    }

    public func match(_ query: String) -> Match {
        let key = Words.key(query)
        guard !key.isEmpty else { return .none }
        let exact = keys.indices.filter { keys[$0] == key }
        if !exact.isEmpty { return .exact(exact) }
        let words = Words(query).stems
        guard !words.isEmpty else { return .none }

        let sameWords = names.indices.filter { Set(names[$0].stems) == Set(words) }
        if !sameWords.isEmpty { return .exact(sameWords) }

        // `milk` for `oat milk`.
        let wider = names.indices.filter { place in words.allSatisfy { names[place].stems.contains($0) } }
        if !wider.isEmpty { return .close(wider) }

        // `organic eggs` for `eggs`, unless what was said is a thing of its own.
        if !isKnown(words) {
            let narrower = names.indices.filter { place in
                let stems = names[place].stems
                return !stems.isEmpty && stems.last == words.last && stems.allSatisfy { words.contains($0) }
            }
            if let longest = narrower.map({ names[$0].stems.count }).max() {
                return .close(narrower.filter { names[$0].stems.count == longest })
            }
        }

        let typos = names.indices.filter { place in
            let stems = names[place].stems
            guard stems.count == words.count || words.count == 1 || stems.count == 1 else { return false }
            if stems.count == words.count {
                return zip(words, stems).allSatisfy { isTypo($0, of: $1) }
            }
            // `mlik` for `oat milk`; `pea nut` for `peanut`.
            if words.count == 1 { return stems.contains { isTypo(words[0], of: $0, mayEqual: false) } }
            return isTypo(words.joined(), of: stems[0], mayEqual: true)
        }
        let closest = typos.filter { names[$0].stems.count == words.count }
        return typos.isEmpty ? .none : .close(closest.isEmpty ? typos : closest)
    }

    private func isTypo(_ word: String, of name: String, mayEqual: Bool = true) -> Bool {
        if word == name { return mayEqual }
        if isKnown([word]) { return false }
        let left = Array(word.utf8.prefix(32))
        let right = Array(name.utf8.prefix(32))
        let length = min(left.count, right.count)
        guard length >= 3 else { return false }
        let allowed = length >= 8 ? 2 : length >= 4 ? 1 : 0
        guard allowed > 0, abs(left.count - right.count) <= allowed else { return false }
        return NameMatcher.distance(left, right) <= allowed
    }

    /// Edits between two words, where swapping neighbours is one (optimal string alignment; Boytsov, "Indexing methods
    /// for approximate dictionary searching", 2011, section 2).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var older = [Int](repeating: 0, count: right.count + 1)
        var old = Array(0...right.count)
        var new = [Int](repeating: 0, count: right.count + 1)
        for row in left.indices {
            new[0] = row + 1
            for column in right.indices {
                let cost = left[row] == right[column] ? 0 : 1
                var best = min(old[column + 1] + 1, new[column] + 1, old[column] + cost)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, older[column - 1] + 1)
                }
                new[column + 1] = best
            }
            (older, old, new) = (old, new, older)
        }
        return old[right.count]
    }
}
