import ArgumentParser
import Glibc
import TandemAccounts
import TandemApplication
import TandemCore
import TandemOAuth

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Set up a demo account and chat with it: what `make run` starts.",
        discussion: """
            Makes the data folder, the key file and the tables where they are missing, and the account
            demo@tandem.local with grocery, recipes and expenses switched on. Not on a terminal it plays a short day.

            Where services are set up (docs/oauth.md), it serves the pages for connecting them at TANDEM_LISTEN while it
            runs, and says how to sign in there. `make simulators` in another terminal simulates all of them.
            """)

    @Flag(name: .long, help: "Play the short day even on a terminal.")
    var script = false

    @OptionGroup var common: CommonOptions

    static let email = "demo@tandem.local"

    func run() async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            let scope = try await application.demoAccount(email: DemoCommand.email)
            let chat = Chat(application: application, scope: scope, terminal: terminal)
            if !script, isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, !terminal.isJSON {
                terminal.line(terminal.styled("Tandem", .bold) + " - demo account \(DemoCommand.email)")
                terminal.line(
                    terminal.styled("Try: add milk and eggs to my list | I bought the milk for 3.20 | undo", .dim))
                if try await application.connections.connections(of: scope).isEmpty {
                    try await chat.converse()
                } else {
                    try await application.servingPages { isListening in
                        try await introduceServices(application, scope, terminal, isListening: isListening)
                        try await chat.converse()
                    }
                }
            } else {
                try await play(chat)
            }
        }
    }

    /// Says how to connect accounts elsewhere, with a password that is good until the next demo.
    private func introduceServices(
        _ application: Application, _ scope: UserScope, _ terminal: Terminal, isListening: Bool
    ) async throws {
        let address = application.configuration.listen
        guard isListening else {
            terminal.line(
                terminal.styled(
                    "Nothing can be connected: something else listens at \(address). Set TANDEM_LISTEN, and "
                        + "TANDEM_PUBLIC_URL to the same.", .yellow))
            return
        }
        // Without letters and digits that look alike.
        let letters = Array("abcdefghjkmnpqrstuvwxyz23456789")
        let groups = (0..<4).map { _ in String((0..<4).map { _ in letters.randomElement() ?? "a" }) }
        let password = groups.joined(separator: "-")
        try await application.accounts.setPassword(password, of: scope)
        terminal.line(
            terminal.styled("Accounts elsewhere: turn on gmail | outlook | notion | youtube | duckduckgo", .dim))
        terminal.line("Sign in on their pages as \(DemoCommand.email) with the password \(password)")
    }

    /// A short day: what a person might text from morning to evening.
    private static let day = [
        "add 2 litres of milk, eggs and some bread to my grocery list",
        "what's on my list?",
        "I bought the milk for 3.20",
        "how much did I spend on groceries this month?",
        "undo",
        "save a recipe for pancakes for 4: 250 g flour, 3 eggs, 500 ml milk",
        "I want to make pancakes for 6, put what's missing on the list",
        "I need to renew my passport by the end of March",
        "break it down",
        "find the old passport",
        "what's next?",
        "remember that my locker code is 4417",
        "what is my locker code?",
    ]

    private func play(_ chat: Chat) async throws {
        for message in DemoCommand.day {
            if !chat.terminal.isJSON { chat.terminal.line(chat.terminal.styled("you> \(message)", .dim)) }
            try await chat.say([message])
        }
    }
}
