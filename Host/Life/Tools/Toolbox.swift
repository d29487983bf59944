import TandemCore
import TandemJSON

/// A group of built-in tools with their handlers.
protocol Toolbox: Sendable {
    /// In the order of their importance to people.
    static var definitions: [ToolDefinition] { get }

    /// Runs a tool of `definitions`. May throw `ToolFailure`, `Asking` and what the storage throws.
    func run(_ request: ToolRequest) async throws -> ToolOutcome
}

extension ToolOutcome {
    static func value(_ value: JSON, _ message: String, shown: ShownEntities? = nil) -> ToolOutcome {
        .value(ToolValue(value: value, message: message, shown: shown))
    }
}
