import CTandemPlugin
import TandemJSON
import TandemTesting
import Testing

/// Strings, bytes, buffers, lists and objects: who owns them, how long they are, what is refused.
@Suite(.timeLimit(.minutes(8)))
struct ForeignMemoryTests {
    private static let text: JSON = ["name": "text", "type": "string"]
    private static let released: JSON = [
        "symbol": "released", "returns": ["name": "count", "type": "int32"], "message": "{count}",
    ]

    @Test func releasesWhatTheLibraryGave() async throws {
        let library = try await ForeignLibrary([
            "shout": [
                "symbol": "shout", "parameters": [Self.text],
                "returns": ["name": "loud", "type": "string", "release": "fixture_free"], "message": "{loud}!",
            ],
            "released": Self.released,
        ])
        let outcome = try await library.call("shout", ["text": "grüezi"])
        #expect(outcome.result == ["loud": "GRüEZI"])
        #expect(outcome.message == "GRüEZI!")
        #expect(try await library.call("released").result == ["count": 1])
        let nul = try await library.call("shout", ["text": "a\u{0}b"])
        #expect(nul.errorCode == "invalid_argument")
        #expect(
            try await library.call("shout", ["text": .string(String(repeating: "x", count: 5000))]).errorCode != nil)
        #expect(try await library.call("released").result == ["count": 1])
    }

    @Test func knowsNullBorrowedAndBrokenText() async throws {
        func colour(_ more: JSONObject, _ error: JSON?) -> JSON {
            var returns: JSONObject = ["name": "colour", "type": "string", "borrowed": true]
            for (key, value) in more { returns[key] = value }
            var function: JSONObject = [
                "symbol": "colour", "parameters": [["name": "index", "type": "int32"]], "returns": .object(returns),
                "message": [["when": ["colour": nil], "text": "none"], ["text": "{colour}"]],
            ]
            function["error"] = error
            return .object(function)
        }
        let library = try await ForeignLibrary([
            "plain": colour([:], nil), "nullable": colour(["nullable": true], nil),
            "error": colour([:], ["kind": "null", "text": "There is no colour {index}."]),
            "broken": [
                "symbol": "broken", "returns": ["name": "t", "type": "string", "borrowed": true], "message": "{t}",
            ],
        ])
        #expect(try await library.call("plain", ["index": 1]).result == ["colour": "green"])
        #expect(try await library.call("plain", ["index": 9]).errorCode == "no_result")
        let absent = try await library.call("nullable", ["index": 9])
        #expect(absent.result == [:])
        #expect(absent.message == "none")
        let failed = try await library.call("error", ["index": 9])
        #expect(failed.errorCode == "library_error")
        #expect(failed.message == "There is no colour 9.")
        #expect(try await library.call("broken").errorCode == "not_utf8")
    }

    @Test func boundsWhatComesBack() async throws {
        let library = try await ForeignLibrary([
            "flood": [
                "symbol": "flood", "parameters": [["name": "size", "type": "uint32"]],
                "returns": ["name": "t", "type": "string", "release": "fixture_free", "maxBytes": 1000],
                "message": "{t}",
            ],
            "released": Self.released,
        ])
        #expect(try await library.call("flood", ["size": 999]).result?["t"]?.stringValue?.utf8.count == 999)
        #expect(try await library.call("flood", ["size": 1000]).errorCode == "too_large")
        #expect(try await library.call("flood", ["size": 50_000_000]).errorCode == "too_large")
        #expect(try await library.call("released").result == ["count": 3])
    }

    @Test func passesBytesWithTheirLength() async throws {
        func function(_ encoding: String) -> JSON {
            [
                "symbol": "checksum",
                "parameters": [
                    ["name": "data", "type": "bytes", "encoding": .string(encoding)],
                    ["type": "uint64", "lengthOf": "data"],
                ],
                "returns": ["name": "sum", "type": "uint32"], "message": "{sum}",
            ]
        }
        let library = try await ForeignLibrary(["text": function("utf8"), "binary": function("base64")])
        #expect(try await library.call("text", ["data": "ab"]).result == ["sum": .integer(97 * 31 + 98)])
        #expect(try await library.call("text", ["data": "\u{0}a"]).result == ["sum": 97])
        #expect(try await library.call("binary", ["data": "AAH/"]).result == ["sum": .integer(31 + 255)])
        #expect(try await library.call("binary", ["data": ""]).result == ["sum": 0])
        for bad in ["AAH", "AA==AAAA", "A*==", "AB==", "===="] {
            #expect(try await library.call("binary", ["data": .string(bad)]).errorCode == "invalid_argument", "\(bad)")
        }
    }

    @Test func fillsBuffers() async throws {
        let library = try await ForeignLibrary([
            "fill": [
                "symbol": "fill",
                "parameters": [
                    ["name": "out", "type": "string", "direction": "out", "capacity": 16],
                    ["type": "uint32", "capacityOf": "out"], Self.text,
                ],
                "returns": ["type": "int32"], "message": "{out}",
            ],
            "stamp": [
                "symbol": "stamp", "parameters": [["name": "day", "type": "string", "direction": "out", "size": 11]],
                "message": "{day}",
            ],
            "reverse": [
                "symbol": "reverse",
                "parameters": [
                    ["name": "in", "type": "bytes"], ["type": "uint64", "lengthOf": "in"],
                    ["name": "out", "type": "bytes", "direction": "out", "capacity": 8],
                    ["type": "uint64", "direction": "inout", "lengthOf": "out"],
                ],
                "returns": ["type": "int32"], "error": ["kind": "code", "cases": ["-1": "That is too long."]],
                "message": "{out}",
            ],
            "digest": [
                "symbol": "digest",
                "parameters": [
                    Self.text, ["name": "sum", "type": "bytes", "direction": "out", "size": 8, "encoding": "base64"],
                ],
                "message": "{sum}",
            ],
        ])
        #expect(try await library.call("fill", ["text": "hello"]).result == ["out": "<hello>"])
        #expect(try await library.call("fill", ["text": "hello world and more"]).result == ["out": "<hello world an"])
        #expect(try await library.call("stamp").result == ["day": "2026-11-21"])
        #expect(try await library.call("reverse", ["in": "stressed"]).result == ["out": "desserts"])
        #expect(try await library.call("reverse", ["in": "far too long"]).message == "That is too long.")
        #expect(try await library.call("digest", ["text": "a"]).result == ["sum": "YWJjZGVmZ2g="])
    }

    @Test func readsPointersThatAreWrittenOut() async throws {
        let library = try await ForeignLibrary([
            "convert": [
                "symbol": "convert",
                "parameters": [
                    Self.text, ["name": "out", "type": "string", "direction": "out", "release": "fixture_free"],
                ],
                "returns": ["type": "int32"],
                "error": [
                    "kind": "code", "message": ["symbol": "fixture_error"], "text": "No: {message} ({code}, {text}).",
                ],
                "message": "{out}",
            ],
            "blob": [
                "symbol": "blob",
                "parameters": [
                    [
                        "name": "data", "type": "bytes", "direction": "out", "release": "fixture_free",
                        "encoding": "base64",
                    ],
                    ["type": "uint64", "direction": "out", "lengthOf": "data"],
                ],
                "message": "{data}",
            ],
            "words": [
                "symbol": "split",
                "parameters": [
                    Self.text,
                    [
                        "name": "words", "type": "strings", "direction": "out",
                        "release": ["symbol": "split_free", "parameters": [["type": "address"], ["type": "uint32"]]],
                    ],
                ],
                "returns": ["type": "uint32", "lengthOf": "words"],
                "message": [["when": ["words": []], "text": "nothing"], ["text": "{words}"]],
            ],
            "released": Self.released,
        ])
        #expect(try await library.call("convert", ["text": "abc"]).result == ["out": "ABC"])
        #expect(try await library.call("convert", ["text": "bad"]).message == "No: bad text (-2, bad).")
        #expect(try await library.call("blob").result == ["data": "AAEC/w=="])
        let words = try await library.call("words", ["text": "one two  three"])
        #expect(words.result == ["words": ["one", "two", "three"]])
        #expect(words.message == "one, two, three")
        #expect(try await library.call("words", ["text": " "]).message == "nothing")
        #expect(try await library.call("released").result == ["count": 4])
    }

    @Test func keepsObjectsPerPersonOrSharesThem() async throws {
        func objects(_ isShared: Bool) -> JSONObject {
            [
                "counter": [
                    "shared": .bool(isShared),
                    "create": [
                        "symbol": "counter_new",
                        "parameters": [["type": "int32", "constant": 100], ["type": "file", "file": "start.txt"]],
                        "returns": ["type": "object"],
                    ],
                    "destroy": "counter_free",
                ]
            ]
        }
        let functions: JSONObject = [
            "next": [
                "symbol": "counter_next", "parameters": [["type": "object", "object": "counter"]],
                "returns": ["name": "value", "type": "int32"], "message": "{value}",
            ],
            "count": [
                "symbol": "counter_count", "returns": ["name": "alive", "type": "int32"], "message": "{alive}",
            ],
        ]
        for isShared in [false, true] {
            let library = try await ForeignLibrary(functions, objects: objects(isShared))
            let first = try library.instance()
            let second = try library.instance()
            // 100 by the constant and 40 by the file.
            #expect(await first.invoke("test.next", Array("{}".utf8)).result == ["value": 141])
            #expect(await first.invoke("test.next", Array("{}".utf8)).result == ["value": 142])
            let other = await second.invoke("test.next", Array("{}".utf8)).result
            #expect(other == ["value": isShared ? 143 : 141])
            let alive = await second.invoke("test.count", Array("{}".utf8)).result
            #expect(alive == ["alive": isShared ? 1 : 2])
            #expect(await first.drain())
            first.destroy()
            let left = await second.invoke("test.count", Array("{}".utf8)).result
            #expect(left == ["alive": 1])
            #expect(await second.drain())
            second.destroy()
            #expect(try await library.call("count").result == ["alive": 0])
        }
    }
}
