public import TandemCore

/// The times that a question names: years, months, days, and relative ones when it is known when it was asked.
///
/// All in UTC: a day more or less does not matter for a ranking.
public struct DateHints: Sendable {
    private struct Span {
        /// Days since 1970-01-01, both inclusive.
        var from: Int
        var to: Int
    }

    private var spans: [Span] = []
    /// A month without a year: every year's counts.
    private var months: [Int] = []
    /// The question has no other words: `what happened in May`.
    public private(set) var isOnlyDates = false

    /// The last day that is named with its year, since 1970-01-01.
    var lastDay: Int? { spans.map(\.to).max() }

    public var isEmpty: Bool { spans.isEmpty && months.isEmpty }

    public init(_ question: String, now: Timestamp?) {
        let words = TextAnalyzer.words(question)
        var used = Set<Int>()
        for (index, word) in words.enumerated() {
            if word.utf8.count == 4, let year = Int(word), (1900...2100).contains(year),
                !words.indices.contains(where: { abs($0 - index) <= 2 && DateHints.monthNumber(words[$0]) != nil })
            {
                add(CivilDate(year: year, month: 1, day: 1), CivilDate(year: year, month: 12, day: 31))
                used.insert(index)
                continue
            }
            guard let month = DateHints.monthNumber(word) else { continue }
            if word == "may" || word == "march" || word == "mar" {
                // A verb unless something of a date is next to it.
                let before = index > 0 ? words[index - 1] : ""
                let after = index + 1 < words.count ? words[index + 1] : ""
                let isDated =
                    ["in", "of", "on", "since", "by", "last", "this", "until", "during"].contains(before)
                    || DateHints.dayNumber(before) != nil || DateHints.dayNumber(after) != nil
                    || DateHints.year(after) != nil
                guard isDated else { continue }
            }
            used.insert(index)
            take(month: month, at: index, in: words, used: &used)
        }
        takeISO(question)
        if let now { takeRelative(words, now: now, used: &used) }
        isOnlyDates =
            !isEmpty
            && words.indices.allSatisfy { index in
                used.contains(index) || EnglishWords.stopWords.contains(words[index])
                    || ["happen", "happened", "last", "did"].contains(words[index])
            }
    }

    private mutating func take(month: Int, at index: Int, in words: [String], used: inout Set<Int>) {
        var day: Int?
        var year: Int?
        for near in [index - 1, index + 1, index - 2] where words.indices.contains(near) {
            if near == index - 2, words[index - 1] != "of" { continue }
            if day == nil, let number = DateHints.dayNumber(words[near]) {
                day = number
                used.insert(near)
            }
        }
        for near in [index + 1, index + 2] where words.indices.contains(near) {
            if year == nil, let number = DateHints.year(words[near]) {
                year = number
                used.insert(near)
            }
        }
        guard let year else {
            months.append(month)
            return
        }
        if let day {
            let date = CivilDate(year: year, month: month, day: day)
            add(date, date)
        } else {
            add(
                CivilDate(year: year, month: month, day: 1),
                CivilDate(year: year, month: month, day: CivilDate.daysInMonth(month, of: year)))
        }
    }

    private mutating func takeISO(_ question: String) {
        for word in question.utf8.split(whereSeparator: { !(48...57).contains($0) && $0 != UInt8(ascii: "-") })
        where word.count == 10 {
            guard let date = CivilDate(String(decoding: word, as: UTF8.self)) else { continue }
            add(date, date)
        }
    }

    private mutating func takeRelative(_ words: [String], now: Timestamp, used: inout Set<Int>) {
        let today = Int((Double(now.millisecondsSinceEpoch) / 86_400_000).rounded(.down))
        for (index, word) in words.enumerated() {
            let next = index + 1 < words.count ? words[index + 1] : ""
            switch word {
            case "today": spans.append(Span(from: today, to: today))
            case "yesterday": spans.append(Span(from: today - 1, to: today - 1))
            case "last", "past":
                switch next {
                case "week": spans.append(Span(from: today - 13, to: today - 5))
                case "month": spans.append(Span(from: today - 61, to: today - 25))
                case "year": spans.append(Span(from: today - 730, to: today - 300))
                case "night": spans.append(Span(from: today - 1, to: today))
                default: continue
                }
                used.insert(index + 1)
            default: continue
            }
            used.insert(index)
        }
    }

    private mutating func add(_ from: CivilDate?, _ to: CivilDate?) {
        guard let from, let to else { return }
        spans.append(Span(from: from.daysSinceEpoch, to: to.daysSinceEpoch))
    }

    /// 1 within a named time, 0.5 within two weeks after it (people tell things later), else 0.
    public func closeness(of timestamp: Timestamp) -> Double {
        let day = Int((Double(timestamp.millisecondsSinceEpoch) / 86_400_000).rounded(.down))
        var best = 0.0
        for span in spans {
            if (span.from...span.to).contains(day) { return 1 }
            if day > span.to, day <= span.to + 14 { best = 0.5 }
        }
        if !months.isEmpty {
            let date = CivilDate(daysSinceEpoch: day)
            for month in months {
                if date.month == month { return 1 }
                if date.month == month % 12 + 1, date.day <= 14 { best = 0.5 }
            }
        }
        return best
    }

    static func monthNumber(_ word: String) -> Int? { monthNames[word] }

    private static let monthNames: [String: Int] = [
        "january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5,
        "june": 6, "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sept": 9, "sep": 9,
        "october": 10, "oct": 10, "november": 11, "nov": 11, "december": 12, "dec": 12,
    ]

    private static func dayNumber(_ word: String) -> Int? {
        var text = Substring(word)
        for suffix in ["st", "nd", "rd", "th"] where text.hasSuffix(suffix) { text = text.dropLast(2) }
        guard text.utf8.count <= 2, let number = Int(text), (1...31).contains(number) else { return nil }
        return number
    }

    private static func year(_ word: String) -> Int? {
        guard word.utf8.count == 4, let number = Int(word), (1900...2100).contains(number) else { return nil }
        return number
    }
}
