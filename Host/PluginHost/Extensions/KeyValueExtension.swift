import CTandemPlugin
import TandemCore
import TandemJSON

/// `tandem.kv/1`: small values by key, for the plugin and the person of the instance.
enum KeyValueExtension {
    static let table = StaticTable(
        tandem_kv(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_kv>.size), flags: 0), get: kvGet, set: kvSet,
            remove: kvRemove, list: kvList, usage: kvUsage))

    static let maxKeyBytes = 256
    static let maxValueBytes = 256 << 10
    /// Ten years.
    static let maxLifetimeMilliseconds: UInt64 = 10 * 366 * 86_400_000
}

/// The way back to the plugin: its context and its function.
private struct KeyValueDone: @unchecked Sendable {
    // The plugin promises that both may be used from any thread, once.
    let context: UnsafeMutableRawPointer?
    let done: tandem_kv_done

    init?(_ context: UnsafeMutableRawPointer?, _ done: tandem_kv_done) {
        guard unsafeBitCast(done, to: UInt.self) != 0 else { return nil }
        self.context = context
        self.done = done
    }

    private func deliver(
        _ status: tandem_status, version: UInt64 = 0, expiresAt: Timestamp? = nil,
        value: tandem_buffer = tandem_buffer()
    ) {
        var result = tandem_kv_result(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_kv_result>.size), flags: 0), version: version,
            expires_at_ms: expiresAt?.millisecondsSinceEpoch ?? 0, value: value)
        done(context, status, &result)
    }

    private func deliver(_ failure: ServiceFailure) { deliver(failure.status, version: failure.version) }

    @Sendable
    func deliver(value result: Result<StoredValue, ServiceFailure>) {
        switch result {
        case .success(let value):
            deliver(
                TANDEM_OK, version: value.version, expiresAt: value.expiresAt, value: HostBuffer.make(value.bytes))
        case .failure(let failure): deliver(failure)
        }
    }

    @Sendable
    func deliver(nothing result: Result<Void, ServiceFailure>) {
        switch result {
        case .success: deliver(TANDEM_OK)
        case .failure(let failure): deliver(failure)
        }
    }

    @Sendable
    func deliver(json result: Result<JSON, ServiceFailure>) {
        switch result {
        case .success(let json): deliver(TANDEM_OK, value: HostBuffer.make(json))
        case .failure(let failure): deliver(failure)
        }
    }
}

/// What all functions check alike.
private func begin(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id
) -> Result<(ServiceRequest, any KeyValueStore), StatusError> {
    switch ServiceRequest.begin(host, id, .kv) {
    case .failure(let error): return .failure(error)
    case .success(let request):
        guard let store = request.plugin.services.keyValues else {
            request.call.endService()
            return .failure(StatusError(TANDEM_E_NOT_GRANTED))
        }
        return .success((request, store))
    }
}

private func kvGet(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ key: tandem_slice, _ context: UnsafeMutableRawPointer?,
    _ done: tandem_kv_done
) -> tandem_status {
    guard let back = KeyValueDone(context, done), let key = key.name(atMost: KeyValueExtension.maxKeyBytes) else {
        return TANDEM_E_INVALID_ARGUMENT
    }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, store)):
        request.run(
            {
                guard let value = try await store.value(of: key, in: request.place) else {
                    throw ServiceFailure(TANDEM_E_NOT_FOUND)
                }
                return value
            }, deliver: back.deliver(value:))
        return TANDEM_OK
    }
}

private func kvSet(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ key: tandem_slice, _ value: tandem_slice,
    _ expected: UInt64, _ lifetime: UInt64, _ context: UnsafeMutableRawPointer?, _ done: tandem_kv_done
) -> tandem_status {
    guard let back = KeyValueDone(context, done), let key = key.name(atMost: KeyValueExtension.maxKeyBytes),
        let bytes = value.bytes, lifetime <= KeyValueExtension.maxLifetimeMilliseconds
    else { return TANDEM_E_INVALID_ARGUMENT }
    guard bytes.count <= KeyValueExtension.maxValueBytes else { return TANDEM_E_TOO_LARGE }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, store)):
        let copy = Array(bytes)
        request.run(
            {
                guard request.call.scope != PluginHost.nobody else { throw ServiceFailure(TANDEM_E_NOT_GRANTED) }
                var stored = try await store.set(
                    copy, for: key, expected: expected == TANDEM_KV_ANY_VERSION ? nil : expected,
                    lifetimeMilliseconds: lifetime, quota: request.plugin.quota, in: request.place)
                stored.bytes = []
                return stored
            }, deliver: back.deliver(value:))
        return TANDEM_OK
    }
}

private func kvRemove(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ key: tandem_slice, _ expected: UInt64,
    _ context: UnsafeMutableRawPointer?, _ done: tandem_kv_done
) -> tandem_status {
    guard let back = KeyValueDone(context, done), let key = key.name(atMost: KeyValueExtension.maxKeyBytes),
        expected != TANDEM_KV_NO_VALUE
    else { return TANDEM_E_INVALID_ARGUMENT }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, store)):
        request.run(
            {
                try await store.remove(
                    key, expected: expected == TANDEM_KV_ANY_VERSION ? nil : expected, in: request.place)
            }, deliver: back.deliver(nothing:))
        return TANDEM_OK
    }
}

private func kvList(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ prefix: tandem_slice, _ after: tandem_slice,
    _ limit: UInt32, _ context: UnsafeMutableRawPointer?, _ done: tandem_kv_done
) -> tandem_status {
    guard let back = KeyValueDone(context, done), limit <= 1000,
        let prefix = prefix.name(atMost: KeyValueExtension.maxKeyBytes, allowsEmpty: true),
        let after = after.name(atMost: KeyValueExtension.maxKeyBytes, allowsEmpty: true)
    else { return TANDEM_E_INVALID_ARGUMENT }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, store)):
        request.run(
            {
                let found = try await store.keys(
                    prefix: prefix, after: after, limit: limit == 0 ? 100 : Int(limit), in: request.place)
                let entries = found.keys.map { key -> JSON in
                    [
                        "key": .string(key.key), "version": .string(String(key.version)),
                        "bytes": .integer(Int64(key.byteCount)),
                        "expiresAt": key.expiresAt.map { .string($0.description) } ?? .null,
                    ]
                }
                return ["entries": .array(entries), "more": .bool(found.hasMore)] as JSON
            }, deliver: back.deliver(json:))
        return TANDEM_OK
    }
}

private func kvUsage(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ context: UnsafeMutableRawPointer?,
    _ done: tandem_kv_done
) -> tandem_status {
    guard let back = KeyValueDone(context, done) else { return TANDEM_E_INVALID_ARGUMENT }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, store)):
        request.run(
            {
                let usage = try await store.usage(in: request.place)
                let quota = request.plugin.quota
                return [
                    "entries": .integer(Int64(usage.entries)), "bytes": .integer(Int64(usage.bytes)),
                    "quota": [
                        "entries": .integer(Int64(quota.kvEntries)), "bytes": .integer(Int64(quota.kvBytes)),
                    ],
                ] as JSON
            }, deliver: back.deliver(json:))
        return TANDEM_OK
    }
}
