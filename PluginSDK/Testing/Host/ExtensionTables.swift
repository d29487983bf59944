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
    }

    deinit {
        http.deallocate()
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
        default: nil
        }
    }
}
