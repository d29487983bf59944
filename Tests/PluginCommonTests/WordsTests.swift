import PluginCommon
import Testing

struct WordsTests {
    @Test(arguments: [
        ("egg", "Eggs"), ("tomato", "the tomatoes"), ("loaf", "loaves"), ("berry", "BERRIES"), ("cookie", "cookies"),
        ("box", "boxes"), ("dish", "dishes"), ("knife", "knives"), ("kiwi", "kiwis"), ("creme brulee", "Crème brûlée"),
        ("cheese", "cheeses"), ("glass", "glasses"), ("oat milk", "some oat-milk"), ("jalapeno", "jalapeños"),
        ("potato", "a few potatoes"), ("nappy", "nappies"), ("leaf", "leaves"), ("hummus", "hummus"),
        ("children's snack", "childrens snacks"), ("e\u{301}clair", "éclairs"),
    ])
    func oneKeyForOneThing(left: String, right: String) {
        #expect(Words.key(left) == Words.key(right))
    }

    @Test(arguments: [
        ("milk", "oat milk"), ("beer", "beef"), ("pea", "pear"), ("rice", "ice"), ("pasta", "paste"), ("牛奶", "面包"),
    ])
    func differentKeysForDifferentThings(left: String, right: String) {
        #expect(Words.key(left) != Words.key(right))
    }

    @Test(arguments: ["the", "\u{1F95B}", "!!!", "\u{202E}", "\u{0}", "", " ", "\u{FEFF}", "%"])
    func keyOfOddTextsDoesNotTrap(text: String) {
        _ = Words.key(text)
        _ = Words(text)
    }

    @Test func aTextOfManyWordsIsBounded() {
        #expect(Words(String(repeating: "word ", count: 100_000)).plain.count <= 64)
        #expect(Words.split(String(repeating: "x", count: 100_000)).count <= 64)
    }

    @Test func singleLineTakesOutLineBreaksAndOverrides() {
        #expect("a\nb\r\n c\u{202E}d\u{0}".singleLine(limit: 40) == "a b cd")
        #expect("  \t ".singleLine(limit: 40).isEmpty)
        #expect("abcdefghij".singleLine(limit: 8) == "abcde...")
        #expect(
            "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}".singleLine(limit: 5)
                == "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}")
        #expect(String(repeating: "a\u{301}\u{302}", count: 10_000).singleLine(limit: 20).count <= 20)
    }
}

struct NameMatcherTests {
    private let known: @Sendable ([String]) -> Bool = { stems in
        ["milk", "oat milk", "butter", "peanut butter", "beer", "beef", "egg"].map(Words.key).contains(
            stems.joined(separator: " "))
    }

    private func match(_ query: String, _ names: [String]) -> NameMatcher.Match {
        NameMatcher(names, isKnown: known).match(query)
    }

    @Test func anExactNameWinsOverALongerOne() {
        #expect(match("the milk", ["oat milk", "milk"]) == .exact([1]))
        #expect(match("Eggs", ["egg", "egg noodles"]) == .exact([0]))
        #expect(match("milk oat", ["oat milk", "milk"]) == .exact([0]))
    }

    @Test func aPartOfSeveralNamesIsAmbiguous() {
        #expect(match("milk", ["oat milk", "bread", "whole milk"]) == .close([0, 2]))
        #expect(match("milk", ["oat milk", "bread"]) == .close([0]))
    }

    @Test func alongerNameFindsTheShorterUnlessItIsAThingOfItsOwn() {
        #expect(match("organic eggs", ["bread", "eggs"]) == .close([1]))
        #expect(match("peanut butter", ["butter"]) == .none)
    }

    @Test func typosAreForgivenButKnownWordsAreNot() {
        #expect(match("mlik", ["bread", "milk"]) == .close([1]))
        #expect(match("tomatos", ["tomatoes"]) == .exact([0]))
        #expect(match("brocoli", ["broccoli"]) == .close([0]))
        #expect(match("beer", ["beef"]) == .none)
        #expect(match("xyz", ["abc"]) == .none)
        #expect(match("avacodo", ["avocado"]) == .close([0]) || match("avacado", ["avocado"]) == .close([0]))
    }

    @Test func oddQueriesFindNothing() {
        for query in ["", " ", "\u{0}", "\u{202E}", String(repeating: "a", count: 50_000)] {
            #expect(match(query, ["milk", "eggs", ""]) == .none)
        }
        #expect(match("milk", []) == .none)
    }
}

struct MessageTextTests {
    @Test func theFirstLineHoldsWhatFits() {
        let parts = (1...60).map { "\($0) item number \($0)" }
        let lines = MessageText.flow("60 to buy:", parts).split(separator: "\n")
        #expect(lines.count > 1)
        #expect(lines.allSatisfy { $0.count <= 151 })
        #expect(lines.joined(separator: ", ").hasSuffix("60 item number 60."))
        for part in parts { #expect(lines.contains { $0.contains(part) }) }
    }

    @Test func enumerationReadsLikeASentence() {
        #expect(MessageText.enumeration([]) == "")
        #expect(MessageText.enumeration(["milk"]) == "milk")
        #expect(MessageText.enumeration(["milk", "eggs", "bread"]) == "milk, eggs and bread")
        #expect(MessageText.enumeration(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d and 2 more")
    }
}
