internal import CTandemPlugin
internal import TandemSDK

// Functions that the plugin calls. All are nonisolated and top-level: see Callbacks.swift of the SDK.

/// Makes a request to a service and delivers its answer before it returns, as a host may.
private func serve(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ request: ServiceCall, _ deliver: (ServiceReply) -> Void
) -> Int32 {
    guard let table = HostTable.of(host) else { return TANDEM_E_WRONG_STATE }
    guard table.isInFlight(call) else { return TANDEM_E_STALE }
    deliver(table.services.serve(call, request))
    return TANDEM_OK
}

private func buffer(_ reply: ServiceReply) -> tandem_buffer {
    reply.bytes.isEmpty ? tandem_buffer() : testHostBuffer(reply.bytes)
}

/// The members of a JSON object; nil for anything else. Nothing is `{}`.
private func object(_ slice: tandem_slice) -> JSON? {
    if slice.len == 0 { return [:] }
    guard let json = slice.json, case .object = json else { return nil }
    return json
}

// MARK: tandem.kv/1

private func serveValue(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ request: ServiceCall, _ context: UnsafeMutableRawPointer?,
    _ done: tandem_kv_done
) -> Int32 {
    serve(host, call, request) { reply in
        var result = tandem_kv_result(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_kv_result>.size), flags: 0), version: reply.version,
            expires_at_ms: reply.expiresAt?.milliseconds ?? 0, value: buffer(reply))
        done(context, reply.status, &result)
    }
}

private func isKey(_ slice: tandem_slice) -> Bool { (1...256).contains(slice.len) }

func testHostGetValue(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ key: tandem_slice, _ context: UnsafeMutableRawPointer?,
    _ done: @escaping tandem_kv_done
) -> Int32 {
    guard isKey(key) else { return TANDEM_E_INVALID_ARGUMENT }
    return serveValue(host, call, .getValue(key: key.text), context, done)
}

func testHostSetValue(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ key: tandem_slice, _ value: tandem_slice,
    _ expected: UInt64, _ lifetime: UInt64, _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_kv_done
) -> Int32 {
    guard isKey(key) else { return TANDEM_E_INVALID_ARGUMENT }
    guard value.len <= 256 << 10 else { return TANDEM_E_TOO_LARGE }
    return serveValue(
        host, call,
        .setValue(key: key.text, bytes: value.array, expected: expected, lifetimeMilliseconds: lifetime), context, done)
}

func testHostRemoveValue(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ key: tandem_slice, _ expected: UInt64,
    _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_kv_done
) -> Int32 {
    guard isKey(key), expected != TANDEM_KV_NO_VALUE else { return TANDEM_E_INVALID_ARGUMENT }
    return serveValue(host, call, .removeValue(key: key.text, expected: expected), context, done)
}

func testHostListValues(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ prefix: tandem_slice, _ after: tandem_slice,
    _ limit: UInt32, _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_kv_done
) -> Int32 {
    guard limit <= 1000 else { return TANDEM_E_INVALID_ARGUMENT }
    let request = ServiceCall.listKeys(prefix: prefix.text, after: after.text, limit: limit == 0 ? 100 : Int(limit))
    return serveValue(host, call, request, context, done)
}

func testHostUsage(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ context: UnsafeMutableRawPointer?,
    _ done: @escaping tandem_kv_done
) -> Int32 {
    serveValue(host, call, .valueUsage, context, done)
}

// MARK: The others

private typealias Done = @convention(c) (UnsafeMutableRawPointer?, Int32, tandem_buffer) -> Void

private func serve(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ request: ServiceCall, _ context: UnsafeMutableRawPointer?,
    _ done: Done
) -> Int32 {
    serve(host, call, request) { done(context, $0.status, buffer($0)) }
}

func testHostGetSecret(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ name: tandem_slice, _ context: UnsafeMutableRawPointer?,
    _ done: @escaping tandem_secret_done
) -> Int32 {
    serve(host, call, .getSecret(name: name.text), context, done)
}

func testHostEnteredSecrets(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ context: UnsafeMutableRawPointer?,
    _ done: @escaping tandem_secret_done
) -> Int32 {
    serve(host, call, .enteredSecrets, context, done)
}

