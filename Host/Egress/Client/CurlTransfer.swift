import CCurl
import Synchronization
import TandemCore

/// One request on its way. The loop's thread alone touches it, except for `continuation`.
final class CurlTransfer: @unchecked Sendable {
    // Unchecked: made by the caller, then handed to the loop's thread, which is the only one to change it.

    typealias Continuation = UnsafeContinuation<Result<HTTPResponse, HTTPError>, Never>

    let request: HTTPRequest
    let continuation = Mutex<Continuation?>(nil)

    /// Null while it waits to be started and after its end.
    var handle: UnsafeMutableRawPointer?
    var headerList: UnsafeMutablePointer<curl_slist>?
    /// Cancelled before it was started.
    var isCancelled = false
    var sentBytes = 0
    var body: [UInt8] = []
    /// The header lines of the last answer; a redirect's or an interim answer's are dropped.
    var headerBytes: [UInt8] = []
    var isTooLarge = false
    /// For a streamed answer: where its body goes.
    let stream: StreamBuffer?
    /// The headers of a streamed answer were given to the caller.
    var isHeadDelivered = false
    var bodyBytes = 0
    /// A connection was not made, or not used, because of its address.
    var isAddressRefused = false
    var resolveList: UnsafeMutablePointer<curl_slist>?

    static let maxHeaderBytes = 65_536

    init(_ request: HTTPRequest, stream: StreamBuffer? = nil) {
        self.request = request
        self.stream = stream
    }

    /// Answers the caller, once.
    func finish(_ result: Result<HTTPResponse, HTTPError>) {
        if let stream {
            switch result {
            case .success(let response):
                // An answer without a body ends without its head having been delivered.
                if !isHeadDelivered {
                    deliver(.success(HTTPResponse(status: response.status, headers: response.headers)))
                }
                stream.end(nil)
            case .failure(let error):
                stream.end(error)
                deliver(result)
            }
            return
        }
        deliver(result)
    }

    private func deliver(_ result: Result<HTTPResponse, HTTPError>) {
        let waiting = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(returning: result)
    }

    func failure(_ code: HTTPError.Code, curl: CURLcode? = nil) -> HTTPError {
        HTTPError(
            code, operation: request.description, mayHaveBeenProcessed: mayHaveBeenProcessed,
            nativeCode: curl.map { Int32(bitPattern: $0.rawValue) })
    }

    /// The connection stood and the request began to leave.
    private var mayHaveBeenProcessed: Bool {
        guard let handle else { return false }
        if sentBytes > 0 { return true }
        var requestBytes = 0
        tandem_curl_get_long(handle, CURLINFO_REQUEST_SIZE, &requestBytes)
        return requestBytes > 0
    }

    // MARK: - Setting up

