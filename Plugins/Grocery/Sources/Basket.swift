import PluginCommon
import TandemSDK

/// What adding things does to the open rows of a list: pure, so that every rule of merging is tested without a host.
struct Basket {
    /// The open rows; the ones not yet inserted have no id.
    private(set) var items: [GroceryItem]
    /// Places in `items` that this value changed or made, in the order of adding.
    private(set) var outcomes: [Outcome] = []

    struct Outcome: Sendable, Hashable {
        enum Kind: String, Choice {
            /// A row of its own.
            case added
            /// Added to the amount of a row that was there.
            case merged
            /// Already on the list: nothing changed.
            case present
        }

        var place: Int
        var kind: Kind
    }

    /// What is the same for all things of one call.
    struct Details {
        var today: Day
        var category: Aisle?
        var priority: GroceryItem.Priority?
        var store: String?
        var targetDate: Day?
        var notes: String?
        var estimate: Money?
        var source: String?
    }

    init(_ items: [GroceryItem]) { self.items = items }

    /// Adds one thing; throws what to tell the person when it cannot be on a list.
    mutating func add(_ thing: Quantity, _ details: Details) throws(ToolError) {
        let name = thing.name.singleLine(limit: GroceryLimits.nameLength)
        guard !name.isEmpty else { throw .invalid("Tell me what to add, like: add milk and eggs.", code: "no_name") }
        let amount = try Basket.amount(of: thing, name: name)
        let key = Words.key(name)
        let same = items.indices.filter { items[$0].nameKey == key }

        if let source = details.source, let place = same.first(where: { items[$0].sources[source] != nil }) {
            try replace(amount, from: source, at: place, details)
            return
        }
        for place in same {
            switch items[place].amount.adding(amount) {
            case .differentKinds: continue
            case .tooLarge: throw Basket.tooMuch(name)
            case .amount(let sum):
                let changed = sum != items[place].amount
                items[place].amount = sum
                if let source = details.source { items[place].sources[source] = GroceryItem.Contribution(amount) }
                let touched = apply(details, at: place)
                outcomes.append(Outcome(place: place, kind: changed ? .merged : touched ? .merged : .present))
                return
            }
        }
        var item = GroceryItem(
            itemName: name, nameKey: key, quantity: nil, unit: nil, category: details.category ?? .other,
            priority: .normal, status: .open, addedDate: details.today, sources: [:])
        item.amount = amount
        if details.category == nil {
            item.category = same.first.map { items[$0].category } ?? FoodLexicon.aisle(of: name)
        }
        if let source = details.source { item.sources[source] = GroceryItem.Contribution(amount) }
        items.append(item)
        apply(details, at: items.count - 1)
        outcomes.append(Outcome(place: items.count - 1, kind: .added))
    }

    /// The same source asks again: its part is exchanged for the new one, not added to it.
    private mutating func replace(
        _ amount: Amount, from source: String, at place: Int, _ details: Details
    ) throws(ToolError) {
        let before = items[place]
        let earlier = before.sources[source]?.amount ?? .unsaid
        if earlier != amount {
            let rest = before.amount.subtracting(earlier)
            switch (rest ?? .unsaid).adding(amount) {
            case .amount(let sum): items[place].amount = sum
            case .tooLarge: throw Basket.tooMuch(before.itemName)
            case .differentKinds: items[place].amount = amount
            }
            items[place].sources[source] = GroceryItem.Contribution(amount)
        }
        apply(details, at: place)
        outcomes.append(Outcome(place: place, kind: items[place].amount == before.amount ? .present : .merged))
    }

    /// Puts what was said about a thing on its row; true when that changed something.
    @discardableResult
    private mutating func apply(_ details: Details, at place: Int) -> Bool {
        let before = items[place]
        if let category = details.category { items[place].category = category }
        if let priority = details.priority { items[place].priority = priority }
        if let store = details.store { items[place].storePreference = store }
        if let date = details.targetDate { items[place].targetDate = date }
        if let notes = details.notes { items[place].notes = notes }
        if let estimate = details.estimate {
            items[place].estimatedCost = estimate.amount
            items[place].currency = estimate.currency.code
        }
        let after = items[place]
        return before.category != after.category || before.priority != after.priority
            || before.storePreference != after.storePreference || before.targetDate != after.targetDate
            || before.notes != after.notes || before.estimatedCost != after.estimatedCost
    }

    /// The amount of a thing, in known units, with at most four digits after the point.
    static func amount(of thing: Quantity, name: String) throws(ToolError) -> Amount {
        let unit = Unit(thing.unit ?? "")
        guard let said = thing.amount else { return Amount(quantity: nil, unit: unit) }
        let quantity = said.rounded(places: 4)
        guard quantity.isNumber, quantity > .zero else {
            throw .invalid("How much \(name.cut(to: 40))? A number above 0 works.", code: "invalid_quantity")
        }
        guard quantity <= GroceryLimits.quantity else { throw tooMuch(name) }
        // Half a dozen is six.
        if unit.family == .count, quantity.rounded(places: 0) != quantity,
            let pieces = unit.convert(quantity, to: .piece)
        {
            return Amount(quantity: pieces, unit: .piece)
        }
        return Amount(quantity: quantity, unit: unit)
    }

    private static func tooMuch(_ name: String) -> ToolError {
        .invalid("That is more \(name.cut(to: 40)) than a list can hold. A smaller number works.", code: "too_much")
    }
}

/// The sizes that a list may have.
enum GroceryLimits {
    static let nameLength = 80
    static let noteLength = 300
    static let storeLength = 60
    static let sourceLength = 100
    /// Open things at a time.
    static let openItems = 300
    static let quantity = Decimal(1_000_000)
    static let price = Decimal(10_000_000)
    static let itemsPerCall = 100
}
