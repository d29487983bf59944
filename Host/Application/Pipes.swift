public import TandemCore
public import TandemJSON
import TandemLanguage
import TandemLife
public import TandemMemory

/// What the line pipes work on: parts of the program by themselves, without an account.
public enum Pipes {
    /// The embedded planner over every tool of this installation, all integrations on, after the fixed words about the
    /// account, which no planner sees; nothing is executed.
    public static func planner(
        configuration: Configuration, options: Application.Options = Application.Options()
    ) async throws -> @Sendable (JSON) -> JSON {
        var options = options
        options.isEphemeral = true
        let application = try await Application.open(configuration, options: options)
        let planner = EmbeddedPlanner(tools: application.catalogue.allTools())
        await application.close()
        return { request in
            let answer = PlanPipe.answer(request, planner: planner)
            guard answer["error"] == nil, let call = request["text"]?.stringValue.flatMap(AccountPhrases.call) else {
                return answer
            }
            return ["tool": .string(call.tool), "args": call.arguments, "confidence": 1.0]
        }
    }

    /// A memory that ends with the program.
    public static func throwAwayMemory() async throws -> MemoryPipe { MemoryPipe(store: TransientMemories()) }
}
