import TandemCore
import TandemEgress
import TandemEmbedding
import TandemModels

/// Vectors by the service that the operator chose.
struct ServiceEmbedder: TextEmbedder {
    private let model: any EmbeddingModel

    init(_ model: any EmbeddingModel) { self.model = model }

    /// Nil: none is chosen, or its key is missing.
    init?(_ configuration: Configuration, http: any StreamingHTTPClient) {
        guard let chosen = configuration.models.embeddings else { return nil }
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
    }

    var identity: EmbedderIdentity {
        EmbedderIdentity(name: model.name, version: "1", dimensions: model.dimensions)
    }

    func embed(_ texts: [String], as role: EmbeddingRole) async throws -> [[Float]] {
        try await model.embed(texts, for: role == .query ? .query : .document)
    }
}
