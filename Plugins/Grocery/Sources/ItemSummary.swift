import PluginCommon
public import TandemSDK

/// A row of the list as tools give it back.
public struct ItemSummary: Object {
    public var id: RowID
    public var name: String
    public var quantity: Decimal?
    public var unit: String?
    public var category: String
    public var priority: String
    public var status: String
    public var store: String?
    public var estimatedCost: Money?
    public var pricePaid: Money?
    public var notes: String?
    public var targetDate: Day?
    public var purchasedDate: Day?

    init(_ item: GroceryItem) {
        id = item.id
        name = item.itemName
        quantity = item.quantity
        unit = item.unit
        category = item.category.rawValue
        priority = item.priority.rawValue
        status = item.status.rawValue
        store = item.storePreference
        estimatedCost = item.estimate
        pricePaid = item.price
        notes = item.notes
        targetDate = item.targetDate
        purchasedDate = item.purchasedDate
    }
}

/// What a change of the list gives back.
public struct ListChange: Object {
    public var items: [ItemSummary]
    /// Open things after the change.
    public var open: Int
    /// Names that were not found.
    public var missing: [String]?
}

extension Shown {
    /// Rows in the order of their numbers, or only touched.
    static func items(_ items: [GroceryItem], select: String? = nil, numbered: Bool = true) -> Shown {
        Shown(items, label: { $0.label }, select: select, numbered: numbered)
    }
}

extension Context {
    /// The things still to buy, at most as many as a list may hold.
    func openItems() async throws -> [GroceryItem] {
        try await rows(GroceryItem.self).list(where: \.status == .open, limit: 500)
    }

    /// The newest purchases, newest first.
    func purchases(since first: Day, limit: Int = 500) async throws -> [GroceryItem] {
        try await rows(GroceryItem.self).list(
            where: \.status == .purchased, \.purchasedDate >= first,
            order: .descending(\.purchasedDate), .descending(\.id), limit: limit)
    }
}

/// Sentences that several tools say.
enum Phrase {
    /// ` 3 on the list.`, ` That was all.`
    static func count(_ open: Int) -> String {
        switch open {
        case 0: "The list is empty."
        default: "\(open) on the list."
        }
    }

    /// ` 2 left: eggs, bread.`
    static func left(_ items: [GroceryItem]) -> String {
        guard !items.isEmpty else { return "All done." }
        let names = Shelf.sorted(items).map { $0.itemName.cut(to: 24) }
        return "\(items.count) left: \(MessageText.enumeration(names, limit: 3))."
    }

    static func notFound(_ missing: [Reference<GroceryItem>], on items: [GroceryItem]) -> String {
        let names = missing.compactMap { reference -> String? in
            guard case .words(let words) = reference else { return nil }
            return words
        }
        let subject = names.isEmpty ? "That" : MessageText.enumeration(names.map { $0.singleLine(limit: 30) }, limit: 3)
        let verb = names.count > 1 ? "are" : "is"
        guard !items.isEmpty else { return "\(subject.capitalizedFirst) \(verb) not on the list. The list is empty." }
        let there = Shelf.sorted(items).map { $0.itemName.cut(to: 20) }
        return
            "\(subject.capitalizedFirst) \(verb) not on the list. On it: \(MessageText.enumeration(there, limit: 4))."
    }
}
