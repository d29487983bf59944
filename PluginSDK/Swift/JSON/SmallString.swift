/// The bits of strings of up to 15 ASCII bytes, which most member names and many values are.
///
/// The standard library keeps such a string inside its two words: bytes in order from the lowest, the count and the
/// mark of ASCII in the highest byte (apple/swift stdlib/public/core/SmallString.swift). Going through its public
/// initialisers costs several calls per string, most of the time of parsing a small document. This type writes and
/// reads the two words itself, and only where `isKnown` has found, once per process, that strings made by the standard
/// library look exactly so; anywhere else callers take the public way.
@usableFromInline
package enum SmallString {
    /// The two words of a string.
    @usableFromInline package typealias Words = (low: UInt64, high: UInt64)

    @usableFromInline package static var capacity: Int { 15 }

    /// Whether this process's standard library has the expected layout.
    @usableFromInline package static let isKnown: Bool = {
        guard MemoryLayout<String>.size == MemoryLayout<Words>.size else { return false }
        let all: [UInt8] = Array("aZ09 _-~.\u{7F}\u{1}#{}".utf8) + [0x7E]
        for count in 0...capacity {
            let bytes = all.prefix(count)
            let words = unsafeBitCast(String(decoding: bytes, as: UTF8.self), to: Words.self)
            var expected: Words = (0, UInt64(0xE0 | count) << 56)
            for (offset, byte) in bytes.enumerated() {
                if offset < 8 {
                    expected.low |= UInt64(byte) << UInt64(8 * offset)
                } else {
                    expected.high |= UInt64(byte) << UInt64(8 * (offset - 8))
                }
            }
            guard words == expected else { return false }
            // The same words stand at the start of a JSON string.
            let value = JSON.string(String(decoding: bytes, as: UTF8.self))
            let payload = withUnsafeBytes(of: value) { $0.loadUnaligned(as: Words.self) }
            guard payload == expected else { return false }
        }
        // Strings that must not look so: longer ones, and short ones that are not ASCII.
        for other in [String(repeating: "a", count: 16), String(repeating: "b", count: 40), "\u{e9}", "abc\u{20ac}"] {
            let copy = String(decoding: Array(other.utf8), as: UTF8.self)
            guard unsafeBitCast(copy, to: Words.self).high >> 60 != 0xE else { return false }
        }
        return true
    }()

    /// The string of `count` ASCII bytes at `start`, at most 15; only where `isKnown`.
    @inline(__always)
    package static func make(_ start: UnsafePointer<UInt8>, count: Int) -> String {
        let raw = UnsafeRawPointer(start)
        let mark = UInt64(truncatingIfNeeded: 0xE0 | count) << 56
        if count >= 8 {
            let low = raw.loadUnaligned(as: UInt64.self)
            // The last eight bytes overlap the first ones; shift out what `low` holds already.
            let tail = raw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            let high = count == 8 ? 0 : tail >> UInt64(truncatingIfNeeded: 8 &* (16 &- count))
            return unsafeBitCast((low, high | mark), to: String.self)
        }
        return unsafeBitCast((shortWord(raw, count), mark), to: String.self)
    }

    /// Up to seven bytes as one little-endian word, reading none beyond them.
    @inline(__always)
    package static func shortWord(_ raw: UnsafeRawPointer, _ count: Int) -> UInt64 {
        if count >= 4 {
            let first = UInt64(raw.loadUnaligned(as: UInt32.self))
            let last = UInt64(raw.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
            return first | last << UInt64(truncatingIfNeeded: 8 &* (count &- 4))
        }
        guard count > 0 else { return 0 }
        let first = UInt64(raw.load(as: UInt8.self))
        let middle = UInt64(raw.load(fromByteOffset: count >> 1, as: UInt8.self))
        let last = UInt64(raw.load(fromByteOffset: count &- 1, as: UInt8.self))
        return first | middle << UInt64(truncatingIfNeeded: 8 &* (count >> 1))
            | last << UInt64(truncatingIfNeeded: 8 &* (count &- 1))
    }

    /// The words of a string, whatever its kind.
    @inlinable
    @inline(__always)
    package static func words(_ text: borrowing String) -> Words {
        withUnsafePointer(to: text) { UnsafeRawPointer($0).loadUnaligned(as: Words.self) }
    }

    /// The first two words of a value, which are the words of its string where `isKnown`.
    @inlinable
    @inline(__always)
    package static func words(ofStringAt place: UnsafePointer<JSON>) -> Words {
        UnsafeRawPointer(place).loadUnaligned(as: Words.self)
    }

    /// Whether the words are those of a string held inside them; only meaningful where `isKnown`.
    @inlinable
    @inline(__always)
    package static func isSmall(_ words: Words) -> Bool { words.high >> 60 == 0xE }
}
