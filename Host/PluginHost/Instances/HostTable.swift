import CTandemPlugin
import Logging
import TandemCore

/// The host's side of `tandem/host.h`. The functions are C callbacks: top-level, of no actor, safe from any thread.
enum HostTable {
    static func make(context: UnsafeMutableRawPointer?) -> tandem_host {
        tandem_host(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_host>.size), flags: 0),
            abi_major: TANDEM_ABI_MAJOR, abi_minor: TANDEM_ABI_MINOR, context: context,
            get_extension: hostGetExtension, complete: hostComplete, is_cancelled: hostIsCancelled,
            progress: hostProgress)
    }

    /// A call in flight of this very instance, or the status for the plugin.
    static func call(_ id: UInt64, of instance: PluginInstance) -> Result<PendingCall, StatusError> {
        switch CallTable.shared.lookup(id) {
        case .inFlight(let call):
            guard call.instance === instance else {
                let count = instance.plugin.meters.count(\.foreignCompletions)
                instance.plugin.report("a plugin used a call that is another instance's", count: count)
                return .failure(StatusError(TANDEM_E_STALE))
            }
            return .success(call)
        case .completed(by: ObjectIdentifier(instance)): return .failure(StatusError(TANDEM_E_ALREADY_DONE))
        case .completed, .stale: return .failure(StatusError(TANDEM_E_STALE))
        }
    }

    /// Counts a completion that a runner refused. The call may be in flight by now, when the plugin guessed its number
    /// before it was made: it goes on. Which of the two it was the runner knows best: the call's place may have been given
    /// to another call since.
    static func countLate(_ id: UInt64, of instance: PluginInstance, runnerStatus: tandem_status) {
        guard runnerStatus != TANDEM_E_ALREADY_DONE else { return noteLate(runnerStatus, instance.plugin) }
        // Counts also whether it is another instance's.
        _ = call(id, of: instance)
        noteLate(TANDEM_E_STALE, instance.plugin)
    }
}

/// A status of the ABI as an error.
struct StatusError: Error {
    let status: tandem_status

    init(_ status: tandem_status) { self.status = status }
}

/// Copies of a table that lives as long as the process, at one address.
struct StaticTable<Table>: @unchecked Sendable {
    // Written once, before anybody sees it.
    let pointer: UnsafePointer<Table>

    init(_ table: Table) {
        let memory = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        memory.initialize(to: table)
        pointer = UnsafePointer(memory)
    }
}

private func hostGetExtension(
    _ host: UnsafePointer<tandem_host>, _ id: UnsafePointer<CChar>
) -> UnsafeRawPointer? {
    guard let instance = PluginInstance.of(host), UInt(bitPattern: id) != 0 else { return nil }
    let granted = instance.extensions
    switch String(cString: id) {
    case TANDEM_EXT_LOG where granted.contains(.log): return UnsafeRawPointer(LogExtension.table.pointer)
    case TANDEM_EXT_CLOCK where granted.contains(.clock): return UnsafeRawPointer(ClockExtension.table.pointer)
    case TANDEM_EXT_CONFIG where granted.contains(.config): return UnsafeRawPointer(ConfigExtension.table.pointer)
    case TANDEM_EXT_ROWS where granted.contains(.rows): return UnsafeRawPointer(RowsExtension.table.pointer)
    case TANDEM_EXT_KV where granted.contains(.kv): return UnsafeRawPointer(KeyValueExtension.table.pointer)
    case TANDEM_EXT_SECRET where granted.contains(.secret): return UnsafeRawPointer(SecretExtension.table.pointer)
    case TANDEM_EXT_METRICS where granted.contains(.metrics): return UnsafeRawPointer(MetricsExtension.table.pointer)
    case TANDEM_EXT_TIMER where granted.contains(.timer): return UnsafeRawPointer(TimerExtension.table.pointer)
    case TANDEM_EXT_EVENT where granted.contains(.event): return UnsafeRawPointer(EventExtension.table.pointer)
    case TANDEM_EXT_MEMORY where granted.contains(.memory): return UnsafeRawPointer(MemoryExtension.table.pointer)
    case TANDEM_EXT_TOOLS where granted.contains(.tools): return UnsafeRawPointer(ToolsExtension.table.pointer)
    case TANDEM_EXT_HTTP where granted.contains(.http): return UnsafeRawPointer(HTTPExtension.table.pointer)
    default: return nil
    }
}

private func hostComplete(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ outcome: UnsafePointer<tandem_outcome>?
) -> tandem_status {
    guard let instance = PluginInstance.of(host) else {
        OutcomeDecoder.discard(outcome)
        return TANDEM_E_INVALID_ARGUMENT
    }
    let plugin = instance.plugin
    switch HostTable.call(id, of: instance) {
    case .failure(let error):
        OutcomeDecoder.discard(outcome)
        noteLate(error.status, plugin)
        return error.status
    case .success(let call):
        switch call.claim() {
        case .granted: break
        case .alreadyDone:
            OutcomeDecoder.discard(outcome)
            noteLate(TANDEM_E_ALREADY_DONE, plugin)
            return TANDEM_E_ALREADY_DONE
        case .stale:
            OutcomeDecoder.discard(outcome)
            noteLate(TANDEM_E_STALE, plugin)
            return TANDEM_E_STALE
        }
        let decoded = OutcomeDecoder(tool: call.tool, of: plugin).decode(outcome)
        instance.process?.noteAnswer(isReadable: !decoded.isUnreadable)
        if let fault = decoded.fault {
            let count = plugin.meters.count(\.malformedOutcomes)
            plugin.report(
                "a plugin completed a call with something unusable", count: count,
                ["plugin.tool": "\(call.tool.definition.id)", "reason": "\(fault)"])
        }
        call.finish(decoded.outcome)
        return decoded.status
    }
}

private func noteLate(_ status: tandem_status, _ plugin: LoadedPlugin) {
    if status == TANDEM_E_ALREADY_DONE {
        plugin.report("a plugin completed a call twice", count: plugin.meters.count(\.doubleCompletions))
    } else {
        plugin.report("a plugin completed a call that is over", count: plugin.meters.count(\.staleCompletions))
    }
}

private func hostIsCancelled(_ host: UnsafePointer<tandem_host>, _ id: tandem_call_id) -> Int32 {
    guard let instance = PluginInstance.of(host), case .inFlight(let call) = CallTable.shared.lookup(id),
        call.instance === instance
    else { return TANDEM_E_STALE }
    return call.cancellation
}

private func hostProgress(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ permille: Int32, _ note: tandem_slice
) -> tandem_status {
    guard let instance = PluginInstance.of(host), case .inFlight(let call) = CallTable.shared.lookup(id),
        call.instance === instance, call.isInFlight
    else { return TANDEM_E_STALE }
    guard (-1...1000).contains(permille), note.bytes != nil else { return TANDEM_E_INVALID_ARGUMENT }
    return TANDEM_OK
}
