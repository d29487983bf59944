import CEmbedding

/// The token-embedding table of the binary, read in place: nothing is copied or built at the start.
///
/// Written by `Tools/embedding/make_table.py`, all numbers little-endian, each section at a multiple of 64 bytes:
///
/// | bytes | what |
/// |---|---|
/// | 0…7 | `TDEMB` 0 0 1 |
/// | 8…31 | u32 each: dimensions, rows, slots of the hash table (a power of two), folds, bytes of token text, unknown row |
/// | 32…63 | version, UTF-8, filled with zeros |
/// | section 1 | rows × dimensions int8 |
/// | section 2 | rows × f32: what a row's numbers are multiplied with; its weight is in it |
/// | section 3 | (rows + 1) × u32: where each token's text begins |
/// | section 4 | the tokens' texts, UTF-8; the inner parts of words begin with `##` |
/// | section 5 | slots × u32: row + 1, or 0; by FNV-1a of the text, linear probing |
/// | section 6 | folds × 16 bytes, ascending: u32 scalar, u8 length, UTF-8 of what lower-casing and dropping marks makes of it |
public struct EmbeddingTable: Sendable {
    public let version: String
    public let dimensions: Int
    public let rows: Int
    /// The row of a word that the vocabulary cannot spell.
    let unknown: Int32

    // Read-only memory of the binary, there as long as the process.
    nonisolated(unsafe) let vectors: UnsafePointer<Int8>
    nonisolated(unsafe) let scales: UnsafePointer<Float>
    nonisolated(unsafe) private let offsets: UnsafePointer<UInt32>
    nonisolated(unsafe) private let text: UnsafePointer<UInt8>
    nonisolated(unsafe) private let slots: UnsafePointer<UInt32>
    nonisolated(unsafe) private let folds: UnsafeRawPointer
    private let slotMask: UInt64
    private let foldCount: Int

    /// The table that is linked in.
    public static let linked: EmbeddingTable = {
        let bytes = UnsafeRawBufferPointer(start: tandem_embedding_table(), count: tandem_embedding_table_length())
        guard let table = EmbeddingTable(bytes) else {
            preconditionFailure("the embedding table that was built in is not one: make it again")
        }
        return table
    }()

    /// Nil when the bytes are no such table. They must stay where they are, aligned to 64 bytes, for ever.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count >= 64, bytes.prefix(8).elementsEqual(EmbeddingTable.magic),
            UInt(bitPattern: base) % 64 == 0
        else { return nil }
        func number(_ index: Int) -> Int {
            Int(UInt32(littleEndian: bytes.load(fromByteOffset: 8 + 4 * index, as: UInt32.self)))
        }
        let (dimensions, rows, slots, folds, textBytes) = (number(0), number(1), number(2), number(3), number(4))
        guard (1...4096).contains(dimensions), (1...10_000_000).contains(rows), slots > rows,
            slots & (slots - 1) == 0, number(5) < rows
        else { return nil }
        var offset = 64
        func section(_ length: Int) -> UnsafeRawPointer {
            defer { offset = (offset + length + 63) / 64 * 64 }
            return base + offset
        }
        vectors = section(rows * dimensions).assumingMemoryBound(to: Int8.self)
        scales = section(rows * 4).assumingMemoryBound(to: Float.self)
        offsets = section((rows + 1) * 4).assumingMemoryBound(to: UInt32.self)
        text = section(textBytes).assumingMemoryBound(to: UInt8.self)
        self.slots = section(slots * 4).assumingMemoryBound(to: UInt32.self)
        self.folds = section(folds * 16)
        guard offset <= bytes.count, Int(offsets[rows]) == textBytes else { return nil }
        self.dimensions = dimensions
        self.rows = rows
        unknown = Int32(number(5))
        slotMask = UInt64(slots - 1)
        foldCount = folds
        version = String(decoding: bytes[32..<64].prefix { $0 != 0 }, as: UTF8.self)
    }

    private static let magic: [UInt8] = [0x54, 0x44, 0x45, 0x4D, 0x42, 0, 0, 1]

    // MARK: - Tokens

    /// FNV-1a, 64 bits: continues from the hash of what comes before.
    static func hash(_ byte: UInt8, after hash: UInt64) -> UInt64 { (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    static let emptyHash: UInt64 = 0xCBF2_9CE4_8422_2325

    /// The row of the token `prefix` + `bytes`, whose hash is known; nil when there is none.
    func row(hash: UInt64, prefix: StaticString, bytes: UnsafeBufferPointer<UInt8>) -> Int32? {
        // The low bits of FNV-1a depend on few bits of the last bytes: the high ones are folded in.
        var slot = (hash ^ (hash >> 32)) & slotMask
        let prefixLength = prefix.utf8CodeUnitCount
        while true {
            let entry = slots[Int(slot)]
            guard entry != 0 else { return nil }
            let row = Int(entry) - 1
            let start = Int(offsets[row])
            if Int(offsets[row + 1]) - start == prefixLength + bytes.count,
                UnsafeBufferPointer(start: text + start, count: prefixLength)
                    .elementsEqual(UnsafeBufferPointer(start: prefix.utf8Start, count: prefixLength)),
                UnsafeBufferPointer(start: text + start + prefixLength, count: bytes.count).elementsEqual(bytes)
            {
                return Int32(row)
            }
            slot = (slot + 1) & slotMask
        }
    }

    /// The text of a row's token.
    public func token(_ row: Int32) -> String {
        guard (0..<Int32(rows)).contains(row) else { return "" }
        let start = Int(offsets[Int(row)])
        let end = Int(offsets[Int(row) + 1])
        return String(decoding: UnsafeBufferPointer(start: text + start, count: end - start), as: UTF8.self)
    }

    /// What lower-casing and dropping marks makes of a scalar beyond ASCII, as UTF-8; nil: itself.
    func fold(_ scalar: UInt32) -> UnsafeBufferPointer<UInt8>? {
        var low = 0
        var high = foldCount
        while low < high {
            let middle = (low + high) / 2
            let entry = folds + middle * 16
            let value = entry.load(as: UInt32.self)
            if value == scalar {
                let length = Int(entry.load(fromByteOffset: 4, as: UInt8.self))
                return UnsafeBufferPointer(
                    start: (entry + 5).assumingMemoryBound(to: UInt8.self), count: min(length, 11))
            }
            if value < scalar { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
