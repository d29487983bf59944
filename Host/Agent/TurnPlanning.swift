import TandemCore
import TandemJSON
import TandemLanguage

/// What the planner made of a message, for this person.
struct PlannedTurn: Sendable {
    enum Verdict: Sendable {
        case calls([LanguageCall])
        case reply(String)
        case unclear
        /// It is clear what is meant, and it belongs to an integration that is off.
        case off(tool: String, integration: String)
    }

    var verdict: Verdict
    /// `local`, later the model's name.
    var handledBy: String
}

/// Chooses the tools for a message.
protocol TurnPlanning: Sendable {
    func plan(_ text: String, context: TurnContext, directory: ToolDirectory) async -> PlannedTurn
    func isIntegration(_ tool: String) -> Bool
    /// See `ToolCatalogue.decision(in:)`.
    func decision(in text: String) -> (tool: String, arguments: JSON)?
}

extension TurnPlanning {
    func decision(in text: String) -> (tool: String, arguments: JSON)? { nil }
}

/// Plans with a language provider: the embedded planner, later a chain of them.
///
/// It reads a message against every tool of the host, so that what is switched off is recognised rather than taken for
/// something else; a call is planned only when its tool is on for this person.
struct ProviderTurnPlanner: TurnPlanning {
    let provider: any LanguageProvider
    let catalogue: any ToolCatalogue

    func isIntegration(_ tool: String) -> Bool { catalogue.integration(of: tool) != nil }

    func decision(in text: String) -> (tool: String, arguments: JSON)? { catalogue.decision(in: text) }

    func plan(_ text: String, context: TurnContext, directory: ToolDirectory) async -> PlannedTurn {
        do {
            let response = try await respond(text, tools: catalogue.allTools(), context: context)
            if let off = response.calls.first(where: { directory[$0.tool] == nil }) {
                // Something that is on may serve just as well.
                let sure = response.calls.map(\.confidence).min() ?? 1
                let other = try await respond(text, tools: directory.definitions, context: context)
                if other.calls.count >= response.calls.count, other.calls.allSatisfy({ $0.confidence >= sure }) {
                    return turn(.calls(other.calls))
                }
                let integration = catalogue.integration(of: off.tool) ?? String(off.tool.prefix { $0 != "." })
                return turn(.off(tool: off.tool, integration: integration))
            }
            if !response.calls.isEmpty { return turn(.calls(response.calls)) }
            if case .complete = response.finish, let text = response.text { return turn(.reply(text)) }
            return turn(.unclear)
        } catch {
            return turn(.reply("I cannot think clearly right now. Please try again in a moment."))
        }
    }

    private func respond(
        _ text: String, tools: [ToolDefinition], context: TurnContext
    ) async throws -> LanguageResponse {
        try await provider.respond(
            to: LanguageRequest(messages: [.person(text)], tools: tools, context: context.planner))
    }

    private func turn(_ verdict: PlannedTurn.Verdict) -> PlannedTurn {
        PlannedTurn(verdict: verdict, handledBy: provider.name)
    }
}
