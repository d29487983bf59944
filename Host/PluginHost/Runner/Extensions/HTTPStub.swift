import CRunner
import CTandemPlugin
import Synchronization

/// `tandem.http/1` for runners.
enum HTTPStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        let table = HTTPExtension.table.pointer.pointee
        let host = request.instance.host
        var reader = request.reader
        switch request.function {
        case 1: return send(request)
        case 2:
            let number: UInt64 = reader.number()
            let limit: UInt64 = reader.number()
            guard reader.isIntact else { return false }
            let context = request.retained()
            let status = table.read(host, number, limit, context, httpPiece)
            if status != TANDEM_OK { httpPiece(context, status, tandem_buffer()) }
            return true
        case 3:
            let id: UInt64 = reader.number()
            guard reader.isIntact else { return false }
            HTTPExchanges.shared.cancel(request.instance, id)
            return true
        case 4:
            let number: UInt64 = reader.number()
            guard reader.isIntact else { return false }
            _ = table.cancel(host, number)
            return true
        default: return false
        }
    }

    /// Most fields of one request, as the runner keeps it.
    private static let maxFields: UInt32 = 64

    private static func send(_ request: RunnerRequest) -> Bool {
        var reader = request.reader
        let call: UInt64 = reader.number()
        guard let head: tandem_frame_http_request = reader.structure(), head.fields <= maxFields else { return false }
        let lengths = (0..<Int(head.fields)).map { _ in (reader.number(UInt64.self), reader.number(UInt64.self)) }
        var table = tandem_http_request()
        table.header = tandem_header(size: UInt32(MemoryLayout<tandem_http_request>.size), flags: head.flags)
        table.method = tandem_slice(reader.slice(head.method))
        table.url = tandem_slice(reader.slice(head.url))
        table.grant = tandem_slice(reader.slice(head.grant))
        table.idempotency_key = tandem_slice(reader.slice(head.key))
        let fields = lengths.map { lengths in
            let name = tandem_slice(reader.slice(lengths.0))
            return tandem_http_field(name: name, value: tandem_slice(reader.slice(lengths.1)))
        }
        table.body = tandem_slice(reader.rest())
        table.timeout_ms = head.timeout_ms
        table.max_response_bytes = head.max_response_bytes
        table.max_stale_ms = head.max_stale_ms
        guard reader.isIntact else { return false }
        let exchange = HTTPExchanges.shared.begin(request)
        let context = Unmanaged.passRetained(exchange).toOpaque()
        var number: UInt64 = 0
        let status = fields.withUnsafeBufferPointer { fields in
            table.headers = tandem_array(
                first: UnsafeRawPointer(fields.baseAddress), count: UInt64(fields.count),
                stride: UInt64(MemoryLayout<tandem_http_field>.stride))
            return HTTPExtension.table.pointer.pointee.send(
                request.instance.host, call, &table, context, httpDone, &number)
        }
        if status != TANDEM_OK {
            var none = tandem_http_response()
            none.header.size = UInt32(MemoryLayout<tandem_http_response>.size)
            httpDone(context, status, &none)
        } else if exchange.setNumber(number) {
            _ = HTTPExtension.table.pointer.pointee.cancel(request.instance.host, number)
        }
        return true
    }
}

/// A request of a runner's plugin until it is answered: its number with the host, and whether it was cancelled before
/// that was known.
private final class HTTPExchange: Sendable {
    let key: HTTPExchanges.Key
    let reply: RunnerReply
    private struct State {
        var number: UInt64 = 0
        var isCancelled = false
        /// The answer, when it came before the number was known.
        var early: [UInt8]?
    }

    private let state = Mutex(State())

    init(_ request: RunnerRequest, _ key: HTTPExchanges.Key) {
        self.key = key
        reply = RunnerReply(request)
    }

    /// True when it was cancelled meanwhile. An answer that waited is sent.
    func setNumber(_ number: UInt64) -> Bool {
        let (isCancelled, early) = state.withLock { state in
            state.number = number
            defer { state.early = nil }
            return (state.isCancelled, state.early)
        }
        if var early {
            early.withUnsafeMutableBytes { bytes in
                bytes.storeBytes(
                    of: number, toByteOffset: MemoryLayout<tandem_frame_http>.offset(of: \.number) ?? 0, as: UInt64.self
                )
            }
            early.withUnsafeBytes { reply.send(TANDEM_OK, $0) }
        }
        return isCancelled
    }

