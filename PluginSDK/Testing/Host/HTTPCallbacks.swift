internal import CTandemPlugin
internal import Synchronization
public import TandemSDK

/// A request of a plugin as the fake host saw it.
public struct SentHTTPRequest: Sendable, Hashable {
    public var method: String
    public var url: String
    public var headers: [HTTPField]
    public var body: [UInt8]
    public var grant: String
    public var idempotencyKey: String
    /// `TANDEM_HTTP_*`.
    public var flags: UInt32
    public var timeoutMilliseconds: UInt64
    public var maxResponseBytes: UInt64
    public var maxStaleMilliseconds: UInt64

    /// Whether the host may send it again when it is unknown whether it arrived.
    public var mayBeRepeated: Bool {
        ["GET", "HEAD", "PUT", "DELETE"].contains(method) || flags & TANDEM_HTTP_IDEMPOTENT != 0
            || !idempotencyKey.isEmpty
    }

    /// The first field of this name.
    public subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The address without its query.
    public var address: String { String(url.prefix { $0 != "?" }) }

    /// The parameters of the query, decoded, in order.
    public var query: [(name: String, value: String)] {
        Self.pairs(url.firstIndex(of: "?").map { url[url.index(after: $0)...] } ?? "")
    }

    /// The parameters of a form in the body, decoded, in order.
    public var form: [(name: String, value: String)] { Self.pairs(text[...]) }

    private static func pairs(_ text: Substring) -> [(name: String, value: String)] {
        text.prefix { $0 != "#" }.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                HTTPRequest.formDecoded(parts[0]) ?? "", parts.count == 2 ? HTTPRequest.formDecoded(parts[1]) ?? "" : ""
            )
        }
    }
}

/// What a fake host answers to a request.
public enum HTTPReply: Sendable, Hashable {
    case response(HTTPResponse)
    /// No answer: a status of the ABI and the code of its detail.
    case failure(Int32, code: String, retryAfterMilliseconds: UInt64 = 0)

    public static func ok(
        _ body: String, contentType: String = "text/html; charset=utf-8", headers: [HTTPField] = []
    ) -> HTTPReply {
        .response(
            HTTPResponse(
                status: 200, headers: [HTTPField("content-type", contentType)] + headers, body: Array(body.utf8)))
    }

    public static func json(_ value: JSON, status: Int = 200) -> HTTPReply {
        .response(
            HTTPResponse(
                status: status, headers: [HTTPField("content-type", "application/json")], body: value.serialized()))
    }

    public static func status(_ status: Int, _ body: String = "") -> HTTPReply {
        .response(HTTPResponse(status: status, body: Array(body.utf8)))
    }

    /// The service cannot be reached.
    public static let unavailable = HTTPReply.failure(-62, code: "connection_failed")
}

/// The streamed bodies of one fake host.
final class HTTPStreams: Sendable {
    private let state = Mutex<(bodies: [UInt64: ArraySlice<UInt8>], next: UInt64)>(([:], 1))

    func begin() -> UInt64 {
        state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
    }

    func open(_ id: UInt64, _ body: [UInt8]) { state.withLock { $0.bodies[id] = body[...] } }

    /// Nil when there is no such stream; empty ends it.
    func read(_ id: UInt64, _ limit: Int) -> [UInt8]? {
        state.withLock { state in
            guard let body = state.bodies[id] else { return nil }
            if body.isEmpty { state.bodies[id] = nil } else { state.bodies[id] = body.dropFirst(limit) }
            return Array(body.prefix(limit))
        }
    }

    func cancel(_ id: UInt64) -> Bool { state.withLock { $0.bodies.removeValue(forKey: id) != nil } }
}

private func ownedBuffer(_ bytes: [UInt8]) -> tandem_buffer {
    guard !bytes.isEmpty else { return tandem_buffer() }
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
    memory.initialize(from: bytes, count: bytes.count)
    return tandem_buffer(ptr: memory, len: UInt64(bytes.count), owner: memory, release: testHostRelease)
}

private struct Done: @unchecked Sendable {
    // Sendable: C functions have no state, and the pointer is handed back once and never looked at.
    let context: UnsafeMutableRawPointer?
    let done: tandem_http_done

