import Testing

@testable import PluginCommon

struct FoodLexiconTests {
    @Test(arguments: [
        ("milk", Aisle.dairy), ("Eggs", .dairy), ("some bread", .bakery), ("oat milk", .dairy),
        ("coconut milk", .pantry),
        ("peanut butter", .pantry), ("chocolate", .snacks), ("cherry tomatoes", .produce), ("tomato sauce", .pantry),
        ("frozen blueberries", .frozen), ("blueberries", .produce), ("toilet paper", .household),
        ("shampoo", .personalCare),
        ("nappies", .baby), ("cat food", .pets), ("red wine", .drinks), ("ground beef", .meat), ("salmon", .fish),
        ("flour", .baking), ("olive oil", .pantry), ("wholegrain bread", .bakery), ("organic bananas", .produce),
        ("apple juice", .drinks), ("ice cream", .frozen), ("pizza", .frozen), ("tinned tuna in oil", .pantry),
        ("milk for the kids", .dairy), ("gizmo", .other), ("", .other), ("牛奶", .other), ("Crème fraîche", .dairy),
        ("strawberries", .produce), ("dog biscuits", .pets), ("hazelnutmilk", .dairy), ("cream cheese", .dairy),
        ("sparkling water", .drinks), ("bin bags", .household), ("chicken breasts", .meat), ("pepper", .baking),
        ("bell peppers", .produce), ("green beans", .produce), ("black beans", .pantry), ("tea", .drinks),
    ])
    func findsTheAisle(name: String, aisle: Aisle) {
        #expect(FoodLexicon.aisle(of: name) == aisle)
    }

    @Test func everyAisleReadsItsOwnWords() {
        for aisle in Aisle.allCases {
            #expect(Aisle(words: aisle.rawValue) == aisle)
            #expect(Aisle(words: aisle.label.uppercased()) == aisle)
        }
        #expect(Aisle.allCases.sorted() == Aisle.allCases)
    }
}
