import CTandemPlugin
import TandemCore
public import TandemJSON

/// `tandem.timer/1`: timers that call the plugin's handlers for the person of the instance.
enum TimerExtension {
    static let table = StaticTable(
        tandem_timer(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_timer>.size), flags: 0), set: timerSet,
            cancel: timerCancel, list: timerList))

    static let maxNameBytes = 128
    static let maxDataBytes = 8 << 10
    /// Ten years.
    static let horizonMilliseconds: Int64 = 10 * 366 * 86_400_000
}

/// What all functions check alike.
private func begin(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id
) -> Result<(ServiceRequest, any PluginTimers), StatusError> {
    switch ServiceRequest.begin(host, id, .timer) {
    case .failure(let error): return .failure(error)
    case .success(let request):
        guard let timers = request.plugin.services.timers else {
            request.call.endService()
            return .failure(StatusError(TANDEM_E_NOT_GRANTED))
        }
        return .success((request, timers))
    }
}

private func repetition(_ plan: tandem_timer_plan) -> Result<TimerRepeat?, StatusError> {
    let every = Int(plan.repeat_every)
    switch plan.repeat_unit {
    case TANDEM_TIMER_ONCE where every == 0: return .success(nil)
    case TANDEM_TIMER_SECONDS where (60...366 * 86_400).contains(every): return .success(.seconds(every))
    case TANDEM_TIMER_DAYS where (1...3660).contains(every): return .success(.days(every))
    case TANDEM_TIMER_MONTHS where (1...120).contains(every): return .success(.months(every))
    default: return .failure(StatusError(TANDEM_E_INVALID_ARGUMENT))
    }
}

private func timerSet(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ name: tandem_slice,
    _ plan: UnsafePointer<tandem_timer_plan>, _ context: UnsafeMutableRawPointer?, _ done: tandem_timer_done
) -> tandem_status {
    guard let back = BufferDone(context, done), let name = name.name(atMost: TimerExtension.maxNameBytes),
        UInt(bitPattern: plan) != 0
    else { return TANDEM_E_INVALID_ARGUMENT }
    let header = UnsafeRawPointer(plan).loadUnaligned(as: tandem_header.self)
    guard header.size >= UInt32(MemoryLayout<tandem_timer_plan>.size) else { return TANDEM_E_SIZE_TOO_SMALL }
    guard header.flags & TANDEM_FLAGS_MUST_UNDERSTAND == 0 else { return TANDEM_E_UNSUPPORTED }
    let plan = UnsafeRawPointer(plan).loadUnaligned(as: tandem_timer_plan.self)
    guard let handler = plan.handler.name(atMost: 64) else { return TANDEM_E_INVALID_ARGUMENT }
    let data: JSONObject
    switch plan.data.object(atMost: TimerExtension.maxDataBytes) {
    case .failure(let error): return error.status
    case .success(let object): data = object
    }
    let repeats: TimerRepeat?
    switch repetition(plan) {
    case .failure(let error): return error.status
    case .success(let found): repeats = found
    }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, timers)):
        let due = plan.due_ms
        request.run(
            {
                let plugin = request.plugin
                let now = plugin.services.clock.now.millisecondsSinceEpoch
                guard due <= now + TimerExtension.horizonMilliseconds else {
                    throw ServiceFailure(TANDEM_E_INVALID_ARGUMENT)
                }
                guard request.call.mayWrite || request.call.isHandler else {
                    throw ServiceFailure(TANDEM_E_NOT_GRANTED)
                }
                guard let handler = plugin.handler(named: handler) else { throw ServiceFailure(TANDEM_E_UNSUPPORTED) }
                guard handler.parameters.isValid(.object(data)) else {
                    throw ServiceFailure(TANDEM_E_INVALID_ARGUMENT)
                }
                let plan = TimerPlan(
                    name: name, handler: handler.definition.id, data: data,
                    dueAt: Timestamp(millisecondsSinceEpoch: max(due, now)), repeats: repeats)
                try await timers.set(plan, limit: plugin.quota.timers, in: request.place)
                return ["dueAt": .string(plan.dueAt.description)] as JSON
            }, deliver: back.deliver)
        return TANDEM_OK
    }
}

private func timerCancel(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ name: tandem_slice,
    _ context: UnsafeMutableRawPointer?, _ done: tandem_timer_done
) -> tandem_status {
    guard let back = BufferDone(context, done), let name = name.name(atMost: TimerExtension.maxNameBytes) else {
        return TANDEM_E_INVALID_ARGUMENT
    }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, timers)):
        request.run(
            {
                guard request.call.mayWrite || request.call.isHandler else {
                    throw ServiceFailure(TANDEM_E_NOT_GRANTED)
                }
                try await timers.cancel(name, in: request.place)
            },
            deliver: { (result: Result<Void, ServiceFailure>) in
                switch result {
                case .success: back.done(back.context, TANDEM_OK, tandem_buffer())
                case .failure(let failure): back.done(back.context, failure.status, tandem_buffer())
                }
            })
        return TANDEM_OK
    }
}

private func timerList(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ context: UnsafeMutableRawPointer?,
    _ done: tandem_timer_done
) -> tandem_status {
    guard let back = BufferDone(context, done) else { return TANDEM_E_INVALID_ARGUMENT }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, timers)):
        request.run(
            {
                let all = try await timers.timers(in: request.place).map { plan -> JSON in
                    [
                        "name": .string(plan.name),
                        "handler": .string(String(plan.handler.drop { $0 != "." }.dropFirst())),
                        "dueAt": .string(plan.dueAt.description), "repeat": plan.repeats?.json ?? .null,
                        "data": .object(plan.data),
                    ]
                }
                return ["timers": .array(all)] as JSON
            }, deliver: back.deliver)
        return TANDEM_OK
    }
}

extension TimerRepeat {
    /// `{"unit":"days","every":7}`
    public var json: JSON {
        switch self {
        case .seconds(let every): ["unit": "seconds", "every": .integer(Int64(every))]
        case .days(let every): ["unit": "days", "every": .integer(Int64(every))]
        case .months(let every): ["unit": "months", "every": .integer(Int64(every))]
        }
    }
}
