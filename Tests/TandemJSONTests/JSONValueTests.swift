import TandemJSON
import Testing

@Suite struct JSONValueTests {
    @Test func comparesNumbersByValue() {
        #expect(JSON.integer(1) == JSON.number(1.0))
        #expect(JSON.integer(1).hashValue == JSON.number(1.0).hashValue)
        #expect(JSON.integer(0) == JSON.number(-0.0))
        #expect(JSON.integer(0).hashValue == JSON.number(-0.0).hashValue)
        #expect(JSON.integer(.max) != JSON.number(0x1p63))
        #expect(JSON.integer(9_007_199_254_740_993) != JSON.number(9_007_199_254_740_992))
        #expect(JSON.integer(1) != JSON.bool(true))
    }

    @Test func comparesObjectsInAnyOrder() {
        let left: JSON = ["a": 1, "b": [1, 2]]
        let right: JSON = ["b": [1.0, 2], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1, "b": [2, 1]])
        #expect(left != ["a": 1])
        #expect(["a": nil] as JSON != ["b": nil] as JSON)
    }

    @Test(arguments: [3, 40])
    func keepsInsertionOrder(count: Int) {
        var object = JSONObject()
        for index in 0..<count { object["k\(index)"] = .integer(Int64(index)) }
        object["k1"] = "changed"
        object["k0"] = nil
        object["absent"] = nil
        object["last"] = true
        #expect(object.keys == (1..<count).map { "k\($0)" } + ["last"])
        #expect(object.count == count)
        #expect(object["k1"] == "changed")
        #expect(object["k0"] == nil)
        #expect(object["k\(count - 1)"] == .integer(Int64(count - 1)) || count == 2)
        #expect(object.map(\.key) == object.keys)
        #expect(object.firstIndex(of: "last") == count - 1)
    }

    @Test func removesAcrossTheIndexThreshold() {
        var object = JSONObject((0..<30).map { ("k\($0)", JSON.integer(Int64($0))) })
        for index in stride(from: 0, to: 30, by: 2) { #expect(object.removeValue(forKey: "k\(index)") != nil) }
        #expect(object.keys == stride(from: 1, to: 30, by: 2).map { "k\($0)" })
        for index in stride(from: 1, to: 30, by: 2) { #expect(object["k\(index)"] == .integer(Int64(index))) }
    }

    @Test func setsMembersInPlace() {
        var value: JSON = ["a": ["b": 1]]
        value["a"]?["b"] = 2
        value["c"] = [1]
        #expect(value == ["a": ["b": 2], "c": [1]])
        value["a"] = nil
        #expect(value == ["c": [1]])
        var empty = JSON.null
        empty["x"] = 1
        #expect(empty == ["x": 1])
    }

    @Test func readsByKind() {
        #expect(JSON.number(3).int64Value == 3)
        #expect(JSON.number(3.5).int64Value == nil)
        #expect(JSON.number(1e300).int64Value == nil)
        #expect(JSON.integer(3).doubleValue == 3)
        #expect(JSON.string("3").int64Value == nil)
        #expect(([1, 2] as JSON)[1] == 2)
        #expect(([1, 2] as JSON)[2] == nil)
        #expect(([1, 2] as JSON)[-1] == nil)
        #expect(JSON.null.isNull)
    }

    /// RFC 6901, section 5.
    @Test func followsPointers() throws {
        let document = try JSON(
            parsing: #"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#)
        #expect(document.value(at: "") == document)
        #expect(document.value(at: "/foo") == ["bar", "baz"])
        #expect(document.value(at: "/foo/0") == "bar")
        #expect(document.value(at: "/") == 0)
        #expect(document.value(at: "/a~1b") == 1)
        #expect(document.value(at: "/c%d") == 2)
        #expect(document.value(at: "/m~0n") == 8)
        #expect(document.value(at: "/foo/00") == nil)
        #expect(document.value(at: "/foo/-") == nil)
        #expect(document.value(at: "/foo/2") == nil)
        #expect(document.value(at: "foo") == nil)
        #expect(document.value(at: "/~2") == nil)
        #expect(document.value(at: "/~") == nil)
        #expect(document.value(at: "/foo/99999999999999999999") == nil)
        #expect(JSONPointer("/a~1b/~0/")?.tokens == ["a/b", "~", ""])
        #expect(JSONPointer(tokens: ["a/b", "~", ""]).description == "/a~1b/~0/")
    }
}
