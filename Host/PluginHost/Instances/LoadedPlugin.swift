import CTandemPlugin
import Logging
import Synchronization
import TandemCore
import TandemJSON

/// A plugin whose code is mapped and whose declarations hold: what calls are made on.
final class LoadedPlugin: Sendable {
    let entry: RegistryEntry
    let manifest: PluginManifest
    let table: PluginTable
    let imageChecksum: String
    let manifestChecksum: String
    let bundlePath: String
    /// What a person approves (`GrantApproval`).
    let approval: String
    let tools: [CallableTool]
    /// The extensions that its instances get.
    let extensions: ExtensionSet
    /// The tools of others that it may call.
    let calls: Set<String>
    let quota: PluginQuota
    let warnings: [String]
    let services: HostServices
    let mediator: MediatorReference
    let availability: @Sendable (String, UserScope) -> Bool
    let logger: Logger
    let meters: PluginMeters
    let queue = WorkQueue()
    private let state = Mutex(State())
    private let configSchema: JSONSchema?

    private struct State {
        var instances: [UserID: Slot] = [:]
        var isRetired = false
        var lastFailure: String?
    }

    enum Slot {
        case ready(PluginInstance)
        case starting(OneShot<Result<PluginInstance, ToolFailure>>)
    }

    init(
        entry: RegistryEntry, bundle: Bundle, table: PluginTable, tools: [CallableTool], services: HostServices,
        mediator: MediatorReference, availability: @escaping @Sendable (String, UserScope) -> Bool,
        meters: PluginMeters, warnings: [String]
    ) {
        self.entry = entry
        manifest = bundle.manifest
        self.table = table
        imageChecksum = bundle.libraryChecksum
        manifestChecksum = bundle.manifestChecksum
        bundlePath = bundle.path
        approval = GrantApproval.hash(of: bundle.manifest)
        self.tools = tools
        let asked = bundle.manifest.extensions.union([TANDEM_EXT_LOG, TANDEM_EXT_CLOCK])
        let allowed = entry.ceiling.extensions.map {
            asked.intersection($0.union([TANDEM_EXT_LOG, TANDEM_EXT_CLOCK]))
        }
        var extensions = ExtensionSet(ids: allowed ?? asked)
        if bundle.manifest.tables.isEmpty { extensions.remove(.rows) }
        if bundle.manifest.config == nil { extensions.remove(.config) }
        let declared = Set(bundle.manifest.calls.map(\.tool))
        calls = entry.ceiling.calls.map { declared.intersection($0) } ?? declared
        if calls.isEmpty { extensions.remove(.tools) }
        self.extensions = extensions
        quota = (bundle.manifest.quota ?? .standard).limited(to: entry.ceiling.quota)
        self.warnings = warnings
        self.services = services
        self.mediator = mediator
        self.availability = availability
        self.meters = meters
        configSchema = bundle.manifest.config.flatMap { try? JSONSchema(compiling: $0) }
        var logger = services.logger
        logger[metadataKey: "plugin.id"] = "\(bundle.manifest.id)"
        logger[metadataKey: "plugin.version"] = "\(bundle.manifest.version)"
        self.logger = logger
    }

    var id: String { manifest.id }
    var name: String { manifest.name }

    var lastFailure: String? { state.withLock { $0.lastFailure } }
    var instanceCount: Int { state.withLock { $0.instances.count } }

    /// Logs misbehaviour the first, second, fourth, eighth … time.
    func report(_ message: Logger.Message, count: Int, _ metadata: Logger.Metadata = [:]) {
        guard count & (count - 1) == 0 else { return }
        var metadata = metadata
        metadata["count"] = "\(count)"
        logger.warning(message, metadata: metadata)
    }

    // MARK: Instances

    /// The person's instance when it exists and takes another call: counted in, `endCall` must follow.
    func readyInstance(for scope: UserScope, now: UInt64) -> PluginInstance? {
        let instance = state.withLock { state -> PluginInstance? in
            guard case .ready(let instance)? = state.instances[scope.user] else { return nil }
            return instance
        }
        guard let instance, instance.beginCall(now: now) else { return nil }
        return instance
    }

