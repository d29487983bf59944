import TandemAccounts
import TandemCore
import TandemSMS

/// Who texts: the account that verified the number.
struct VerifiedNumbers: SenderDirectory {
    let accounts: Accounts

    func identify(phone: String) async throws -> UserScope? { try await accounts.identify(phone: phone) }
}
