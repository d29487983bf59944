internal import CTandemPlugin
internal import Synchronization
internal import TandemJSON

/// How a request ended.
struct HTTPAnswer: Sendable {
    var status: Int32
    var response = HTTPResponse(status: 0)
    var detail: JSON?
    var id: UInt64 = 0
}

/// A task that waits for `done`.
final class HTTPWaiter: Sendable {
    typealias Continuation = UnsafeContinuation<HTTPAnswer, Never>

    private struct State {
        var continuation: Continuation?
        var id: UInt64 = 0
        var isCancelled = false
    }

    private let state = Mutex(State())

    func wait(_ continuation: Continuation) { state.withLock { $0.continuation = continuation } }

    func resume(_ answer: HTTPAnswer) {
        let waiting = state.withLock { state in
            defer { state.continuation = nil }
            return state.continuation
        }
        waiting?.resume(returning: answer)
    }

    /// The request's number; true when it has to be cancelled.
    func setID(_ id: UInt64) -> Bool {
        state.withLock { state in
            state.id = id
            return state.isCancelled
        }
    }

    /// The number of the request to cancel, if it is known yet.
    func cancel() -> UInt64? {
        state.withLock { state in
            state.isCancelled = true
            return state.id == 0 ? nil : state.id
        }
    }
}

/// A piece of a body.
struct ChunkAnswer: HostAnswer {
    let status: Int32
    var bytes: [UInt8] = []

    init(status: Int32) { self.status = status }
}

extension HostAccess {
    /// Sends a request as part of a call; cancelling the task cancels it.
    func send(_ call: UInt64, _ request: HTTPRequest, isStreamed: Bool) async -> HTTPAnswer {
        let waiter = HTTPWaiter()
        var id: UInt64 = 0
        var answer = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                waiter.wait(continuation)
                let status = submit(call, request, isStreamed, waiter, &id)
                if status != TANDEM_OK { return waiter.resume(HTTPAnswer(status: status)) }
                if waiter.setID(id) { cancelRequest(id) }
            }
        } onCancel: {
            if let id = waiter.cancel() { cancelRequest(id) }
        }
        answer.id = id
        return answer
    }

    private func submit(
        _ call: UInt64, _ request: HTTPRequest, _ isStreamed: Bool, _ waiter: HTTPWaiter, _ id: inout UInt64
    ) -> Int32 {
        guard isOpen, let http = httpTable else { return TANDEM_E_NOT_GRANTED }
        var fields = request.headers
        if let body = request.body, !fields.contains(where: { $0.name.lowercased() == "content-type" }) {
            fields.append(HTTPField("Content-Type", body.contentType))
        }
        var table = tandem_http_request()
        table.header.size = UInt32(MemoryLayout<tandem_http_request>.size)
        table.header.flags = flags(of: request, isStreamed)
        table.timeout_ms = milliseconds(request.timeout)
        table.max_response_bytes = UInt64(max(0, request.maxResponseBytes ?? 0))
        table.max_stale_ms = milliseconds(request.cache.staleLimit)
        // One block for all text, so that the slices can point into it.
        var block: [UInt8] = []
        let texts = [request.method.rawValue, request.url, request.grant ?? "", request.idempotencyKey ?? ""]
        for text in texts { block.append(contentsOf: text.utf8) }
        for field in fields {
            block.append(contentsOf: field.name.utf8)
            block.append(contentsOf: field.value.utf8)
        }
        return block.withUnsafeBufferPointer { block in
            var offset = 0
            func slice(_ text: String) -> tandem_slice {
                defer { offset += text.utf8.count }
                return tandem_slice(ptr: block.baseAddress.map { $0 + offset }, len: UInt64(text.utf8.count))
            }
            table.method = slice(texts[0])
            table.url = slice(texts[1])
            table.grant = slice(texts[2])
            table.idempotency_key = slice(texts[3])
            let pairs = fields.map { field in
                let name = slice(field.name)
                return tandem_http_field(name: name, value: slice(field.value))
            }
            return pairs.withUnsafeBufferPointer { pairs in
                table.headers = tandem_array(
                    first: UnsafeRawPointer(pairs.baseAddress), count: UInt64(pairs.count),
                    stride: UInt64(MemoryLayout<tandem_http_field>.stride))
                return withSlice(request.body?.bytes ?? []) { body in
                    table.body = body
                    let context = Unmanaged.passRetained(waiter).toOpaque()
                    let status = http.pointee.send(host, call, &table, context, tandemSDKHTTPDone, &id)
                    // Refused: done is not called, so the reference is ours again.
                    if status != TANDEM_OK { Unmanaged<HTTPWaiter>.fromOpaque(context).release() }
                    return status
                }
            }
        }
    }

    private func flags(of request: HTTPRequest, _ isStreamed: Bool) -> UInt32 {
        var flags: UInt32 = 0
        if request.cache.isAllowed { flags |= TANDEM_HTTP_CACHE }
        if request.cache.staleLimit != nil { flags |= TANDEM_HTTP_STALE_IF_ERROR }
        if request.cache.mustRevalidate { flags |= TANDEM_HTTP_REVALIDATE }
        if isStreamed { flags |= TANDEM_HTTP_STREAM }
        if !request.followsRedirects { flags |= TANDEM_HTTP_NO_REDIRECT }
        if request.isIdempotent { flags |= TANDEM_HTTP_IDEMPOTENT }
        return flags
    }

    private func milliseconds(_ duration: Duration?) -> UInt64 {
        guard let duration else { return 0 }
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return 1 }
        return max(1, UInt64(min(seconds, 1 << 40)) * 1000 + UInt64(attoseconds / 1_000_000_000_000_000))
    }

    func read(_ id: UInt64) async -> ChunkAnswer {
        await request(httpTable) { table, context in
            table.read(host, id, 0, context, tandemSDKHTTPChunk)
        }
    }

    func cancelRequest(_ id: UInt64) {
        guard isOpen, id != 0, let http = httpTable else { return }
        _ = http.pointee.cancel(host, id)
    }
}

