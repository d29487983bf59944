import CTandemPlugin
import TandemCore
import TandemJSON

/// `tandem.event/1`: what happened, told to the person's other plugins that want to hear of it.
enum EventExtension {
    static let table = StaticTable(
        tandem_event(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_event>.size), flags: 0), publish: eventPublish))

    static let maxDataBytes = 16 << 10
    static let maxKeyBytes = 128
    static let maxDepth = 4
    static let maxEventsPerCall = 64
}

private func eventPublish(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ topic: tandem_slice, _ data: tandem_slice,
    _ key: tandem_slice, _ context: UnsafeMutableRawPointer?, _ done: tandem_event_done
) -> tandem_status {
    guard let back = BufferDone(context, done), let topic = topic.name(atMost: 64),
        let key = key.name(atMost: EventExtension.maxKeyBytes, allowsEmpty: true)
    else { return TANDEM_E_INVALID_ARGUMENT }
    let object: JSONObject
    switch data.object(atMost: EventExtension.maxDataBytes) {
    case .failure(let error): return error.status
    case .success(let read): object = read
    }
    switch ServiceRequest.begin(host, id, .event) {
    case .failure(let error): return error.status
    case .success(let request):
        request.run(
            {
                let plugin = request.plugin
                guard let schema = plugin.topics[topic], let events = plugin.services.events else {
                    throw ServiceFailure(TANDEM_E_UNSUPPORTED)
                }
                guard request.call.mayWrite, !request.instance.isWithheld(.publishes, topic) else {
                    throw ServiceFailure(TANDEM_E_NOT_GRANTED)
                }
                guard schema.isValid(.object(object)) else { throw ServiceFailure(TANDEM_E_INVALID_ARGUMENT) }
                let depth = request.call.eventDepth + 1
                guard depth <= EventExtension.maxDepth,
                    request.call.count(\.events, atMost: EventExtension.maxEventsPerCall)
                else { throw ServiceFailure(TANDEM_E_OVER_QUOTA) }
                let event = PluginEvent(
                    topic: topic, data: object, key: key, depth: depth,
                    receivers: try await plugin.subscribers(topic, request.call.scope))
                let id = try await events.publish(event, in: request.place)
                return ["event": .string(id.description)] as JSON
            }, deliver: back.deliver)
        return TANDEM_OK
    }
}
