internal import CTandemPlugin
internal import Synchronization
@_spi(Testing) public import TandemSDK

/// Everything that a test host keeps about one person.
final class PersonStore: Sendable {
    struct Flight: Sendable {
        var plugin: Int
        var canWrite: Bool
        /// A timer or an event made the call: it may set timers, and write tables that are copies.
        var isHandler = false
        var depth: Int
        var innerCalls = 0
    }

    struct State: Sendable {
        var tables: [MemoryTables] = []
        var drivers: [Int: PluginDriver] = [:]
        var flights: [UInt64: Flight] = [:]
        var history: [[MemoryTables]] = []
        var disabled: Set<String> = []
        var unconnected: Set<String> = []
        var timeZone = "Etc/UTC"
        var offset: @Sendable (Int64) -> Int32 = { _ in 0 }
        var currency: Currency = "EUR"
        var language = "en"
        var settings: [String: JSON] = [:]
        var settingsGeneration: UInt64 = 1
        var calledTools: [(tool: String, arguments: JSON)] = []
        var notebooks: [Notebook] = []
        var events: [PublishedEvent] = []
        var memories: [(kind: MemoryKind, text: String, since: Instant)] = []
        var proposals: [ProposedMemory] = []
    }

    let state: Mutex<State>

    /// - Parameter manifests: of the host's plugins.
    init(_ manifests: [JSON]) {
        var state = State()
        state.tables = manifests.map { MemoryTables(manifest: $0) }
        state.notebooks = manifests.map { Notebook(manifest: $0) }
        self.state = Mutex(state)
    }
}

/// One user of a `TestHost`: own rows, own instances, own zone, currency and settings.
public struct TestPerson: Sendable {
    public let name: String
    let host: TestHost
    let store: PersonStore

    private var state: Ref { Ref(store: store) }

    /// Spares every use of the mutex one name.
    private struct Ref {
        let store: PersonStore

        func withLock<R>(_ body: (inout sending PersonStore.State) throws -> sending R) rethrows -> sending R {
            try store.state.withLock(body)
        }
    }

    // MARK: The person's circumstances

    public var currency: Currency {
        get { state.withLock(\.currency) }
        nonmutating set { state.withLock { $0.currency = newValue } }
    }

    /// The zone's name and the seconds to add to UTC at an instant (Unix milliseconds).
    public func setTimeZone(_ name: String, offsetSeconds: @escaping @Sendable (Int64) -> Int32) {
        state.withLock { state in
            state.timeZone = name
            state.offset = offsetSeconds
        }
    }

    /// Switches a plugin off or on for this person, by its namespace.
    public func setEnabled(_ namespace: String, _ isEnabled: Bool) {
        state.withLock { state in
            if isEnabled { state.disabled.remove(namespace) } else { state.disabled.insert(namespace) }
        }
    }

    /// Whether the account that plugins call so is connected; it is unless said otherwise.
    public func setConnected(_ account: String, _ isConnected: Bool) {
        state.withLock { state in
            if isConnected { state.unconnected.remove(account) } else { state.unconnected.insert(account) }
        }
    }

    /// The settings of the plugin with that namespace, over the defaults.
    public func configure(_ namespace: String, _ settings: some Configuration) {
        state.withLock { state in
            state.settings[namespace] = settings.json
            state.settingsGeneration += 1
        }
    }

    // MARK: Calls

    /// Calls a tool with JSON arguments, as the host would: checked against its schemas.
    ///
    /// - Parameter idempotencyKey: of another attempt at the same effect; nil: one of its own.
    public func call(
        _ tool: String, _ arguments: JSON = [:], answers: JSON? = nil, state resume: JSON? = nil,
        idempotencyKey: String? = nil
    ) async -> Outcome {
        let outcome = await wireCall(tool, arguments, answers: answers, resume: resume, key: idempotencyKey).outcome
        // As the host does: the reader answers, or nobody.
        guard case .question(let ask) = outcome, ask.isForReader, answers == nil else { return outcome }
        let texts = (ask.schema["x-tandem-reader"]?["texts"]?.arrayValue ?? []).compactMap(\.stringValue)
        let reader = host.reader
        let kinds = reader.map { reader in JSON.array(texts.map { text in reader(text).map { .string($0) } ?? .null }) }
        return await wireCall(
            tool, arguments, answers: .object([ask.field: kinds ?? .null]), resume: ask.state, key: idempotencyKey
        ).outcome
    }

