public import TandemJSON

/// An exact decimal number of up to 18 digits; the JSON form is a string: `"3.2"`.
///
/// Arithmetic is exact or it is not a number: a result that does not fit is `.notANumber`, which every host refuses,
/// instead of a rounded or trapping one. Nothing passes through binary floating point.
public struct Decimal: Sendable, Hashable {
    /// The digits without trailing zeros after the point; `Int64.min` marks not-a-number.
    let mantissa: Int64
    /// Digits after the point, 0–18.
    let scale: UInt8

    /// The largest number of digits after the point.
    public static let maximumPlaces = 18

    public static let zero = Decimal(0)
    /// The result of what has no exact result; equal to itself, so that it can be tested for.
    public static let notANumber = Decimal(unchecked: .min, 0)

    private init(unchecked mantissa: Int64, _ scale: UInt8) {
        self.mantissa = mantissa
        self.scale = scale
    }

    /// `digits` shifted by `places` digits after the point: `Decimal(320, places: 2)` is 3.20.
    public init(_ digits: Int64, places: Int) { self.init(wide: Int128(digits), places) }

    public init(_ value: Int) { self.init(wide: Int128(value), 0) }

    /// `digits` below 10^18 in magnitude, `places` within 0...18: the common case, without wide arithmetic.
    private init(narrow digits: Int64, _ places: Int) {
        var digits = digits
        var places = places
        while places > 0 {
            let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { break }
            digits = quotient
            places -= 1
        }
        self.init(unchecked: digits, UInt8(truncatingIfNeeded: places))
    }

    private init(wide: Int128, _ places: Int) {
        if places >= 0, places <= Self.maximumPlaces, let narrow = Int64(exactly: wide),
            narrow.magnitude < 1_000_000_000_000_000_000
        {
            self.init(narrow: narrow, places)
            return
        }
        var digits = wide
        var places = places
        while places < 0, digits.magnitude < 1_000_000_000_000_000_000 {
            digits *= 10
            places += 1
        }
        while places > 0 {
            let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { break }
            digits = quotient
            places -= 1
        }
        guard places >= 0, places <= Self.maximumPlaces, digits.magnitude < 1_000_000_000_000_000_000 else {
            self = .notANumber
            return
        }
        self.init(unchecked: Int64(digits), UInt8(places))
    }

    /// Reads `3`, `-3.20`, `0.5`, `.5`; no exponent, no grouping, ASCII digits, at most 18 of them. Nil otherwise.
    public init?(_ text: some StringProtocol) {
        var digits: Int64 = 0
        var count = 0
        var places = 0
        var afterPoint = false
        var negative = false
        var first = true
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-") where first: negative = true
            case UInt8(ascii: ".") where !afterPoint: afterPoint = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if digits != 0 || byte != UInt8(ascii: "0") || afterPoint {
                    guard digits < 100_000_000_000_000_000 else {
                        // Zeros after the point beyond the 18th digit change nothing.
                        guard afterPoint, byte == UInt8(ascii: "0") else { return nil }
                        count += 1
                        continue
                    }
                    digits = digits * 10 + Int64(byte - UInt8(ascii: "0"))
                    if afterPoint { places += 1 }
                }
                count += 1
            default: return nil
            }
            first = false
        }
        guard count > 0, count <= 64, places <= Self.maximumPlaces else { return nil }
        self.init(narrow: negative ? -digits : digits, places)
    }

    /// False for the result of what has no exact result.
    public var isNumber: Bool { mantissa != .min }
    public var isNegative: Bool { isNumber && mantissa < 0 }
    public var isZero: Bool { mantissa == 0 }
    public var magnitude: Decimal { isNegative ? Decimal(unchecked: -mantissa, scale) : self }

    /// The whole number, when it is one.
    public var intValue: Int? { isNumber && scale == 0 ? Int(mantissa) : nil }

    /// The nearest double: for showing proportions, never for money.
    public var doubleValue: Double {
        guard isNumber else { return .nan }
        return Double(mantissa) / Double(Self.power(Int(scale)))
    }

    /// Rounded to `places` digits after the point, half away from zero.
    public func rounded(places: Int) -> Decimal {
        guard isNumber, places >= 0, places < Int(scale) else { return self }
        let divisor = Self.power(Int(scale) - places)
        let (quotient, remainder) = Int128(mantissa).quotientAndRemainder(dividingBy: divisor)
        let up: Int128 = remainder.magnitude * 2 >= divisor.magnitude ? (mantissa < 0 ? -1 : 1) : 0
        return Decimal(wide: quotient + up, places)
    }

    /// The quotient, rounded to `places` digits after the point, half away from zero; not a number for a zero divisor.
    public func divided(by divisor: Decimal, places: Int) -> Decimal {
        guard isNumber, divisor.isNumber, !divisor.isZero, (0...Self.maximumPlaces).contains(places) else {
            return .notANumber
        }
        // self / divisor = (m1 / m2) * 10^(s2 - s1), wanted times 10^places; one more digit for rounding.
        let shift = Int(divisor.scale) - Int(scale) + places
        var numerator = Int128(mantissa)
        var denominator = Int128(divisor.mantissa)
        if shift >= 0 {
            let (product, overflow) = numerator.multipliedReportingOverflow(by: Self.power(min(shift, 37)))
            guard !overflow, shift <= 37 else { return .notANumber }
            numerator = product
        } else {
            let (product, overflow) = denominator.multipliedReportingOverflow(by: Self.power(-shift))
            guard !overflow else { return .notANumber }
            denominator = product
        }
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
        let isUp = remainder.magnitude >= denominator.magnitude - remainder.magnitude
        let up: Int128 = isUp ? ((numerator < 0) != (denominator < 0) ? -1 : 1) : 0
        return Decimal(wide: quotient + up, places)
    }

    /// The text with exactly `places` digits after the point, rounded half away from zero: `3.20`.
    public func text(places: Int) -> String {
        let value = rounded(places: places)
        guard value.isNumber else { return "NaN" }
        let text = value.description
        guard places > Int(value.scale) else { return text }
        return text + (value.scale == 0 ? "." : "") + String(repeating: "0", count: places - Int(value.scale))
    }

    static func power(_ exponent: Int) -> Int128 {
        var power: Int128 = 1
        for _ in 0..<max(0, exponent) { power *= 10 }
        return power
    }
}

