import PluginCommon
import TandemSDK

/// What is at home, and whether it is enough for an ingredient.
struct House: Sendable {
    fileprivate var have: [(name: [String], quantity: Decimal?, unit: Unit)] = []

    init(_ pantry: [PantryItem], and names: [String] = []) {
        have = pantry.map { (House.essence(Words($0.itemName)), $0.quantity, Unit($0.unit ?? "")) }
        have += names.map { (House.essence(Words($0)), nil, .piece) }
    }

    /// Comes from the tap.
    private static let free: Set<String> = Set(
        ["water", "ice water", "tap water", "boiling water"].map { Words.key($0) })

    /// Words that tell kinds apart which stand in for each other when cooking.
    private static let kinds: Set<String> = Set(
        [
            "plain", "all", "purpose", "large", "small", "medium", "big", "fresh", "organic", "free", "range", "ripe",
            "salted", "unsalted", "cold", "warm", "hot", "lukewarm", "boiling", "soft", "softened", "melted", "raw",
            "chopped", "sliced", "grated", "diced", "minced", "peeled", "extra", "virgin", "sea", "table", "sifted",
            "finely", "beaten", "crushed", "good", "quality", "semi", "skimmed", "leftover",
        ].map(Words.stem))

    static func essence(_ words: Words) -> [String] {
        let rest = words.stems.filter { !kinds.contains($0) }
        return rest.isEmpty ? words.stems : rest
    }

    static func isFree(_ name: String) -> Bool { free.contains(essence(Words(name)).joined(separator: " ")) }

    enum Stock: Sendable, Hashable {
        case none
        case enough
        /// So much is there, in the unit that is needed.
        case some(Decimal)
    }

    /// `amount` is nil where the recipe says none; a stock without a number is enough.
    func stock(of name: String, _ amount: Decimal?, _ unit: Unit) -> Stock {
        let wanted = House.essence(Words(name))
        if House.isFree(name) { return .enough }
        var sum: Decimal?
        for thing in have where thing.name == wanted {
            guard let quantity = thing.quantity, let amount,
                let converted = thing.unit.convert(quantity, to: unit)
            else { return .enough }
            let total = (sum ?? .zero) + converted
            if !total.isNumber || total >= amount { return .enough }
            sum = total
        }
        guard let sum else { return .none }
        return sum > .zero ? .some(sum) : .none
    }
}

extension House {
    /// Takes what a recipe uses off the stock, so that the next one does not count on it.
    mutating func use(_ name: String, _ amount: Decimal?, _ unit: Unit) {
        let wanted = House.essence(Words(name))
        guard var rest = amount else { return }
        for place in have.indices where have[place].name == wanted {
            guard let quantity = have[place].quantity, let there = have[place].unit.convert(quantity, to: unit) else {
                continue
            }
            let left = there - rest
            guard left.isNumber, left < .zero else {
                have[place].quantity = unit.convert(left, to: have[place].unit) ?? quantity
                return
            }
            have[place].quantity = .zero
            rest = -left
        }
    }
}

/// What has to be bought for a recipe.
struct Shopping: Sendable {
    /// In the order of the recipe.
    var missing: [Quantity] = []
    /// Names of what is at home.
    var atHome: [String] = []

    /// Uses up what it finds in the house.
    init(_ whole: WholeRecipe, for servings: Int, _ house: inout House) {
        for row in whole.ingredients {
            let scaled = row.amount(for: servings, of: whole.recipe.servings)
            let unit = Unit(row.unit ?? "")
            switch house.stock(of: row.ingredientName, scaled?.forShopping, unit) {
            case .enough:
                if !House.isFree(row.ingredientName) { atHome.append(row.ingredientName.cut(to: 40)) }
            case .none: add(row.ingredientName, scaled?.forShopping, unit)
            case .some(let there):
                let rest = (scaled?.forShopping ?? .zero) - there
                add(row.ingredientName, rest.isNumber && rest > .zero ? rest : scaled?.forShopping, unit)
            }
            house.use(row.ingredientName, scaled?.forShopping, unit)
        }
    }

    private mutating func add(_ name: String, _ amount: Decimal?, _ unit: Unit) {
        missing.append(Quantity(name, amount, unit: amount == nil || unit == .piece ? nil : unit.name))
    }

    var labels: [String] { missing.map { Shopping.label($0) } }

    static func label(_ thing: Quantity) -> String {
        let name = thing.name.cut(to: 40)
        let amount = ScaledAmount(thing.amount, Unit(thing.unit ?? ""), for: 1, of: 1)
        return amount.map { $0.label(of: name) } ?? name
    }

    /// `{"name":"flour","quantity":"375","unit":"g"}` for each.
    var items: JSON { .array(missing.map(\.json)) }
}

extension Context {
    func pantry() async throws -> [PantryItem] {
        try await rows(PantryItem.self).list(order: .ascending(\.nameKey), .ascending(\.id), limit: 500)
    }

    var canShop: Bool { tools.isAvailable("grocery.add") }

    /// Puts things on the grocery list; false when groceries are off for this person.
    func buy(_ shopping: Shopping, for recipe: RowID) async throws -> Bool {
        guard !shopping.missing.isEmpty else { return canShop }
        guard canShop else { return false }
        do {
            try await tools.call(
                "grocery.add", ["items": shopping.items, "source": .string("recipe:\(recipe)")])
            return true
        } catch let error as ToolError where error.code == "not_granted" {
            return false
        }
    }
}
