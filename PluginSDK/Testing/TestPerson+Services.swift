internal import CTandemPlugin
internal import Synchronization
@_spi(Testing) public import TandemSDK

/// A call of a handler in a test, and how it ended.
public struct HandledCall: Sendable {
    /// `grocery.restock`.
    public var handler: String
    /// What the handler got.
    public var arguments: JSON
    public var outcome: Outcome
}

/// An event that a plugin published in a test.
public struct PublishedEvent: Sendable, Hashable {
    public var id: String
    public var topic: String
    public var data: JSON
    public var key: String
    public var publishedAt: Instant
    var isDelivered = false
}

/// A memory that a plugin proposed in a test.
public struct ProposedMemory: Sendable, Hashable {
    /// The plugin's namespace.
    public var plugin: String
    public var kind: MemoryKind
    public var text: String
    public var state: ProposalState
}

// MARK: What a test looks at and sets

extension TestPerson {
    /// What a plugin keeps under a key, read as JSON; nil when there is nothing.
    public func noted(_ key: String, by namespace: String) -> JSON? {
        guard let plugin = index(namespace) else { return nil }
        let now = host.now
        let bytes = store.state.withLock { $0.notebooks[plugin].bytes(key, now: now) }
        return bytes.flatMap { try? JSON(parsing: $0) }
    }

    /// Enters a secret of a plugin; nil takes it away.
    public func enter(_ name: String, _ value: String?, for namespace: String) {
        guard let plugin = index(namespace) else { return }
        store.state.withLock { $0.notebooks[plugin].secrets[name] = value.map { Array($0.utf8) } }
    }

