import Synchronization
import Testing

@testable import TandemSDK

@Suite struct StructLayoutTests {
    /// Counts its live copies, so that a field that is not destroyed is found.
    final class Counted: Sendable {
        let count: Counter
        init(_ count: Counter) {
            self.count = count
            count.value.add(1, ordering: .relaxed)
        }
        deinit { count.value.subtract(1, ordering: .relaxed) }
    }

    final class Counter: Sendable { let value = Atomic(0) }

    struct Tracked: JSONRepresentable {
        @TaskLocal static var counter: Counter?
        let object: Counted?
        static var shape: Shape { String.shape }
        init(json: JSON, reader: Reader) throws(ShapeError) { object = Tracked.counter.map { Counted($0) } }
        var json: JSON { "tracked" }
    }

    struct Mixed: Object {
        var flag: Bool
        var first: Tracked
        var second: Tracked?
        let small: Bool
        var number: Int
        var list: [Tracked]
    }

    @Test func keepsEveryFieldInItsPlace() throws {
        struct Odd: Object, Equatable {
            var a: Bool
            var b: String
            var c: Bool?
            var d: Double
            var e: Bool
            let f: Int?
            var g: [String]
            var h: Day
            var i: Bool
        }
        let odd = Odd(
            a: true, b: "a text that is longer than the small form", c: nil, d: 2.5, e: false, f: 7, g: ["x"],
            h: Day(number: 3), i: true)
        #expect(try Odd(json: odd.json) == odd)
        #expect(odd.json["c"] == nil)
        #expect(StructLayout.of(Odd.self).fields.map(\.name) == ["a", "b", "c", "d", "e", "f", "g", "h", "i"])
    }

    @Test func destroysWhatItMadeWhenALaterFieldFails() {
        let counter = Counter()
        Tracked.$counter.withValue(counter) {
            let json: JSON = ["flag": true, "first": "x", "second": "y", "small": false, "number": "no", "list": []]
            #expect(throws: ShapeError("a whole number", path: "number")) { try Mixed(json: json) }
        }
        #expect(counter.value.load(ordering: .relaxed) == 0)
    }

    @Test func ownsWhatItMakesExactlyOnce() throws {
        let counter = Counter()
        try Tracked.$counter.withValue(counter) {
            let json: JSON = ["flag": true, "first": "x", "small": false, "number": 1, "list": ["a", "b"]]
            let mixed = try Mixed(json: json)
            #expect(mixed.second == nil)
            #expect(counter.value.load(ordering: .relaxed) == 3)
            #expect(mixed.json["list"] == ["tracked", "tracked"])
        }
        #expect(counter.value.load(ordering: .relaxed) == 0)
    }

    @Test func saysWhichPropertyHasNoForm() {
        struct Bad: Object {
            var name: String
            var closure: [Unrepresentable]
        }
        struct Unrepresentable: Sendable {}
        #expect(StructLayout.of(Bad.self).problems.count == 1)
        #expect(StructLayout.of(Bad.self).problems[0].contains("closure"))
        #expect(throws: ShapeError.self) { try Bad(json: ["name": "x"]) }
    }

    @Test func aTypeThatContainsItselfHasASchema() throws {
        let tree = try Tree(json: ["name": "a", "children": [["name": "b", "children": []]]])
        #expect(tree.children[0].name == "b")
        #expect(Tree.shape.schema["properties"]?["children"]?["items"] == true)
    }

    struct Tree: Object {
        var name: String
        var children: [Tree]
    }

    @Test(arguments: [
        ("name", "name"), ("targetDate", "target_date"), ("recipeID", "recipe_id"), ("URLPath", "url_path"),
        ("item2Name", "item2_name"), ("aB", "a_b"),
    ])
    func namesAreSnakeCase(swift: String, wire: String) { #expect(snakeCase(swift) == wire) }
}
