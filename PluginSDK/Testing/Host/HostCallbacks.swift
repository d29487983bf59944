internal import CTandemPlugin
internal import Glibc
internal import TandemSDK

// Functions that the plugin calls. All are nonisolated and top-level: see Callbacks.swift of the SDK.

private func ownedBuffer(_ json: JSON) -> tandem_buffer { testHostBuffer(json.serialized()) }

func testHostBuffer(_ bytes: [UInt8]) -> tandem_buffer {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
    memory.initialize(from: bytes, count: bytes.count)
    return tandem_buffer(ptr: memory, len: UInt64(bytes.count), owner: memory, release: testHostRelease)
}

func testHostRelease(_ owner: UnsafeMutableRawPointer?) { owner?.assumingMemoryBound(to: UInt8.self).deallocate() }

func testHostGetExtension(_ host: UnsafePointer<tandem_host>, _ id: UnsafePointer<CChar>) -> UnsafeRawPointer? {
    HostTable.of(host)?.extensionTable(String(cString: id))
}

func testHostComplete(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ outcome: UnsafePointer<tandem_outcome>?
) -> Int32 {
    HostTable.of(host)?.complete(call, outcome) ?? TANDEM_E_WRONG_STATE
}

func testHostIsCancelled(_ host: UnsafePointer<tandem_host>, _ call: UInt64) -> Int32 {
    HostTable.of(host)?.isCancelled(call) ?? TANDEM_E_STALE
}

func testHostProgress(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ permille: Int32, _ note: tandem_slice
) -> Int32 {
    HostTable.of(host)?.progress(call, permille, note.text) ?? TANDEM_E_STALE
}

func testHostNow(_ host: UnsafePointer<tandem_host>) -> Int64 { HostTable.of(host)?.services.nowMilliseconds() ?? 0 }

func testHostMonotonic(_ host: UnsafePointer<tandem_host>) -> UInt64 { monotonicNanoseconds() }

func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

func testHostOffset(_ host: UnsafePointer<tandem_host>, _ milliseconds: Int64) -> Int32 {
    HostTable.of(host)?.services.offsetSeconds(milliseconds) ?? 0
}

func testHostLocale(_ host: UnsafePointer<tandem_host>, _ out: UnsafeMutablePointer<tandem_buffer>) -> Int32 {
    guard let services = HostTable.of(host)?.services else { return TANDEM_E_WRONG_STATE }
    out.pointee = ownedBuffer(services.locale())
    return TANDEM_OK
}

func testHostConfigValues(_ host: UnsafePointer<tandem_host>, _ out: UnsafeMutablePointer<tandem_buffer>) -> Int32 {
    guard let configuration = HostTable.of(host)?.services.configuration else { return TANDEM_E_WRONG_STATE }
    out.pointee = ownedBuffer(configuration().values)
    return TANDEM_OK
}

func testHostConfigGeneration(_ host: UnsafePointer<tandem_host>) -> UInt64 {
    HostTable.of(host)?.services.configuration?().generation ?? 0
}

func testHostLog(
    _ host: UnsafePointer<tandem_host>, _ level: UInt32, _ call: UInt64, _ message: tandem_slice,
    _ fields: tandem_slice
) -> Int32 {
    guard let table = HostTable.of(host) else { return TANDEM_E_WRONG_STATE }
    let parsed = fields.len == 0 ? JSON.object([:]) : fields.json
    guard (TANDEM_LOG_DEBUG...TANDEM_LOG_HOST_MISBEHAVING).contains(level), let parsed, case .object = parsed else {
        return TANDEM_E_INVALID_ARGUMENT
    }
    table.services.log(LogLine(level: level, call: call, message: message.text, fields: parsed))
    return TANDEM_OK
}

/// A callback and the context pointer that belongs to it, on their way through a task.
private struct Token<Function>: @unchecked Sendable {
    // Sendable: C functions have no state, and the pointer is handed back once and never looked at.
    let pointer: UnsafeMutableRawPointer?
    let done: Function
}

func testHostExecute(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ operations: tandem_slice,
    _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_rows_done
) -> Int32 {
    guard let table = HostTable.of(host), let execute = table.services.executeRows else { return TANDEM_E_REVOKED }
    guard table.isInFlight(call) else { return TANDEM_E_STALE }
    guard operations.len <= 1 << 20 else { return TANDEM_E_TOO_LARGE }
    let parsed = operations.json ?? .null
    let token = Token(pointer: context, done: done)
    Task.immediateDetached {
        let (status, answer) = await execute(call, parsed)
        token.done(token.pointer, status, ownedBuffer(answer))
    }
    return TANDEM_OK
}

func testHostCallTool(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ tool: tandem_slice, _ arguments: tandem_slice,
    _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_tools_done
) -> Int32 {
    guard let table = HostTable.of(host), let callTool = table.services.callTool else { return TANDEM_E_REVOKED }
    guard table.isInFlight(call) else { return TANDEM_E_STALE }
    let name = tool.text
    let parsed = arguments.json ?? .null
    let token = Token(pointer: context, done: done)
    Task.immediateDetached {
        let (status, outcome) = await callTool(call, name, parsed)
        if status == TANDEM_OK, let outcome {
            outcome.withTable { token.done(token.pointer, status, $0) }
        } else {
            token.done(token.pointer, status == TANDEM_OK ? TANDEM_E_INTERNAL : status, nil)
        }
    }
    return TANDEM_OK
}

func testHostAvailable(_ host: UnsafePointer<tandem_host>, _ tool: tandem_slice) -> Int32 {
    HostTable.of(host)?.services.isToolAvailable(tool.text) == true ? 1 : 0
}
