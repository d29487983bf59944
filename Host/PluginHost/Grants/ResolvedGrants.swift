import Synchronization
public import TandemCore

/// What one person may use of one set of plugins, worked out once.
final class ResolvedGrants: Sendable {
    let set: PluginSet
    let records: [String: GrantRecord]
    /// By index of the plugin in the set: nil is off.
    let levels: [GrantLevel?]
    /// Read at, `CLOCK_MONOTONIC`.
    let readAt: UInt64
    /// The permitted tools, in the order of the registry and the manifests; the same array for everybody with these
    /// levels.
    let tools: [ToolDefinition]

    init(records: [String: GrantRecord], set: PluginSet, readAt: UInt64) {
        self.set = set
        self.records = records
        self.readAt = readAt
        levels = set.plugins.map { plugin in
            if case .enabled(let level) = ResolvedGrants.state(of: plugin, record: records[plugin.id]) {
                return level
            }
            return nil
        }
        tools = set.tools(at: levels)
    }

    /// The state as it is now: a manifest that asks for something else than what was approved is offered again.
    static func state(of plugin: LoadedPlugin, record: GrantRecord?) -> GrantState {
        guard let record else {
            switch plugin.entry.defaultState {
            case .unavailable: return .unavailable
            case .offered: return .offered
            case .enabled: return .enabled(.write)
            }
        }
        guard record.state.level != nil || record.state == .connected, record.approval != plugin.approval else {
            return record.state
        }
        var machine = GrantMachine(record.state)
        do {
            try machine.apply(.manifestChanged)
        } catch {
            return .offered
        }
        return machine.state
    }
}

/// The grants of people who were here lately.
///
/// A version tells a reading that began before a change from one that began after it: the former is not kept.
final class GrantCache: Sendable {
    private struct State {
        var people: [UserID: ResolvedGrants] = [:]
        /// The latest reading of each, kept when it is out of date.
        var known: [UserID: ResolvedGrants] = [:]
        var changes: [UserID: UInt64] = [:]
        /// Counts changes of everybody, once `changes` has been cut.
        var epoch: UInt64 = 0
    }

    private let state = Mutex(State())
    private static let limit = 10_000

    func grants(of scope: UserScope) -> ResolvedGrants? { state.withLock { $0.people[scope.user] } }

    /// The latest reading, which may be of an earlier set or moment: for answers that only advise.
    func lastKnown(of scope: UserScope) -> ResolvedGrants? { state.withLock { $0.known[scope.user] } }

    func version(of scope: UserScope) -> UInt64 { state.withLock { $0.epoch &+ ($0.changes[scope.user] ?? 0) } }

    func store(_ grants: ResolvedGrants, for scope: UserScope, ifVersion version: UInt64) {
        state.withLock { state in
            if state.known.count >= Self.limit, state.known[scope.user] == nil {
                state.known.removeAll(keepingCapacity: true)
            }
            state.known[scope.user] = grants
            guard state.epoch &+ (state.changes[scope.user] ?? 0) == version else { return }
            if state.people.count >= Self.limit, state.people[scope.user] == nil {
                state.people.removeAll(keepingCapacity: true)
            }
            state.people[scope.user] = grants
        }
    }

    func forget(_ scope: UserScope) {
        state.withLock { state in
            state.people[scope.user] = nil
            state.changes[scope.user, default: 0] += 1
            guard state.changes.count > Self.limit else { return }
            state.epoch += 1 + (state.changes.values.max() ?? 0)
            state.changes.removeAll(keepingCapacity: true)
        }
    }
}

/// Grants that last as long as the program.
public final class MemoryGrantStore: GrantStore {
    private let records = Mutex<[UserID: [String: GrantRecord]]>([:])

    public init() {}

    public func grants(of scope: UserScope) async throws -> [GrantRecord] {
        records.withLock { Array(($0[scope.user] ?? [:]).values) }
    }

    public func save(_ record: GrantRecord, for scope: UserScope) async throws {
        records.withLock { $0[scope.user, default: [:]][record.plugin] = record }
    }
}
