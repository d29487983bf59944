import CEmbedding

/// The embedder that is part of the binary: the mean of a text's token vectors, each with its weight.
///
/// No network, no model run: a sentence costs a few microseconds. The vectors were made so that the mean comes near to what
/// the sentence model `all-MiniLM-L6-v2` gives for the whole sentence; see `Tools/embedding/README.md`. English foremost.
/// Deterministic, and safe from any thread.
public struct StaticEmbedder: TextEmbedder {
    private let table: EmbeddingTable
    private let tokenizer: WordPieceTokenizer

    /// What comes after so many tokens does not count: the mean of a long text says little.
    public static let mostTokens = 512

    public init(table: EmbeddingTable = .linked) {
        self.table = table
        tokenizer = WordPieceTokenizer(table: table)
    }

    public var identity: EmbedderIdentity {
        EmbedderIdentity(name: "tandem-static", version: table.version, dimensions: table.dimensions)
    }

    public var dimensions: Int { table.dimensions }

    public func embed(_ texts: [String], as role: EmbeddingRole) -> [[Float]] { texts.map { embed($0) } }

    /// The vector of a text, of length one; all zeros when the text has no token.
    public func embed(_ text: some StringProtocol) -> [Float] {
        var vector = sum(text)
        StaticEmbedder.normalise(&vector)
        return vector
    }

    /// The weighted sum of the text's token vectors, not normalised: sums of parts can be added up.
    public func sum(_ text: some StringProtocol) -> [Float] {
        var rows: [Int32] = []
        rows.reserveCapacity(text.utf8.count / 4 + 2)
        tokenizer.append(text, to: &rows, limit: StaticEmbedder.mostTokens)
        return sum(rows: rows)
    }

    /// The weighted sum of rows of the table; ones that it does not have are left out.
    public func sum(rows: [Int32]) -> [Float] {
        let known =
            rows.allSatisfy { $0 >= 0 && Int($0) < table.rows }
            ? rows : rows.filter { $0 >= 0 && Int($0) < table.rows }
        var sum = [Float](repeating: 0, count: table.dimensions)
        known.withUnsafeBufferPointer { ids in
            sum.withUnsafeMutableBufferPointer { sum in
                guard let ids = ids.baseAddress, let out = sum.baseAddress else { return }
                tandem_embedding_add(table.vectors, table.scales, table.dimensions, ids, known.count, out)
            }
        }
        return sum
    }

    /// Makes a vector one of length one; zeros stay zeros.
    public static func normalise(_ vector: inout [Float]) {
        var square: Float = 0
        for value in vector { square += value * value }
        guard square > 1e-20, square.isFinite else {
            for index in vector.indices { vector[index] = 0 }
            return
        }
        let factor = 1 / square.squareRoot()
        for index in vector.indices { vector[index] *= factor }
    }

    /// The cosine of the angle between two texts' vectors.
    public func similarity(_ left: some StringProtocol, _ right: some StringProtocol) -> Float {
        let (a, b) = (embed(left), embed(right))
        var dot: Float = 0
        for index in a.indices { dot += a[index] * b[index] }
        return dot
    }
}
