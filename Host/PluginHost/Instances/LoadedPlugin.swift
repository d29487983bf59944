import CTandemPlugin
import Logging
import Synchronization
import TandemCore
import TandemEgress
import TandemJSON

/// A plugin whose declarations hold: what calls are made on.
final class LoadedPlugin: Sendable {
    let entry: RegistryEntry
    let manifest: PluginManifest
    let code: PluginCode
    let imageChecksum: String
    let manifestChecksum: String
    let bundlePath: String
    /// Who vouches for it; nil: the lock or the registry's pin.
    let signature: BundleSignature?
    /// What a person approves (`GrantApproval`).
    let approval: String
    /// The same in detail.
    let reach: ApprovedReach
    /// Of `reach`, to remember what a person was asked.
    let reachHash: String
    let reachText: String
    let tools: [CallableTool]
    /// What timers and events call.
    let handlers: [CallableTool]
    /// The schemas of the topics that it publishes.
    let topics: [String: JSONSchema]
    let metrics: PluginMetrics
    /// The extensions that its instances get.
    let extensions: ExtensionSet
    /// The tools of others that it may call.
    let calls: Set<String>
    let quota: PluginQuota
    /// Tables that mirror what lies elsewhere.
    let copies: Set<String>
    /// Where it may send requests.
    let network: EgressPolicy
    let warnings: [String]
    let services: HostServices
    let mediator: MediatorReference
    let availability: @Sendable (String, UserScope) -> Bool
    /// Who hears of a topic, of the plugins that are on for a person.
    let subscribers: @Sendable (String, UserScope) async throws -> [PluginEvent.Receiver]
    private let consult:
        @Sendable (PluginInstance, Consultation, JSONObject, WriteOrigin, UserScope) async -> ToolOutcome?
    private let reload: @Sendable () async -> Void
    let logger: Logger
    let meters: PluginMeters
    let queue = WorkQueue()
    private let state = Mutex(State())
    private let configSchema: JSONSchema?

    private struct State {
        var instances: [UserID: Slot] = [:]
        var isRetired = false
        var lastFailure: String?
        var origin = Origin(kept: nil, registry: "")
    }

    /// Where the version comes from.
    struct Origin: Sendable, Hashable {
        /// Its copy in the store.
        var kept: String?
        /// Checksum of the manifest of the registry's own bundle when it was loaded.
        var registry: String
    }

    var origin: Origin { state.withLock { $0.origin } }

    func setOrigin(_ origin: Origin) { state.withLock { $0.origin = origin } }

    enum Slot {
        case ready(PluginInstance)
        case starting(OneShot<Result<PluginInstance, ToolFailure>>)
    }

    init(
        entry: RegistryEntry, bundle: Bundle, signature: BundleSignature? = nil, code: PluginCode, parts: PluginParts,
        metrics: PluginMetrics,
        services: HostServices, mediator: MediatorReference, surroundings: PluginSurroundings, meters: PluginMeters,
        warnings: [String]
    ) {
        self.entry = entry
        manifest = bundle.manifest
        self.code = code
        imageChecksum = bundle.libraryChecksum
        manifestChecksum = bundle.manifestChecksum
        bundlePath = bundle.path
        name = LoadedPlugin.name(of: bundle.manifest, trust: entry.trust)
        self.signature = signature
        approval = GrantApproval.hash(of: bundle.manifest)
        let reach = ApprovedReach(of: bundle.manifest, trust: entry.trust)
        self.reach = reach
        let stored = StoredReach(reach)
        reachHash = stored.hash
        reachText = stored.text
        tools = parts.tools
        handlers = parts.handlers
        topics = parts.topics
        self.metrics = metrics
        let asked = bundle.manifest.extensions.union([TANDEM_EXT_LOG, TANDEM_EXT_CLOCK])
        let allowed = entry.ceiling.extensions.map {
            asked.intersection($0.union([TANDEM_EXT_LOG, TANDEM_EXT_CLOCK]))
        }
        let declared = Set(bundle.manifest.calls.map(\.tool))
        calls = entry.ceiling.calls.map { declared.intersection($0) } ?? declared
        extensions = ExtensionSet(ids: allowed ?? asked)
            .usable(by: bundle.manifest, calls: calls, services: services)
        network = EgressPolicy(
            declared: entry.reachable(bundle.manifest.hosts), ceiling: entry.ceiling.hosts,
            networks: AddressPolicy(allowing: entry.network.addresses), limits: entry.network.limits)
        copies = Set(bundle.manifest.tables.lazy.filter(\.isCopy).map(\.name))
        quota = (bundle.manifest.quota ?? .standard).limited(to: entry.ceiling.quota)
        self.warnings = warnings
        self.services = services
        self.mediator = mediator
        availability = surroundings.availability
        subscribers = surroundings.subscribers
        consult = surroundings.consult
        reload = surroundings.reload
        self.meters = meters
        configSchema = bundle.manifest.config.flatMap { try? JSONSchema(compiling: $0) }
        var logger = services.logger
        logger[metadataKey: "plugin.id"] = "\(bundle.manifest.id)"
        logger[metadataKey: "plugin.version"] = "\(bundle.manifest.version)"
        self.logger = logger
    }

