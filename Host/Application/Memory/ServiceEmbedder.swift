import TandemCore
import TandemEgress
import TandemEmbedding
import TandemLanguage
import TandemMemory
import TandemModels

/// Vectors by the service that the operator chose, within the budgets of models.
struct ServiceEmbedder: PersonalEmbedder {
    private let service: MeteredEmbeddings

    /// Nil: none is chosen, or its key is missing.
    init?(
        _ configuration: Configuration, http: any StreamingHTTPClient, meter: any ModelMeter, budget: ModelBudget,
        prices: PriceTable, metrics: MetricsRegistry
    ) {
        guard let chosen = configuration.models.embeddings else { return nil }
        let model: any EmbeddingModel
        if chosen.provider == "gemini" {
            guard let key = configuration.gemini.key else { return nil }
            model = GeminiEmbeddings(
                key: key, base: configuration.addresses.gemini, model: chosen.model, dimensions: chosen.dimensions,
                http: http)
        } else {
            guard let chat = configuration.models.chat else { return nil }
            model = ChatEmbeddings(
                key: chat.key, base: chat.address, model: chosen.model, dimensions: chosen.dimensions, http: http)
        }
        service = MeteredEmbeddings(
            model, provider: chosen.provider, pricedAs: chosen.model, meter: meter, budget: budget, prices: prices,
            metrics: metrics)
    }

    var identity: EmbedderIdentity {
        EmbedderIdentity(name: service.model.name, version: "1", dimensions: service.model.dimensions)
    }

    func embed(_ texts: [String], as role: EmbeddingRole, for scope: UserScope) async throws -> [[Float]] {
        do {
            return try await service.embed(
                texts, for: role == .query ? .query : .document,
                of: LanguageAccount(scope: scope, isSilent: role == .document))
        } catch is MeteredEmbeddings.Refusal {
            throw EmbeddingRefusal()
        }
    }
}
