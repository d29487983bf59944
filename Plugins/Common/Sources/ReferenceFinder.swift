public import TandemSDK

/// Finds the rows that references mean among candidates, asking the person where two fit equally well.
///
/// Words may name several things (`eggs and bread`), all of them (`everything`) or all but some (`all except milk`), and
/// may carry an amount (`2 l of milk`). The person's answers come back with the next call of the same tool.
public struct ReferenceFinder<R: Row>: Sendable {
    public struct Found: Sendable {
        /// Each row once, in the order in which they were named.
        public var rows: [R] = []
        /// Words that name nothing here, and ids of rows that are not among the candidates.
        public var missing: [Reference<R>] = []
        /// The person said `everything`.
        public var isEverything = false

        public init() {}
    }

    private let rows: [R]
    private let matcher: NameMatcher
    private let label: @Sendable (R) -> String

    /// - Parameters:
    ///   - name: the name by which people know a row.
    ///   - label: what tells it from others of the same name, for a question.
    ///   - isKnown: see `NameMatcher`.
    public init(
        _ rows: [R], name: (R) -> String, label: @escaping @Sendable (R) -> String,
        isKnown: @escaping @Sendable ([String]) -> Bool = { _ in false }
    ) {
        self.rows = rows
        self.label = label
        matcher = NameMatcher(rows.map(name), isKnown: isKnown)
    }

    /// Throws `Ask` with the field `which` when words fit several rows equally well.
    public func find(_ references: References<R>, _ context: Context) throws -> Found {
        var picked = context.resumeState?["picked"]?.objectValue ?? [:]
        if let query = context.resumeState?["query"]?.stringValue, let answer = context.answer("which") {
            picked[query] = answer
        }
        var found = Found()
        var seen: Set<RowID> = []
        func take(_ row: R) {
            if seen.insert(row.id).inserted { found.rows.append(row) }
        }
        for reference in references.all.prefix(References<R>.limit) {
            switch reference {
            case .id(let id):
                if let row = rows.first(where: { $0.id == id }) { take(row) } else { found.missing.append(reference) }
            case .words(let text):
                if let excluded = ReferenceFinder.everything(but: text) {
                    found.isEverything = true
                    let spared = try excluded.flatMap { try places(of: $0, picked) ?? [] }
                    for index in rows.indices where !spared.contains(index) { take(rows[index]) }
                    continue
                }
                for part in parts(of: text) {
                    if let places = try places(of: part, picked) {
                        for place in places { take(rows[place]) }
                    } else {
                        found.missing.append(.words(part))
                    }
                }
            }
        }
        return found
    }

    /// The places of the rows that one name means; nil when it means none.
    private func places(of name: String, _ picked: JSONObject) throws(Ask) -> [Int]? {
        let key = Words.key(name)
        if let answer = picked[key]?.stringValue {
            if let id = RowID(answer.hasPrefix("#") ? answer.dropFirst() : answer[...]),
                let place = rows.firstIndex(where: { $0.id == id })
            {
                return [place]
            }
            // The person wrote words instead of a digit.
            switch matcher.match(answer) {
            case .exact(let places), .close(let places):
                if let first = places.first { return [first] }
            case .none: break
            }
            return nil
        }
        var match = matcher.match(name)
        if match == .none { match = matcher.match(ReferenceFinder.withoutAmount(name)) }
        // `milk at the corner shop`, `eggs for the cake`.
        if match == .none { match = matcher.match(ReferenceFinder.withoutAmount(ReferenceFinder.head(of: name))) }
        switch match {
        case .none: return nil
        case .exact(let places), .close(let places):
            guard places.count > 1 else { return places }
            throw question(name, places, ["query": .string(key), "picked": .object(picked)])
        }
    }

    /// The question with as many options as one text message holds, at least two and at most nine.
    private func question(_ name: String, _ places: [Int], _ state: JSON) -> Ask {
        var ask = Ask("Which \(name.singleLine(limit: 30))?", field: "which", state: state)
        for place in places.prefix(9) {
            ask.options.append(Ask.Option(label(rows[place]).cut(to: 60), value: .string("#\(rows[place].id)")))
            if ask.options.count > 2, ask.message.unicodeScalars.count > MessageText.lineLimit {
                ask.options.removeLast()
                break
            }
        }
        return ask
    }

    /// The names in a text that may name several; a text that is exactly one name stays whole.
    private func parts(of text: String) -> [String] {
        if case .exact = matcher.match(text) { return [text] }
        let parts = ReferenceFinder.split(text)
        return parts.isEmpty ? [text] : parts
    }

    static func split(_ text: String) -> [String] {
        var parts: [String] = []
        var words: [Substring] = []
        func flush() {
            let part = words.joined(separator: " ").singleLine(limit: 200)
            if !part.isEmpty { parts.append(part) }
            words = []
        }
        for piece in text.prefix(2000).split(whereSeparator: { $0 == "," || $0 == ";" || $0.isNewline }) {
            for word in piece.split(whereSeparator: \.isWhitespace) {
                if ["and", "&", "+", "plus"].contains(word.lowercased()) { flush() } else { words.append(word) }
            }
            flush()
        }
        return Array(parts.prefix(References<R>.limit))
    }

    /// For `everything`, `all`, `all of it except the milk`: the names after `except`; nil for any other text.
    static func everything(but text: String) -> [String]? {
        let words = text.split(whereSeparator: { $0.isWhitespace || $0 == "," }).map { $0.lowercased() }
        guard let first = words.first, ["everything", "all", "whole"].contains(first) else { return nil }
        let rest = words.dropFirst()
        guard let position = rest.firstIndex(where: { ["except", "but", "without", "besides"].contains($0) }) else {
            let fillers: Set<String> = [
                "of", "it", "them", "the", "items", "things", "list", "on", "my", "that", "is", "from", "shopping",
                "grocery", "groceries", "lot", "else",
            ]
            return rest.allSatisfy { fillers.contains($0) } ? [] : nil
        }
        return split(rest[(position + 1)...].filter { $0 != "for" }.joined(separator: " "))
    }

    /// The words before the first that only describes: `milk at the corner shop` → `milk`.
    static func head(of text: String) -> String {
        let words = text.split(whereSeparator: \.isWhitespace)
        let describing = ["at", "from", "in", "for", "with", "today", "yesterday", "expense"]
        guard let place = words.firstIndex(where: { describing.contains($0.lowercased()) }), place > 0 else {
            return text
        }
        return words[..<place].joined(separator: " ")
    }

    /// `2 l of milk` → `milk`, `a bottle of wine` → `wine`; the text itself when nothing would be left.
    static func withoutAmount(_ text: String) -> String {
        var words = text.split(whereSeparator: \.isWhitespace)[...]
        var isAmount = false
        while words.count > 1, let word = words.first {
            let folded = word.lowercased()
            let startsWithDigit = word.utf8.first.map { (48...57).contains($0) } ?? false
            let isNumber = startsWithDigit || ["a", "an", "the", "one", "two", "three", "half"].contains(folded)
            guard isNumber || folded == "of" || (isAmount && Unit.isKnown(folded)) else { break }
            isAmount = true
            words = words.dropFirst()
        }
        return words.joined(separator: " ")
    }
}
