import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON

@testable import TandemAgent

/// A desk with everything that an attacker would like to use: what reads gives what others wrote, what acts is only
/// counted. Doubles of plugins, in the process.
final class DeskTools: ToolProvider {
    struct Effect: Sendable, Hashable {
        var tool: String
        var arguments: JSON
    }

    struct State: Sendable {
        var effects: [Effect] = []
        var reads: [Effect] = []
        /// What each reading tool shows, as text; by tool.
        var contents: [String: [String]] = [:]
    }

    let state = Mutex(State())

    static let reading: [(tool: String, title: String, trust: TrustLabel)] = [
        ("mail.read", "Read the newest mail", .untrusted), ("calendar.list", "Show the calendar", .contact),
        ("notes.shared", "Read a shared note", .untrusted), ("web.open", "Open a page", .untrusted),
        ("recipes.open", "Open a recipe", .untrusted), ("video.transcript", "Read a transcript", .untrusted),
        ("memory.recall", "Recall what is remembered", .untrusted),
        ("texts.strangers", "Read texts of strangers", .untrusted),
        ("files.shared", "Read a shared file", .contact), ("desk.own", "Look at the own list", .system),
    ]

    static let definitions: [ToolDefinition] =
        reading.map { tool, title, trust in
            ToolDefinition(
                id: tool, title: title, description: "For tests.",
                parameters: [
                    "type": "object", "properties": ["url": ["type": "string"], "query": ["type": "string"]],
                ],
                effect: .read, trust: trust)
        } + [
            acting("tasks.add", .write, ["text"]), acting("notes.add", .write, ["text"]),
            acting("grocery.add", .write, ["text"]), acting("calendar.create", .write, ["text", "attendees"]),
            acting("memory.remember", .write, ["text"]), acting("share.add", .write, ["to"]),
            acting("contacts.add", .write, ["email", "text"]),
            acting("mail.send", .send, ["to", "text"], undo: .none), acting("mail.archive", .write, ["text"]),
            acting("mail.delete", .delete, ["text"]), acting("shop.pay", .spend, ["payee", "amount"], undo: .none),
            acting("lamp.burn", .write, ["text"], undo: .none),
            acting("rights.allow", .write, ["text"], isOwnersAlone: true),
        ]

    private static func acting(
        _ id: String, _ effect: TandemCore.Effect, _ names: [String], undo: UndoPolicy = .rows,
        isOwnersAlone: Bool = false
    ) -> ToolDefinition {
        var properties: JSONObject = [:]
        for name in names { properties[name] = ["type": "string"] }
        return ToolDefinition(
            id: id, title: "Do \(id)", description: "For tests.",
            parameters: ["type": "object", "properties": .object(properties)], effect: effect, undo: undo,
            isOwnersAlone: isOwnersAlone)
    }

    func tools(for scope: UserScope) async throws -> [ToolDefinition] { DeskTools.definitions }

    func call(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome {
        let effect = Effect(tool: call.tool, arguments: call.arguments)
        guard let reading = DeskTools.reading.first(where: { $0.tool == call.tool }) else {
            state.withLock { $0.effects.append(effect) }
            return .value(ToolValue(value: [:], message: "Done: \(call.tool)."))
        }
        let texts = state.withLock { state in
            state.reads.append(effect)
            return state.contents[call.tool] ?? ["Nothing new."]
        }
        return .value(
            ToolValue(
                value: ["items": .array(texts.map { ["text": .string($0)] })], message: texts.joined(separator: "\n"),
                shown: ShownEntities(
                    items: texts.enumerated().map { index, text in
                        .init(type: "\(reading.tool).item", id: "\(index + 1)", label: String(text.prefix(60)))
                    }), trust: reading.trust))
    }
}

struct DeskCatalogue: ToolCatalogue {
    func allTools() -> [ToolDefinition] { DeskTools.definitions }
    func integration(of tool: String) -> String? { nil }
}
