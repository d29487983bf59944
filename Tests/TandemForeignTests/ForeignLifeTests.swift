import CTandemPlugin
import Foundation
import TandemCore
import TandemJSON
import TandemTesting
import Testing

@testable import TandemPluginHost

/// Errors of libraries, calls that wait, cancellation, the examples, and what the adapter refuses by itself.
@Suite(.timeLimit(.minutes(8)))
struct ForeignLifeTests {
    private static let sleep: JSON = [
        "symbol": "sleep_for", "parameters": [["name": "ms", "type": "int32"]],
        "returns": ["name": "inside", "type": "int32"], "message": "{inside}",
    ]
    private static let most: JSON = [
        "symbol": "most_inside", "returns": ["name": "most", "type": "int32"], "message": "{most}",
    ]

    @Test func understandsEachWayOfSayingAnError() async throws {
        func check(_ ok: JSON?) -> JSON {
            var error: JSONObject = ["kind": "code"]
            error["ok"] = ok
            return [
                "symbol": "check", "parameters": [["name": "code", "type": "int32"]],
                "returns": ["name": "result", "type": "int32"], "error": .object(error), "message": "{result}",
            ]
        }
        let library = try await ForeignLibrary([
            "zero": check(nil), "one": check(1), "nonneg": check("nonnegative"), "pos": check("positive"),
            "nonzero": check("nonzero"),
            "errno": [
                "symbol": "need", "parameters": [["name": "value", "type": "int32"]],
                "returns": ["name": "r", "type": "int32"], "error": ["kind": "errno"], "message": "{r}",
            ],
            "out": [
                "symbol": "measure",
                "parameters": [
                    ["name": "value", "type": "double"],
                    ["name": "error", "type": "int32", "direction": "out", "result": false],
                ],
                "returns": ["name": "r", "type": "double"],
                "error": [
                    "kind": "parameter", "parameter": "error",
                    "message": ["symbol": "fixture_last_error", "takes": "nothing"],
                ],
                "message": "{r}",
            ],
        ])
        let expected: [(String, [Int64], [Int64])] = [
            ("zero", [0], [1, -1]), ("one", [1], [0, 2]), ("nonneg", [0, 5], [-1]), ("pos", [5], [0, -1]),
            ("nonzero", [-1, 1], [0]),
        ]
        for (tool, good, bad) in expected {
            for code in good {
                #expect(try await library.call(tool, ["code": .integer(code)]).result == ["result": .integer(code)])
            }
            for code in bad {
                let outcome = try await library.call(tool, ["code": .integer(code)])
                #expect(outcome.errorCode == "library_error")
                #expect(outcome.status == TANDEM_E_REJECTED)
                #expect(try JSON(parsing: outcome.value)["number"] == .integer(code))
            }
        }
        #expect(try await library.call("errno", ["value": 3]).result == ["r": 3])
        #expect(
            try await library.call("errno", ["value": -3]).message
                == "Fixture cannot do that: Numerical argument out of domain.")
        #expect(try await library.call("out", ["value": 2]).result == ["r": 2])
        #expect(try await library.call("out", ["value": 0]).message == "Fixture cannot do that: too small.")
    }

    @Test func callsALibraryFromOneThreadUnlessItIsSafeForMore() async throws {
        for isConcurrent in [false, true] {
            let library = try await ForeignLibrary(["sleep": Self.sleep, "most": Self.most], concurrent: isConcurrent)
            let drivers = [try library.instance(), try library.instance()]
            await withTaskGroup { group in
                for index in 0..<6 {
                    let driver = drivers[index % 2]
                    group.addTask {
                        _ = await driver.invoke(
                            "test.sleep", Array(#"{"ms":250}"#.utf8), timeout: .seconds(600))
                    }
                }
            }
            let most = await drivers[0].invoke("test.most", Array("{}".utf8)).result?["most"]?.int64Value
            #expect(isConcurrent ? (most ?? 0) > 1 : most == 1)
            for driver in drivers {
                #expect(await driver.drain())
                driver.destroy()
            }
        }
    }

    @Test func dropsWhatWaitsAndAnswersWhatRunsWhenCancelled() async throws {
        let library = try await ForeignLibrary([
            "wait": [
                "symbol": "wait_for_writer", "parameters": [["name": "path", "type": "string"]],
                "returns": ["name": "result", "type": "int32"], "message": "{result}",
            ]
        ])
        let path = NSTemporaryDirectory() + "tandem-wait-\(UUID().uuidString)"
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let arguments = Array(#"{"path":"\#(path)"}"#.utf8)
        let driver = try library.instance()
        let running = PluginDriver.makeCallID()
        let waiting = PluginDriver.makeCallID()
        async let first = driver.invoke("test.wait", arguments, call: running, timeout: .seconds(600))
        while !driver.host.isInFlight(running) { await Task.yield() }
        async let second = driver.invoke("test.wait", arguments, call: waiting, timeout: .seconds(600))
        while !driver.host.isInFlight(waiting) { await Task.yield() }
        // Noted as in flight is not yet handed over: cancelling something unknown has no effect.
        let canceller = Task {
            while !Task.isCancelled {
                driver.cancel(waiting)
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        #expect(await second.errorCode == "cancelled")
        canceller.cancel()
        let watchdog = Task {
            while !Task.isCancelled {
                driver.cancel(running, reason: TANDEM_CANCEL_DEADLINE)
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        #expect(await first.errorCode == "deadline_exceeded")
        watchdog.cancel()
        driver.cancel(running)
        // A library cannot be interrupted: the instance is idle once the function has returned.
        let writer = open(path, O_RDWR | O_CLOEXEC)
        defer { close(writer) }
        #expect(await driver.drain(polls: 20_000))
        #expect(driver.host.counts.completions == 2)
        #expect(driver.host.counts.doubleCompletions == 0)
        driver.destroy()
    }

    @Test func doesNotBeginACallWhoseTimeIsOver() async throws {
        let library = try await ForeignLibrary(["sleep": Self.sleep, "most": Self.most])
        let driver = try library.instance()
        let call = PluginDriver.makeCallID()
        let outcome = await driver.host.outcome(of: call) {
            driver.submit("test.sleep", Array(#"{"ms":1}"#.utf8), call: call, deadlineNanoseconds: 1)
        }
        #expect(outcome.errorCode == "deadline_exceeded")
        #expect(await driver.invoke("test.most", Array("{}".utf8)).result == ["most": 0])
        #expect(await driver.drain())
        driver.destroy()
    }

    @Test func refusesUnknownToolsAndCallsBeforeActivate() async throws {
        let library = try await ForeignLibrary(["sleep": Self.sleep])
        let driver = try #require(PluginDriver(plugin: try library.table(), host: HostTable(HostServices())))
        #expect(driver.submit("test.sleep", Array("{}".utf8), call: 1) == TANDEM_E_WRONG_STATE)
        #expect(driver.activate() == TANDEM_OK)
        #expect(driver.submit("test.other", Array("{}".utf8), call: 2) == TANDEM_E_UNSUPPORTED)
        #expect(driver.submit("test.sleep", Array("{}".utf8), call: 3, requestSize: 8) == TANDEM_E_SIZE_TOO_SMALL)
        #expect(driver.submit("test.sleep", Array("{}".utf8), call: 4, flags: 1 << 20) == TANDEM_E_UNSUPPORTED)
        #expect(await driver.invoke("test.sleep", Array("not json".utf8)).errorCode == "invalid_argument")
        #expect(driver.pluginExtension("tandem.health/1") == nil)
        #expect(await driver.drain())
        driver.destroy()
    }

    @Test func saysTheManifestAsCodeWould() async throws {
        let library = try await ForeignLibrary(["sleep": Self.sleep])
        let code = try JSON(parsing: PluginDriver.manifest(of: try library.table()))
        #expect(
            ManifestDifference.pointer(file: library.manifest.document, code: try #require(code.objectValue)) == nil)
    }

    @Test func refusesWhatTheHostWouldHaveRefused() async throws {
        func refusal(_ edit: @escaping (inout JSONObject) -> Void) async throws -> String {
            do {
                _ = try await ForeignLibrary(["sleep": Self.sleep], edit: edit)
                return ""
            } catch let error as ForeignLibrary.Refused {
                return error.reason
            }
        }
        func function(_ json: JSON) -> (inout JSONObject) -> Void {
            return { $0["foreign"] = ["library": ["file": "libfixture.so"], "functions": ["test.sleep": json]] }
        }
        #expect(try await refusal { $0["foreign"] = nil }.contains("no foreign section"))
        #expect(try await refusal { $0["files"] = [:] }.contains("not part of the bundle"))
        #expect(
            try await refusal {
                $0["files"] = ["libfixture.so": .string("sha256:" + String(repeating: "0", count: 64))]
            }
            .contains("checksum"))
        #expect(try await refusal(function(["symbol": "no_such"])).contains("no function no_such"))
        #expect(
            try await refusal(function(["symbol": "blob", "parameters": [["type": "quad"]]])).contains("unknown type"))
        #expect(
            try await refusal(
                function([
                    "symbol": "blob",
                    "parameters": [["name": "a", "type": "bytes", "direction": "out", "borrowed": true]],
                ])
            ).contains("whose length nothing tells"))
        #expect(
            try await refusal(
                function(["symbol": "check", "error": ["kind": "code"], "returns": ["type": "double"]])
            ).contains("no integer"))
        #expect(
            try await refusal { $0["foreign"] = ["library": ["system": "/lib/libm.so.6"], "functions": [:]] }
                .contains("no path"))
    }

    @Test func doesSumsWithLibm() async throws {
        let sums = try ForeignLibrary(example: "ManifestSums", files: [])
        #expect(try await sums.call("sums.diagonal", ["width": 3, "height": 4]).message == "The diagonal is 5.")
        #expect(
            try await sums.call("sums.growth", ["percent": 5, "years": 10]).message
                == "100 become 162.89 after 10 years at 5 percent.")
        let hours = try await sums.call("sums.hours", ["decimal": 7.75])
        #expect(hours.result == ["hours": 7, "minutes": 45])
        #expect(hours.message == "7.75 hours are 7 h 45 min.")
        #expect(try await sums.call("sums.box", ["litres": 27]).message == "Each edge is 30 cm.")
        #expect(try await sums.call("sums.root", ["number": 2]).message == "The square root of 2 is 1.41421.")
        let none = try await sums.call("sums.root", ["number": -2])
        #expect(none.errorCode == "library_error")
        #expect(none.message == "There is no square root of -2.")
        #expect(try await sums.call("sums.growth", ["percent": 1000, "years": 400]).errorCode == "not_finite")
    }

    @Test func spellsWithHunspell() async throws {
        let spelling = try ForeignLibrary(
            example: "ManifestSpelling", files: ["/usr/share/hunspell/en_US.aff", "/usr/share/hunspell/en_US.dic"])
        #expect(
            try await spelling.call("spelling.check", ["word": "receive"]).message == "Yes, receive is spelled right.")
        #expect(try await spelling.call("spelling.check", ["word": "recieve"]).result == ["correct": false])
        let outcome = try await spelling.call("spelling.suggest", ["word": "definately"])
        #expect(outcome.result?["suggestions"]?.arrayValue?.contains("definitely") == true)
        #expect(outcome.message.contains("definitely"))
        #expect(
            try await spelling.call("spelling.suggest", ["word": "xqzzkjwv"]).message == "I know no word like xqzzkjwv."
        )
    }
}
