import Synchronization
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// A plugin in Swift that uses every service, in the real host and in both modes.
@Suite(.timeLimit(.minutes(8)))
struct SwiftServiceTests {
    private struct Rig {
        let test: TestHost
        let memory = MemoryServices()

        init(_ isolation: String) async throws {
            test = try TestHost(memory: memory)
            _ = try await test.pack("pantry", library: FixtureLibrary.buildFolder + "/libPantryFixture.so")
            try test.register(["pantry"]) { _, entry in entry["isolation"] = .string(isolation) }
            await test.host.start()
            try #require(test.host.statuses().allSatisfy { $0.state == .loaded }, "\(test.host.statuses())")
        }

        var place: PluginPlace { PluginPlace(plugin: "test.pantry", scope: test.scope()) }

        func value(_ tool: String, _ arguments: JSON = [:]) async -> JSON? {
            let outcome = await test.call("pantry.\(tool)", arguments)
            if outcome.result == nil { Issue.record("\(tool): \(outcome)") }
            return outcome.result?.value
        }

        func message(_ tool: String, _ arguments: JSON = [:]) async -> String? {
            let outcome = await test.call("pantry.\(tool)", arguments)
            if outcome.result == nil { Issue.record("\(tool): \(outcome)") }
            return outcome.result?.message
        }

        func code(_ tool: String, _ arguments: JSON = [:]) async -> String? {
            await test.call("pantry.\(tool)", arguments).error?.code
        }
    }

    @Test(arguments: ["in-process", "runner"])
    func keepsValues(isolation: String) async throws {
        let rig = try await Rig(isolation)
        #expect(await rig.value("note", ["key": "a", "text": "milk", "version": 0]) == 1)
        #expect(await rig.code("note", ["key": "a", "text": "x", "version": 0]) == "version_conflict")
        #expect(await rig.value("look", ["key": "a"]) == ["text": "milk", "version": 1])
        #expect(await rig.code("look", ["key": "b"]) == "not_found")
        for count in 1...3 { #expect(await rig.value("visit") == .integer(Int64(count))) }
        #expect(await rig.value("keys") == ["a", "visits"])
        #expect(await rig.message("keys") == "2 of 20, 400 bytes")
        #expect(await rig.value("forget", ["key": "a"]) == true)
        #expect(
            await rig.code("note", ["key": "b", "text": .string(String(repeating: "x", count: 500))]) == "over_quota")
    }

    @Test(arguments: ["in-process", "runner"])
    func readsSecretsAndCounts(isolation: String) async throws {
        let rig = try await Rig(isolation)
        let asked = await rig.test.call("pantry.unlock")
        guard case .authRequired(let grant, _) = asked else {
            Issue.record("\(asked)")
            return
        }
        #expect(grant == "api_key")
        rig.memory.state.withLock { $0.secrets[rig.place] = ["api_key": Array("hunter2".utf8)] }
        #expect(await rig.message("unlock") == "Secret of api_key, 7")
        #expect(await rig.message("visit") == "true true")
        let registry = MetricsRegistry()
        registry.collection("plugins") { rig.test.host.metricSnapshots() }
        let text = String(decoding: registry.exposition(), as: UTF8.self)
        #expect(text.contains(#"tandem_plugin_pantry_visits_total{time="day"} 1"#))
        #expect(text.contains("tandem_plugin_pantry_shelves 3"))
        #expect(text.contains(#"tandem_plugin_pantry_search_seconds_bucket{le="1"} 1"#))
    }

