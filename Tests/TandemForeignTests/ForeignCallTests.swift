import CTandemPlugin
import TandemJSON
import TandemTesting
import Testing

/// Calls of plain C functions: every way in and out.
@Suite(.timeLimit(.minutes(8)))
struct ForeignCallTests {
    private static func sum(_ symbol: String, _ type: String) -> JSON {
        let parameter: (String) -> JSON = { ["name": .string($0), "type": .string(type)] }
        return [
            "symbol": .string(symbol), "parameters": [parameter("a"), parameter("b")],
            "returns": ["name": "sum", "type": .string(type)], "message": "{sum}",
        ]
    }

    @Test(arguments: [
        ("add8", "int8", -100, -28, -128), ("add16", "int16", -30000, 29999, -1),
        ("add32", "int32", -2_147_483_648, 1, -2_147_483_647), ("add64", "int64", Int64.max - 1, 1, Int64.max),
        ("addu8", "uint8", 200, 55, 255), ("addu16", "uint16", 65000, 535, 65535),
        ("addu32", "uint32", 4_000_000_000, 5, 4_000_000_005), ("addu64", "uint64", Int64.max - 1, 1, Int64.max),
    ])
    func passesIntegersOfEachWidth(symbol: String, type: String, a: Int64, b: Int64, sum: Int64) async throws {
        let library = try await ForeignLibrary(["add": Self.sum(symbol, type)])
        let outcome = try await library.call("add", ["a": .integer(a), "b": .integer(b)])
        #expect(outcome.result == ["sum": .integer(sum)])
        #expect(outcome.message == String(sum))
    }

    @Test func refusesIntegersThatDoNotFit() async throws {
        let library = try await ForeignLibrary(["add": Self.sum("add8", "int8"), "wide": Self.sum("addu64", "uint64")])
        for arguments: JSON in [
            ["a": 128, "b": 0], ["a": 0, "b": -129], ["a": 1.5, "b": 0], ["a": "1", "b": 0], ["a": 1],
        ] {
            #expect(try await library.call("add", arguments).errorCode == "invalid_argument")
        }
        #expect(try await library.call("wide", ["a": -1, "b": 0]).errorCode == "invalid_argument")
        #expect(try await library.call("add", ["a": 2.0, "b": 1]).result == ["sum": 3])
    }

    @Test func passesFloatsDoublesAndTruthValues() async throws {
        let library = try await ForeignLibrary([
            "f": Self.sum("addf", "float"), "d": Self.sum("addd", "double"),
            "b": [
                "symbol": "both",
                "parameters": [["name": "a", "type": "bool"], ["name": "b", "type": "bool"]],
                "returns": ["name": "both", "type": "bool"], "message": "{both}",
            ],
        ])
        #expect(try await library.call("f", ["a": 0.5, "b": 0.25]).result == ["sum": 0.75])
        #expect(try await library.call("f", ["a": 1e39, "b": 0]).errorCode == "invalid_argument")
        let outcome = try await library.call("d", ["a": 0.1, "b": 0.2])
        #expect(outcome.result == ["sum": 0.30000000000000004])
        #expect(outcome.message == "0.3")
        #expect(try await library.call("b", ["a": true, "b": true]).message == "yes")
        #expect(try await library.call("b", ["a": true, "b": false]).result == ["both": false])
    }

    @Test func passesMoreThanFitsIntoRegisters() async throws {
        let types = [
            "int32", "double", "int64", "double", "uint8", "double", "int16", "double", "uint32", "double", "int64",
            "double", "uint16", "double", "double", "double",
        ]
        var parameters: [JSON] = []
        var arguments: JSONObject = [:]
        for (index, type) in types.enumerated() {
            parameters.append(["name": .string("p\(index)"), "type": .string(type)])
            arguments["p\(index)"] = .integer(Int64(index + 1))
        }
        let library = try await ForeignLibrary([
            "many": [
                "symbol": "many", "parameters": .array(parameters), "returns": ["name": "sum", "type": "double"],
                "message": "{sum}",
            ]
        ])
        #expect(try await library.call("many", .object(arguments)).result == ["sum": 136])
    }

    @Test func answersWithAnErrorInsteadOfNumbersThatAreNone() async throws {
        func function(_ symbol: String, _ type: String) -> JSON {
            ["symbol": .string(symbol), "returns": ["name": "r", "type": .string(type)], "message": "{r}"]
        }
        let library = try await ForeignLibrary([
            "nan": function("nothing", "double"), "inf": function("beyond", "double"),
            "huge": function("huge", "uint64"),
        ])
        #expect(try await library.call("nan").errorCode == "not_finite")
        #expect(try await library.call("inf").errorCode == "not_finite")
        #expect(try await library.call("huge").errorCode == "out_of_range")
    }

    @Test func scalesUnitsAndWritesNumbersForPeople() async throws {
        let library = try await ForeignLibrary([
            "f": [
                "symbol": "addd",
                "parameters": [
                    ["name": "a", "type": "double", "scale": 0.01, "offset": 1], ["type": "double", "constant": 0.5],
                ],
                "returns": ["name": "r", "type": "double", "scale": 100, "decimals": 1], "message": "{{{r}}} of {a}",
            ]
        ])
        let outcome = try await library.call("f", ["a": 25])
        #expect(outcome.result == ["r": 175])
        #expect(outcome.message == "{175} of 25")
        #expect(try await library.call("f", ["a": 25.26]).message == "{175.3} of 25.26")
    }

    @Test func givesOutAndInOutNumbersAtTheirPlaces() async throws {
        let library = try await ForeignLibrary([
            "divide": [
                "symbol": "divide",
                "parameters": [
                    ["name": "a", "type": "int32", "argument": "/of/number"],
                    ["name": "b", "type": "int32", "argument": "/of/by", "default": 10],
                    ["name": "quotient", "type": "int32", "direction": "out", "result": "/parts/whole"],
                    ["name": "rest", "type": "int16", "direction": "out", "result": "/parts/rest"],
                ],
                "message": "{whole} rest {rest} ({number} by {b})",
            ],
            "twice": [
                "symbol": "twice", "parameters": [["name": "value", "type": "int64", "direction": "inout"]],
                "message": "{value}",
            ],
        ])
        let outcome = try await library.call("divide", ["of": ["number": 47]])
        #expect(outcome.result == ["parts": ["whole": 4, "rest": 7]])
        #expect(outcome.message == "4 rest 7 (47 by 10)")
        #expect(try await library.call("twice", ["value": 21]).result == ["value": 42])
    }

    @Test func turnsWordsIntoNumbersAndBack() async throws {
        let library = try await ForeignLibrary([
            "mode": [
                "symbol": "mode",
                "parameters": [["name": "how", "type": "int32", "values": ["gentle": 1, "strict": 2]]],
                "returns": ["name": "was", "type": "int32", "values": ["mild": 10, "hard": 20]], "message": "{was}",
            ],
            "raw": [
                "symbol": "mode", "parameters": [["name": "how", "type": "int32"]],
                "returns": ["name": "was", "type": "int32", "values": ["mild": 10]], "message": "{was}",
            ],
        ])
        #expect(try await library.call("mode", ["how": "strict"]).result == ["was": "hard"])
        #expect(try await library.call("mode", ["how": "other"]).errorCode == "invalid_argument")
        #expect(try await library.call("raw", ["how": 3]).errorCode == "unknown_value")
    }
}
