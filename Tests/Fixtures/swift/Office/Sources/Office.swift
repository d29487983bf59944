public import TandemSDK

/// A plugin that uses a person's account elsewhere, for tests of connections.
public struct Office: Plugin {
    public static let definition = PluginDefinition(
        id: "test.office", namespace: "office", name: "Office", version: "1.0.0", summary: "Reads your mail.",
        tools: [Inbox.self, Mark.self], hosts: [.init("graph.microsoft.com", reason: "to read your mail")],
        accounts: [
            .init(
                "mail", provider: "microsoft", reason: "to keep an eye on your mail",
                scopes: [
                    .init("Mail.Read", reason: "to show you what came in"),
                    .init("Mail.ReadWrite", isForWriting: true, reason: "to mark what you have read"),
                ])
        ])
}

struct Inbox: Tool {
    static let declaration = ToolDeclaration(
        "office.inbox", "Show the inbox", effect: .read, "Shows the newest messages of the person's mailbox.",
        utterances: ["show my inbox", "check my mail"])

    func run(_ context: Context) async throws -> Reply<Int> {
        let answer = try await context.http.send(
            HTTPRequest(.get, "https://graph.microsoft.com/v1.0/me", grant: "mail"))
        return Reply("Your inbox is empty.", value: answer.status)
    }
}

struct Mark: Tool {
    static let declaration = ToolDeclaration(
        "office.mark", "Mark all as read", effect: .write, "Marks every message as read.", undo: .none,
        utterances: ["mark my mail as read"])

    func run(_ context: Context) async throws -> Reply<Int> {
        let answer = try await context.http.send(
            HTTPRequest(.post, "https://graph.microsoft.com/v1.0/me", grant: "mail"))
        return Reply("All of it is read.", value: answer.status)
    }
}
