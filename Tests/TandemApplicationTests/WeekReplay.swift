import DuckDuckGoSimulator
import Foundation
import GmailSimulator
import GraphSimulator
import NotionSimulator
import TandemAgent
import TandemCore
import TandemEgress
import TandemJSON
import TandemOAuth
import TandemStorage
import Testing
import TwilioSimulator
import YouTubeSimulator

@testable import TandemApplication

/// Lives a `WeekScript` with the real program, plugins and pages, by SMS, before simulated vendors, and writes down what
/// was said.
struct WeekReplay {
    /// One text and what came back, or something that happened.
    struct Entry: Sendable, Equatable {
        var day: Int
        var minute: Int
        /// What the person texted; nil for an event.
        var said: String?
        /// The answer, or what happened; without what is different each time.
        var text: String
    }

    let world: VendorWorld
    let person: VendorWorld.Person
    let script: WeekScript
    /// How each vendor fails on its day; nil: none does.
    let trouble: VendorTrouble.Kind?

    private(set) var entries: [Entry] = []
    private(set) var texts = 0
    /// All that came to the phone.
    private(set) var received = 0
    /// What is there at the end, and how often: `gmail sent: words`.
    private(set) var counts: [(what: String, count: Int)] = []
    /// Requests of ours that a simulator had to refuse.
    private(set) var refusals: [String] = []
    private var last = ""
    private var isAsExpected = true

    /// Begins as a newcomer on the eve of the first day.
    static func run(_ trouble: VendorTrouble.Kind? = nil) async throws -> WeekReplay {
        let script = try WeekScript.read()
        let box = Box()
        try await VendorWorld.run(
            adjust: { options, vendors in
                // The week drives background work itself, so that it is done when it looks.
                options.roles = [.front, .agent]
                let start = vendors.clock.now
                options.adjustEgress = { egress in
                    egress.retries.baseDelay = .milliseconds(1)
                    // Nobody waits half a minute for each answer that never comes.
                    egress.longest = { vendors.trouble.isSilent($0) ? .milliseconds(1100) : .seconds(60) }
                    egress.limitTime = { monotonic in
                        monotonic + UInt64(max(0, vendors.clock.now.since(start).milliseconds)) * 1_000_000
                    }
                }
            },
            { world in
                WeekReplay.furnish(world.vendors)
                var replay = WeekReplay(
                    world: world, person: try await world.person(), script: script, trouble: trouble)
                try await replay.live()
                await box.set(replay)
            })
        return try #require(await box.value)
    }

    private actor Box {
        private(set) var value: WeekReplay?

        func set(_ replay: WeekReplay) { value = replay }
    }

    private init(
        world: VendorWorld, person: VendorWorld.Person, script: WeekScript, trouble: VendorTrouble.Kind?
    ) {
        self.world = world
        self.person = person
        self.script = script
        self.trouble = trouble
    }

    /// What is there before the person connects it.
    private static func furnish(_ vendors: Vendors) {
        vendors.graph.add("Team meeting", start: "2026-11-23T10:00:00", end: "2026-11-23T10:30:00")
        vendors.graph.add(
            "Review", start: "2026-11-25T09:00:00", end: "2026-11-25T10:00:00", organizer: "lee@contoso.example",
            attendees: ["me@contoso.example"])
        vendors.graph.add("Team meeting", start: "2026-11-30T10:00:00", end: "2026-11-30T10:30:00")
        vendors.notion.addPage(
            "House", blocks: [("heading_1", "To do"), ("to_do", "Paint the kitchen"), ("to_do", "Oil the door")])
        vendors.youtube.furnish()
        vendors.search.furnish()
        vendors.search.setPages([
            .init("Candle holders by hand", "https://craft.example/candles", "Make them of wax and clay."),
            .init("Candles and safety", "https://fire.example/candles", "Never leave them alone."),
        ])
    }

    // MARK: Living

    private mutating func live() async throws {
        var failed: [WeekScript.Matter] = []
        for (index, day) in script.days.enumerated() {
            try await reach(day, minute: 6 * 60)
            for vendor in VendorTrouble.Vendor.allCases { world.vendors.trouble.end(at: vendor) }
            // What did not work yesterday is done now that it can be.
            for matter in failed where try await !isDone(matter) {
                try await live(matter, on: index, isFailing: false, at: 7 * 60)
            }
            failed = []
            if let trouble, let vendor = day.failing { world.vendors.trouble.begin(trouble, at: vendor) }
            for matter in day.matters {
                try await live(matter, on: index, isFailing: trouble != nil && day.failing != nil)
                if trouble != nil, day.failing != nil, !matter.once.isEmpty { failed.append(matter) }
            }
        }
        received = person.received.count
        for once in script.days.flatMap(\.matters).flatMap(\.once) {
            counts.append(("\(once.place): \(once.words)", try await count(once.words, at: once.place)))
        }
        let vendors = world.vendors
        refusals = vendors.gmail.refusals + vendors.graph.refusals + vendors.notion.refusals
        refusals += vendors.youtube.refusals + vendors.search.refusals + world.twilio.refusals
    }

