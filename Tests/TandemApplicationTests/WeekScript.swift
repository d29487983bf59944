import Foundation

/// What one person does in a week, read from `Tests/Fixtures/week/week.txt`, which says how it is written.
struct WeekScript: Sendable {
    struct Day: Sendable {
        /// `Monday`
        var name: String
        /// `2026-11-23`
        var date: String
        var failing: VendorTrouble.Vendor?
        var matters: [Matter] = []
    }

    /// What belongs together.
    struct Matter: Sendable {
        var steps: [Step] = []
        /// What is there exactly once in the end: place and words.
        var once: [(place: String, words: String)] = []
    }

    struct Step: Sendable {
        enum Action: Sendable, Equatable {
            case text(String)
            /// The person opens the link of the last answer and agrees.
            case consent
            /// A mail comes in: sender, subject, text.
            case mail(VendorTrouble.Vendor, from: String, subject: String, text: String)
        }

        /// Minutes since midnight.
        var minute: Int
        var action: Action
        /// What the answer holds; while the service fails.
        var expected: [String] = []
        var expectedInTrouble: [String] = []
    }

    struct Mistake: Error, CustomStringConvertible {
        var description: String
    }

    var days: [Day] = []

    static func read() throws -> WeekScript {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/week/week.txt")
        return try WeekScript(parsing: String(contentsOf: file.standardized, encoding: .utf8))
    }

    init(parsing text: String) throws {
        var isNewMatter = true
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            func mistake() -> Mistake { Mistake(description: "line \(index + 1): \(line)") }
            if line.hasPrefix("#") { continue }
            let words = line.split(separator: " ")
            guard let first = words.first else {
                isNewMatter = true
                continue
            }
            if first.first?.isLetter == true {
                guard words.count == 2 || words.count == 4 && words[2] == "failing:" else { throw mistake() }
                let failing = words.count == 4 ? VendorTrouble.Vendor(rawValue: String(words[3])) : nil
                guard words.count == 2 || failing != nil else { throw mistake() }
                days.append(Day(name: String(first), date: String(words[1]), failing: failing))
                isNewMatter = true
                continue
            }
            guard !days.isEmpty else { throw mistake() }
            let day = days.count - 1
            if isNewMatter { days[day].matters.append(Matter()) }
            isNewMatter = false
            let matter = days[day].matters.count - 1
            if let minute = Self.minute(first), words.count > 2 {
                let rest = words[2...].joined(separator: " ")
                let action: Step.Action
                switch words[1] {
                case ">": action = .text(rest)
                case "!":
                    guard let event = Self.event(rest) else { throw mistake() }
                    action = event
                default: throw mistake()
                }
                days[day].matters[matter].steps.append(Step(minute: minute, action: action))
                continue
            }
            let rest = words.dropFirst().joined(separator: " ")
            let step = days[day].matters[matter].steps.count - 1
            guard step >= 0, !rest.isEmpty else { throw mistake() }
            switch first {
            case "<": days[day].matters[matter].steps[step].expected.append(rest)
            case "~": days[day].matters[matter].steps[step].expectedInTrouble.append(rest)
            case "=":
                guard let colon = rest.firstRange(of: ": ") else { throw mistake() }
                days[day].matters[matter].once.append(
                    (String(rest[..<colon.lowerBound]), String(rest[colon.upperBound...])))
            default: throw mistake()
            }
        }
    }

    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":").compactMap { Int($0) }
        return parts.count == 2 ? parts[0] * 60 + parts[1] : nil
    }

    private static func event(_ text: String) -> Step.Action? {
        if text == "consent" { return .consent }
        for vendor in [VendorTrouble.Vendor.gmail, .outlook] where text.hasPrefix(vendor.rawValue + " from ") {
            let fields = text.dropFirst(vendor.rawValue.count + 6).split(separator: "|").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard fields.count == 3 else { return nil }
            return .mail(vendor, from: fields[0], subject: fields[1], text: fields[2])
        }
        return nil
    }
}
