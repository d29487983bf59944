import TandemMemory

/// Finds which of a person's things some words mean: `the passport thing` among task titles.
///
/// Stems are compared, a slip of one letter is forgiven in words of four letters and more, a beginning of four letters
/// counts. Order does not matter. Pure; linear in the number of titles.
enum TitleMatcher {
    enum Match: Equatable {
        case none
        /// The index of the one that is meant.
        case one(Int)
        /// The indexes of those that fit equally well, best first.
        case several([Int])
    }

    /// - Parameter ignoring: Words of the question that say only what kind of thing it is: `task`, `note`.
    static func match(_ words: String, among titles: [String], ignoring: Set<String> = []) -> Match {
        let wanted = fold(words, ignoring: ignoring)
        guard !wanted.isEmpty else { return .none }
        var scored: [(index: Int, score: Double, isExact: Bool)] = []
        for (index, title) in titles.enumerated() {
            let have = fold(title, ignoring: [])
            guard !have.isEmpty else { continue }
            if have == wanted {
                scored.append((index, 2, true))
                continue
            }
            var used = Set<Int>()
            var matched = 0.0
            for word in wanted {
                var best: (place: Int, weight: Double)?
                for (place, other) in have.enumerated() where !used.contains(place) {
                    let weight = similarity(word, other)
                    if weight > (best?.weight ?? 0) { best = (place, weight) }
                }
                guard let best else { continue }
                used.insert(best.place)
                matched += best.weight
            }
            let asked = matched / Double(wanted.count)
            guard asked >= 0.5 else { continue }
            scored.append((index, asked * 0.8 + 0.2 * matched / Double(have.count), false))
        }
        let sorted = scored.sorted { $0.score != $1.score ? $0.score > $1.score : $0.index < $1.index }
        guard let top = sorted.first else { return .none }
        // An exact title wins over longer ones that contain it; otherwise what is nearly as good is asked about.
        let close = sorted.filter { top.isExact ? $0.isExact : $0.score >= top.score - 0.12 }
        return close.count == 1 ? .one(top.index) : .several(close.map(\.index))
    }

    private static func similarity(_ left: String, _ right: String) -> Double {
        if left == right { return 1 }
        let length = min(left.utf8.count, right.utf8.count)
        guard length >= 4 else { return 0 }
        if EditDistance.isWithinOne(left, right) { return 0.9 }
        if left.hasPrefix(right) || right.hasPrefix(left) { return 0.7 }
        return 0
    }

    private static func fold(_ text: String, ignoring: Set<String>) -> [String] {
        let words = TextAnalyzer.words(text)
        let meaningful = words.filter { !fillers.contains($0) && !ignoring.contains($0) }
        let kept = meaningful.isEmpty ? words.filter { !ignoring.contains($0) } : meaningful
        return kept.map(EnglishStemmer.stem)
    }

    private static let fillers: Set<String> = [
        "a", "an", "the", "my", "that", "this", "one", "thing", "stuff", "about", "to", "of", "for", "with", "on",
        "in", "please", "and", "some", "it",
    ]
}
