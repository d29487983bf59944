import CEmbedding

/// Vectors of length one as bytes, one after the other, and their dot products with another.
struct QuantisedRows: Sendable {
    static let dimensions = 256

    private(set) var bytes: [Int8] = []
    private(set) var scales: [Float] = []
    var count: Int { scales.count }

    mutating func append(_ vector: [Float]) {
        let (values, scale) = QuantisedRows.quantise(vector)
        bytes += values
        scales.append(scale)
    }

    /// The largest dot product, and the mean of the three largest.
    func nearest(to query: Query) -> (best: Float, few: Float, row: Int) {
        guard count > 0 else { return (0, 0, -1) }
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { out in
            guard let out = out.baseAddress else { return (0, 0, -1) }
            tandem_embedding_dots(query.bytes, query.scale, bytes, scales, QuantisedRows.dimensions, count, out)
            var (first, second, third): (Float, Float, Float) = (-1, -1, -1)
            var row = -1
            for index in 0..<count {
                let value = out[index]
                if value > first {
                    (first, second, third) = (value, first, second)
                    row = index
                } else if value > second {
                    (second, third) = (value, second)
                } else if value > third {
                    third = value
                }
            }
            let few = count > 2 ? (first + second + third) / 3 : count > 1 ? (first + second) / 2 : first
            return (first, few, row)
        }
    }

    struct Query {
        let bytes: [Int8]
        let scale: Float

        init(_ vector: [Float]) { (bytes, scale) = QuantisedRows.quantise(vector) }
    }

    private static func quantise(_ vector: [Float]) -> ([Int8], Float) {
        var most: Float = 0
        for value in vector { most = max(most, abs(value)) }
        guard vector.count == dimensions, most > 0, most.isFinite else {
            return ([Int8](repeating: 0, count: dimensions), 0)
        }
        let factor = 127 / most
        return (vector.map { Int8(max(-127, min(127, ($0 * factor).rounded()))) }, most / 127)
    }
}
