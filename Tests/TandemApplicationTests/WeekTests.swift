import Foundation
import TandemCore
import Testing

@testable import TandemApplication

/// A week of one person on all eight integrations, by SMS only; and the same week with each vendor failing for a day.
///
/// The transcript is `docs/a-week.md`. After a change that is meant, it is written anew by
/// `TANDEM_WRITE_TRANSCRIPT=1 swift test --filter WeekTests`.
@Suite(.timeLimit(.minutes(8)), .serialized)
struct WeekTests {
    @Test func aWeekIsLivedAsItIsWrittenDown() async throws {
        let week = try await WeekReplay.run()
        expectEverythingOnce(week)
        try compare(week, try await WeekReplay.run(.down))
    }

    @Test(arguments: VendorTrouble.Kind.allCases.filter { $0 != .down })
    func nothingIsLostOrDoubledWhenEachVendorFailsForADay(_ kind: VendorTrouble.Kind) async throws {
        let week = try await WeekReplay.run(kind)
        expectEverythingOnce(week)
    }

    private func expectEverythingOnce(_ week: WeekReplay) {
        for entry in week.counts { #expect(entry.count == 1, "\(entry.what)") }
        // Each text has its answer, and nothing else came.
        #expect(week.received == week.texts)
        #expect(week.refusals == [])
    }

    // MARK: The transcript

    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../docs/a-week.md").standardized

    private func compare(_ week: WeekReplay, _ failing: WeekReplay) throws {
        let text = Transcript.text(week, failing: failing)
        if ProcessInfo.processInfo.environment["TANDEM_WRITE_TRANSCRIPT"] != nil {
            try Data(text.utf8).write(to: Self.file)
            return
        }
        let written = try String(contentsOf: Self.file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard index < written.count, written[index] == line else {
                Issue.record("docs/a-week.md, line \(index + 1) should be: \(line)")
                return
            }
        }
        #expect(text.utf8.count == written.joined(separator: "\n").utf8.count)
    }
}

/// A week as a page of the documentation.
private enum Transcript {
    static func text(_ week: WeekReplay, failing: WeekReplay) -> String {
        var text = """
            # A week

            One person, all eight integrations, and nothing but text messages. The services are simulated, everything else is
            the program as it is, without a language model. `Tests/Fixtures/week/week.txt` is what happens,
            `Tests/TandemApplicationTests/WeekTests.swift` lives it in each test run and compares this page, which it wrote,
            with what was said. Codes and the ends of links differ each time.

            """
        for (index, day) in week.script.days.enumerated() {
            text += "\n## \(day.name)\n\n" + block(week.entries.filter { $0.day == index })
        }
        text += """

            ## The same week, while services fail

            Gmail answers nothing but 503 on Tuesday, Outlook on Wednesday, Notion on Thursday, YouTube on Friday and
            DuckDuckGo on Saturday. What was said differently:

            """
        for (index, day) in week.script.days.enumerated() {
            var usual = week.entries.filter { $0.day == index }
            let different = failing.entries.filter { entry in
                guard entry.day == index else { return false }
                if let place = usual.firstIndex(of: entry) {
                    usual.remove(at: place)
                    return false
                }
                return true
            }
            if different.isEmpty { continue }
            let reason = day.failing.map { ", without \($0.name)" } ?? ""
            text += "\n### \(day.name)\(reason)\n\n" + block(different)
        }
        text += """

            In the end each mail was sent once, each event and page made once, and each expense noted once; no message was
            without an answer, and nothing came that was not asked for. The same holds when the services answer 429, break
            the line after doing what was asked, give a page of HTML for JSON, or never answer.

            """
        return text
    }

    private static func block(_ entries: [WeekReplay.Entry]) -> String {
        var text = "```\n"
        for entry in entries {
            let time = "\(two(entry.minute / 60)):\(two(entry.minute % 60))"
            if let said = entry.said {
                text += "\(time) you> \(said)\n"
                for line in entry.text.split(separator: "\n", omittingEmptySubsequences: false) {
                    text += line.isEmpty ? "\n" : "      \(line)\n"
                }
            } else {
                text += "\(time) [\(entry.text)]\n"
            }
        }
        return text + "```\n"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
