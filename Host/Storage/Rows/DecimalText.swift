/// Exact decimals between their text and a 64-bit integer scaled by a power of ten.
enum DecimalText {
    enum Parsed: Hashable {
        case value(Int64)
        case malformed
        /// A digit other than 0 stands beyond the scale.
        case tooPrecise
        case outOfRange
    }

    /// Reads `-?(0|[1-9][0-9]*)(\.[0-9]+)?`; zeros beyond the scale change nothing and are accepted.
    static func parse(_ text: String, scale: Int) -> Parsed {
        var magnitude: UInt64 = 0
        var isNegative = false
        var position = 0
        var integerDigits = 0
        var fractionDigits = 0
        var leadingZero = false
        var hasPoint = false
        var isTooPrecise = false
        var isTooLarge = false
        for byte in text.utf8 {
            defer { position += 1 }
            switch byte {
            case 45:
                guard position == 0 else { return .malformed }
                isNegative = true
            case 46:
                guard !hasPoint, integerDigits > 0 else { return .malformed }
                hasPoint = true
            case 48...57:
                if hasPoint {
                    fractionDigits += 1
                    if fractionDigits > scale {
                        if byte != 48 { isTooPrecise = true }
                        continue
                    }
                } else {
                    if leadingZero { return .malformed }
                    if integerDigits == 0, byte == 48 { leadingZero = true }
                    integerDigits += 1
                }
                let (product, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
                let (sum, carried) = product.addingReportingOverflow(UInt64(byte - 48))
                if overflowed || carried { isTooLarge = true }
                magnitude = sum
            default: return .malformed
            }
        }
        guard integerDigits > 0, !hasPoint || fractionDigits > 0 else { return .malformed }
        if isTooPrecise { return .tooPrecise }
        if fractionDigits < scale {
            for _ in fractionDigits..<scale {
                let (product, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
                if overflowed { isTooLarge = true }
                magnitude = product
            }
        }
        guard !isTooLarge else { return .outOfRange }
        if isNegative {
            guard magnitude <= UInt64(Int64.max) + 1 else { return .outOfRange }
            return .value(Int64(truncatingIfNeeded: 0 &- magnitude))
        }
        guard magnitude <= UInt64(Int64.max) else { return .outOfRange }
        return .value(Int64(magnitude))
    }

    /// Writes all decimal places: 320 with scale 2 is `3.20`.
    static func text(_ value: Int64, scale: Int) -> String {
        guard scale > 0 else { return String(value) }
        var digits = Array(String(value.magnitude).utf8)
        if digits.count <= scale {
            digits.insert(contentsOf: repeatElement(48, count: scale + 1 - digits.count), at: 0)
        }
        digits.insert(46, at: digits.count - scale)
        if value < 0 { digits.insert(45, at: 0) }
        return String(decoding: digits, as: UTF8.self)
    }
}
