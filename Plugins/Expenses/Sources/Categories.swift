import PluginCommon
import TandemSDK

/// The categories that one person has: the built-in ones, changed and added to by the person's own.
struct Categories: Sendable {
    let rows: [ExpenseCategory]

    /// What a name that a person said comes to.
    enum Named: Sendable, Hashable {
        case known(String)
        /// A category that does not exist yet.
        case new(String)
    }

    init(_ rows: [ExpenseCategory]) { self.rows = rows }

    private var own: [ExpenseCategory] { rows.filter { $0.isActive && $0.nameKey != ExpenseCategory.overall } }

    /// Active ones: the person's own first, then the built-in ones that were not switched off.
    var names: [String] {
        let mine = own.map(\.name)
        let keys = Set(rows.map(\.nameKey))
        let replaced = Set(rows.compactMap(\.replaces))
        return mine + SpendingLexicon.categories.filter { !keys.contains(Words.key($0)) && !replaced.contains($0) }
    }

    func row(named name: String) -> ExpenseCategory? {
        let key = Words.key(name)
        return rows.first { $0.nameKey == key && key != ExpenseCategory.overall }
    }

    /// The active category that a name means exactly, by another word for it, or but for a typo; nil for any other.
    func existing(_ name: String) -> String? {
        let key = Words.key(name)
        if let mine = own.first(where: { $0.nameKey == key }) { return mine.name }
        if let builtIn = SpendingLexicon.builtIn(named: name) { return current(builtIn) }
        let candidates = names
        guard key.utf8.count > 3, case .close(let places) = NameMatcher(candidates).match(name), places.count == 1,
            let place = places.first
        else { return nil }
        // The end of a longer name is not enough, its beginning is: `food` is not `pet food`, `eating` is `eating out`.
        let said = Words(name).stems
        let meant = Words(candidates[place]).stems
        return said.count == meant.count || meant.starts(with: said) ? candidates[place] : nil
    }

    /// What to file under when the person named a category.
    func named(_ name: String) -> Named {
        let clean = name.singleLine(limit: ExpenseLimits.nameLength).lowercased()
        if let known = existing(clean) { return .known(known) }
        return clean.isEmpty || clean == ExpenseCategory.overall ? .known(current("other") ?? "other") : .new(clean)
    }

    /// What to file under when the person named none: their own categories first, then the words that everybody uses.
    func guess(_ description: String) -> String {
        let words = Set(Words(description).stems)
        for category in own where category.replaces == nil {
            let name = Words(category.name).stems
            if !name.isEmpty, name.allSatisfy(words.contains) { return category.name }
            let keywords = (category.description ?? "").split(whereSeparator: { $0 == "," || $0 == ";" })
            for keyword in keywords {
                let stems = Words(String(keyword)).stems
                if !stems.isEmpty, stems.allSatisfy(words.contains) { return category.name }
            }
        }
        let builtIn = SpendingLexicon.category(of: description) ?? "other"
        return current(builtIn) ?? current("other") ?? "other"
    }

    /// The name that a built-in category has now; nil when it was switched off.
    func current(_ builtIn: String) -> String? {
        if let replacement = rows.first(where: { $0.replaces == builtIn }) {
            return replacement.isActive ? replacement.name : nil
        }
        if let row = row(named: builtIn) { return row.isActive ? row.name : nil }
        return builtIn
    }

    /// Monthly budgets by category name; nil stands for everything together.
    var budgets: [(category: String?, limit: Money)] {
        rows.compactMap { row in
            guard let limit = row.budget else { return nil }
            if row.nameKey == ExpenseCategory.overall { return (nil, limit) }
            return row.isActive ? (row.name, limit) : nil
        }
    }
}
