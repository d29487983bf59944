import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

@testable import TandemAgent

/// A box that a person puts things into: one tool for each way in which a tool can act or fail.
final class BoxTools: ToolProvider {
    static let owner = "test.box"
    static let table = TableDefinition(
        name: "box_things", columns: [ColumnDefinition("text", .text)], purpose: "things in your box")

    static let definitions: [ToolDefinition] = [
        tool("box.put", .write), tool("box.list", .read), tool("box.fail", .write), tool("box.empty", .delete),
        tool("box.mail", .send, undo: .none), tool("box.pay", .spend, undo: .none),
        tool("box.burn", .write, undo: .none),
        tool("box.lamp", .write, undo: .tool("box.relamp")), tool("box.relamp", .write, undo: .tool("box.relamp")),
        tool("box.choose", .write), tool("box.ask", .write), tool("box.count", .write), tool("box.long", .read),
        tool("box.hang", .read, timeout: 100), tool("box.hangput", .write, timeout: 100),
        tool("box.wait", .read, timeout: 60_000), tool("box.slowput", .write, timeout: 60_000),
        tool("box.relay", .write), tool("box.peek", .read), tool("box.change", .write),
    ]

    private static func tool(
        _ id: String, _ effect: Effect, undo: UndoPolicy = .rows, timeout: Int = 10_000
    ) -> ToolDefinition {
        ToolDefinition(
            id: id, title: "Do \(id)", description: "For tests.",
            parameters: ["type": "object", "properties": ["text": true, "to": true, "n": true]], effect: effect,
            undo: undo, timeoutMilliseconds: timeout)
    }

    struct State: Sendable {
        var calls: [(tool: String, scope: UserScope, arguments: JSON)] = []
        var mails: [(scope: UserScope, text: String)] = []
        var lamp: [UserScope: Bool] = [:]
        var off: Set<UserScope> = []
        var running = 0
        var mostRunning = 0
        var lampFails = false
    }

    let state = Mutex(State())
    let mediator = Mutex<(any ToolMediator)?>(nil)
    let gate = Gate()
    private let database: any Database

    init(database: any Database) { self.database = database }

    /// Everything is on unless it was switched off for this person.
    func tools(for scope: UserScope) async throws -> [ToolDefinition] {
        state.withLock { $0.off.contains(scope) } ? [] : BoxTools.definitions
    }

    func switchOff(for scope: UserScope) { state.withLock { _ = $0.off.insert(scope) } }

    func calls(of tool: String) -> Int { state.withLock { state in state.calls.count { $0.tool == tool } } }

