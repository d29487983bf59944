import Synchronization
public import TandemCore

/// Keeps compiled planners by set of tools: most people have one of a few sets. Safe from any thread.
public final class PlannerCache: Sendable {
    private struct Entry {
        var tools: [ToolDefinition]
        var planner: EmbeddedPlanner
        var used: UInt64
    }

    private struct State {
        var entries: [Entry] = []
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: sets kept; the one unused for longest goes first.
    public init(capacity: Int = 64) { self.capacity = max(1, capacity) }

    /// The planner for exactly these tools in this order; compiled on first use, outside the lock.
    public func planner(for tools: [ToolDefinition]) -> EmbeddedPlanner {
        if let found = find(tools) { return found }
        let planner = EmbeddedPlanner(tools: tools)
        state.withLock { state in
            state.clock += 1
            guard !state.entries.contains(where: { PlannerCache.same($0.tools, tools) }) else { return }
            if state.entries.count >= capacity,
                let oldest = state.entries.indices.min(by: { state.entries[$0].used < state.entries[$1].used })
            {
                state.entries.remove(at: oldest)
            }
            state.entries.append(Entry(tools: tools, planner: planner, used: state.clock))
        }
        return planner
    }

    private func find(_ tools: [ToolDefinition]) -> EmbeddedPlanner? {
        state.withLock { state in
            state.clock += 1
            guard let index = state.entries.firstIndex(where: { PlannerCache.same($0.tools, tools) }) else {
                return nil
            }
            state.entries[index].used = state.clock
            return state.entries[index].planner
        }
    }

    /// Storage shared between the arrays makes the comparison cheap; otherwise ids first, since sets mostly differ there.
    private static func same(_ left: [ToolDefinition], _ right: [ToolDefinition]) -> Bool {
        guard left.count == right.count else { return false }
        let isShared = left.withUnsafeBufferPointer { a in
            right.withUnsafeBufferPointer { b in a.baseAddress == b.baseAddress }
        }
        if isShared { return true }
        for index in left.indices where left[index].id != right[index].id { return false }
        return left == right
    }
}
