import TandemSDK
import Testing

@testable import PluginCommon

struct ReferenceFinderTests {
    private struct Thing: Row {
        static let table = Table<Thing>("things", "things")
        var id = RowID()
        var name: String
    }

    @Test(arguments: [
        ("eggs and bread", ["eggs", "bread"]), ("eggs, bread & milk", ["eggs", "bread", "milk"]), ("eggs", ["eggs"]),
        ("and", []), ("", []), (",,;", []), ("a\nb", ["a", "b"]),
    ])
    func splitsNames(text: String, names: [String]) { #expect(ReferenceFinder<Thing>.split(text) == names) }

    @Test(arguments: [
        ("everything", []), ("all of it", []), ("all the items on my list", []),
        ("everything except the milk", ["the milk"]), ("all but eggs and bread", ["eggs", "bread"]),
    ])
    func readsEverything(text: String, spared: [String]) {
        #expect(ReferenceFinder<Thing>.everything(but: text) == spared)
    }

    @Test(arguments: ["all purpose flour", "milk", "", "the whole milk", "whole milk"])
    func doesNotReadEverythingIntoNames(text: String) {
        #expect(ReferenceFinder<Thing>.everything(but: text) == nil)
    }

    @Test(arguments: [
        ("2 l of milk", "milk"), ("a bottle of wine", "wine"), ("three eggs", "eggs"), ("milk", "milk"), ("2", "2"),
        ("half a loaf", "loaf"), ("500g flour", "flour"), ("", ""),
    ])
    func takesTheAmountOff(text: String, name: String) {
        #expect(ReferenceFinder<Thing>.withoutAmount(text) == name)
    }

    @Test func keepsTheHead() {
        #expect(ReferenceFinder<Thing>.head(of: "milk at the corner shop") == "milk")
        #expect(ReferenceFinder<Thing>.head(of: "from") == "from")
    }
}
