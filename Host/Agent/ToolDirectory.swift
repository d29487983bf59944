import Synchronization
public import TandemCore
public import TandemJSON
public import TandemStorage

/// The tools of this host, on or off, for the planner and for plain words about what is off.
public protocol ToolCatalogue: Sendable {
    /// Every tool that somebody could switch on, and the built-in ones, in a stable order. The same array buffer as long
    /// as nothing changed: comparing two answers must be cheap.
    func allTools() -> [ToolDefinition]

    /// The name that people use for the integration a tool belongs to, `expenses`; nil for the host's own tools.
    func integration(of tool: String) -> String?

    /// The call that a message asks for when it decides about integrations in fixed words; nil for every other message.
    func decision(in text: String) -> (tool: String, arguments: JSON)?

    /// What a message tells, to be kept without being asked for; nil when it tells nothing of the kind. Cheap.
    func told(in text: String) -> ToldFacts?

    /// Why this person cannot use a tool that is there, in words for them, when it is another reason than that the
    /// integration is off; nil otherwise.
    func obstacle(to tool: String, in scope: UserScope) async -> TurnNotice?

    /// Something about their integrations that the person should decide now; nil nearly always. Cheap.
    func notice(for scope: UserScope) async -> TurnNotice?
}

extension ToolCatalogue {
    public func decision(in text: String) -> (tool: String, arguments: JSON)? { nil }
    public func told(in text: String) -> ToldFacts? { nil }
    public func obstacle(to tool: String, in scope: UserScope) async -> TurnNotice? { nil }
    public func notice(for scope: UserScope) async -> TurnNotice? { nil }
}

/// Statements in a message that are kept as they were said, and what else the message says.
public struct ToldFacts: Sendable {
    public struct Fact: Sendable {
        /// In the person's words.
        public var text: String
        /// The call that keeps it.
        public var tool: String
        public var arguments: JSON

        public init(text: String, tool: String, arguments: JSON) {
            self.text = text
            self.tool = tool
            self.arguments = arguments
        }
    }

    public var facts: [Fact]
    /// The other sentences; empty when there are none.
    public var rest: String

    public init(facts: [Fact], rest: String) {
        self.facts = facts
        self.rest = rest
    }

    /// A call is planned with this confidence: less sure than the answer to a question that is open.
    public static let confidence = 0.85

    /// What a person tells of themself may be a setting as well (`my name is Ada`): then it is that. Of a reading of one
    /// fact's words: its tool and how sure it is.
    public static func isSetting(tool: String, confidence: Double) -> Bool {
        tool.utf8.starts(with: "settings.".utf8) && confidence >= 0.7
    }
}

/// A few words of the host's own to the person, and the question that they may be.
public struct TurnNotice: Sendable {
    /// One sentence or two that stand alone.
    public var text: String
    /// The tool that the answer goes to, with its arguments; nil: nothing is asked.
    public var question: (tool: String, arguments: JSON, request: InputRequest)?
    /// Notes that the person was told, in the transaction that sends the answer.
    public var settle: @Sendable (any WriteTransaction) throws -> Void

    public init(
        text: String, question: (tool: String, arguments: JSON, request: InputRequest)? = nil,
        settle: @escaping @Sendable (any WriteTransaction) throws -> Void = { _ in }
    ) {
        self.text = text
        self.question = question
        self.settle = settle
    }
}

/// What one person may use right now, by tool id.
struct ToolDirectory: Sendable {
    struct Entry: Sendable {
        var definition: ToolDefinition
        var provider: any ToolProvider
    }

    private let entries: [String: Entry]
    /// What a person or a model may ask for, in the providers' order: not what only the host asks.
    let definitions: [ToolDefinition]

    init(_ providers: [(any ToolProvider, [ToolDefinition])]) {
        var entries: [String: Entry] = [:]
        var definitions: [ToolDefinition] = []
        let lookups = Set(providers.flatMap { $0.1.compactMap(\.lookup) })
        for (provider, tools) in providers {
            for tool in tools where entries[tool.id] == nil {
                entries[tool.id] = Entry(definition: tool, provider: provider)
                if !lookups.contains(tool.id) { definitions.append(tool) }
            }
        }
        self.entries = entries
        self.definitions = definitions
    }

    subscript(tool: String) -> Entry? { entries[tool] }
}

/// Makes directories and keeps the last few: most people have the same integrations switched on.
final class ToolDirectoryCache: Sendable {
    private struct Slot {
        var key: [[ToolDefinition]]
        var directory: ToolDirectory
    }

    private static let capacity = 16
    private let slots = Mutex<[Slot]>([])
    private let providers: [any ToolProvider]

    init(providers: [any ToolProvider]) { self.providers = providers }

    func directory(for scope: UserScope) async throws -> ToolDirectory {
        var key: [[ToolDefinition]] = []
        for provider in providers { key.append(try await provider.tools(for: scope)) }
        if let found = slots.withLock({ slots in find(key, in: slots) }) { return found }
        let directory = ToolDirectory(Array(zip(providers, key)))
        slots.withLock { [key] slots in
            slots.insert(Slot(key: key, directory: directory), at: 0)
            if slots.count > ToolDirectoryCache.capacity { slots.removeLast() }
        }
        return directory
    }

    /// Providers give people with the same tools the same arrays, as a rule: comparing the tools themselves is the
    /// exception.
    private func find(_ key: [[ToolDefinition]], in slots: [Slot]) -> ToolDirectory? {
        for slot in slots where zip(slot.key, key).allSatisfy({ ToolDirectoryCache.isSame($0, $1) }) {
            return slot.directory
        }
        return slots.first { $0.key == key }?.directory
    }

    private static func isSame(_ left: [ToolDefinition], _ right: [ToolDefinition]) -> Bool {
        left.count == right.count
            && left.withUnsafeBufferPointer { left in
                right.withUnsafeBufferPointer { left.baseAddress == $0.baseAddress }
            }
    }
}