    /// The timers of a plugin, by name.
    public func timers(of namespace: String) -> [SetTimer] {
        guard let plugin = index(namespace) else { return [] }
        return store.state.withLock { $0.notebooks[plugin].timers.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// What plugins published for this person, in order.
    public var published: [PublishedEvent] { store.state.withLock(\.events) }

    /// Publishes an event in the name of a plugin that this host does not have.
    public func publish(_ topic: String, _ data: JSON = [:]) {
        let now = host.now
        store.state.withLock { _ = $0.publish(topic, data, key: "", at: now) }
    }

    /// Lets the assistant remember something, for plugins to recall.
    public func remember(_ text: String, as kind: MemoryKind) {
        let now = host.now
        store.state.withLock { $0.memories.append((kind, text, now)) }
    }

    /// What plugins proposed to remember, in order.
    public var proposals: [ProposedMemory] { store.state.withLock(\.proposals) }

    /// Declines all proposals that wait.
    public func declineProposals() {
        store.state.withLock { state in
            for index in state.proposals.indices where state.proposals[index].state == .waiting {
                state.proposals[index].state = .declined
            }
        }
    }

    private func index(_ namespace: String) -> Int? { host.plugins.firstIndex { $0.namespace == namespace } }
}

// MARK: What the host does by itself

extension TestPerson {
    /// Calls the handler of every timer that is due by the host's clock, once each; times that passed are in `missed`.
    /// Rows that handlers write are no part of undo.
    @discardableResult
    public func fireTimers() async -> [HandledCall] {
        var calls: [HandledCall] = []
        for plugin in host.plugins.indices {
            for timer in due(plugin) {
                let now = host.now
                let (next, missed) = next(of: timer, after: now)
                store.state.withLock { state in
                    state.notebooks[plugin].removeTimer(timer.name)
                    guard let next else { return }
                    var again = timer
                    again.dueAt = next
                    _ = state.notebooks[plugin].set(again)
                }
                let arguments: JSON = [
                    "timer": .string(timer.name), "dueAt": .string(timer.dueAt.description),
                    "missed": .integer(Int64(missed)), "data": timer.data,
                ]
                calls.append(await handle(plugin, timer.handler, arguments, key: "\(timer.name)/\(timer.dueAt)"))
            }
        }
        return calls
    }

    /// Tells the plugins that subscribe to it that they can work now, as the host does once they are on and connected.
    @discardableResult
    public func becomeReady() async -> [HandledCall] {
        var calls: [HandledCall] = []
        for (plugin, handler) in subscribers(of: HostTopic.ready) {
            let arguments: JSON = [
                "event": "1", "topic": .string(HostTopic.ready), "publishedAt": .string(host.now.description),
                "data": [:],
            ]
            calls.append(await handle(plugin, handler, arguments, key: "ready/\(host.now)"))
        }
        return calls
    }

    /// Hands every event that waits to the plugins of this host that subscribe to its topic, also events that these
    /// publish meanwhile, up to the fifth level.
    @discardableResult
    public func deliverEvents() async -> [HandledCall] {
        var calls: [HandledCall] = []
        for _ in 0..<5 {
            let waiting = store.state.withLock { state in
                let waiting = state.events.filter { !$0.isDelivered }
                for index in state.events.indices { state.events[index].isDelivered = true }
                return waiting
            }
            for event in waiting {
                for (plugin, handler) in subscribers(of: event.topic) {
                    let arguments: JSON = [
                        "event": .string(event.id), "topic": .string(event.topic),
                        "publishedAt": .string(event.publishedAt.description), "data": event.data,
                    ]
                    calls.append(await handle(plugin, handler, arguments, key: "event/\(event.id)"))
                }
            }
        }
        return calls
    }

    /// Asks a plugin how it is, as the operator would.
    public func health(_ namespace: String) async -> Outcome { await consult(namespace, TANDEM_EXT_HEALTH, [:]) }

    /// What a plugin says of its inner state.
    public func diagnostics(_ namespace: String) async -> Outcome {
        await consult(namespace, TANDEM_EXT_DIAGNOSTICS, [:])
    }

    /// What a plugin says of settings before they are saved: `{"problems":[…]}`.
    public func check(_ settings: some Configuration, of namespace: String, changed: [String] = []) async -> Outcome {
        await consult(namespace, TANDEM_EXT_CONFIG_CHECK, ["values": settings.json, "changed": changed.json])
    }

    /// Lets a plugin bring this person's data up to date; it may write.
    public func migrate(_ namespace: String, from version: String, settings: JSON = [:]) async -> Outcome {
        let now = index(namespace).flatMap { host.plugins[$0].bridge.manifest["version"]?.stringValue } ?? ""
        return await consult(
            namespace, TANDEM_EXT_MIGRATE, ["from": .string(version), "to": .string(now), "config": settings],
            canWrite: true)
    }

    private func due(_ plugin: Int) -> [SetTimer] {
        let now = host.now
        return store.state.withLock { state in
            guard !state.disabled.contains(host.plugins[plugin].namespace) else { return [] }
            return state.notebooks[plugin].timers.values.filter { $0.dueAt <= now }
                .sorted { ($0.dueAt, $0.name) < ($1.dueAt, $1.name) }
        }
    }

    private func subscribers(of topic: String) -> [(plugin: Int, handler: String)] {
        host.plugins.indices.compactMap { plugin in
            let loaded = host.plugins[plugin]
            guard !store.state.withLock({ $0.disabled.contains(loaded.namespace) }) else { return nil }
            let all = loaded.bridge.manifest["events"]?["subscribes"]?.arrayValue ?? []
            return all.first { $0["topic"]?.stringValue == topic }?["handler"]?.stringValue.map { (plugin, $0) }
        }
    }

    private func handle(_ plugin: Int, _ name: String, _ arguments: JSON, key: String) async -> HandledCall {
        let loaded = host.plugins[plugin]
        let id = "\(loaded.namespace).\(name)"
        guard let handler = loaded.handlers[name], let driver = driver(loaded.namespace) else {
            let outcome = WireOutcome.refused(TANDEM_E_UNSUPPORTED, "no_such_handler", "There is no handler \(id).")
            return HandledCall(handler: id, arguments: arguments, outcome: outcome.outcome)
        }
        if let problem = SchemaCheck.problem(arguments["data"] ?? [:], handler["parameters"] ?? true) {
            let outcome = WireOutcome.refused(TANDEM_E_INVALID_ARGUMENT, "schema", "The data does not fit. \(problem)")
            return HandledCall(handler: id, arguments: arguments, outcome: outcome.outcome)
        }
        let outcome = await within(plugin, canWrite: handler["effect"] != "read", isHandler: true) { call in
            await driver.invoke(id, arguments.serialized(), call: call, idempotencyKey: key)
        }
        return HandledCall(handler: id, arguments: arguments, outcome: outcome.outcome)
    }

    private func consult(
        _ namespace: String, _ id: String, _ arguments: JSON, canWrite: Bool = false
    ) async -> Outcome {
        guard let plugin = index(namespace), let driver = driver(namespace) else {
            return WireOutcome.refused(TANDEM_E_INTERNAL, "no_instance", "The plugin made no instance.").outcome
        }
        return await within(plugin, canWrite: canWrite) { call in
            await driver.consult(id, arguments.serialized(), call: call)
        }.outcome
    }

    /// Makes a call known to the services while it runs.
    private func within(
        _ plugin: Int, canWrite: Bool, isHandler: Bool = false, _ body: (UInt64) async -> WireOutcome
    ) async -> WireOutcome {
        let call = PluginDriver.makeCallID()
        store.state.withLock {
            $0.flights[call] = PersonStore.Flight(plugin: plugin, canWrite: canWrite, isHandler: isHandler, depth: 1)
        }
        let outcome = await body(call)
        store.state.withLock { $0.flights[call] = nil }
        return outcome
    }

    /// The first time after `now`, and how many passed between the timer's own and that; nil for one that fires once.
    private func next(of timer: SetTimer, after now: Instant) -> (next: Instant?, missed: Int) {
        let offset = store.state.withLock(\.offset)
        func local(_ instant: Instant) -> (day: Day, rest: Int64) {
            let shifted = instant.milliseconds + Int64(offset(instant.milliseconds)) * 1000
            let day = shifted >= 0 ? shifted / 86_400_000 : (shifted - 86_399_999) / 86_400_000
            return (Day(number: Int(day)), shifted - day * 86_400_000)
        }
        func instant(_ day: Day, _ rest: Int64) -> Instant {
            let shifted = Int64(day.number) * 86_400_000 + rest
            let guess = shifted - Int64(offset(shifted)) * 1000
            return Instant(milliseconds: shifted - Int64(offset(guess)) * 1000)
        }
        let start = local(timer.dueAt)
        var count = 0
        while true {
            count += 1
            let next: Instant
            switch timer.repetition {
            case .never: return (nil, 0)
            case .seconds(let every):
                next = Instant(milliseconds: timer.dueAt.milliseconds + Int64(every * count) * 1000)
            case .days(let every): next = instant(start.day.adding(days: every * count), start.rest)
            case .months(let every): next = instant(start.day.adding(months: every * count), start.rest)
            }
            if next > now { return (next, count - 1) }
        }
    }
}

// MARK: What plugins ask for

extension TestPerson {
    /// Answers a request of a call in flight.
    func serve(_ call: UInt64, _ plugin: Int, _ request: ServiceCall) -> ServiceReply {
        let now = host.now
        let loaded = host.plugins[plugin]
        return store.state.withLock { state in
            guard let flight = state.flights[call], flight.plugin == plugin else { return ServiceReply(TANDEM_E_STALE) }
            switch request {
            case .setTimer, .cancelTimer, .publish:
                guard flight.canWrite || flight.isHandler else { return ServiceReply(TANDEM_E_NOT_GRANTED) }
            default: break
            }
            if let reply = state.notebooks[plugin].answer(request, now: now) { return reply }
            switch request {
            case .setTimer(let name, let handler, let data, let dueAt, let repetition):
                guard let declared = loaded.handlers[handler] else { return ServiceReply(TANDEM_E_UNSUPPORTED) }
                guard SchemaCheck.problem(data, declared["parameters"] ?? true) == nil else {
                    return ServiceReply(TANDEM_E_INVALID_ARGUMENT)
                }
                return state.notebooks[plugin].set(
                    SetTimer(
                        name: name, handler: handler, dueAt: max(dueAt, now), repetition: repetition, data: data))
            case .publish(let topic, let data, let key):
                let topics = loaded.bridge.manifest["events"]?["publishes"]?.arrayValue ?? []
                guard let declared = topics.first(where: { $0["topic"]?.stringValue == topic }) else {
                    return ServiceReply(TANDEM_E_UNSUPPORTED)
                }
                guard SchemaCheck.problem(data, declared["schema"] ?? true) == nil else {
                    return ServiceReply(TANDEM_E_INVALID_ARGUMENT)
                }
                return .json(["event": .string(state.publish(topic, data, key: key, at: now))])
            case .recall(let question, let limit):
                let granted = Self.kinds(loaded, "recall")
                guard !granted.isEmpty else { return ServiceReply(TANDEM_E_NOT_GRANTED) }
                return .json(["memories": .array(state.recall(question, granted, limit))])
            case .propose(let kind, let text):
                guard let kind = MemoryKind(rawValue: kind), Self.kinds(loaded, "propose").contains(kind) else {
                    return ServiceReply(TANDEM_E_NOT_GRANTED)
                }
                let known = state.memories.contains { $0.text == text }
                let earlier = state.proposals.first { $0.text == text && $0.plugin == loaded.namespace }?.state
                let answer = known ? ProposalState.known : earlier ?? .waiting
                if !known, earlier == nil {
                    state.proposals.append(
                        ProposedMemory(plugin: loaded.namespace, kind: kind, text: text, state: .waiting))
                }
                return .json(["state": .string(answer.rawValue)])
            default: return ServiceReply(TANDEM_E_UNSUPPORTED)
            }
        }
    }

    private static func kinds(_ plugin: TestHost.LoadedPlugin, _ member: String) -> Set<MemoryKind> {
        let names = plugin.bridge.manifest["memory"]?[member]?.arrayValue ?? []
        return Set(names.compactMap { MemoryKind(rawValue: $0.stringValue ?? "") })
    }
}

extension PersonStore.State {
    /// The id; that of the first event when the key is known.
    mutating func publish(_ topic: String, _ data: JSON, key: String, at now: Instant) -> String {
        if !key.isEmpty, let known = events.first(where: { $0.topic == topic && $0.key == key }) { return known.id }
        let id = "\(events.count + 1)"
        events.append(PublishedEvent(id: id, topic: topic, data: data, key: key, publishedAt: now))
        return id
    }

    /// Memories that share a word of four letters or more with the question, or its stem.
    func recall(_ question: String, _ kinds: Set<MemoryKind>, _ limit: Int) -> [JSON] {
        func words(_ text: String) -> Set<String> {
            Set(text.lowercased().split { !$0.isLetter }.filter { $0.count >= 3 }.map { String($0.prefix(4)) })
        }
        let asked = words(question)
        return memories.enumerated()
            .filter { kinds.contains($0.element.kind) && !words($0.element.text).isDisjoint(with: asked) }
            .prefix(limit)
            .map { index, memory in
                [
                    "id": .string("\(index + 1)"), "kind": .string(memory.kind.rawValue), "text": .string(memory.text),
                    "since": .string(memory.since.description),
                ]
            }
    }
}
