/// What a statement says about what: enough to see that two say the same, or that a newer one replaces an older.
///
/// `my locker code is 4512` has the subject `locker code` and the value `4512`; `I moved to Lyon` says where `I live`. A
/// statement replaces another only when both speak of the same thing that a person has one of at a time (a code, an address,
/// a favourite, a home): `my friend is Tom` does not replace `my friend is Ann`.
struct FactShape: Equatable {
    /// Stems of the thing spoken of; with its owner when that is not the speaker.
    var subject: [String]
    var value: [String]

    /// Nil for text of another form.
    init?(_ text: String) {
        let words = TextAnalyzer.words(text).filter { !FactShape.times.contains($0) }
        if let place = FactShape.place(words) {
            self = place
            return
        }
        guard let verb = words.firstIndex(where: { FactShape.verbs.contains($0) }), verb > 0, verb <= 7,
            verb + 1 < words.count
        else { return nil }
        let subject = FactShape.withoutArticle(words[..<verb])
        guard let head = subject.last else { return nil }
        guard FactShape.isSingle(head) || subject.contains(where: { ["favorite", "favourite"].contains($0) }) else {
            return nil
        }
        var value = Array(words[(verb + 1)...])
        while let first = value.first, ["the", "a", "an", "to"].contains(first) { value.removeFirst() }
        guard !value.isEmpty, !value.contains("not") else { return nil }
        self.init(subject: subject, value: value)
    }

    private init(subject: [String], value: [String]) {
        self.subject = subject.map(EnglishStemmer.stem)
        self.value = value.map(EnglishStemmer.stem)
    }

    private static func withoutArticle(_ words: ArraySlice<String>) -> [String] {
        var words = Array(words)
        if let first = words.first, ["my", "our", "the"].contains(first) { words.removeFirst() }
        words.removeAll { ["new", "current", "latest"].contains($0) }
        return words
    }

    /// `I live in Lyon`, `my sister has moved to Ghent`, `Ben works at the library`: where somebody lives or works.
    private static func place(_ words: [String]) -> FactShape? {
        for (index, word) in words.enumerated().prefix(6) where index > 0 && index + 2 < words.count {
            let next = words[index + 1]
            let kind: String
            switch word {
            case "live" where settled.contains(next), "lives" where settled.contains(next): kind = "live"
            case "moved" where next == "to": kind = "live"
            case "work" where hired.contains(next), "works" where hired.contains(next): kind = "work"
            default: continue
            }
            var subject = withoutArticle(words[..<index])
            subject.removeAll { ["have", "has", "just", "ve", "also"].contains($0) }
            guard let first = subject.first else { return nil }
            if ["i've", "i", "we", "we've"].contains(first) { subject[0] = "i" }
            return FactShape(subject: subject + [kind], value: Array(words[(index + 2)...]))
        }
        return nil
    }

    /// Something that one has one of at a time.
    static func isSingle(_ word: String) -> Bool { singleHeads.contains(EnglishStemmer.stem(word)) }

    /// Words that another statement about the same has.
    var probe: String {
        var words = subject
        if let kind = words.last, kind == "live" { words += ["moved"] }
        return words.joined(separator: " ")
    }

    private static let settled: Set<String> = ["in", "at", "on"]
    private static let hired: Set<String> = ["at", "for"]
    private static let verbs: Set<String> = ["is", "are", "changed", "becomes", "equals"]
    /// They say since when, not what.
    private static let times: Set<String> = ["now", "currently", "actually", "already", "nowadays", "today"]

    /// Stems of things that one has one of at a time.
    private static let singleHeads: Set<String> = Set(
        [
            "code", "password", "passcode", "pin", "number", "address", "birthday", "email", "phone", "size", "height",
            "weight", "age", "job", "salary", "username", "login", "seat", "gate", "room", "spot", "plate", "locker",
            "combination", "doctor", "dentist", "name", "surname", "nickname", "wifi", "ssid", "iban", "zip",
            "postcode", "therapist", "psychiatrist", "gp", "optician", "hairdresser", "mechanic", "accountant",
            "deadline", "appointment", "blood", "type", "boss", "manager", "landlord", "school", "bank", "mobile",
            "anniversary", "extension", "hotel", "flight", "place", "home", "hometown", "language", "color", "wife",
            "husband", "passport", "group", "employer", "hand", "insurer", "pharmacy", "vet", "landlady",
        ].map(EnglishStemmer.stem))
}

/// Whether two texts say the same in other order or with other filler, or one the opposite of the other.
enum Likeness {
    /// The stems agree but for one in ten, and numbers and negations entirely.
    static func isSame(_ left: String, _ right: String) -> Bool {
        let a = Signature(left)
        let b = Signature(right)
        guard a.exact == b.exact, a.isNegated == b.isNegated, !a.stems.isEmpty else { return false }
        let shared = a.stems.intersection(b.stems).count
        return Double(shared) >= 0.9 * Double(a.stems.union(b.stems).count)
    }

    /// `I don't like tea any more` against `I like tea`, `I hate tea` against `I love tea`: they cannot both be so.
    static func isOpposite(_ left: String, _ right: String) -> Bool {
        let a = Signature(left)
        let b = Signature(right)
        let (plainA, plainB) = (a.stems.subtracting(likings), b.stems.subtracting(likings))
        guard a.exact == b.exact, !plainA.isEmpty, plainA == plainB else { return false }
        if let likesA = a.likes, let likesB = b.likes { return likesA != likesB }
        return a.stems == b.stems && a.isNegated != b.isNegated
    }

    private static let liked = Set(["like", "love", "enjoy", "adore"].map(EnglishStemmer.stem))
    private static let disliked = Set(["hate", "dislike", "detest", "loathe"].map(EnglishStemmer.stem))
    private static let likings = liked.union(disliked)
    /// They go with a negation, and say nothing else.
    private static let untilNow: Set<String> = ["any", "more", "anymore", "longer", "no", "really", "longer"]

    private struct Signature {
        var stems: Set<String>
        /// Words that must agree: with digits, and whose it is.
        var exact: Set<String>
        var isNegated: Bool
        /// Nil when it tells of no liking.
        var likes: Bool?

        init(_ text: String) {
            let words = TextAnalyzer.words(text)
            isNegated = words.contains { EnglishWords.negations.contains($0) }
            let said = words.filter { !untilNow.contains($0) && !EnglishWords.negations.contains($0) }
            stems = Set(TextAnalyzer.stems(said.joined(separator: " ")))
            exact = Set(words.filter { word in word.utf8.contains(where: { (48...57).contains($0) }) })
            // Whose it is makes a difference: `my mother` and `your mother`, `he` and `she`.
            exact.formUnion(words.filter { ["his", "her", "their", "your", "he", "she", "they", "you"].contains($0) })
            if !stems.isDisjoint(with: liked) {
                likes = !isNegated
            } else if !stems.isDisjoint(with: disliked) {
                likes = isNegated
            }
        }
    }
}