    func deliver(_ reply: HTTPReply, isStreamed: Bool) {
        var response = tandem_http_response()
        response.header.size = UInt32(MemoryLayout<tandem_http_response>.size)
        switch reply {
        case .failure(let status, let code, let wait):
            response.retry_after_ms = wait
            let detail = JSON.object(["code": .string(code), "message": "made up by the test"]).serialized()
            detail.withUnsafeBufferPointer { detail in
                response.detail = tandem_slice(ptr: detail.baseAddress, len: UInt64(detail.count))
                done(context, status, &response)
            }
        case .response(let answer):
            response.status_code = UInt32(clamping: answer.status)
            if let age = answer.age {
                response.header.flags = TANDEM_HTTP_FROM_CACHE | (answer.isStale ? TANDEM_HTTP_STALE : 0)
                response.age_ms = UInt64(max(0, age.components.seconds)) * 1000
            }
            response.retry_after_ms = UInt64(max(0, answer.retryAfter?.components.seconds ?? 0)) * 1000
            if !isStreamed { response.body = ownedBuffer(answer.body) }
            let texts =
                answer.headers.flatMap { [Array($0.name.utf8), Array($0.value.utf8)] } + [Array(answer.url.utf8)]
            let block = texts.flatMap { $0 }
            block.withUnsafeBufferPointer { block in
                var offset = 0
                let slices = texts.map { text in
                    defer { offset += text.count }
                    return tandem_slice(ptr: block.baseAddress.map { $0 + offset }, len: UInt64(text.count))
                }
                let fields = (0..<answer.headers.count).map {
                    tandem_http_field(name: slices[$0 * 2], value: slices[$0 * 2 + 1])
                }
                response.url = slices[slices.count - 1]
                fields.withUnsafeBufferPointer { fields in
                    response.headers = tandem_array(
                        first: UnsafeRawPointer(fields.baseAddress), count: UInt64(fields.count),
                        stride: UInt64(MemoryLayout<tandem_http_field>.stride))
                    done(context, TANDEM_OK, &response)
                }
            }
        }
    }
}

func testHostSend(
    _ host: UnsafePointer<tandem_host>, _ call: UInt64, _ request: UnsafePointer<tandem_http_request>,
    _ context: UnsafeMutableRawPointer?, _ done: @escaping tandem_http_done, _ out: UnsafeMutablePointer<UInt64>?
) -> Int32 {
    out?.pointee = 0
    guard let table = HostTable.of(host), let send = table.services.sendHTTP else { return TANDEM_E_REVOKED }
    guard table.isInFlight(call) else { return TANDEM_E_STALE }
    let asked = request.pointee
    guard Int(asked.header.size) >= MemoryLayout<tandem_http_request>.size else { return TANDEM_E_SIZE_TOO_SMALL }
    guard asked.header.flags & TANDEM_FLAGS_MUST_UNDERSTAND == 0 else { return TANDEM_E_UNSUPPORTED }
    var headers: [HTTPField] = []
    if let first = asked.headers.first, asked.headers.stride >= UInt64(MemoryLayout<tandem_http_field>.size) {
        for index in 0..<Int(clamping: asked.headers.count) {
            let field = (first + index * Int(asked.headers.stride)).loadUnaligned(as: tandem_http_field.self)
            headers.append(HTTPField(field.name.text, field.value.text))
        }
    }
    let method = asked.method.text
    let sent = SentHTTPRequest(
        method: method.isEmpty ? "GET" : method, url: asked.url.text, headers: headers, body: asked.body.array,
        grant: asked.grant.text, idempotencyKey: asked.idempotency_key.text, flags: asked.header.flags,
        timeoutMilliseconds: asked.timeout_ms, maxResponseBytes: asked.max_response_bytes,
        maxStaleMilliseconds: asked.max_stale_ms)
    let id = table.http.begin()
    out?.pointee = id
    let isStreamed = asked.header.flags & TANDEM_HTTP_STREAM != 0
    let back = Done(context: context, done: done)
    Task.immediateDetached {
        let reply = await send(call, sent)
        if isStreamed, case .response(let response) = reply { table.http.open(id, response.body) }
        back.deliver(reply, isStreamed: isStreamed)
    }
    return TANDEM_OK
}

func testHostRead(
    _ host: UnsafePointer<tandem_host>, _ id: UInt64, _ limit: UInt64, _ context: UnsafeMutableRawPointer?,
    _ chunk: tandem_http_chunk
) -> Int32 {
    guard let piece = HostTable.of(host)?.http.read(id, limit == 0 ? 65_536 : Int(clamping: limit)) else {
        return TANDEM_E_STALE
    }
    chunk(context, TANDEM_OK, ownedBuffer(piece))
    return TANDEM_OK
}

func testHostCancel(_ host: UnsafePointer<tandem_host>, _ id: UInt64) -> Int32 {
    HostTable.of(host)?.http.cancel(id) == true ? TANDEM_OK : TANDEM_E_STALE
}
