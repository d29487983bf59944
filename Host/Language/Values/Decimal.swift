/// A decimal number as a person writes it: exact, without exponent.
struct Decimal: Sendable, Hashable {
    var units: Int64
    /// Digits after the point, 0…6.
    var scale: Int

    init(units: Int64, scale: Int) {
        self.units = units
        self.scale = scale
        while self.scale > 0, self.units % 10 == 0 {
            self.units /= 10
            self.scale -= 1
        }
    }

    init(_ integer: Int) {
        units = Int64(integer)
        scale = 0
    }

    /// The value rounded half away from zero to four digits: thirds and the like.
    init(numerator: Int64, denominator: Int64) {
        let scaled = (numerator * 100_000 / denominator + 5) / 10
        self.init(units: scaled, scale: 4)
    }

    static func power(_ exponent: Int) -> Int64 {
        var value: Int64 = 1
        for _ in 0..<exponent { value *= 10 }
        return value
    }

    /// Nil when the result leaves 64 bits.
    func multiplied(by other: Decimal) -> Decimal? {
        let (product, overflow) = units.multipliedReportingOverflow(by: other.units)
        return overflow || scale + other.scale > 9 ? nil : Decimal(units: product, scale: scale + other.scale)
    }

    func adding(_ other: Decimal) -> Decimal? {
        let common = max(scale, other.scale)
        let (left, first) = units.multipliedReportingOverflow(by: Decimal.power(common - scale))
        let (right, second) = other.units.multipliedReportingOverflow(by: Decimal.power(common - other.scale))
        let (sum, third) = left.addingReportingOverflow(right)
        return first || second || third ? nil : Decimal(units: sum, scale: common)
    }

    var integer: Int? { scale == 0 ? Int(exactly: units) : nil }

    var double: Double { Double(units) / Double(Decimal.power(scale)) }

    /// `2`, `2.5`; with `minimumScale` 2: `3.20`.
    func text(minimumScale: Int = 0) -> String {
        let digitsAfter = max(scale, minimumScale)
        let (shifted, overflow) = units.multipliedReportingOverflow(by: Decimal.power(digitsAfter - scale))
        guard !overflow, digitsAfter > 0 else { return String(units) }
        var digits = Array(String(shifted.magnitude).utf8)
        while digits.count <= digitsAfter { digits.insert(48, at: 0) }
        digits.insert(46, at: digits.count - digitsAfter)
        if shifted < 0 { digits.insert(45, at: 0) }
        return String(decoding: digits, as: UTF8.self)
    }
}
