internal import Synchronization
@_spi(Testing) public import TandemSDK

/// A host for unit tests of plugins: several people, rows in memory, a clock that stands still.
///
///     let host = try TestHost(Grocery.self)
///     let ann = host.person("ann")
///     let value = try await ann.value("grocery.add", ["items": [["name": "milk"]]])
///     #expect(ann.rows(of: GroceryItem.self).count == 1)
///
/// Plugins run behind the same C tables as in the real host. Arguments and results are checked against the declared
/// schemas, effects and granted calls are enforced. Nothing is shared between people, or between test hosts.
public final class TestHost: Sendable {
    struct State: Sendable {
        var now = Instant("2026-11-21T10:00:00.000Z") ?? Instant(milliseconds: 0)
        var stubs: [String: @Sendable (JSON) async -> Outcome] = [:]
        var people: [String: PersonStore] = [:]
        var logs: [LogLine] = []
        var metrics: [RecordedMetric] = []
        var reader: (@Sendable (String) -> String?)?
    }

    struct LoadedPlugin: Sendable {
        let bridge: PluginBridge
        let namespace: String
        let tools: [String: JSON]
        /// By name, without the namespace.
        let handlers: [String: JSON]
        let calls: Set<String>
    }

    let plugins: [LoadedPlugin]
    let state = Mutex(State())
    /// What the services behind `context.http` answer, and what they were asked.
    public let http = ScriptedHTTP()

    /// Throws `InvalidPlugin` when a plugin's declarations have problems.
    public init<each P: Plugin>(_ types: repeat (each P).Type) throws {
        var plugins: [LoadedPlugin] = []
        for type in repeat each types { plugins.append(try Self.load(type)) }
        self.plugins = plugins
    }

    private static func load<P: Plugin>(_ type: P.Type) throws -> LoadedPlugin {
        let bridge = PluginBridge(type)
        guard bridge.problems.isEmpty else { throw InvalidPlugin(problems: bridge.problems) }
        let manifest = bridge.manifest
        var tools: [String: JSON] = [:]
        for tool in manifest["tools"]?.arrayValue ?? [] { tools[tool["id"]?.stringValue ?? ""] = tool }
        var handlers: [String: JSON] = [:]
        for handler in manifest["handlers"]?.arrayValue ?? [] {
            handlers[handler["name"]?.stringValue ?? ""] = handler
        }
        return LoadedPlugin(
            bridge: bridge, namespace: manifest["namespace"]?.stringValue ?? "", tools: tools, handlers: handlers,
            calls: Set((manifest["calls"]?.arrayValue ?? []).compactMap { $0["tool"]?.stringValue }))
    }

    /// What a reader without tools says of each text that a tool asks about (`Ask.reader`); nil: there is none.
    public var reader: (@Sendable (String) -> String?)? {
        get { state.withLock(\.reader) }
        set { state.withLock { $0.reader = newValue } }
    }

    /// Somebody who uses the plugins; made on first use.
    public func person(_ name: String = "ann") -> TestPerson {
        let store = state.withLock { state in
            if let known = state.people[name] { return known }
            let store = PersonStore(plugins.map(\.bridge.manifest))
            state.people[name] = store
            return store
        }
        return TestPerson(name: name, host: self, store: store)
    }

    /// The time of every clock: 2026-11-21T10:00:00Z unless set.
    public var now: Instant {
        get { state.withLock(\.now) }
        set { state.withLock { $0.now = newValue } }
    }

    /// Answers for a tool that no plugin of this host has.
    public func stub(_ tool: String, _ answer: @escaping @Sendable (JSON) async -> Outcome) {
        state.withLock { $0.stubs[tool] = answer }
    }

    /// What the plugins counted, in order.
    public var metrics: [RecordedMetric] { state.withLock(\.metrics) }

    /// What a counter or gauge stands at; how often a histogram observed something.
    public func total(of metric: Metric, labels: String...) -> Double {
        var total = 0.0
        for recorded in metrics where recorded.name == metric.name && recorded.labels == labels {
            switch recorded.operation {
            case .add: total += recorded.value
            case .set: total = recorded.value
            case .observe: total += 1
            }
        }
        return total
    }

    /// What the plugins logged, in order.
    public var logs: [LogLine] { state.withLock(\.logs) }

    /// The plugin's declarations had problems.
    public struct InvalidPlugin: Error, CustomStringConvertible {
        public let problems: [PluginDefinition.Problem]
        public var description: String { problems.map(\.description).joined(separator: "\n") }
    }
}
