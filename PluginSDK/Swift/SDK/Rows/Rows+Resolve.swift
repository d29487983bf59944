extension Rows where R: Entity {
    /// The row that a person means: by id when the conversation resolved it, else by the words in the `label` column.
    ///
    /// Of several rows that match equally well, the person is asked which (`Ask`; the answer arrives with the next call
    /// of the same tool and is read here). Nothing that matches: `ToolError.notFound`. Words match without regard to
    /// case, articles and plural. Looks at the newest 500 rows that meet the conditions.
    public func resolve(
        _ reference: Reference<R>, by label: KeyPath<R, String>, where conditions: Condition<R>...
    ) async throws -> R {
        if case .id(let id) = reference {
            guard let row = try await get(id) else { throw ToolError.notFound("That is no longer there.") }
            return row
        }
        guard case .words(let words) = reference else { throw ToolError.notFound("That is not there.") }
        let field = "which_" + snakeCase(R.table.name)
        if case .string(let answer) = call.answers[field] {
            let id = RowID(answer.utf8.first == UInt8(ascii: "#") ? answer.dropFirst() : answer[...])
            if let id, let row = try await get(id) { return row }
            return try await find(answer, label, conditions, field)
        }
        return try await find(words, label, conditions, field)
    }

    private func find(
        _ words: String, _ label: KeyPath<R, String>, _ conditions: [Condition<R>], _ field: String
    ) async throws -> R {
        let wanted = WordMatch(words)
        var best: [R] = []
        var bestScore = 0
        for row in try await list(where: conditions, order: [.newestFirst], limit: 500) {
            let score = wanted.score(row[keyPath: label])
            if score > bestScore {
                best = [row]
                bestScore = score
            } else if score == bestScore, score > 0 {
                best.append(row)
            }
        }
        guard let first = best.first else { throw ToolError.notFound("There is no \(words) there.") }
        guard best.count > 1 else { return first }
        throw Ask(
            "Which one?", field: field,
            options: best.prefix(9).map { Ask.Option($0[keyPath: label], value: .string("#\($0.id)")) })
    }
}

/// How well words name a label: equal 3, all words of one in the other 2 or 1, otherwise 0.
struct WordMatch {
    private let words: [String]

    init(_ text: String) { words = Self.words(text) }

    func score(_ label: String) -> Int {
        let other = Self.words(label)
        guard !words.isEmpty, !other.isEmpty else { return 0 }
        if words == other { return 3 }
        if words.allSatisfy(other.contains) { return 2 }
        return other.allSatisfy(words.contains) ? 1 : 0
    }

    private static func words(_ text: String) -> [String] {
        let parts = text.lowercased().split { !$0.isLetter && !$0.isNumber }
        let words = parts.map { singular(String($0)) }
        let meaningful = words.filter { !["the", "a", "an", "some", "my", "of"].contains($0) }
        return meaningful.isEmpty ? words : meaningful
    }

    /// English plural endings; the same on both sides, so it need not be a word: `tomatoes` and `tomato` meet.
    private static func singular(_ word: String) -> String {
        let bytes = word.utf8
        guard bytes.count > 3, word.hasSuffix("s"), !word.hasSuffix("ss"), !word.hasSuffix("us") else { return word }
        if word.hasSuffix("ies"), bytes.count > 4 { return word.dropLast(3) + "y" }
        for ending in ["oes", "shes", "ches", "xes", "sses", "zes"] where word.hasSuffix(ending) {
            return String(word.dropLast(2))
        }
        return String(word.dropLast())
    }
}