extension Decimal {
    private static func aligned(_ left: Decimal, _ right: Decimal) -> (Int128, Int128, Int) {
        let places = max(left.scale, right.scale)
        return (
            Int128(left.mantissa) * power(Int(places - left.scale)),
            Int128(right.mantissa) * power(Int(places - right.scale)), Int(places)
        )
    }

    public static func + (left: Decimal, right: Decimal) -> Decimal {
        guard left.isNumber, right.isNumber else { return .notANumber }
        let (a, b, places) = aligned(left, right)
        return Decimal(wide: a + b, places)
    }

    public static func - (left: Decimal, right: Decimal) -> Decimal { left + -right }

    public static prefix func - (value: Decimal) -> Decimal {
        value.isNumber ? Decimal(unchecked: -value.mantissa, value.scale) : .notANumber
    }

    public static func * (left: Decimal, right: Decimal) -> Decimal {
        guard left.isNumber, right.isNumber else { return .notANumber }
        return Decimal(wide: Int128(left.mantissa) * Int128(right.mantissa), Int(left.scale) + Int(right.scale))
    }

    public static func += (left: inout Decimal, right: Decimal) { left = left + right }
    public static func -= (left: inout Decimal, right: Decimal) { left = left - right }
    public static func *= (left: inout Decimal, right: Decimal) { left = left * right }
}

extension Decimal: Comparable {
    /// By value; not-a-number comes before every number.
    public static func < (left: Decimal, right: Decimal) -> Bool {
        guard left.isNumber, right.isNumber else { return !left.isNumber && right.isNumber }
        let (a, b, _) = aligned(left, right)
        return a < b
    }
}

extension Decimal: CustomStringConvertible {
    /// The shortest exact text: `3.2`, `12`, `-0.05`.
    public var description: String {
        guard isNumber else { return "NaN" }
        guard scale > 0 else { return String(mantissa) }
        var digits = String(mantissa.magnitude)
        let missing = Int(scale) + 1 - digits.utf8.count
        if missing > 0 { digits = String(repeating: "0", count: missing) + digits }
        let point = digits.utf8.index(digits.endIndex, offsetBy: -Int(scale))
        return (mantissa < 0 ? "-" : "") + digits[..<point] + "." + digits[point...]
    }
}

extension Decimal: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    public init(integerLiteral value: Int64) { self.init(value, places: 0) }

    /// The number as written: the shortest decimal text of the literal, exact up to 15 digits.
    public init(floatLiteral value: Double) { self = Decimal(value.description) ?? .notANumber }
}

extension Decimal: JSONRepresentable {
    public static var shape: Shape {
        Shape(
            schema: ["type": "string", "pattern": "^-?[0-9]{1,18}(\\.[0-9]{1,18})?$"], slot: .number,
            column: .decimal(scale: 4))
    }

    /// Reads the string, or a JSON number that is a whole number or has a short decimal text (the planner's `number`).
    public init(json: JSON, reader: Reader) throws(ShapeError) {
        let value: Decimal? =
            switch json {
            case .string(let text): Decimal(text)
            case .integer(let number): Decimal(number, places: 0)
            case .number(let number): Decimal(number.description)
            default: nil
            }
        guard let value, value.isNumber else { throw ShapeError("a decimal number like \"3.20\"") }
        self = value
    }

    public var json: JSON { .string(description) }
}
