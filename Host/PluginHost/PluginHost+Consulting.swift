import CTandemPlugin
public import TandemCore
public import TandemJSON

/// How a plugin is.
public struct PluginHealth: Sendable, Hashable {
    public enum Status: String, Sendable, CaseIterable {
        case ok, degraded, failing
        /// The plugin does not say.
        case unknown
    }

    public struct Check: Sendable, Hashable {
        public var name: String
        public var status: Status
        public var message: String
    }

    public var status: Status
    public var checks: [Check]
    /// Why it counts as failing, when it did not say so itself.
    public var reason: String?
    public var milliseconds: Int
}

/// What a plugin says of settings before they are saved.
public struct SettingsVerdict: Sendable, Hashable {
    public struct Problem: Sendable, Hashable {
        /// The setting; empty: all together.
        public var name: String
        public var message: String
    }

    /// None: they can be saved.
    public var problems: [Problem]
    /// They could not be tried.
    public var isUntested: Bool
}

/// Why settings cannot be changed.
public struct SettingsError: Error, Sendable, Hashable, CustomStringConvertible {
    public var reason: String

    public var description: String { reason }
}

extension PluginHost {
    /// For questions about a plugin as such: somebody who has no data, and for whom none is kept.
    public static let nobody = UserScope(authenticated: UserID(rawValue: 0))

    // MARK: Health and diagnostics

    /// Asks a plugin (id or namespace) how it is, by its instance for `scope`. Throws `GrantError` for an unknown plugin.
    public func health(of name: String, in scope: UserScope) async throws -> PluginHealth {
        let plugin = try find(name)
        let started = monotonicNanoseconds()
        let answer = await consult(plugin, .health, arguments: [:], in: scope)
        let milliseconds = Int((monotonicNanoseconds() - started) / 1_000_000)
        func failing(_ reason: String) -> PluginHealth {
            PluginHealth(status: .failing, checks: [], reason: reason, milliseconds: milliseconds)
        }
        guard let answer else {
            return PluginHealth(status: .unknown, checks: [], reason: nil, milliseconds: milliseconds)
        }
        switch answer {
        case .value(let result):
            guard let status = result.value["status"]?.stringValue.flatMap(PluginHealth.Status.init(rawValue:)),
                status != .unknown
            else { return failing("it answered something else than its health") }
            let checks = (result.value["checks"]?.arrayValue ?? []).prefix(32).map { check in
                PluginHealth.Check(
                    name: Self.line(check["name"]),
                    status: PluginHealth.Status(
                        rawValue: check["status"]?.stringValue ?? "") ?? .failing,
                    message: Self.line(check["message"]))
            }
            return PluginHealth(status: status, checks: Array(checks), reason: nil, milliseconds: milliseconds)
        case .failure(let failure): return failing(failure.code)
        case .inputRequired, .authRequired, .accepted: return failing("it asked instead of answering")
        }
    }

    /// What the host knows of a plugin and what the plugin says of itself, with everything masked that looks private.
    ///
    /// Throws `GrantError` for an unknown plugin.
    public func diagnostics(of name: String, in scope: UserScope) async throws -> JSON {
        let plugin = try find(name)
        let answer = await consult(plugin, .diagnostics, arguments: [:], in: scope)
        var counters: JSONObject = [:]
        for counter in plugin.meters.snapshot.all { counters[counter.name] = .integer(Int64(counter.value)) }
        let own: JSON
        switch answer {
        case nil: own = .null
        case .value(let result):
            own = result.value.serialized().count <= 256 << 10 ? Self.masked(result.value, depth: 0) : "too large"
        case .failure(let failure): own = ["failed": .string(failure.code)]
        case .inputRequired, .authRequired, .accepted: own = ["failed": "no_value"]
        }
        return [
            "plugin": .string(plugin.id), "version": .string(plugin.manifest.version),
            "library": .string(plugin.imageChecksum), "manifest": .string(plugin.manifestChecksum),
            "trust": .string(plugin.entry.trust.rawValue), "isolation": .string(plugin.entry.isolation.rawValue),
            "instances": .integer(Int64(plugin.instanceCount)),
            "lastFailure": plugin.lastFailure.map { .string(Redaction.masked($0)) } ?? .null,
            "warnings": .array(plugin.warnings.map { .string($0) }), "counters": .object(counters),
            "says": own,
        ]
    }

    // MARK: Settings

    /// Tries a change of settings: the schema first, then the plugin itself. Nothing is saved.
    ///
    /// - Parameters:
    ///   - changes: settings by name; null takes one back to its default.
    ///   - isOperator: the operator's values are meant, not the person's.
    public func check(
        settings changes: JSONObject, of name: String, in scope: UserScope, isOperator: Bool = false
    ) async throws -> SettingsVerdict {
        try await tried(changes, of: find(name), in: scope, isOperator: isOperator).verdict
    }

    /// Tries a change of settings and saves it when nothing speaks against it.
    ///
    /// - Parameter insists: saves also what could not be tried; never what the plugin objects to.
    @discardableResult
    public func change(
        settings changes: JSONObject, of name: String, in scope: UserScope, isOperator: Bool = false,
        insists: Bool = false
    ) async throws -> SettingsVerdict {
        let plugin = try find(name)
        let (verdict, own) = try await tried(changes, of: plugin, in: scope, isOperator: isOperator)
        guard verdict.problems.isEmpty, !verdict.isUntested || insists else { return verdict }
        try await services.settings.save(own, plugin: plugin.id, in: isOperator ? nil : scope)
        if isOperator {
            await plugin.refreshSettings()
        } else {
            await plugin.refreshSettings(for: scope)
        }
        return verdict
    }

