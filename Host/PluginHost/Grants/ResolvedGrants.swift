import Synchronization
public import TandemCore

/// What one person granted one plugin, worked out from the record and from what the plugin asks now.
struct PluginAccess: Sendable, Hashable {
    var level: GrantLevel
    /// What it asks for and was not granted yet; it goes on without.
    var withheld: Set<ReachItem> = []
    /// Tools that wait for the person: new ones, and those that ask for more than before.
    var offered: Set<String> = []
    var tools: [String: ToolGrant] = [:]

    func access(to tool: ToolDefinition) -> ToolAccess {
        if !(tools.isEmpty && offered.isEmpty) {
            let own = tools[tool.id]
            if own == .off { return .off }
            if offered.contains(tool.id) { return .offered }
            if tool.effect != .read, let own { return own == .confirm ? .confirm : .allowed }
        }
        if tool.effect == .read { return .allowed }
        switch level {
        case .readOnly: return .readOnly
        case .confirm: return .confirm
        case .write: return .allowed
        }
    }
}

/// What one person may use of one set of plugins, worked out once.
final class ResolvedGrants: Sendable {
    let set: PluginSet
    let records: [String: GrantRecord]
    /// By index of the plugin in the set: nil is off.
    let access: [PluginAccess?]
    /// Read at, `CLOCK_MONOTONIC`.
    let readAt: UInt64
    /// The store's count before it was read.
    let changeCount: Int
    /// The permitted tools, in the order of the registry and the manifests; the same array for everybody with these
    /// grants.
    let tools: [ToolDefinition]
    /// The index of the first plugin that asks for more than was approved, and has not asked the person yet.
    let asking: Int?

    init(records: [String: GrantRecord], set: PluginSet, readAt: UInt64, changeCount: Int) {
        self.set = set
        self.records = records
        self.readAt = readAt
        self.changeCount = changeCount
        access = set.plugins.map { ResolvedGrants.access(to: $0, record: records[$0.id]) }
        tools = set.tools(at: access)
        asking = set.plugins.firstIndex { plugin in
            guard let record = records[plugin.id], record.state.level != nil, record.asked != plugin.reachHash,
                record.reach?.hash != plugin.reachHash
            else { return false }
            let isOffered = ResolvedGrants.state(of: plugin, record: record) != record.state
            return isOffered || !ResolvedGrants.drift(of: plugin, record: record).isEmpty
        }
    }

    /// By index of the plugin: how far it is on; nil is off.
    func level(_ index: Int) -> GrantLevel? { access[index]?.level }

    /// Nil when the plugin is off for the person.
    static func access(to plugin: LoadedPlugin, record: GrantRecord?) -> PluginAccess? {
        guard case .enabled(let level) = state(of: plugin, record: record) else { return nil }
        guard let record else { return PluginAccess(level: level) }
        let drift = drift(of: plugin, record: record)
        return PluginAccess(
            level: level, withheld: drift.items, offered: Set(drift.tools.keys), tools: record.tools)
    }

    /// What the plugin asks beyond what the person approved. Nothing for a person who has not decided.
    static func drift(of plugin: LoadedPlugin, record: GrantRecord?) -> ReachDrift {
        guard let reach = record?.reach, reach.hash != plugin.reachHash else { return ReachDrift() }
        return ReachDrift(from: reach.value, to: plugin.reach)
    }

    /// The state as it is now: a plugin that asks for something else than what was approved, and cannot do without, is
    /// offered again.
    static func state(of plugin: LoadedPlugin, record: GrantRecord?) -> GrantState {
        guard let record else {
            switch plugin.entry.defaultState {
            case .unavailable: return .unavailable
            case .offered: return .offered
            case .enabled: return .enabled(.write)
            }
        }
        guard record.state.level != nil || record.state == .connected else { return record.state }
        // Records of a time when only a hash was kept: it is all or nothing.
        let isApproved =
            record.reach == nil
            ? record.approval == plugin.approval : !drift(of: plugin, record: record).concernsAll
        guard !isApproved else { return record.state }
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
    private let changes = Atomic<Int>(0)

    public init() {}

    public var changeCount: Int { changes.load(ordering: .acquiring) }

    public func grants(of scope: UserScope) async throws -> [GrantRecord] {
        records.withLock { Array(($0[scope.user] ?? [:]).values) }
    }

    public func save(_ record: GrantRecord, for scope: UserScope, origin: WriteOrigin?) async throws {
        records.withLock { $0[scope.user, default: [:]][record.plugin] = record }
        changes.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }
}
