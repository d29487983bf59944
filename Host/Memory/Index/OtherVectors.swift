import TandemEmbedding

/// Vectors of another embedder than the built-in one, for some or all texts of an index.
///
/// Likenesses by two embedders are not comparable: each text's by this one is brought to the built-in one's scale, by mean
/// and spread over the texts that have both. So the weights of the ranking hold for either, and texts that have no other
/// vector yet stand fairly among those that have.
struct OtherVectors: Sendable {
    let dimensions: Int
    private var store: VectorStore
    /// By place: where in `store`, or -1.
    private var slots: [Int32] = []
    private var count = 0

    /// Of fewer texts mean and spread say nothing.
    static let least = 12
    /// Of texts that are all alike the built-in likenesses hardly differ; what stands out by the other one is to stand out.
    private static let leastSpread = 0.12
    private static let leastMean = 0.1

    init(dimensions: Int) {
        self.dimensions = dimensions
        store = VectorStore(dimensions: dimensions)
    }

    var size: Int { store.size + slots.capacity * 4 }

    mutating func attach(_ packed: [UInt8], to place: Int) {
        while slots.count <= place { slots.append(-1) }
        remove(place)
        guard store.append(packed: packed) else { return }
        slots[place] = Int32(store.count - 1)
        count += 1
    }

    mutating func remove(_ place: Int) {
        guard slots.indices.contains(place), slots[place] >= 0 else { return }
        store.clear(Int(slots[place]))
        slots[place] = -1
        count -= 1
    }

    /// Keeps those of these places, which move up.
    mutating func keep(_ places: [Int]) {
        let old = places.map { slots.indices.contains($0) ? slots[$0] : -1 }
        store.keep(old.filter { $0 >= 0 }.map(Int.init).sorted())
        // They ascend within the store as they were attached, not as they lie in the texts.
        var moved: [Int32: Int32] = [:]
        for (new, slot) in old.filter({ $0 >= 0 }).sorted().enumerated() { moved[slot] = Int32(new) }
        slots = old.map { $0 < 0 ? -1 : moved[$0] ?? -1 }
    }

    func replace(_ likeness: inout [Float], by vector: [Float]) {
        guard vector.count == dimensions, count >= OtherVectors.least else { return }
        let dots = store.dots(vector)
        var (sum, square, otherSum, otherSquare) = (0.0, 0.0, 0.0, 0.0)
        for place in slots.indices where slots[place] >= 0 {
            let (own, other) = (Double(likeness[place]), Double(dots[Int(slots[place])]))
            sum += own
            square += own * own
            otherSum += other
            otherSquare += other * other
        }
        let number = Double(count)
        let (mean, otherMean) = (sum / number, otherSum / number)
        let spread = max(square / number - mean * mean, 0).squareRoot()
        let otherSpread = max(otherSquare / number - otherMean * otherMean, 0).squareRoot()
        guard otherSpread > 1e-6 else { return }
        let factor = Float(max(spread, OtherVectors.leastSpread) / otherSpread)
        for place in slots.indices where slots[place] >= 0 {
            let value = Float(max(mean, OtherVectors.leastMean)) + (dots[Int(slots[place])] - Float(otherMean)) * factor
            likeness[place] = max(-1, min(1, value))
        }
    }
}
