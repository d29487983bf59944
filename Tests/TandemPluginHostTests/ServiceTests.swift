import Synchronization
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// The host extensions as a plugin in C meets them.
@Suite(.timeLimit(.minutes(8)))
struct ServiceTests {
    private func start(
        _ mode: RegistryEntry.Isolation, settings: any PluginSettings = DefaultSettings(),
        person: @escaping @Sendable (UserScope) -> PersonContext = { _ in PersonContext() },
        edit: (String, inout JSONObject) -> Void = { _, _ in }
    ) async throws -> TestHost {
        let test = try TestHost(settings: settings, person: person)
        try await test.pack("services", "services")
        try await test.pack("echo", "echo")
        try test.register(["services", "echo"]) { name, entry in
            entry["isolation"] = .string(mode.rawValue)
            edit(name, &entry)
        }
        await test.host.start()
        #expect(test.host.statuses().allSatisfy { $0.state == .loaded }, "\(test.host.statuses())")
        return test
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func grantsWhatTheManifestAsksForAndNoMore(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let value = try #require(await test.call("services.extensions").result?.value)
        for name in ["rows", "tools", "clock", "config", "log"] { #expect(value[name] == 1) }
        #expect(value["unknown"] == 0)
        // Host services before activate.
        #expect(value["logInCreate"] == -3)
        #expect(value["rowsInCreate"] == -3)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func staysBelowTheCeilingOfTheRegistry(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(
            mode,
            edit: { name, entry in
                if name == "services" { entry["ceiling"] = ["extensions": ["tandem.config/1"]] }
            })
        let value = try #require(await test.call("services.extensions").result?.value)
        #expect(value["rows"] == 0)
        #expect(value["tools"] == 0)
        #expect(value["config"] == 1)
        #expect(value["clock"] == 1)
        #expect(value["log"] == 1)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func executesRowsForThePersonAndTheCall(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        test.rows.answer { _ in .success([["id": "5"]]) }
        let operations: JSON = [["insert": "things", "values": ["label": "x"]]]
        let value = await test.call("services.rows", ["value": operations], user: 9).result?.value
        #expect(value == ["status": 0, "result": [["id": "5"]]])
        let request = try #require(test.rows.requests.first)
        #expect(request.operations == operations)
        #expect(request.owner == "test.services")
        #expect(request.scope == test.scope(9))
        #expect(request.origin == WriteOrigin(turn: test.turn, step: 1))
        #expect(request.mayWrite)
        #expect(request.quota == .standard)
        #expect(test.rows.prepared["test.services"]?.map(\.name) == ["things"])
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func letsReadOnlyCallsWriteNothing(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        _ = await test.call("services.read_rows", ["value": []])
        _ = await test.call("services.rows", ["value": []], effect: .read)
        _ = await test.call("services.rows", ["value": []], effect: .write)
        #expect(test.rows.requests.map(\.mayWrite) == [false, false, true])
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func reportsRowFailures(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        test.rows.answer { _ in
            .failure(RowFailure(status: -9, code: "unique", operation: 0, column: "label", message: "is there already"))
        }
        let value = await test.call("services.rows", ["value": []]).result?.value
        #expect(value?["status"] == -9)
        #expect(value?["result"]?["code"] == "unique")
        #expect(value?["result"]?["operation"] == 0)
        #expect(try test.status("test.services").counters.rowRefusals == 1)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func refusesMalformedAndTooLargeRowRequests(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let malformed = await test.call("services.rows", ["other": 1]).error
        #expect(malformed?.code == "invalid_arguments")
        // No value: the plugin sends what is left of `{}`, which is no JSON.
        let empty = await test.call("services.rows", ["value": ""]).result?.value
        #expect(empty?["status"] == 0)
        #expect(await test.call("services.rows_big").result?.value == ["status": -25])
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func answersRowsOfAnEndedCallAsStale(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("services.rows_after").result != nil)
        // Whatever arrived, arrived before the call was over.
        #expect(await test.call("services.rows", ["value": []]).result != nil)
        #expect(test.rows.requests.count == 1)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func returnsOnlyWhenTheCallsRowsAreDone(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let gate = OneShot<Void>()
        let flag = Flag()
        test.rows.answer { _ in
            await gate.value()
            flag.set()
            return .success([])
        }
        let task = Task {
            let outcome = await test.call("services.rows_late")
            return (outcome.result != nil, flag.isSet)
        }
        #expect(await eventually { test.rows.requests.count == 1 })
        gate.resolve(())
        #expect(await task.value == (true, true))
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func callsDeclaredToolsThroughTheMediator(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let mediator = RecordingMediator(test.host)
        #expect(await test.call("services.other", ["value": 1]).result?.value == ["status": -62])
        test.host.setMediator(mediator)
        let value = await test.call("services.other", ["value": 1]).result?.value
        #expect(value?["status"] == 0)
        #expect(value?["kind"] == 1)
        #expect(value?["value"] == ["value": 1])
        let inner = try #require(mediator.calls.last)
        #expect(inner.tool == "echo.run")
        #expect(inner.depth == 1)
        #expect(inner.origin == WriteOrigin(turn: test.turn, step: 1))
        #expect(inner.idempotencyKey == "key/1")
        // Not declared in the manifest.
        #expect(await test.call("services.other_undeclared", ["value": 1]).result?.value == ["status": -40])
        #expect(await test.call("services.other", ["value": 1], depth: 4).result?.value == ["status": -21])
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func countsAllCallsThatFollowFromOne(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let mediator = RecordingMediator(test.host)
        test.host.setMediator(mediator)
        let following = InnerCallCount()
        for _ in 0..<(ToolsExtension.maxFollowing - 1) {
            let isCounted = following.begin(atMost: ToolsExtension.maxFollowing)
            #expect(isCounted)
        }
        let last = await test.call("services.other", ["value": 1], depth: 1, innerCalls: following).result?.value
        #expect(last?["status"] == 0)
        // Those of the tool that was called are counted with it.
        #expect(mediator.calls.last?.innerCalls === following)
        let over = await test.call("services.other", ["value": 1], depth: 1, innerCalls: following).result?.value
        #expect(over == ["status": -21])
        #expect(await test.call("services.other", ["value": 1]).result?.value["status"] == 0)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func passesReadOnlyOnToInnerCalls(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let mediator = RecordingMediator(test.host)
        test.host.setMediator(mediator)
        _ = await test.call("services.other", ["value": 1], effect: .read)
        #expect(mediator.calls.last?.allowedEffect == .read)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func tellsAvailabilityOfDeclaredToolsOnly(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("services.available").result?.value == ["declared": 1, "other": 0])
        try await test.host.switchOff("echo", in: test.scope())
        // The grants in memory are read again by the call itself.
        #expect(await test.call("services.available").result?.value == ["declared": 0, "other": 0])
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func tellsTimeAndPlace(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(
            mode,
            person: { scope in
                PersonContext(
                    timeZone: scope.user.rawValue == 2 ? "Asia/Tokyo" : "Europe/Paris", currency: "JPY", language: "ja",
                    utcOffsetSeconds: { $0 == 1000 ? 32_400 : 0 })
            })
        let value = await test.call("services.clock", user: 2).result?.value
        #expect(value?["now"]?.int64Value == test.clock.now.millisecondsSinceEpoch)
        #expect(value?["offset"] == 32_400)
        #expect(value?["locale"] == ["timeZone": "Asia/Tokyo", "currency": "JPY", "language": "ja"])
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func mergesSettingsAndLeavesOutWhatBreaksTheSchema(mode: RegistryEntry.Isolation) async throws {
        let settings = FixedSettings(
            operatorValues: ["limit": 9], people: [1: ["mode": "fast"], 2: ["limit": "many"]])
        let test = try await start(mode, settings: settings)
        #expect(
            await test.call("services.config").result?.value
                == ["generation": 1, "values": ["limit": 9, "mode": "fast"]])
        #expect(
            await test.call("services.config", user: 2).result?.value
                == ["generation": 1, "values": ["limit": 9, "mode": "plain"]])
        settings.set([1: ["mode": "slow"]])
        await test.host.settingsChanged(of: "test.services", in: test.scope())
        #expect(
            await test.call("services.config").result?.value
                == ["generation": 2, "values": ["limit": 9, "mode": "slow"]])
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func logsWithinLimits(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        #expect(await test.call("services.log").result?.value == [0, -1, -1, -1])
        _ = await test.call("services.flood")
        let counters = try test.status("test.services").counters
        #expect(counters.logLinesDropped >= 700)
        #expect(counters.logLines <= 300)
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func answersRevokedOnceThePluginIsOff(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        let gate = OneShot<Void>()
        test.rows.answer { _ in
            await gate.value()
            return .success([])
        }
        let task = Task { await test.call("services.rows", ["value": []]) }
        #expect(await eventually { test.rows.requests.count == 1 })
        try await test.host.switchOff("test.services", in: test.scope())
        gate.resolve(())
        // What ran already is not taken back.
        #expect(await task.value.result?.value["status"] == 0)
        #expect(await test.call("services.rows", ["value": []]).error?.code == "not_enabled")
    }

    @Test(arguments: RegistryEntry.Isolation.allCases)
    func leavesNoBufferBehind(mode: RegistryEntry.Isolation) async throws {
        let test = try await start(mode)
        for _ in 0..<50 { _ = await test.call("services.config") }
        for _ in 0..<50 { _ = await test.call("services.rows", ["value": []]) }
        // Other tests run at the same time and give buffers, too, but none for long.
        #expect(await eventually { HostBuffer.outstanding.load(ordering: .relaxed) <= 2 })
    }
}

final class Flag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { value.withLock { $0 } }

    func set() { value.withLock { $0 = true } }
}

/// Mediates by calling the host, and records.
final class RecordingMediator: ToolMediator {
    private let recorded = Mutex<[ToolCall]>([])
    private let host: PluginHost

    init(_ host: PluginHost) { self.host = host }

    var calls: [ToolCall] { recorded.withLock { $0 } }

    func mediate(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome {
        recorded.withLock { $0.append(call) }
        return await host.call(call, in: scope)
    }

    func isAvailable(tool: String, in scope: UserScope) async -> Bool { true }
}

final class FixedSettings: PluginSettings {
    private let values: JSONObject
    private let people: Mutex<[Int64: JSONObject]>

    init(operatorValues: JSONObject, people: [Int64: JSONObject]) {
        values = operatorValues
        self.people = Mutex(people)
    }

    func set(_ new: [Int64: JSONObject]) { people.withLock { $0 = new } }

    func operatorValues(plugin: String) -> JSONObject { plugin == "test.services" ? values : [:] }

    func personValues(plugin: String, in scope: UserScope) async throws -> JSONObject {
        people.withLock { $0[scope.user.rawValue] ?? [:] }
    }
}
