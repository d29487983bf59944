import CTandemPlugin
import Pantry
@_spi(Testing) import TandemSDK
import TandemTesting
import Testing

/// Keys, secrets, metrics, timers, events, memory and the plugin's side, as an author of a Swift plugin tests them.
@Suite(.timeLimit(.minutes(8)))
struct ServiceTests {
    private let host: TestHost
    private let ann: TestPerson

    init() throws {
        host = try TestHost(Pantry.self)
        ann = host.person("ann")
    }

    // MARK: Keys

    @Test func keepsValuesByKey() async throws {
        #expect(try await ann.value("pantry.note", ["key": "a", "text": "milk"]) == 1)
        #expect(try await ann.value("pantry.look", ["key": "a"]) == ["text": "milk", "version": 1])
        #expect(await ann.call("pantry.look", ["key": "b"]).error?.code == "not_found")
        #expect(await host.person("bob").call("pantry.look", ["key": "a"]).error?.code == "not_found")
        #expect(ann.noted("a", by: "pantry") == "milk")
        #expect(try await ann.value("pantry.forget", ["key": "a"]) == true)
        #expect(try await ann.value("pantry.forget", ["key": "a"]) == false)
    }

    @Test func writesOnlyOverTheVersionThatIsMeant() async throws {
        let first = try await ann.value("pantry.note", ["key": "a", "text": "x", "version": 0])
        let refused = await ann.call("pantry.note", ["key": "a", "text": "y", "version": 0]).error
        #expect(refused?.code == "version_conflict")
        #expect(refused?.status == TANDEM_E_CONFLICT)
        #expect(try await ann.value("pantry.note", ["key": "a", "text": "y", "version": first]) == 2)
        #expect(await ann.call("pantry.forget", ["key": "a", "version": 1]).error?.code == "version_conflict")
        #expect(try await ann.value("pantry.forget", ["key": "a", "version": 2]) == true)
    }

    @Test func forgetsWhatHasExpired() async throws {
        try await ann.value("pantry.note", ["key": "a", "text": "x", "seconds": 60])
        #expect(try await ann.value("pantry.look", ["key": "a"])["goes"] == "2026-11-21T10:01:00.000Z")
        host.now = Instant(milliseconds: host.now.milliseconds + 60_000)
        #expect(await ann.call("pantry.look", ["key": "a"]).error?.code == "not_found")
    }

