public import TandemCore

/// Where one plugin stands with one person, for lists and pages.
public struct PluginGrant: Sendable, Hashable {
    public var plugin: String
    public var name: String
    public var summary: String
    public var aliases: [String]
    public var state: GrantState
    /// It was on, and its manifest has changed since the person approved it.
    public var hasChanged: Bool
}

/// Why a plugin cannot be switched as asked.
public struct GrantError: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        public static let unknownPlugin = Code(rawValue: "unknown_plugin")
        public static let illegalTransition = Code(rawValue: "illegal_transition")
    }

    public var code: Code
    public var reason: String

    public var description: String { reason }
}

extension PluginHost {
    /// Where every loaded plugin stands with this person, in the order of the registry, without unavailable ones.
    public func states(_ scope: UserScope) async throws -> [PluginGrant] {
        let grants = try await resolvedGrants(of: scope)
        return grants.set.plugins.compactMap { plugin in
            let record = grants.records[plugin.id]
            let state = ResolvedGrants.state(of: plugin, record: record)
            guard state != .unavailable else { return nil }
            return PluginGrant(
                plugin: plugin.id, name: plugin.name, summary: plugin.manifest.summary,
                aliases: plugin.manifest.aliases, state: state,
                hasChanged: record.map { $0.state != state } ?? false)
        }
    }

    /// Takes one step of the state machine for a plugin (id or namespace) and a person. Effective for the next call.
    ///
    /// `.approve` and `.enable` store what the plugin asks for now as approved. Throws `GrantError`, and what the store
    /// throws.
    @discardableResult
    public func apply(_ event: GrantEvent, to plugin: String, in scope: UserScope) async throws -> GrantState {
        try await apply([event], to: plugin, in: scope)
    }

    /// Switches a plugin on, from wherever it stands: consent, connection and approval in one step, for a person who just
    /// said so.
    @discardableResult
    public func switchOn(
        _ plugin: String, level: GrantLevel = .write, in scope: UserScope
    ) async throws -> GrantState {
        let loaded = try find(plugin)
        let grants = try await resolvedGrants(of: scope)
        var events: [GrantEvent]
        switch ResolvedGrants.state(of: loaded, record: grants.records[loaded.id]) {
        case .unavailable:
            throw GrantError(code: .illegalTransition, reason: "\(loaded.name) is not available")
        case .offered, .disabled: events = [.askConsent, .approve, .enable(level)]
        case .consent: events = [.approve, .enable(level)]
        case .connected, .enabled, .paused: events = [.enable(level)]
        case .needsReauth:
            throw GrantError(code: .illegalTransition, reason: "\(loaded.name) has to be connected again first")
        }
        return try await apply(events, to: loaded.id, in: scope)
    }

    /// Switches a plugin off. Calls that already run are not undone; the plugin's services end at once.
    @discardableResult
    public func switchOff(_ plugin: String, in scope: UserScope) async throws -> GrantState {
        try await apply([.disable], to: plugin, in: scope)
    }

    /// Sets a state directly, along the legal way.
    @discardableResult
    public func setState(_ state: GrantState, of plugin: String, in scope: UserScope) async throws -> GrantState {
        switch state {
        case .unavailable: return try await apply(.withdraw, to: plugin, in: scope)
        case .offered: return try await apply([.withdraw, .offer], to: plugin, in: scope)
        case .consent: return try await apply(.askConsent, to: plugin, in: scope)
        case .connected: return try await apply([.askConsent, .approve], to: plugin, in: scope)
        case .enabled(let level): return try await switchOn(plugin, level: level, in: scope)
        case .paused: return try await apply(.pause, to: plugin, in: scope)
        case .needsReauth: return try await apply(.loseConnection, to: plugin, in: scope)
        case .disabled: return try await switchOff(plugin, in: scope)
        }
    }

    /// Another part of the program changed the stored grants of a person.
    public func grantsChanged(in scope: UserScope) { cache.forget(scope) }

    /// A person's settings of a plugin changed.
    public func settingsChanged(of plugin: String, in scope: UserScope) async {
        await catalogue.plugin(plugin)?.plugin.refreshSettings(for: scope)
    }

    // MARK: Internals

    func find(_ name: String) throws(GrantError) -> LoadedPlugin {
        let plugins = catalogue.plugins
        if let plugin = plugins.first(where: { $0.id == name })
            ?? plugins.first(where: { $0.manifest.namespace == name })
        {
            return plugin
        }
        throw GrantError(code: .unknownPlugin, reason: "there is no plugin \(name)")
    }

    private func apply(
        _ events: [GrantEvent], to name: String, in scope: UserScope
    ) async throws -> GrantState {
        let plugin = try find(name)
        // From the store, not from memory: the step must start where the person stands.
        let records = try await grantStore.grants(of: scope)
        let record = records.first { $0.plugin == plugin.id }
        let before = ResolvedGrants.state(of: plugin, record: record)
        var machine = GrantMachine(before)
        var approval = record?.approval ?? ""
        for event in events {
            do {
                try machine.apply(event)
            } catch {
                throw GrantError(code: .illegalTransition, reason: "\(plugin.name): \(error)")
            }
            switch event {
            case .approve, .enable: approval = plugin.approval
            default: break
            }
        }
        try await grantStore.save(
            GrantRecord(plugin: plugin.id, state: machine.state, approval: approval), for: scope)
        cache.forget(scope)
        if case .enabled = before, machine.state.name != "enabled" { plugin.revoke(scope) }
        return machine.state
    }

    /// The grants in memory, when they are for `set` and young enough.
    func freshGrants(of scope: UserScope, for set: PluginSet, now: UInt64) -> ResolvedGrants? {
        guard let grants = cache.grants(of: scope), grants.set === set else { return nil }
        let age = now > grants.readAt ? now - grants.readAt : 0
        return age <= configuration.grantsMaxAge.nanoseconds ? grants : nil
    }

    func resolvedGrants(of scope: UserScope) async throws -> ResolvedGrants {
        let set = catalogue
        let readAt = monotonicNanoseconds()
        if let fresh = freshGrants(of: scope, for: set, now: readAt) { return fresh }
        let version = cache.version(of: scope)
        let records = try await grantStore.grants(of: scope)
        let grants = ResolvedGrants(
            records: Dictionary(records.map { ($0.plugin, $0) }, uniquingKeysWith: { first, _ in first }), set: set,
            readAt: readAt)
        cache.store(grants, for: scope, ifVersion: version)
        return grants
    }
}
