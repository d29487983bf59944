import Foundation
import TandemCore
import TandemJSON
import TandemLanguage
import TandemModels
import TestDatabases
import Testing

@testable import TandemAgent
@testable import TandemApplication

/// English messages that nobody looked at while the planner and the tools' utterances were written, on every tool of the
/// installation: requests with what they ask for, and messages that ask for nothing.
///
/// `Tests/Fixtures/planner/held-out.jsonl`: first the conversations that messages may follow, then a message a line with
/// the calls it should give. `a/b` allows two tools; `{"any": […]}` any of the values, and none listed any at all.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct HeldOutTests {
    private struct Message {
        var text: String
        var context: PlannerContext
        var calls: [JSON]
    }

    private static let path =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/planner/held-out.jsonl").path

    private func messages() throws -> [Message] {
        let lines = try String(contentsOfFile: HeldOutTests.path, encoding: .utf8).split(separator: "\n")
            .map { try JSON(parsing: Array($0.utf8)) }
        let contexts = try #require(lines.first?["contexts"])
        return try lines.dropFirst().map { line in
            let name = line["context"]?.stringValue
            return Message(
                text: try #require(line["text"]?.stringValue), context: context(name.flatMap { contexts[$0] }),
                calls: try #require(line["calls"]?.arrayValue))
        }
    }

    private func context(_ json: JSON?) -> PlannerContext {
        func items(_ json: JSON?) -> [ShownEntities.Item] {
            (json?.arrayValue ?? []).compactMap { item in
                guard let parts = item.arrayValue?.compactMap(\.stringValue), parts.count == 3 else { return nil }
                return ShownEntities.Item(type: parts[0], id: parts[1], label: parts[2])
            }
        }
        var context = PlannerContext(now: Household.start, timeZone: "Europe/Paris")
        if let shown = json?["shown"] {
            context.shown = ShownEntities(items: items(shown), select: json?["select"]?.stringValue)
        }
        context.touched = items(json?["touched"])
        context.recentTools = (json?["recent"]?.arrayValue ?? []).compactMap(\.stringValue)
        return context
    }

    // MARK: Comparison

    private func calls(_ verdict: PlanVerdict) -> [PlannedCall] {
        guard case .calls(let calls) = verdict else { return [] }
        return calls
    }

    private func tools(_ message: Message, _ calls: [PlannedCall]) -> Bool {
        message.calls.count == calls.count
            && zip(message.calls, calls).allSatisfy { expected, call in
                (expected["tool"]?.stringValue ?? "").split(separator: "/").contains { $0 == call.tool }
            }
    }

    private func arguments(_ message: Message, _ calls: [PlannedCall]) -> Bool {
        zip(message.calls, calls).allSatisfy { expected, call in
            let wanted = expected["args"]?.objectValue ?? [:]
            let given = call.arguments.objectValue ?? [:]
            // Marks that a wording leaves, and that nobody would miss.
            let free: Set = ["reminder", "create"]
            return wanted.allSatisfy { agrees($0.value, given[$0.key]) }
                && given.allSatisfy { wanted[$0.key] != nil || free.contains($0.key) }
        }
    }

    private func agrees(_ wanted: JSON, _ given: JSON?) -> Bool {
        if let any = wanted["any"]?.arrayValue {
            return any.isEmpty ? given != nil : any.contains { $0.isNull ? given == nil : agrees($0, given) }
        }
        guard let given else { return false }
        if let object = wanted.objectValue {
            guard let other = given.objectValue, other.count == object.count else { return false }
            return object.allSatisfy { agrees($0.value, other[$0.key]) }
        }
        if let array = wanted.arrayValue {
            guard let other = given.arrayValue else { return array.count == 1 && agrees(array[0], given) }
            return array.count == other.count && zip(array, other).allSatisfy { agrees($0, $1) }
        }
        if let only = given.arrayValue { return only.count == 1 && agrees(wanted, only[0]) }
        if let text = wanted.stringValue, let other = given.stringValue {
            if let left = Double(text), let right = Double(other) { return left == right }
            return plain(text) == plain(other)
        }
        return wanted == given
    }

    /// Without case, marks and a leading article.
    private func plain(_ text: String) -> [Substring] {
        var words = text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "#" || $0 == ".") }
        if let first = words.first, ["a", "an", "the", "my", "some"].contains(first) { words.removeFirst() }
        return words
    }

    // MARK: Tests

    @Test func requestsInWordsNobodySawFindTheirToolAndOthersNone() async throws {
        try await Household.run { (household) async throws in
            let tools = household.application.catalogue.allTools()
            let effects = Dictionary(tools.map { ($0.id, $0.effect) }, uniquingKeysWith: { first, _ in first })
            let planner = EmbeddedPlanner(tools: tools)
            #expect(planner.diagnostics.isEmpty)
            var requests = 0
            var rightTool = 0
            var rightArguments = 0
            var idle = 0
            var planned = 0
            var written = 0
            for message in try messages() {
                let calls = calls(planner.plan(message.text, context: message.context))
                if message.calls.isEmpty {
                    idle += 1
                    planned += calls.isEmpty ? 0 : 1
                    written += calls.contains { effects[$0.tool] != .read } ? 1 : 0
                } else {
                    requests += 1
                    guard self.tools(message, calls) else { continue }
                    rightTool += 1
                    rightArguments += arguments(message, calls) ? 1 : 0
                }
            }
            print("held out: \(rightTool) tools and \(rightArguments) arguments of \(requests),", terminator: " ")
            print("\(planned) planned of \(idle) idle, \(written) of them writes")
            #expect(requests >= 95 && idle >= 110)
            #expect(Double(rightTool) >= 0.83 * Double(requests))
            #expect(Double(rightArguments) >= 0.69 * Double(requests))
            #expect(Double(planned) <= 0.09 * Double(idle))
            #expect(Double(written) <= 0.06 * Double(idle))
        }
    }

    /// Of all tools at once, as if every integration were on.
    @Test func aModelIsToldOfTheToolThatIsMeantThoughOfFewOnly() async throws {
        try await Household.run { (household) async throws in
            let tools = household.application.catalogue.allTools().filter { !$0.isOwnersAlone }
            let directory = ToolDirectory([(NoTools(), tools)])
            let finder = ToolFinder()
            var requests = 0
            var found = 0
            var tokens = 0
            for message in try messages() where !message.calls.isEmpty {
                let wanted = message.calls.map {
                    ($0["tool"]?.stringValue ?? "").split(separator: "/").map(String.init)
                }
                guard wanted.allSatisfy({ $0.contains { tool in tools.contains { $0.id == tool } } }) else { continue }
                var state = ConversationState()
                state.shown = message.context.shown
                state.touched = message.context.touched
                state.tools = message.context.recentTools
                let context = TurnContext(
                    state: state, confirmations: [], now: message.context.now, timeZone: "Europe/Paris",
                    currency: "EUR")
                let offer = finder.offer(
                    for: message.text, context: context, reading: [], directory: directory, among: tools)
                requests += 1
                if wanted.allSatisfy({ $0.contains { offer.holds($0) } }) {
                    found += 1
                } else {
                    print("not offered: \(message.text) -> \(wanted)")
                }
                let loop = ModelLoop(words: message.text, directory: directory, limits: AgentLimits(), offer: offer)
                tokens += TokenEstimate.input(of: loop.request(context: context))
            }
            let whole = tools.reduce(0) { $0 + TokenEstimate.tokens(of: $1) }
            print("offered: \(found) of \(requests), \(tokens / max(requests, 1)) tokens of \(whole)")
            #expect(requests >= 90)
            #expect(Double(found) >= 0.96 * Double(requests))
            #expect(tokens <= 6500 * requests)
        }
    }
}

/// A provider whose tools nobody calls.
private struct NoTools: ToolProvider {
    func tools(for scope: UserScope) async throws -> [ToolDefinition] { [] }
    func call(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome { .accepted(job: "", message: "") }
}
