import Synchronization
import TandemCore
import TandemJSON

/// A tool of a loaded plugin with everything that a call needs, made once.
final class CallableTool: @unchecked Sendable {
    // The buffer is written in init only and freed in deinit.
    let definition: ToolDefinition
    let parameters: JSONSchema
    /// Nil when every value is a result.
    let result: JSONSchema?
    /// The id in UTF-8.
    let idBytes: UnsafeMutableBufferPointer<UInt8>
    /// Calls in a row that returned quickly. From `directThreshold` on, calls are made on the caller's thread.
    private let quickReturns = Atomic<Int>(0)

    /// Answers in a row that came while a caller could wait for them.
    private let quickAnswers = Atomic<Int>(0)

    /// A plugin earns the direct way; until then, and after each overrun, its calls are made on worker threads.
    static let directThreshold = 16

    init(_ definition: ToolDefinition) throws(JSONSchemaError) {
        self.definition = definition
        parameters = try JSONSchema(compiling: definition.parameters)
        result = definition.result == .bool(true) ? nil : try JSONSchema(compiling: definition.result)
        let id = Array(definition.id.utf8)
        idBytes = .allocate(capacity: id.count)
        _ = idBytes.initialize(from: id)
    }

    deinit { idBytes.deallocate() }

    var isDirect: Bool { quickReturns.load(ordering: .relaxed) >= CallableTool.directThreshold }

    /// Answers come so soon that waiting for one costs less than being woken by it.
    var answersQuickly: Bool { quickAnswers.load(ordering: .relaxed) >= CallableTool.directThreshold }

    func noteAnswer(afterNanoseconds duration: UInt64) {
        // By the loop it takes longer than by oneself.
        if duration > 2 * RunnerProcess.ownNanoseconds {
            if quickAnswers.load(ordering: .relaxed) > 0 { quickAnswers.store(0, ordering: .relaxed) }
        } else if !answersQuickly {
            quickAnswers.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Quick is a return within a fifth of the budget.
    func noteReturn(afterNanoseconds duration: UInt64) {
        if duration > Watchdog.budgetNanoseconds {
            quickReturns.store(0, ordering: .relaxed)
        } else if duration <= Watchdog.budgetNanoseconds / 5 {
            if !isDirect { quickReturns.wrappingAdd(1, ordering: .relaxed) }
        }
    }
}

/// How long plugin functions may take that are to return at once.
enum Watchdog {
    /// 5 ms for `invoke`.
    static let budgetNanoseconds: UInt64 = 5_000_000
    /// On a busy machine any function may be held up: one that used less of the processor than its budget is blamed in
    /// the log only from here on.
    static let blameNanoseconds: UInt64 = 250_000_000
    /// 1 s for `activate`.
    static let activationNanoseconds: UInt64 = 1_000_000_000
}
