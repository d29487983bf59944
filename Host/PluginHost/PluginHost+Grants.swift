public import TandemCore

/// Where one plugin stands with one person, for lists and pages.
public struct PluginGrant: Sendable, Hashable {
    /// Where one tool stands.
    public struct Tool: Sendable, Hashable {
        public var id: String
        public var title: String
        public var effect: Effect
        public var access: ToolAccess
    }

    public var plugin: String
    public var namespace: String
    /// Marked when nobody but its developer answers for it.
    public var name: String
    public var summary: String
    public var aliases: [String]
    public var trust: RegistryEntry.Trust
    public var state: GrantState
    /// It was on, and what it asks for has changed since the person approved it: the plugin as a whole waits.
    public var hasChanged: Bool
    /// The person agreed to everything that it asks for now, at some time: it can go on again without a question.
    public var isApproved: Bool
    /// In the order of the manifest.
    public var tools: [Tool]
    /// What it may do, for the person to read before it is switched on.
    public var consent: String
    /// The same with fewer words, then with as few as name every kind of thing.
    public var briefConsents: [String]
    /// What it asks for now beyond what was approved: `wants to send messages now`. Nil: nothing.
    public var request: String?
    /// The person was asked for exactly this before.
    public var wasAsked: Bool
}

/// One change of where a plugin stands with one person, after it was stored.
public struct GrantChangeNotice: Sendable, Hashable {
    /// Its id.
    public var plugin: String
    public var before: GrantState
    public var after: GrantState
    public var scope: UserScope
}

/// Why a plugin cannot be switched as asked.
public struct GrantError: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        public static let unknownPlugin = Code(rawValue: "unknown_plugin")
        public static let unknownTool = Code(rawValue: "unknown_tool")
        public static let illegalTransition = Code(rawValue: "illegal_transition")
    }

    public var code: Code
    public var reason: String

    public var description: String { reason }
}

extension PluginHost {
    // MARK: Reading

    /// Where every loaded plugin stands with this person, in the order of the registry, without unavailable ones.
    public func states(_ scope: UserScope) async throws -> [PluginGrant] {
        let grants = try await resolvedGrants(of: scope)
        return grants.set.plugins.indices.compactMap { index in
            let grant = PluginHost.grant(grants, index)
            return grant.state == .unavailable ? nil : grant
        }
    }

    /// Where one plugin (id or namespace) stands with this person. Throws `GrantError` for an unknown one.
    public func grant(of plugin: String, in scope: UserScope) async throws -> PluginGrant {
        let id = try find(plugin).id
        let grants = try await resolvedGrants(of: scope)
        guard let index = grants.set.plugins.firstIndex(where: { $0.id == id }) else {
            throw GrantError(code: .unknownPlugin, reason: "there is no plugin \(plugin)")
        }
        return PluginHost.grant(grants, index)
    }

    private static func grant(_ grants: ResolvedGrants, _ index: Int) -> PluginGrant {
        let plugin = grants.set.plugins[index]
        let record = grants.records[plugin.id]
        let state = ResolvedGrants.state(of: plugin, record: record)
        let drift = ResolvedGrants.drift(of: plugin, record: record)
        let access =
            grants.access[index] ?? PluginAccess(level: .readOnly, offered: Set(), tools: record?.tools ?? [:])
        let isOn = grants.access[index] != nil
        let hasChanged = record.map { $0.state != state } ?? false
        // A plugin that is off is asked about as a whole when it is switched on.
        let isAsking = record?.state.level != nil && (hasChanged || (isOn && !drift.isEmpty))
        return PluginGrant(
            plugin: plugin.id, namespace: plugin.manifest.namespace, name: plugin.name,
            summary: plugin.manifest.summary, aliases: plugin.manifest.aliases, trust: plugin.entry.trust, state: state,
            hasChanged: hasChanged, isApproved: record?.reach != nil && drift.isEmpty,
            tools: plugin.tools.map { tool in
                let definition = tool.definition
                return PluginGrant.Tool(
                    id: definition.id, title: definition.title, effect: definition.effect,
                    access: isOn
                        ? access.access(to: definition) : record?.tools[definition.id] == .off ? .off : .offered)
            }, consent: ConsentText.summary(of: plugin.manifest, trust: plugin.entry.trust),
            briefConsents: ConsentText.briefs(of: plugin.manifest, trust: plugin.entry.trust),
            request: isAsking ? ConsentText.request(drift, of: plugin.manifest, trust: plugin.entry.trust) : nil,
            wasAsked: record?.asked == plugin.reachHash)
    }

