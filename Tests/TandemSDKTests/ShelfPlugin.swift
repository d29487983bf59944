import TandemSDK

/// A plugin that uses everything: the subject of the tests here.
struct Shelf: Plugin {
    static let definition = PluginDefinition(
        id: "org.example.shelf", namespace: "shelf", name: "Shelf", version: "1.2.3",
        summary: "Keeps what is on a shelf.", aliases: ["pantry"],
        publisher: .init(name: "Example", contact: "plugins@example.org"), license: "Apache-2.0",
        tables: [Box.self, Thing.self],
        tools: [
            AddThings.self, TakeThing.self, ListThings.self, PutBox.self, Everything.self, Slow.self, Crash.self,
            Sell.self, Peek.self, Speak.self, Later.self, Connect.self, Bare.self,
        ],
        calls: [.init("ledger.record", reason: "to record what you sold")], configuration: ShelfSettings.self,
        quota: .init(rows: 50, bytes: 100_000), maxInFlight: 8)
}

struct ShelfSettings: Configuration {
    static let descriptions = ["warnBelow": "Says so when fewer are left"]
    var warnBelow = 2
    var label = "shelf"
}

struct Box: Row {
    static let table = Table<Box>("shelf_boxes", "the boxes on your shelf", .unique(\.name))
    var id = RowID()
    var name: String
}

struct Thing: Row {
    enum State: String, Choice {
        case present, taken
        var words: [String] { self == .taken ? ["gone", "used up"] : [] }
    }

    static let entity = "shelf.thing"
    static let table = Table<Thing>(
        "shelf_things", "the things on your shelf", .references(\.boxID, Box.self), .sealed(\.note),
        .scale(\.price, 2), .standard(\.state, .present), .index(\.state, \.name))
    var id = RowID()
    var name: String
    var state = State.present
    var amount: Decimal?
    var price: Decimal?
    var bestBefore: Day?
    var boxID: RowID?
    var note: String?
    var tags: [String] = []
    var createdAt: Instant?
}

struct AddThings: Tool {
    static let declaration = ToolDeclaration(
        "shelf.add", "Put things on the shelf", effect: .write, "Adds things.",
        utterances: ["put {items} on the shelf", "add {items} to my (shelf|pantry) [by {best_before}]"])

    @Argument("What to put there") var items: [Quantity]
    @Argument("How long it keeps", hints: ["best before"]) var bestBefore: Day?
    @Argument("A secret about it", planned: false) var note: String?

    func run(_ context: Context) async throws -> Reply<[Thing]> {
        let rows = context.rows(Thing.self)
        let things = items.map { Thing(name: $0.name, amount: $0.amount, bestBefore: bestBefore, note: note) }
        let ids = try await rows.insert(things)
        let stored = try await rows.list(where: .any(of: ids, \.id))
        return Reply("Put \(things.count) on the shelf.", value: stored, shown: Shown(stored, label: \.name))
    }
}

struct TakeThing: Tool {
    static let declaration = ToolDeclaration(
        "shelf.take", "Take a thing", effect: .write, utterances: ["take {thing}", "{thing} is (gone|used up)"])

    @Argument("Which thing") var thing: Reference<Thing>

    func run(_ context: Context) async throws -> Reply<RowID> {
        let rows = context.rows(Thing.self)
        let found = try await rows.resolve(thing, by: \.name, where: \.state == .present)
        try await rows.update(found.id, .set(\.state, .taken))
        return Reply("Took \(found.name).", value: found.id, shown: .touched(found, label: found.name))
    }
}

struct ListThings: Tool {
    static let declaration = ToolDeclaration(
        "shelf.list", "List the shelf", effect: .read, utterances: ["what is on my shelf"])

    @Argument("Which ones") var state = Thing.State.present

    func run(_ context: Context) async throws -> String {
        let things = try await context.rows(Thing.self).list(where: \.state == state, order: .ascending(\.name))
        let warn = things.count < context.config(ShelfSettings.self).warnBelow
        return (warn ? "Nearly empty: " : "") + numbered(things.map(\.name))
    }
}

/// Two tables in one transaction; fails on purpose when asked.
struct PutBox: Tool {
    static let declaration = ToolDeclaration("shelf.box", "Put a box", effect: .write)

    @Argument var name: String
    @Argument var contents: [String] = []

    func run(_ context: Context) async throws -> Reply<RowID> {
        let result = try await context.batch { batch in
            let box = batch.insert(Box(name: name))
            for thing in contents { batch.insert(Thing(name: thing, boxID: box)) }
        }
        return Reply("Put a box with \(result.ids.count - 1).", value: result.ids[0])
    }
}

/// Every kind of argument, given back as its value.
struct Everything: Tool {
    struct Inner: Object {
        var name: String
        var amount: Decimal?
        var on: Day?
    }

    struct Echo: Object {
        var text: String
        var number: Double
        var count: Int
        var flag: Bool
        var price: Money
        var day: Day
        var when: When
        var at: Instant
        var span: Period
        var length: Minutes
        var choice: Thing.State
        var words: [String]
        var inner: [Inner]
        var map: [String: Int]
        var raw: JSON
        var missing: String?
    }

