import PluginCommon
public import TandemSDK

public struct PurchaseHistory: Tool {
    public static let declaration = ToolDeclaration(
        "grocery.history", "What was bought", effect: .read,
        """
        Shows what was checked off the shopping list in a period (the last 30 days by default), or when one thing was \
        last bought and for how much.
        """,
        utterances: [
            "what (did|have) (I|we) (buy|bought|get) [{period}]",
            "what groceries (did|have) (I|we) (buy|bought|get) [{period}]",
            "(show|list) [me] (my|the) bought groceries [{period}]",
            "grocery purchases [{period}]",
            "when did (I|we) last (buy|get) {item}",
            "when was the last time (I|we) bought {item}",
            "how often do (I|we) (buy|get) {item}",
            "have (I|we) (bought|got) {item} [{period}]",
            "how much (was|did I pay for) [the] {item} last time",
        ])

    @Argument("From when to when") var period: Period?
    @Argument("Only this thing", schema: ["maxLength": 200]) var item: String?

    public init() {}

    public struct History: Object {
        public var items: [ItemSummary]
        public var count: Int
        public var period: Period
    }

    public func run(_ context: Context) async throws -> Reply<History> {
        let today = context.clock.today
        let name = item?.singleLine(limit: GroceryLimits.nameLength).nonEmpty
        let span = period?.ordered ?? Period(from: today.adding(days: name == nil ? -30 : -3650), to: today)
        var rows = try await context.rows(GroceryItem.self).list(
            where: \.status == .purchased, \.purchasedDate >= span.from, \.purchasedDate <= span.to,
            order: .descending(\.purchasedDate), .descending(\.id), limit: 500)
        if let name {
            switch NameMatcher(rows.map(\.itemName), isKnown: FoodLexicon.isKnown).match(name) {
            case .exact(let places), .close(let places): rows = places.map { rows[$0] }
            case .none: rows = []
            }
        }
        let value = History(items: rows.map(ItemSummary.init), count: rows.count, period: span)
        guard let newest = rows.first else {
            let what = name.map { "\($0.cut(to: 40)) " } ?? ""
            let when = period == nil ? name == nil ? "in the last 30 days" : "so far" : span.phrase(today: today)
            return Reply("No \(what.isEmpty ? "purchases " : what)checked off \(when).", value: value)
        }
        if name != nil {
            let price = newest.price.map { " for \($0)" } ?? ""
            let day = newest.purchasedDate?.short(today: today) ?? "earlier"
            let more = rows.count > 1 ? " \(rows.count) times in all." : ""
            return Reply(
                "Last bought \(newest.label) \(dayPhrase(day))\(price).\(more)", value: value,
                shown: .items([newest], numbered: false))
        }
        let parts = rows.enumerated().map { index, row in
            let price = row.price.map { " \($0)" } ?? ""
            return "\(index + 1) \(row.label)\(price)"
        }
        let when = period == nil ? "Bought in 30 days:" : "Bought \(span.phrase(today: today)):"
        return Reply(
            MessageText.flow(when, parts), value: value, shown: .items(rows, select: "grocery.put_back"))
    }

    private func dayPhrase(_ day: String) -> String {
        day == "today" || day == "yesterday" || day == "earlier" ? day : "on \(day)"
    }
}

public struct EstimateCost: Tool {
    public static let declaration = ToolDeclaration(
        "grocery.estimate", "What the list will cost", effect: .read,
        """
        Adds up what the open things will probably cost: from the costs that were given, otherwise from the last prices \
        paid, scaled to the amount.
        """,
        utterances: [
            "how much will (my|the) [grocery|shopping] (list|groceries) cost",
            "what will (the|my) (groceries|shopping) cost",
            "how much (will|is) (this|the) (shop|shopping trip) [going to] cost [me]",
            "(estimate|work out) the cost of (my|the) [grocery|shopping] list",
            "how expensive is (my|the) [grocery|shopping] list",
            "how much money do I need for (the|my) (shopping|groceries)",
        ])

    public init() {}

    public struct Estimate: Object {
        /// One per currency.
        public var totals: [Money]
        public var priced: Int
        /// Names of the things without any known price.
        public var unpriced: [String]
        public var lines: [Line]

        public struct Line: Object {
            public var name: String
            public var cost: Money
            /// `estimate` or `last_price`.
            public var basis: String
        }
    }