func testHostSetTimer(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ name: tandem_slice,
    _ plan: UnsafePointer<tandem_timer_plan>, _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_timer_done
) -> Int32 {
    guard Int(plan.pointee.header.size) >= MemoryLayout<tandem_timer_plan>.size else { return TANDEM_E_SIZE_TOO_SMALL }
    let plan = plan.pointee
    let every = Int(plan.repeat_every)
    let repetition: Repetition? =
        switch plan.repeat_unit {
        case TANDEM_TIMER_ONCE where every == 0: .never
        case TANDEM_TIMER_SECONDS where every >= 60: .seconds(every)
        case TANDEM_TIMER_DAYS where every >= 1: .days(every)
        case TANDEM_TIMER_MONTHS where every >= 1: .months(every)
        default: nil
        }
    guard let repetition, let data = object(plan.data), (1...128).contains(name.len) else {
        return TANDEM_E_INVALID_ARGUMENT
    }
    guard plan.data.len <= 8 << 10 else { return TANDEM_E_TOO_LARGE }
    let request = ServiceCall.setTimer(
        name: name.text, handler: plan.handler.text, data: data, dueAt: Instant(milliseconds: plan.due_ms),
        repetition: repetition)
    return serve(host, call, request, context, done)
}

func testHostCancelTimer(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ name: tandem_slice, _ context: UnsafeMutableRawPointer?,
    _ done: @escaping tandem_timer_done
) -> Int32 {
    serve(host, call, .cancelTimer(name: name.text), context, done)
}

func testHostListTimers(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ context: UnsafeMutableRawPointer?,
    _ done: @escaping tandem_timer_done
) -> Int32 {
    serve(host, call, .listTimers, context, done)
}

func testHostPublish(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ topic: tandem_slice, _ data: tandem_slice,
    _ key: tandem_slice, _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_event_done
) -> Int32 {
    guard key.len <= 128, let object = object(data) else { return TANDEM_E_INVALID_ARGUMENT }
    guard data.len <= 16 << 10 else { return TANDEM_E_TOO_LARGE }
    return serve(host, call, .publish(topic: topic.text, data: object, key: key.text), context, done)
}

func testHostRecall(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ question: tandem_slice, _ limit: UInt32,
    _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_memory_done
) -> Int32 {
    guard limit <= 20, question.len > 0 else { return TANDEM_E_INVALID_ARGUMENT }
    guard question.len <= 1000 else { return TANDEM_E_TOO_LARGE }
    return serve(host, call, .recall(question: question.text, limit: limit == 0 ? 5 : Int(limit)), context, done)
}

func testHostPropose(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ kind: tandem_slice, _ text: tandem_slice,
    _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_memory_done
) -> Int32 {
    guard text.len <= 500 else { return TANDEM_E_TOO_LARGE }
    guard text.len > 0, !text.text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
        return TANDEM_E_INVALID_ARGUMENT
    }
    return serve(host, call, .propose(kind: kind.text, text: text.text), context, done)
}

// MARK: tandem.metrics/1

private func record(
    _ host: UnsafePointer<tandem_host>, _ operation: RecordedMetric.Operation, _ name: tandem_slice,
    _ labels: tandem_array, _ value: Double
) -> Int32 {
    guard let table = HostTable.of(host) else { return TANDEM_E_WRONG_STATE }
    guard value.isFinite, labels.count <= 4 else { return TANDEM_E_INVALID_ARGUMENT }
    var values: [String] = []
    if labels.count > 0 {
        guard let first = labels.first, labels.stride >= UInt64(MemoryLayout<tandem_slice>.size) else {
            return TANDEM_E_INVALID_ARGUMENT
        }
        for index in 0..<Int(labels.count) {
            values.append((first + index * Int(labels.stride)).loadUnaligned(as: tandem_slice.self).text)
        }
    }
    return table.services.record(
        RecordedMetric(operation: operation, name: name.text, labels: values, value: value))
}

func testHostAddMetric(
    _ host: UnsafePointer<tandem_host>, _ name: tandem_slice, _ labels: tandem_array, _ amount: Double
) -> Int32 { record(host, .add, name, labels, amount) }

func testHostSetMetric(
    _ host: UnsafePointer<tandem_host>, _ name: tandem_slice, _ labels: tandem_array, _ value: Double
) -> Int32 { record(host, .set, name, labels, value) }

func testHostObserveMetric(
    _ host: UnsafePointer<tandem_host>, _ name: tandem_slice, _ labels: tandem_array, _ value: Double
) -> Int32 { record(host, .observe, name, labels, value) }
