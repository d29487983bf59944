public import TandemCore
public import TandemJSON
import TandemLanguage
public import TandemMemory

/// What the line pipes work on: parts of the program by themselves, without an account.
public enum Pipes {
    /// The embedded planner over every tool of this installation, all integrations on; nothing is executed.
    public static func planner(
        configuration: Configuration, options: Application.Options = Application.Options()
    ) async throws -> @Sendable (JSON) -> JSON {
        var options = options
        options.isEphemeral = true
        let application = try await Application.open(configuration, options: options)
        let planner = EmbeddedPlanner(tools: application.catalogue.allTools())
        await application.close()
        return { PlanPipe.answer($0, planner: planner) }
    }

    /// A memory that ends with the program.
    public static func throwAwayMemory() async throws -> MemoryPipe { MemoryPipe(store: TransientMemories()) }
}
