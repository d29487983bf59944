import Glibc
import Logging
import Synchronization
public import TandemCore
import TandemJSON

/// Loads the plugins of the registry and makes their tools callable for the people who switched them on.
///
/// Nothing that is wrong with a registry, a bundle or a plugin stops the host: the plugin is refused with a reason
/// (`statuses`), the others go on. Safe from any thread. `start` comes first, `run` for as long as the host lives.
public final class PluginHost: ToolProvider {
    let configuration: PluginHostConfiguration
    let services: HostServices
    let grantStore: any GrantStore
    let cache = GrantCache()
    let mediator = MediatorReference()
    private let trust: TrustKeeper
    private let loader: PluginLoader
    private let current: Mutex<PluginSet>
    private let bookkeeping = Mutex(Bookkeeping())
    /// By plugin.
    let probations = Mutex<[String: Probation]>([:])
    /// One reload at a time.
    private let reloadGate = ReloadGate()

    private struct Bookkeeping {
        var meters: [String: PluginMeters] = [:]
        var metrics: [String: PluginMetrics] = [:]
        var settingsGeneration: UInt64?
        var registryProblem: DocumentError?
        var fingerprint: [UInt64] = []
        var entries: [RegistryEntry] = []
        /// Checksums of the images in use.
        var imagesInUse: Set<String> = []
        var reloads = 0
        var imagesMapped: Set<String> = []
    }

    public init(configuration: PluginHostConfiguration, services: HostServices, grants: any GrantStore) {
        self.configuration = configuration
        self.services = services
        grantStore = grants
        trust = TrustKeeper(paths: configuration.trust, clock: services.clock, logger: services.logger)
        current = Mutex(PluginSet(generation: 0, plugins: [], listed: []))
        let reference = SelfReference()
        loader = PluginLoader(
            configuration: configuration, services: services, mediator: mediator,
            surroundings: PluginSurroundings(
                availability: { tool, scope in reference.host?.canUse(tool, in: scope) ?? false },
                subscribers: { topic, scope in try await reference.host?.subscribers(of: topic, in: scope) ?? [] },
                consult: { instance, consultation, arguments, origin, scope in
                    await reference.host?.consult(
                        instance, consultation, arguments: arguments, origin: origin, in: scope)
                },
                mapped: { reference.host?.noteMapped($0) }, reload: { await reference.host?.reload() }),
            metrics: { reference.host?.metrics(of: $0) ?? PluginMetrics($0.metrics, namespace: $0.namespace) })
        reference.host = self
    }

    var catalogue: PluginSet { current.withLock { $0 } }

    // MARK: Life

    /// Reads the registry and loads what it names. Never throws: see `registryProblem` and `statuses`.
    public func start() async { await reload() }

