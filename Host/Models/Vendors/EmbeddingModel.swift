/// A service that turns texts into vectors.
public protocol EmbeddingModel: Sendable {
    /// Names service, model and size: vectors of different names must not be compared.
    var name: String { get }
    /// The length of every vector.
    var dimensions: Int { get }

    /// One unit vector for each text, in their order. Throws `LanguageError`; then none counts.
    func embed(_ texts: [String], for purpose: EmbeddingPurpose) async throws -> [[Float]]
}

/// Some models embed what is looked for otherwise than what is found.
public enum EmbeddingPurpose: Sendable, Hashable {
    case document
    case query
}

enum Vectors {
    /// A vector of length one; nil for what is no vector of this size.
    static func unit(_ values: [Double], count: Int) -> [Float]? {
        guard values.count == count else { return nil }
        var sum = 0.0
        for value in values { sum += value * value }
        guard sum > 0, sum.isFinite else { return nil }
        let scale = 1 / sum.squareRoot()
        return values.map { Float($0 * scale) }
    }
}