    /// Whether and why not a tool is usable by a person; nil for a tool that no loaded plugin has.
    public func obstacle(to tool: String, in scope: UserScope) async throws -> (grant: PluginGrant, access: ToolAccess)?
    {
        let grants = try await resolvedGrants(of: scope)
        guard let reference = grants.set.tools[tool] else { return nil }
        let grant = PluginHost.grant(grants, reference.index)
        guard let access = grant.tools.first(where: { $0.id == tool })?.access else { return nil }
        return (grant, access)
    }

    /// The first plugin that asks for more than this person approved and did not ask for it before, with the hash that
    /// `GrantRecord.asked` keeps; nil nearly always. Cheap.
    public func unasked(in scope: UserScope) async throws -> (grant: PluginGrant, hash: String)? {
        let grants = try await resolvedGrants(of: scope)
        guard let index = grants.asking else { return nil }
        return (PluginHost.grant(grants, index), grants.set.plugins[index].reachHash)
    }

    // MARK: Changing

    /// Takes one step of the state machine for a plugin (id or namespace) and a person. Effective for the next call.
    ///
    /// `.approve` and `.enable` store what the plugin asks for now as approved. Throws `GrantError`, and what the store
    /// throws.
    @discardableResult
    public func apply(
        _ event: GrantEvent, to plugin: String, in scope: UserScope, origin: WriteOrigin? = nil
    ) async throws -> GrantState {
        try await change(plugin, in: scope, origin: origin) { change in try change.apply(event) }
    }

    /// Switches a plugin on, from wherever it stands: consent, connection and approval in one step, for a person who just
    /// said so.
    ///
    /// - Parameter level: nil: as far as it went before; the first time everything for a first-party plugin, asking
    ///   before each change for all others.
    @discardableResult
    public func switchOn(
        _ plugin: String, level: GrantLevel? = nil, in scope: UserScope, origin: WriteOrigin? = nil
    ) async throws -> GrantState {
        try await change(plugin, in: scope, origin: origin) { change in try change.enable(level) }
    }

    /// Switches a plugin off. Calls that already run are not undone; the plugin's services end at once.
    @discardableResult
    public func switchOff(
        _ plugin: String, in scope: UserScope, origin: WriteOrigin? = nil
    ) async throws -> GrantState {
        try await apply(.disable, to: plugin, in: scope, origin: origin)
    }

    /// Sets how far a plugin that is on may go. What was decided about single tools gives way, except what is off.
    @discardableResult
    public func setLevel(
        _ level: GrantLevel, of plugin: String, in scope: UserScope, origin: WriteOrigin? = nil
    ) async throws -> GrantState {
        try await change(plugin, in: scope, origin: origin) { change in
            // How far it may go says nothing about what it newly asks for.
            let before = (change.state.name == "enabled", change.approval, change.reach)
            try change.enable(level)
            if before.0 { (change.approval, change.reach) = (before.1, before.2) }
            change.tools = change.tools.filter { $0.value == .off }
        }
    }

