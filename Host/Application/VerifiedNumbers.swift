import TandemAccounts
import TandemCore
import TandemSMS
import TandemStorage

/// Who texts: the account that verified the number.
struct VerifiedNumbers: SenderDirectory {
    let accounts: Accounts

    func identify(phone: String) async throws -> UserScope? { try await accounts.identify(phone: phone) }

    func recognise(phone: String) async throws -> PhoneRecognition { try await accounts.recognise(phone: phone) }

    /// Without a mail server nobody could finish signing up: no link then.
    func invite(_ number: PhoneNumber, in transaction: any WriteTransaction) throws -> Secret? {
        guard accounts.services.mailer != nil else { return nil }
        return try accounts.invite(number, in: transaction)
    }

    func mayReceive(
        _ number: PhoneNumber, of scope: UserScope, in transaction: any ReadTransaction
    ) throws -> Bool { try accounts.mayReceive(number, of: scope, in: transaction) }

    func noteUndeliverable(_ number: PhoneNumber, errorCode: Int) async throws {
        try await accounts.noteUndeliverable(number, errorCode: errorCode)
    }

    func noteUndeliverable(
        _ number: PhoneNumber, errorCode: Int, of scope: UserScope, in transaction: any WriteTransaction
    ) throws -> Bool { try accounts.noteUndeliverable(number, errorCode: errorCode, of: scope, in: transaction) }

    func noteRecognised(turn: RecordID, in transaction: any WriteTransaction) throws {
        try accounts.logIdentification(
            channel: "sms", method: "phone", outcome: "recognised", externalID: turn.description, in: transaction)
    }

    func noteOptOut(_ number: PhoneNumber, _ isOptedOut: Bool, in transaction: any WriteTransaction) throws {
        try accounts.setOptOut(number, isOptedOut, in: transaction)
    }
}