    /// Where the plugin may send requests for a person who has not granted all of its hosts.
    func network(withholding withheld: Set<ReachItem>) -> EgressPolicy {
        guard withheld.contains(where: { $0.kind == .host }) else { return network }
        let declarations = manifest.document["hosts"]?.arrayValue ?? []
        let granted = zip(manifest.hosts, declarations).filter { _, declaration in
            ReachItem.host(declaration).map { !withheld.contains($0) } ?? false
        }
        return EgressPolicy(
            declared: entry.reachable(granted.map(\.0)), ceiling: entry.ceiling.hosts,
            networks: AddressPolicy(allowing: entry.network.addresses), limits: entry.network.limits)
    }

    static func name(of manifest: PluginManifest, trust: RegistryEntry.Trust) -> String {
        switch trust {
        case .firstParty: manifest.name
        case .verified, .operator: PlainText.phrase(manifest.name, atMost: 40)
        case .developer: PlainText.phrase(manifest.name, atMost: 40) + " (dev)"
        }
    }

    /// A handler by its name without the namespace, or by its full id.
    func handler(named name: String) -> CallableTool? {
        handlers.first { $0.definition.id == name || $0.definition.title == name }
    }

    var id: String { manifest.id }
    /// What people see: marked when nobody but its developer answers for it. A stranger's name cannot look like a mark.
    let name: String

    /// What calls are answered with while there is nobody to answer them.
    var unavailable: ToolFailure {
        guard let link else { return CallFailure.unavailable(name) }
        return CallFailure.pluginUnavailable(name, retryAfterMilliseconds: link.retryAfterMilliseconds)
    }

    /// Of what the host does for it. Strangers' requests wait in line among themselves, not before what people ask for.
    var taskPriority: TaskPriority? { link == nil ? nil : .utility }

    /// Nil for a plugin in this process.
    var link: RunnerLink? { code.link }

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
    ///
    /// - Parameter withheld: what it must not get; an instance that gets anything else is not ready.
    func readyInstance(for scope: UserScope, withholding withheld: Set<ReachItem>, now: UInt64) -> PluginInstance? {
        let instance = state.withLock { state -> PluginInstance? in
            guard case .ready(let instance)? = state.instances[scope.user], instance.withheld == withheld else {
                return nil
            }
            return instance
        }
        guard let instance, instance.beginCall(now: now) else { return nil }
        return instance
    }

