import CTandemPlugin
import TandemCore
import TandemJSON

/// `tandem.rows/1`: row operations on the plugin's own tables, for the person of the instance, as part of a call.
enum RowsExtension {
    static let table = StaticTable(
        tandem_rows(header: tandem_header(size: UInt32(MemoryLayout<tandem_rows>.size), flags: 0), execute: rowsExecute)
    )

    static let maxRequestBytes: UInt64 = 1 << 20
}

/// The way back to the plugin: its context and its function.
private struct RowsDone: @unchecked Sendable {
    // The plugin promises that both may be used from any thread, once.
    let context: UnsafeMutableRawPointer?
    let done: tandem_rows_done

    func deliver(_ status: tandem_status, _ json: JSON) { done(context, status, HostBuffer.make(json)) }
}

private func rowsExecute(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ operations: tandem_slice,
    _ context: UnsafeMutableRawPointer?, _ done: tandem_rows_done
) -> tandem_status {
    guard let instance = PluginInstance.of(host), unsafeBitCast(done, to: UInt.self) != 0,
        let bytes = operations.bytes
    else { return TANDEM_E_INVALID_ARGUMENT }
    let plugin = instance.plugin
    let permission = instance.permission(for: .rows)
    guard permission == TANDEM_OK else { return permission }
    guard operations.len <= RowsExtension.maxRequestBytes else { return TANDEM_E_TOO_LARGE }
    guard case .inFlight(let call) = CallTable.shared.lookup(id), call.instance === instance, call.beginService() else {
        return TANDEM_E_STALE
    }
    plugin.meters.count(\.rowRequests)
    let back = RowsDone(context: context, done: done)
    let request: JSON
    do {
        request = try JSON(parsing: bytes, limits: JSONLimits(maxBytes: Int(RowsExtension.maxRequestBytes)))
    } catch {
        plugin.meters.count(\.rowRefusals)
        let failure = RowFailure(status: TANDEM_E_INVALID_ARGUMENT, code: "malformed", message: error.message)
        back.deliver(failure.status, failure.json)
        call.endService()
        return TANDEM_OK
    }
    Task(priority: plugin.taskPriority) {
        // The callback came from a thread of the plugin's, which knows of no call.
        let result = await CallProvenance.$current.withValue(call.provenance) {
            await plugin.services.rows.execute(
                operations: request, owner: plugin.id, scope: call.scope, origin: call.origin, mayWrite: call.mayWrite,
                copies: call.isHandler ? plugin.copies : [], quota: plugin.quota)
        }
        // Counted out before the plugin hears of it: it may complete the call at once.
        call.endService()
        switch result {
        case .success(let json): back.deliver(TANDEM_OK, json)
        case .failure(let failure):
            plugin.meters.count(\.rowRefusals)
            back.deliver(failure.status < 0 ? failure.status : TANDEM_E_INTERNAL, failure.json)
        }
    }
    return TANDEM_OK
}
