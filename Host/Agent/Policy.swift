public import TandemCore

/// What the policy decides about one call.
public enum PolicyDecision: String, Sendable, Hashable {
    case allow
    /// Ask the person, with a text that the host renders from the real arguments.
    case confirm
    case refuse
}

/// The matrix trust label × effect, as data: deterministic, outside any model.
///
/// The label is the least trusted source of the call's arguments. The owner's own words may read and write freely, since
/// every write can be undone; what deletes, reaches others or costs money is confirmed. Words of others never cause a
/// deletion or a payment, and a write or a message only after the owner confirmed it.
public struct Policy: Sendable {
    private let matrix: [TrustLabel: [Effect: PolicyDecision]]

    public init(matrix: [TrustLabel: [Effect: PolicyDecision]]) { self.matrix = matrix }

    public static let standard = Policy(matrix: [
        .owner: [.read: .allow, .write: .allow, .delete: .confirm, .send: .confirm, .spend: .confirm],
        .system: [.read: .allow, .write: .allow, .delete: .confirm, .send: .confirm, .spend: .confirm],
        .contact: [.read: .allow, .write: .confirm, .delete: .refuse, .send: .confirm, .spend: .refuse],
        .untrusted: [.read: .allow, .write: .confirm, .delete: .refuse, .send: .confirm, .spend: .refuse],
    ])

    /// An entry that is missing from the matrix is a refusal; a write that cannot be undone is confirmed, and so is one
    /// of a tool that the person wants to be asked about. What decides about permissions takes the owner's own words.
    public func decide(tool: ToolDefinition, label: TrustLabel) -> PolicyDecision {
        if tool.isOwnersAlone, label != .owner { return .refuse }
        let decision = matrix[label]?[tool.effect] ?? .refuse
        if decision == .allow, tool.effect != .read, tool.undo == .none || tool.asksFirst { return .confirm }
        return decision
    }
}
