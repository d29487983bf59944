import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// What the assistant cost: one's own models and SMS.
enum UsageRoutes {
    static let usage = Shape.answer([
        "today": day,
        "days": Shape.described(Shape.list(day), "The last thirty with any use, newest first; days of UTC."),
        "models": Shape.list(
            Shape.answer([
                "provider": ["type": "string"], "model": ["type": "string"],
                "currency": Shape.described(["type": "string"], "Of the costs, ISO 4217."), "requests": Shape.count,
                "input_tokens": Shape.count, "cached_tokens": Shape.count, "output_tokens": Shape.count,
                "cost": ["type": "string"],
            ])),
        "sms": Shape.answer(["segments_in": Shape.count, "segments_out": Shape.count]),
    ])

    private static let day = Shape.answer([
        "date": Shape.date, "requests": Shape.count, "tokens": Shape.count, "cost": ["type": "string"],
    ])

    static let all: [APIRoute] = [
        APIRoute(
            "getOwnUsage", .get, "/api/v1/usage", tag: "Your data", summary: "What you have used",
            text:
                "Requests to language models and SMS segments of thirty days. A request under way counts as it is expected.",
            access: .signedIn(.ownData), rate: .read,
            answers: [APIAnswer(200, "It.", schema: Shape.named("Usage"))]
        ) { call in
            let now = call.database.store.clock.now
            let today = day(of: now)
            let scope = try call.scope
            return .json(
                try await call.database.read(scope) { transaction in
                    try report(transaction, of: scope, now: now, today: today)
                })
        }
    ]

    private static let span = 30

    /// Days since 1970-01-01, UTC.
    static func day(of now: Timestamp) -> Int { Int(now.millisecondsSinceEpoch / 86_400_000) }

    /// Everybody's requests to models on a day.
    static func total(of day: Int, in transaction: any ReadTransaction) throws -> JSON {
        let row = try transaction.first("SELECT requests, tokens, micros FROM llm_totals WHERE day = \(day)")
        return [
            "requests": .integer(try row?.int64("requests") ?? 0), "tokens": .integer(try row?.int64("tokens") ?? 0),
            "cost": .string(amount(try row?.int64("micros") ?? 0)),
        ]
    }

    private static func report(
        _ transaction: any ReadTransaction, of scope: UserScope, now: Timestamp, today: Int
    ) throws -> JSON {
        let rows = try transaction.query(
            """
            SELECT day, requests, tokens, micros FROM llm_days WHERE user_id = \(scope.user) AND day > \(today - span)
            ORDER BY day DESC
            """)
        let days = try rows.map { row in
            (
                try row.int("day"),
                entry(try row.int("day"), try row.int64("requests"), try row.int64("tokens"), try row.int64("micros"))
            )
        }
        let since = [RowCondition("created_at", .greater, .timestamp(now.advanced(by: .seconds(-span * 86_400))))]
        let by = ["provider", "model", "currency"]
        var models: [JSONObject] = []
        for column in ["input_tokens", "cached_tokens", "output_tokens", "cost"] {
            for (place, group) in try transaction.sum("llm_usage", column, by: by, where: since).enumerated() {
                if column == "input_tokens" {
                    models.append([
                        "provider": group.key["provider"] ?? .null, "model": group.key["model"] ?? .null,
                        "currency": group.key["currency"] ?? .null, "requests": .integer(Int64(group.count)),
                    ])
                }
                // Groups come in the order of their keys.
                models[place][column] = group.sum
            }
        }
        var segments: [String: JSON] = [:]
        for group in try transaction.sum("sms_usage_logs", "segments", by: ["direction"], where: since) {
            segments[group.key["direction"]?.stringValue ?? ""] = group.sum
        }
        return [
            "today": days.first { $0.0 == today }?.1 ?? entry(today, 0, 0, 0), "days": .array(days.map(\.1)),
            "models": .array(models.map { .object($0) }),
            "sms": ["segments_in": segments["in"] ?? 0, "segments_out": segments["out"] ?? 0],
        ]
    }

    private static func entry(_ day: Int, _ requests: Int64, _ tokens: Int64, _ micros: Int64) -> JSON {
        [
            "date": .date(CivilDate(daysSinceEpoch: day)), "requests": .integer(requests), "tokens": .integer(tokens),
            "cost": .string(amount(micros)),
        ]
    }

    /// Millionths as an amount.
    static func amount(_ micros: Int64) -> String {
        let decimals = String(micros.magnitude % 1_000_000)
        return (micros < 0 ? "-" : "") + String(micros.magnitude / 1_000_000) + "."
            + String(repeating: "0", count: 6 - decimals.utf8.count) + decimals
    }
}
