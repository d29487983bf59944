import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// A copy of everything, and the end of the account, by text.
///
/// A number can be borrowed or faked, so a text alone gives and ends nothing: the answer is a link that works once, for half
/// an hour, for somebody who signs in there as this very person. Only the owner's own words cause it.
struct AccountTools: Toolbox {
    let accounts: Accounts

    private static let result = Shape.result(
        ["request": Shape.string, "expires_at": Shape.string], required: ["request", "expires_at"])

    static let definitions: [ToolDefinition] = [
        ToolDefinition(
            id: "account.export", title: "Get a copy of everything",
            description: "Gives a link where the person, signed in, downloads everything that is kept of them.",
            parameters: Shape.object([:]), result: result, effect: .write, isOwnersAlone: true),
        ToolDefinition(
            id: "account.erase", title: "Erase the account",
            description: "Gives a link where the person, signed in, erases the account and all of its data.",
            parameters: Shape.object([:]), result: result, effect: .write, isOwnersAlone: true),
    ]

    func run(_ request: ToolRequest) async throws -> ToolOutcome {
        switch request.call.tool {
        case "account.export":
            return try await link(.export, request) {
                "Sign in there within \($0) minutes to download everything I keep for you. It works once."
            }
        case "account.erase":
            return try await link(.erasure, request) {
                "Nothing is erased yet. To erase your account for good, sign in there within \($0) minutes."
            }
        default: throw ToolFailure(status: -2, code: "unknown_tool", message: "I do not know how to do that.")
        }
    }

    private func link(
        _ what: DataRequest, _ request: ToolRequest, _ words: (Int64) -> String
    ) async throws -> ToolOutcome {
        do {
            let link = try await accounts.makeDataLink(for: what, of: request.scope)
            let minutes = max(link.expiresAt.since(request.time.now).milliseconds / 60_000, 1)
            return .value(
                ["request": .string(what.rawValue), "expires_at": .timestamp(link.expiresAt)],
                words(minutes) + "\n" + link.address)
        } catch let error as AccountsError {
            throw ToolFailure(
                status: error.retryAfter == nil ? -3 : -21, code: error.code.rawValue, message: error.message,
                isRetryable: error.retryAfter != nil)
        }
    }
}
