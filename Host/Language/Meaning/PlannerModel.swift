import CEmbedding
import CPlannerModel
import TandemEmbedding

/// What was learned beforehand from sentences that ask for something and sentences that do not. The tools are not in it, only
/// the namespaces of those that come with Tandem.
///
/// Written by `Tools/planner/make_model.py`, all numbers little-endian, each section at a multiple of 64 bytes:
///
/// | bytes | what |
/// |---|---|
/// | 0…7 | `TDPLN` 0 0 2 |
/// | 8…31 | u32 each: dimensions, buckets, background sentences, features, hidden units, buckets of the trades |
/// | 32…63 | version of the embedding table that the vectors are of, UTF-8, filled with zeros |
/// | section 1 | (dimensions + buckets + 1) × f32: whether a sentence asks for anything, of vector, words and at all |
/// | section 2 | background sentences × f32: their scales |
/// | section 3 | background sentences × dimensions int8: sentences that no tool here serves |
/// | section 4 | features × 2 × f32: mean and scale; hidden × (features + 1) × f32; (hidden + 1) × f32 |
/// | section 5 | 16 × 32 bytes: the namespaces of each trade, UTF-8 with spaces between, filled with zeros; the first has none |
/// | section 6 | 16 × f32: scales of the trades; 16 × f32: how common they are |
/// | section 7 | (dimensions + buckets of the trades) × 16 int8: what speaks for each trade, of vector and words |
struct PlannerModel: Sendable {
    static let dimensions = QuantisedRows.dimensions

    // Read-only memory of the binary, there as long as the process.
    nonisolated(unsafe) private let request: UnsafePointer<Float>
    nonisolated(unsafe) private let scales: UnsafePointer<Float>
    nonisolated(unsafe) private let background: UnsafePointer<Int8>
    nonisolated(unsafe) private let network: UnsafePointer<Float>
    private let buckets: Int
    private let count: Int
    private let features: Int
    private let hidden: Int
    /// Namespaces by trade: what a trade means whose tools come with Tandem. The first serves nothing.
    let trades: [[String]]
    nonisolated(unsafe) private let tradeScales: UnsafePointer<Float>
    nonisolated(unsafe) private let tradeWeights: UnsafePointer<SIMD16<Int8>>
    private let tradeBuckets: Int

    /// The model that is linked in; nil when it was made for another embedding table.
    static let linked: PlannerModel? = PlannerModel(
        UnsafeRawBufferPointer(start: tandem_planner_model(), count: tandem_planner_model_length()))

