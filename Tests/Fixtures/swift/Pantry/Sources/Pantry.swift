public import TandemSDK

/// A plugin that uses every service of the SDK, for tests with the fake host and with the real one.
public struct Pantry: CheckingSettings, Migrating, Diagnosing {
    public static let definition = PluginDefinition(
        id: "test.pantry", namespace: "pantry", name: "Pantry", version: "1.2.0", summary: "Uses every service.",
        tools: [
            Visit.self, Note.self, Look.self, Forget.self, Keys.self, Unlock.self, Remind.self, Reminders.self,
            Stop.self, Buy.self, Recall.self, Suggest.self,
        ],
        uses: [.keyValues, .timers], handlers: [Restock.self, OnBought.self],
        secrets: [DeclaredSecret("api_key", "Key of the shop", hint: "In your account there", enteredBy: .either)],
        metrics: [visits, shelves, seconds], publishes: [bought],
        subscribes: [Subscription("shop.sold", OnBought.self, reason: "to know what came in")],
        memory: MemoryUse(recall: [.preference], propose: [.fact], reason: "to leave out what you do not eat"),
        configuration: Settings.self, quota: .init(kvEntries: 20, kvBytes: 400, timers: 2), maxInFlight: 8)

    static let visits = Metric.counter("visits_total", "Visits, by time", labels: ["time": ["day", "night"]])
    static let shelves = Metric.gauge("shelves", "Shelves")
    static let seconds = Metric.histogram("search_seconds", "Searches", bounds: [0.1, 1])
    static let bought = Topic<Bought>("pantry.bought", "what you bought")

    public static func health(_ context: Context) async throws -> Health {
        Health([Health.Check("notes", try await context.keyValues.usage().entries > 2 ? .degraded : .ok)])
    }

    public static func check(_ settings: ProposedSettings, _ context: Context) async throws -> [SettingProblem] {
        let proposed = try settings.values(as: Settings.self)
        if proposed.shop == "nowhere" { throw ToolError.unavailable() }
        return settings.changed.contains("shelf_count") && proposed.shelfCount > 100
            ? [SettingProblem("shelf_count", "Nobody has so many.")] : []
    }

    public static func migrate(_ migration: Migration, _ context: Context) async throws -> JSONObject? {
        guard migration.from.hasPrefix("1.") else { throw ToolError(status: -2, code: "too_old", "Too old.") }
        try await context.keyValues.set("migrated", to: "\(migration.from) to \(migration.to)")
        guard let count = migration.settings["shelves"] else { return nil }
        return ["shelf_count": count]
    }

    public static func diagnostics(_ context: Context) async throws -> JSONObject {
        ["notes": .integer(Int64(try await context.keyValues.usage().entries))]
    }
}

struct Settings: Configuration {
    var shop = ""
    var shelfCount = 3
}

struct Bought: Object {
    var items: [String]
}

struct Visit: Tool {
    static let declaration = ToolDeclaration("pantry.visit", "Visit", effect: .read)

    func run(_ context: Context) async throws -> Reply<Int> {
        let count = try await context.keyValues.update("visits", as: Int.self) { ($0 ?? 0) + 1 }
        let isCounted =
            context.metrics.add(Pantry.visits, labels: "day") && context.metrics.set(Pantry.shelves, to: 3)
            && context.metrics.observe(Pantry.seconds, 0.5)
        let isRefused =
            !context.metrics.add(Pantry.visits, labels: "noon")
            && !context.metrics.add(Pantry.visits, -1, labels: "day")
            && !context.metrics.add(Pantry.visits) && !context.metrics.set(Pantry.visits, to: 1, labels: "day")
        return Reply("\(isCounted) \(isRefused)", value: count)
    }
}

struct Note: Tool {
    static let declaration = ToolDeclaration("pantry.note", "Note", effect: .write)
    @Argument var key: String
    @Argument var text: String
    @Argument var version: Int?
    @Argument var seconds: Int?

    func run(_ context: Context) async throws -> Reply<Int> {
        let condition = version.map { $0 == 0 ? KeyValues.Condition.isAbsent : .isVersion(UInt64($0)) } ?? .always
        let written = try await context.keyValues.set(
            key, to: text, if: condition, expiresIn: seconds.map { .seconds($0) })
        return Reply("Noted.", value: Int(written))
    }
}

struct Look: Tool {
    static let declaration = ToolDeclaration("pantry.look", "Look", effect: .read)
    @Argument var key: String

    struct Found: Object {
        var text: String
        var version: Int
        var goes: Instant?
    }

    func run(_ context: Context) async throws -> Reply<Found> {
        guard let stored = try await context.keyValues.get(key, as: String.self) else {
            throw ToolError.notFound("Nothing there.")
        }
        return Reply(
            "Found.", value: Found(text: stored.value, version: Int(stored.version), goes: stored.expiresAt))
    }
}

