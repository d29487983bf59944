import Synchronization

/// One body on its way through an engine's thread, and the task that waits for it.
class WorkUnit<Transaction>: @unchecked Sendable {
    // Subclasses' fields are set before the unit is submitted and then used by the one thread that runs it.
    let scope: AccessScope
    private let cancellation: CancellationFlag

    init(scope: AccessScope, cancellation: CancellationFlag) {
        self.scope = scope
        self.cancellation = cancellation
    }

    var isCancelled: Bool { cancellation.isSet }

    /// Runs the body and keeps its value.
    func run(_ transaction: Transaction) throws {}

    /// One statement whose answer gives the unit's value without the body; nil: there is none.
    var single: SingleStatement? { nil }

    /// Makes the value of the answer to `single`. Throws where only the body can tell.
    func take(_ answer: SQLAnswer) throws {}

    /// Gives the value to the waiting task.
    func succeed() {}

    func fail(_ error: any Error) {}
}

final class TypedWorkUnit<Transaction, Value: Sendable>: WorkUnit<Transaction>, @unchecked Sendable {
    // See WorkUnit.
    private let body: @Sendable (Transaction) throws -> Value
    private let continuation: CheckedContinuation<Value, any Error>
    private let shortcut: Shortcut<Value>?
    private var value: Value?

    init(
        scope: AccessScope, cancellation: CancellationFlag, continuation: CheckedContinuation<Value, any Error>,
        shortcut: Shortcut<Value>?, body: @escaping @Sendable (Transaction) throws -> Value
    ) {
        self.body = body
        self.continuation = continuation
        self.shortcut = shortcut
        super.init(scope: scope, cancellation: cancellation)
    }

    override func run(_ transaction: Transaction) throws { value = try body(transaction) }

    override var single: SingleStatement? { shortcut?.statement }

    override func take(_ answer: SQLAnswer) throws { value = try shortcut?.value(answer) }

    override func succeed() {
        if let value {
            continuation.resume(returning: value)
        } else {
            continuation.resume(throwing: StorageError(.internalFailure, "the transaction gave no value"))
        }
    }

    override func fail(_ error: any Error) { continuation.resume(throwing: error) }
}

/// A statement of the row functions that reads, with its values.
struct SingleStatement: Sendable {
    let statement: RowStatement
    let binds: [SQLValue]
}

/// What a body comes to when it runs one statement only: an engine may run that without a transaction around it.
struct Shortcut<Value: Sendable>: Sendable {
    let statement: SingleStatement
    /// Throws where only the body can tell.
    let value: @Sendable (SQLAnswer) throws -> Value
}

/// A single statement does not suffice: the unit's body is to run, in a transaction.
struct NeedsTransaction: Error {}

/// Set when the waiting task is cancelled.
final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }
}

extension WorkUnit {
    /// Submits a unit that runs `body`, and waits for its value; a task that is cancelled before it begins does not run.
    static func run<Value: Sendable>(
        _ scope: AccessScope, shortcut: Shortcut<Value>? = nil,
        _ body: @escaping @Sendable (Transaction) throws -> Value,
        submit: (WorkUnit<Transaction>) -> Void
    ) async throws -> Value {
        try Task.checkCancellation()
        let cancellation = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                submit(
                    TypedWorkUnit(
                        scope: scope, cancellation: cancellation, continuation: continuation, shortcut: shortcut,
                        body: body))
            }
        } onCancel: {
            cancellation.set()
        }
    }
}
