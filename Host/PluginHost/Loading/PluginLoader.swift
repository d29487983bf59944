import CTandemPlugin
import Glibc
import Logging
import TandemCore

/// From an entry of the registry to a plugin that can be called, or the reason why not.
struct PluginLoader: Sendable {
    let configuration: PluginHostConfiguration
    let services: HostServices
    let mediator: MediatorReference
    let surroundings: PluginSurroundings
    /// The series of a plugin's metrics, kept over reloads.
    let metrics: @Sendable (PluginManifest) -> PluginMetrics
    /// For the processes of all plugins of this host.
    let room = RunnerRoom()

    /// What other plugins of the same registry have taken already.
    struct Taken {
        var ids: Set<String> = []
        var namespaces: [String: String] = [:]
        var tools: [String: String] = [:]
        var tables: [String: String] = [:]
    }

    /// What is known of a bundle that is refused.
    struct Failure: Error {
        var refusal: PluginRefusal
        var manifest: PluginManifest?
        var checksum: String?
        var isMapped = false
    }

    /// Reads, checks and maps a bundle. Blocks; runs the plugin's entry point, `manifest`, and one trial of `create`.
    ///
    /// - Parameters:
    ///   - meters: where the plugin counts, kept over reloads.
    ///   - current: the plugin as it is loaded now; given back when nothing about it changed.
    func load(
        _ entry: RegistryEntry, taken: inout Taken, meters: PluginMeters, current: LoadedPlugin?,
        trust: TrustView = TrustView(), choice: VersionBook.Choice? = nil
    ) throws(Failure) -> LoadedPlugin {
        var failure = Failure(refusal: PluginRefusal(.loadFailed, ""))
        var link: RunnerLink?
        do throws(PluginRefusal) {
            guard taken.ids.insert(entry.id).inserted else {
                throw PluginRefusal(.duplicatePlugin, "\(entry.id) stands in the registry twice; this is the second")
            }
            let chosen = try self.bundle(of: entry, choice)
            var bundle = chosen.bundle
            failure.manifest = bundle.manifest
            failure.checksum = bundle.libraryChecksum
            try match(entry, bundle)
            let signature = try requireTrust(entry, bundle, trust, chosen: chosen.pin)
            try requireLibrary(entry, bundle.manifest)
            try reserve(bundle.manifest, in: &taken)
            if let current, current.entry == entry, current.manifestChecksum == bundle.manifestChecksum,
                current.imageChecksum == bundle.libraryChecksum, current.bundlePath == bundle.path,
                current.signature == signature, !current.code.hasFailed
            {
                return current
            }
            let code: PluginCode
            var warnings = warnings(bundle, entry)
            let mismatch = entry.isolation == .inProcess ? Toolchain.mismatch(of: bundle.image) : nil
            if let mismatch { warnings.append(mismatch) }
            let isOurs = entry.trust == .firstParty && entry.isolation == .inProcess && mismatch == nil
            // What takes over from something, or was chosen by command, is tried before it does.
            if isOurs, configuration.mapsAtFirstUse, current == nil, choice == nil {
                bundle.raise(entry.effects)
                code = PluginCode(atFirstUse: mapping(of: bundle))
            } else {
                let table: PluginTable
                if isOurs {
                    let image = try LoadedImage.load(
                        bundle.library, size: bundle.image?.loadedSize ?? bundle.library.count,
                        checksum: bundle.libraryChecksum)
                    failure.isMapped = true
                    table = try image.outcome.get()
                } else {
                    let made = try makeLink(entry, bundle, meters: meters)
                    link = made
                    table = try PluginTable(of: made)
                }
                bundle.raise(try compare(bundle.manifest, with: table))
                bundle.raise(entry.effects)
                code = PluginCode(table)
            }
            if entry.trust != .firstParty {
                bundle.attribute(to: LoadedPlugin.name(of: bundle.manifest, trust: entry.trust))
            }
            let parts = try PluginParts(compiling: bundle.manifest)
            let plugin = LoadedPlugin(
                entry: entry, bundle: bundle, signature: signature, code: code, parts: parts,
                metrics: metrics(bundle.manifest),
                services: services, mediator: mediator, surroundings: surroundings, meters: meters,
                warnings: warnings)
            if code.isMapped { try tryOut(plugin) }
            // Kept for the day on which another version takes over and fails.
            let kept = link == nil ? nil : try configuration.bundleStore?.keep(bundle)
            let wanted = [kept, choice?.current, choice?.previous, current?.origin.kept]
            configuration.bundleStore?.prune(entry.id, keeping: Set(wanted.compactMap { $0 }))
            plugin.setOrigin(LoadedPlugin.Origin(kept: kept, registry: chosen.registry))
            return plugin
        } catch {
            link?.retire()
            release(entry, from: &taken, keepsID: error.code != .duplicatePlugin)
            failure.refusal = error
            throw failure
        }
    }