    private mutating func live(
        _ matter: WeekScript.Matter, on day: Int, isFailing: Bool, at minute: Int? = nil
    ) async throws {
        isAsExpected = true
        for step in matter.steps {
            // A person does not answer what was not asked.
            if isFailing, !isAsExpected { break }
            let minute = minute ?? step.minute
            try await reach(script.days[day], minute: minute)
            switch step.action {
            case .text(let words): try await say(words, step, day, minute, isFailing: isFailing)
            case .consent:
                let visit = try await person.connect(last)
                #expect(visit.end.contains("is connected"), "\(visit.end)")
                entries.append(Entry(day: day, minute: minute, text: "the link is opened; consent is given"))
            case .mail(let vendor, let from, let subject, let text):
                if vendor == .gmail {
                    world.vendors.gmail.deliver(from: from, subject: subject, text: text, minutesAgo: 0)
                } else {
                    world.vendors.graph.deliver(from: from, subject: subject, text: text, minutesAgo: 0)
                }
                entries.append(
                    Entry(
                        day: day, minute: minute,
                        text: "a mail comes to \(vendor.name) from \(from): \(subject)"))
            }
        }
    }

    private mutating func say(
        _ words: String, _ step: WeekScript.Step, _ day: Int, _ minute: Int, isFailing: Bool
    ) async throws {
        var text = words
        if words == "{code}" {
            // Nothing was asked: there is nothing to agree to.
            guard let code = Self.code(in: last) else { return }
            text = code
        }
        let before = person.received.count
        let answer = try await person.text(text)
        texts += 1
        last = answer
        entries.append(Entry(day: day, minute: minute, said: words == "{code}" ? "1234" : words, text: masked(answer)))
        let expected = isFailing && !step.expectedInTrouble.isEmpty ? step.expectedInTrouble : step.expected
        isAsExpected = step.expected.allSatisfy { answer.contains($0) }
        if !isFailing || !step.expectedInTrouble.isEmpty {
            for part in expected { #expect(answer.contains(part), "\(words): \(answer)") }
        }
        // What comes by itself is written down as well.
        for other in person.received.dropFirst(before + 1) {
            entries.append(Entry(day: day, minute: minute, text: "by itself: \(masked(other))"))
        }
    }

    /// Lets time pass until then, and does what became due on the way.
    private func reach(_ day: WeekScript.Day, minute: Int) async throws {
        let midnight = try #require(Timestamp("\(day.date)T00:00:00.000Z"))
        // Europe/Paris, in winter.
        let time = midnight.advanced(by: .seconds(minute * 60 - 3600))
        if time > world.clock.now { world.clock.set(time) }
        try await world.application.pluginWork.tick()
        try await world.application.connections.upkeep()
    }

    private func isDone(_ matter: WeekScript.Matter) async throws -> Bool {
        for once in matter.once where try await count(once.words, at: once.place) == 0 { return false }
        return true
    }

    // MARK: What is where

    /// How often something is at a vendor, or among the person's own.
    private func count(_ words: String, at place: String) async throws -> Int {
        let vendors = world.vendors
        switch place {
        case "gmail sent": return vendors.gmail.sent.count { vendors.gmail.text(of: $0).contains(words) }
        case "outlook event":
            return vendors.graph.eventIDs.count { vendors.graph.event($0)?["subject"]?.stringValue == words }
        case "outlook accept": return vendors.graph.notices.count { $0.kind == "accept" }
        case "outlook sent": return vendors.graph.notices.count { $0.kind == "mail" && $0.text.contains(words) }
        case "notion line":
            return vendors.notion.pageIDs.reduce(0) { count, page in
                count + vendors.notion.lines(of: page).count { $0.contains(words) }
            }
        case "notion page": return vendors.notion.pageIDs.count { vendors.notion.title(of: $0) == words }
        case "expenses":
            return try await rows("expenses").count {
                $0["amount"]?.stringValue.flatMap(Double.init) == Double(words)
            }
        default: return try await rows(place).count { "\($0.text)".contains(words) }
        }
    }

    private func rows(_ table: String) async throws -> [JSON] {
        try await world.household.rows(table, of: person.scope)
    }

    // MARK: Words

    private static func code(in text: String) -> String? {
        guard let mark = text.range(of: "Text ") else { return nil }
        let code = text[mark.upperBound...].prefix(while: \.isNumber)
        return code.count == 4 ? String(code) : nil
    }

    /// Without the parts of links and codes that are drawn by lot.
    private func masked(_ text: String) -> String {
        var result = text
        if let code = Self.code(in: text) { result = result.replacing("Text \(code)", with: "Text 1234") }
        if let start = result.range(of: Household.publicBase + "/connect/") {
            let end = result[start.upperBound...].firstIndex(where: \.isWhitespace) ?? result.endIndex
            result.replaceSubrange(start.upperBound..<end, with: "...")
        }
        return result
    }
}
