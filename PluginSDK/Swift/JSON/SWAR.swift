/// Tests on eight bytes held in one word.
enum SWAR {
    static var ones: UInt64 { 0x0101_0101_0101_0101 }
    static var highBits: UInt64 { 0x8080_8080_8080_8080 }

    /// Flags, by their high bits, the bytes that end a plain run of a JSON string: quote, backslash and controls.
    ///
    /// The lowest flag is exact; flags above it may be wrong because of borrows.
    @inline(__always)
    static func stringStops(_ word: UInt64) -> UInt64 {
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let flags =
            ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- (ones &* 0x20)) & ~word)
        return flags & highBits
    }
}

/// Finds faults in UTF-8.
enum UTF8Check {
    /// The offset of the first byte that does not belong to a well-formed sequence (Unicode 16, table 3-7).
    static func firstFault(in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var position = 0
        while position < bytes.count {
            let lead = bytes[position]
            var length = 1
            var low: UInt8 = 0x80
            var high: UInt8 = 0xBF
            switch lead {
            case 0x00...0x7F: length = 1
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, low) = (3, 0xA0)
            case 0xED: (length, high) = (3, 0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, low) = (4, 0x90)
            case 0xF1...0xF3: length = 4
            case 0xF4: (length, high) = (4, 0x8F)
            default: return position
            }
            for offset in 1..<Swift.max(length, 1) {
                guard position + offset < bytes.count else { return position }
                let byte = bytes[position + offset]
                guard byte >= low, byte <= high else { return position }
                (low, high) = (0x80, 0xBF)
            }
            position += length
        }
        return bytes.count
    }
}
