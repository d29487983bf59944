public import TandemCore
public import TandemJSON

/// What a turn came to, for fronts that show more than the text.
public struct Answer: Sendable, Equatable {
    public struct Call: Sendable, Equatable {
        public var tool: String
        public var arguments: JSON
        /// `value`, `error:CODE`, `input_required`, `auth_required`, `accepted`, `confirmation`, `refused`, `off`.
        public var outcome: String
    }

    public struct Waiting: Sendable, Equatable {
        public var code: Int
        public var summary: String
        public var expiresAt: Timestamp
    }

    public var turn: RecordID
    /// One SMS segment.
    public var text: String
    /// `more` would show more.
    public var hasMore: Bool
    /// `local`, later a model's name.
    public var handledBy: String
    public var calls: [Call]
    public var confirmation: Waiting?
    /// What this turn changed, as `undo` would call it; nil when there is nothing to take back.
    public var undo: String?

    /// The form of `tandem chat --json`.
    public var json: JSON {
        var object: JSONObject = [:]
        object["reply"] = .string(text)
        object["more"] = .bool(hasMore)
        object["handled_by"] = .string(handledBy)
        object["calls"] = .array(
            calls.map { ["tool": .string($0.tool), "args": $0.arguments, "outcome": .string($0.outcome)] })
        object["confirmation"] =
            confirmation.map {
                [
                    "code": .string(String($0.code)), "summary": .string($0.summary),
                    "expires_at": .string($0.expiresAt.description),
                ]
            } ?? .null
        object["undo"] = undo.map { .string($0) } ?? .null
        return .object(object)
    }
}