struct Forget: Tool {
    static let declaration = ToolDeclaration("pantry.forget", "Forget", effect: .write)
    @Argument var key: String
    @Argument var version: Int?

    func run(_ context: Context) async throws -> Reply<Bool> {
        Reply("Gone.", value: try await context.keyValues.remove(key, ifVersion: version.map { UInt64($0) }))
    }
}

struct Keys: Tool {
    static let declaration = ToolDeclaration("pantry.keys", "Keys", effect: .read)
    @Argument var prefix = ""

    func run(_ context: Context) async throws -> Reply<[String]> {
        var all: [String] = []
        while true {
            let page = try await context.keyValues.keys(prefix: prefix, after: all.last ?? "", limit: 2)
            all += page.keys.map(\.key)
            if !page.hasMore { break }
        }
        let usage = try await context.keyValues.usage()
        return Reply("\(usage.entries) of \(usage.maxEntries), \(usage.maxBytes) bytes", value: all)
    }
}

struct Unlock: Tool {
    static let declaration = ToolDeclaration("pantry.unlock", "Unlock", effect: .read)
    @Argument var name = "api_key"

    func run(_ context: Context) async throws -> Reply<Int> {
        let key = try await context.secrets.get(name)
        let entered = try await context.secrets.entered().sorted().joined(separator: ",")
        return Reply("\(key) of \(entered), \(key.text.utf8.count)", value: key.withBytes(\.count))
    }
}

struct Remind: Tool {
    static let declaration = ToolDeclaration("pantry.remind", "Remind", effect: .write)
    @Argument var item: String
    @Argument var minutes = 60
    @Argument var days: Int?

    func run(_ context: Context) async throws -> Reply<Instant> {
        let item = item
        let due = try await context.timers.set(
            item, Restock.self, at: context.clock.now.adding(Minutes(minutes)),
            repeating: days.map { .days($0) } ?? .never
        ) { $0.item = item }
        return Reply("I will.", value: due)
    }
}

struct Reminders: Tool {
    static let declaration = ToolDeclaration("pantry.reminders", "Reminders", effect: .read)

    func run(_ context: Context) async throws -> Reply<[String]> {
        let all = try await context.timers.all()
        return Reply("\(all.map(\.repetition))", value: all.map { "\($0.name) \($0.handler) \($0.dueAt) \($0.data)" })
    }
}

struct Stop: Tool {
    static let declaration = ToolDeclaration("pantry.halt", "Halt", effect: .write)
    @Argument var item: String

    func run(_ context: Context) async throws -> Reply<Bool> {
        Reply("Halted.", value: try await context.timers.cancel(item))
    }
}

struct Buy: Tool {
    static let declaration = ToolDeclaration("pantry.buy", "Buy", effect: .write)
    @Argument var items: [String]

    func run(_ context: Context) async throws -> String {
        let data = Bought(items: items)
        let first = try await context.events.publish(Pantry.bought, data, key: context.idempotencyKey)
        let again = try await context.events.publish(Pantry.bought, data, key: context.idempotencyKey)
        return "\(first) \(again)"
    }
}

struct Recall: Tool {
    static let declaration = ToolDeclaration("pantry.recall", "Recall", effect: .read)

    func run(_ context: Context) async throws -> Reply<[String]> {
        let memories = try await context.memories.recall("what nuts does the person not eat", limit: 3)
        return Reply("\(memories.map(\.kind))", value: memories.map(\.text))
    }
}

struct Suggest: Tool {
    static let declaration = ToolDeclaration("pantry.suggest", "Suggest", effect: .read)
    @Argument var text: String
    @Argument var kind = "fact"

    func run(_ context: Context) async throws -> String {
        try await context.memories.propose(text, as: MemoryKind(rawValue: kind) ?? .fact).rawValue
    }
}

struct Restock: Handler {
    static let declaration = HandlerDeclaration("restock", "Puts things back on the list", effect: .write)
    @Argument var item: String

    func run(_ context: Context, _ occasion: Occasion) async throws {
        guard case .timer(let name, let dueAt, let missed) = occasion else { return }
        if item == "air" { throw ToolError.unavailable("No air today.") }
        try await context.keyValues.set(
            "restocked", to: "\(name) \(item) \(dueAt) \(missed) \(context.idempotencyKey.isEmpty)")
    }
}

struct OnBought: Handler {
    static let declaration = HandlerDeclaration("on_bought", "Notes what came in", effect: .write)
    @Argument var items: [String] = []

    func run(_ context: Context, _ occasion: Occasion) async throws {
        guard case .event(_, let topic, _) = occasion else { return }
        try await context.keyValues.set("came in", to: "\(topic): \(items.joined(separator: ", "))")
        try await context.events.publish(Pantry.bought, Bought(items: items))
    }
}
