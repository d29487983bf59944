/// Dates and times of RFC 3339.
enum FormatDates {
    private static func number(_ text: FormatBytes, _ offset: Int, _ count: Int) -> Int? {
        var value = 0
        for index in (text.startIndex + offset)..<(text.startIndex + offset + count) {
            guard ASCII.isDigit(text[index]) else { return nil }
            value = value * 10 + Int(text[index] - 0x30)
        }
        return value
    }

    /// `full-date` (section 5.6) with the days of its month (appendix C).
    static func isDate(_ text: FormatBytes) -> Bool {
        guard text.count == 10, text[text.startIndex + 4] == 0x2D, text[text.startIndex + 7] == 0x2D,
            let year = number(text, 0, 4), let month = number(text, 5, 2), let day = number(text, 8, 2),
            (1...12).contains(month), day >= 1
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return day <= days[month - 1]
    }

    /// `full-time` (section 5.6); a leap second only where it is 23:59:60 in UTC.
    static func isTime(_ text: FormatBytes) -> Bool {
        guard text.count >= 9, text[text.startIndex + 2] == 0x3A, text[text.startIndex + 5] == 0x3A,
            let hour = number(text, 0, 2), let minute = number(text, 3, 2), let second = number(text, 6, 2),
            hour < 24, minute < 60, second <= 60
        else { return false }
        var rest = text.dropFirst(8)
        if rest.first == 0x2E {
            let fraction = rest.dropFirst().prefix(while: ASCII.isDigit)
            if fraction.isEmpty { return false }
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard let mark = rest.first else { return false }
        var offset = 0
        if mark | 0x20 == 0x7A {
            guard rest.count == 1 else { return false }
        } else {
            guard mark == 0x2B || mark == 0x2D, rest.count == 6, rest[rest.startIndex + 3] == 0x3A,
                let hours = number(rest, 1, 2), let minutes = number(rest, 4, 2), hours < 24, minutes < 60
            else { return false }
            offset = (hours * 60 + minutes) * (mark == 0x2B ? 1 : -1)
        }
        guard second == 60 else { return true }
        let inUTC = (hour * 60 + minute - offset + 2 * 1440) % 1440
        return inUTC == 23 * 60 + 59
    }

    /// `date-time` (section 5.6).
    static func isDateTime(_ text: FormatBytes) -> Bool {
        guard text.count >= 20 else { return false }
        let mark = text[text.startIndex + 10]
        guard mark | 0x20 == 0x74 else { return false }
        return isDate(text.prefix(10)) && isTime(text.dropFirst(11))
    }

    /// `duration` (appendix A): weeks alone, or date parts and time parts in order without gaps.
    static func isDuration(_ text: FormatBytes) -> Bool {
        guard text.first == 0x50 else { return false }
        var rest = text.dropFirst()
        if rest.last == 0x57 { return rest.count > 1 && rest.dropLast().allSatisfy(ASCII.isDigit) }
        let dateUnits = parts(&rest)
        guard isRun(dateUnits, of: "YMD") else { return false }
        if rest.isEmpty { return !dateUnits.isEmpty }
        guard rest.first == 0x54 else { return false }
        rest = rest.dropFirst()
        let timeUnits = parts(&rest)
        return rest.isEmpty && !timeUnits.isEmpty && isRun(timeUnits, of: "HMS")
    }

    /// Takes digits followed by a letter as long as there are any; returns the letters.
    private static func parts(_ rest: inout FormatBytes) -> [UInt8] {
        var units: [UInt8] = []
        while true {
            let digits = rest.prefix(while: ASCII.isDigit)
            guard !digits.isEmpty, let unit = rest.dropFirst(digits.count).first, ASCII.isLetter(unit) else {
                return units
            }
            units.append(unit)
            rest = rest.dropFirst(digits.count + 1)
        }
    }

    /// Whether the letters stand side by side in the given order: the grammar lets no middle one be left out.
    private static func isRun(_ units: [UInt8], of order: StaticString) -> Bool {
        let all = Array(UnsafeBufferPointer(start: order.utf8Start, count: order.utf8CodeUnitCount))
        guard let first = units.first else { return true }
        guard let start = all.firstIndex(of: first) else { return false }
        return all[start...].starts(with: units)
    }
}