    /// Sets all options of a fresh or reset handle; a code other than OK means that the request cannot be sent.
    func configure(_ handle: UnsafeMutableRawPointer, options: CurlClient.Options) -> CURLcode {
        self.handle = handle
        var code = CURLE_OK
        func check(_ result: CURLcode) { if code == CURLE_OK { code = result } }

        check(tandem_curl_set_text(handle, CURLOPT_URL, request.url))
        check(tandem_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https"))
        check(tandem_curl_set_text(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https"))
        check(tandem_curl_set_long(handle, CURLOPT_NOSIGNAL, 1))
        check(tandem_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 1))
        check(tandem_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 2))
        check(tandem_curl_set_long(handle, CURLOPT_SSLVERSION, tandem_curl_tls_1_2))
        // HTTP/2 over TLS only: libcurl 7.88 fails on the second use of an h2c connection.
        check(tandem_curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)))
        check(tandem_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connectTimeout)))
        check(tandem_curl_set_long(handle, CURLOPT_TIMEOUT_MS, milliseconds(request.timeout)))
        check(tandem_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, request.maxRedirects > 0 ? 1 : 0))
        check(tandem_curl_set_long(handle, CURLOPT_MAXREDIRS, request.maxRedirects))
        check(tandem_curl_set_text(handle, CURLOPT_ACCEPT_ENCODING, "gzip"))
        check(tandem_curl_set_text(handle, CURLOPT_USERAGENT, options.userAgent))
        check(tandem_curl_set_long(handle, CURLOPT_MAXAGE_CONN, 90))
        if let authorities = options.authorities {
            check(tandem_curl_set_text(handle, CURLOPT_CAINFO, authorities))
        }
        for entry in options.fixedAddresses {
            if let longer = curl_slist_append(resolveList, entry) { resolveList = longer }
        }
        if resolveList != nil { check(tandem_curl_set_list(handle, CURLOPT_RESOLVE, resolveList)) }
        if !options.usesEnvironmentProxy || isLoopback || request.addresses != nil {
            check(tandem_curl_set_text(handle, CURLOPT_PROXY, ""))
        }

        configureBody(handle, check)
        check(configureHeaders(handle))

        // The loop's table keeps the transfer alive until its handle is out of the multi handle.
        let context = Unmanaged.passUnretained(self).toOpaque()
        check(tandem_curl_set_pointer(handle, CURLOPT_PRIVATE, context))
        check(tandem_curl_set_pointer(handle, CURLOPT_WRITEDATA, context))
        check(tandem_curl_set_pointer(handle, CURLOPT_HEADERDATA, context))
        check(tandem_curl_set_data_function(handle, CURLOPT_WRITEFUNCTION, receiveBody))
        check(tandem_curl_set_data_function(handle, CURLOPT_HEADERFUNCTION, receiveHeader))
        if request.addresses != nil {
            // The first for connections that are made, the second also for those that are used again.
            check(tandem_curl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, context))
            check(tandem_curl_set_socket_function(handle, openSocket))
            check(tandem_curl_set_pointer(handle, CURLOPT_PREREQDATA, context))
            check(tandem_curl_set_request_function(handle, approveRequest))
        }
        return code
    }

    private func configureBody(_ handle: UnsafeMutableRawPointer, _ check: (CURLcode) -> Void) {
        let hasBody = !request.body.isEmpty || request.method == .post || request.method == .put
        switch request.method {
        case .get where !hasBody: check(tandem_curl_set_long(handle, CURLOPT_HTTPGET, 1))
        case .head: check(tandem_curl_set_long(handle, CURLOPT_NOBODY, 1))
        case .post: break
        default: check(tandem_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method.rawValue))
        }
        // What a kept connection breaks under, libcurl sends again by itself unless a body would have to be rewound.
        if !request.isIdempotent, request.body.isEmpty { check(tandem_curl_set_long(handle, CURLOPT_FRESH_CONNECT, 1)) }
        guard hasBody, request.method != .head else { return }
        check(tandem_curl_set_long(handle, CURLOPT_POST, 1))
        check(tandem_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, request.body.count))
        let context = Unmanaged.passUnretained(self).toOpaque()
        check(tandem_curl_set_pointer(handle, CURLOPT_READDATA, context))
        check(tandem_curl_set_pointer(handle, CURLOPT_SEEKDATA, context))
        check(tandem_curl_set_data_function(handle, CURLOPT_READFUNCTION, provideBody))
        check(tandem_curl_set_seek_function(handle, rewindBody))
    }

    private func configureHeaders(_ handle: UnsafeMutableRawPointer) -> CURLcode {
        for field in request.headers.fields {
            // "Name;" is libcurl's way to send a header without a value.
            append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        if !request.body.isEmpty, request.headers["Content-Type"] == nil { append("Content-Type:") }
        // Waiting for "100 Continue" would cost a round trip.
        append("Expect:")
        return tandem_curl_set_list(handle, CURLOPT_HTTPHEADER, headerList)
    }

    private func append(_ line: String) {
        if let longer = curl_slist_append(headerList, line) { headerList = longer }
    }

    private var isLoopback: Bool {
        let origin = HTTPRequest.origin(of: request.url)
        return ["//127.", "//localhost", "//[::1]"].contains { origin.contains($0) }
    }

    private func milliseconds(_ duration: Duration) -> Int {
        Int(max(1, min(duration.milliseconds, 86_400_000)))
    }

    // MARK: - The end

    /// What the finished transfer means for the caller.
    func outcome(_ code: CURLcode) -> Result<HTTPResponse, HTTPError> {
        guard code == CURLE_OK else {
            return .failure(failure(isAddressRefused ? .addressNotAllowed : meaning(of: code), curl: code))
        }
        guard (100...999).contains(status) else { return .failure(failure(.invalidResponse)) }
        return .success(HTTPResponse(status: status, headers: parsedHeaders(), body: body))
    }

    /// Of the last answer; 0 before the first.
    private var status: Int {
        var status = 0
        if let handle { tandem_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status) }
        return status
    }

    private func meaning(of code: CURLcode) -> HTTPError.Code {
        switch code {
        // Also what libcurl says of an answer without a status line, which it takes for HTTP/0.9.
        case CURLE_UNSUPPORTED_PROTOCOL: mayHaveBeenProcessed && status == 0 ? .invalidResponse : .invalidRequest
        case CURLE_URL_MALFORMAT: .invalidRequest
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
        case CURLE_COULDNT_CONNECT: .connectionFailed
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED:
            .tls
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_SEND_FAIL_REWIND: .interrupted
        case CURLE_WRITE_ERROR: isTooLarge ? .responseTooLarge : .other
        case CURLE_TOO_MANY_REDIRECTS: .tooManyRedirects
        case CURLE_WEIRD_SERVER_REPLY, CURLE_PARTIAL_FILE, CURLE_BAD_CONTENT_ENCODING, CURLE_HTTP2,
            CURLE_HTTP2_STREAM:
            .invalidResponse
        default: .other
        }
    }

    /// Gives the headers of a streamed answer to the caller, at their end; those of an interim answer are none.
    func deliverHead() {
        guard !isHeadDelivered, status >= 200 else { return }
        isHeadDelivered = true
        deliver(.success(HTTPResponse(status: status, headers: parsedHeaders())))
    }

    private func parsedHeaders() -> HTTPHeaders {
        var headers = HTTPHeaders()
        for line in headerBytes.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            var value = line[line.index(after: colon)...]
            while let first = value.first, first == 32 || first == 9 { value.removeFirst() }
            while let last = value.last, last == 32 || last == 9 || last == 13 { value.removeLast() }
            headers.append(
                String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
        return headers
    }

    /// Frees what `configure` made; the handle itself goes back to the pool.
    func release() {
        if let headerList { curl_slist_free_all(headerList) }
        if let resolveList { curl_slist_free_all(resolveList) }
        headerList = nil
        resolveList = nil
        handle = nil
    }
}

