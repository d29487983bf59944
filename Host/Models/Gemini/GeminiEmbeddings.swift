public import TandemCore
public import TandemEgress
import TandemJSON
import TandemLanguage

/// Embeddings by Gemini, in batches (batchEmbedContents). Vectors shorter than the model's own come unnormalised; these
/// are of length one.
public struct GeminiEmbeddings: EmbeddingModel {
    public let name: String
    public let dimensions: Int
    private let model: String
    private let connection: VendorConnection

    /// Texts in one request (<https://ai.google.dev/api/embeddings>).
    static let batch = 100

    /// - Parameter model: without `models/`.
    public init(
        key: Secret, base: WebAddress, model: String = "gemini-embedding-001", dimensions: Int = 256,
        timeout: Duration = .seconds(30), http: any StreamingHTTPClient
    ) {
        self.model = model
        self.dimensions = dimensions
        name = "gemini/\(model)/\(dimensions)"
        connection = .gemini(name: "gemini", key: key, base: base, timeout: timeout, http: http)
    }

    public func embed(_ texts: [String], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        var vectors: [[Float]] = []
        vectors.reserveCapacity(texts.count)
        var start = 0
        while start < texts.count {
            let part = texts[start..<min(start + Self.batch, texts.count)]
            vectors += try await vectorsOfBatch(part, purpose)
            start += part.count
        }
        return vectors
    }

    private func vectorsOfBatch(_ texts: ArraySlice<String>, _ purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let task: JSON = purpose == .query ? "RETRIEVAL_QUERY" : "RETRIEVAL_DOCUMENT"
        let requests = texts.map { text -> JSON in
            [
                // Each inner request names the model, though the path does.
                "model": .string("models/\(model)"),
                // An empty text cannot be embedded.
                "content": ["parts": [["text": .string(text.isEmpty ? " " : text)]]], "taskType": task,
                "outputDimensionality": .integer(Int64(dimensions)),
            ]
        }
        let answer = try await connection.send(
            "/v1beta/models/\(model):batchEmbedContents", ["requests": .array(requests)])
        let embeddings = answer["embeddings"]?.arrayValue ?? []
        let vectors = embeddings.compactMap { embedding in
            Vectors.unit((embedding["values"]?.arrayValue ?? []).compactMap(\.doubleValue), count: dimensions)
        }
        guard vectors.count == texts.count else {
            throw LanguageError(.invalidResponse, "gemini gave vectors of another number or size")
        }
        return vectors
    }
}