    /// The person's instance, made when there is none; waits until `deadline` at most. Counted in, like above.
    ///
    /// - Parameter withheld: what it does not get. An instance that was made with other grants is replaced; what is in
    ///   flight on it may finish.
    func instance(
        for scope: UserScope, withholding withheld: Set<ReachItem> = [], deadline: UInt64
    ) async -> Result<PluginInstance, ToolFailure> {
        // A full or closing instance is met again until the deadline.
        while true {
            let now = monotonicNanoseconds()
            guard now < deadline else { return .failure(CallFailure.deadline(name)) }
            if Task.isCancelled { return .failure(CallFailure.cancelled()) }
            let step = claimSlot(for: scope, withholding: withheld)
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
            case .start(let start, let replaced):
                replaced?.close()
                await begin(start, for: scope, withholding: withheld)
                if let failure = await Self.failure(of: start, until: deadline, name: name) { return .failure(failure) }
            }
        }
    }

    private enum Step {
        case retired
        case ready(PluginInstance)
        case wait(OneShot<Result<PluginInstance, ToolFailure>>)
        case start(OneShot<Result<PluginInstance, ToolFailure>>, replaced: PluginInstance?)
    }

    private func claimSlot(for scope: UserScope, withholding withheld: Set<ReachItem>) -> Step {
        state.withLock { state in
            if state.isRetired { return .retired }
            var replaced: PluginInstance?
            switch state.instances[scope.user] {
            case .ready(let instance):
                if instance.withheld == withheld { return .ready(instance) }
                replaced = instance
            case .starting(let start): return .wait(start)
            case nil: break
            }
            let start = OneShot<Result<PluginInstance, ToolFailure>>()
            state.instances[scope.user] = .starting(start)
            return .start(start, replaced: replaced)
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

    private func begin(
        _ start: OneShot<Result<PluginInstance, ToolFailure>>, for scope: UserScope,
        withholding withheld: Set<ReachItem>
    ) async {
        let settings = await settings(for: scope)
        let instance = PluginInstance(of: self, for: scope, settings: settings, withholding: withheld)
        let activated = OneShot<Void>()
        instance.lane.submit { [self] in
            if case .failure(let refusal) = code.table {
                noteFailure("its library cannot be used: \(refusal.reason)")
                Task { [self] in
                    // Whoever waits asks the plugin that there is then, if there is one.
                    await reload()
                    giveBack(start, for: scope)
                    start.resolve(.failure(unavailable))
                }
                return
            }
            // From here, not from when the machine had time for it.
            DeadlineTimer.shared.schedule(at: monotonicNanoseconds() + Watchdog.activationNanoseconds) { [self] in
                guard !activated.isSet, start.resolve(.failure(unavailable)) else { return }
                noteFailure("create or activate did not return within 1 s")
            }
            let failure = instance.start()
            activated.resolve(())
            if let failure {
                noteFailure(failure)
                giveBack(start, for: scope)
                start.resolve(.failure(unavailable))
                return
            }
            meters.count(\.instancesCreated)
            guard services.versions != nil, scope != PluginHost.nobody else {
                return publish(instance, start, for: scope)
            }
            Task { [self] in
                guard await bringUpToDate(instance, for: scope) else {
                    giveBack(start, for: scope)
                    start.resolve(.failure(CallFailure.unavailable(name)))
                    instance.close()
                    return
                }
                publish(instance, start, for: scope)
            }
        }
    }

    /// Lets calls on a new instance, unless nobody waits for it any more.
    private func publish(
        _ instance: PluginInstance, _ start: OneShot<Result<PluginInstance, ToolFailure>>, for scope: UserScope
    ) {
        let isWanted = state.withLock { state -> Bool in
            guard case .starting(let current)? = state.instances[scope.user], current === start else { return false }
            guard !start.isSet, !state.isRetired else {
                state.instances[scope.user] = nil
                return false
            }
            state.instances[scope.user] = .ready(instance)
            return true
        }
        start.resolve(isWanted ? .success(instance) : .failure(unavailable))
        if !isWanted { instance.close() }
    }

    /// Frees the person's place when it is still this start's.
    private func giveBack(_ start: OneShot<Result<PluginInstance, ToolFailure>>, for scope: UserScope) {
        state.withLock { state in
            guard case .starting(let current)? = state.instances[scope.user], current === start else { return }
            state.instances[scope.user] = nil
        }
    }

    /// Has the plugin migrate what another version wrote for the person; false when it cannot serve them now.
    private func bringUpToDate(_ instance: PluginInstance, for scope: UserScope) async -> Bool {
        guard let versions = services.versions else { return true }
        let place = PluginPlace(plugin: id, scope: scope)
        let version = manifest.version
        do {
            guard case .migrate(let from, let config, let origin) = try await versions.begin(version, in: place) else {
                return true
            }
            guard instance.beginCall(now: monotonicNanoseconds()) else { return false }
            let arguments: JSONObject = ["from": .string(from), "to": .string(version), "config": .object(config)]
            let outcome = await consult(instance, .migrate, arguments, origin, scope)
            let failure: String
            switch outcome {
            case nil:
                try await versions.succeed(version, config: nil, in: place)
                return true
            case .value(let result)?:
                guard let replaced = result.value["config"] else {
                    try await versions.succeed(version, config: nil, in: place)
                    return true
                }
                if case .object(let values) = replaced, accepts(personValues: values) {
                    try await versions.succeed(version, config: values, in: place)
                    instance.setSettings(await settings(for: scope))
                    return true
                }
                failure = "it gave settings that do not match its schema"
            case .failure(let reason)?: failure = reason.code
            case .inputRequired?, .authRequired?, .accepted?: failure = "it asked something"
            }
            noteFailure("its migration from \(from) to \(version) failed: \(failure)")
            try await versions.fail(version, in: place)
            return false
        } catch let failure as ServiceFailure where failure.status == TANDEM_E_BUSY {
            // A migration failed a short while ago.
            return false
        } catch {
            logger.error("a plugin's version cannot be read", metadata: ["error": "\(type(of: error))"])
            return false
        }
    }

    private func accepts(personValues: JSONObject) -> Bool {
        guard let schema = manifest.config, let configSchema else { return personValues.isEmpty }
        var values = SettingsSchema.defaults(of: schema)
        for layer in [services.settings.operatorValues(plugin: id), personValues] {
            for (name, value) in layer { values[name] = value }
        }
        return configSchema.isValid(.object(values))
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

    /// Closes instances that have not been used for so many nanoseconds, and names those that do not return. What has a
    /// process of its own does not keep it for long.
    func sweep(idle: UInt64, now: UInt64) {
        let own = link.flatMap { $0.isPerPerson ? $0.configuration.idleAfter.nanoseconds : nil }
        let limit = min(idle, own ?? idle)
        let instant = now > limit ? now - limit : 0
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

    /// The person's grants changed: what they no longer cover ends, now.
    ///
    /// Switched off, the instance's services end at once and so do its calls; otherwise only the calls of tools that may
    /// no longer be used. A call is cancelled first and given up after `grace`.
    ///
    /// - Parameter access: nil: it is off.
    func restrict(_ scope: UserScope, to access: PluginAccess?, grace: UInt64) {
        if access == nil { revoke(scope) }
        for call in CallTable.shared.calls(of: self, for: scope) where call.isInFlight {
            if let access, isCovered(call.tool.definition, by: access) { continue }
            guard call.markCancelled() else { continue }
            meters.count(\.cancellations)
            call.instance.cancel(call.id, reason: TANDEM_CANCEL_USER)
            let failure = CallFailure.notEnabled(name)
            let id = call.id
            DeadlineTimer.shared.schedule(at: monotonicNanoseconds() + grace) {
                guard case .inFlight(let call) = CallTable.shared.lookup(id) else { return }
                call.giveUp(.failure(failure))
            }
        }
    }

    private func isCovered(_ tool: ToolDefinition, by access: PluginAccess) -> Bool {
        if tools.contains(where: { $0.definition.id == tool.id }) { return access.access(to: tool).isUsable }
        if handlers.contains(where: { $0.definition.id == tool.id }) { return access.allows(tool) }
        // What the host asks of the plugin itself.
        return true
    }

    private func revoke(_ scope: UserScope) {
        let slot = state.withLock { $0.instances.removeValue(forKey: scope.user) }
        switch slot {
        case .ready(let instance)?:
            instance.revoke()
            instance.close()
        // Whoever waits for it is told, and it is closed as soon as it is made.
        case .starting(let start)?: start.resolve(.failure(CallFailure.notEnabled(name)))
        case nil: break
        }
        // What it fetched for this person goes with the right to fetch it.
        services.egress?.forget(scope, plugin: id)
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
        link?.retire()
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

    /// Reads everybody's settings again, for instances that exist.
    func refreshSettings() async {
        for instance in readyInstances {
            guard let scope = instance.scope else { continue }
            instance.setSettings(await settings(for: scope))
        }
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