    static let declaration = ToolDeclaration("shelf.everything", "Everything", effect: .read)

    @Argument("Text", schema: ["maxLength": 100]) var text: String
    @Argument var number: Double
    @Argument var count: Int
    @Argument var flag: Bool
    @Argument var price: Money
    @Argument var day: Day
    @Argument var when: When
    @Argument var at: Instant
    @Argument var span: Period
    @Argument var length: Minutes
    @Argument var choice: Thing.State
    @Argument var words: [String]
    @Argument var inner: [Inner]
    @Argument var map: [String: Int]
    @Argument var raw: JSON
    @Argument var missing: String?

    func run(_ context: Context) async throws -> Reply<Echo> {
        Reply(
            "ok",
            value: Echo(
                text: text, number: number, count: count, flag: flag, price: price, day: day, when: when, at: at,
                span: span, length: length, choice: choice, words: words, inner: inner, map: map, raw: raw,
                missing: missing))
    }
}

/// Waits until it is cancelled.
struct Slow: Tool {
    static let declaration = ToolDeclaration("shelf.slow", "Wait", effect: .read)

    func run(_ context: Context) async throws -> String {
        context.progress(500, "half")
        try await Task.sleep(for: .seconds(60))
        return "done"
    }
}

/// Fails with an error that says too much.
struct Crash: Tool {
    struct Leak: Error { let secret = "hunter2" }

    static let declaration = ToolDeclaration("shelf.crash", "Fail", effect: .read)

    func run(_ context: Context) async throws -> String { throw Leak() }
}

/// Calls another plugin.
struct Sell: Tool {
    static let declaration = ToolDeclaration("shelf.sell", "Sell a thing", effect: .write, undo: .none)

    @Argument var price: Money
    @Argument var tool: String = "ledger.record"

    func run(_ context: Context) async throws -> Reply<JSON> {
        guard context.tools.isAvailable("ledger.record") else { throw ToolError.notGranted("The ledger is off.") }
        let answer = try await context.tools.call(tool, ["price": price.json])
        return Reply("Sold for \(price). \(answer.message)", value: answer.value)
    }
}

/// Declares `read` and writes all the same.
struct Peek: Tool {
    static let declaration = ToolDeclaration("shelf.peek", "Peek", effect: .read)

    func run(_ context: Context) async throws -> String {
        try await context.rows(Box.self).insert(Box(name: "sneaky"))
        return "written"
    }
}

/// Asks, and goes on with the answer.
struct Speak: Tool {
    static let declaration = ToolDeclaration("shelf.speak", "Speak", effect: .read, trust: .untrusted)

    func run(_ context: Context) async throws -> Reply<Nothing> {
        guard let size = try context.answer("size", as: String.self) else {
            throw Ask("Which size?", field: "size", options: ["small", "large"], state: ["step": 1])
        }
        context.log.info("answered", ["step": context.resumeState?["step"] ?? .null])
        return Reply("\(size) it is, \(context.idempotencyKey.isEmpty ? "without" : "with") a key", trust: .untrusted)
    }
}

struct Later: Tool {
    static let declaration = ToolDeclaration("shelf.later", "Later", effect: .read, startsInline: false)

    func run(_ context: Context) async throws -> Accepted { Accepted(job: "job-1", "I am on it.") }
}

struct Connect: Tool {
    static let declaration = ToolDeclaration("shelf.connect", "Connect", effect: .read)

    func run(_ context: Context) async throws -> Outcome {
        throw AuthRequired(grant: "example", "Connect your account first.")
    }
}

/// The escape hatch: its own schema, raw arguments, an outcome.
struct Bare: Tool {
    static let declaration = ToolDeclaration("shelf.bare", "Bare", effect: .read)
    static let parameters: JSON = [
        "type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"], "additionalProperties": false,
    ]

    func run(_ context: Context) async throws -> Outcome {
        .value(
            ["doubled": .integer((context.arguments["n"]?.int64Value ?? 0) * 2)], message: "ok", shown: nil, trust: nil)
    }
}

/// The plugin on the other side of `Sell`.
struct Ledger: Plugin {
    static let definition = PluginDefinition(
        id: "org.example.ledger", namespace: "ledger", name: "Ledger", version: "1.0.0", summary: "Records sales.",
        tables: [Sale.self], tools: [Record.self])
}

struct Sale: Row {
    static let table = Table<Sale>("ledger_sales", "what you sold")
    var id = RowID()
    var amount: Decimal
    var currency: String
}

struct Record: Tool {
    static let declaration = ToolDeclaration("ledger.record", "Record a sale", effect: .write)

    @Argument var price: Money

    func run(_ context: Context) async throws -> Reply<Money> {
        guard price.isExact, !price.amount.isNegative else {
            throw ToolError.invalid("That is no price.", code: "price")
        }
        try await context.rows(Sale.self).insert(Sale(amount: price.amount, currency: price.currency.code))
        let total = try await context.rows(Sale.self).sum(\.amount, where: \.currency == price.currency.code)
        return Reply("Recorded.", value: Money(total, price.currency))
    }
}