    /// The settings of a plugin for a person, with defaults filled in, and which of them the person set.
    public func settings(
        of name: String, in scope: UserScope
    ) async throws -> (values: JSONObject, ownNames: Set<String>) {
        let plugin = try find(name)
        guard plugin.manifest.config != nil else { throw SettingsError(reason: "\(plugin.name) has no settings") }
        guard case .object(let values)? = try? JSON(parsing: await plugin.settings(for: scope)) else {
            return ([:], [])
        }
        let own = try await services.settings.personValues(plugin: plugin.id, in: scope)
        return (values, Set(own.map(\.key)))
    }

    private func tried(
        _ changes: JSONObject, of plugin: LoadedPlugin, in scope: UserScope, isOperator: Bool
    ) async throws -> (verdict: SettingsVerdict, own: JSONObject) {
        guard let schema = plugin.manifest.config, let compiled = try? JSONSchema(compiling: schema) else {
            throw SettingsError(reason: "\(plugin.name) has no settings")
        }
        var operators = services.settings.operatorValues(plugin: plugin.id)
        var persons = isOperator ? [:] : try await services.settings.personValues(plugin: plugin.id, in: scope)
        let properties = schema["properties"]?.objectValue ?? [:]
        for (name, value) in changes {
            guard properties.contains(name) else {
                return (
                    SettingsVerdict(
                        problems: [.init(name: name, message: "There is no such setting.")],
                        isUntested: false), [:]
                )
            }
            let new: JSON? = value == .null ? .none : .some(value)
            if isOperator { operators[name] = new } else { persons[name] = new }
        }
        var values = SettingsSchema.defaults(of: schema)
        for layer in [operators, persons] {
            for (name, value) in layer where properties.contains(name) { values[name] = value }
        }
        let own = isOperator ? operators : persons
        let violations = compiled.validate(.object(values))
        guard violations.isEmpty else {
            let problems = violations.prefix(10).map { violation in
                SettingsVerdict.Problem(
                    name: String(violation.instanceLocation.dropFirst()), message: "\(violation.message)")
            }
            return (SettingsVerdict(problems: Array(problems), isUntested: false), own)
        }
        let arguments: JSONObject = [
            "values": .object(values), "changed": .array(changes.map(\.key).sorted().map { .string($0) }),
        ]
        switch await consult(plugin, .configCheck, arguments: arguments, in: scope) {
        case nil: return (SettingsVerdict(problems: [], isUntested: false), own)
        case .value(let result):
            let problems = (result.value["problems"]?.arrayValue ?? []).prefix(32).map { problem in
                SettingsVerdict.Problem(
                    name: Self.line(problem["name"]), message: Self.line(problem["message"]))
            }
            return (SettingsVerdict(problems: Array(problems), isUntested: false), own)
        case .failure, .inputRequired, .authRequired, .accepted:
            return (SettingsVerdict(problems: [], isUntested: true), own)
        }
    }

    // MARK: Internals

    /// Calls a plugin-side extension; nil when the plugin does not offer it.
    private func consult(
        _ plugin: LoadedPlugin, _ consultation: Consultation, arguments: JSONObject, in scope: UserScope
    ) async -> ToolOutcome? {
        let deadline = monotonicNanoseconds() &+ consultation.timeoutNanoseconds
        let withheld = await withheld(from: plugin, in: scope)
        switch await plugin.instance(for: scope, withholding: withheld, deadline: deadline) {
        case .success(let instance):
            let outcome = await consult(
                instance, consultation, arguments: arguments, origin: WriteOrigin(turn: RecordID(rawValue: 0), step: 0),
                in: scope)
            return outcome
        case .failure(let failure): return .failure(failure)
        }
    }

    /// The same on an instance that was counted in; counts it out.
    func consult(
        _ instance: PluginInstance, _ consultation: Consultation, arguments: JSONObject, origin: WriteOrigin,
        in scope: UserScope
    ) async -> ToolOutcome? {
        guard let tool = consultation.tool, let function = instance.function(of: consultation) else {
            instance.endCall(now: monotonicNanoseconds())
            return nil
        }
        let now = monotonicNanoseconds()
        let deadline = now &+ consultation.timeoutNanoseconds
        let call = ToolCall(
            tool: consultation.rawValue, arguments: .object(arguments), origin: origin, deadlineNanoseconds: deadline,
            idempotencyKey: "\(consultation.rawValue)/\(origin.turn)", allowedEffect: tool.definition.effect)
        return await make(
            call, of: tool, on: instance, in: scope, until: deadline, mayWrite: consultation == .migrate, since: now,
            function: function)
    }

    /// One line of a plugin's text, cut and without control characters.
    private static func line(_ value: JSON?) -> String {
        let text = PlainText.sanitized(value?.stringValue ?? "").replacing("\n", with: " ")
        return Redaction.masked(text.utf8.count <= 400 ? text : String(text.prefix(200)))
    }

    private static func masked(_ value: JSON, depth: Int) -> JSON {
        guard depth < 32 else { return "too deep" }
        switch value {
        case .string(let text): return .string(Redaction.masked(PlainText.sanitized(text)))
        case .array(let elements): return .array(elements.map { masked($0, depth: depth + 1) })
        case .object(let object):
            var masked = JSONObject()
            for (key, value) in object {
                let isSensitive = Redaction.isSensitive(key: key) && value != .null
                masked[Redaction.masked(PlainText.sanitized(key))] =
                    isSensitive ? "[redacted]" : Self.masked(value, depth: depth + 1)
            }
            return .object(masked)
        default: return value
        }
    }
}
