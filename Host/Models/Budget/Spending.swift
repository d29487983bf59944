import TandemCore
import TandemLanguage

/// What requests to services cost: asked of the budgets before each, noted after it.
struct Spending: Sendable {
    let meter: any ModelMeter
    let budget: ModelBudget
    let prices: PriceTable
    let metrics: ModelMetrics

    func charge(
        for usage: LanguageUsage, of account: LanguageAccount, provider: String, model: String
    ) -> ModelCharge {
        ModelCharge(
            account: account, provider: provider, model: model, tokens: usage.input + usage.output,
            micros: prices.cost(of: usage, model: model))
    }

    func reserve(_ charge: ModelCharge) async throws(CancellationError) -> BudgetVerdict {
        do {
            return try await meter.reserve(charge, within: budget)
        } catch let error as CancellationError {
            throw error
        } catch {
            // Not known to be within the budget: then it is not.
            return .refused(.unknown)
        }
    }

    /// - Parameters:
    ///   - usage: What was really used.
    ///   - nanoseconds: How long the request took.
    func settle(
        _ reservation: ModelReservation, usage: LanguageUsage, word: String, nanoseconds: UInt64
    ) async {
        let charge = reservation.charge
        let outcome = ModelOutcome(
            usage: usage, micros: prices.cost(of: usage, model: charge.model), word: word,
            milliseconds: Int(clamping: nanoseconds / 1_000_000))
        metrics.note(provider: charge.provider, outcome)
        // Also when the caller has gone: what was used was used.
        let meter = meter
        await Task { await meter.settle(reservation, outcome) }.value
    }
}