    func call(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome {
        state.withLock { state in
            state.calls.append((call.tool, scope, call.arguments))
            state.running += 1
            state.mostRunning = max(state.mostRunning, state.running)
        }
        defer { state.withLock { $0.running -= 1 } }
        do {
            return try await run(call, scope)
        } catch {
            return .failure(ToolFailure(code: "storage", message: "The box is stuck: \(error)"))
        }
    }

    private func run(_ call: ToolCall, _ scope: UserScope) async throws -> ToolOutcome {
        let text = call.arguments["text"]?.stringValue ?? ""
        switch call.tool {
        case "box.put":
            let id = try await put(text, call, scope)
            return .value(
                ToolValue(
                    value: ["id": .id(id)], message: "Put in: \(text)",
                    shown: ShownEntities(
                        items: [.init(type: "box.thing", id: id.description, label: text)], isNumbered: false)))
        case "box.fail":
            _ = try await put(text, call, scope)
            return .failure(ToolFailure(code: "broken", message: "The lid broke."))
        case "box.empty":
            try await database.write(scope) { transaction in
                _ = try transaction.delete(
                    BoxTools.table.name, where: [], origin: call.origin, tables: .owner(BoxTools.owner))
            }
            return .value(ToolValue(value: [:], message: "The box is empty."))
        case "box.change":
            try await database.write(scope) { transaction in
                _ = try transaction.update(
                    BoxTools.table.name, where: [], set: ["text": .string(text)], origin: call.origin,
                    tables: .owner(BoxTools.owner))
            }
            return .value(ToolValue(value: [:], message: "All changed."))
        case "box.mail", "box.pay", "box.burn":
            state.withLock { $0.mails.append((scope, text)) }
            return .value(ToolValue(value: [:], message: "Sent."))
        case "box.lamp":
            _ = try await put("lamp", call, scope)
            state.withLock { $0.lamp[scope] = true }
            return .value(ToolValue(value: ["n": false], message: "Lamp on."))
        case "box.relamp":
            // Taking back is this tool's own business: the host's journal must not do it as well.
            try await database.write(scope) { transaction in
                _ = try transaction.delete(
                    BoxTools.table.name, where: [RowCondition("text", .equal, "lamp")], origin: call.origin,
                    tables: .owner(BoxTools.owner))
            }
            let fails = state.withLock { state in
                if !state.lampFails { state.lamp[scope] = call.arguments["n"]?.boolValue }
                return state.lampFails
            }
            if fails { return .failure(ToolFailure(code: "bulb", message: "The bulb is loose.")) }
            return .value(ToolValue(value: ["n": true], message: "Lamp off."))
        case "box.choose":
            if let answer = call.answers?["which"]?.stringValue {
                _ = try await put(answer + String(decoding: call.resumeState, as: UTF8.self), call, scope)
                return .value(ToolValue(value: [:], message: "Chosen: \(answer)"))
            }
            return .inputRequired(
                InputRequest(
                    message: "Which one? 1 red, 2 green", field: "which",
                    options: [.init(value: "red", label: "red"), .init(value: "green", label: "green")],
                    resumeState: Array("!".utf8)))
        case "box.ask":
            if let answer = call.answers?["what"]?.stringValue {
                _ = try await put(answer, call, scope)
                return .value(ToolValue(value: [:], message: "Noted."))
            }
            return .inputRequired(InputRequest(message: "What goes in?", field: "what"))
        case "box.count":
            if let answer = call.answers?["n"]?.int64Value {
                _ = try await put("\(answer)", call, scope)
                return .value(ToolValue(value: [:], message: "Counted."))
            }
            return .inputRequired(InputRequest(message: "How many?", field: "n", schema: ["type": "integer"]))
        case "box.long":
            let lines = (1...40).map { "Line \($0): \u{201C}quoted\u{201D} \u{2014} caf\u{E9} [x] {y} ~\n" }
            return .value(ToolValue(value: [:], message: lines.joined()))
        case "box.hang", "box.hangput":
            if call.tool == "box.hangput" { _ = try await put(text, call, scope) }
            try? await Task.sleep(for: .seconds(600))
            return .failure(ToolFailure(code: "cancelled", message: "That took too long."))
        case "box.slowput":
            _ = try await put(text, call, scope)
            await gate.pass()
            return .value(ToolValue(value: [:], message: "Slowly put in: \(text)"))
        case "box.wait":
            await gate.pass()
            return .value(ToolValue(value: [:], message: "Through."))
        case "box.relay", "box.peek":
            var inner = call
            inner.tool = call.arguments["to"]?.stringValue ?? ""
            inner.arguments = ["text": .string(text)]
            inner.depth += 1
            guard let mediator = mediator.withLock({ $0 }) else {
                return .failure(ToolFailure(code: "none", message: "-"))
            }
            let isThere = await mediator.isAvailable(tool: inner.tool, in: scope)
            let outcome = await mediator.mediate(inner, in: scope)
            switch outcome {
            case .failure(let failure):
                return .value(
                    ToolValue(value: ["there": .bool(isThere)], message: "Refused \(failure.code) there \(isThere)"))
            default: return .value(ToolValue(value: ["there": .bool(isThere)], message: "Relayed there \(isThere)"))
            }
        default:
            let count = try await database.read(scope) { transaction in
                try transaction.count(
                    BoxTools.table.name, tables: .owner(BoxTools.owner, allowsWrites: false))
            }
            return .value(ToolValue(value: ["n": .integer(Int64(count))], message: "There are \(count)."))
        }
    }

    private func put(_ text: String, _ call: ToolCall, _ scope: UserScope) async throws -> RecordID {
        try await database.write(scope) { transaction in
            try transaction.insert(
                BoxTools.table.name, ["text": .string(text)], origin: call.origin, tables: .owner(BoxTools.owner))
        }
    }
}
