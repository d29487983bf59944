internal import CTandemPlugin
internal import Synchronization
internal import TandemJSON

/// The host's table of one instance, with its extensions looked up once.
///
/// After `close` nothing is called any more: every function answers as a host would for a call that is over.
final class HostAccess: @unchecked Sendable {
    // Sendable: the pointers never change and the host allows its functions from any thread.
    let host: UnsafePointer<tandem_host>
    private let rowsTable: UnsafePointer<tandem_rows>?
    private let toolsTable: UnsafePointer<tandem_tools>?
    private let clockTable: UnsafePointer<tandem_clock>?
    private let configTable: UnsafePointer<tandem_config>?
    private let logTable: UnsafePointer<tandem_log>?
    let httpTable: UnsafePointer<tandem_http>?
    let keyValuesTable: UnsafePointer<tandem_kv>?
    let secretTable: UnsafePointer<tandem_secret>?
    let metricsTable: UnsafePointer<tandem_metrics>?
    let timerTable: UnsafePointer<tandem_timer>?
    let eventTable: UnsafePointer<tandem_event>?
    let memoryTable: UnsafePointer<tandem_memory>?
    private let isClosed = Atomic<Bool>(false)
    private let settings = Mutex<(generation: UInt64, values: JSON)?>(nil)

    /// Nil when the host's table is shorter than this version needs.
    init?(_ host: UnsafePointer<tandem_host>) {
        guard host.pointee.header.size >= TANDEM_HOST_SIZE_1_0 else { return nil }
        self.host = host
        rowsTable = Self.table(host, TANDEM_EXT_ROWS)
        toolsTable = Self.table(host, TANDEM_EXT_TOOLS)
        clockTable = Self.table(host, TANDEM_EXT_CLOCK)
        configTable = Self.table(host, TANDEM_EXT_CONFIG)
        logTable = Self.table(host, TANDEM_EXT_LOG)
        httpTable = Self.table(host, TANDEM_EXT_HTTP)
        keyValuesTable = Self.table(host, TANDEM_EXT_KV)
        secretTable = Self.table(host, TANDEM_EXT_SECRET)
        metricsTable = Self.table(host, TANDEM_EXT_METRICS)
        timerTable = Self.table(host, TANDEM_EXT_TIMER)
        eventTable = Self.table(host, TANDEM_EXT_EVENT)
        memoryTable = Self.table(host, TANDEM_EXT_MEMORY)
    }

    private static func table<T>(_ host: UnsafePointer<tandem_host>, _ id: String) -> UnsafePointer<T>? {
        guard let raw = id.withCString({ host.pointee.get_extension(host, $0) }) else { return nil }
        // Every extension begins with its size: one too short for this version is as good as none.
        guard raw.load(as: tandem_header.self).size >= MemoryLayout<T>.size else { return nil }
        return raw.assumingMemoryBound(to: T.self)
    }

    func close() { isClosed.store(true, ordering: .releasing) }
    var isOpen: Bool { !isClosed.load(ordering: .acquiring) }

    /// The buffers pass on in every case: to the host, or to nobody once it is closed.
    func complete(_ call: UInt64, _ outcome: UnsafePointer<tandem_outcome>) -> Int32 {
        if isOpen { return host.pointee.complete(host, call, outcome) }
        for buffer in [
            outcome.pointee.value, outcome.pointee.message, outcome.pointee.shown, outcome.pointee.resume_state,
        ] {
            buffer.release?(buffer.owner)
        }
        return TANDEM_E_STALE
    }

    func isCancelled(_ call: UInt64) -> Bool { !isOpen || host.pointee.is_cancelled(host, call) != 0 }

    func progress(_ call: UInt64, _ permille: Int32, _ note: String) {
        guard isOpen else { return }
        withSlice(note) { _ = host.pointee.progress(host, call, permille, $0) }
    }

    func nowMilliseconds() -> Int64 {
        guard isOpen, let clock = clockTable else { return 0 }
        return clock.pointee.now_ms(host)
    }

    func monotonicNanoseconds() -> UInt64 {
        guard isOpen, let clock = clockTable else { return 0 }
        return clock.pointee.monotonic_ns(host)
    }

    func offsetSeconds(at milliseconds: Int64) -> Int32 {
        guard isOpen, let clock = clockTable else { return 0 }
        return min(max(clock.pointee.utc_offset_at(host, milliseconds), -86_399), 86_399)
    }

    func locale() -> PersonLocale {
        guard isOpen, let clock = clockTable else { return PersonLocale() }
        var buffer = tandem_buffer()
        guard clock.pointee.locale(host, &buffer) == TANDEM_OK, let json = consume(buffer) else {
            return PersonLocale()
        }
        return PersonLocale(json)
    }

    /// The settings, read again when their generation changes.
    func configuration() -> JSON? {
        guard isOpen, let config = configTable else { return nil }
        let generation = config.pointee.generation(host)
        if let known = settings.withLock({ $0 }), known.generation == generation { return known.values }
        var buffer = tandem_buffer()
        guard config.pointee.values(host, &buffer) == TANDEM_OK, let json = consume(buffer) else { return nil }
        settings.withLock { $0 = (generation, json) }
        return json
    }

    func log(_ level: UInt32, _ call: UInt64, _ message: String, _ fields: JSONObject) {
        guard isOpen, let log = logTable else { return }
        let bytes = fields.isEmpty ? [] : JSON.object(fields).serialized()
        withSlice(message) { message in
            withSlice(bytes) { _ = log.pointee.write(host, level, call, message, $0) }
        }
    }

    func isAvailable(tool: String) -> Bool {
        guard isOpen, let tools = toolsTable else { return false }
        return withSlice(tool) { tools.pointee.is_available(host, $0) } == 1
    }

    func execute(_ call: UInt64, _ operations: JSON) async -> JSONAnswer {
        let bytes = operations.serialized()
        return await request(rowsTable) { table, context in
            withSlice(bytes) { table.execute(host, call, $0, context, tandemSDKJSONDone) }
        }
    }

    func callTool(_ call: UInt64, _ tool: String, _ arguments: JSON) async -> ToolAnswer {
        let bytes = arguments.serialized()
        return await request(toolsTable) { table, context in
            withSlice(tool) { tool in
                withSlice(bytes) { table.call(host, call, tool, $0, context, tandemSDKToolDone) }
            }
        }
    }
}

/// The person's zone, currency and language.
struct PersonLocale: Sendable {
    var timeZone = "UTC"
    var currency: Currency = "EUR"
    var language = "en"

    init() {}

    init(_ json: JSON) {
        if let zone = json["timeZone"]?.stringValue { timeZone = zone }
        if let code = json["currency"]?.stringValue, let known = Currency(code) { currency = known }
        if let tag = json["language"]?.stringValue { language = tag }
    }
}

struct ToolAnswer: HostAnswer {
    struct Ended: Sendable {
        let kind: UInt32
        let status: Int32
        let retryAfterMilliseconds: UInt64
        let value: JSON?
        let message: String
        let shown: JSON?
    }

    let status: Int32
    var outcome: Ended?

    init(status: Int32) { self.status = status }
}