    public func run(_ context: Context) async throws -> Reply<Estimate> {
        let open = Shelf.sorted(try await context.openItems())
        guard !open.isEmpty else {
            return Reply(
                "The list is empty, so it costs nothing.",
                value: Estimate(totals: [], priced: 0, unpriced: [], lines: []))
        }
        let paid = try await context.rows(GroceryItem.self).list(
            where: \.status == .purchased, \.pricePaid != nil,
            order: .descending(\.purchasedDate), .descending(\.id), limit: 500)
        var lines: [Estimate.Line] = []
        var unpriced: [String] = []
        for item in open {
            if let estimate = item.estimate {
                lines.append(.init(name: item.itemName, cost: estimate, basis: "estimate"))
            } else if let last = paid.first(where: { $0.nameKey == item.nameKey }), let price = last.price {
                lines.append(
                    .init(
                        name: item.itemName, cost: EstimateCost.scale(price, of: last.amount, to: item.amount),
                        basis: "last_price"))
            } else {
                unpriced.append(item.itemName)
            }
        }
        let totals = try EstimateCost.totals(lines.map(\.cost))
        let value = Estimate(totals: totals, priced: lines.count, unpriced: unpriced, lines: lines)
        guard !lines.isEmpty else {
            return Reply(
                "No prices yet for these \(open.count). Checking off with a price teaches me: bought milk for 1.20.",
                value: value)
        }
        let sum = totals.map(\.description).joined(separator: " and ")
        let names = unpriced.map { $0.cut(to: 24) }
        let message = MessageText.fitting { limit in
            let rest = names.isEmpty ? "" : " No price yet: \(MessageText.list(names, limit: limit))."
            return "About \(sum) for \(lines.count) of \(open.count).\(rest)"
        }
        let details = MessageText.flow("", lines.map { "\($0.name.cut(to: 40)) \($0.cost)" })
        return Reply(message + "\n" + details, value: value)
    }

    /// The price of another amount of the same thing, rounded to the currency's smallest unit; the price itself where
    /// the amounts do not compare.
    static func scale(_ price: Money, of bought: Amount, to wanted: Amount) -> Money {
        guard let had = bought.quantity, let want = wanted.quantity, bought.unit.family == wanted.unit.family else {
            return price
        }
        let smallHad = had * Decimal(bought.unit.factor, places: 0)
        let smallWant = want * Decimal(wanted.unit.factor, places: 0)
        let scaled = (price.amount * smallWant).divided(by: smallHad, places: price.currency.minorUnits)
        guard scaled.isNumber, scaled <= GroceryLimits.price * 1000 else { return price }
        return Money(scaled, price.currency)
    }

    /// The exact sums by currency, in the order of first use.
    static func totals(_ costs: [Money]) throws(ToolError) -> [Money] {
        var totals: [Money] = []
        for cost in costs {
            if let index = totals.firstIndex(where: { $0.currency == cost.currency }) {
                totals[index] += cost
            } else {
                totals.append(cost)
            }
        }
        guard totals.allSatisfy(\.amount.isNumber) else {
            throw .conflict("These amounts are too large to add up.", code: "too_large")
        }
        return totals
    }
}

public struct UsualItems: Tool {
    public static let declaration = ToolDeclaration(
        "grocery.usual", "What is usually bought", effect: .read,
        """
        Suggests things that are bought often and are not on the shopping list now, most frequent first. A number puts one \
        on the list.
        """,
        utterances: [
            "what do (I|we) usually buy",
            "what do (I|we) (normally|usually|always) get [at the shop]",
            "(add|get) (the|my) usual (things|groceries|stuff)",
            "what do (I|we) buy (often|most often|all the time|regularly)",
            "what (are|is) (my|our) usual (groceries|items|things|shopping)",
            "suggest [some] (groceries|items|things) [for (my|the) [grocery|shopping] list]",
            "what (am I|are we) (forgetting|missing) [on (my|the) [grocery|shopping] list]",
            "(show|list) my (usuals|staples|regulars)",
        ])

    public init() {}

    public struct Usual: Object {
        public var items: [Line]

        public struct Line: Object {
            public var item: ItemSummary
            public var times: Int
            public var lastBought: Day
        }
    }

    public func run(_ context: Context) async throws -> Reply<Usual> {
        let today = context.clock.today
        let open = Set(try await context.openItems().map(\.nameKey))
        let purchases = try await context.purchases(since: today.adding(days: -180))
        var counts: [String: (newest: GroceryItem, days: Set<Day>)] = [:]
        for row in purchases {
            guard let day = row.purchasedDate else { continue }
            counts[row.nameKey, default: (row, [])].days.insert(day)
        }
        let usual = counts.values.filter { $0.days.count > 1 && !open.contains($0.newest.nameKey) }.sorted {
            left, right in
            if left.days.count != right.days.count { return left.days.count > right.days.count }
            return left.newest.nameKey < right.newest.nameKey
        }.prefix(9)
        guard !usual.isEmpty else {
            let message =
                purchases.isEmpty
                ? "I learn this as you check things off. Nothing yet."
                : "Nothing else that you buy often. The list looks complete."
            return Reply(message, value: Usual(items: []))
        }
        let rows = usual.map(\.newest)
        let labels = usual.map { "\($0.newest.label) (\($0.days.count) times)" }
        return Reply(
            MessageText.flow("You often buy:", labels.enumerated().map { "\($0.offset + 1) \($0.element)" }),
            value: Usual(
                items: usual.map {
                    .init(
                        item: ItemSummary($0.newest), times: $0.days.count,
                        lastBought: $0.newest.purchasedDate ?? today)
                }),
            shown: .items(rows, select: "grocery.put_back"))
    }
}