    // MARK: Steps

    /// The bundle that was chosen for the plugin, with its pin, or the registry's own; and the checksum of the latter.
    private func bundle(
        of entry: RegistryEntry, _ choice: VersionBook.Choice?
    ) throws(PluginRefusal) -> (bundle: Bundle, pin: String?, registry: String) {
        guard let choice, let store = configuration.bundleStore else {
            let own = try Bundle(at: entry.bundle, in: try folder(of: entry))
            return (own, nil, own.manifestChecksum)
        }
        // A registry whose bundle is another one by now has decided anew.
        if let own = try? Bundle(at: entry.bundle, in: try folder(of: entry)), own.manifestChecksum != choice.registry,
            !choice.rejected.contains(own.manifestChecksum)
        {
            return (own, nil, own.manifestChecksum)
        }
        let bundle = try Bundle(at: choice.current, in: store.folder)
        guard bundle.manifestChecksum == choice.pin else {
            throw PluginRefusal(
                .wrongChecksum, "the chosen version does not have the checksum that was recorded for it")
        }
        return (bundle, choice.pin, choice.registry)
    }

    /// What maps a bundle's library when it is needed, and holds it against the manifest that has been in force since.
    private func mapping(of bundle: Bundle) -> PluginCode.Mapping {
        let path = bundle.path + "/" + (bundle.manifest.packaging?.library ?? "")
        let size = bundle.image?.loadedSize
        let checksum = bundle.libraryChecksum
        let manifest = bundle.manifest
        return { () throws(PluginRefusal) in
            let bytes: [UInt8]
            do throws(FileRefusal) {
                bytes = try RegularFile(path: path, limit: Bundle.maxLibraryBytes, requiresPrivateWriting: true).read()
            } catch {
                throw PluginRefusal(error.errno == ENOENT ? .missingFile : .unsafeFile, error.reason)
            }
            guard Checksum.of(bytes) == checksum else {
                throw PluginRefusal(.wrongChecksum, "the library changed since it was checked")
            }
            let image = try LoadedImage.load(bytes, size: size ?? bytes.count, checksum: checksum)
            surroundings.mapped(checksum)
            let table = try image.outcome.get()
            for (id, effect) in try compare(manifest, with: table) {
                guard let tool = manifest.tools.first(where: { $0.id == id }), tool.effect >= effect else {
                    throw PluginRefusal(.manifestDiffers, "the code takes \(id) for \(effect.rawValue)")
                }
            }
            return table
        }
    }

    private func makeLink(
        _ entry: RegistryEntry, _ bundle: Bundle, meters: PluginMeters
    ) throws(PluginRefusal) -> RunnerLink {
        var runner = configuration.runner
        if let wanted = bundle.manifest.memoryBytes { runner.memoryBytes = min(wanted, runner.memoryCeiling) }
        return try RunnerLink(
            source: bundle.manifest.foreign == nil ? .library(bundle.library) : .manifest(bundle.manifestBytes),
            needed: bundle.image?.needed ?? [], bundlePath: bundle.path, configuration: runner,
            identity: RunnerLink.Identity(
                plugin: bundle.manifest.id, version: bundle.manifest.version, clock: services.clock,
                logger: services.logger, meters: meters, crashesPath: configuration.crashesPath),
            isShared: entry.processes == .shared, room: room)
    }

    /// The search path that holds the bundle.
    private func folder(of entry: RegistryEntry) throws(PluginRefusal) -> String {
        for folder in configuration.searchPaths where access(folder + "/" + entry.bundle, F_OK) == 0 { return folder }
        throw PluginRefusal(.missingFile, "the bundle \(entry.bundle) is missing in the plugin folders")
    }

    private func match(_ entry: RegistryEntry, _ bundle: Bundle) throws(PluginRefusal) {
        guard bundle.manifest.id == entry.id else {
            throw PluginRefusal(
                .invalidManifest, "the bundle holds \(bundle.manifest.id), the registry expects \(entry.id)")
        }
        if let namespace = entry.namespace, namespace != bundle.manifest.namespace {
            throw PluginRefusal(
                .invalidManifest,
                "the bundle has the namespace \(bundle.manifest.namespace), the registry expects \(namespace)")
        }
        if configuration.reservedNamespaces.contains(bundle.manifest.namespace) {
            throw PluginRefusal(
                .duplicateTool, "the namespace \(bundle.manifest.namespace) belongs to the host's own tools")
        }
        if let platform = bundle.manifest.packaging?.platform, platform != configuration.platform {
            throw PluginRefusal(
                .otherArchitecture, "the bundle was packaged for \(platform), this host is \(configuration.platform)")
        }
    }

