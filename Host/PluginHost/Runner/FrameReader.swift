/// Reads the parts of a payload that nobody has vouched for, front to back. Once something is missing, everything is.
struct FrameReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    /// Everything that was asked for was there.
    private(set) var isIntact = true

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// A plain number, or 0.
    mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type = Number.self) -> Number {
        guard isIntact, bytes.count - offset >= MemoryLayout<Number>.size else {
            isIntact = false
            return 0
        }
        defer { offset += MemoryLayout<Number>.size }
        return bytes.loadUnaligned(fromByteOffset: offset, as: Number.self)
    }

    /// A plain struct of numbers; nil when it is not whole.
    mutating func structure<Value: BitwiseCopyable>(_: Value.Type = Value.self) -> Value? {
        guard isIntact, bytes.count - offset >= MemoryLayout<Value>.size else {
            isIntact = false
            return nil
        }
        defer { offset += MemoryLayout<Value>.size }
        return bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    /// So many bytes, within the payload.
    mutating func slice(_ length: UInt64) -> UnsafeRawBufferPointer {
        guard isIntact, length <= UInt64(bytes.count - offset) else {
            isIntact = false
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        let start = offset
        offset += Int(length)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }

    /// What is left.
    mutating func rest() -> UnsafeRawBufferPointer { slice(UInt64(bytes.count - offset)) }
}
