import TandemCore
import TandemJSON

/// Something that a person can mean by words, a number or `#ID`.
struct Referable {
    var id: String
    /// What it is called: the text that words are matched with, and the label of the option.
    var label: String
}

extension ToolRequest {
    /// The one of `items` that the argument `field` means.
    ///
    /// `#ID` means that item and no other; words are matched with the labels. Throws `not_found`, or a question with
    /// numbered options when several fit.
    ///
    /// - Parameters:
    ///   - noun: What it is, in a word: `task`.
    ///   - ignoring: Words that only say what kind of thing it is.
    func resolve(
        _ field: String, among items: [Referable], noun: String, ignoring: Set<String> = [], memo: JSONObject = [:]
    ) throws -> Int {
        guard let words = line(field) else {
            if items.count == 1 { return 0 }
            if items.isEmpty { throw ToolFailure.notFound(noun, nil) }
            throw choice(field, items: items, memo: memo)
        }
        if words.hasPrefix("#") {
            let id = words.dropFirst()
            guard let index = items.firstIndex(where: { $0.id == id }) else {
                throw ToolFailure.notFound(noun, words)
            }
            return index
        }
        // An answer in words picks among what was offered, if it fits there.
        if answered == field, !offered.isEmpty {
            let near = items.indices.filter { offered.contains("#" + items[$0].id) }
            if case .one(let index) = TitleMatcher.match(words, among: near.map { items[$0].label }, ignoring: ignoring)
            {
                return near[index]
            }
        }
        switch TitleMatcher.match(words, among: items.map(\.label), ignoring: ignoring) {
        case .one(let index): return index
        case .several(let indexes): throw choice(field, items: indexes.map { items[$0] }, memo: memo)
        case .none: throw ToolFailure.notFound(noun, words)
        }
    }

    /// `Which one? 1 oat milk, 2 whole milk`
    func choice(_ field: String, items: [Referable], memo: JSONObject = [:]) -> Asking {
        let shown = items.prefix(6)
        let message = Wording.numbered("Which one?", shown.map { Wording.clip($0.label, to: 40) })
        return asking(
            message, field: field, options: shown.map { ("#" + $0.id, Wording.clip($0.label, to: 40)) }, memo: memo)
    }
}
