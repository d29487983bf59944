public import TandemCore
public import TandemJSON
import TandemModels
import TandemStorage

/// What a day's requests to language models came to, of everybody.
public struct ModelUsage: Sendable, Hashable {
    /// UTC.
    public var date: CivilDate
    public var requests: Int
    public var tokens: Int
    /// In the currency of the price table, six decimals.
    public var cost: String
    /// Who asked for any of it.
    public var people: Int

    public var json: JSON {
        [
            "date": .string(date.description), "requests": .integer(Int64(requests)), "tokens": .integer(Int64(tokens)),
            "cost": .string(cost), "people": .integer(Int64(people)),
        ]
    }
}

extension Application {
    /// The last days with any use, newest first; what is under way counts as it is expected.
    public func modelUsage(days: Int = 7) async throws -> [ModelUsage] {
        let border = ModelDays.day(of: clock.now) - days
        return try await database.read(.system) { transaction in
            let rows = try transaction.query(
                """
                SELECT day, CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(tokens) AS BIGINT) AS tokens,
                CAST(sum(micros) AS BIGINT) AS micros, count(*) AS people FROM llm_days WHERE day > \(border) GROUP BY day ORDER BY day DESC
                """)
            return try rows.map { row in
                ModelUsage(
                    date: CivilDate(daysSinceEpoch: try row.int("day")), requests: try row.int("requests"),
                    tokens: try row.int("tokens"), cost: StoredMeter.amount(try row.int64("micros")),
                    people: try row.int("people"))
            }
        }
    }
}