    /// The number to cancel, once it is known.
    func cancel() -> UInt64 {
        state.withLock { state in
            state.isCancelled = true
            return state.number
        }
    }

    /// Sends the answer, which `fill` writes: a stream's needs the number, and waits for it.
    func answer(_ status: tandem_status, length: Int, _ fill: (UnsafeMutableRawPointer, _ number: UInt64) -> Void) {
        let number = state.withLock { state -> UInt64? in
            if state.number != 0 || status != TANDEM_OK { return state.number }
            state.early = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
                if let start = buffer.baseAddress { fill(UnsafeMutableRawPointer(start), 0) }
                count = length
            }
            return nil
        }
        guard let number else { return }
        reply.send(status, length: length) { fill($0, number) }
    }
}

/// The requests of all runners that are not answered yet, by the number that the runner gave them.
private final class HTTPExchanges: Sendable {
    struct Key: Hashable {
        var instance: ObjectIdentifier
        var id: UInt64
    }

    static let shared = HTTPExchanges()
    private let exchanges = Mutex<[Key: HTTPExchange]>([:])

    func begin(_ request: RunnerRequest) -> HTTPExchange {
        let exchange = HTTPExchange(request, Key(instance: ObjectIdentifier(request.instance), id: request.number))
        exchanges.withLock { $0[exchange.key] = exchange }
        return exchange
    }

    func end(_ exchange: HTTPExchange) {
        exchanges.withLock { exchanges in
            if exchanges[exchange.key] === exchange { exchanges[exchange.key] = nil }
        }
    }

    func cancel(_ instance: RunnerInstance, _ id: UInt64) {
        let exchange = exchanges.withLock { $0[Key(instance: ObjectIdentifier(instance), id: id)] }
        guard let number = exchange?.cancel(), number != 0 else { return }
        _ = HTTPExtension.table.pointer.pointee.cancel(instance.host, number)
    }
}

/// The head of the answer, the lengths of its fields, and all text and the body behind them.
private func httpDone(
    _ context: UnsafeMutableRawPointer?, _ status: tandem_status, _ response: UnsafePointer<tandem_http_response>
) {
    guard let context else { return }
    let exchange = Unmanaged<HTTPExchange>.fromOpaque(context).takeRetainedValue()
    HTTPExchanges.shared.end(exchange)
    let response = response.pointee
    defer { OutcomeDecoder.release(response.body) }
    var fields: [tandem_http_field] = []
    if let first = response.headers.first {
        // What a plugin in a runner can take; a service with more fields than that has some of them left out.
        for index in 0..<min(Int(clamping: response.headers.count), 256) {
            fields.append(
                (first + index * Int(response.headers.stride)).loadUnaligned(as: tandem_http_field.self))
        }
    }
    var head = tandem_frame_http()
    head.flags = response.header.flags
    head.status_code = response.status_code
    head.redirects = response.redirects
    head.fields = UInt32(fields.count)
    head.age_ms = response.age_ms
    head.retry_after_ms = response.retry_after_ms
    head.url = response.url.len
    head.detail = response.detail.len
    head.body = response.body.len
    let size = MemoryLayout<tandem_frame_http>.size
    var texts = fields.flatMap { [$0.name, $0.value] }
    texts += [response.url, response.detail, tandem_slice(ptr: response.body.ptr, len: response.body.len)]
    let total = texts.reduce(size + fields.count * 16) { $0 + Int($1.len) }
    exchange.answer(status, length: total) { start, number in
        var head = head
        head.number = number
        start.storeBytes(of: head, as: tandem_frame_http.self)
        var place = start + size
        for field in fields {
            place.storeBytes(of: field.name.len, as: UInt64.self)
            place.storeBytes(of: field.value.len, toByteOffset: 8, as: UInt64.self)
            place += 16
        }
        for text in texts {
            if let bytes = text.ptr { place.copyMemory(from: bytes, byteCount: Int(text.len)) }
            place += Int(text.len)
        }
    }
}

private func httpPiece(_ context: UnsafeMutableRawPointer?, _ status: tandem_status, _ piece: tandem_buffer) {
    RunnerReply.take(context)?.send(status, piece)
}
