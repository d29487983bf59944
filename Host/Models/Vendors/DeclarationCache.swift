import Synchronization
import TandemCore
import TandemJSON

/// Declarations of tools in a service's dialect, made once per tool.
final class DeclarationCache: Sendable {
    struct Declared: Sendable {
        var tool: ToolDefinition
        /// The service's name for it.
        var name: String
        /// Nil: the service cannot be told of this tool.
        var declaration: JSON?
    }

    private static let capacity = 4096
    private let entries = Mutex<[String: Declared]>([:])
    private let make: @Sendable (ToolDefinition) -> (String, JSON?)

    init(_ make: @escaping @Sendable (ToolDefinition) -> (String, JSON?)) { self.make = make }

    /// Those that can be declared, by id, and the host's own first, which are in every request: the same set gives the same
    /// bytes, whatever its order.
    func declared(_ tools: [ToolDefinition]) -> [Declared] {
        let sorted = tools.sorted { ($0.isHosts ? 0 : 1, $0.id) < ($1.isHosts ? 0 : 1, $1.id) }
        return sorted.compactMap { tool in
            let known = entries.withLock { $0[tool.id] }
            if let known, known.tool == tool { return known.declaration == nil ? nil : known }
            let (name, declaration) = make(tool)
            let entry = Declared(tool: tool, name: name, declaration: declaration)
            entries.withLock { entries in
                if entries.count >= Self.capacity { entries.removeAll() }
                entries[tool.id] = entry
            }
            return declaration == nil ? nil : entry
        }
    }

    /// What a model reads of a tool.
    static func description(_ tool: ToolDefinition) -> String {
        let text = tool.description.isEmpty ? tool.title : tool.description
        return switch tool.effect {
        case .read: text
        case .write, .delete: text + " Changes the person's data."
        case .send: text + " Reaches other people; the host asks the person first."
        case .spend: text + " Costs money; the host asks the person first."
        }
    }
}

extension ToolDefinition {
    /// One that the host itself answers (`host.plan`).
    fileprivate var isHosts: Bool { id.utf8.starts(with: "host.".utf8) }
}