    /// The person's instance, made when there is none; waits until `deadline` at most. Counted in, like above.
    func instance(for scope: UserScope, deadline: UInt64) async -> Result<PluginInstance, ToolFailure> {
        // A full or closing instance is met again until the deadline.
        while true {
            let now = monotonicNanoseconds()
            guard now < deadline else { return .failure(CallFailure.deadline(name)) }
            if Task.isCancelled { return .failure(CallFailure.cancelled()) }
            let step = claimSlot(for: scope)
            switch step {
            case .retired: return .failure(CallFailure.notEnabled(name))
            case .ready(let instance):
                if instance.beginCall(now: now) { return .success(instance) }
                if instance.isClosing {
                    remove(instance)
                    continue
                }
                if await instance.waitForRoom(until: deadline) { continue }
                return .failure(Task.isCancelled ? CallFailure.cancelled() : CallFailure.busy(name))
            case .wait(let start):
                if let failure = await Self.failure(of: start, until: deadline, name: name) { return .failure(failure) }
            case .start(let start):
                await begin(start, for: scope)
                if let failure = await Self.failure(of: start, until: deadline, name: name) { return .failure(failure) }
            }
        }
    }

    private enum Step {
        case retired
        case ready(PluginInstance)
        case wait(OneShot<Result<PluginInstance, ToolFailure>>)
        case start(OneShot<Result<PluginInstance, ToolFailure>>)
    }

    private func claimSlot(for scope: UserScope) -> Step {
        state.withLock { state in
            if state.isRetired { return .retired }
            switch state.instances[scope.user] {
            case .ready(let instance): return .ready(instance)
            case .starting(let start): return .wait(start)
            case nil:
                let start = OneShot<Result<PluginInstance, ToolFailure>>()
                state.instances[scope.user] = .starting(start)
                return .start(start)
            }
        }
    }

    private static func failure(
        of start: OneShot<Result<PluginInstance, ToolFailure>>, until deadline: UInt64, name: String
    ) async -> ToolFailure? {
        let expiring = OneShot<Result<PluginInstance, ToolFailure>>()
        // The start outlives an impatient caller.
        DeadlineTimer.shared.schedule(at: deadline) { expiring.resolve(.failure(CallFailure.deadline(name))) }
        Task { expiring.resolve(await start.value()) }
        guard case .failure(let failure) = await expiring.value() else { return nil }
        return failure
    }

    private func begin(_ start: OneShot<Result<PluginInstance, ToolFailure>>, for scope: UserScope) async {
        let settings = await settings(for: scope)
        let instance = PluginInstance(of: self, for: scope, settings: settings)
        instance.lane.submit { [self] in
            // From here, not from when the machine had time for it.
            DeadlineTimer.shared.schedule(at: monotonicNanoseconds() + Watchdog.activationNanoseconds) { [self] in
                guard !start.isSet, start.resolve(.failure(CallFailure.unavailable(name))) else { return }
                noteFailure("create or activate did not return within 1 s")
            }
            let failure = instance.start()
            if let failure {
                noteFailure(failure)
                state.withLock { $0.instances[scope.user] = nil }
                start.resolve(.failure(CallFailure.unavailable(name)))
                return
            }
            meters.count(\.instancesCreated)
            let isWanted = state.withLock { state -> Bool in
                guard !start.isSet, !state.isRetired else {
                    state.instances[scope.user] = nil
                    return false
                }
                state.instances[scope.user] = .ready(instance)
                return true
            }
            start.resolve(isWanted ? .success(instance) : .failure(CallFailure.unavailable(name)))
            if !isWanted { instance.close() }
        }
    }

    private func noteFailure(_ reason: String) {
        let count = meters.count(\.instancesFailed)
        state.withLock { $0.lastFailure = reason }
        report("a plugin instance could not be made", count: count, ["reason": "\(reason)"])
    }