    /// Calls a tool with typed arguments: `call(Drink.self) { $0.glasses = 2 }`.
    public func call<T: Tool>(_ type: T.Type, _ build: (inout T) -> Void = { _ in }) async -> Outcome {
        var tool = T()
        build(&tool)
        return await call(T.declaration.id, tool.arguments)
    }

    /// Calls a tool again with the answer to its question: an option's value, or any JSON.
    public func answer(_ ask: Ask, _ answer: JSON, to tool: String, _ arguments: JSON = [:]) async -> Outcome {
        await call(tool, arguments, answers: .object([ask.field: answer]), state: ask.state)
    }

    /// The value of a call; throws the `ToolError`, `Ask` or `AuthRequired` of any other outcome.
    @discardableResult
    public func value(_ tool: String, _ arguments: JSON = [:]) async throws -> JSON {
        switch await call(tool, arguments) {
        case .value(let value, _, _, _): return value
        case .failure(let error): throw error
        case .question(let ask): throw ask
        case .authRequired(let auth): throw auth
        case .accepted(let accepted): return ["job": .string(accepted.job)]
        }
    }

    /// The message of a call, whatever its outcome.
    public func say(_ tool: String, _ arguments: JSON = [:]) async -> String {
        await call(tool, arguments).message
    }

    /// Takes back what the last call that changed rows did, in all plugins; false when there is nothing.
    @discardableResult
    public func undo() -> Bool {
        state.withLock { state in
            guard let before = state.history.popLast() else { return false }
            state.tables = before
            return true
        }
    }

    /// The tools that this person's plugins called, in order.
    public var calledTools: [(tool: String, arguments: JSON)] { state.withLock(\.calledTools) }

    // MARK: Rows

    /// The rows of a table, in the order of their ids.
    public func rows<R: Row>(of type: R.Type) -> [R] {
        let name = R.table.name
        let objects = state.withLock { state in state.tables.flatMap { $0.rows(of: name) } }
        return objects.compactMap { try? R(json: .object($0)) }
    }

    /// Puts a row into a table, past every tool, and gives its id.
    @discardableResult
    public func insert<R: Row>(_ row: R) throws -> RowID {
        var values = row.json.objectValue ?? [:]
        for column in TableShape.implied { values.removeValue(forKey: column) }
        let operation: JSON = ["insert": .string(R.table.name), "values": .object(values)]
        let now = host.now
        let results = try state.withLock { state in
            guard let place = state.tables.firstIndex(where: { $0.tables[R.table.name] != nil }) else {
                throw ToolError.notFound("No plugin of this host has the table \(R.table.name).")
            }
            do throws(RowFault) {
                return try state.tables[place].execute([operation], now: now, canWrite: true)
            } catch {
                throw ToolError(code: error.code, "\(R.table.name): \(error.code) \(error.column ?? "")")
            }
        }
        guard let id = RowID(results[0]?["id"]?.stringValue ?? "") else { throw ToolError(code: "no_id", "No id.") }
        return id
    }

    /// What the host side of this person's instance of a plugin counted.
    public func counts(_ namespace: String) -> HostCounts {
        guard let plugin = host.plugins.firstIndex(where: { $0.namespace == namespace }) else { return HostCounts() }
        return state.withLock { $0.drivers[plugin]?.host.counts } ?? HostCounts()
    }

    /// The driver of this person's instance of a plugin, for calls below the level of tools.
    public func driver(_ namespace: String) -> PluginDriver? {
        host.plugins.firstIndex { $0.namespace == namespace }.flatMap { driver($0) }
    }
}

// MARK: - The host's side

