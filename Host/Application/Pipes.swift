import TandemAgent
public import TandemCore
public import TandemJSON
import TandemLanguage
import TandemLife
public import TandemMemory

/// What the line pipes work on: parts of the program by themselves, without an account.
public enum Pipes {
    /// The embedded planner over every tool of this installation, all integrations on, after the fixed words about account,
    /// integrations, notes and memory, which no planner sees, and what is told to be kept; nothing is executed.
    public static func planner(
        configuration: Configuration, options: Application.Options = Application.Options()
    ) async throws -> @Sendable (JSON) -> JSON {
        var options = options
        options.isEphemeral = true
        let application = try await Application.open(configuration, options: options)
        let planner = EmbeddedPlanner(tools: application.catalogue.allTools())
        let catalogue = application.catalogue
        await application.close()
        return { request in
            let answer = PlanPipe.answer(request, planner: planner)
            guard answer["error"] == nil, let text = request["text"]?.stringValue else { return answer }
            if let call = catalogue.decision(in: text) {
                var decided: JSON = ["tool": .string(call.tool), "args": call.arguments, "confidence": 1.0]
                // Fixed words: nothing is weighed.
                if answer["why"] != nil { decided["why"] = .array([]) }
                return decided
            }
            return told(in: text, request, planner) ?? answer
        }
    }

    /// All tools of this installation, all integrations on.
    public static func tools(
        configuration: Configuration, options: Application.Options = Application.Options()
    ) async throws -> [ToolDefinition] {
        let application = try await Application.open(configuration, options: options)
        let tools = application.catalogue.allTools()
        await application.close()
        return tools
    }

    /// As the agent does it: what is told first, then what the rest of the message asks for.
    private static func told(in text: String, _ request: JSON, _ planner: EmbeddedPlanner) -> JSON? {
        guard let told = HostCatalogue.told(in: text) else { return nil }
        func read(_ text: String) -> [JSON] {
            var part = request
            part["text"] = .string(text)
            let answer = PlanPipe.answer(part, planner: planner)
            return answer["calls"]?.arrayValue ?? (answer["tool"]?.stringValue == nil ? [] : [answer])
        }
        for fact in told.facts {
            let isSetting = read(fact.text).contains { call in
                ToldFacts.isSetting(
                    tool: call["tool"]?.stringValue ?? "", confidence: call["confidence"]?.doubleValue ?? 0)
            }
            if isSetting { return nil }
        }
        var calls: [JSON] = told.facts.map {
            ["tool": .string($0.tool), "args": $0.arguments, "confidence": .number(ToldFacts.confidence)]
        }
        if !told.rest.isEmpty { calls += read(told.rest) }
        guard var answer = calls.first else { return nil }
        if calls.count > 1 { answer["calls"] = .array(calls) }
        return answer
    }

    /// A memory that ends with the program.
    public static func throwAwayMemory() async throws -> MemoryPipe { MemoryPipe(store: TransientMemories()) }
}