    func remove(_ instance: PluginInstance) {
        guard let scope = instance.scope else { return }
        state.withLock { state in
            if case .ready(let current)? = state.instances[scope.user], current === instance {
                state.instances[scope.user] = nil
            }
        }
    }

    private var readyInstances: [PluginInstance] {
        state.withLock { state in
            state.instances.values.compactMap { slot in
                if case .ready(let instance) = slot { return instance }
                return nil
            }
        }
    }

    /// Closes instances that have not been used since `instant`, and names those that do not return.
    func sweep(idleSince instant: UInt64, now: UInt64) {
        for instance in readyInstances {
            if instance.isIdle(since: instant) {
                remove(instance)
                instance.close()
            } else if let name = instance.overdueFunction(now: now) {
                let count = meters.count(\.overruns)
                report("a plugin function does not return", count: count, ["plugin.function": "\(name)"])
            }
        }
    }

    /// The person's grants changed: the instance's services end, and it ends as soon as nothing is in flight.
    func revoke(_ scope: UserScope) {
        let instance = state.withLock { state -> PluginInstance? in
            guard case .ready(let instance)? = state.instances[scope.user] else { return nil }
            state.instances[scope.user] = nil
            return instance
        }
        instance?.revoke()
        instance?.close()
    }

    /// No call comes any more: removed from the registry, replaced, or the host goes down.
    ///
    /// - Parameter isRevoked: its services end at once; false: what is in flight may finish.
    func retire(isRevoked: Bool) {
        let instances = state.withLock { state -> [PluginInstance] in
            state.isRetired = true
            let instances = state.instances.values.compactMap { slot -> PluginInstance? in
                if case .ready(let instance) = slot { return instance }
                return nil
            }
            state.instances = [:]
            return instances
        }
        for instance in instances {
            if isRevoked { instance.revoke() }
            instance.close()
        }
    }

    // MARK: Settings

    /// Defaults, the operator's values and the person's, in this order; a layer that breaks the schema is left out.
    func settings(for scope: UserScope) async -> [UInt8] {
        guard let schema = manifest.config, let configSchema else { return Array("{}".utf8) }
        var values = SettingsSchema.defaults(of: schema)
        var layers = [services.settings.operatorValues(plugin: id)]
        do {
            layers.append(try await services.settings.personValues(plugin: id, in: scope))
        } catch {
            logger.error("a person's settings of a plugin cannot be read", metadata: ["error": "\(type(of: error))"])
        }
        for layer in layers where !layer.isEmpty {
            var merged = values
            for (name, value) in layer { merged[name] = value }
            if configSchema.isValid(.object(merged)) {
                values = merged
            } else {
                logger.warning("settings of a plugin do not match its schema")
            }
        }
        return JSON.object(values).serialized()
    }

    /// Reads the person's settings again, for an instance that exists.
    func refreshSettings(for scope: UserScope) async {
        let instance = state.withLock { state -> PluginInstance? in
            guard case .ready(let instance)? = state.instances[scope.user] else { return nil }
            return instance
        }
        guard let instance else { return }
        instance.setSettings(await settings(for: scope))
    }
}

/// The host extensions of this version.
struct ExtensionSet: OptionSet, Sendable {
    let rawValue: UInt8

    static let log = ExtensionSet(rawValue: 1)
    static let clock = ExtensionSet(rawValue: 2)
    static let config = ExtensionSet(rawValue: 4)
    static let rows = ExtensionSet(rawValue: 8)
    static let tools = ExtensionSet(rawValue: 16)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(ids: Set<String>) {
        self = []
        if ids.contains(TANDEM_EXT_LOG) { insert(.log) }
        if ids.contains(TANDEM_EXT_CLOCK) { insert(.clock) }
        if ids.contains(TANDEM_EXT_CONFIG) { insert(.config) }
        if ids.contains(TANDEM_EXT_ROWS) { insert(.rows) }
        if ids.contains(TANDEM_EXT_TOOLS) { insert(.tools) }
    }
}