    @Test func holdsTheQuota() async throws {
        #expect(
            await ann.call("pantry.note", ["key": "a", "text": .string(String(repeating: "x", count: 400))]).error?.code
                == "over_quota")
        for index in 0..<20 { try await ann.value("pantry.note", ["key": .string("k\(index)"), "text": "x"]) }
        #expect(await ann.call("pantry.note", ["key": "more", "text": "x"]).error?.code == "over_quota")
        #expect(await ann.call("pantry.note", ["key": "", "text": "x"]).error?.code == "invalid_request")
        let keys = await ann.call("pantry.keys", ["prefix": "k1"])
        #expect(keys.value?.arrayValue?.count == 11)
        #expect(keys.message == "20 of 20, 400 bytes")
    }

    @Test func countsInOneReadingCallPerVisit() async throws {
        let values = await withTaskGroup(of: JSON?.self) { group in
            for _ in 0..<8 { group.addTask { await ann.call("pantry.visit").value } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(values.compactMap { $0?.int64Value }) == Set(1...8))
        #expect(ann.noted("visits", by: "pantry") == 8)
    }

    // MARK: Secrets

    @Test func asksForASecretThatNobodyEntered() async throws {
        guard case .authRequired(let auth) = await ann.call("pantry.unlock") else {
            Issue.record("not asked for")
            return
        }
        #expect(auth.grant == "api_key")
        #expect(await ann.call("pantry.unlock", ["name": "other"]).error?.code == "not_declared")
    }

    @Test func readsASecretThatSaysNothingOfItself() async throws {
        ann.enter("api_key", "hunter2", for: "pantry")
        let outcome = await ann.call("pantry.unlock")
        #expect(outcome.value == 7)
        #expect(outcome.message == "Secret of api_key, 7")
        ann.enter("api_key", nil, for: "pantry")
        guard case .authRequired = await ann.call("pantry.unlock") else {
            Issue.record("not asked for")
            return
        }
    }

    // MARK: Metrics

    @Test func countsWhatIsDeclaredAndNothingElse() async throws {
        #expect(await ann.say("pantry.visit") == "true true")
        _ = await host.person("bob").say("pantry.visit")
        let visits = Metric.counter("visits_total", "Visits")
        #expect(host.total(of: visits, labels: "day") == 2)
        #expect(host.total(of: visits, labels: "noon") == 0)
        #expect(host.metrics.count == 6)
    }

    // MARK: Timers

    @Test func callsTheHandlerWhenATimerIsDue() async throws {
        #expect(try await ann.value("pantry.remind", ["item": "milk"]) == "2026-11-21T11:00:00.000Z")
        #expect(ann.timers(of: "pantry").map(\.data) == [["item": "milk"]])
        #expect(await ann.fireTimers().isEmpty)
        host.now = Instant(milliseconds: host.now.milliseconds + 3_600_000)
        #expect(await ann.fireTimers().map(\.handler) == ["pantry.restock"])
        #expect(ann.noted("restocked", by: "pantry") == "milk milk 2026-11-21T11:00:00.000Z 0 false")
        #expect(ann.timers(of: "pantry").isEmpty)
        #expect(await ann.fireTimers().isEmpty)
    }

    @Test func repeatsAtTheSameTimeOfDay() async throws {
        // Berlin, from the second day on: an hour later by UTC.
        let change = host.now.milliseconds + 86_400_000
        ann.setTimeZone("Europe/Berlin") { $0 < change ? 7200 : 3600 }
        try await ann.value("pantry.remind", ["item": "milk", "days": 1])
        host.now = Instant(milliseconds: host.now.milliseconds + 3 * 86_400_000 + 3 * 3_600_000)
        let calls = await ann.fireTimers()
        #expect(calls.map { $0.arguments["missed"] } == [3])
        #expect(ann.timers(of: "pantry").map(\.dueAt.description) == ["2026-11-25T12:00:00.000Z"])
        let list = await ann.call("pantry.reminders")
        #expect(list.value == [#"milk restock 2026-11-25T12:00:00.000Z {"item":"milk"}"#])
        #expect(list.message.contains("days(1)"))
        #expect(try await ann.value("pantry.halt", ["item": "milk"]) == true)
        #expect(try await ann.value("pantry.halt", ["item": "milk"]) == false)
    }

    @Test func keepsATimersFailureToItself() async throws {
        try await ann.value("pantry.remind", ["item": "air", "minutes": 0])
        let calls = await ann.fireTimers()
        #expect(calls.first?.outcome.error?.code == "unavailable")
        for item in ["a", "b"] { try await ann.value("pantry.remind", ["item": .string(item)]) }
        #expect(await ann.call("pantry.remind", ["item": "c"]).error?.code == "over_quota")
    }

    // MARK: Events

    @Test func publishesOncePerKeyAndHearsOfOthers() async throws {
        #expect(await ann.say("pantry.buy", ["items": ["milk"]]) == "1 1")
        #expect(ann.published.map(\.topic) == ["pantry.bought"])
        #expect(ann.published.first?.data == ["items": ["milk"]])
        // Members that the handler does not name are let pass.
        ann.publish("shop.sold", ["items": ["rice"], "price": "3.20"])
        let calls = await ann.deliverEvents()
        #expect(calls.map(\.handler) == ["pantry.on_bought"])
        #expect(calls.first?.outcome.error == nil)
        #expect(ann.noted("came in", by: "pantry") == "shop.sold: rice")
        #expect(ann.published.count == 3)
        #expect(await ann.deliverEvents().isEmpty)
        ann.publish("shop.sold", ["items": 7])
        #expect(await ann.deliverEvents().first?.outcome.error?.code == "schema")
        ann.setEnabled("pantry", false)
        ann.publish("shop.sold", ["items": ["x"]])
        #expect(await ann.deliverEvents().isEmpty)
    }

    // MARK: Memory

    @Test func recallsAndProposesTheKindsOfTheManifest() async throws {
        ann.remember("I do not eat nuts", as: .preference)
        ann.remember("nuts grow on trees", as: .fact)
        #expect(try await ann.value("pantry.recall") == ["I do not eat nuts"])
        #expect(await ann.say("pantry.suggest", ["text": "I am allergic"]) == "waiting")
        #expect(await ann.call("pantry.suggest", ["text": "x", "kind": "identity"]).error?.code == "not_granted")
        #expect(await ann.say("pantry.suggest", ["text": "nuts grow on trees"]) == "known")
        #expect(await ann.call("pantry.suggest", ["text": "two\nlines"]).error?.code == "invalid_request")
        ann.declineProposals()
        #expect(await ann.say("pantry.suggest", ["text": "I am allergic"]) == "declined")
        #expect(ann.proposals.map(\.state) == [.declined])
    }

    // MARK: The plugin's side

    @Test func answersTheQuestionsOfTheHost() async throws {
        #expect(await ann.health("pantry").value == ["status": "ok", "checks": [["name": "notes", "status": "ok"]]])
        for key in ["a", "b", "c"] { try await ann.value("pantry.note", ["key": .string(key), "text": "x"]) }
        #expect(await ann.health("pantry").value?["status"] == "degraded")
        #expect(await ann.diagnostics("pantry").value == ["notes": 3])
        let settings = Shelves(shop: "here", shelfCount: 101)
        #expect(await ann.check(settings, of: "pantry").value == ["problems": []])
        #expect(
            await ann.check(settings, of: "pantry", changed: ["shelf_count"]).value
                == ["problems": [["name": "shelf_count", "message": "Nobody has so many."]]])
        #expect(
            await ann.check(Shelves(shop: "nowhere", shelfCount: 1), of: "pantry").error?.code == "unavailable")
        #expect(
            await ann.migrate("pantry", from: "1.0.0", settings: ["shelves": 9]).value == ["config": ["shelf_count": 9]]
        )
        #expect(ann.noted("migrated", by: "pantry") == "1.0.0 to 1.2.0")
        #expect(await ann.migrate("pantry", from: "0.9.0").error?.status == TANDEM_E_UNSUPPORTED)
    }

    private struct Shelves: Configuration {
        var shop = ""
        var shelfCount = 3
    }

    @Test func offersOnlyWhatThePluginAnswers() async throws {
        let shelf = try TestHost(Shelf.self).person()
        #expect(shelf.driver("shelf")?.pluginExtension("tandem.health/1") != nil)
        for id in ["tandem.config-check/1", "tandem.migrate/1", "tandem.diagnostics/1"] {
            #expect(shelf.driver("shelf")?.pluginExtension(id) == nil)
            #expect(ann.driver("pantry")?.pluginExtension(id) != nil)
        }
    }

    @Test func refusesServicesThatWereNotDeclared() async throws {
        let host = try TestHost(Undeclared.self)
        for name in ["kv", "secret", "timer", "event", "memory"] {
            #expect(await host.person().call("bare.try", ["name": .string(name)]).error?.code == "not_granted")
        }
        #expect(await host.person().say("bare.try", ["name": "metrics"]) == "false")
    }

    // MARK: Declarations

    @Test func writesTheManifest() throws {
        let manifest = Pantry.definition.manifest
        #expect(
            manifest["extensions"]?.arrayValue?.compactMap(\.stringValue) == [
                "tandem.clock/1", "tandem.config/1", "tandem.event/1", "tandem.kv/1", "tandem.log/1",
                "tandem.memory/1", "tandem.metrics/1", "tandem.secret/1", "tandem.timer/1",
            ])
        #expect(manifest["quota"] == ["kvEntries": 20, "kvBytes": 400, "timers": 2])
        #expect(
            manifest["handlers"]?.arrayValue?.first == [
                "name": "restock", "description": "Puts things back on the list", "effect": "write",
                "parameters": [
                    "type": "object", "properties": ["item": ["type": "string"]], "required": ["item"],
                ], "timeoutMilliseconds": 10_000,
            ])
        #expect(manifest["memory"]?["recall"] == ["preference"])
        #expect(manifest["events"]?["subscribes"]?.arrayValue?.first?["handler"] == "on_bought")
    }

    @Test func declaresAccountsElsewhere() throws {
        var definition = Pantry.definition
        definition.hosts = [.init("graph.microsoft.com", reason: "x")]
        definition.accounts = [
            .init(
                "mail", provider: "microsoft", reason: "to read it",
                scopes: [
                    .init("Mail.Read", reason: "to show it"), .init("Mail.Send", isForWriting: true, reason: "to send"),
                ]), .init("notes", provider: "notion", reason: "to keep them"),
        ]
        #expect(definition.validate().isEmpty)
        #expect(
            definition.manifest["grants"] == [
                [
                    "name": "mail", "provider": "microsoft", "reason": "to read it",
                    "scopes": [
                        ["scope": "Mail.Read", "level": "read_only", "reason": "to show it"],
                        ["scope": "Mail.Send", "level": "write", "reason": "to send"],
                    ],
                ], ["name": "notes", "provider": "notion", "reason": "to keep them"],
            ])
    }

    @Test func findsWhatNoHostWouldAccept() throws {
        var definition = Pantry.definition
        #expect(definition.validate().isEmpty)
        definition.secrets = [DeclaredSecret("Bad", "x"), DeclaredSecret("a", ""), DeclaredSecret("a", "x")]
        definition.metrics = [
            .counter("lookups", "x"), .gauge("a_total", "x"), .gauge("b", "x", labels: ["le": ["x"]]),
            .gauge("c", "x", labels: ["l": ["a b"]]), .histogram("d", "x", bounds: [2, 1]),
        ]
        definition.publishes = [Topic<Bought>("other.thing", "x")]
        definition.subscribes = [Subscription("pantry.bought", Unknown.self, reason: "x")]
        definition.memory = MemoryUse(reason: "x")
        definition.uses = [.timers]
        definition.accounts = [
            .init("Mail", provider: "microsoft", reason: "x"),
            .init("a", provider: "p", reason: "x", scopes: [.init("a b", reason: "x")]),
        ]
        definition.handlers = []
        definition.quota = .init(kvBytes: 0)
        let text = definition.validate().map(\.description).joined(separator: "\n")
        for expected in [
            "secret Bad: the name", "secret a: the title", "a secret stands twice", "must end in _total",
            "must not end in _total", "label le", "label l", "bounds must ascend", "must be a name like pantry.bought",
            "own topic", "on_unknown is not among", "must name kinds", "no handlers for them",
            "kvBytes must be positive", "accounts need the service's hosts", "account Mail: must match",
            "scope a b must be visible",
        ] {
            #expect(text.contains(expected), "\(expected)")
        }
    }

    private struct Bought: Object {
        var items: [String]
    }

    private struct Unknown: Handler {
        static let declaration = HandlerDeclaration("on_unknown", "x", effect: .read)
        func run(_ context: Context, _ occasion: Occasion) async throws {}
    }
}

/// Declares nothing and tries everything.
private enum Undeclared: Plugin {
    static let definition = PluginDefinition(
        id: "org.example.bare", namespace: "bare", name: "Bare", version: "1.0.0", summary: "Tries.",
        tools: [Try.self])

    struct Nothing: Object {}

    struct Try: Tool {
        static let declaration = ToolDeclaration("bare.try", "Try", effect: .write)
        @Argument var name: String

        func run(_ context: Context) async throws -> String {
            switch name {
            case "kv": return "\(try await context.keyValues.get("a")?.version ?? 0)"
            case "secret": return "\(try await context.secrets.entered())"
            case "timer": return "\(try await context.timers.all())"
            case "event": return try await context.events.publish(Topic<Nothing>("bare.x", "x"), Nothing())
            case "memory": return "\(try await context.memories.recall("x"))"
            default: return "\(context.metrics.add(.counter("x_total", "x")))"
            }
        }
    }
}
