import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// Manifest-only plugins of a library that does not do what the manifest says: always in a runner, so nobody else is hurt.
@Suite(.serialized)
struct WildLibraryTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var function: JSONObject
        /// The failure's code, or none of them: a value.
        var codes: [String] = []
        /// What an operator reads.
        var evidence = ""
        var value: JSON?

        var testDescription: String { name }
    }

    private static let gone = ["plugin_unavailable", "unavailable"]
    private static let text: JSON = ["name": "text", "type": "string", "borrowed": true]
    private static func buffer(_ symbol: String) -> JSONObject {
        [
            "symbol": .string(symbol),
            "parameters": [
                ["name": "out", "type": "string", "direction": "out", "capacity": 32],
                ["type": "uint32", "capacityOf": "out"],
            ],
        ]
    }

    static let all: [Case] = [
        Case(
            name: "text without an end", function: ["symbol": "unended", "returns": text], codes: gone,
            evidence: "SIGSEGV"),
        Case(name: "a null pointer", function: ["symbol": "nothing", "returns": text], codes: ["no_result"]),
        Case(
            name: "a wild pointer", function: ["symbol": "nowhere", "returns": text], codes: gone, evidence: "SIGSEGV"),
        Case(
            name: "a release of what was only lent",
            function: ["symbol": "lent", "returns": ["name": "text", "type": "string", "release": "free"]], codes: gone,
            evidence: "SIGABRT"),
        Case(
            name: "a length without an end",
            function: [
                "symbol": "endless", "parameters": [["type": "uint64", "direction": "out", "lengthOf": "data"]],
                "returns": ["name": "data", "type": "bytes", "encoding": "base64", "release": "free"],
            ], codes: ["too_large"]),
        Case(name: "a buffer overrun", function: buffer("overruns"), codes: gone, evidence: "SIGABRT"),
        Case(name: "a buffer without a NUL", function: buffer("fills"), codes: ["too_large"]),
        Case(
            name: "a wrong signature",
            function: [
                "symbol": "length_of", "parameters": [["name": "text", "type": "int64", "constant": 5]],
                "returns": ["name": "length", "type": "int64"],
            ], codes: gone, evidence: "SIGSEGV"),
        Case(
            name: "no number", function: ["symbol": "undefined", "returns": ["name": "x", "type": "double"]],
            codes: ["not_finite"]),
        Case(
            name: "an infinite number", function: ["symbol": "beyond", "returns": ["name": "x", "type": "double"]],
            codes: ["not_finite"]),
        Case(
            name: "no return", function: ["symbol": "forever"], codes: gone + ["timeout", "deadline_exceeded"],
            evidence: "SIGABRT"),
        Case(name: "an exit", function: ["symbol": "quits"], codes: gone, evidence: "ended by itself"),
        Case(
            name: "ways out", function: ["symbol": "breaks_out", "returns": ["name": "worked", "type": "int32"]],
            value: ["worked": 0]),
        Case(
            name: "a crash on another thread",
            function: ["symbol": "crashes_later", "returns": ["name": "x", "type": "int32"]], codes: ["any"],
            evidence: "SIGSEGV"),
    ]

    private static func manifest(_ function: JSONObject, more: JSONObject = [:]) -> JSONObject {
        var function = function
        function["message"] = "Done."
        var manifest: JSONObject = [
            "foreign": ["library": ["file": "libwild.so"], "functions": ["hostile.run": .object(function)]]
        ]
        for (key, value) in more { manifest[key] = value }
        return manifest
    }

    private static func host(_ function: JSONObject, more: JSONObject = [:]) async throws -> HostileHost {
        try await HostileHost("library/wild", manifest: manifest(function, more: more))
    }

    @Test(.timeLimit(.minutes(8)), arguments: all)
    func harmsNobodyElse(_ wild: Case) async throws {
        let test = try await Self.host(wild.function)
        await test.host.start()
        #expect(try test.status().refusal == nil, "\(test.evidence())")
        let load = try await SteadyLoad(test)
        let scope = test.person()
        try await test.switchOn("hostile", for: scope)
        for _ in 0..<2 {
            var outcome = await test.call("hostile.run", in: scope)
            if case .failure(let failure) = outcome, failure.code == "unavailable" {
                try await Task.sleep(for: .milliseconds(50))
                outcome = await test.call("hostile.run", in: scope)
            }
            switch outcome {
            case .value(let value): if !wild.codes.contains("any") { #expect(value.value == wild.value) }
            case .failure(let failure):
                #expect(wild.codes.contains(failure.code) || wild.codes.contains("any"), "\(failure)")
            default: Issue.record("\(outcome)")
            }
        }
        if !wild.evidence.isEmpty {
            let isSeen = await eventually {
                if test.evidence().contains(wild.evidence) { return true }
                // A library that does not return is given up with the next call.
                _ = await test.call("hostile.run", in: scope)
                return false
            }
            #expect(isSeen, "\(test.evidence())")
        } else {
            #expect(try test.status().runner?.crashes == 0)
        }
        await load.stop()
        #expect(load.failures.isEmpty, "\(load.failures.prefix(3))")
        await test.end()
    }

    @Test(.timeLimit(.minutes(8)))
    func entersALibraryOnceAtATime() async throws {
        let test = try await Self.host(
            ["symbol": "unsafe_work", "returns": ["name": "most", "type": "int32"]],
            more: ["limits": ["maxInFlight": 64]])
        await test.host.start()
        #expect(try test.status().refusal == nil, "\(test.evidence())")
        let scope = test.person()
        try await test.switchOn("hostile", for: scope)
        let values = await withTaskGroup(of: JSON?.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    guard case .value(let value) = await test.call("hostile.run", in: scope) else { return nil }
                    return value.value
                }
            }
            return await group.reduce(into: [JSON?]()) { $0.append($1) }
        }
        #expect(values == Array(repeating: ["most": 1], count: 64))
        await test.end()
    }

    private static let impossible: [(JSONObject, String)] = [
        (["symbol": "absent"], "does not export the function absent"),
        (
            ["symbol": "lent", "returns": ["name": "text", "type": "string", "release": "give_back"]],
            "does not export the function give_back"
        ),
        (["symbol": "nothing", "returns": ["name": "x", "type": "struct"]], "/returns/type: must be one of"),
        (["symbol": "nothing", "parameters": [["type": "callback"]]], "/parameters/0/type: must be one of"),
        (["symbol": "nothing", "variadic": true], "variadic: "),
        (
            [
                "symbol": "fills",
                "parameters": [["name": "out", "type": "string", "direction": "out", "capacity": 1_073_741_824]],
            ], "/capacity: "
        ),
    ]

    /// What is wrong is said when the plugin is loaded, not when somebody calls it.
    @Test(.timeLimit(.minutes(8)), arguments: impossible)
    func saysWhatCannotBeCalled(_ function: JSONObject, _ reason: String) async throws {
        let test = try await Self.host(function)
        await test.host.start()
        #expect(try test.status().refusal != nil)
        #expect(test.evidence().contains(reason), "\(test.evidence())")
        await test.end()
    }
}
