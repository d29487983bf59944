import Synchronization

/// Where a plugin's code is: in processes of its own, in this one, or not yet in this one.
///
/// A library for this process may be mapped when somebody needs it for the first time: what a plugin is called and what its
/// tools do is known from its manifest. Before anything else of the library is called, its checksum and what it says of
/// itself are compared, as at the start; a library that does not hold is put before the loader once more, which refuses
/// it.
final class PluginCode: Sendable {
    typealias Mapping = @Sendable () throws(PluginRefusal) -> PluginTable

    /// Nil for a library in this process.
    let link: RunnerLink?
    private let state: Mutex<State>
    private let mapped: Atomic<Bool>
    private let failed = Atomic<Bool>(false)

    private enum State: Sendable {
        case waiting(Mapping)
        case done(Result<PluginTable, PluginRefusal>)
    }

    init(_ table: PluginTable) {
        link = table.link
        state = Mutex(.done(.success(table)))
        mapped = Atomic(true)
    }

    /// - Parameter mapping: called once, on a thread that may block.
    init(atFirstUse mapping: @escaping Mapping) {
        link = nil
        state = Mutex(.waiting(mapping))
        mapped = Atomic(false)
    }

    /// The table, after mapping the library if nobody has yet. Blocks.
    var table: Result<PluginTable, PluginRefusal> {
        state.withLock { state in
            let mapping: Mapping
            switch state {
            case .done(let result): return result
            case .waiting(let waiting): mapping = waiting
            }
            let result: Result<PluginTable, PluginRefusal>
            do throws(PluginRefusal) {
                result = .success(try mapping())
                mapped.store(true, ordering: .relaxed)
            } catch {
                result = .failure(error)
                failed.store(true, ordering: .relaxed)
            }
            state = .done(result)
            return result
        }
    }

    /// Whether it is known to hold. True for code in processes of its own.
    var isMapped: Bool { mapped.load(ordering: .relaxed) }

    /// The library was needed and did not hold.
    var hasFailed: Bool { failed.load(ordering: .relaxed) }
}