extension TestPerson {
    private func wireCall(
        _ tool: String, _ arguments: JSON, answers: JSON?, resume: JSON?, key: String? = nil,
        within outer: UInt64? = nil
    ) async -> WireOutcome {
        guard let plugin = host.plugins.firstIndex(where: { $0.tools[tool] != nil }) else {
            if let stub = host.state.withLock({ $0.stubs[tool] }) { return WireOutcome(await stub(arguments)) }
            return .refused(TANDEM_E_UNSUPPORTED, "no_such_tool", "There is no tool \(tool).")
        }
        let loaded = host.plugins[plugin]
        guard let declaration = loaded.tools[tool], let driver = driver(plugin) else {
            return .refused(TANDEM_E_INTERNAL, "no_instance", "The plugin made no instance.")
        }
        if state.withLock({ $0.disabled.contains(loaded.namespace) }) {
            return .refused(TANDEM_E_NOT_GRANTED, "not_granted", "\(loaded.namespace) is off.")
        }
        if let problem = SchemaCheck.problem(arguments, declaration["parameters"] ?? true) {
            return .refused(TANDEM_E_INVALID_ARGUMENT, "schema", "Arguments do not match the schema. \(problem)")
        }
        let call = PluginDriver.makeCallID()
        let before = state.withLock { state in
            let depth = outer.flatMap { state.flights[$0]?.depth } ?? 0
            state.flights[call] = PersonStore.Flight(
                plugin: plugin, canWrite: declaration["effect"] != "read", depth: depth + 1)
            return state.tables
        }
        let outcome = await driver.invoke(
            tool, arguments.serialized(), call: call, answers: answers?.serialized() ?? [],
            resumeState: resume?.serialized() ?? [], idempotencyKey: key ?? "call-\(call)")
        state.withLock { state in
            state.flights[call] = nil
            if outer == nil, zip(before, state.tables).contains(where: { $0 != $1 }) { state.history.append(before) }
        }
        if outcome.kind == TANDEM_OUTCOME_VALUE {
            guard let value = try? JSON(parsing: outcome.value) else {
                return .refused(TANDEM_E_INTERNAL, "bad_value", "The value is not JSON.")
            }
            if let problem = SchemaCheck.problem(value, declaration["result"] ?? true) {
                return .refused(TANDEM_E_INTERNAL, "result_schema", "The value does not match the schema. \(problem)")
            }
        }
        return outcome
    }

    private func driver(_ plugin: Int) -> PluginDriver? {
        state.withLock { state in
            if let known = state.drivers[plugin] { return known }
            let table = HostTable(services(plugin))
            guard let instance = host.plugins[plugin].bridge.makeInstance(host: table.pointer) else { return nil }
            let driver = PluginDriver(instance: instance, host: table)
            guard driver.activate() == TANDEM_OK else { return nil }
            state.drivers[plugin] = driver
            return driver
        }
    }

