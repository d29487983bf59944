import CTandemPlugin
public import TandemCore
public import TandemJSON

/// A call of a plugin's handler by a timer or an event.
public struct HandlerCall: Sendable {
    /// The plugin's id.
    public var plugin: String
    /// The full id of the handler.
    public var handler: String
    /// What the handler gets: `{"timer":…,"data":{…}}` or `{"event":…,"data":{…}}`.
    public var arguments: JSONObject
    public var origin: WriteOrigin
    /// The same for every attempt.
    public var idempotencyKey: String
    /// How many events led to it.
    public var eventDepth: Int

    public init(
        plugin: String, handler: String, arguments: JSONObject, origin: WriteOrigin, idempotencyKey: String,
        eventDepth: Int = 0
    ) {
        self.plugin = plugin
        self.handler = handler
        self.arguments = arguments
        self.origin = origin
        self.idempotencyKey = idempotencyKey
        self.eventDepth = eventDepth
    }
}

/// What became of a handler's call.
public enum HandlerOutcome: Sendable {
    case done
    /// The plugin is not loaded, or not on for the person as far as the handler needs: it is not tried, but may be later.
    case off
    /// For a passing reason.
    case retry(ToolFailure)
    /// For good.
    case failed(ToolFailure)
}

extension PluginHost {
    /// Calls a handler, as far as the person's grants allow it now. Never throws; honours task cancellation.
    public func deliver(_ delivery: HandlerCall, in scope: UserScope) async -> HandlerOutcome {
        let set = catalogue
        guard let (index, plugin) = set.plugin(delivery.plugin) else { return .off }
        let granted: PluginAccess?
        do {
            let grants = try await resolvedGrants(of: scope)
            guard grants.set === set else { return .off }
            granted = grants.access[index]
        } catch {
            return .retry(CallFailure.storage(plugin.name))
        }
        guard let granted else { return .off }
        guard let handler = plugin.handler(named: delivery.handler) else {
            return .failed(CallFailure.unknownTool())
        }
        let effect = handler.definition.effect
        guard granted.allows(handler.definition) else { return .off }
        let data = delivery.arguments["data"] ?? [:]
        guard handler.parameters.isValid(data) else {
            plugin.meters.count(\.invalidArguments)
            return .failed(CallFailure.invalidArguments(handler.parameters.validate(data).first))
        }
        let now = monotonicNanoseconds()
        let deadline = now &+ UInt64(handler.definition.timeoutMilliseconds) &* 1_000_000
        let instance: PluginInstance
        switch await plugin.instance(for: scope, withholding: granted.withheld, deadline: deadline) {
        case .success(let made): instance = made
        case .failure(let failure): return Self.outcome(of: failure)
        }
        plugin.meters.count(\.handlerCalls)
        var call = ToolCall(
            tool: handler.definition.id, arguments: .object(delivery.arguments), origin: delivery.origin,
            deadlineNanoseconds: deadline, idempotencyKey: delivery.idempotencyKey, allowedEffect: effect)
        call.eventDepth = delivery.eventDepth
        let outcome = await make(
            call, of: handler, on: instance, in: scope, until: deadline, mayWrite: effect != .read,
            isHandler: true, since: monotonicNanoseconds(), function: nil)
        switch outcome {
        case .value, .accepted: return .done
        case .failure(let failure): return Self.outcome(of: failure)
        case .inputRequired, .authRequired:
            return .failed(
                ToolFailure(
                    status: TANDEM_E_WRONG_STATE, code: "nobody_there",
                    message: "\(plugin.name) asked something, and nobody was there."))
        }
    }

    private static func outcome(of failure: ToolFailure) -> HandlerOutcome {
        switch failure.status {
        case TANDEM_E_BUSY, TANDEM_E_RATE_LIMITED, TANDEM_E_UNAVAILABLE, TANDEM_E_DEADLINE_EXCEEDED,
            TANDEM_E_CANCELLED, TANDEM_E_NO_MEMORY:
            return .retry(failure)
        case TANDEM_E_NOT_GRANTED where failure.code == "not_enabled": return .off
        default: return .failed(failure)
        }
    }

    /// Tells a plugin (by id) of a topic of the host's, when it is on for the person and subscribes to it.
    ///
    /// - Returns: whether it is told: the event is stored, and delivered at least once.
    @discardableResult
    public func tell(_ plugin: String, of topic: String, data: JSONObject = [:], in scope: UserScope) async throws
        -> Bool
    {
        guard let events = services.events,
            let receiver = try await subscribers(of: topic, in: scope).first(where: { $0.plugin == plugin })
        else { return false }
        let event = PluginEvent(topic: topic, data: data, key: "", depth: 1, receivers: [receiver])
        _ = try await events.publish(event, in: PluginPlace(plugin: HostTopic.publisher, scope: scope))
        return true
    }

    /// The plugins that are on for a person and subscribe to a topic, in the order of the registry.
    func subscribers(of topic: String, in scope: UserScope) async throws -> [PluginEvent.Receiver] {
        let grants = try await resolvedGrants(of: scope)
        var receivers: [PluginEvent.Receiver] = []
        for (plugin, granted) in zip(grants.set.plugins, grants.access) {
            guard let granted else { continue }
            for subscription in plugin.manifest.subscribes where subscription.topic == topic {
                guard let handler = plugin.handler(named: subscription.handler), granted.allows(handler.definition),
                    !granted.withheld.contains(ReachItem(.subscribes, topic))
                else { continue }
                receivers.append(PluginEvent.Receiver(plugin: plugin.id, handler: handler.definition.id))
            }
        }
        return receivers
    }
}

/// What the host itself tells plugins by `events.subscribes`.
public enum HostTopic {
    static let publisher = "host"
    static let namespace = "host"

    /// The plugin can work for this person now: it was switched on with everything connected, or what it waited for is
    /// connected. Also when it may do more or less than before.
    public static let ready = "host.ready"

    static let all: Set<String> = [ready]
}

extension PluginAccess {
    /// A handler runs while nobody is there to be asked: what writes needs the full grant, and what changed waits.
    func allows(_ handler: ToolDefinition) -> Bool {
        (handler.effect == .read || level == .write)
            && !withheld.contains(ReachItem(.handler, "\(handler.id)/\(handler.effect.rawValue)"))
    }
}
