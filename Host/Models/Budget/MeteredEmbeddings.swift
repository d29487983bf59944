public import TandemCore
public import TandemLanguage

/// Vectors by a service, within the same budgets as requests to models: asked before each request, noted after it.
///
/// Services do not all say what an embedding cost; it is counted by the length of the texts (`TokenEstimate`).
public struct MeteredEmbeddings: Sendable {
    public let model: any EmbeddingModel
    private let provider: String
    private let pricedAs: String
    private let spending: Spending

    /// A budget stood in the way; nothing was asked.
    public struct Refusal: Error, Sendable, Hashable {
        public var limit: BudgetLimit
    }

    /// - Parameters:
    ///   - provider: For the overview of what models cost: `gemini`.
    ///   - pricedAs: The model's name in the price table.
    public init(
        _ model: any EmbeddingModel, provider: String, pricedAs: String, meter: any ModelMeter, budget: ModelBudget,
        prices: PriceTable, metrics registry: MetricsRegistry
    ) {
        self.model = model
        self.provider = provider
        self.pricedAs = pricedAs
        spending = Spending(meter: meter, budget: budget, prices: prices, metrics: ModelMetrics(registry))
    }

    /// One unit vector for each text, in their order. What is found is embedded when nobody waits for it: that may not use up
    /// what conversations need.
    ///
    /// - Throws: `Refusal`; `LanguageError` of the service: then none counts, and nothing is paid.
    public func embed(
        _ texts: [String], for purpose: EmbeddingPurpose, of account: LanguageAccount
    ) async throws -> [[Float]] {
        let expected = LanguageUsage(input: texts.reduce(0) { $0 + TokenEstimate.tokens(of: $1) })
        let charge = spending.charge(for: expected, of: account, provider: provider, model: pricedAs)
        let reservation: ModelReservation
        switch try await spending.reserve(charge) {
        case .granted(let granted): reservation = granted
        case .refused(let limit):
            spending.metrics.refusals.with(limit.rawValue).increment()
            throw Refusal(limit: limit)
        }
        let start = monotonicNanoseconds()
        do {
            let vectors = try await model.embed(texts, for: purpose)
            await settle(reservation, expected, "ok", since: start)
            return vectors
        } catch {
            // Nothing is paid for what was refused; for what broke off it may be.
            let code = (error as? LanguageError)?.code
            let isPaid = error is CancellationError || code == .timeout || code == .invalidResponse
            await settle(
                reservation, isPaid ? expected : LanguageUsage(),
                error is CancellationError ? "cancelled" : "failed", since: start)
            throw error
        }
    }

    private func settle(
        _ reservation: ModelReservation, _ usage: LanguageUsage, _ word: String, since start: UInt64
    ) async {
        await spending.settle(
            reservation, usage: usage, word: word, nanoseconds: monotonicNanoseconds() &- start)
    }
}
