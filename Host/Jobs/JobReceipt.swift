import Synchronization

/// Whether a job was ended by its own transaction.
final class JobReceipt: Sendable {
    private let flag = Atomic(false)

    var isComplete: Bool { flag.load(ordering: .acquiring) }

    func complete() { flag.store(true, ordering: .releasing) }
}
