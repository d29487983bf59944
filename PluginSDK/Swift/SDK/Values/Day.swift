public import TandemJSON

/// A calendar day of the proleptic Gregorian calendar, without time or zone; the JSON form is `"2026-11-21"`.
public struct Day: Sendable, Hashable, Comparable, Strideable {
    /// Days since 1970-01-01.
    public let number: Int

    /// The day of that number, held within the years 1–9999.
    public init(number: Int) { self.number = min(max(number, -719_162), 2_932_896) }

    /// Nil when there is no such day, e.g. 30 February.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Day.length(ofMonth: month, year: year)
        else { return nil }
        number = Day.number(year, month, day)
    }

    /// Reads `2026-11-21` and nothing else.
    public init?(_ text: some StringProtocol) {
        let bytes = text.utf8
        guard bytes.count == 10 else { return nil }
        var parts = (0, 0, 0)
        for (position, byte) in bytes.enumerated() {
            if position == 4 || position == 7 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard byte >= 48, byte <= 57 else { return nil }
            let digit = Int(byte) - 48
            switch position {
            case 0...3: parts.0 = parts.0 * 10 + digit
            case 5...6: parts.1 = parts.1 * 10 + digit
            default: parts.2 = parts.2 * 10 + digit
            }
        }
        self.init(year: parts.0, month: parts.1, day: parts.2)
    }

    /// Year, month 1–12, day of the month 1–31.
    public var parts: (year: Int, month: Int, day: Int) {
        // Days to civil date after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }

    public var year: Int { parts.year }
    public var month: Int { parts.month }
    public var day: Int { parts.day }

    /// ISO 8601: 1 is Monday, 7 is Sunday.
    public var weekday: Int { (number % 7 + 10) % 7 + 1 }

    public func adding(days: Int) -> Day { Day(number: number + min(max(days, -4_000_000), 4_000_000)) }

    /// The same day of another month, or that month's last day: 31 January plus one month is 28 or 29 February.
    public func adding(months: Int) -> Day {
        let (year, month, day) = parts
        let index = year * 12 + month - 1 + min(max(months, -120_000), 120_000)
        let newYear = min(max(index / 12, 1), 9999)
        let newMonth = index >= 12 ? index % 12 + 1 : 1
        return Day(number: Day.number(newYear, newMonth, min(day, Day.length(ofMonth: newMonth, year: newYear))))
    }

    /// The calendar month that this day lies in.
    public var wholeMonth: Period {
        let (year, month, _) = parts
        let first = Day(number: Day.number(year, month, 1))
        return Period(from: first, to: first.adding(days: Day.length(ofMonth: month, year: year) - 1))
    }

    /// Monday to Sunday around this day.
    public var wholeWeek: Period {
        let first = adding(days: 1 - weekday)
        return Period(from: first, to: first.adding(days: 6))
    }

    /// 1 January to 31 December.
    public var wholeYear: Period {
        let year = year
        return Period(from: Day(number: Day.number(year, 1, 1)), to: Day(number: Day.number(year, 12, 31)))
    }

    public static func < (left: Day, right: Day) -> Bool { left.number < right.number }
    public func distance(to other: Day) -> Int { other.number - number }
    public func advanced(by days: Int) -> Day { adding(days: days) }

    static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func number(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Day: CustomStringConvertible {
    /// `2026-11-21`.
    public var description: String {
        let (year, month, day) = parts
        return String(unsafeUninitializedCapacity: 10) { buffer in
            writeDigits(year, 4, buffer, 0)
            buffer[4] = UInt8(ascii: "-")
            writeDigits(month, 2, buffer, 5)
            buffer[7] = UInt8(ascii: "-")
            writeDigits(day, 2, buffer, 8)
            return 10
        }
    }
}

func writeDigits(_ value: Int, _ count: Int, _ buffer: UnsafeMutableBufferPointer<UInt8>, _ start: Int) {
    var rest = value
    for position in (start..<start + count).reversed() {
        buffer[position] = UInt8(48 + rest % 10)
        rest /= 10
    }
}

extension Day: JSONRepresentable {
    public static var shape: Shape {
        Shape(schema: ["type": "string", "format": "date"], slot: .date, column: .date)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, let day = Day(text) else { throw ShapeError("a date like 2026-11-21") }
        self = day
    }

    public var json: JSON { .string(description) }
}

/// A span of days, both ends included; the JSON form is `{"from":"2026-11-01","to":"2026-11-30"}`.
public struct Period: Sendable, Hashable {
    public var from: Day
    public var to: Day

    public init(from: Day, to: Day) {
        self.from = from
        self.to = to
    }

    public func contains(_ day: Day) -> Bool { from <= day && day <= to }

    /// Days in it; 0 when it ends before it begins.
    public var dayCount: Int { max(0, to.number - from.number + 1) }
}

extension Period: JSONRepresentable {
    public static var shape: Shape {
        Shape(
            schema: [
                "type": "object", "properties": ["from": Day.shape.schema, "to": Day.shape.schema],
                "required": ["from", "to"], "additionalProperties": false,
            ], slot: .period, column: .json)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let first) = json["from"], case .string(let last) = json["to"], let from = Day(first),
            let to = Day(last)
        else { throw ShapeError("a period with from and to") }
        self.init(from: from, to: to)
    }

    public var json: JSON { ["from": from.json, "to": to.json] }
}
