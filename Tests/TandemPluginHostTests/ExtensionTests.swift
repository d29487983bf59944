import Synchronization
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// The newer extensions as a plugin in C meets them: what is checked before a service is asked.
@Suite(.timeLimit(.minutes(8)))
struct ExtensionTests {
    private struct Rig {
        let test: TestHost
        let memory = MemoryServices()

        init(
            _ isolation: String, _ names: [String] = ["extensions"],
            edit: (String, inout JSONObject) -> Void = { _, _ in }
        ) async throws {
            test = try TestHost(memory: memory)
            for name in names { try await test.pack(name, name) }
            try test.register(names) { name, entry in
                entry["isolation"] = .string(isolation)
                edit(name, &entry)
            }
            await test.host.start()
            try #require(test.host.statuses().allSatisfy { $0.state == .loaded }, "\(test.host.statuses())")
        }

        /// What a function answers at once, or what its `done` said.
        func use(_ words: String, tool: String = "do", user: Int64 = 1) async throws -> JSON {
            let outcome = await test.call("extensions.\(tool)", ["value": .string(words)], user: user)
            return try #require(outcome.result?.value, "\(outcome)")
        }

        func status(_ words: String, tool: String = "do") async throws -> Int64? {
            let answer = try await use(words, tool: tool)
            return (answer["status"] ?? answer["done"])?.int64Value
        }

        func place(_ user: Int64 = 1) -> PluginPlace {
            PluginPlace(plugin: "test.extensions", scope: test.scope(user))
        }
    }

    // MARK: tandem.kv/1

    @Test(arguments: ["in-process", "runner"])
    func keepsValuesOfThePluginAndThePerson(isolation: String) async throws {
        let rig = try await Rig(isolation)
        let first = try await rig.use("kv.set a hello 0 0")
        #expect(first == ["done": 0, "version": "1", "expires": 0, "bytes": ""])
        #expect(try await rig.use("kv.get a") == ["done": 0, "version": "1", "expires": 0, "bytes": "68656c6c6f"])
        #expect(try await rig.status("kv.get b") == -8)
        #expect(try await rig.use("kv.get a", user: 2)["done"] == -8)
        #expect(try await rig.use("kv.set a again 0 0") == ["done": -9, "version": "1", "expires": 0, "bytes": ""])
        #expect(try await rig.use("kv.set a again 1 0")["version"] == "2")
        // The plugin's notebook, not the person's data: also in a call that only reads.
        #expect(try await rig.status("kv.put b x", tool: "look") == 0)
        let list = try await rig.use("kv.list")
        #expect(list["result"]?["entries"]?.arrayValue?.compactMap { $0["key"]?.stringValue } == ["a", "b"])
        #expect(list["result"]?["more"] == false)
        #expect(try await rig.use("kv.usage")["result"]?["quota"] == ["entries": 1000, "bytes": 1_048_576])
        #expect(try await rig.status("kv.remove a 2") == 0)
        #expect(try await rig.status("kv.remove a 2") == -8)
        #expect(HostBuffer.outstanding.load(ordering: .relaxed) >= 0)
    }

    @Test(
        arguments: [
            ("kv.get", -1), ("kv.null", -1), ("kv.nothing", -1), ("kv.huge", -1), ("kv.control", -1), ("kv.utf8", -1),
            ("kv.long 256", -8), ("kv.long 257", -1), ("kv.large 262144", 0), ("kv.large 262145", -25),
            ("kv.set a x 0 99999999999999", -1), ("kv.remove a 0", -1), ("kv.list - - 1001", -1), ("kv.stale", -4),
        ] as [(String, Int64)], ["in-process", "runner"])
    func refusesHostileArguments(_ expected: (words: String, status: Int64), isolation: String) async throws {
        #expect(try await Rig(isolation).status(expected.words) == expected.status)
    }

    @Test(arguments: ["in-process", "runner"])
    func boundsTheRequestsOfOneCall(isolation: String) async throws {
        let rig = try await Rig(isolation)
        let gate = OneShot<Void>()
        rig.memory.state.withLock { $0.gate = { await gate.value() } }
        async let status = rig.status("kv.flood")
        // The call ends when its requests have; the plugin answered long before.
        #expect(await eventually { (try? rig.test.status("test.extensions").counters.serviceRequests) == 64 })
        gate.resolve(())
        #expect(try await status == -22)
    }

