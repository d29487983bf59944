import Synchronization
import TandemAccounts
import TandemCore
import TandemSMS
import TandemStorage

/// The accounts' texts by way of the SMS outbox, which is made after them.
final class OutboxTexts: TextSender {
    private let outbox = Mutex<SMSOutbox?>(nil)

    func set(_ outbox: SMSOutbox) { self.outbox.withLock { $0 = outbox } }

    func send(_ text: String, to number: PhoneNumber, of scope: UserScope, in transaction: any WriteTransaction) throws
    {
        try outbox.withLock { $0 }?.enqueue(notice: text, to: number, of: scope, in: transaction)
    }
}
