import CTandemPlugin
import TandemCore
import TandemEgress
import TandemJSON

/// `tandem.http/1`: requests to the plugin's hosts, for the person of the instance, as part of a call.
enum HTTPExtension {
    static let table = StaticTable(
        tandem_http(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_http>.size), flags: 0), send: httpSend,
            read: httpRead, cancel: httpCancel))

    static let maxBodyBytes: UInt64 = 6 << 20
    static let maxResponseBytes: UInt64 = 6 << 20
    static let maxStreamBytes: UInt64 = 256 << 20
    static let maxChunkBytes: UInt64 = 1 << 20

    static func status(of kind: EgressFailure.Kind) -> tandem_status {
        switch kind {
        case .invalid: TANDEM_E_INVALID_ARGUMENT
        case .notGranted: TANDEM_E_NOT_GRANTED
        case .hostNotAllowed: TANDEM_E_HOST_NOT_ALLOWED
        case .authRequired: TANDEM_E_AUTH_REQUIRED
        case .rateLimited: TANDEM_E_RATE_LIMITED
        case .unavailable: TANDEM_E_UNAVAILABLE
        case .rejected: TANDEM_E_REJECTED
        case .deadline: TANDEM_E_DEADLINE_EXCEEDED
        case .tooLarge: TANDEM_E_TOO_LARGE
        case .cancelled: TANDEM_E_CANCELLED
        case .busy: TANDEM_E_BUSY
        case .internalFault: TANDEM_E_INTERNAL
        }
    }

    /// What a plugin asks for, copied; or the status that it gets.
    static func request(
        _ pointer: UnsafePointer<tandem_http_request>
    ) -> Result<(request: EgressRequest, isStreamed: Bool), StatusError> {
        let header = UnsafeRawPointer(pointer).loadUnaligned(as: tandem_header.self)
        guard header.size >= UInt32(MemoryLayout<tandem_http_request>.size) else {
            return .failure(StatusError(TANDEM_E_SIZE_TOO_SMALL))
        }
        guard header.flags & TANDEM_FLAGS_MUST_UNDERSTAND == 0 else {
            return .failure(StatusError(TANDEM_E_UNSUPPORTED))
        }
        let table = pointer.pointee
        let flags = header.flags
        let isStreamed = flags & TANDEM_HTTP_STREAM != 0
        let limit = isStreamed ? maxStreamBytes : maxResponseBytes
        guard table.body.len <= maxBodyBytes else { return .failure(StatusError(TANDEM_E_TOO_LARGE)) }
        guard let methodText = text(table.method, atMost: 16),
            let method = methodText.isEmpty ? .get : HTTPRequest.Method(rawValue: methodText),
            let url = text(table.url, atMost: UInt64(OutboundURL.maxBytes)),
            let headers = headers(table.headers), let body = table.body.bytes,
            let grant = text(table.grant, atMost: 128), let key = text(table.idempotency_key, atMost: 255),
            table.max_response_bytes <= limit
        else { return .failure(StatusError(TANDEM_E_INVALID_ARGUMENT)) }
        var request = EgressRequest(
            method, url, headers: headers, body: Array(body), grant: grant.isEmpty ? nil : grant,
            idempotencyKey: key.isEmpty ? nil : key, isIdempotent: flags & TANDEM_HTTP_IDEMPOTENT != 0,
            timeout: milliseconds(table.timeout_ms, orElse: 30_000),
            maxResponseBytes: table.max_response_bytes == 0 ? 4 << 20 : Int(table.max_response_bytes),
            followsRedirects: flags & TANDEM_HTTP_NO_REDIRECT == 0)
        if flags & TANDEM_HTTP_CACHE != 0, !isStreamed {
            let stale = flags & TANDEM_HTTP_STALE_IF_ERROR != 0
            request.cache = EgressRequest.CacheUse(
                staleIfError: stale ? milliseconds(table.max_stale_ms, orElse: 86_400_000) : nil,
                mustRevalidate: flags & TANDEM_HTTP_REVALIDATE != 0)
        }
        return .success((request, isStreamed))
    }

    private static func milliseconds(_ value: UInt64, orElse standard: Int64) -> Duration {
        .milliseconds(value == 0 ? standard : Int64(clamping: min(value, 366 * 86_400_000)))
    }

    private static func text(_ slice: tandem_slice, atMost limit: UInt64) -> String? {
        guard slice.len <= limit, let bytes = slice.bytes else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Nil for an array that is too long or malformed.
    private static func headers(_ array: tandem_array) -> HTTPHeaders? {
        var headers = HTTPHeaders()
        guard array.count > 0 else { return headers }
        guard let first = array.first, array.count <= 64, array.stride <= 4096,
            array.stride >= UInt64(MemoryLayout<tandem_http_field>.size)
        else { return nil }
        for index in 0..<Int(array.count) {
            let field = (first + index * Int(array.stride)).loadUnaligned(as: tandem_http_field.self)
            guard let name = text(field.name, atMost: 256), let value = text(field.value, atMost: 32_768) else {
                return nil
            }
            headers.append(name, value)
        }
        return headers
    }
}

