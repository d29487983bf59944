public import TandemCore
public import TandemEmbedding

/// Vectors by another embedder than the built-in one, on behalf of a person: a service costs money, which has its budgets.
public protocol PersonalEmbedder: Sendable {
    var identity: EmbedderIdentity { get }

    /// As `TextEmbedder.embed`. Throws `EmbeddingRefusal` when it is only this person's texts that are not embedded now.
    func embed(_ texts: [String], as role: EmbeddingRole, for scope: UserScope) async throws -> [[Float]]
}

/// A budget is used up; another person's texts, or tomorrow, may have room.
public struct EmbeddingRefusal: Error, Sendable, Hashable {
    public init() {}
}
