import TandemAccounts
import TandemCore
import TandemSMS
import TandemStorage

/// Who texts: the account that verified the number.
struct VerifiedNumbers: SenderDirectory {
    let accounts: Accounts

    func identify(phone: String) async throws -> UserScope? { try await accounts.identify(phone: phone) }

    func noteOptOut(_ number: PhoneNumber, _ isOptedOut: Bool, in transaction: any WriteTransaction) throws {
        try accounts.setOptOut(number, isOptedOut, in: transaction)
    }
}
