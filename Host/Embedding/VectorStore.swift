import CEmbedding

/// Vectors of one length as bytes, by place, and the dot products of one with all of them.
///
/// Each vector is stored with the scale that makes its largest number 127: for vectors of length one a dot product is then
/// right to about 0.005. `dimensions` + 4 bytes a vector, in blocks, so that growing copies little. A value type, not
/// synchronised.
public struct VectorStore: Sendable {
    private struct Block {
        var bytes: [Int8] = []
        var scales: [Float] = []
    }

    public let dimensions: Int
    public private(set) var count = 0
    private var blocks: [Block] = []

    /// Vectors of one block: about a megabyte.
    private static let blockLength = 4096

    public init(dimensions: Int) { self.dimensions = dimensions }

    /// Bytes held.
    public var size: Int { blocks.reduce(0) { $0 + $1.bytes.capacity + $1.scales.capacity * 4 } }

    /// Adds a vector at the next place. One of another length counts as zeros.
    public mutating func append(_ vector: [Float]) {
        if count % VectorStore.blockLength == 0 { blocks.append(Block()) }
        let (values, scale) = VectorStore.quantise(vector, dimensions)
        blocks[blocks.count - 1].bytes.append(contentsOf: values)
        blocks[blocks.count - 1].scales.append(scale)
        count += 1
    }

    /// A vector as it is stored elsewhere: its numbers as bytes, then what they are multiplied with (little-endian f32).
    public static func packed(_ vector: [Float]) -> [UInt8] {
        let (values, scale) = quantise(vector, vector.count)
        var bytes = values.map { UInt8(bitPattern: $0) }
        withUnsafeBytes(of: scale.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Adds a packed vector at the next place; false when it is none of this length.
    public mutating func append(packed bytes: [UInt8]) -> Bool {
        guard bytes.count == dimensions + 4 else { return false }
        var bits: UInt32 = 0
        for byte in bytes.suffix(4).reversed() { bits = bits << 8 | UInt32(byte) }
        let scale = Float(bitPattern: bits)
        guard scale.isFinite, scale >= 0 else { return false }
        if count % VectorStore.blockLength == 0 { blocks.append(Block()) }
        blocks[blocks.count - 1].bytes.append(contentsOf: bytes.prefix(dimensions).map { Int8(bitPattern: $0) })
        blocks[blocks.count - 1].scales.append(scale)
        count += 1
        return true
    }

    /// Makes a vector zero: it is like nothing.
    public mutating func clear(_ place: Int) {
        precondition(place < count)
        blocks[place / VectorStore.blockLength].scales[place % VectorStore.blockLength] = 0
    }

    /// Keeps only the vectors of these places, which must ascend.
    public mutating func keep(_ places: [Int]) {
        var kept = VectorStore(dimensions: dimensions)
        for place in places {
            if kept.count % VectorStore.blockLength == 0 { kept.blocks.append(Block()) }
            let block = blocks[place / VectorStore.blockLength]
            let row = place % VectorStore.blockLength
            kept.blocks[kept.blocks.count - 1].bytes
                .append(contentsOf: block.bytes[row * dimensions..<(row + 1) * dimensions])
            kept.blocks[kept.blocks.count - 1].scales.append(block.scales[row])
            kept.count += 1
        }
        self = kept
    }

    /// The dot products of a vector with those stored at `start` and after it, by place.
    public func dots(_ vector: [Float], from start: Int = 0) -> [Float] {
        let (query, scale) = VectorStore.quantise(vector, dimensions)
        return [Float](unsafeUninitializedCapacity: max(count - start, 0)) { out, initialised in
            guard let out = out.baseAddress else { return }
            for (number, block) in blocks.enumerated().dropFirst(start / VectorStore.blockLength) {
                let skipped = max(start - number * VectorStore.blockLength, 0)
                block.bytes.withUnsafeBufferPointer { rows in
                    block.scales.withUnsafeBufferPointer { scales in
                        guard let rows = rows.baseAddress, let factors = scales.baseAddress, skipped < scales.count
                        else { return }
                        tandem_embedding_dots(
                            query, scale, rows + skipped * dimensions, factors + skipped, dimensions,
                            scales.count - skipped, out + initialised)
                        initialised += scales.count - skipped
                    }
                }
            }
        }
    }

    static func quantise(_ vector: [Float], _ dimensions: Int) -> ([Int8], Float) {
        var most: Float = 0
        for value in vector { most = value.isFinite ? max(most, abs(value)) : .infinity }
        guard vector.count == dimensions, most > 0, most.isFinite else {
            return ([Int8](repeating: 0, count: dimensions), 0)
        }
        let factor = 127 / most
        return (vector.map { Int8(max(-127, min(127, ($0 * factor).rounded()))) }, most / 127)
    }
}
