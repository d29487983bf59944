public import TandemCore
public import TandemEgress
import TandemJSON
import TandemLanguage

/// Embeddings by a server of the chat-completions family: `POST …/embeddings`.
public struct ChatEmbeddings: EmbeddingModel {
    public let name: String
    public let dimensions: Int
    private let model: String
    private let base: WebAddress
    private let connection: VendorConnection

    static let batch = 64

    /// - Parameter dimensions: what the model gives; a vector of another size is an error.
    public init(
        key: Secret?, base: WebAddress, model: String, dimensions: Int, timeout: Duration = .seconds(60),
        http: any StreamingHTTPClient
    ) {
        self.model = model
        self.base = base
        self.dimensions = dimensions
        name = "chat/\(model)/\(dimensions)"
        connection = .chat(name: "chat", key: key, base: base, timeout: timeout, http: http)
    }

    public func embed(_ texts: [String], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        var vectors: [[Float]] = []
        var start = 0
        while start < texts.count {
            let part = texts[start..<min(start + Self.batch, texts.count)]
            vectors += try await vectorsOfBatch(part)
            start += part.count
        }
        return vectors
    }

    private func vectorsOfBatch(_ texts: ArraySlice<String>) async throws -> [[Float]] {
        let answer = try await connection.send(
            VendorConnection.chatPath(base, "/embeddings"),
            ["model": .string(model), "input": .array(texts.map { .string($0.isEmpty ? " " : $0) })])
        let data = answer["data"]?.arrayValue ?? []
        var vectors = [[Float]?](repeating: nil, count: texts.count)
        for (place, entry) in data.enumerated() {
            let index = entry["index"]?.int64Value.flatMap { Int(exactly: $0) } ?? place
            guard vectors.indices.contains(index) else { continue }
            vectors[index] = Vectors.unit(
                (entry["embedding"]?.arrayValue ?? []).compactMap(\.doubleValue), count: dimensions)
        }
        let whole = vectors.compactMap(\.self)
        guard whole.count == texts.count else {
            throw LanguageError(.invalidResponse, "the embedding server gave vectors of another number or size")
        }
        return whole
    }
}