/// The way back to the plugin: its context and its function.
private struct HTTPDone: @unchecked Sendable {
    // The plugin promises that both may be used from any thread, once.
    let context: UnsafeMutableRawPointer?
    let done: tandem_http_done

    func deliver(_ response: EgressResponse) {
        var table = tandem_http_response()
        table.header.size = UInt32(MemoryLayout<tandem_http_response>.size)
        if let age = response.age {
            table.header.flags = TANDEM_HTTP_FROM_CACHE | (response.isStale ? TANDEM_HTTP_STALE : 0)
            table.age_ms = UInt64(max(0, age.milliseconds))
        }
        table.status_code = UInt32(clamping: response.status)
        table.redirects = UInt32(clamping: response.redirects)
        table.retry_after_ms = UInt64(max(0, response.retryAfter?.milliseconds ?? 0))
        table.body = HostBuffer.make(response.body)
        let names = response.headers.fields
        // One block for all text, so that the fields can point into it.
        var block: [UInt8] = []
        for field in names {
            block.append(contentsOf: field.name.utf8)
            block.append(contentsOf: field.value.utf8)
        }
        block.append(contentsOf: response.url.utf8)
        block.withUnsafeBufferPointer { block in
            var offset = 0
            func slice(_ count: Int) -> tandem_slice {
                defer { offset += count }
                return tandem_slice(ptr: block.baseAddress.map { $0 + offset }, len: UInt64(count))
            }
            let fields = names.map { field in
                let name = slice(field.name.utf8.count)
                return tandem_http_field(name: name, value: slice(field.value.utf8.count))
            }
            table.url = slice(response.url.utf8.count)
            fields.withUnsafeBufferPointer { fields in
                table.headers = tandem_array(
                    first: UnsafeRawPointer(fields.baseAddress), count: UInt64(fields.count),
                    stride: UInt64(MemoryLayout<tandem_http_field>.stride))
                done(context, TANDEM_OK, &table)
            }
        }
    }

    func fail(_ status: tandem_status, _ failure: EgressFailure) {
        var table = tandem_http_response()
        table.header.size = UInt32(MemoryLayout<tandem_http_response>.size)
        table.status_code = UInt32(clamping: failure.status)
        table.redirects = UInt32(clamping: failure.redirects)
        table.retry_after_ms = UInt64(max(0, failure.retryAfter?.milliseconds ?? 0))
        let detail = (["code": .string(failure.code), "message": .string(failure.message)] as JSON).serialized()
        detail.withUnsafeBufferPointer { detail in
            table.detail = tandem_slice(ptr: detail.baseAddress, len: UInt64(detail.count))
            done(context, status, &table)
        }
    }
}

private struct HTTPChunkDone: @unchecked Sendable {
    // The plugin promises that both may be used from any thread, once.
    let context: UnsafeMutableRawPointer?
    let chunk: tandem_http_chunk

    func deliver(_ status: tandem_status, _ bytes: [UInt8]) { chunk(context, status, HostBuffer.make(bytes)) }
}

private func httpSend(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ request: UnsafePointer<tandem_http_request>,
    _ context: UnsafeMutableRawPointer?, _ done: tandem_http_done, _ out: UnsafeMutablePointer<UInt64>?
) -> tandem_status {
    out?.pointee = 0
    guard let instance = PluginInstance.of(host), unsafeBitCast(done, to: UInt.self) != 0,
        UInt(bitPattern: request) != 0
    else { return TANDEM_E_INVALID_ARGUMENT }
    let plugin = instance.plugin
    let permission = instance.permission(for: .http)
    guard permission == TANDEM_OK, let egress = plugin.services.egress else {
        return permission == TANDEM_OK ? TANDEM_E_NOT_GRANTED : permission
    }
    guard case .inFlight(let call) = CallTable.shared.lookup(id), call.instance === instance else {
        return TANDEM_E_STALE
    }
    plugin.meters.count(\.httpRequests)
    let asked: (request: EgressRequest, isStreamed: Bool)
    switch HTTPExtension.request(request) {
    case .success(let parsed): asked = parsed
    case .failure(let error):
        plugin.meters.count(\.httpRefusals)
        return error.status
    }
    let caller = EgressCaller(
        plugin: plugin.id, scope: call.scope, policy: instance.network, mayWrite: call.mayWrite, deadline: call.deadline
    )
    if let refusal = egress.refusal(of: asked.request, for: caller) {
        plugin.meters.count(\.httpRefusals)
        return HTTPExtension.status(of: refusal.kind)
    }
    guard call.beginService() else { return TANDEM_E_STALE }
    guard let number = instance.http.begin() else {
        call.endService()
        return TANDEM_E_BUSY
    }
    // Not kept when the call was cancelled: the request is then cancelled before it begins, and says so.
    let ender = call.onEnd { [weak instance] in instance?.http.cancel(number, byHost: true) }
    if ender == nil { instance.http.cancel(number, byHost: true) }
    out?.pointee = number
    let exchange = HTTPExchange(
        instance: instance, call: call, number: number, ender: ender, back: HTTPDone(context: context, done: done))
    let task = Task(priority: instance.plugin.taskPriority) {
        if asked.isStreamed {
            await exchange.open(asked.request, egress, caller)
        } else {
            await exchange.send(asked.request, egress, caller)
        }
    }
    instance.http.setTask(task, of: number)
    return TANDEM_OK
}