    @Test(arguments: ["in-process", "runner"])
    func setsTimersAndIsCalledByThem(isolation: String) async throws {
        let rig = try await Rig(isolation)
        let due = try #require(await rig.value("remind", ["item": "milk", "days": 7])?.stringValue)
        #expect(Timestamp(due) != nil)
        let plan = try #require(rig.memory.state.withLock { $0.timers[rig.place]?.first })
        #expect(plan.handler == "pantry.restock")
        #expect(plan.repeats == .days(7))
        #expect(plan.data == ["item": "milk"])
        #expect(await rig.value("reminders")?.arrayValue?.count == 1)
        let outcome = await rig.test.host.deliver(
            HandlerCall(
                plugin: "test.pantry", handler: plan.handler,
                arguments: ["timer": "milk", "dueAt": .string(due), "missed": 2, "data": .object(plan.data)],
                origin: WriteOrigin(turn: rig.test.turn, step: 2), idempotencyKey: "timer"), in: rig.test.scope())
        guard case .done = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(await rig.value("look", ["key": "restocked"])?["text"] == .string("milk milk \(due) 2 false"))
        #expect(await rig.value("halt", ["item": "milk"]) == true)
        #expect(await rig.value("halt", ["item": "milk"]) == false)
    }

    @Test(arguments: ["in-process", "runner"])
    func publishesAndHearsEvents(isolation: String) async throws {
        let rig = try await Rig(isolation)
        #expect(await rig.message("buy", ["items": ["milk"]]) == "1 2")
        let event = try #require(rig.memory.state.withLock { $0.events.first?.1 })
        #expect(event.topic == "pantry.bought")
        #expect(event.data == ["items": ["milk"]])
        #expect(event.key == "key")
        let outcome = await rig.test.host.deliver(
            HandlerCall(
                plugin: "test.pantry", handler: "pantry.on_bought",
                arguments: [
                    "event": "712", "topic": "shop.sold", "publishedAt": "2026-11-21T10:00:00.000Z",
                    "data": ["items": ["rice"], "price": 3],
                ],
                origin: WriteOrigin(turn: rig.test.turn, step: 2), idempotencyKey: "event", eventDepth: 1),
            in: rig.test.scope())
        guard case .done = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(await rig.value("look", ["key": "came in"])?["text"] == "shop.sold: rice")
        #expect(rig.memory.state.withLock { $0.events.last?.1.depth } == 2)
    }

    @Test(arguments: ["in-process", "runner"])
    func asksTheMemory(isolation: String) async throws {
        let rig = try await Rig(isolation)
        #expect(await rig.value("recall") == ["no nuts"])
        #expect(rig.memory.state.withLock { $0.recalls.map(\.kinds) } == [["preference"]])
        #expect(await rig.message("suggest", ["text": "I am allergic"]) == "waiting")
        #expect(await rig.message("suggest", ["text": "known"]) == "known")
        #expect(await rig.code("suggest", ["text": "x", "kind": "identity"]) == "not_granted")
    }

    @Test(arguments: ["in-process", "runner"])
    func answersTheHost(isolation: String) async throws {
        let rig = try await Rig(isolation)
        let (host, scope) = (rig.test.host, rig.test.scope())
        #expect(try await host.health(of: "pantry", in: scope).status == .ok)
        #expect(try await host.diagnostics(of: "pantry", in: scope)["says"] == ["notes": 0])
        let verdict = try await host.check(settings: ["shelf_count": 101], of: "pantry", in: scope)
        #expect(verdict.problems == [.init(name: "shelf_count", message: "Nobody has so many.")])
        #expect(try await host.check(settings: ["shop": "nowhere"], of: "pantry", in: scope).isUntested)
        #expect(try await host.change(settings: ["shelf_count": 9], of: "pantry", in: scope).problems.isEmpty)
    }

    @Test(arguments: ["in-process", "runner"])
    func migrates(isolation: String) async throws {
        let rig = try await Rig(isolation)
        rig.memory.state.withLock { state in
            state.versions[rig.place] = "1.1.0"
            state.person[rig.place] = ["shelves": 9]
        }
        #expect(await rig.value("look", ["key": "migrated"])?["text"] == "1.1.0 to 1.2.0")
        #expect(rig.memory.state.withLock { $0.person[rig.place] } == ["shelf_count": 9])
    }
}
