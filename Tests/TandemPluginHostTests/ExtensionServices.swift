import Synchronization
import TandemCore
import TandemJSON

@testable import TandemPluginHost

/// The services behind the extensions, in memory: what a test put in, and what plugins asked for.
final class MemoryServices: KeyValueStore, SecretStore, PluginTimers, PluginEvents, PluginMemories, PluginVersions,
    PluginSettings
{
    struct State: Sendable {
        var values: [PluginPlace: [String: StoredValue]] = [:]
        var lastVersion: UInt64 = 0
        var secrets: [PluginPlace: [String: [UInt8]]] = [:]
        var timers: [PluginPlace: [TimerPlan]] = [:]
        var events: [(PluginPlace, PluginEvent)] = []
        var recalls: [(query: String, kinds: Set<String>, limit: Int)] = []
        var proposals: [(kind: String, text: String)] = []
        var versions: [PluginPlace: String] = [:]
        var migrations: [(from: String, to: String, succeeded: Bool)] = []
        var person: [PluginPlace: JSONObject] = [:]
        var operators: [String: JSONObject] = [:]
        /// Awaited before a value is read.
        var gate: (@Sendable () async -> Void)?
    }

    let state = Mutex(State())

    func value(of key: String, in place: PluginPlace) async throws -> StoredValue? {
        if let gate = state.withLock({ $0.gate }) { await gate() }
        return state.withLock { $0.values[place]?[key] }
    }

    func set(
        _ bytes: [UInt8], for key: String, expected: UInt64?, lifetimeMilliseconds: UInt64, quota: PluginQuota,
        in place: PluginPlace
    ) async throws -> StoredValue {
        try state.withLock { state in
            let current = state.values[place]?[key]?.version ?? 0
            if let expected, expected != current { throw ServiceFailure(-9, version: current) }
            guard bytes.count <= quota.kvBytes else { throw ServiceFailure(-21) }
            state.lastVersion += 1
            let value = StoredValue(bytes: bytes, version: state.lastVersion, expiresAt: nil)
            state.values[place, default: [:]][key] = value
            return value
        }
    }

    func remove(_ key: String, expected: UInt64?, in place: PluginPlace) async throws {
        try state.withLock { state in
            guard state.values[place]?.removeValue(forKey: key) != nil else { throw ServiceFailure(-8) }
        }
    }

    func keys(
        prefix: String, after: String, limit: Int, in place: PluginPlace
    ) async throws -> (keys: [StoredKey], hasMore: Bool) {
        state.withLock { state in
            let keys = (state.values[place] ?? [:]).filter { $0.key.hasPrefix(prefix) && $0.key > after }
                .sorted { $0.key < $1.key }
                .map {
                    StoredKey(key: $0.key, version: $0.value.version, byteCount: $0.value.bytes.count, expiresAt: nil)
                }
            return (Array(keys.prefix(limit)), keys.count > limit)
        }
    }

    func usage(in place: PluginPlace) async throws -> (entries: Int, bytes: Int) {
        state.withLock { ($0.values[place]?.count ?? 0, 0) }
    }

    func value(of secret: DeclaredSecret, in place: PluginPlace) async throws -> [UInt8]? {
        state.withLock { $0.secrets[place]?[secret.name] }
    }

    func entered(_ secrets: [DeclaredSecret], in place: PluginPlace) async throws -> Set<String> {
        state.withLock { Set(($0.secrets[place] ?? [:]).keys) }
    }

    func set(_ plan: TimerPlan, limit: Int, in place: PluginPlace) async throws {
        state.withLock { $0.timers[place, default: []].append(plan) }
    }

    func cancel(_ name: String, in place: PluginPlace) async throws {
        try state.withLock { state in
            let count = state.timers[place]?.count ?? 0
            state.timers[place]?.removeAll { $0.name == name }
            guard (state.timers[place]?.count ?? 0) < count else { throw ServiceFailure(-8) }
        }
    }

    func timers(in place: PluginPlace) async throws -> [TimerPlan] { state.withLock { $0.timers[place] ?? [] } }

    func publish(_ event: PluginEvent, in place: PluginPlace) async throws -> RecordID {
        state.withLock { state in
            state.events.append((place, event))
            return RecordID(rawValue: Int64(state.events.count))
        }
    }

    func recall(_ query: String, kinds: Set<String>, limit: Int, in place: PluginPlace) async throws -> [SharedMemory] {
        state.withLock { state in
            state.recalls.append((query, kinds, limit))
            return [
                SharedMemory(
                    id: RecordID(rawValue: 5), kind: "preference", text: "no nuts",
                    since: Timestamp(millisecondsSinceEpoch: 0))
            ]
        }
    }

    func propose(
        _ text: String, kind: String, in place: PluginPlace
    ) async throws -> (id: RecordID?, state: ProposalState) {
        state.withLock { state in
            state.proposals.append((kind, text))
            return text == "known" ? (nil, .known) : (RecordID(rawValue: 81), .waiting)
        }
    }

    func begin(_ version: String, in place: PluginPlace) async throws -> VersionStep {
        state.withLock { state in
            guard let known = state.versions[place], known != version else {
                state.versions[place] = version
                return .none
            }
            return .migrate(
                from: known, config: state.person[place] ?? [:],
                origin: WriteOrigin(turn: RecordID(rawValue: 99), step: 0))
        }
    }

    func succeed(_ version: String, config: JSONObject?, in place: PluginPlace) async throws {
        state.withLock { state in
            state.migrations.append((state.versions[place] ?? "", version, true))
            state.versions[place] = version
            if let config { state.person[place] = config }
        }
    }

    func fail(_ version: String, in place: PluginPlace) async throws {
        state.withLock { $0.migrations.append(($0.versions[place] ?? "", version, false)) }
    }

    func operatorValues(plugin: String) -> JSONObject { state.withLock { $0.operators[plugin] ?? [:] } }

    func personValues(plugin: String, in scope: UserScope) async throws -> JSONObject {
        state.withLock { $0.person[PluginPlace(plugin: plugin, scope: scope)] ?? [:] }
    }

    func save(_ values: JSONObject, plugin: String, in scope: UserScope?) async throws {
        state.withLock { state in
            if let scope {
                state.person[PluginPlace(plugin: plugin, scope: scope)] = values
            } else {
                state.operators[plugin] = values
            }
        }
    }
}