// Functions that the host calls: see Callbacks.swift.

func tandemSDKHTTPDone(
    _ context: UnsafeMutableRawPointer?, _ status: Int32, _ response: UnsafePointer<tandem_http_response>
) {
    guard let context else { return }
    let waiter = Unmanaged<HTTPWaiter>.fromOpaque(context).takeRetainedValue()
    guard UInt(bitPattern: response) != 0,
        Int(response.pointee.header.size) >= MemoryLayout<tandem_http_response>.size
    else { return waiter.resume(HTTPAnswer(status: status == TANDEM_OK ? TANDEM_E_INTERNAL : status)) }
    let table = response.pointee
    var answer = HTTPAnswer(status: status)
    answer.detail = parse(table.detail)
    answer.response.status = Int(table.status_code)
    answer.response.url = text(table.url)
    answer.response.body = consumeBytes(table.body)
    answer.response.retryAfter = table.retry_after_ms == 0 ? nil : .milliseconds(Int64(clamping: table.retry_after_ms))
    if table.header.flags & TANDEM_HTTP_FROM_CACHE != 0 {
        answer.response.age = .milliseconds(Int64(clamping: table.age_ms))
        answer.response.isStale = table.header.flags & TANDEM_HTTP_STALE != 0
    }
    if let first = table.headers.first, table.headers.stride >= UInt64(MemoryLayout<tandem_http_field>.size) {
        for index in 0..<Int(clamping: table.headers.count) {
            let place = first + index * Int(clamping: table.headers.stride)
            let field = place.loadUnaligned(as: tandem_http_field.self)
            answer.response.headers.append(HTTPField(text(field.name), text(field.value)))
        }
    }
    waiter.resume(answer)
}

func tandemSDKHTTPChunk(_ context: UnsafeMutableRawPointer?, _ status: Int32, _ chunk: tandem_buffer) {
    var answer = ChunkAnswer(status: status)
    answer.bytes = consumeBytes(chunk)
    Waiter<ChunkAnswer>.take(context)?.resume(answer)
}
