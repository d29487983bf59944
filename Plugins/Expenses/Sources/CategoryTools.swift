import PluginCommon
public import TandemSDK

/// Category names as tools give them back.
public struct CategoryNames: Object {
    public var categories: [String]
}

public struct AddCategory: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.add_category", "Add a spending category", effect: .write,
        """
        Adds a category of the person's own, or switches one on again. Words that belong to it help to file expenses by \
        themselves.
        """,
        utterances: [
            "(add|create|make) [a] [new] [spending|expense] category [called|named] {name}",
            "new (spending|expense) category {name}",
            "new category {name}",
            "(add|create) [a] category {name} for {words}",
        ])

    @Argument("Its name", schema: ["minLength": 1, "maxLength": 200]) var name: String
    @Argument("Words that belong to it, like yarn, wool", schema: ["maxItems": 50]) var words: [String]?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CategoryNames> {
        let clean = name.singleLine(limit: ExpenseLimits.nameLength).lowercased()
        guard !clean.isEmpty, clean != ExpenseCategory.overall, !Words.key(clean).isEmpty else {
            throw ToolError.invalid("What is the category called? Like: hobbies.", code: "no_name")
        }
        let keywords = (words ?? []).prefix(50).map { $0.singleLine(limit: 40).replacing(",", with: " ") }
            .filter { !$0.isEmpty }
        var ledger = try await Ledger.load(context)
        if keywords.isEmpty, ledger.categories.row(named: clean)?.isActive ?? ledger.categories.names.contains(clean) {
            return Reply("\(clean.capitalizedFirst) is there already.", value: CategoryNames(categories: [clean]))
        }
        let made = try await ledger.addCategory(
            clean, description: keywords.isEmpty ? nil : keywords.joined(separator: ", "))
        let tail = keywords.isEmpty ? "" : " with \(MessageText.enumeration(keywords.map { $0.cut(to: 24) }))"
        return Reply("Added the category \(made)\(tail).", value: CategoryNames(categories: [made]))
    }
}

public struct RenameCategory: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.rename_category", "Rename a spending category", effect: .write,
        "Gives a category another name; everything filed under it moves along.",
        utterances: [
            "rename [the] category {category} to {name}",
            "call the category {category} {name} [from now on]",
            "change the name of the category {category} to {name}",
        ])

    @Argument("The category now", schema: ["minLength": 1, "maxLength": 200]) var category: String
    @Argument("Its new name", schema: ["minLength": 1, "maxLength": 200]) var name: String

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CategoryNames> {
        let ledger = try await Ledger.load(context)
        let new = name.singleLine(limit: ExpenseLimits.nameLength).lowercased()
        guard !new.isEmpty, new != ExpenseCategory.overall else {
            throw ToolError.invalid("What should it be called? Like: food.", code: "no_name")
        }
        guard let old = ledger.categories.existing(category) else {
            throw CategoryErrors.unknown(category, ledger.categories)
        }
        guard old != new else { return Reply("It is called \(new) already.", value: CategoryNames(categories: [new])) }
        let taken = ledger.categories.row(named: new)
        let isSameRow = taken != nil && taken?.id == ledger.categories.row(named: old)?.id
        if !isSameRow, taken != nil || ledger.categories.names.contains(where: { Words.key($0) == Words.key(new) }) {
            throw ToolError.conflict("There is a category \(new) already.", code: "present")
        }
        let existing = ledger.categories.row(named: old)
        guard existing != nil || ledger.categories.rows.count < ExpenseLimits.categories else {
            throw ToolError.conflict("That is as many categories as I can hold.", code: "too_many_categories")
        }
        var row = existing ?? ExpenseCategory(name: new, nameKey: Words.key(new), isActive: true)
        if row.replaces == nil, SpendingLexicon.categories.contains(old) { row.replaces = old }
        row.name = new
        row.nameKey = Words.key(new)
        let renamed = row
        try await context.batch { batch in
            if renamed.id.isAssigned { batch.update(renamed) } else { batch.insert(renamed) }
            batch.update(Expense.self, where: \.category == old, set: .set(\.category, new))
            batch.update(RecurringExpense.self, where: \.category == old, set: .set(\.category, new))
        }
        return Reply("\(old.capitalizedFirst) is now \(new).", value: CategoryNames(categories: [new]))
    }
}

public struct DeactivateCategory: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.deactivate_category", "Switch a spending category off", effect: .write,
        "Hides a category and no longer files anything under it. What was filed there stays, and it can be added again.",
        utterances: [
            "(remove|hide|deactivate|delete|drop) [the] [spending|expense] category {category}",
            "(remove|hide|deactivate|delete|drop) [the] {category} category",
            "I (do not|don't) need the category {category} [any more]",
        ])

    @Argument("The category", schema: ["minLength": 1, "maxLength": 200]) var category: String

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CategoryNames> {
        let ledger = try await Ledger.load(context)
        guard let name = ledger.categories.existing(category) else {
            throw CategoryErrors.unknown(category, ledger.categories)
        }
        guard name != ledger.categories.current("other") else {
            throw ToolError.invalid("That one stays, for what fits nowhere else.", code: "needed")
        }
        if var row = ledger.categories.row(named: name) {
            row.isActive = false
            row.budgetLimit = nil
            row.budgetCurrency = nil
            try await context.rows(ExpenseCategory.self).update(row)
        } else {
            guard ledger.categories.rows.count < ExpenseLimits.categories else {
                throw ToolError.conflict("That is as many categories as I can hold.", code: "too_many_categories")
            }
            try await context.rows(ExpenseCategory.self).insert(
                ExpenseCategory(name: name, nameKey: Words.key(name), isActive: false))
        }
        return Reply(
            "Switched \(name) off. What was filed there stays.",
            value: CategoryNames(categories: ledger.categories.names.filter { $0 != name }))
    }
}

public struct ListCategories: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.categories", "Show spending categories", effect: .read, "Lists the categories that expenses go into.",
        utterances: [
            "show my expense categories",
            "show my spending categories",
            "(show|list) [me] [my|the] categories",
            "what [spending|expense] categories (do I have|are there)",
            "which [spending|expense] categories (do I have|are there)",
        ])

    public init() {}

    public func run(_ context: Context) async throws -> Reply<CategoryNames> {
        let names = try await Ledger.load(context).categories.names
        return Reply(
            MessageText.flow("\(names.count) categories:", names), value: CategoryNames(categories: names))
    }
}

enum CategoryErrors {
    static func unknown(_ name: String, _ categories: Categories) -> ToolError {
        .notFound(
            "There is no category \(name.singleLine(limit: 30)). You have \(MessageText.enumeration(categories.names, limit: 4))."
        )
    }
}
