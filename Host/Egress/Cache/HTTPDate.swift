import TandemCore

/// Dates of HTTP (RFC 9110 §5.6.7): IMF-fixdate and both obsolete forms.
enum HTTPDate {
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    /// Seconds since 1970; nil for anything else.
    static func parse(_ text: String, now: Timestamp) -> Int64? {
        let parts = text.split(whereSeparator: { " ,-".contains($0) }).map { $0.lowercased() }
        // Sun, 06 Nov 1994 08:49:37 GMT | Sunday, 06-Nov-94 08:49:37 GMT | Sun Nov  6 08:49:37 1994
        if parts.count == 6, parts[5] == "gmt" || parts[5] == "utc" {
            guard var year = Int(parts[3]) else { return nil }
            if parts[3].utf8.count == 2 {
                // More than 50 years ahead means the past (RFC 9110 §5.6.7).
                let current = CivilDate(daysSinceEpoch: Int(now.millisecondsSinceEpoch / 86_400_000)).year
                year += current / 100 * 100
                if year > current + 50 { year -= 100 }
            }
            return seconds(year: year, month: parts[2], day: parts[1], time: parts[4])
        }
        if parts.count == 5, let year = Int(parts[4]) {
            return seconds(year: year, month: parts[1], day: parts[2], time: parts[3])
        }
        return nil
    }

    private static func seconds(year: Int, month: String, day: String, time: String) -> Int64? {
        guard let index = months.firstIndex(of: month), let number = Int(day),
            let date = CivilDate(year: year, month: index + 1, day: number)
        else { return nil }
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        return Int64(date.daysSinceEpoch) * 86_400 + Int64(clock[0] * 3600 + clock[1] * 60 + min(clock[2], 59))
    }

    /// IMF-fixdate.
    static func text(_ seconds: Int64) -> String {
        let days = Int((Double(seconds) / 86_400).rounded(.down))
        let rest = Int(seconds - Int64(days) * 86_400)
        let date = CivilDate(daysSinceEpoch: days)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let year = String(repeating: "0", count: max(0, 4 - "\(date.year)".utf8.count)) + "\(date.year)"
        return "\(dayNames[date.isoWeekday - 1]), \(two(date.day)) \(monthNames[date.month - 1]) \(year) "
            + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) GMT"
    }

    /// `Retry-After` (RFC 9110 §10.2.3) in nanoseconds from now: seconds or a date; nil when there is none.
    static func retryAfter(_ headers: HTTPHeaders, now: Timestamp) -> UInt64? {
        guard let text = headers["retry-after"] else { return nil }
        let limit: Int64 = 7 * 86_400
        if !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy({ $0 &- 48 < 10 }), let seconds = Int64(text) {
            return UInt64(min(seconds, limit)) * 1_000_000_000
        }
        guard let date = parse(text, now: now) else { return nil }
        let milliseconds = date * 1000 - now.millisecondsSinceEpoch
        return UInt64(max(0, min(milliseconds, limit * 1000))) * 1_000_000
    }
}
