/// Turns texts into vectors whose dot product says how near the texts are in meaning.
///
/// Vectors of two embedders, or of two versions of one, must never be compared: what stores vectors stores the
/// `EmbedderIdentity` with them and moves to another embedder by embedding again.
public protocol TextEmbedder: Sendable {
    var identity: EmbedderIdentity { get }

    /// The vectors of the texts, in their order, each of length one; all zeros for a text in which nothing is known.
    ///
    /// - Parameter role: Some models embed what is searched for otherwise than what is found.
    /// - Throws: Whatever keeps the embedder from answering (network, budget, refusal). Nothing is returned in part.
    func embed(_ texts: [String], as role: EmbeddingRole) async throws -> [[Float]]
}

/// Which vectors may be compared with each other.
public struct EmbedderIdentity: Sendable, Hashable, CustomStringConvertible {
    /// `tandem-static`, `gemini-embedding-001` …
    public var name: String
    /// Another version's vectors are not comparable.
    public var version: String
    public var dimensions: Int

    public init(name: String, version: String, dimensions: Int) {
        self.name = name
        self.version = version
        self.dimensions = dimensions
    }

    /// `NAME/VERSION/DIMENSIONS`: what is stored beside vectors.
    public var description: String { "\(name)/\(version)/\(dimensions)" }
}

public enum EmbeddingRole: Sendable, Hashable {
    case document
    case query
}