    /// Decides about one tool; nil: as the plugin as a whole. A tool that is granted something counts as approved as it is
    /// now. Throws `GrantError` for an unknown tool.
    public func setTool(
        _ tool: String, to grant: ToolGrant?, in scope: UserScope, origin: WriteOrigin? = nil
    ) async throws {
        guard let reference = catalogue.tools[tool] else {
            throw GrantError(code: .unknownTool, reason: "there is no tool \(tool)")
        }
        _ = try await change(reference.plugin.id, in: scope, origin: origin) { change in
            if grant != .off, change.state.level == nil {
                throw GrantError(code: .illegalTransition, reason: "\(change.plugin.name) is off")
            }
            change.tools[tool] = grant
            guard grant != .off else { return }
            // From a time when only a hash was kept: what stood until now stays approved.
            guard var approved = change.reach?.value else { return }
            approved.tools[tool] = change.plugin.reach.tools[tool]
            change.reach = StoredReach(approved)
        }
    }

    /// The person agreed to what the plugin asks for now; it goes on at the level it had.
    @discardableResult
    public func approveChanges(
        of plugin: String, in scope: UserScope, origin: WriteOrigin? = nil
    ) async throws -> GrantState {
        try await change(plugin, in: scope, origin: origin) { change in
            try change.enable(change.record?.state.level ?? change.state.level)
        }
    }

    /// The person was asked for what the plugin asks for now, or did not want it: not asked again.
    public func noteAsked(_ plugin: String, in scope: UserScope, origin: WriteOrigin? = nil) async throws {
        _ = try await change(plugin, in: scope, origin: origin) { change in
            change.asked = change.plugin.reachHash
            // Only that: a plugin that waits as a whole goes on waiting.
            change.keepsState = true
        }
    }

