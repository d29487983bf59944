import Logging
import TandemCore
import TandemJSON
import TandemLanguage
import TandemModels
import TandemStorage

/// The meter of an installation: all processes on one database count together, and a restart forgets nothing.
///
/// A reservation is committed before the request leaves. What a process that died had reserved stays counted until the day
/// is over.
struct StoredMeter: ModelMeter {
    private struct Refusal: Error {
        var limit: BudgetLimit
    }

    let database: any Database
    let clock: any WallClock
    /// ISO 4217, of the costs.
    let currency: String
    private let logger = Logger(label: "tandem.models")

    init(database: any Database, clock: any WallClock, currency: String) {
        self.database = database
        self.clock = clock
        self.currency = currency
    }

    func reserve(_ charge: ModelCharge, within budget: ModelBudget) async throws -> BudgetVerdict {
        let day = ModelDays.day(of: clock.now)
        do {
            try await database.write(charge.account.scope) { transaction in
                try Self.add(
                    charge, day: day, requests: 1, tokens: charge.tokens, micros: charge.micros, in: transaction)
                // With the charge in it, and the rows locked: nobody else can take the same room.
                let user = charge.account.scope.user
                guard
                    let row = try transaction.first("SELECT * FROM llm_days WHERE user_id = \(user) AND day = \(day)"),
                    let sum = try transaction.first("SELECT * FROM llm_totals WHERE day = \(day)")
                else { throw Refusal(limit: .unknown) }
                var person = try Self.day(row, "")
                var silent = try Self.day(row, "silent_")
                var total = try Self.day(sum, "")
                person.add(tokens: -charge.tokens, micros: -charge.micros, requests: -1)
                total.add(tokens: -charge.tokens, micros: -charge.micros, requests: -1)
                if charge.account.isSilent {
                    silent.add(tokens: -charge.tokens, micros: -charge.micros, requests: -1)
                }
                if let limit = ModelDay.limit(for: charge, day: person, silent: silent, total: total, within: budget) {
                    throw Refusal(limit: limit)
                }
            }
        } catch let refusal as Refusal {
            return .refused(refusal.limit)
        }
        return .granted(ModelReservation(charge: charge, day: day))
    }

    func settle(_ reservation: ModelReservation, _ outcome: ModelOutcome) async {
        let charge = reservation.charge
        let values: JSONObject = [
            "provider": .string(charge.provider), "model": .string(charge.model),
            "turn": charge.account.turn.map { .string($0.description) } ?? .null,
            "purpose": charge.account.isSilent ? "silent" : "turn", "outcome": .string(outcome.word),
            "input_tokens": .integer(Int64(outcome.usage.input)),
            "cached_tokens": .integer(Int64(outcome.usage.cached)),
            "output_tokens": .integer(Int64(outcome.usage.output)), "cost": .string(Self.amount(outcome.micros)),
            "currency": .string(currency), "milliseconds": .integer(Int64(outcome.milliseconds)),
        ]
        do {
            try await database.write(charge.account.scope) { transaction in
                try Self.add(
                    charge, day: reservation.day, requests: 0,
                    tokens: outcome.usage.input + outcome.usage.output - charge.tokens,
                    micros: outcome.micros - charge.micros, in: transaction)
                try transaction.insert(ModelSchema.usage, values)
            }
        } catch {
            // The reservation stays counted: rather too much than too little.
            logger.error("the use of a model could not be noted", metadata: ["error": "\(type(of: error))"])
        }
    }

    private static func day(_ row: SQLRow, _ prefix: String) throws -> ModelDay {
        ModelDay(
            requests: try row.int(prefix + "requests"), tokens: try row.int(prefix + "tokens"),
            micros: try row.int64(prefix + "micros"))
    }

    private static func add(
        _ charge: ModelCharge, day: Int, requests: Int, tokens: Int, micros: Int64, in transaction: any WriteTransaction
    ) throws {
        let user = charge.account.scope.user
        let silent = charge.account.isSilent ? 1 : 0
        try transaction.execute(
            """
            INSERT INTO llm_days (user_id, day, requests, tokens, micros, silent_requests, silent_tokens, silent_micros)
            VALUES (\(user), \(day), 0, 0, 0, 0, 0, 0) ON CONFLICT (user_id, day) DO NOTHING
            """)
        try transaction.execute(
            """
            UPDATE llm_days SET requests = requests + \(requests), tokens = tokens + \(tokens), micros = micros + \(micros),
            silent_requests = silent_requests + \(requests * silent), silent_tokens = silent_tokens + \(tokens * silent),
            silent_micros = silent_micros + \(micros * Int64(silent)) WHERE user_id = \(user) AND day = \(day)
            """)
        try transaction.execute(
            """
            INSERT INTO llm_totals (day, requests, tokens, micros) VALUES (\(day), 0, 0, 0) ON CONFLICT (day) DO NOTHING
            """)
        try transaction.execute(
            """
            UPDATE llm_totals SET requests = requests + \(requests), tokens = tokens + \(tokens),
            micros = micros + \(micros) WHERE day = \(day)
            """)
    }

    /// Millionths as an amount.
    static func amount(_ micros: Int64) -> String {
        let decimals = String(micros.magnitude % 1_000_000)
        return (micros < 0 ? "-" : "") + String(micros.magnitude / 1_000_000) + "."
            + String(repeating: "0", count: 6 - decimals.utf8.count) + decimals
    }

    /// Forgets days that no budget and no overview goes by any more.
    @discardableResult
    static func prune(_ database: any Database, before now: Timestamp, days: Int) async throws -> Int {
        let border = ModelDays.day(of: now) - days
        return try await database.write(.system) { transaction in
            try transaction.execute("DELETE FROM llm_totals WHERE day < \(border)")
            return try transaction.execute("DELETE FROM llm_days WHERE day < \(border)")
        }
    }
}
