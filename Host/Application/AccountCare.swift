import Logging
import TandemAPI
import TandemAccounts
import TandemStorage

/// What the accounts need done now and then: mails that were not taken the first time, and rows that are over.
struct AccountCare: Sendable {
    private static let mailEvery: Duration = .seconds(15)
    /// In rounds of mail: an hour.
    private static let pruneEvery = 240

    let accounts: Accounts
    let requests: IdempotencyStore
    let logger: Logger

    /// Until the task is cancelled.
    func run() async {
        var round = 0
        while !Task.isCancelled {
            await accounts.deliverMail()
            if round % AccountCare.pruneEvery == 0 {
                do {
                    try await accounts.prune()
                    try await requests.prune()
                } catch is CancellationError {
                    return
                } catch {
                    // Nothing relies on it; the next round tries again.
                    logger.warning("old rows of the accounts could not be removed", error: error)
                }
            }
            round += 1
            try? await Task.sleep(for: AccountCare.mailEvery)
        }
    }
}

extension Application {
    var accountCare: AccountCare {
        AccountCare(accounts: accounts, requests: IdempotencyStore(database: database), logger: logger)
    }
}