    /// Nothing revoked, and somebody vouches for exactly this manifest: a signature at the entry's tier; for first-party
    /// plugins the registry's pin or the lock of local builds, which also stand for a developer's own work.
    private func requireTrust(
        _ entry: RegistryEntry, _ bundle: Bundle, _ trust: TrustView, chosen: String?
    ) throws(PluginRefusal) -> BundleSignature? {
        var signature: BundleSignature?
        // What an upgrade or a rollback chose has been compared with its own pin.
        let isChosen = chosen != nil
        if !isChosen, let pin = try pin(of: entry), pin != bundle.manifestChecksum {
            throw PluginRefusal(.wrongChecksum, "plugin.json does not have the checksum that the registry names")
        }
        switch entry.trust {
        case .firstParty:
            if entry.pins.isEmpty, !isChosen { try requireLock(bundle) }
        case .verified, .operator:
            signature = try requireSignature(entry, bundle, trust)
        case .developer:
            if bundle.signature != nil {
                signature = try requireSignature(entry, bundle, trust)
            } else if entry.pins.isEmpty, !isChosen {
                guard isOwnBuild(bundle) else {
                    throw PluginRefusal(
                        .notSigned,
                        "it has no signature; a developer plugin is signed with a key of this machine, pinned in the "
                            + "registry, or lies in the folder of the host's own build")
                }
                try requireLock(bundle)
            }
        }
        if entry.trust != .firstParty, let problem = trust.recordProblem {
            throw PluginRefusal(.untrustedKey, problem)
        }
        if let reason = trust.revocations?.reason(
            manifest: bundle.manifestChecksum, plugin: bundle.manifest.id, version: bundle.manifest.version,
            keys: signature?.path ?? [])
        {
            throw PluginRefusal(.revoked, reason)
        }
        return signature
    }

    private func requireSignature(
        _ entry: RegistryEntry, _ bundle: Bundle, _ trust: TrustView
    ) throws(PluginRefusal) -> BundleSignature {
        guard let signature = bundle.signature else {
            throw PluginRefusal(
                .notSigned, "it has no signature, which a plugin of the tier \(entry.trust.rawValue) must have")
        }
        return try trust.signer(
            of: bundle.manifestBytes, plugin: bundle.manifest.id, signature: signature, tier: entry.trust)
    }

    /// The registry's checksum for this platform; nil when the registry names none at all.
    private func pin(of entry: RegistryEntry) throws(PluginRefusal) -> String? {
        guard !entry.pins.isEmpty else { return nil }
        guard let pin = entry.pins[configuration.platform] else {
            throw PluginRefusal(.notPinned, "the registry has no checksum for \(configuration.platform)")
        }
        return pin
    }

    private func isOwnBuild(_ bundle: Bundle) -> Bool {
        guard let build = configuration.realBuildFolder else { return false }
        return bundle.path == build || bundle.path.hasPrefix(build + "/")
    }

    private func requireLock(_ bundle: Bundle) throws(PluginRefusal) {
        guard isOwnBuild(bundle) else {
            throw PluginRefusal(
                .notPinned,
                "the registry names no checksum, and the bundle does not lie in the folder of the host's own build")
        }
        guard let lockPath = configuration.lockPath else { return }
        let seen = PluginLock.Pin(manifest: bundle.manifestChecksum, files: bundle.files)
        var pinned: PluginLock.Pin?
        do {
            pinned = try PluginLock.load(from: lockPath).bundles[bundle.path]
            if pinned == nil {
                try PluginLock.update(at: lockPath) { lock in
                    if let earlier = lock.bundles[bundle.path] {
                        pinned = earlier
                    } else {
                        lock.bundles[bundle.path] = seen
                        pinned = seen
                    }
                }
            }
        } catch {
            throw PluginRefusal(.notPinned, "the lock of local builds cannot be used: \(error)")
        }
        guard pinned == seen else {
            throw PluginRefusal(
                .wrongChecksum,
                "the bundle changed since it was pinned in plugins.lock.json; pack it again to accept the new build")
        }
    }

    /// A library that is called by its manifest alone: only in the runner, and of the system's only what was allowed.
    private func requireLibrary(_ entry: RegistryEntry, _ manifest: PluginManifest) throws(PluginRefusal) {
        guard let foreign = manifest.foreign else { return }
        guard entry.isolation == .runner else {
            throw PluginRefusal(
                .needsRunner,
                "\(entry.id) calls a C library by its manifest, which is possible in the isolated runner only")
        }
        if case .system(let name) = foreign.library, !entry.ceiling.libraries.contains(name) {
            throw PluginRefusal(
                .libraryNotAllowed, "the registry does not allow \(entry.id) to call the system's \(name)")
        }
    }

