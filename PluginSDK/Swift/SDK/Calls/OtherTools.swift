public import TandemJSON

/// Calls to other plugins' tools, mediated by the host: it checks what the person granted and what the tool may do, and
/// one undo takes back both.
public struct OtherTools: Sendable {
    let call: Call

    /// Calls a tool that the definition's `calls` names.
    ///
    /// Throws `ToolError` with the other tool's message when it could not do it, `not_granted` when it is switched off
    /// or was not declared, and `needs_input` when it would have to ask.
    @discardableResult
    public func call(_ tool: String, _ arguments: JSON = [:]) async throws -> OtherToolResult {
        try await call.callTool(tool, arguments)
    }

    /// Calls it with a typed value and reads a typed value.
    public func call<A: JSONRepresentable, V: JSONRepresentable>(
        _ tool: String, with arguments: A, returning type: V.Type
    ) async throws -> V {
        let result = try await call.callTool(tool, arguments.json)
        return try result.value(as: type)
    }

    /// Whether the person could use that tool right now.
    public func isAvailable(_ tool: String) -> Bool { call.instance.host.isAvailable(tool: tool) }
}

/// What another tool gave back.
public struct OtherToolResult: Sendable, Hashable {
    public let value: JSON
    public let message: String
    public let shown: JSON?

    /// The value, read as a type.
    public func value<V: JSONRepresentable>(as type: V.Type) throws -> V {
        do throws(ShapeError) {
            return try V(json: value, reader: Reader())
        } catch {
            throw ToolError(status: -1, code: "unexpected_result", "The other tool answered in an unexpected way.")
        }
    }
}