    private func services(_ plugin: Int) -> HostServices {
        let loaded = host.plugins[plugin]
        let manifest = loaded.bridge.manifest
        var services = HostServices()
        // Weak: the host keeps the store, the store keeps the instances, an instance's host keeps these closures.
        let person: @Sendable () -> TestPerson? = { [name, weak host, weak store] in
            guard let host, let store else { return nil }
            return TestPerson(name: name, host: host, store: store)
        }
        services.nowMilliseconds = { person()?.host.now.milliseconds ?? 0 }
        services.offsetSeconds = { milliseconds in person()?.state.withLock(\.offset)(milliseconds) ?? 0 }
        services.locale = {
            guard let person = person() else { return [:] }
            return person.state.withLock { state in
                [
                    "timeZone": .string(state.timeZone), "currency": .string(state.currency.code),
                    "language": .string(state.language),
                ]
            }
        }
        services.log = { line in person()?.host.state.withLock { $0.logs.append(line) } }
        services.isToolAvailable = { tool in person()?.isAvailable(tool, to: loaded) ?? false }
        if manifest["tables"] != nil {
            services.executeRows = { call, operations in
                person()?.execute(call, plugin, operations) ?? (TANDEM_E_STALE, .null)
            }
        }
        if !loaded.calls.isEmpty {
            services.callTool = { call, tool, arguments in
                await person()?.mediate(call, loaded, tool, arguments) ?? (TANDEM_E_STALE, nil)
            }
        }
        let shared = [
            TANDEM_EXT_KV, TANDEM_EXT_SECRET, TANDEM_EXT_TIMER, TANDEM_EXT_EVENT, TANDEM_EXT_MEMORY, TANDEM_EXT_METRICS,
        ]
        services.services = Set(manifest["extensions"]?.arrayValue?.compactMap(\.stringValue) ?? []).intersection(
            shared)
        services.serve = { call, request in
            person()?.serve(call, plugin, request) ?? ServiceReply(TANDEM_E_STALE)
        }
        let metrics = DeclaredMetrics(manifest)
        services.record = { metric in
            let status = metrics.status(of: metric)
            if status == TANDEM_OK { person()?.host.state.withLock { $0.metrics.append(metric) } }
            return status
        }
        let hosts = manifest["hosts"]?.arrayValue ?? []
        let grants = Set((manifest["grants"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue })
        if !hosts.isEmpty {
            services.sendHTTP = { call, request in
                guard let person = person() else { return .failure(TANDEM_E_STALE, code: "stale") }
                if !request.grant.isEmpty {
                    guard grants.contains(request.grant) else {
                        return .failure(TANDEM_E_NOT_GRANTED, code: "no_such_grant")
                    }
                    guard person.state.withLock({ !$0.unconnected.contains(request.grant) }) else {
                        return .failure(TANDEM_E_AUTH_REQUIRED, code: "connection_needed")
                    }
                }
                let canWrite = person.state.withLock { $0.flights[call]?.canWrite ?? false }
                return await person.host.http.answer(request, hosts: hosts, canWrite: canWrite)
            }
        }
        if let schema = manifest["config"] {
            services.configuration = {
                guard let person = person() else { return (0, [:]) }
                return person.state.withLock { state in
                    var values: JSONObject = [:]
                    for (name, property) in schema["properties"]?.objectValue ?? [:] {
                        values[name] = property["default"]
                    }
                    for (name, value) in state.settings[loaded.namespace]?.objectValue ?? [:] { values[name] = value }
                    return (state.settingsGeneration, .object(values))
                }
            }
        }
        return services
    }

    private func execute(_ call: UInt64, _ plugin: Int, _ operations: JSON) -> (status: Int32, answer: JSON) {
        let now = host.now
        return state.withLock { state in
            guard let flight = state.flights[call], flight.plugin == plugin else { return (TANDEM_E_STALE, .null) }
            do throws(RowFault) {
                return (
                    TANDEM_OK,
                    try state.tables[plugin].execute(
                        operations, now: now, canWrite: flight.canWrite, isHandler: flight.isHandler)
                )
            } catch {
                let status: Int32 =
                    switch error.kind {
                    case .invalid: TANDEM_E_INVALID_ARGUMENT
                    case .notFound: TANDEM_E_NOT_FOUND
                    case .notGranted: TANDEM_E_NOT_GRANTED
                    case .conflict: TANDEM_E_CONFLICT
                    case .overQuota: TANDEM_E_OVER_QUOTA
                    case .internalFault: TANDEM_E_INTERNAL
                    }
                return (status, error.json)
            }
        }
    }

    private func isAvailable(_ tool: String, to caller: TestHost.LoadedPlugin) -> Bool {
        guard caller.calls.contains(tool) else { return false }
        if let owner = host.plugins.first(where: { $0.tools[tool] != nil }) {
            return state.withLock { !$0.disabled.contains(owner.namespace) }
        }
        return host.state.withLock { $0.stubs[tool] != nil }
    }

    private func mediate(
        _ call: UInt64, _ caller: TestHost.LoadedPlugin, _ tool: String, _ arguments: JSON
    ) async -> (Int32, WireOutcome?) {
        guard caller.calls.contains(tool) else { return (TANDEM_E_NOT_GRANTED, nil) }
        let refusal: Int32 = state.withLock { state in
            guard let flight = state.flights[call] else { return TANDEM_E_STALE }
            guard flight.depth < 4, flight.innerCalls < 32 else { return TANDEM_E_OVER_QUOTA }
            state.flights[call]?.innerCalls += 1
            state.calledTools.append((tool, arguments))
            return TANDEM_OK
        }
        guard refusal == TANDEM_OK else { return (refusal, nil) }
        if let owner = host.plugins.first(where: { $0.tools[tool] != nil }) {
            if state.withLock({ $0.disabled.contains(owner.namespace) }) { return (TANDEM_E_NOT_GRANTED, nil) }
            let effect = owner.tools[tool]?["effect"]
            if effect == "send" || effect == "spend" { return (TANDEM_E_CONFIRMATION_DENIED, nil) }
            if SchemaCheck.problem(arguments, owner.tools[tool]?["parameters"] ?? true) != nil {
                return (TANDEM_E_INVALID_ARGUMENT, nil)
            }
        } else if host.state.withLock({ $0.stubs[tool] }) == nil {
            return (TANDEM_E_UNSUPPORTED, nil)
        }
        return (TANDEM_OK, await wireCall(tool, arguments, answers: nil, resume: nil, within: call))
    }
}