    // MARK: tandem.secret/1

    @Test(arguments: ["in-process", "runner"])
    func givesSecretsWithinACallAndKeepsThemOutOfEverythingElse(isolation: String) async throws {
        let rig = try await Rig(isolation)
        #expect(try await rig.status("secret.get api_key") == -8)
        #expect(try await rig.status("secret.get other") == -2)
        rig.memory.state.withLock { $0.secrets[rig.place()] = ["api_key": Array("hunter2".utf8)] }
        #expect(try await rig.use("secret.get api_key")["bytes"] == "68756e74657232")
        #expect(try await rig.use("secret.entered")["result"] == ["api_key": true])
        #expect(try await rig.use("secret.entered", user: 2)["result"] == ["api_key": false])
        let dump = try await rig.test.host.diagnostics(of: "extensions", in: rig.test.scope())
        #expect(!dump.text.contains("hunter2"))
    }

    // MARK: tandem.metrics/1

    @Test(arguments: ["in-process", "runner"])
    func recordsDeclaredMetricsAndNoOthers(isolation: String) async throws {
        let rig = try await Rig(isolation)
        for (words, status) in [
            ("metrics.add lookups_total 2 hit", 0), ("metrics.add lookups_total 1 hit", 0),
            ("metrics.add lookups_total -1 hit", -1), ("metrics.add lookups_total 1 other", -1),
            ("metrics.add lookups_total 1", -1), ("metrics.add lookups_total 1 hit hit", -1),
            ("metrics.add lookups_total nan hit", -1), ("metrics.set lookups_total 1 hit", -2),
            ("metrics.add nothing 1", -2), ("metrics.set open 4", 0), ("metrics.add open -1", 0),
            ("metrics.observe seconds 0.05", 0), ("metrics.observe seconds 7", 0), ("metrics.observe open 1", -2),
            ("metrics.broken", -1),
        ] as [(String, Int64)] {
            #expect(try await rig.status(words) == status, "\(words)")
        }
        #expect(try await rig.use("metrics.add lookups_total 1 miss", user: 2)["status"] == 0)
        let registry = MetricsRegistry()
        registry.collection("plugins") { rig.test.host.metricSnapshots() }
        let text = String(decoding: registry.exposition(), as: UTF8.self)
        #expect(
            text == """
                # HELP tandem_plugin_extensions_lookups_total Lookups
                # TYPE tandem_plugin_extensions_lookups_total counter
                tandem_plugin_extensions_lookups_total{result="hit"} 3
                tandem_plugin_extensions_lookups_total{result="miss"} 1
                # HELP tandem_plugin_extensions_open Open
                # TYPE tandem_plugin_extensions_open gauge
                tandem_plugin_extensions_open 3
                # HELP tandem_plugin_extensions_seconds Seconds
                # TYPE tandem_plugin_extensions_seconds histogram
                tandem_plugin_extensions_seconds_bucket{le="0.1"} 1
                tandem_plugin_extensions_seconds_bucket{le="1"} 1
                tandem_plugin_extensions_seconds_bucket{le="+Inf"} 2
                tandem_plugin_extensions_seconds_sum 7.05
                tandem_plugin_extensions_seconds_count 2

                """)
        // Counted on after a reload.
        await rig.test.host.reload()
        #expect(rig.test.host.metricSnapshots().first?.samples.first?.value == .number(3))
    }

    // MARK: tandem.timer/1

    @Test(arguments: ["in-process", "runner"])
    func setsTimersForDeclaredHandlers(isolation: String) async throws {
        let rig = try await Rig(isolation)
        let due = rig.test.clock.now.millisecondsSinceEpoch + 60_000
        let answer = try await rig.use("timer.set milk due \(due) 2 7 {'item':'milk'}")
        #expect(answer["result"]?["dueAt"] == .string(Timestamp(millisecondsSinceEpoch: due).description))
        let plan = try #require(rig.memory.state.withLock { $0.timers[rig.place()]?.first })
        #expect(plan.handler == "extensions.due")
        #expect(plan.data == ["item": "milk"])
        #expect(plan.repeats == .days(7))
        let listed = try await rig.use("timer.list")["result"]?["timers"]?[0]
        #expect(listed?["handler"] == "due")
        #expect(listed?["repeat"] == ["unit": "days", "every": 7])
        for (words, status) in [
            ("timer.set x due 0", 0), ("timer.set x other 0", -2), ("timer.set x due 0 0 1", -1),
            ("timer.set x due 0 1 59", -1), ("timer.set x due 0 1 60", 0), ("timer.set x due 0 9 1", -1),
            ("timer.set x due 0 2 0", -1), ("timer.set x due 9999999999999999", -1),
            ("timer.set x due 0 0 0 {'item':1}", -1), ("timer.set x due 0 0 0 [1]", -1),
            ("timer.set x due 0 0 0 {", -1), ("timer.short x due 0", -7), ("timer.flags x due 0", -2),
            ("timer.large x due 0", -25), ("timer.cancel milk", 0), ("timer.cancel milk", -8), ("timer.cancel", -1),
        ] as [(String, Int64)] {
            #expect(try await rig.status(words) == status, "\(words)")
        }
        // In the past means now.
        #expect(rig.memory.state.withLock { $0.timers[rig.place()]?.first?.dueAt } == rig.test.clock.now)
        #expect(try await rig.status("timer.set x due 0", tool: "look") == -40)
        #expect(try await rig.status("timer.cancel x", tool: "look") == -40)
    }

    @Test(arguments: ["in-process", "runner"])
    func callsHandlersWithinTheGrant(isolation: String) async throws {
        let rig = try await Rig(isolation)
        func deliver(_ item: String, handler: String = "due", plugin: String = "test.extensions") async
            -> HandlerOutcome
        {
            await rig.test.host.deliver(
                HandlerCall(
                    plugin: plugin, handler: "extensions.\(handler)",
                    arguments: ["timer": "x", "data": ["item": .string(item)]],
                    origin: WriteOrigin(turn: RecordID(rawValue: 5), step: 0), idempotencyKey: "k"),
                in: rig.test.scope())
        }
        guard case .done = await deliver("milk") else { return #expect(Bool(false)) }
        guard case .retry = await deliver("later") else { return #expect(Bool(false)) }
        guard case .failed = await deliver("never") else { return #expect(Bool(false)) }
        guard case .failed(let failure) = await deliver("ask") else { return #expect(Bool(false)) }
        #expect(failure.code == "nobody_there")
        guard case .off = await deliver("milk", plugin: "test.absent") else { return #expect(Bool(false)) }
        guard case .failed = await deliver("milk", handler: "missing") else { return #expect(Bool(false)) }
        // A handler is no tool.
        #expect(await rig.test.call("extensions.due", ["item": "milk"]).error?.code == "unknown_tool")
        #expect(!rig.test.host.allTools.contains { $0.id == "extensions.due" })
        try await rig.test.host.switchOn("extensions", level: .readOnly, in: rig.test.scope())
        guard case .off = await deliver("milk") else { return #expect(Bool(false)) }
        guard case .done = await deliver("milk", handler: "glance") else { return #expect(Bool(false)) }
        try await rig.test.host.switchOff("extensions", in: rig.test.scope())
        guard case .off = await deliver("milk", handler: "glance") else { return #expect(Bool(false)) }
    }

    // MARK: tandem.event/1

    @Test(arguments: ["in-process", "runner"])
    func publishesDeclaredTopicsToWhoeverIsOn(isolation: String) async throws {
        let rig = try await Rig(isolation, ["extensions", "listener"])
        #expect(try await rig.use("event.publish extensions.happened {'n':1} k")["result"] == ["event": "1"])
        let (place, event) = try #require(rig.memory.state.withLock { $0.events.first })
        #expect(place == rig.place())
        #expect(event.data == ["n": 1])
        #expect(event.key == "k")
        #expect(event.depth == 1)
        #expect(event.receivers == [.init(plugin: "test.listener", handler: "listener.due")])
        for (words, status) in [
            ("event.publish extensions.other {}", -2), ("event.publish listener.happened {}", -2),
            ("event.publish extensions.happened {'n':'x'}", -1), ("event.publish extensions.happened [", -1),
            ("event.publish", -1),
        ] as [(String, Int64)] {
            #expect(try await rig.status(words) == status, "\(words)")
        }
        #expect(try await rig.status("event.publish extensions.happened {}", tool: "look") == -40)
        try await rig.test.host.switchOff("listener", in: rig.test.scope())
        #expect(try await rig.status("event.publish extensions.happened {}") == 0)
        #expect(rig.memory.state.withLock { $0.events.last?.1.receivers } == [])
        // Somebody else's listener is still on.
        #expect(try await rig.use("event.publish extensions.happened {}", user: 2)["done"] == 0)
        #expect(rig.memory.state.withLock { $0.events.last?.1.receivers.count } == 1)
    }

    @Test(arguments: ["in-process", "runner"])
    func endsLoopsOfEvents(isolation: String) async throws {
        let rig = try await Rig(isolation)
        var statuses: [Int64?] = []
        for depth in 0...4 {
            var call = ToolCall(
                tool: "extensions.do", arguments: ["value": "event.publish extensions.happened {}"],
                origin: WriteOrigin(turn: rig.test.turn, step: 0),
                deadlineNanoseconds: monotonicNanoseconds() + 20_000_000_000, idempotencyKey: "k",
                allowedEffect: .write)
            call.eventDepth = depth
            statuses.append(await rig.test.host.call(call, in: rig.test.scope()).result?.value["done"]?.int64Value)
        }
        #expect(statuses == [0, 0, 0, 0, -21])
        #expect(rig.memory.state.withLock { $0.events.map(\.1.depth) } == [1, 2, 3, 4])
    }

    // MARK: tandem.memory/1

    @Test(arguments: ["in-process", "runner"])
    func recallsAndProposesGrantedKindsOnly(isolation: String) async throws {
        let rig = try await Rig(isolation)
        let found = try await rig.use("memory.recall what~do~I~eat 3")["result"]?["memories"]?[0]
        #expect(found?["text"] == "no nuts")
        #expect(found?["kind"] == "preference")
        let recall = try #require(rig.memory.state.withLock { $0.recalls.first })
        #expect(recall.kinds == ["preference"])
        #expect(recall.query == "what do I eat")
        #expect(recall.limit == 3)
        #expect(
            try await rig.use("memory.propose fact I~live~in~Lyon")["result"]
                == ["proposal": "81", "state": "waiting"])
        #expect(try await rig.use("memory.propose fact known")["result"] == ["state": "known"])
        for (words, status) in [
            ("memory.propose preference tea", -40), ("memory.propose fact", -1), ("memory.recall", -1),
            ("memory.recall x 21", -1), ("memory.long", -25),
        ] as [(String, Int64)] {
            #expect(try await rig.status(words) == status, "\(words)")
        }
    }

    // MARK: Grants

    @Test(arguments: ["in-process", "runner"])
    func hasNoExtensionThatTheRegistryDoesNotAllow(isolation: String) async throws {
        let rig = try await Rig(
            isolation,
            edit: { _, entry in
                entry["ceiling"] = ["extensions": ["tandem.kv/1"], "quota": ["kvBytes": 3]]
            })
        #expect(try await rig.status("kv.put a xyz") == 0)
        #expect(try await rig.status("kv.put a wxyz") == -21)
        for words in ["secret.get api_key", "timer.list", "event.publish extensions.happened {}", "memory.recall x"] {
            #expect(try await rig.status(words) == -1000, "\(words)")
        }
        #expect(try await rig.status("metrics.add open 1") == -1000)
    }

    @Test(arguments: ["in-process", "runner"])
    func answersRevokedAfterTheGrantIsWithdrawn(isolation: String) async throws {
        let rig = try await Rig(isolation)
        let gate = OneShot<Void>()
        rig.memory.state.withLock {
            $0.values[rig.place()] = ["a": StoredValue(bytes: [1], version: 1, expiresAt: nil)]
        }
        rig.memory.state.withLock { $0.gate = { await gate.value() } }
        async let reading = rig.test.call("extensions.do", ["value": "kv.get a"])
        #expect(await eventually { (try? rig.test.status("test.extensions").counters.serviceRequests) == 1 })
        try await rig.test.host.switchOff("extensions", in: rig.test.scope())
        gate.resolve(())
        // The request had begun: its result is not given any more.
        let value = await reading.result?.value
        #expect(value?["done"] == -43)
        #expect(value?["bytes"] == "")
    }

    // MARK: The plugin's side

    @Test(arguments: ["in-process", "runner"])
    func asksThePluginHowItIs(isolation: String) async throws {
        let rig = try await Rig(isolation, ["extensions", "echo"])
        for scope in [rig.test.scope(), PluginHost.nobody] {
            let health = try await rig.test.host.health(of: "extensions", in: scope)
            #expect(health.status == .degraded)
            let check = try #require(health.checks.first)
            #expect(check.status == .failing)
            #expect(check.name == "search service")
            #expect(!check.message.contains("ann@example.org"))
        }
        #expect(try await rig.test.host.health(of: "echo", in: rig.test.scope()).status == .unknown)
        await #expect(throws: GrantError.self) { try await rig.test.host.health(of: "absent", in: rig.test.scope()) }
        // Nothing is kept for nobody.
        #expect(rig.memory.state.withLock { $0.versions.keys.allSatisfy { $0.scope != PluginHost.nobody } })
    }

    @Test(arguments: ["in-process", "runner"])
    func masksWhatADumpSays(isolation: String) async throws {
        let rig = try await Rig(isolation, ["extensions", "echo"])
        let dump = try await rig.test.host.diagnostics(of: "extensions", in: rig.test.scope())
        #expect(dump["says"]?["cached"] == 3)
        for secret in ["hunter2", "ann@example.org", "33612345678"] { #expect(!dump.text.contains(secret)) }
        #expect(dump["version"] == "1.0.0")
        let silent = try await rig.test.host.diagnostics(of: "echo", in: rig.test.scope())
        #expect(silent["says"] == .null)
    }

    @Test(arguments: ["in-process", "runner"])
    func triesSettingsBeforeTheyAreSaved(isolation: String) async throws {
        let rig = try await Rig(isolation)
        let host = rig.test.host
        func change(_ values: JSONObject, insists: Bool = false) async throws -> SettingsVerdict {
            try await host.change(settings: values, of: "extensions", in: rig.test.scope(), insists: insists)
        }
        #expect(try await change(["url": "good", "limit": 7]).problems.isEmpty)
        #expect(rig.memory.state.withLock { $0.person[rig.place()] } == ["url": "good", "limit": 7])
        #expect(try await change(["url": "bad"]).problems == [.init(name: "url", message: "Does not answer.")])
        #expect(try await change(["limit": "many"]).problems.map(\.name) == ["limit"])
        #expect(try await change(["other": 1]).problems.map(\.name) == ["other"])
        let untested = try await change(["url": "down"])
        #expect(untested.isUntested)
        #expect(rig.memory.state.withLock { $0.person[rig.place()]?["url"] } == "good")
        _ = try await change(["url": "down"], insists: true)
        #expect(rig.memory.state.withLock { $0.person[rig.place()]?["url"] } == "down")
        // What the plugin objects to is not saved, however much one insists.
        #expect(try await !change(["url": "bad"], insists: true).problems.isEmpty)
        _ = try await change(["url": .null])
        let settings = try await host.settings(of: "extensions", in: rig.test.scope())
        #expect(settings.values == ["url": "none", "limit": 7])
        #expect(settings.ownNames == ["limit"])
        #expect(try await host.settings(of: "extensions", in: rig.test.scope(2)).values == ["url": "none", "limit": 5])
    }

    @Test(arguments: ["in-process", "runner"])
    func migratesOncePerPersonBeforeTheirFirstCall(isolation: String) async throws {
        let rig = try await Rig(isolation)
        rig.memory.state.withLock { state in
            state.versions[rig.place(1)] = "0.9.0"
            state.person[rig.place(1)] = ["url": "old"]
            state.versions[rig.place(3)] = "0.9.0"
            state.person[rig.place(3)] = ["url": "odd"]
            state.versions[rig.place(4)] = "0.9.0"
            state.person[rig.place(4)] = ["url": "stuck"]
        }
        #expect(try await rig.status("kv.put a x") == 0)
        #expect(try await rig.status("kv.put a x") == 0)
        _ = try await rig.use("kv.put a x", user: 2)
        let migrations = rig.memory.state.withLock { $0.migrations }
        #expect(migrations.map(\.from) == ["0.9.0"])
        #expect(migrations.map(\.to) == ["1.0.0"])
        #expect(rig.memory.state.withLock { $0.person[rig.place(1)] } == ["url": "new"])
        // Settings that do not match, and a plugin that cannot: the person's calls wait for a better version.
        for user in [3, 4] as [Int64] {
            let outcome = await rig.test.call("extensions.do", ["value": "kv.get a"], user: user)
            #expect(outcome.error?.code == "unavailable")
        }
        #expect(rig.memory.state.withLock { $0.migrations.map(\.succeeded) } == [true, false, false])
        #expect(rig.memory.state.withLock { $0.person[rig.place(3)] } == ["url": "odd"])
    }
}

/// What manifests may declare for the extensions, with exact places.
struct DeclarationTests {
    private func problems(_ members: String) -> [String] {
        let text = """
            {"manifest":1,"id":"test.x","namespace":"x","name":"X","version":"1.0.0","summary":"X.",
            "abi":{"major":1,"minor":0},"tools":[],
            \(members)}
            """
        do {
            _ = try PluginManifest(reading: Array(text.utf8), packaged: false)
            return []
        } catch {
            return error.problems.map { "\($0.line):\($0.column) \($0.pointer) \($0.message)" }
        }
    }

    @Test(arguments: [
        (#""handlers":[{"name":"a","description":"A","effect":"send"}]"#, "/handlers/0/effect"),
        (#""handlers":[{"name":"A","description":"A","effect":"read"}]"#, "/handlers/0/name"),
        (
            #""handlers":[{"name":"a","description":"A","effect":"read","parameters":{"type":"array"}}]"#,
            "/handlers/0/parameters"
        ),
        (
            #""handlers":[{"name":"a","description":"A","effect":"read","parameters":{"type":"objekt"}}]"#,
            "/handlers/0/parameters/type"
        ),
        (#""extensions":["tandem.timer/1"]"#, "/extensions"),
        (#""secrets":[{"name":"k","title":"K"},{"name":"k","title":"K"}]"#, "/secrets/1/name"),
        (#""secrets":[{"name":"k","title":"K","enteredBy":"model"}]"#, "/secrets/0/enteredBy"),
        (#""metrics":[{"name":"a","kind":"counter","help":"A"}]"#, "/metrics/0/name"),
        (#""metrics":[{"name":"a_sum","kind":"gauge","help":"A"}]"#, "/metrics/0/name"),
        (
            #""metrics":[{"name":"a","kind":"gauge","help":"A","labels":[{"name":"le","values":["x"]}]}]"#,
            "/metrics/0/labels/0/name"
        ),
        (
            #""metrics":[{"name":"a","kind":"gauge","help":"A","labels":[{"name":"l","values":["x y"]}]}]"#,
            "/metrics/0/labels/0/values/0"
        ),
        (
            #""metrics":[{"name":"a","kind":"gauge","help":"A","labels":[{"name":"l","values":[]}]}]"#,
            "/metrics/0/labels/0"
        ),
        (#""metrics":[{"name":"a","kind":"histogram","help":"A","bounds":[1,1]}]"#, "/metrics/0/bounds/1"),
        (#""metrics":[{"name":"a","kind":"gauge","help":"A","bounds":[1]}]"#, "/metrics/0/bounds"),
        (#""events":{"publishes":[{"topic":"y.z","description":"Z"}]}"#, "/events/publishes/0/topic"),
        (#""events":{"subscribes":[{"topic":"x.z","handler":"h","reason":"R"}]}"#, "/events/subscribes/0/topic"),
        (#""events":{"subscribes":[{"topic":"y.z","handler":"h","reason":"R"}]}"#, "/events/subscribes/0/handler"),
        (#""grants":[{"name":"mail","provider":"microsoft","reason":"R"}]"#, "/grants"),
        (#""grants":[{"name":"Mail","provider":"microsoft","reason":"R"}]"#, "/grants/0/name"),
        (#""grants":[{"name":"mail","provider":"Microsoft!","reason":"R"}]"#, "/grants/0/provider"),
        (#""grants":[{"name":"mail","provider":"microsoft"}]"#, "/grants/0"),
        (
            #""grants":[{"name":"m","provider":"p","reason":"R"},{"name":"m","provider":"p","reason":"R"}]"#,
            "/grants/1/name"
        ),
        (
            #""grants":[{"name":"m","provider":"p","reason":"R","scopes":[{"scope":"a b","reason":"R"}]}]"#,
            "/grants/0/scopes/0/scope"
        ),
        (
            #""grants":[{"name":"m","provider":"p","reason":"R","scopes":[{"scope":"a","level":"send","reason":"R"}]}]"#,
            "/grants/0/scopes/0/level"
        ),
        (#""memory":{"recall":["secrets"],"reason":"R"}"#, "/memory/recall/0"),
        (#""memory":{"reason":"R"}"#, "/memory"),
        (#""memory":{"recall":["fact"]}"#, "/memory"),
        (#""quota":{"timers":0}"#, "/quota/timers"),
    ])
    func namesThePlaceOfEveryProblem(_ members: String, _ pointer: String) {
        let found = problems(members)
        #expect(found.contains { $0.hasPrefix("3:") && $0.contains(" \(pointer) ") }, "\(found)")
    }

    @Test func boundsTheCardinalityOfMetrics() {
        let values = (0..<17).map { #""v\#($0)""# }.joined(separator: ",")
        let label = { (name: String) in #"{"name":"\#(name)","values":[\#(values)]}"# }
        let metric = { (name: String, labels: String) in
            #"{"name":"\#(name)","kind":"gauge","help":"A","labels":[\#(labels)]}"#
        }
        #expect(!problems(#""metrics":[\#(metric("a", label("l")))]"#).contains { $0.contains("combinations") })
        let square = problems(#""metrics":[\#(metric("a", label("l") + "," + label("m")))]"#)
        #expect(square.contains { $0.contains("289 combinations") })
        let long = (0..<32).map { metric("m\($0)", label("l") + #",{"name":"k","values":["1","2","3"]}"#) }
        #expect(problems(#""metrics":[\#(long.joined(separator: ","))]"#).contains { $0.contains("1024") })
    }

    @Test func readsWhatIsDeclared() throws {
        let text = """
            {"manifest":1,"id":"test.x","namespace":"x","name":"X","version":"1.0.0","summary":"X.",
            "abi":{"major":1,"minor":0},"tools":[],"extensions":["tandem.kv/1","tandem.timer/1"],
            "handlers":[{"name":"due","description":"Due","effect":"write","timeoutMilliseconds":500}],
            "secrets":[{"name":"key","title":"Key","hint":"In the settings","enteredBy":"either"}],
            "metrics":[{"name":"n_total","kind":"counter","help":"N","labels":[{"name":"a","values":["x","y"]}]}],
            "events":{"publishes":[{"topic":"x.done","description":"done"}],
            "subscribes":[{"topic":"y.done","handler":"due","reason":"to know"}]},
            "memory":{"recall":["fact"],"propose":["preference"],"reason":"to suit you"},
            "quota":{"kvEntries":5,"kvBytes":6,"timers":7}}
            """
        let manifest = try PluginManifest(reading: Array(text.utf8), packaged: false)
        #expect(manifest.handlers.map(\.id) == ["x.due"])
        #expect(manifest.handlers.first?.timeoutMilliseconds == 500)
        #expect(
            manifest.secrets == [DeclaredSecret(name: "key", title: "Key", hint: "In the settings", enteredBy: .either)]
        )
        #expect(manifest.metrics.first?.seriesCount == 2)
        #expect(manifest.publishes.map(\.topic) == ["x.done"])
        #expect(manifest.subscribes.map(\.handler) == ["x.due"])
        #expect(manifest.memory?.propose == ["preference"])
        #expect(manifest.quota == PluginQuota(rows: 10_000, bytes: 10 << 20, kvEntries: 5, kvBytes: 6, timers: 7))
        for id in ["tandem.secret/1", "tandem.metrics/1", "tandem.event/1", "tandem.memory/1"] {
            #expect(manifest.extensions.contains(id))
        }
    }

    @Test func approvalCoversWhatIsDeclared() throws {
        func hash(_ members: String) throws -> String {
            let text = """
                {"manifest":1,"id":"test.x","namespace":"x","name":"X","version":"1.0.0","summary":"X.",
                "abi":{"major":1,"minor":0},"tools":[],\(members)}
                """
            return GrantApproval.hash(of: try PluginManifest(reading: Array(text.utf8), packaged: false))
        }
        let plain = try hash(#""extensions":["tandem.memory/1"]"#)
        let one = try hash(#""memory":{"recall":["fact"],"reason":"R"}"#)
        let two = try hash(#""memory":{"recall":["fact","event"],"reason":"R"}"#)
        #expect(Set([plain, one, two]).count == 3)
    }
}
