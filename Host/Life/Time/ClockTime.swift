/// A time of day without a date, to the minute: `22:00`.
struct ClockTime: Sendable, Hashable, CustomStringConvertible {
    /// 0…1439.
    let minuteOfDay: Int

    /// Minutes since midnight, taken modulo a day.
    init(minuteOfDay: Int) { self.minuteOfDay = ((minuteOfDay % 1440) + 1440) % 1440 }

    /// `HH:MM` in 24 hours.
    var description: String {
        let hour = minuteOfDay / 60
        let minute = minuteOfDay % 60
        return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
    }

    /// Whether `7` was written without saying morning or evening; `13`, `7 am`, `07:00` are clear.
    struct Reading: Sendable, Hashable {
        var time: ClockTime
        var isHalfDayOpen: Bool
    }

    /// Reads `22:00`, `22h30`, `10pm`, `10.30 p.m.`, `7`, `7 in the morning`, `noon`, `midnight`, `half past nine`;
    /// nil for anything else.
    static func read(_ text: String) -> Reading? {
        var words: [String] = []
        for word in text.lowercased().split(whereSeparator: { $0 == " " || $0 == "," || $0.isNewline }) {
            let folded = word.replacing(".m.", with: "m").replacing("p.m", with: "pm").replacing("a.m", with: "am")
            if !["at", "around", "about", "o'clock", "oclock", "the", "in"].contains(folded) {
                words.append(String(folded))
            }
        }
        guard !words.isEmpty, words.count <= 4 else { return nil }
        if words.count == 1 {
            switch words[0] {
            case "noon", "midday": return Reading(time: ClockTime(minuteOfDay: 720), isHalfDayOpen: false)
            case "midnight": return Reading(time: ClockTime(minuteOfDay: 0), isHalfDayOpen: false)
            default: break
            }
        }
        var half: Half?
        if let last = words.last {
            if let named = halves[last] {
                half = named
                words.removeLast()
            } else if last.hasSuffix("am"), last.count > 2 {
                half = .morning
                words[words.count - 1] = String(last.dropLast(2))
            } else if last.hasSuffix("pm"), last.count > 2 {
                half = .evening
                words[words.count - 1] = String(last.dropLast(2))
            }
        }
        var shift = 0
        if words.count == 3, words[1] == "past" || words[1] == "to" {
            let minutes: Int? = words[0] == "half" ? 30 : words[0] == "quarter" ? 15 : number(words[0])
            guard let minutes, (1...59).contains(minutes) else { return nil }
            shift = words[1] == "past" ? minutes : -minutes
            words.removeFirst(2)
        }
        guard words.count == 1, let (hour, minute, isFull) = clock(words[0]) else { return nil }
        return make(hour: hour, minute: minute, isFull: isFull, shift: shift, half: half)
    }

    private enum Half { case morning, evening }

    private static let halves: [String: Half] = [
        "am": .morning, "a": .morning, "morning": .morning, "pm": .evening, "p": .evening, "evening": .evening,
        "afternoon": .evening, "night": .evening, "tonight": .evening,
    ]

    private static func make(hour: Int, minute: Int, isFull: Bool, shift: Int, half: Half?) -> Reading? {
        var hour = hour
        if let half {
            guard (1...12).contains(hour) || (half == .evening && hour < 24) else { return nil }
            if half == .morning, hour == 12 { hour = 0 }
            if half == .evening, hour < 12 { hour += 12 }
        }
        let isOpen = half == nil && !isFull && (1...11).contains(hour)
        return Reading(time: ClockTime(minuteOfDay: hour * 60 + minute + shift), isHalfDayOpen: isOpen)
    }

    /// `22`, `22:30`, `22h30`, `22.30`, `2230`; whether it was written in full (`07:00`).
    private static func clock(_ word: String) -> (hour: Int, minute: Int, isFull: Bool)? {
        if let hour = number(word) {
            if hour <= 24, word.utf8.count <= 2 { return (hour % 24, 0, word.hasPrefix("0") && word != "0") }
            if !word.utf8.allSatisfy({ (48...57).contains($0) }) { return hour <= 24 ? (hour % 24, 0, false) : nil }
            guard word.utf8.count == 4 || word.utf8.count == 3, hour / 100 < 24, hour % 100 < 60 else { return nil }
            return (hour / 100, hour % 100, true)
        }
        let parts = word.split(maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: { ":.h".contains($0) })
        guard parts.count == 2, let hour = Int(parts[0]), (0...24).contains(hour) else { return nil }
        if parts[1].isEmpty { return word.hasSuffix("h") ? (hour % 24, 0, true) : nil }
        guard parts[1].utf8.count == 2, let minute = Int(parts[1]), (0..<60).contains(minute) else { return nil }
        guard hour < 24 || minute == 0 else { return nil }
        return (hour % 24, minute, hour > 12 || parts[0].utf8.count == 2)
    }

    private static func number(_ word: String) -> Int? {
        if !word.isEmpty, word.utf8.count <= 4, word.utf8.allSatisfy({ (48...57).contains($0) }) { return Int(word) }
        return words[word]
    }

    private static let words: [String: Int] = [
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
        "eleven": 11, "twelve": 12, "twenty": 20,
    ]
}
