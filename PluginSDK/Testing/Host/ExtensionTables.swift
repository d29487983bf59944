internal import CTandemPlugin

/// The C tables of the host's extensions; they live as long as this object.
final class ExtensionTables: @unchecked Sendable {
    // Sendable: written in init and freed in deinit only.
    private let clock: UnsafeMutablePointer<tandem_clock>
    private let config: UnsafeMutablePointer<tandem_config>
    private let log: UnsafeMutablePointer<tandem_log>
    private let rows: UnsafeMutablePointer<tandem_rows>
    private let tools: UnsafeMutablePointer<tandem_tools>
    private let http: UnsafeMutablePointer<tandem_http>
    private let kv: UnsafeMutablePointer<tandem_kv>
    private let secret: UnsafeMutablePointer<tandem_secret>
    private let metrics: UnsafeMutablePointer<tandem_metrics>
    private let timer: UnsafeMutablePointer<tandem_timer>
    private let event: UnsafeMutablePointer<tandem_event>
    private let memory: UnsafeMutablePointer<tandem_memory>

    init() {
        func header<T>(_ type: T.Type) -> tandem_header {
            tandem_header(size: UInt32(MemoryLayout<T>.size), flags: 0)
        }
        clock = .allocate(capacity: 1)
        clock.initialize(
            to: tandem_clock(
                header: header(tandem_clock.self), now_ms: testHostNow, monotonic_ns: testHostMonotonic,
                utc_offset_at: testHostOffset, locale: testHostLocale))
        config = .allocate(capacity: 1)
        config.initialize(
            to: tandem_config(
                header: header(tandem_config.self), values: testHostConfigValues, generation: testHostConfigGeneration))
        log = .allocate(capacity: 1)
        log.initialize(to: tandem_log(header: header(tandem_log.self), write: testHostLog))
        rows = .allocate(capacity: 1)
        rows.initialize(to: tandem_rows(header: header(tandem_rows.self), execute: testHostExecute))
        tools = .allocate(capacity: 1)
        tools.initialize(
            to: tandem_tools(header: header(tandem_tools.self), call: testHostCallTool, is_available: testHostAvailable)
        )
        http = .allocate(capacity: 1)
        http.initialize(
            to: tandem_http(
                header: header(tandem_http.self), send: testHostSend, read: testHostRead, cancel: testHostCancel))
        kv = .allocate(capacity: 1)
        kv.initialize(
            to: tandem_kv(
                header: header(tandem_kv.self), get: testHostGetValue, set: testHostSetValue,
                remove: testHostRemoveValue, list: testHostListValues, usage: testHostUsage))
        secret = .allocate(capacity: 1)
        secret.initialize(
            to: tandem_secret(
                header: header(tandem_secret.self), get: testHostGetSecret, entered: testHostEnteredSecrets))
        metrics = .allocate(capacity: 1)
        metrics.initialize(
            to: tandem_metrics(
                header: header(tandem_metrics.self), add: testHostAddMetric, set: testHostSetMetric,
                observe: testHostObserveMetric))
        timer = .allocate(capacity: 1)
        timer.initialize(
            to: tandem_timer(
                header: header(tandem_timer.self), set: testHostSetTimer, cancel: testHostCancelTimer,
                list: testHostListTimers))
        event = .allocate(capacity: 1)
        event.initialize(to: tandem_event(header: header(tandem_event.self), publish: testHostPublish))
        memory = .allocate(capacity: 1)
        memory.initialize(
            to: tandem_memory(header: header(tandem_memory.self), recall: testHostRecall, propose: testHostPropose))
    }

    deinit {
        http.deallocate()
        kv.deallocate()
        secret.deallocate()
        metrics.deallocate()
        timer.deallocate()
        event.deallocate()
        memory.deallocate()
        clock.deallocate()
        config.deallocate()
        log.deallocate()
        rows.deallocate()
        tools.deallocate()
    }

    func pointer(_ id: String) -> UnsafeRawPointer? {
        switch id {
        case TANDEM_EXT_CLOCK: UnsafeRawPointer(clock)
        case TANDEM_EXT_CONFIG: UnsafeRawPointer(config)
        case TANDEM_EXT_LOG: UnsafeRawPointer(log)
        case TANDEM_EXT_ROWS: UnsafeRawPointer(rows)
        case TANDEM_EXT_TOOLS: UnsafeRawPointer(tools)
        case TANDEM_EXT_HTTP: UnsafeRawPointer(http)
        case TANDEM_EXT_KV: UnsafeRawPointer(kv)
        case TANDEM_EXT_SECRET: UnsafeRawPointer(secret)
        case TANDEM_EXT_METRICS: UnsafeRawPointer(metrics)
        case TANDEM_EXT_TIMER: UnsafeRawPointer(timer)
        case TANDEM_EXT_EVENT: UnsafeRawPointer(event)
        case TANDEM_EXT_MEMORY: UnsafeRawPointer(memory)
        default: nil
        }
    }
}
