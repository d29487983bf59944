public import TandemJSON

/// A point in time to the millisecond; the JSON form is RFC 3339 in UTC: `"2026-11-21T10:00:00.000Z"`.
///
/// As an argument take `When`: people often say a day without a time, and the planner then fills in the day alone.
public struct Instant: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let milliseconds: Int64

    /// Held within the years 1–9999.
    public init(milliseconds: Int64) {
        self.milliseconds = min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_999)
    }

    /// Reads RFC 3339 with any offset and up to nine digits of a second, of which three are kept; nil otherwise.
    public init?(_ text: some StringProtocol) {
        var bytes = ArraySlice(text.utf8)
        func digits(_ count: Int) -> Int? {
            guard bytes.count >= count else { return nil }
            var value = 0
            for byte in bytes.prefix(count) {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int(byte) - 48
            }
            bytes.removeFirst(count)
            return value
        }
        func skip(_ expected: UInt8...) -> Bool {
            guard let byte = bytes.first, expected.contains(byte) else { return false }
            bytes.removeFirst()
            return true
        }
        guard let year = digits(4), skip(45), let month = digits(2), skip(45), let dayOfMonth = digits(2),
            let day = Day(year: year, month: month, day: dayOfMonth), skip(84, 116), let hour = digits(2), hour < 24,
            skip(58), let minute = digits(2), minute < 60, skip(58), let second = digits(2), second <= 60
        else { return nil }
        var fraction = 0
        if skip(46) {
            var count = 0
            while count < 9, let digit = digits(1) {
                if count < 3 { fraction = fraction * 10 + digit }
                count += 1
            }
            guard count > 0 else { return nil }
            for _ in min(count, 3)..<3 { fraction *= 10 }
        }
        var offset = 0
        if !skip(90, 122) {
            guard let sign = bytes.popFirst(), sign == 43 || sign == 45, let hours = digits(2), hours < 24, skip(58),
                let minutes = digits(2), minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (sign == 45 ? -60 : 60)
        }
        guard bytes.isEmpty else { return nil }
        let seconds = day.number * 86_400 + hour * 3600 + minute * 60 + min(second, 59) - offset
        self.init(milliseconds: Int64(seconds) * 1000 + Int64(fraction))
    }

    public func adding(_ minutes: Minutes) -> Instant {
        Instant(milliseconds: milliseconds + Int64(min(max(minutes.count, -10_000_000_000), 10_000_000_000)) * 60_000)
    }

    public static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }
}

extension Instant: CustomStringConvertible {
    /// `2026-11-21T10:00:00.000Z`.
    public var description: String {
        let days = Int((Double(milliseconds) / 86_400_000).rounded(.down))
        let (year, month, day) = Day(number: days).parts
        let rest = Int(milliseconds) - days * 86_400_000
        return String(unsafeUninitializedCapacity: 24) { buffer in
            writeDigits(year, 4, buffer, 0)
            buffer[4] = UInt8(ascii: "-")
            writeDigits(month, 2, buffer, 5)
            buffer[7] = UInt8(ascii: "-")
            writeDigits(day, 2, buffer, 8)
            buffer[10] = UInt8(ascii: "T")
            writeDigits(rest / 3_600_000, 2, buffer, 11)
            buffer[13] = UInt8(ascii: ":")
            writeDigits(rest / 60_000 % 60, 2, buffer, 14)
            buffer[16] = UInt8(ascii: ":")
            writeDigits(rest / 1000 % 60, 2, buffer, 17)
            buffer[19] = UInt8(ascii: ".")
            writeDigits(rest % 1000, 3, buffer, 20)
            buffer[23] = UInt8(ascii: "Z")
            return 24
        }
    }
}

extension Instant: JSONRepresentable {
    public static var shape: Shape {
        Shape(schema: ["type": "string", "format": "date-time"], column: .timestamp)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, let instant = Instant(text) else {
            throw ShapeError("a time like 2026-11-21T10:00:00.000Z")
        }
        self = instant
    }

    public var json: JSON { .string(description) }
}

/// A day, or a moment of it where the person said a time; the JSON form is that of `Day` or of `Instant`.
public enum When: Sendable, Hashable, JSONRepresentable {
    case day(Day)
    case instant(Instant)

    public static var shape: Shape {
        Shape(
            schema: ["type": "string", "anyOf": [["format": "date"], ["format": "date-time"]]], slot: .dateTime,
            column: .text)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json else { throw ShapeError("a date or a time") }
        if let day = Day(text) {
            self = .day(day)
        } else if let instant = Instant(text) {
            self = .instant(instant)
        } else {
            throw ShapeError("a date or a time")
        }
    }

    public var json: JSON {
        switch self {
        case .day(let day): day.json
        case .instant(let instant): instant.json
        }
    }
}

/// A length of time in whole minutes; the JSON form is an integer.
public struct Minutes: Sendable, Hashable, Comparable, ExpressibleByIntegerLiteral, JSONRepresentable {
    public var count: Int

    public init(_ count: Int) { self.count = count }
    public init(integerLiteral value: Int) { count = value }

    public static var shape: Shape {
        Shape(schema: ["type": "integer", "minimum": 0], slot: .duration, column: .integer)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard let value = json.int64Value, value >= 0, value <= 100_000_000 else { throw ShapeError("whole minutes") }
        count = Int(value)
    }

    public var json: JSON { .integer(Int64(count)) }

    public static func < (left: Minutes, right: Minutes) -> Bool { left.count < right.count }
}

extension Minutes: CustomStringConvertible {
    /// `45 min`, `2 h`, `1 h 30 min`.
    public var description: String {
        let hours = count / 60
        let minutes = count % 60
        if hours == 0 { return "\(minutes) min" }
        return minutes == 0 ? "\(hours) h" : "\(hours) h \(minutes) min"
    }
}
