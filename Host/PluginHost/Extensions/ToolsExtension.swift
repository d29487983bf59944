import CTandemPlugin
import TandemCore
import TandemJSON

/// `tandem.tools/1`: calls to other plugins' tools, mediated by the agent, tied to the call in flight.
enum ToolsExtension {
    static let table = StaticTable(
        tandem_tools(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_tools>.size), flags: 0), call: toolsCall,
            is_available: toolsIsAvailable))

    static let maxDepth = 4
    static let maxInnerCalls = 32
    /// Of all that follow from one call of the agent's: 32 at each of four levels would be a million.
    static let maxFollowing = 128
    static let maxArgumentBytes: UInt64 = 1 << 20
}

private struct ToolsDone: @unchecked Sendable {
    // The plugin promises that both may be used from any thread, once.
    let context: UnsafeMutableRawPointer?
    let done: tandem_tools_done

    func fail(_ status: tandem_status) { done(context, status, nil) }

    func deliver(_ outcome: ToolOutcome) {
        if case .failure(let failure) = outcome, let status = ToolsDone.status(of: failure) { return fail(status) }
        var table = EncodedOutcome(outcome).table()
        done(context, TANDEM_OK, &table)
    }

    /// Failures of the mediation itself, as against those of the other tool.
    private static func status(of failure: ToolFailure) -> tandem_status? {
        switch failure.code {
        case "unknown_tool": TANDEM_E_UNSUPPORTED
        case "not_enabled", "read_only", "tool_off", "not_approved", "not_granted": TANDEM_E_NOT_GRANTED
        case "invalid_arguments": TANDEM_E_INVALID_ARGUMENT
        case "confirmation_needed", "confirmation_required", "confirmation_denied": TANDEM_E_CONFIRMATION_DENIED
        case "timeout" where failure.status == TANDEM_E_DEADLINE_EXCEEDED: TANDEM_E_DEADLINE_EXCEEDED
        case "cancelled" where failure.status == TANDEM_E_CANCELLED: TANDEM_E_CANCELLED
        case "unavailable" where failure.status == TANDEM_E_UNAVAILABLE: TANDEM_E_UNAVAILABLE
        case "busy" where failure.status == TANDEM_E_BUSY: TANDEM_E_UNAVAILABLE
        case "bad_outcome" where failure.status == TANDEM_E_INTERNAL: TANDEM_E_UNAVAILABLE
        default: nil
        }
    }
}

private func toolsCall(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ tool: tandem_slice, _ arguments: tandem_slice,
    _ context: UnsafeMutableRawPointer?, _ done: tandem_tools_done
) -> tandem_status {
    guard let instance = PluginInstance.of(host), unsafeBitCast(done, to: UInt.self) != 0,
        let toolBytes = tool.bytes, toolBytes.count <= 64, let argumentBytes = arguments.bytes
    else { return TANDEM_E_INVALID_ARGUMENT }
    let plugin = instance.plugin
    let permission = instance.permission(for: .tools)
    guard permission == TANDEM_OK else { return permission }
    guard case .inFlight(let call) = CallTable.shared.lookup(id), call.instance === instance, call.isInFlight else {
        return TANDEM_E_STALE
    }
    let name = String(decoding: toolBytes, as: UTF8.self)
    guard plugin.calls.contains(name), !instance.isWithheld(.call, name) else { return TANDEM_E_NOT_GRANTED }
    guard arguments.len <= ToolsExtension.maxArgumentBytes, call.depth < ToolsExtension.maxDepth,
        let (ordinal, following) = call.beginInnerCall(
            atMost: ToolsExtension.maxInnerCalls, following: ToolsExtension.maxFollowing)
    else { return TANDEM_E_OVER_QUOTA }
    guard call.beginService() else { return TANDEM_E_STALE }
    plugin.meters.count(\.innerCalls)
    let back = ToolsDone(context: context, done: done)
    let value = argumentBytes.isEmpty ? JSON.object([:]) : try? JSON(parsing: argumentBytes)
    guard let value, case .object = value else {
        call.endService()
        back.fail(TANDEM_E_INVALID_ARGUMENT)
        return TANDEM_OK
    }
    guard let mediator = plugin.mediator.current else {
        call.endService()
        back.fail(TANDEM_E_UNAVAILABLE)
        return TANDEM_OK
    }
    var inner = ToolCall(
        tool: name, arguments: value, origin: call.origin, deadlineNanoseconds: call.deadline,
        idempotencyKey: "\(call.idempotencyKey)/\(ordinal)", traceParent: call.traceParent,
        allowedEffect: call.mayWrite ? call.allowedEffect : .read, depth: call.depth + 1)
    inner.eventDepth = call.eventDepth
    inner.innerCalls = following
    Task(priority: plugin.taskPriority) { [inner] in
        let outcome = await CallProvenance.$current.withValue(call.provenance) {
            await mediator.mediate(inner, in: call.scope)
        }
        call.endService()
        back.deliver(outcome)
    }
    return TANDEM_OK
}

private func toolsIsAvailable(_ host: UnsafePointer<tandem_host>, _ tool: tandem_slice) -> Int32 {
    guard let instance = PluginInstance.of(host), let scope = instance.scope, let bytes = tool.bytes, bytes.count <= 64,
        instance.permission(for: .tools) == TANDEM_OK
    else { return 0 }
    let name = String(decoding: bytes, as: UTF8.self)
    guard instance.plugin.calls.contains(name), !instance.isWithheld(.call, name) else { return 0 }
    return instance.plugin.availability(name, scope) ? 1 : 0
}
