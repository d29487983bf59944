/// What a statement says about what: enough to see that two say the same, or that a newer one replaces an older.
///
/// `my locker code is 4512` has the subject `locker code` and the value `4512`. A statement replaces another only when
/// both speak of the same thing that a person has one of at a time (a code, an address, a favourite): `my friend is Tom`
/// does not replace `my friend is Ann`.
struct FactShape: Equatable {
    /// Stems of the thing spoken of; with its owner when that is not the speaker.
    var subject: [String]
    var value: [String]

    /// Nil for text of another form.
    init?(_ text: String) {
        let words = TextAnalyzer.words(text)
        guard let verb = words.firstIndex(where: { FactShape.verbs.contains($0) }), verb > 0, verb <= 7,
            verb + 1 < words.count
        else { return nil }
        var subject = Array(words[..<verb])
        if let first = subject.first, ["my", "our", "the"].contains(first) { subject.removeFirst() }
        if let last = subject.last, ["now", "currently"].contains(last) { subject.removeLast() }
        subject.removeAll { ["new", "current", "latest"].contains($0) }
        guard let head = subject.last else { return nil }
        let isSingle =
            FactShape.singleHeads.contains(EnglishStemmer.stem(head))
            || subject.contains(where: { ["favorite", "favourite"].contains($0) })
        guard isSingle else { return nil }
        var value = Array(words[(verb + 1)...])
        while let first = value.first, ["now", "currently", "actually", "the", "a", "an"].contains(first) {
            value.removeFirst()
        }
        guard !value.isEmpty, !value.contains("not") else { return nil }
        self.subject = subject.map(EnglishStemmer.stem)
        self.value = value.map(EnglishStemmer.stem)
    }

    private static let verbs: Set<String> = ["is", "are", "changed", "becomes", "equals"]

    /// Stems of things that one has one of at a time.
    private static let singleHeads: Set<String> = Set(
        [
            "code", "password", "passcode", "pin", "number", "address", "birthday", "email", "phone", "size", "height",
            "weight", "age", "job", "salary", "username", "login", "seat", "gate", "room", "spot", "plate", "locker",
            "combination", "doctor", "dentist", "name", "surname", "nickname", "wifi", "ssid", "iban", "zip",
            "postcode",
            "deadline", "appointment", "blood", "type", "boss", "manager", "landlord", "school", "bank", "mobile",
            "anniversary", "extension", "hotel", "flight", "place", "home", "hometown", "language", "color",
        ].map(EnglishStemmer.stem))
}

/// Whether two texts say the same in other order or with other filler.
enum Likeness {
    /// The stems agree but for one in ten, and numbers and negations entirely.
    static func isSame(_ left: String, _ right: String) -> Bool {
        let a = Signature(left)
        let b = Signature(right)
        guard a.exact == b.exact, !a.stems.isEmpty else { return false }
        let shared = a.stems.intersection(b.stems).count
        return Double(shared) >= 0.9 * Double(a.stems.union(b.stems).count)
    }

    private struct Signature {
        var stems: Set<String>
        /// Words that must agree: with digits, and those that turn a statement round.
        var exact: Set<String>

        init(_ text: String) {
            let words = TextAnalyzer.words(text)
            stems = Set(TextAnalyzer.stems(text))
            exact = Set(
                words.filter { word in
                    EnglishWords.negations.contains(word) || word.utf8.contains(where: { (48...57).contains($0) })
                })
            // Whose it is makes a difference: `my mother` and `your mother`, `he` and `she`.
            exact.formUnion(words.filter { ["his", "her", "their", "your", "he", "she", "they", "you"].contains($0) })
        }
    }
}
