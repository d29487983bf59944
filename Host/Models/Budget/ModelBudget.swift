import TandemCore
public import TandemLanguage

/// What models may cost, asked before each call. Days are days of UTC. Nil: no such limit.
public struct ModelBudget: Sendable, Hashable {
    /// Times that a model is asked within one turn.
    public var stepsPerTurn: Int
    /// Calls that models may ask for within one turn.
    public var callsPerTurn: Int
    /// Tokens of one turn, input and output together.
    public var tokensPerTurn: Int?
    /// A person's requests in a day.
    public var requestsPerDay: Int?
    /// A person's tokens in a day.
    public var tokensPerDay: Int?
    /// A person's money in a day, in millionths of the price table's currency.
    public var microsPerDay: Int64?
    /// Everybody's together.
    public var totalMicrosPerDay: Int64?
    /// The part of a person's day that requests nobody waits for may use, 0…1.
    public var silentShare: Double

    public init(
        stepsPerTurn: Int = 8, callsPerTurn: Int = 24, tokensPerTurn: Int? = 60_000, requestsPerDay: Int? = 400,
        tokensPerDay: Int? = 1_000_000, microsPerDay: Int64? = nil, totalMicrosPerDay: Int64? = nil,
        silentShare: Double = 0.3
    ) {
        self.stepsPerTurn = stepsPerTurn
        self.callsPerTurn = callsPerTurn
        self.tokensPerTurn = tokensPerTurn
        self.requestsPerDay = requestsPerDay
        self.tokensPerDay = tokensPerDay
        self.microsPerDay = microsPerDay
        self.totalMicrosPerDay = totalMicrosPerDay
        self.silentShare = silentShare
    }
}

/// The limit that stood in the way.
public enum BudgetLimit: String, Sendable, Hashable, CaseIterable {
    case turnSteps = "turn_steps"
    case turnCalls = "turn_calls"
    case turnTokens = "turn_tokens"
    case dayRequests = "day_requests"
    case dayTokens = "day_tokens"
    case dayMoney = "day_money"
    case totalMoney = "total_money"
    /// What is left is for conversations.
    case silent
    /// Nobody could be asked whether there is room.
    case unknown
}

/// A request to a model, as it is expected to be.
public struct ModelCharge: Sendable, Hashable {
    public var account: LanguageAccount
    public var provider: String
    public var model: String
    public var tokens: Int
    public var micros: Int64

    public init(account: LanguageAccount, provider: String, model: String, tokens: Int, micros: Int64) {
        self.account = account
        self.provider = provider
        self.model = model
        self.tokens = tokens
        self.micros = micros
    }
}

/// What became of it.
public struct ModelOutcome: Sendable, Hashable {
    public var usage: LanguageUsage
    public var micros: Int64
    /// `ok`, `cached` or a word for the failure.
    public var word: String
    public var milliseconds: Int

    public init(usage: LanguageUsage, micros: Int64, word: String, milliseconds: Int) {
        self.usage = usage
        self.micros = micros
        self.word = word
        self.milliseconds = milliseconds
    }
}

/// What was taken from the budgets for a request under way.
public struct ModelReservation: Sendable, Hashable {
    public var charge: ModelCharge
    /// Days since 1970-01-01, UTC.
    public var day: Int

    public init(charge: ModelCharge, day: Int) {
        self.charge = charge
        self.day = day
    }
}

public enum BudgetVerdict: Sendable, Hashable {
    case granted(ModelReservation)
    case refused(BudgetLimit)
}

/// Keeps count of days. What is reserved counts as spent until it is settled: a process that dies leaves it so.
public protocol ModelMeter: Sendable {
    /// Takes the charge from the person's day and from everybody's, or from neither.
    func reserve(_ charge: ModelCharge, within budget: ModelBudget) async throws -> BudgetVerdict

    /// Puts what was really used in the place of what was reserved, and notes it. Once for each reservation.
    func settle(_ reservation: ModelReservation, _ outcome: ModelOutcome) async
}

/// What a day has used; the arithmetic of the limits.
public struct ModelDay: Sendable, Hashable {
    public var requests: Int
    public var tokens: Int
    public var micros: Int64

    public init(requests: Int = 0, tokens: Int = 0, micros: Int64 = 0) {
        self.requests = requests
        self.tokens = tokens
        self.micros = micros
    }

    /// The limit that a charge would break, if any.
    ///
    /// - Parameters:
    ///   - silent: of the day, what requests that nobody waits for have used.
    public static func limit(
        for charge: ModelCharge, day: ModelDay, silent: ModelDay, total: ModelDay, within budget: ModelBudget
    ) -> BudgetLimit? {
        if let limit = budget.requestsPerDay, day.requests >= limit { return .dayRequests }
        if let limit = budget.tokensPerDay, day.tokens + charge.tokens > limit { return .dayTokens }
        if let limit = budget.microsPerDay, charge.micros > 0, day.micros + charge.micros > limit { return .dayMoney }
        if let limit = budget.totalMicrosPerDay, charge.micros > 0, total.micros + charge.micros > limit {
            return .totalMoney
        }
        guard charge.account.isSilent else { return nil }
        func share(_ limit: Int64) -> Int64 { Int64(Double(limit) * min(max(budget.silentShare, 0), 1)) }
        if let limit = budget.requestsPerDay, Int64(silent.requests) >= share(Int64(limit)) { return .silent }
        if let limit = budget.tokensPerDay, Int64(silent.tokens + charge.tokens) > share(Int64(limit)) {
            return .silent
        }
        if let limit = budget.microsPerDay, charge.micros > 0, silent.micros + charge.micros > share(limit) {
            return .silent
        }
        return nil
    }

    public mutating func add(tokens: Int, micros: Int64, requests: Int = 0) {
        self.requests += requests
        self.tokens = max(0, self.tokens + tokens)
        self.micros = max(0, self.micros + micros)
    }
}
