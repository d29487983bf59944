import ArgumentParser
import TandemAgent
import TandemApplication
import TandemCore
import TandemJSON

struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Talk to the assistant.",
        discussion: """
            On a terminal it is a conversation (Ctrl-D ends it); in a pipe each line is a message. An
            answer may take several lines; with --json it is always one.

            Examples:
              tandem chat --as demo@tandem.local
              tandem chat --as demo@tandem.local --say "add milk to my list" --say "what's on my list?"
              tandem chat --as demo@tandem.local --say "what's on my list?" --json
            """)

    @Option(name: .customLong("as"), help: ArgumentHelp("Whose assistant: the account's e-mail.", valueName: "email"))
    var email: String

    @Option(name: .long, help: ArgumentHelp("Say this and print the answer; may be repeated.", valueName: "text"))
    var say: [String] = []

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Application.with(try common.configuration()) { application in
            let scope = try await application.scope(email: email)
            let chat = Chat(application: application, scope: scope, terminal: common.terminal)
            if say.isEmpty { try await chat.converse() } else { try await chat.say(say) }
        }
    }
}

/// A conversation on the command line.
struct Chat {
    let application: Application
    let scope: UserScope
    let terminal: Terminal

    func say(_ messages: [String]) async throws {
        for message in messages { try await show(application.agent.converse(message, channel: "cli", scope: scope)) }
    }

    func converse() async throws {
        let source = LineSource(prompt: "you> ", interactive: terminal.isJSON ? false : nil)
        if source.isInteractive {
            terminal.line(terminal.styled("Text me anything. ? shows what I can do, Ctrl-D ends.", .dim))
        }
        while let line = await source.next() {
            // In a conversation an empty line is a slip, not a message.
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            try await show(application.agent.converse(line, channel: "cli", scope: scope))
        }
        if source.isInteractive { terminal.line() }
    }

    private func show(_ answer: Answer) {
        terminal.isJSON ? terminal.json(answer.json) : terminal.line(terminal.styled(answer.text, .cyan))
    }
}
