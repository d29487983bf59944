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
        /// A model took it up; and what the embedded planner reads in the same words.
        case model(LanguageResponse, reading: [LanguageCall])
    }

    var verdict: Verdict
    /// `local`, or the model's name.
    var handledBy: String
    /// One line to be added to the answer.
    var note: String?
    /// Of something that is off: how sure that reading is.
    var confidence = 1.0
    /// The message tells something to be kept: no model knows better.
    var isTold = false
}

/// Chooses the tools for a message.
protocol TurnPlanning: Sendable {
    func plan(_ text: String, context: TurnContext, directory: ToolDirectory) async -> PlannedTurn
    /// What the embedded planner alone makes of a message: quick, and nobody's budget.
    func read(_ text: String, context: TurnContext, directory: ToolDirectory) async -> PlannedTurn
    func isIntegration(_ tool: String) -> Bool
    /// The tools that a model is told of in a turn with these words.
    func offer(
        for words: String, context: TurnContext, reading: [LanguageCall], directory: ToolDirectory
    ) -> ToolOffer
    /// The name under which people know the integration of a tool; nil for the host's own.
    func integration(of tool: String) -> String?
    /// Somebody else than the embedded planner may be asked.
    var asksModels: Bool { get }
    /// See `ToolCatalogue.decision(in:)`.
    func decision(in text: String) -> (tool: String, arguments: JSON)?
}

extension TurnPlanning {
    func decision(in text: String) -> (tool: String, arguments: JSON)? { nil }

    var asksModels: Bool { false }

    func offer(
        for words: String, context: TurnContext, reading: [LanguageCall], directory: ToolDirectory
    ) -> ToolOffer {
        .everything
    }

    func integration(of tool: String) -> String? {
        isIntegration(tool) ? String(tool.prefix { $0 != "." }) : nil
    }

    func read(_ text: String, context: TurnContext, directory: ToolDirectory) async -> PlannedTurn {
        await plan(text, context: context, directory: directory)
    }
}

/// Plans with a language provider: the embedded planner, or a chain of it and models.
///
/// The embedded planner reads a message against every tool of the host, so that what is switched off is recognised rather
/// than taken for something else; a call is planned only when its tool is on for this person. A model is told of no other
/// tools than those.
struct ProviderTurnPlanner: TurnPlanning {
    /// A reading of something that is off must be so sure to be told instead of asking a model.
    static let certainty = 0.85

    let provider: any LanguageProvider
    let catalogue: any ToolCatalogue
    /// The embedded planner, whatever the provider is.
    let embedded: any LanguageProvider
    private let finder = ToolFinder()

    init(provider: any LanguageProvider, catalogue: any ToolCatalogue) {
        self.provider = provider
        self.catalogue = catalogue
        embedded = provider.name == ProviderTurnPlanner.local ? provider : EmbeddedLanguageProvider()
    }

    static let local = "local"

    var asksModels: Bool { provider.name != ProviderTurnPlanner.local }

    func isIntegration(_ tool: String) -> Bool { catalogue.integration(of: tool) != nil }

    func integration(of tool: String) -> String? { catalogue.integration(of: tool) }

    func decision(in text: String) -> (tool: String, arguments: JSON)? { catalogue.decision(in: text) }

    func offer(
        for words: String, context: TurnContext, reading: [LanguageCall], directory: ToolDirectory
    ) -> ToolOffer {
        finder.offer(
            for: words, context: context, reading: reading, directory: directory, among: catalogue.allTools())
    }