    private func reserve(_ manifest: PluginManifest, in taken: inout Taken) throws(PluginRefusal) {
        if let owner = taken.namespaces[manifest.namespace] {
            throw PluginRefusal(
                .duplicateTool, "the namespace \(manifest.namespace) is taken by \(owner), which comes first")
        }
        for tool in manifest.tools {
            if let owner = taken.tools[tool.id] {
                throw PluginRefusal(.duplicateTool, "the tool \(tool.id) is taken by \(owner), which comes first")
            }
        }
        for table in manifest.tables {
            if let owner = taken.tables[table.name] {
                throw PluginRefusal(.duplicateTable, "the table \(table.name) is taken by \(owner), which comes first")
            }
            if configuration.reservedTables.contains(table.name) {
                throw PluginRefusal(.duplicateTable, "the table \(table.name) is the host's own")
            }
        }
        taken.namespaces[manifest.namespace] = manifest.id
        for tool in manifest.tools { taken.tools[tool.id] = manifest.id }
        for table in manifest.tables { taken.tables[table.name] = manifest.id }
    }

    private func release(_ entry: RegistryEntry, from taken: inout Taken, keepsID: Bool) {
        guard keepsID else { return }
        taken.namespaces = taken.namespaces.filter { $0.value != entry.id }
        taken.tools = taken.tools.filter { $0.value != entry.id }
        taken.tables = taken.tables.filter { $0.value != entry.id }
    }

    /// The code says what `plugin.json` says, except that it may take its tools for riskier: those effects.
    private func compare(
        _ manifest: PluginManifest, with table: PluginTable
    ) throws(PluginRefusal) -> [String: Effect] {
        guard table.abi == manifest.abi else {
            throw PluginRefusal(
                .manifestDiffers, "the code was built for ABI \(table.abi), plugin.json says \(manifest.abi)")
        }
        let code: PluginManifest
        do {
            code = try PluginManifest(reading: table.manifest, packaged: false)
        } catch {
            throw PluginRefusal(.manifestDiffers, "the manifest in the code is invalid: \(error)")
        }
        let (document, raised) = ManifestDifference.raised(file: manifest.document, code: code.document)
        if let pointer = ManifestDifference.pointer(file: manifest.document, code: document) {
            throw PluginRefusal(
                .manifestDiffers, "plugin.json and the code differ at \(pointer.isEmpty ? "/" : pointer)")
        }
        return raised
    }

    /// Makes and destroys an instance: a plugin that cannot be created is refused before anybody needs it.
    private func tryOut(_ plugin: LoadedPlugin) throws(PluginRefusal) {
        let trial = Trial()
        plugin.queue.submit {
            trial.finish(PluginInstance(of: plugin, for: nil, settings: Array("{}".utf8)).tryOut())
        }
        let limit = 2 * Watchdog.activationNanoseconds
        guard trial.wait(untilNanoseconds: monotonicNanoseconds() + limit) else {
            throw PluginRefusal(.createFailed, "create does not return")
        }
        guard let failure = trial.failure else { return }
        if let exit = plugin.link?.crash(within: .milliseconds(500)) {
            throw PluginRefusal(.createFailed, "create does not return: the isolated process \(exit)")
        }
        throw PluginRefusal(.createFailed, failure)
    }

    /// What a trial on another thread came to.
    private final class Trial: @unchecked Sendable {
        // Both properties are guarded by the monitor until it is finished, and constant then.
        private let monitor = Monitor()
        private var isFinished = false
        private(set) var failure: String?

        func finish(_ failure: String?) {
            monitor.lock()
            isFinished = true
            self.failure = failure
            monitor.unlock()
            monitor.signal()
        }

        /// Blocks; false when the time is over.
        func wait(untilNanoseconds deadline: UInt64) -> Bool {
            monitor.lock()
            defer { monitor.unlock() }
            while !isFinished {
                if !monitor.wait(untilNanoseconds: deadline) { return isFinished }
            }
            return true
        }
    }

    private func warnings(_ bundle: Bundle, _ entry: RegistryEntry) -> [String] {
        var warnings: [String] = []
        for (id, effect) in entry.effects.sorted(by: { $0.key < $1.key }) {
            guard let tool = bundle.manifest.tools.first(where: { $0.id == id }) else {
                warnings.append("the registry names \(id), no tool of it")
                continue
            }
            if tool.effect > effect {
                warnings.append(
                    "the registry takes \(id) for \(effect.rawValue), but it counts as \(tool.effect.rawValue)")
            }
        }
        let stray = bundle.manifest.foreign == nil ? bundle.image?.strayExports ?? [] : []
        guard !stray.isEmpty else { return warnings }
        let names = stray.prefix(3).joined(separator: ", ")
        return warnings + ["exports \(stray.count) symbols besides the entry: \(names)\(stray.count > 3 ? " …" : "")"]
    }
}
