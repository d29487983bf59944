import Logging
import Synchronization
import TandemCore

/// A version that has just taken over, watched for a while.
struct Probation: Sendable {
    var plugin: String
    /// Of the new version's `plugin.json`.
    var checksum: String
    var old: LoadedPlugin.Origin
    var oldChecksum: String
    /// As the counters stood when it took over.
    var start: PluginCounters
    var until: UInt64
    /// The version before said that it is failing: then that says nothing against this one.
    var wasFailing: Bool
    /// When it is asked next how it is, and how often in a row it said that it is failing.
    var nextHealth: UInt64 = 0
    var failingAnswers = 0

    /// Why the new version should go, if it should.
    func verdict(_ now: PluginCounters, crashes: Int) -> String? {
        if crashes >= 2 { return "it crashed \(crashes) times" }
        let calls = now.calls - start.calls
        guard calls >= 20 else { return nil }
        func broken(_ counters: PluginCounters) -> Int {
            counters.refusals + counters.malformedOutcomes + counters.invalidResults + counters.deadlines
                + counters.instancesFailed
        }
        let brokenShare = Double(broken(now) - broken(start)) / Double(calls)
        let earlierBroken = start.calls > 0 ? Double(broken(start)) / Double(start.calls) : 0
        if brokenShare > max(0.1, 3 * earlierBroken) {
            return "\(Int((brokenShare * 100).rounded())) % of its calls broke the contract or took too long"
        }
        let failedShare = Double(now.failures - start.failures) / Double(calls)
        let earlierFailed = start.calls > 0 ? Double(start.failures) / Double(start.calls) : 0
        if calls >= 50, failedShare > max(0.5, 5 * earlierFailed) {
            return
                "\(Int((failedShare * 100).rounded())) % of its calls failed, \(Int((earlierFailed * 100).rounded())) % "
                + "before"
        }
        return nil
    }
}

/// Why a plugin cannot be upgraded or rolled back.
public struct VersionError: Error, Sendable, Hashable, CustomStringConvertible {
    public var reason: String

    public var description: String { reason }
}

extension PluginHost {
    /// Puts another version of a plugin in the place of the one that runs: loaded and tried beside it; then new calls go
    /// to it, and the old one ends when its last call has. Kept over restarts; a running host follows within moments.
    ///
    /// - Parameters:
    ///   - name: id or namespace.
    ///   - path: the bundle, which is copied.
    /// - Returns: the version that runs now.
    /// - Throws: `VersionError`; the plugin is then as it was.
    @discardableResult
    public func upgrade(_ name: String, to path: String) async throws(VersionError) -> String {
        let plugin = try running(name)
        guard let store = configuration.bundleStore, let book = configuration.versionsPath else {
            throw VersionError(reason: "this host keeps no versions of plugins")
        }
        let chosen: String
        do {
            chosen = try await offPool {
                let bundle = try Bundle(at: path)
                guard bundle.manifest.id == plugin.id else {
                    throw VersionError(reason: "the bundle holds \(bundle.manifest.id), not \(plugin.id)")
                }
                let origin = plugin.origin
                let previous = try origin.kept ?? store.keep(try Bundle(at: plugin.bundlePath))
                let current = try store.keep(bundle)
                try VersionBook.update(at: book) { book in
                    let rejected = book.choices[plugin.id]?.rejected ?? []
                    book.choices[plugin.id] = VersionBook.Choice(
                        current: current, pin: bundle.manifestChecksum, previous: previous,
                        previousPin: plugin.manifestChecksum, registry: origin.registry,
                        rejected: rejected.filter { $0 != bundle.manifestChecksum })
                }
                return bundle.manifestChecksum
            }
        } catch let error as VersionError {
            throw error
        } catch {
            throw VersionError(reason: "\(error)")
        }
        await reload()
        await checkProbations(isFirst: true)
        guard let now = catalogue.plugin(plugin.id)?.plugin, now.manifestChecksum == chosen else {
            let reason = (try? VersionBook.load(from: book))?.choices[plugin.id]?.reason
            throw VersionError(reason: "the new version was refused: \(reason ?? "see the log")")
        }
        return now.manifest.version
    }

    /// Goes back to the version before the last upgrade; the present one is not taken again by itself.
    ///
    /// - Returns: the version that runs now.
    /// - Throws: `VersionError`.
    @discardableResult
    public func rollback(_ name: String) async throws(VersionError) -> String {
        let plugin = try running(name)
        try await goBack(plugin.id, from: plugin.manifestChecksum, reason: "rolled back by command")
        guard let now = catalogue.plugin(plugin.id)?.plugin else {
            throw VersionError(reason: "\(plugin.id) could not be loaded again; see the log")
        }
        return now.manifest.version
    }

    private func running(_ name: String) throws(VersionError) -> LoadedPlugin {
        let plugins = catalogue.plugins
        guard let plugin = plugins.first(where: { $0.id == name || $0.manifest.namespace == name }) else {
            throw VersionError(reason: "there is no plugin \(name)")
        }
        return plugin
    }

    private func goBack(_ plugin: String, from checksum: String, reason: String) async throws(VersionError) {
        guard let book = configuration.versionsPath else {
            throw VersionError(reason: "this host keeps no versions of plugins")
        }
        do {
            try await offPool {
                try VersionBook.update(at: book) { book in
                    guard let choice = book.choices[plugin], choice.pin == checksum,
                        let back = choice.reversed(rejecting: true, reason: reason)
                    else { throw VersionError(reason: "there is no earlier version of \(plugin) to go back to") }
                    book.choices[plugin] = back
                }
            }
        } catch let error as VersionError {
            throw error
        } catch {
            throw VersionError(reason: "\(error)")
        }
        await reload()
    }

