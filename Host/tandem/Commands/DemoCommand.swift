import ArgumentParser
import Glibc
import TandemApplication

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Set up a demo account and chat with it: what `make run` starts.",
        discussion: """
            Makes the data folder, the key file and the tables where they are missing, and the account
            demo@tandem.local with grocery, recipes and expenses switched on. Not on a terminal it plays a short day.
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
                try await chat.converse()
            } else {
                try await play(chat)
            }
        }
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
