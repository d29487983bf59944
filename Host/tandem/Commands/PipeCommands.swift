import ArgumentParser
import TandemApplication
import TandemCore
import TandemJSON
import TandemMemory

struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "JSON Schema pipes: one JSON object in, one out.",
        subcommands: [SchemaValidateCommand.self, SchemaGeminiCommand.self, SchemaChatCommand.self])
}

struct SchemaValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Validate data against a JSON Schema (draft 2020-12).",
        discussion: """
            Reads {"schema":...,"data":...} a line; writes {"valid":true} or {"valid":false,"errors":[...]}.

            Example:
              echo '{"schema":{"type":"integer"},"data":1}' | tandem schema validate --json
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await LinePipe.run(common.terminal, each: { SchemaPipe.validate(line: $0) })
    }
}

struct SchemaGeminiCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gemini", abstract: "Show a tool as Gemini would see it.",
        discussion: """
            Reads {"name":...,"description":...,"parameters":{...}} a line; writes the function declaration.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await LinePipe.run(common.terminal, each: { SchemaPipe.gemini(line: $0) })
    }
}

struct SchemaChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Show a tool as servers of the chat-completions API would see it.",
        discussion: """
            Reads {"name":...,"description":...,"parameters":{...}} a line; writes {"type":"function","function":{...}}.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await LinePipe.run(common.terminal, each: { SchemaPipe.chat(line: $0) })
    }
}

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "The embedded planner alone: nothing is executed.",
        discussion: """
            Reads {"text":"...","now":"2026-11-21T10:00:00Z"} a line; writes {"tool":"grocery.add","args":{...},
            "confidence":0.93} or {"tool":null}. All integrations count as on. Optional members: timeZone, currency.
            With --why also the likeliest tools: how likely each was ("belief") and had to be ("needed"), how well its
            example sentences fit by their "words", and how near the nearest is in "meaning".

            Example:
              echo '{"text":"add milk to my list","now":"2026-11-21T10:00:00Z"}' | tandem plan --json
            """)

    @Flag(help: "Say of each sentence which tools came into question.")
    var why = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let pipe = try await Pipes.planner(configuration: try common.configuration())
        let why = why
        try await LinePipe.run(
            common.terminal,
            each: { request in
                var request = request
                if why, request.objectValue != nil { request["why"] = true }
                return pipe(request)
            })
    }
}

struct MemoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "The memory alone: remember and recall.",
        discussion: """
            Reads {"op":"remember","user":"a","id":"1","text":"...","timestamp":"..."} or {"op":"recall","user":"a",
            "query":"...","k":5} a line; writes {"ok":true} or {"ids":[...]}. Without --as the store is thrown away.

            Example:
              echo '{"op":"recall","user":"a","query":"locker code","k":3}' | tandem memory --json
            """)

    @OptionGroup var common: CommonOptions

    @Option(name: .customLong("as"), help: ArgumentHelp("Work on this account's memory.", valueName: "email"))
    var email: String?

    func run() async throws {
        if let email {
            try await Application.with(try common.configuration()) { application in
                let scope = try await application.scope(email: email)
                let pipe = application.memoryPipe(for: scope)
                try await LinePipe.run(common.terminal) { await pipe.answer($0) }
            }
        } else {
            let pipe = try await Pipes.throwAwayMemory()
            try await LinePipe.run(common.terminal) { await pipe.answer($0) }
        }
    }
}
