/// Times in the words of a step: `rest 20 min`, `bake for 1 1/2 hours`, `simmer 20-25 minutes`.
enum StepTime {
    private static let units: [String: Double] = [
        "min": 1, "mins": 1, "minute": 1, "minutes": 1, "h": 60, "hr": 60, "hrs": 60, "hour": 60, "hours": 60,
        "sec": 1.0 / 60, "secs": 1.0 / 60, "second": 1.0 / 60, "seconds": 1.0 / 60,
    ]
    private static let numbers: [String: Double] = [
        "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
        "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40,
        "forty-five": 45, "sixty": 60, "ninety": 90, "half": 0.5,
    ]

    /// All times together in minutes, at least 1; nil when the text names none.
    static func minutes(in text: String) -> Int? {
        var total = 0.0
        var pending: Double?
        for token in tokens(text) {
            if let unit = units[token] {
                if let value = pending { total += value * unit }
                pending = nil
            } else if let value = number(token) {
                // `1 1/2 hours`, `half an hour`; otherwise the later number counts: `20 - 25 min`.
                if let before = pending, value < 1 {
                    pending = before + value
                } else if pending == 0.5, token == "an" || token == "a" {
                    continue
                } else {
                    pending = value
                }
            } else if token != "-", token != "to", token != "of" {
                pending = nil
            }
        }
        guard total > 0 else { return nil }
        return max(1, Int(min(total, Double(RecipeLimits.minutes)).rounded()))
    }

    private static func number(_ token: String) -> Double? {
        if let value = numbers[token] { return value }
        let parts = token.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let over = Double(parts[0]), let under = Double(parts[1]), under > 0 {
            return over / under < 10_000 ? over / under : nil
        }
        guard let first = token.utf8.first, first >= 48, first <= 57, let value = Double(token), value < 100_000 else {
            return nil
        }
        return value
    }

    /// Words, and numbers on their own even where the unit is written to them: `20min`.
    private static func tokens(_ text: String) -> [String] {
        var tokens: [String] = []
        var current = ""
        var isNumber = false
        func flush() {
            while let last = current.last, last == "." || last == "/" || last == "," { current.removeLast() }
            if !current.isEmpty { tokens.append(current.replacing(",", with: ".")) }
            current = ""
        }
        for character in text.lowercased().unicodeScalars.prefix(2000) {
            let isDigit = character.value >= 48 && character.value <= 57
            let isLetter = character.properties.isAlphabetic
            let continuesNumber =
                isNumber && !current.isEmpty && (character == "." || character == "/" || character == ",")
            if isDigit || continuesNumber {
                if !isNumber { flush() }
                isNumber = true
                current.unicodeScalars.append(character)
            } else if isLetter {
                if isNumber { flush() }
                isNumber = false
                current.unicodeScalars.append(character)
            } else {
                flush()
                isNumber = false
                if character == "-" || character == "\u{2013}" { tokens.append("-") }
                if character == "," || character == "." || character == ";" { tokens.append(",") }
            }
        }
        flush()
        return tokens
    }

    /// `20 min`, `2 h`, `1 h 30 min`.
    static func text(_ minutes: Int) -> String {
        let (hours, rest) = max(0, minutes).quotientAndRemainder(dividingBy: 60)
        if hours == 0 { return "\(rest) min" }
        return rest == 0 ? "\(hours) h" : "\(hours) h \(rest) min"
    }
}