/// One request of a plugin from its start to the plugin's hearing of its end.
private struct HTTPExchange: Sendable {
    let instance: PluginInstance
    let call: PendingCall
    let number: UInt64
    let ender: UInt64?
    let back: HTTPDone

    func send(_ request: EgressRequest, _ egress: any PluginEgress, _ caller: EgressCaller) async {
        let result: Result<EgressResponse, EgressFailure>
        do throws(EgressFailure) {
            result = .success(try await egress.send(request, for: caller))
        } catch {
            result = .failure(error)
        }
        // Counted out before the plugin hears of it: it may complete the call at once.
        finish()
        switch result {
        case .success(let response) where !instance.isRevoked: back.deliver(response)
        case .success: back.fail(TANDEM_E_REVOKED, EgressFailure(.cancelled, "revoked", "the grant was withdrawn"))
        case .failure(let failure): fail(failure)
        }
    }

    func open(_ request: EgressRequest, _ egress: any PluginEgress, _ caller: EgressCaller) async {
        do throws(EgressFailure) {
            let (response, stream) = try await egress.open(request, for: caller)
            let exchange = self
            guard !Task.isCancelled,
                instance.http.setStream(stream, of: number, end: { exchange.release() })
            else {
                stream.cancel()
                throw EgressFailure(.cancelled, "cancelled", "the request was cancelled")
            }
            back.deliver(response)
        } catch {
            finish()
            fail(error)
        }
    }

    private func fail(_ failure: EgressFailure) {
        instance.plugin.meters.count(\.httpRefusals)
        back.fail(instance.isRevoked ? TANDEM_E_REVOKED : HTTPExtension.status(of: failure.kind), failure)
    }

    private func finish() {
        instance.http.end(number)
        release()
    }

    private func release() {
        if let ender { call.removeEnder(ender) }
        call.endService()
    }
}

private func httpRead(
    _ host: UnsafePointer<tandem_host>, _ number: UInt64, _ limit: UInt64, _ context: UnsafeMutableRawPointer?,
    _ chunk: tandem_http_chunk
) -> tandem_status {
    guard let instance = PluginInstance.of(host), unsafeBitCast(chunk, to: UInt.self) != 0,
        limit <= HTTPExtension.maxChunkBytes
    else { return TANDEM_E_INVALID_ARGUMENT }
    let permission = instance.permission(for: .http)
    guard permission == TANDEM_OK else { return permission }
    let stream: EgressStream
    switch instance.http.beginRead(of: number) {
    case .success(let found): stream = found
    case .failure(let error): return error.status
    }
    let back = HTTPChunkDone(context: context, chunk: chunk)
    Task(priority: instance.plugin.taskPriority) {
        do throws(EgressFailure) {
            let bytes = try await stream.read(limit == 0 ? 65_536 : Int(limit))
            instance.http.endRead(of: number, isLast: bytes.isEmpty)
            back.deliver(TANDEM_OK, bytes)
        } catch {
            instance.http.endRead(of: number, isLast: true)
            back.deliver(instance.isRevoked ? TANDEM_E_REVOKED : HTTPExtension.status(of: error.kind), [])
        }
    }
    return TANDEM_OK
}

private func httpCancel(_ host: UnsafePointer<tandem_host>, _ number: UInt64) -> tandem_status {
    guard let instance = PluginInstance.of(host) else { return TANDEM_E_INVALID_ARGUMENT }
    return instance.http.cancel(number) ? TANDEM_OK : TANDEM_E_STALE
}