    // MARK: Probation

    /// The versions in runners that take over from others which could be gone back to, with those.
    private func successors(_ set: PluginSet, instead old: PluginSet) -> [(new: LoadedPlugin, old: LoadedPlugin)] {
        guard configuration.bundleStore != nil else { return [] }
        return set.plugins.compactMap { plugin in
            guard plugin.link != nil, let before = old.plugin(plugin.id)?.plugin, before !== plugin,
                before.origin.kept != nil, before.manifestChecksum != plugin.manifestChecksum
            else { return nil }
            return (plugin, before)
        }
    }

    /// Those whose present version, soon to be replaced, says that it is failing.
    func failingBefore(_ set: PluginSet, instead old: PluginSet) async -> Set<String> {
        var failing: Set<String> = []
        for (plugin, _) in successors(set, instead: old) where await isFailing(plugin.id) != nil {
            failing.insert(plugin.id)
        }
        return failing
    }

    /// Begins to watch the versions that have just taken over from others.
    func beginProbation(of set: PluginSet, instead old: PluginSet, failing: Set<String>) {
        for (plugin, before) in successors(set, instead: old) {
            let probation = Probation(
                plugin: plugin.id, checksum: plugin.manifestChecksum, old: before.origin,
                oldChecksum: before.manifestChecksum, start: plugin.meters.snapshot,
                until: monotonicNanoseconds() + configuration.probation.nanoseconds,
                wasFailing: failing.contains(plugin.id))
            probations.withLock { $0[plugin.id] = probation }
        }
    }

    /// Why a plugin says that it is failing; nil: it does not.
    private func isFailing(_ plugin: String) async -> String? {
        guard let health = try? await health(of: plugin, in: PluginHost.nobody), health.status == .failing else {
            return nil
        }
        let check = health.checks.first { $0.status == .failing }
        return
            "its health is failing: \(health.reason ?? check.map { "\($0.name) \($0.message)" } ?? "it does not say why")"
    }

    /// Rolls back what fails; called now and then.
    ///
    /// - Parameter isFirst: right after the change: a version that is failing from the start goes at once.
    func checkProbations(isFirst: Bool = false) async {
        let watched = probations.withLock { $0 }
        guard !watched.isEmpty else { return }
        let now = monotonicNanoseconds()
        for (id, probation) in watched {
            guard let plugin = catalogue.plugin(id)?.plugin, plugin.manifestChecksum == probation.checksum,
                now < probation.until
            else {
                probations.withLock { $0[id] = nil }
                continue
            }
            var reason = probation.verdict(
                plugin.meters.snapshot, crashes: plugin.link?.status.crashes ?? 0)
            if reason == nil, !probation.wasFailing, isFirst || now >= probation.nextHealth {
                let failing = await isFailing(id)
                let answers = failing == nil ? 0 : probation.failingAnswers + 1
                if isFirst ? answers > 0 : answers > 1 { reason = failing }
                probations.withLock { probations in
                    guard probations[id]?.checksum == probation.checksum else { return }
                    probations[id]?.failingAnswers = answers
                    probations[id]?.nextHealth = monotonicNanoseconds() + Self.healthInterval
                }
            }
            guard let reason else { continue }
            // Somebody else may have acted while this one asked.
            let isMine = probations.withLock { $0.removeValue(forKey: id)?.checksum == probation.checksum }
            guard isMine, catalogue.plugin(id)?.plugin === plugin else { continue }
            await rollBack(probation, plugin, reason: reason)
        }
    }

    private static let healthInterval: UInt64 = 2_000_000_000

    private func rollBack(_ probation: Probation, _ plugin: LoadedPlugin, reason: String) async {
        plugin.logger.error("a new version of a plugin is rolled back", metadata: ["reason": "\(reason)"])
        guard let book = configuration.versionsPath, let kept = probation.old.kept else { return }
        do {
            try await offPool {
                try VersionBook.update(at: book) { book in
                    let rejected = book.choices[plugin.id]?.rejected ?? []
                    // What was itself rolled back is nothing to go back to.
                    guard !rejected.contains(probation.oldChecksum) else { return }
                    book.choices[plugin.id] = VersionBook.Choice(
                        current: kept, pin: probation.oldChecksum, previous: plugin.origin.kept,
                        previousPin: plugin.origin.kept == nil ? nil : probation.checksum,
                        registry: plugin.origin.registry,
                        rejected: Array(
                            (rejected.filter { $0 != probation.checksum } + [probation.checksum]).suffix(16)),
                        reason: "\(plugin.manifest.version) was rolled back: \(reason)")
                }
            }
        } catch {
            plugin.logger.error("a rollback cannot be recorded", metadata: ["error": "\(error)"])
            return
        }
        await reload()
    }

    /// Runs something that blocks on a thread of the host's own.
    private func offPool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let done = OneShot<Result<Value, any Error>>()
        let work: @Sendable () -> Void = { done.resolve(Result { try body() }) }
        if !HostThread.start(work) { WorkerPool.shared.submit(work) }
        return try await done.value().get()
    }
}
