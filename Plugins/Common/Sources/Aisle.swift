public import TandemSDK

/// A part of the shop, in the order in which one walks through it.
public enum Aisle: String, Sendable, Comparable, Choice {
    case produce, bakery, dairy, meat, fish, pantry, baking, snacks, drinks, frozen, household
    case personalCare = "personal_care"
    case baby, pets, other

    /// For people: `Fruit and veg`.
    public var label: String {
        switch self {
        case .produce: "Produce"
        case .bakery: "Bakery"
        case .dairy: "Dairy"
        case .meat: "Meat"
        case .fish: "Fish"
        case .pantry: "Pantry"
        case .baking: "Baking"
        case .snacks: "Snacks"
        case .drinks: "Drinks"
        case .frozen: "Frozen"
        case .household: "Household"
        case .personalCare: "Personal care"
        case .baby: "Baby"
        case .pets: "Pets"
        case .other: "Other"
        }
    }

    /// Other words that people use for it.
    public var words: [String] {
        switch self {
        case .produce: ["produce", "fruit", "vegetables", "veggies", "veg", "greens", "fruit and veg"]
        case .bakery: ["bakery", "baker", "bread aisle"]
        case .dairy: ["dairy", "dairy products", "chilled"]
        case .meat: ["meat", "butcher", "poultry", "deli"]
        case .fish: ["fish", "seafood", "fishmonger"]
        case .pantry: ["pantry", "dry goods", "canned goods", "tins", "staples"]
        case .baking: ["baking", "spices", "baking and spices", "seasoning"]
        case .snacks: ["snacks", "sweets", "candy", "treats"]
        case .drinks: ["drinks", "beverages", "drink"]
        case .frozen: ["frozen", "freezer", "frozen food"]
        case .household: ["household", "cleaning", "cleaning supplies", "home"]
        case .personalCare: ["personal care", "toiletries", "hygiene", "bathroom", "pharmacy", "cosmetics"]
        case .baby: ["baby", "baby stuff", "babies"]
        case .pets: ["pets", "pet", "pet food", "animals"]
        case .other: ["other", "misc", "miscellaneous", "rest"]
        }
    }

    private static let byWord: [String: Aisle] = {
        var table: [String: Aisle] = [:]
        for aisle in allCases {
            table[aisle.rawValue] = aisle
            for word in aisle.words { table[word] = aisle }
        }
        return table
    }()

    /// Reads a value or one of the words, in any case.
    public init?(words text: String) {
        let folded = text.lowercased()
        guard let aisle = Aisle.byWord[folded] ?? Aisle.byWord[folded.replacing("&", with: "and")] else { return nil }
        self = aisle
    }

    public static func < (left: Aisle, right: Aisle) -> Bool { left.place < right.place }

    /// The place in the walk, 0 first.
    public var place: Int {
        switch self {
        case .produce: 0
        case .bakery: 1
        case .dairy: 2
        case .meat: 3
        case .fish: 4
        case .pantry: 5
        case .baking: 6
        case .snacks: 7
        case .drinks: 8
        case .frozen: 9
        case .household: 10
        case .personalCare: 11
        case .baby: 12
        case .pets: 13
        case .other: 14
        }
    }
}