    func plan(_ text: String, context: TurnContext, directory: ToolDirectory) async -> PlannedTurn {
        let read = await read(text, context: context, directory: directory)
        guard provider.name != ProviderTurnPlanner.local, !read.isTold else { return read }
        var reading: [LanguageCall] = []
        switch read.verdict {
        case .off(let tool, let integration):
            if read.confidence >= ProviderTurnPlanner.certainty {
                return turn(.off(tool: tool, integration: integration))
            }
        case .calls(let calls): reading = calls
        default: break
        }
        let loop = ModelLoop(
            words: text, directory: directory, limits: AgentLimits(), history: context.history,
            offer: offer(for: text, context: context, reading: reading, directory: directory))
        let request = loop.request(context: context)
        do {
            let response = try await provider.respond(to: request)
            let handler = response.handledBy ?? provider.name
            // The chain left it to the embedded planner, which has read it already, against more tools.
            guard handler != ProviderTurnPlanner.local else {
                var turn = read
                turn.note = response.note
                return turn
            }
            if response.calls.isEmpty, response.text?.isEmpty ?? true {
                var turn = read
                turn.note = response.note
                return turn
            }
            return PlannedTurn(
                verdict: .model(response, reading: reading), handledBy: handler, note: response.note)
        } catch {
            return read
        }
    }

    func read(_ text: String, context: TurnContext, directory: ToolDirectory) async -> PlannedTurn {
        if let told = catalogue.told(in: text), let turn = await keep(told, context: context, directory: directory) {
            return turn
        }
        return await plain(text, context: context, directory: directory)
    }

    /// Calls that keep what the message tells, before those that the rest of it asks for; nil when it is to be read as any
    /// other.
    private func keep(_ told: ToldFacts, context: TurnContext, directory: ToolDirectory) async -> PlannedTurn? {
        var calls: [LanguageCall] = []
        for fact in told.facts where directory[fact.tool] != nil {
            let own = await plain(fact.text, context: context, directory: directory)
            if case .calls(let others) = own.verdict,
                others.contains(where: { ToldFacts.isSetting(tool: $0.tool, confidence: $0.confidence) })
            {
                return nil
            }
            calls.append(
                LanguageCall(
                    id: "told-\(calls.count)", tool: fact.tool, arguments: fact.arguments,
                    confidence: ToldFacts.confidence, text: fact.text))
        }
        guard !calls.isEmpty else { return nil }
        var turn = turn(.calls(calls))
        if !told.rest.isEmpty {
            switch await plain(told.rest, context: context, directory: directory).verdict {
            case .calls(let others): turn = self.turn(.calls(calls + others))
            case .reply: break
            // Asked for as well, by somebody who can be asked; or by nobody, and what is told stays.
            case .unclear where asksModels: return nil
            case .unclear: break
            case .off, .model: return nil
            }
        }
        turn.isTold = true
        return turn
    }

    private func plain(_ text: String, context: TurnContext, directory: ToolDirectory) async -> PlannedTurn {
        do {
            let response = try await respond(text, tools: catalogue.allTools(), context: context)
            if let off = response.calls.first(where: { directory[$0.tool] == nil }) {
                // Something that is on may serve just as well.
                let sure = response.calls.map(\.confidence).min() ?? 1
                let other = try await respond(text, tools: directory.definitions, context: context)
                // Not another tool of the same integration: what is meant is known, and that it may not be done yet.
                let isElsewhere = other.calls.allSatisfy { call in
                    call.confidence >= sure
                        && !response.calls.contains { directory[$0.tool] == nil && $0.isBeside(call.tool) }
                }
                if other.calls.count >= response.calls.count, isElsewhere {
                    return turn(.calls(other.calls))
                }
                let integration = catalogue.integration(of: off.tool) ?? String(off.tool.prefix { $0 != "." })
                var turn = turn(.off(tool: off.tool, integration: integration))
                turn.confidence = sure
                return turn
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
        try await embedded.respond(
            to: LanguageRequest(messages: [.person(text)], tools: tools, context: context.planner))
    }

    private func turn(_ verdict: PlannedTurn.Verdict) -> PlannedTurn {
        PlannedTurn(verdict: verdict, handledBy: ProviderTurnPlanner.local)
    }
}

extension LanguageCall {
    /// Both are tools of the same namespace.
    fileprivate func isBeside(_ other: String) -> Bool { tool.prefix { $0 != "." } == other.prefix { $0 != "." } }
}
