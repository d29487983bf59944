import Synchronization
import TandemCore

/// The calls in flight in this process, by id.
///
/// An id is a slot and the slot's generation: it is unique in the life of the process, and an old one is recognised
/// however late it comes. Slots are reused oldest first, so that a second completion is told from a stale one for long.
final class CallTable: Sendable {
    /// What is known of an id.
    enum Lookup {
        case inFlight(PendingCall)
        /// Completed before by this instance, and the slot has not been used since.
        case completed(by: ObjectIdentifier)
        /// Given up, unknown or long over.
        case stale
    }

    private struct Slot {
        var generation: UInt32 = 1
        var call: PendingCall?
        /// The generation whose call was completed by its plugin last, and the instance.
        var completed: UInt32 = 0
        var completedBy: ObjectIdentifier?
        var nextFree: Int32 = -1
    }

    private struct State {
        var slots: [Slot] = []
        var firstFree: Int32 = -1
        var lastFree: Int32 = -1
    }

    static let shared = CallTable(limit: 65_536)

    /// Slots that exist before old ones are used again.
    private static let reserve = 64

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Nil when as many calls are in flight as the process takes.
    func register(_ make: (UInt64) -> PendingCall) -> PendingCall? {
        state.withLock { state in
            let index: Int
            if state.firstFree >= 0, state.slots.count >= min(CallTable.reserve, limit) {
                index = Int(state.firstFree)
                state.firstFree = state.slots[index].nextFree
                if state.firstFree < 0 { state.lastFree = -1 }
            } else {
                guard state.slots.count < limit else { return nil }
                index = state.slots.count
                state.slots.append(Slot())
            }
            let call = make(UInt64(state.slots[index].generation) << 32 | UInt64(index + 1))
            state.slots[index].call = call
            return call
        }
    }

    func lookup(_ id: UInt64) -> Lookup {
        state.withLock { state in
            guard let index = Self.index(of: id), index < state.slots.count else { return .stale }
            let generation = UInt32(id >> 32)
            if state.slots[index].generation == generation, let call = state.slots[index].call {
                return .inFlight(call)
            }
            guard generation != 0, state.slots[index].completed == generation,
                let instance = state.slots[index].completedBy
            else { return .stale }
            return .completed(by: instance)
        }
    }

    /// Whether the host still knows the call; it may have an outcome already.
    func isInFlight(_ id: UInt64) -> Bool {
        if case .inFlight = lookup(id) { true } else { false }
    }

    /// The calls in flight of some instances, found one by one: for the rare end of a runner.
    func calls(of instances: Set<ObjectIdentifier>) -> [PendingCall] {
        guard !instances.isEmpty else { return [] }
        return state.withLock { state in
            state.slots.compactMap { slot in
                slot.call.flatMap { instances.contains(ObjectIdentifier($0.instance)) ? $0 : nil }
            }
        }
    }

    /// A person's calls in flight on a plugin, found one by one: for a change of grants, which is rare.
    func calls(of plugin: LoadedPlugin, for scope: UserScope) -> [PendingCall] {
        state.withLock { state in
            state.slots.compactMap { slot in
                slot.call.flatMap { $0.instance.plugin === plugin && $0.scope == scope ? $0 : nil }
            }
        }
    }

    /// Forgets a call, once.
    func release(_ id: UInt64, wasCompleted: Bool) {
        state.withLock { state in
            guard let index = Self.index(of: id), index < state.slots.count, state.slots[index].call != nil,
                state.slots[index].generation == UInt32(id >> 32)
            else { return }
            if wasCompleted {
                state.slots[index].completed = state.slots[index].generation
                state.slots[index].completedBy = state.slots[index].call.map { ObjectIdentifier($0.instance) }
            }
            state.slots[index].call = nil
            state.slots[index].generation =
                state.slots[index].generation == .max ? 1 : state.slots[index].generation + 1
            state.slots[index].nextFree = -1
            if state.lastFree >= 0 {
                state.slots[Int(state.lastFree)].nextFree = Int32(index)
            } else {
                state.firstFree = Int32(index)
            }
            state.lastFree = Int32(index)
        }
    }

    private static func index(of id: UInt64) -> Int? {
        let low = Int(id & 0xFFFF_FFFF)
        return low > 0 ? low - 1 : nil
    }
}