    /// Watches the registry, the lock and the bundles, and drops idle instances, until the task is cancelled; then ends
    /// all instances.
    public func run() async {
        var candidate: [UInt64]?
        var lastSweep = monotonicNanoseconds()
        let sweepInterval = min(configuration.idleAfter.nanoseconds / 2, 5_000_000_000)
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: configuration.pollInterval)
            } catch {
                break
            }
            let seen = fingerprint()
            if seen == bookkeeping.withLock({ $0.fingerprint }) {
                candidate = nil
            } else if seen == candidate {
                // The same twice: nobody is in the middle of writing.
                candidate = nil
                await reload()
            } else {
                candidate = seen
            }
            await checkProbations()
            let now = monotonicNanoseconds()
            if now >= lastSweep + sweepInterval {
                lastSweep = now
                sweep(nowNanoseconds: now)
                await refreshSettings()
            }
        }
        shutDown()
    }

    /// Drops the instances that were idle for the configured time at `now` (`CLOCK_MONOTONIC`).
    public func sweep(nowNanoseconds now: UInt64 = monotonicNanoseconds()) {
        let idle = configuration.idleAfter.nanoseconds
        for plugin in catalogue.plugins { plugin.sweep(idle: idle, now: now) }
    }

    /// Ends all instances; calls in flight may finish.
    public func shutDown() {
        let old = current.withLock { set in
            let old = set
            set = PluginSet(generation: old.generation + 1, plugins: [], listed: old.listed.filter { $0.isRefused })
            return old
        }
        for plugin in old.plugins { plugin.retire(isRevoked: false) }
    }

    /// Where calls from plugin to plugin go. Until it is set, they are answered "unavailable".
    public func setMediator(_ mediator: any ToolMediator) { self.mediator.set(mediator) }

    // MARK: Reload

    /// Reads the registry again and replaces what changed; a registry that cannot be read changes nothing.
    public func reload() async {
        await reloadGate.enter()
        let work = OneShot<Void>()
        // Reading, checking and mapping block: not on Swift's shared pool, nor on a worker, since a trial of `create`
        // needs one of those.
        let outcome = Mutex<PluginSet?>(nil)
        let box = Box(outcome)
        let load: @Sendable () -> Void = { [self] in
            box.value.withLock { $0 = readAndLoad() }
            work.resolve(())
        }
        if !HostThread.start(load) { WorkerPool.shared.submit(load) }
        await work.value()
        if let new = box.value.withLock({ $0 }) { await install(new) }
        reloadGate.leave()
    }

    private func readAndLoad() -> PluginSet? {
        // What is read is at least as new as its fingerprint: a change while this loads is seen by the next look.
        let documents = documentsFingerprint()
        let registry: PluginRegistry
        do {
            registry = try readRegistry()
        } catch {
            bookkeeping.withLock { state in
                state.registryProblem = error
                state.fingerprint = documents + bundlesFingerprint(state.entries)
            }
            services.logger.error(
                "the registry of plugins cannot be used; the plugins stay as they were",
                metadata: ["error": "\(error.description)"])
            return withoutRevoked(catalogue, trust.read())
        }
        let trusted = trust.read()
        let book = readVersions()
        let seen = documents + bundlesFingerprint(registry.entries)
        let old = catalogue
        var taken = PluginLoader.Taken()
        var plugins: [LoadedPlugin] = []
        var listed: [PluginSet.Listed] = []
        for entry in registry.entries {
            do throws(PluginLoader.Failure) {
                let plugin = try load(
                    entry, taken: &taken, current: old.plugin(entry.id)?.plugin, trust: trusted,
                    choice: book.choices[entry.id])
                listed.append(.loaded(plugins.count))
                plugins.append(plugin)
            } catch {
                listed.append(
                    .refused(
                        PluginSet.Refused(
                            entry: entry, manifest: error.manifest, checksum: error.checksum, refusal: error.refusal,
                            isMapped: error.isMapped)))
            }
        }
        bookkeeping.withLock { state in
            state.registryProblem = nil
            state.entries = registry.entries
            state.fingerprint = seen
            state.reloads += 1
            for plugin in plugins where plugin.link == nil && plugin.code.isMapped {
                state.imagesMapped.insert(plugin.imageChecksum)
            }
            for case .refused(let refused) in listed where refused.isMapped {
                if let checksum = refused.checksum { state.imagesMapped.insert(checksum) }
            }
        }
        return PluginSet(generation: old.generation + 1, plugins: plugins, listed: listed)
    }

    /// The set without what was revoked since, so that a broken registry does not keep that alive; nil: nothing was.
    private func withoutRevoked(_ old: PluginSet, _ trusted: TrustView) -> PluginSet? {
        guard let revocations = trusted.revocations else { return nil }
        var plugins: [LoadedPlugin] = []
        let listed = old.listed.map { item -> PluginSet.Listed in
            guard case .loaded(let index) = item else { return item }
            let plugin = old.plugins[index]
            if let reason = revocations.reason(
                manifest: plugin.manifestChecksum, plugin: plugin.id, version: plugin.manifest.version,
                keys: plugin.signature?.path ?? [])
            {
                return .refused(
                    PluginSet.Refused(
                        entry: plugin.entry, manifest: plugin.manifest, checksum: plugin.imageChecksum,
                        refusal: PluginRefusal(.revoked, reason), isMapped: plugin.code.isMapped))
            }
            plugins.append(plugin)
            return .loaded(plugins.count - 1)
        }
        guard plugins.count < old.plugins.count else { return nil }
        return PluginSet(generation: old.generation + 1, plugins: plugins, listed: listed)
    }

    /// A chosen version that cannot be loaded gives way to the one before it, for good.
    private func load(
        _ entry: RegistryEntry, taken: inout PluginLoader.Taken, current: LoadedPlugin?, trust: TrustView,
        choice: VersionBook.Choice?
    ) throws(PluginLoader.Failure) -> LoadedPlugin {
        let before = taken
        do throws(PluginLoader.Failure) {
            return try loader.load(
                entry, taken: &taken, meters: meters(of: entry.id), current: current, trust: trust, choice: choice)
        } catch {
            guard let choice, let path = configuration.versionsPath, error.refusal.code != .duplicatePlugin,
                let back = choice.reversed(rejecting: true, reason: error.refusal.reason)
            else { throw error }
            services.logger.error(
                "a chosen version of a plugin cannot be loaded; the one before it stays",
                metadata: ["plugin.id": "\(entry.id)", "reason": "\(error.refusal.reason)"])
            try? VersionBook.update(at: path) { book in
                if book.choices[entry.id] == choice { book.choices[entry.id] = back }
            }
            taken = before
            return try loader.load(
                entry, taken: &taken, meters: meters(of: entry.id), current: current, trust: trust, choice: back)
        }
    }

    private func readVersions() -> VersionBook {
        guard let path = configuration.versionsPath else { return VersionBook() }
        do {
            return try VersionBook.load(from: path)
        } catch {
            services.logger.error(
                "the versions that were chosen cannot be read; the registry's are used", metadata: ["error": "\(error)"]
            )
            return VersionBook()
        }
    }

    private func readRegistry() throws(DocumentError) -> PluginRegistry {
        let text: [UInt8]
        do throws(FileRefusal) {
            let file = try RegularFile(
                path: configuration.registryPath, limit: PluginRegistry.maxDocumentBytes,
                requiresPrivateWriting: false)
            text = try file.read()
        } catch {
            throw DocumentError(
                document: "registry.json", problems: [DocumentProblem(pointer: "", message: error.reason)])
        }
        return try PluginRegistry(reading: text)
    }

    private func meters(of id: String) -> PluginMeters {
        bookkeeping.withLock { state in
            if let meters = state.meters[id] { return meters }
            let meters = PluginMeters()
            state.meters[id] = meters
            return meters
        }
    }

    private func metrics(of manifest: PluginManifest) -> PluginMetrics {
        bookkeeping.withLock { state in
            if let metrics = state.metrics[manifest.id], metrics.declared == manifest.metrics { return metrics }
            let metrics = PluginMetrics(manifest.metrics, namespace: manifest.namespace)
            state.metrics[manifest.id] = metrics
            return metrics
        }
    }

    private func noteMapped(_ checksum: String) {
        bookkeeping.withLock { _ = $0.imagesMapped.insert(checksum) }
    }

    /// Makes tables, replaces the set and retires what is no longer in it.
    private func install(_ new: PluginSet) async {
        let old = catalogue
        var plugins: [LoadedPlugin] = []
        var listed: [PluginSet.Listed] = []
        for item in new.listed {
            guard case .loaded(let index) = item else {
                listed.append(item)
                continue
            }
            let plugin = new.plugins[index]
            do {
                let isNew = !old.plugins.contains { $0 === plugin }
                if isNew, !plugin.manifest.tables.isEmpty {
                    try await services.rows.prepare(tables: plugin.manifest.tables, owner: plugin.id)
                }
                listed.append(.loaded(plugins.count))
                plugins.append(plugin)
            } catch {
                listed.append(
                    .refused(
                        PluginSet.Refused(
                            entry: plugin.entry, manifest: plugin.manifest, checksum: plugin.imageChecksum,
                            refusal: PluginRefusal(.storageFailed, "its tables cannot be made: \(error)"),
                            isMapped: plugin.code.isMapped)))
            }
        }
        let set = PluginSet(generation: new.generation, plugins: plugins, listed: listed)
        let failing = await failingBefore(set, instead: old)
        bookkeeping.withLock { $0.imagesInUse = Set(plugins.map(\.imageChecksum)) }
        current.withLock { $0 = set }
        beginProbation(of: set, instead: old, failing: failing)
        for plugin in old.plugins where !plugins.contains(where: { $0 === plugin }) {
            // Replaced: what is in flight may finish. Removed or refused: its services end.
            plugin.retire(isRevoked: !plugins.contains { $0.id == plugin.id })
        }
        log(set, instead: old)
    }

    private func log(_ set: PluginSet, instead old: PluginSet) {
        for plugin in set.plugins where !old.plugins.contains(where: { $0 === plugin }) {
            plugin.logger.info("plugin loaded", metadata: ["plugin.tools": "\(plugin.tools.count)"])
            for warning in plugin.warnings {
                plugin.logger.warning("plugin warning", metadata: ["reason": "\(warning)"])
            }
        }
        for case .refused(let refused) in set.listed {
            services.logger.error(
                "plugin refused",
                metadata: [
                    "plugin.id": "\(refused.entry.id)", "code": "\(refused.refusal.code.rawValue)",
                    "reason": "\(refused.refusal.reason)",
                ])
        }
    }

    /// What the files that matter look like: names, sizes, times, inodes.
    private func fingerprint() -> [UInt64] {
        documentsFingerprint() + bundlesFingerprint(bookkeeping.withLock { $0.entries })
    }

    private func documentsFingerprint() -> [UInt64] {
        var print: [UInt64] = []
        FileFingerprint.add(configuration.registryPath, to: &print)
        if let lock = configuration.lockPath { FileFingerprint.add(lock, to: &print) }
        if let versions = configuration.versionsPath { FileFingerprint.add(versions, to: &print) }
        trust.addFingerprint(to: &print)
        return print
    }

    private func bundlesFingerprint(_ entries: [RegistryEntry]) -> [UInt64] {
        var print: [UInt64] = []
        for entry in entries {
            for folder in configuration.searchPaths {
                FileFingerprint.addFolder(folder + "/" + entry.bundle, to: &print)
            }
        }
        return print
    }

    /// Gives running instances the settings that another process changed.
    private func refreshSettings() async {
        guard let generation = try? await services.settings.generation() else { return }
        let isKnown = bookkeeping.withLock { state in
            defer { state.settingsGeneration = generation }
            return state.settingsGeneration == nil || state.settingsGeneration == generation
        }
        if isKnown { return }
        for plugin in catalogue.plugins where plugin.manifest.config != nil { await plugin.refreshSettings() }
    }

    /// What plugins recorded by `tandem.metrics/1`, for the exposition; of two metrics of one name the first counts.
    public func metricSnapshots() -> [MetricSnapshot] {
        var names: Set<String> = []
        return catalogue.plugins.flatMap { $0.metrics.snapshot() }.filter { names.insert($0.name).inserted }
    }

    /// What the host counts of its plugins, for the exposition.
    public func counterSnapshots() -> [MetricSnapshot] {
        let samples = catalogue.plugins.flatMap { plugin in
            plugin.meters.snapshot.all.map { counter in
                MetricSnapshot.Sample(
                    labelValues: [plugin.id, counter.name], value: .number(Double(counter.value)))
            }
        }
        return [
            MetricSnapshot(
                name: "tandem_plugins_events_total", help: "What happened with each plugin since the host started.",
                kind: .counter, labels: ["plugin", "event"], samples: samples),
            MetricSnapshot(
                name: "tandem_plugins_leaked_images", help: "Libraries that stay mapped although no plugin uses them.",
                kind: .gauge, samples: [MetricSnapshot.Sample(value: .number(Double(leakedImages)))]),
        ]
    }

    // MARK: What there is

    /// Why the registry cannot be read, when it cannot: the plugins are then those of the last good one.
    public var registryProblem: DocumentError? { bookkeeping.withLock { $0.registryProblem } }

    /// What is wrong with the documents that say whom this host trusts, and lists that expire: for the operator.
    public var trustWarnings: [String] { trust.warnings }

    /// The number of the revocation list in force.
    public var revocationSequence: Int64? { trust.revocations?.sequence }

    /// All plugins of the registry, in its order.
    public func statuses() -> [PluginStatus] {
        let set = catalogue
        return set.listed.map { item in
            switch item {
            case .loaded(let index):
                let plugin = set.plugins[index]
                return PluginStatus(
                    id: plugin.id, namespace: plugin.manifest.namespace, name: plugin.name,
                    version: plugin.manifest.version, bundle: plugin.entry.bundle, state: .loaded,
                    tools: plugin.tools.map(\.definition.id), checksum: plugin.imageChecksum,
                    trust: plugin.entry.trust, signature: plugin.signature,
                    isolation: plugin.link == nil ? .inProcess : .runner,
                    plan: plugin.entry.plan,
                    warnings: plugin.warnings, lastFailure: plugin.lastFailure, instances: plugin.instanceCount,
                    counters: plugin.meters.snapshot, runner: plugin.link?.status)
            case .refused(let refused):
                return PluginStatus(
                    id: refused.entry.id, namespace: refused.manifest?.namespace, name: refused.manifest?.name,
                    version: refused.manifest?.version, bundle: refused.entry.bundle,
                    state: .refused(refused.refusal), tools: refused.manifest?.tools.map(\.id) ?? [],
                    checksum: refused.checksum, trust: refused.entry.trust, signature: nil,
                    isolation: refused.entry.isolation, plan: refused.entry.plan, warnings: [], lastFailure: nil,
                    instances: 0,
                    counters: meters(of: refused.entry.id).snapshot)
            }
        }
    }

    /// The last crashes of isolated plugins, also those that another process of this installation saw; the latest last.
    /// Reads a small file.
    public func recordedCrashes() -> [CrashReport] {
        configuration.crashesPath.map { CrashBook.load(from: $0).crashes } ?? []
    }

    /// The manifests of the loaded plugins, in the order of the registry.
    public var manifests: [PluginManifest] { catalogue.plugins.map(\.manifest) }

    /// The tools of all loaded plugins, whoever switched them on.
    public var allTools: [ToolDefinition] { catalogue.plugins.flatMap { $0.tools.map(\.definition) } }

    /// Libraries that this host mapped and no longer uses: they stay in memory until the process ends.
    public var leakedImages: Int { bookkeeping.withLock { $0.imagesMapped.subtracting($0.imagesInUse).count } }

    /// How often a registry was put into force.
    public var reloadCount: Int { bookkeeping.withLock { $0.reloads } }

    /// Changes whenever the loaded plugins change.
    public var generation: UInt64 { catalogue.generation }
}

extension PluginSet.Listed {
    fileprivate var isRefused: Bool {
        if case .refused = self { return true }
        return false
    }
}

/// Lets the loader's callbacks reach the host without keeping it alive.
private final class SelfReference: @unchecked Sendable {
    // Written once in the host's init, before anybody can call.
    weak var host: PluginHost?
}

private final class Box<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) { self.value = value }
}

/// A lock that tasks wait for without blocking a thread.
private final class ReloadGate: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [OneShot<Void>] = []
    }

    private let state = Mutex(State())

    func enter() async {
        let waiter = state.withLock { state -> OneShot<Void>? in
            guard state.isTaken else {
                state.isTaken = true
                return nil
            }
            let waiter = OneShot<Void>()
            state.waiting.append(waiter)
            return waiter
        }
        await waiter?.value()
    }

    func leave() {
        let next = state.withLock { state -> OneShot<Void>? in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resolve(())
    }
}