    /// Sets a state directly, along the legal way.
    @discardableResult
    public func setState(
        _ state: GrantState, of plugin: String, in scope: UserScope, origin: WriteOrigin? = nil
    ) async throws -> GrantState {
        try await change(plugin, in: scope, origin: origin) { change in
            switch state {
            case .unavailable: try change.apply(.withdraw)
            case .offered:
                try change.apply(.withdraw)
                try change.apply(.offer)
            case .consent: try change.apply(.askConsent)
            case .connected:
                try change.apply(.askConsent)
                try change.apply(.approve)
            case .enabled(let level): try change.enable(level)
            case .paused: try change.apply(.pause)
            case .needsReauth: try change.apply(.loseConnection)
            case .disabled: try change.apply(.disable)
            }
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

    /// Reads a person's record of a plugin, changes it and writes it back.
    private func change(
        _ name: String, in scope: UserScope, origin: WriteOrigin?, _ body: (inout GrantChange) throws -> Void
    ) async throws -> GrantState {
        let plugin = try find(name)
        // From the store, not from memory: the step must start where the person stands.
        let record = try await grantStore.grants(of: scope).first { $0.plugin == plugin.id }
        var change = GrantChange(plugin: plugin, record: record)
        let (before, levelBefore) = (change.state, record?.state.level)
        try body(&change)
        try await grantStore.save(change.result, for: scope, origin: origin)
        cache.forget(scope)
        if change.keepsState { return before }
        let access = ResolvedGrants.access(to: plugin, record: change.result)
        plugin.restrict(scope, to: access, grace: configuration.cancelGrace.nanoseconds)
        if before != change.state || levelBefore != change.result.state.level {
            await services.grantChanged?(
                GrantChangeNotice(plugin: plugin.id, before: before, after: change.state, scope: scope))
        }
        return change.state
    }

    /// What an instance for this person does not get, whoever needs it.
    func withheld(from plugin: LoadedPlugin, in scope: UserScope) async -> Set<ReachItem> {
        guard let grants = try? await resolvedGrants(of: scope),
            let index = grants.set.plugins.firstIndex(where: { $0 === plugin })
        else { return plugin.reach.items }
        return grants.access[index]?.withheld ?? plugin.reach.items
    }

    /// The grants in memory, when they are for `set` and young enough.
    func freshGrants(of scope: UserScope, for set: PluginSet, now: UInt64) -> ResolvedGrants? {
        guard let grants = cache.grants(of: scope), grants.set === set else { return nil }
        guard grants.changeCount == grantStore.changeCount else { return nil }
        let age = now > grants.readAt ? now - grants.readAt : 0
        return age <= configuration.grantsMaxAge.nanoseconds ? grants : nil
    }

    func resolvedGrants(of scope: UserScope) async throws -> ResolvedGrants {
        let set = catalogue
        let readAt = monotonicNanoseconds()
        if let fresh = freshGrants(of: scope, for: set, now: readAt) { return fresh }
        let version = cache.version(of: scope)
        let changeCount = grantStore.changeCount
        let earlier = cache.lastKnown(of: scope)
        let records = try await grantStore.grants(of: scope)
        let grants = ResolvedGrants(
            records: Dictionary(records.map { ($0.plugin, $0) }, uniquingKeysWith: { first, _ in first }), set: set,
            readAt: readAt, changeCount: changeCount)
        if let earlier, earlier.set === set { endWhatWasTakenBack(earlier, grants, scope) }
        cache.store(grants, for: scope, ifVersion: version)
        return grants
    }

    /// An undo or another process changed the records: what they no longer cover ends.
    private func endWhatWasTakenBack(_ old: ResolvedGrants, _ new: ResolvedGrants, _ scope: UserScope) {
        for (index, plugin) in new.set.plugins.enumerated() {
            guard old.access[index] != nil, old.access[index] != new.access[index] else { continue }
            plugin.restrict(scope, to: new.access[index], grace: configuration.cancelGrace.nanoseconds)
        }
    }
}

/// One change of one person's record of one plugin.
struct GrantChange {
    let plugin: LoadedPlugin
    let record: GrantRecord?
    private var machine: GrantMachine
    var approval: String
    var reach: StoredReach?
    var tools: [String: ToolGrant]
    var asked: String
    /// The state on record stays, whatever it amounts to now.
    var keepsState = false

    init(plugin: LoadedPlugin, record: GrantRecord?) {
        self.plugin = plugin
        self.record = record
        machine = GrantMachine(ResolvedGrants.state(of: plugin, record: record))
        // What the registry switches on for everybody counts as approved as it is.
        let isOnByDefault = record == nil && machine.state.level != nil
        approval = record?.approval ?? (isOnByDefault ? plugin.approval : "")
        reach = record?.reach ?? (isOnByDefault ? StoredReach(hash: plugin.reachHash, text: plugin.reachText) : nil)
        tools = record?.tools ?? [:]
        asked = record?.asked ?? ""
    }

    var state: GrantState { machine.state }

    mutating func apply(_ event: GrantEvent) throws {
        do {
            try machine.apply(event)
        } catch {
            throw GrantError(code: .illegalTransition, reason: "\(plugin.name): \(error)")
        }
        switch event {
        case .approve, .enable:
            approval = plugin.approval
            reach = StoredReach(hash: plugin.reachHash, text: plugin.reachText)
        default: break
        }
    }

    /// From wherever it stands to on.
    mutating func enable(_ level: GrantLevel?) throws {
        let level =
            level ?? record?.state.level ?? record?.lastLevel
            ?? (plugin.entry.trust == .firstParty ? .write : .confirm)
        switch state {
        case .unavailable: throw GrantError(code: .illegalTransition, reason: "\(plugin.name) is not available")
        case .offered, .disabled:
            try apply(.askConsent)
            try apply(.approve)
        case .consent: try apply(.approve)
        case .connected, .enabled, .paused: break
        case .needsReauth:
            throw GrantError(
                code: .illegalTransition, reason: "\(plugin.name) has to be connected again first")
        }
        try apply(.enable(level))
    }

    var result: GrantRecord {
        var result = GrantRecord(
            plugin: plugin.id, state: keepsState ? record?.state ?? state : state, approval: approval, tools: tools,
            asked: asked)
        result.reach = reach
        result.lastLevel = result.state.level ?? record?.state.level ?? record?.lastLevel
        return result
    }
}
