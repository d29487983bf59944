public import PluginCommon
public import TandemSDK

/// One line of the list, from being added to being bought.
public struct GroceryItem: Row, Hashable {
    public static let entity = "grocery.item"
    public static let table = Table<GroceryItem>(
        "grocery_items", "the items on your grocery list", .sealed(\.notes), .searchable(\.itemName, \.notes),
        .index(\.status, \.purchasedDate),
        .index(\.nameKey))

    public var id = RowID()
    public var itemName: String
    /// The name reduced to its stems: rows of one thing share it.
    public var nameKey: String
    public var quantity: Decimal?
    /// Canonical short form; nil for pieces.
    public var unit: String?
    public var category: Aisle
    public var priority: Priority
    /// In `currency`.
    public var estimatedCost: Decimal?
    /// What it cost in the end, in `currency`.
    public var pricePaid: Decimal?
    public var currency: String?
    public var storePreference: String?
    public var notes: String?
    public var status: Status
    public var addedDate: Day
    public var targetDate: Day?
    public var purchasedDate: Day?
    /// The expense that its price was recorded in.
    public var expenseID: String?
    /// How much each source (a recipe) asked for, so that asking again changes nothing.
    public var sources: [String: Contribution]
    public var updatedAt: Instant?

    public enum Status: String, Choice {
        case open, purchased, removed
    }

    public enum Priority: String, Choice {
        case high, normal, low

        public var words: [String] {
            switch self {
            case .high: ["urgent", "urgently", "important", "high priority", "asap", "must have", "top priority"]
            case .normal: ["normal", "normal priority"]
            case .low: ["low priority", "not urgent", "when on offer", "nice to have", "optional"]
            }
        }

        /// 0 first.
        var place: Int {
            switch self {
            case .high: 0
            case .normal: 1
            case .low: 2
            }
        }
    }

    /// What one source asked for.
    public struct Contribution: Object, Hashable {
        public var quantity: Decimal?
        public var unit: String?

        init(_ amount: Amount) {
            quantity = amount.quantity
            unit = amount.unit == .piece ? nil : amount.unit.name
        }

        var amount: Amount { Amount(quantity: quantity, unit: Unit(unit ?? "")) }
    }

    var amount: Amount {
        get { Amount(quantity: quantity, unit: Unit(unit ?? "")) }
        set {
            quantity = newValue.quantity
            unit = newValue.unit == .piece ? nil : newValue.unit.name
        }
    }

    var price: Money? {
        guard let pricePaid, let currency = currency.flatMap({ Currency($0) }) else { return nil }
        return Money(pricePaid, currency)
    }

    var estimate: Money? {
        guard let estimatedCost, let currency = currency.flatMap({ Currency($0) }) else { return nil }
        return Money(estimatedCost, currency)
    }

    /// `milk 2 l`, `eggs x6`, `bread`.
    var label: String {
        let name = itemName.cut(to: 40)
        guard let quantity else { return name }
        if amount.unit.family == .count, amount.unit == .piece { return "\(name) x\(quantity)" }
        return "\(name) \(amount.text ?? "")"
    }
}

/// The order and grouping in which the list is shown: urgent things first within each aisle.
enum Shelf {
    static func sorted(_ items: [GroceryItem]) -> [GroceryItem] {
        items.sorted { left, right in
            if left.category != right.category { return left.category < right.category }
            if left.priority != right.priority { return left.priority.place < right.priority.place }
            if left.nameKey != right.nameKey { return left.nameKey < right.nameKey }
            return left.id < right.id
        }
    }

    /// Numbered labels, with the aisle's name before the first of each aisle when the list is long enough to profit.
    static func parts(_ sorted: [GroceryItem]) -> [String] {
        let isGrouped = sorted.count > 5
        var last: Aisle?
        return sorted.enumerated().map { index, item in
            var part = "\(index + 1) \(item.label)"
            if item.priority == .high { part += " (urgent)" }
            if isGrouped, item.category != last { part = "\(item.category.label): \(part)" }
            last = item.category
            return part
        }
    }
}
