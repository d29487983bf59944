/// A finite number as an exact decimal: `digits` times ten to the power of `exponent`.
///
/// Doubles count as the shortest decimal that reads back as the same double, which is what their author wrote; so
/// 0.03 is a multiple of 0.01 although the two doubles are not.
struct ExactDecimal: Sendable, Hashable {
    let digits: UInt64
    let exponent: Int

    init(_ value: Int64) {
        digits = value.magnitude
        exponent = 0
    }

    init(_ value: Double) {
        let magnitude = value.magnitude
        if magnitude < 0x1p53 {
            let whole = UInt64(magnitude)
            if Double(whole) == magnitude {
                (digits, exponent) = (whole, 0)
                return
            }
            // Fifteen digits name at most one double, so a scale that divides back is the written one.
            var scale = 10.0
            for places in 1...6 where magnitude < 1e9 {
                let scaled = UInt64(magnitude * scale + 0.5)
                if Double(scaled) / scale == magnitude {
                    (digits, exponent) = (scaled, -places)
                    return
                }
                scale *= 10
            }
        }
        var digits: UInt64 = 0
        var exponent = 0
        var afterPoint = false
        var text = Substring(magnitude.description)
        if let mark = text.firstIndex(of: "e") {
            exponent = Int(text[text.index(after: mark)...]) ?? 0
            text = text[..<mark]
        }
        for unit in text.utf8 {
            if unit == 0x2E {
                afterPoint = true
            } else if ASCII.isDigit(unit) {
                let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
                if overflow {
                    exponent += afterPoint ? 0 : 1
                } else {
                    digits = product &+ UInt64(unit &- 0x30)
                    if afterPoint { exponent -= 1 }
                }
            }
        }
        self.digits = digits
        self.exponent = exponent
    }

    /// Whether this is an integer multiple of a decimal that is not zero.
    func isMultiple(of divisor: ExactDecimal) -> Bool {
        if digits == 0 { return true }
        let shift = exponent - divisor.exponent
        if shift >= 0 {
            // digits * 10^shift mod divisor.digits
            let modulus = divisor.digits
            var remainder = digits % modulus
            var base = 10 % modulus
            var power = shift
            while power > 0, remainder != 0 {
                if power & 1 == 1 { remainder = Self.product(remainder, base, modulus) }
                base = Self.product(base, base, modulus)
                power >>= 1
            }
            return remainder == 0
        }
        // digits must be divisible by divisor.digits * 10^-shift, which has to fit.
        var scaled = divisor.digits
        for _ in 0..<(-shift) {
            let (product, overflow) = scaled.multipliedReportingOverflow(by: 10)
            if overflow { return false }
            scaled = product
        }
        return digits % scaled == 0
    }

    private static func product(_ a: UInt64, _ b: UInt64, _ modulus: UInt64) -> UInt64 {
        let wide = a.multipliedFullWidth(by: b)
        return modulus.dividingFullWidth((wide.high % modulus, wide.low)).remainder
    }
}