    private init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count >= 64,
            bytes.prefix(8).elementsEqual([0x54, 0x44, 0x50, 0x4C, 0x4E, 0, 0, 2]),
            String(decoding: bytes[32..<64].prefix { $0 != 0 }, as: UTF8.self) == EmbeddingTable.linked.version,
            EmbeddingTable.linked.dimensions == PlannerModel.dimensions
        else { return nil }
        func number(_ index: Int) -> Int {
            Int(UInt32(littleEndian: bytes.load(fromByteOffset: 8 + 4 * index, as: UInt32.self)))
        }
        (buckets, count, features, hidden, tradeBuckets) = (number(1), number(2), number(3), number(4), number(5))
        guard number(0) == PlannerModel.dimensions, buckets > 0, buckets & (buckets - 1) == 0, buckets < 1 << 20,
            tradeBuckets > 0, tradeBuckets & (tradeBuckets - 1) == 0, tradeBuckets < 1 << 20,
            count < 1 << 20, features == CandidateFeatures.count, hidden < 1024
        else { return nil }
        var offset = 64
        func section(_ length: Int) -> UnsafeRawPointer {
            defer { offset = (offset + length + 63) / 64 * 64 }
            return base + offset
        }
        request = section((PlannerModel.dimensions + buckets + 1) * 4).assumingMemoryBound(to: Float.self)
        scales = section(count * 4).assumingMemoryBound(to: Float.self)
        background = section(count * PlannerModel.dimensions).assumingMemoryBound(to: Int8.self)
        network = section((features * 2 + hidden * (features + 1) + hidden + 1) * 4)
            .assumingMemoryBound(to: Float.self)
        let names = section(PlannerModel.tradeCount * 32)
        tradeScales = section(PlannerModel.tradeCount * 2 * 4).assumingMemoryBound(to: Float.self)
        tradeWeights = section((PlannerModel.dimensions + tradeBuckets) * PlannerModel.tradeCount)
            .assumingMemoryBound(to: SIMD16<Int8>.self)
        guard offset <= bytes.count else { return nil }
        trades = (0..<PlannerModel.tradeCount).map { trade in
            let name = UnsafeRawBufferPointer(start: names + 32 * trade, count: 32)
            return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self).split(separator: " ").map(String.init)
        }
    }

    // MARK: Words, alone and in pairs

    /// The words of a sentence and its pairs of neighbours as numbers, each once. All numbers are one word.
    static func grams(_ text: some Sequence<UInt8>) -> [UInt32] {
        var grams: [UInt32] = []
        grams.reserveCapacity(64)
        var previous = PlannerModel.word(of: CollectionOfOne(0x5E))
        func take(_ word: UInt64) {
            for gram in [word, previous &* 0x9E37_79B9_7F4A_7C15 ^ word] {
                // The low bits of FNV-1a depend on few bits of the last bytes: the high ones are folded in.
                let folded = UInt32(truncatingIfNeeded: gram ^ gram >> 32)
                if !grams.contains(folded) { grams.append(folded) }
            }
            previous = word
        }
        var hash = PlannerModel.empty
        var kind: UInt8 = 0
        for byte in text {
            let lower = (65...90).contains(byte) ? byte | 0x20 : byte
            let next: UInt8 =
                switch lower {
                case 97...122, 39: 1
                case 48...57: 2
                default: 0
                }
            if next != kind, kind != 0 {
                take(hash)
                hash = PlannerModel.empty
            }
            kind = next
            switch lower {
            case _ where next == 2: hash = PlannerModel.number
            case _ where next == 1: hash = (hash ^ UInt64(lower)) &* 0x0000_0100_0000_01B3
            case 63, 33, 46, 58, 44, 64: take(PlannerModel.word(of: CollectionOfOne(lower)))
            default: break
            }
        }
        if kind != 0 { take(hash) }
        return grams
    }

    private static let empty: UInt64 = 0xCBF2_9CE4_8422_2325
    private static let number = word(of: CollectionOfOne(35))
    private static func word(of bytes: some Sequence<UInt8>) -> UInt64 { wordHash(bytes) }

    // MARK: Whether it asks for anything

    /// How much a sentence sounds like one that asks an assistant for something: above 0 rather yes. Of its vector and of
    /// its words, alone and in pairs.
    func asking(_ vector: [Float], _ grams: [UInt32]) -> Float {
        var sum = request[PlannerModel.dimensions + buckets]
        for index in 0..<PlannerModel.dimensions { sum += request[index] * vector[index] * 2 }
        guard !grams.isEmpty else { return sum }
        var lexical: Float = 0
        for gram in grams { lexical += request[PlannerModel.dimensions + Int(gram) & (buckets - 1)] }
        return sum + lexical / Float(grams.count).squareRoot()
    }

    // MARK: Whose trade it is

    static let tradeCount = 16

    /// How likely a sentence is each trade's, 0…1, together 1. Of its vector and of its words, alone and in pairs.
    func trades(_ vector: [Float], _ grams: [UInt32]) -> SIMD16<Float> {
        var sum = SIMD16<Float>.zero
        for index in 0..<PlannerModel.dimensions { sum += SIMD16<Float>(tradeWeights[index]) * (vector[index] * 2) }
        if !grams.isEmpty {
            var lexical = SIMD16<Int32>.zero
            for gram in grams {
                lexical &+= SIMD16<Int32>(
                    truncatingIfNeeded: tradeWeights[PlannerModel.dimensions + Int(gram) & (tradeBuckets - 1)])
            }
            sum += SIMD16<Float>(lexical) / Float(grams.count).squareRoot()
        }
        var most: Float = -.infinity
        for trade in 0..<PlannerModel.tradeCount {
            sum[trade] = sum[trade] * tradeScales[trade] + tradeScales[PlannerModel.tradeCount + trade]
            most = max(most, sum[trade])
        }
        var total: Float = 0
        for trade in 0..<PlannerModel.tradeCount {
            sum[trade] = PlannerModel.exp(sum[trade] - most)
            total += sum[trade]
        }
        return sum / total
    }

    // MARK: What no tool serves

    /// How near the nearest sentences are that no tool serves: the best, and the mean of the best three.
    func idle(_ query: QuantisedRows.Query) -> (best: Float, few: Float) {
        guard count > 2 else { return (0, 0) }
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { out in
            guard let out = out.baseAddress else { return (0, 0) }
            tandem_embedding_dots(query.bytes, query.scale, background, scales, PlannerModel.dimensions, count, out)
            var (first, second, third): (Float, Float, Float) = (-1, -1, -1)
            for index in 0..<count where out[index] > third {
                if out[index] > first {
                    (first, second, third) = (out[index], first, second)
                } else if out[index] > second {
                    (second, third) = (out[index], second)
                } else {
                    third = out[index]
                }
            }
            return (first, (first + second + third) / 3)
        }
    }

    // MARK: How sure

    /// The probability that a candidate is what is asked for, 0…1.
    func belief(_ candidate: CandidateFeatures) -> Float {
        let inputs = features
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: inputs) { scaled in
            for index in 0..<inputs {
                scaled[index] = (candidate.values[index] - network[index]) * network[inputs + index]
            }
            var weights = network + inputs * 2
            let output = weights + hidden * (inputs + 1)
            var sum = output[hidden]
            for unit in 0..<hidden {
                var value = weights[inputs]
                for index in 0..<inputs { value += weights[index] * scaled[index] }
                weights += inputs + 1
                if value > 0 { sum += output[unit] * value }
            }
            return sum > 0 ? 1 / (1 + PlannerModel.exp(-sum)) : PlannerModel.exp(sum) / (1 + PlannerModel.exp(sum))
        }
    }

    /// e to a power of at most 0: (1 + x/256)^256.
    private static func exp(_ x: Float) -> Float {
        guard x > -60 else { return 0 }
        var value = 1 + x / 256
        for _ in 0..<8 { value *= value }
        return max(0, value)
    }
}