// MARK: - Callbacks, on the loop's thread

private func receiveBody(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    let bytes = size * count
    if let stream = transfer.stream {
        guard stream.hasRoom() else { return tandem_curl_write_pause }
        transfer.bodyBytes += bytes
        guard transfer.bodyBytes <= transfer.request.maxResponseBytes else {
            transfer.isTooLarge = true
            return 0
        }
        stream.append(UnsafeRawBufferPointer(start: data, count: bytes))
        return bytes
    }
    guard transfer.body.count + bytes <= transfer.request.maxResponseBytes else {
        transfer.isTooLarge = true
        return 0
    }
    transfer.body.append(contentsOf: UnsafeRawBufferPointer(start: data, count: bytes))
    return bytes
}

private func receiveHeader(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    let line = UnsafeRawBufferPointer(start: data, count: size * count)
    if line.starts(with: "HTTP/".utf8) {
        transfer.headerBytes.removeAll(keepingCapacity: true)
        transfer.body.removeAll(keepingCapacity: true)
        return line.count
    }
    guard transfer.headerBytes.count + line.count <= CurlTransfer.maxHeaderBytes else {
        transfer.isTooLarge = true
        return 0
    }
    transfer.headerBytes.append(contentsOf: line)
    if transfer.stream != nil, line.count <= 2 { transfer.deliverHead() }
    return line.count
}

/// Makes the socket of a connection, unless its address is refused: the place that names cannot get around.
private func openSocket(
    _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let context, let address else { return tandem_curl_bad_socket }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    var count = 0
    let bytes = tandem_curl_address_bytes(address, &count)
    guard let policy = transfer.request.addresses,
        let remote = IPAddress(bytes: UnsafeRawBufferPointer(start: bytes, count: count)), policy.permits(remote)
    else {
        transfer.isAddressRefused = true
        return tandem_curl_bad_socket
    }
    return tandem_curl_open_socket(address)
}

/// Looks at the address once more before a request leaves: a kept connection was made for another request, perhaps one
/// that could go further.
private func approveRequest(
    _ context: UnsafeMutableRawPointer?, _ remote: UnsafeMutablePointer<CChar>?, _ local: UnsafeMutablePointer<CChar>?,
    _ remotePort: Int32, _ localPort: Int32
) -> Int32 {
    guard let context, let remote else { return tandem_curl_request_abort }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    guard let policy = transfer.request.addresses, let address = IPAddress(String(cString: remote)),
        policy.permits(address)
    else {
        transfer.isAddressRefused = true
        return tandem_curl_request_abort
    }
    return tandem_curl_request_ok
}

private func provideBody(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return tandem_curl_read_abort }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    let length = min(size * count, transfer.request.body.count - transfer.sentBytes)
    guard length > 0 else { return 0 }
    transfer.request.body.withUnsafeBytes { body in
        UnsafeMutableRawBufferPointer(start: data, count: length)
            .copyMemory(
                from: UnsafeRawBufferPointer(rebasing: body[transfer.sentBytes..<(transfer.sentBytes + length)]))
    }
    transfer.sentBytes += length
    return length
}

/// libcurl rewinds to send again: after a redirect that keeps the method, or when a kept connection broke. The latter must
/// not happen to a request that is not idempotent, and libcurl cannot tell them apart, so neither does.
private func rewindBody(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    guard transfer.request.isIdempotent, offset >= 0, offset <= transfer.request.body.count else {
        return CURL_SEEKFUNC_FAIL
    }
    transfer.sentBytes = offset
    return CURL_SEEKFUNC_OK
}
