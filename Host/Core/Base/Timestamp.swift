/// An instant in UTC with millisecond resolution, as the databases and the plugin boundary carry it.
///
/// Text form is RFC 3339 with milliseconds and `Z`: `2026-11-21T10:00:00.000Z`. Arithmetic wraps nowhere: values are
/// clamped to the years 0001–9999, which RFC 3339 can express.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored (POSIX time).
    public let millisecondsSinceEpoch: Int64

    static let lowest: Int64 = -62_135_596_800_000
    static let highest: Int64 = 253_402_300_799_999

    public init(millisecondsSinceEpoch: Int64) {
        self.millisecondsSinceEpoch = Swift.min(Swift.max(millisecondsSinceEpoch, Timestamp.lowest), Timestamp.highest)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.millisecondsSinceEpoch < right.millisecondsSinceEpoch
    }

    public func advanced(by duration: Duration) -> Timestamp {
        let milliseconds = duration.milliseconds
        let (sum, overflow) = millisecondsSinceEpoch.addingReportingOverflow(milliseconds)
        return Timestamp(
            millisecondsSinceEpoch: overflow ? (milliseconds > 0 ? Timestamp.highest : Timestamp.lowest) : sum)
    }

    /// The time from `earlier` to this instant; negative when `earlier` is later.
    public func since(_ earlier: Timestamp) -> Duration {
        .milliseconds(millisecondsSinceEpoch - earlier.millisecondsSinceEpoch)
    }
}

extension Duration {
    /// Whole milliseconds, truncated toward zero and clamped to 64 bits.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds > 0 ? .max : .min }
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        if carried { return seconds > 0 ? .max : .min }
        return sum
    }
}

/// A date of the proleptic Gregorian calendar without a time or zone.
public struct CivilDate: Sendable, Hashable, Comparable {
    public let year: Int
    public let month: Int
    public let day: Int

    /// Nil when the triple names no day of the years 1–9999.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= CivilDate.daysInMonth(month, of: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`).
    public var daysSinceEpoch: Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The day `daysSinceEpoch` days after 1970-01-01, clamped to the years 1–9999.
    public init(daysSinceEpoch: Int) {
        let shifted = Swift.min(Swift.max(daysSinceEpoch, -719_162), 2_932_896) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    public static func < (left: CivilDate, right: CivilDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    public func adding(days: Int) -> CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch + days) }

    /// ISO 8601: 1 is Monday, 7 is Sunday.
    public var isoWeekday: Int { ((daysSinceEpoch + 3) % 7 + 7) % 7 + 1 }

    public static func daysInMonth(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension CivilDate: CustomStringConvertible {
    /// `YYYY-MM-DD` (RFC 3339 full-date).
    public var description: String {
        var bytes = [UInt8]()
        bytes.reserveCapacity(10)
        bytes.appendDigits(year, width: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.appendDigits(month, width: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.appendDigits(day, width: 2)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads exactly `YYYY-MM-DD`; nil otherwise.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = bytes[0..<4].unsignedDecimal, let month = bytes[5..<7].unsignedDecimal,
            let day = bytes[8..<10].unsignedDecimal
        else { return nil }
        self.init(year: year, month: month, day: day)
    }
}

extension Timestamp: CustomStringConvertible {
    public var description: String {
        let days = Int((Double(millisecondsSinceEpoch) / 86_400_000).rounded(.down))
        let rest = Int(millisecondsSinceEpoch - Int64(days) * 86_400_000)
        let date = CivilDate(daysSinceEpoch: days)
        var bytes = Array(date.description.utf8)
        bytes.reserveCapacity(24)
        bytes.append(UInt8(ascii: "T"))
        bytes.appendDigits(rest / 3_600_000, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.appendDigits(rest / 60_000 % 60, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.appendDigits(rest / 1000 % 60, width: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.appendDigits(rest % 1000, width: 3)
        bytes.append(UInt8(ascii: "Z"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads an RFC 3339 date-time (`T` or space, any fraction, `Z` or a numeric offset); nil otherwise. A fraction
    /// finer than a millisecond is truncated; second 60 counts as 59.999.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, let date = CivilDate(String(decoding: bytes[0..<10], as: UTF8.self)),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t") || bytes[10] == UInt8(ascii: " "),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let hour = bytes[11..<13].unsignedDecimal, let minute = bytes[14..<16].unsignedDecimal,
            let second = bytes[17..<19].unsignedDecimal, hour < 24, minute < 60, second <= 60
        else { return nil }
        var index = 19
        var fraction = 0
        if bytes[index] == UInt8(ascii: ".") {
            index += 1
            var digits = 0
            while index < bytes.count, (48...57).contains(bytes[index]) {
                if digits < 3 { fraction = fraction * 10 + Int(bytes[index] - 48) }
                digits += 1
                index += 1
            }
            guard digits > 0 else { return nil }
            while digits < 3 {
                fraction *= 10
                digits += 1
            }
        }
        guard index < bytes.count else { return nil }
        var offsetMinutes = 0
        switch bytes[index] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard index + 1 == bytes.count else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard index + 6 == bytes.count, bytes[index + 3] == UInt8(ascii: ":"),
                let hours = bytes[(index + 1)..<(index + 3)].unsignedDecimal,
                let minutes = bytes[(index + 4)..<(index + 6)].unsignedDecimal, hours < 24, minutes < 60
            else { return nil }
            offsetMinutes = (hours * 60 + minutes) * (bytes[index] == UInt8(ascii: "-") ? -1 : 1)
        default: return nil
        }
        let clampedSecond = second == 60 ? 59 : second
        let milliseconds =
            Int64(date.daysSinceEpoch) * 86_400_000
            + Int64((hour * 60 + minute - offsetMinutes) * 60 + clampedSecond) * 1000
            + Int64(second == 60 ? 999 : fraction)
        self.init(millisecondsSinceEpoch: milliseconds)
    }
}

extension [UInt8] {
    mutating func appendDigits(_ value: Int, width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            append(48 + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}

extension ArraySlice<UInt8> {
    var unsignedDecimal: Int? {
        var value = 0
        for byte in self {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        return isEmpty ? nil : value
    }
}
