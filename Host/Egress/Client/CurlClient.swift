import Synchronization
public import TandemCore

/// Sends requests with libcurl: one multi handle on its own thread, kept connections, pooled easy handles.
///
/// TLS 1.2 or later with verified certificates, HTTP/2 over TLS where the server offers it, http and https only. Requests
/// that are not idempotent are never repeated behind the caller's back: libcurl would send them again when a kept
/// connection breaks before the first byte of the answer. The thread ends after `shutdown()` or with the client.
public final class CurlClient: StreamingHTTPClient {
    public struct Options: Sendable {
        public var userAgent = "Tandem/1.0"
        /// Kept open for reuse.
        public var maxIdleConnections = 64
        public var maxConnectionsPerHost = 32
        public var maxConnections = 256
        /// Requests under way or waiting; more fail with `overloaded`.
        public var maxRequests = 4096
        /// A PEM file of authorities instead of the system's.
        public var authorities: String?
        /// Use the proxy that `https_proxy` and its like name, never for loopback.
        public var usesEnvironmentProxy = true
        /// Addresses of names that are not asked of a resolver, `name:port:address`
        /// (<https://curl.se/libcurl/c/CURLOPT_RESOLVE.html>).
        public var fixedAddresses: [String] = []

        public init() {}
    }

    private let loop: CurlLoop
    private let requests: MetricFamily<Counter>?
    private let latency: Histogram?

    /// - Parameter metrics: Where `tandem_http_client_…` is counted.
    public init(options: Options = Options(), metrics: MetricsRegistry? = nil) {
        loop = CurlLoop(options: options)
        requests = metrics?.counters(
            "tandem_http_client_requests_total", help: "Outbound requests by outcome.", labels: ["outcome"])
        latency = metrics?.histogram("tandem_http_client_seconds", help: "Outbound requests, to the last byte.")
    }

    deinit { loop.stop() }

    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let start = monotonicNanoseconds()
        let result = await perform(CurlTransfer(request))
        latency?.observe(sinceNanoseconds: start)
        count(result)
        return try result.get()
    }

    public func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPStream {
        var request = request
        request.maxRedirects = 0
        let buffer = StreamBuffer()
        let transfer = CurlTransfer(request, stream: buffer)
        let result = await perform(transfer)
        count(result)
        let head = try result.get()
        return HTTPStream(
            status: head.status, headers: head.headers, buffer: buffer,
            resume: { [loop] in loop.submit(.resume(transfer)) }, cancel: { [loop] in loop.submit(.cancel(transfer)) })
    }

    private func count(_ result: Result<HTTPResponse, HTTPError>) {
        switch result {
        case .success(let response): requests?.with("\(response.status / 100)xx").increment()
        case .failure(let error): requests?.with(error.code.rawValue).increment()
        }
    }

    private func perform(_ transfer: CurlTransfer) async -> Result<HTTPResponse, HTTPError> {
        if let fault = transfer.request.fault {
            return .failure(HTTPError(fault, operation: transfer.request.description))
        }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                transfer.continuation.withLock { $0 = continuation }
                loop.submit(.start(transfer))
            }
        } onCancel: {
            loop.submit(.cancel(transfer))
        }
    }

    /// Ends all requests with `closed` and waits for the thread.
    public func shutdown() async {
        await withUnsafeContinuation { continuation in
            loop.stop { continuation.resume() }
        }
    }
}

extension HTTPRequest {
    /// What makes the request one that must not be sent.
    var fault: HTTPError.Code? {
        guard url.hasPrefix("https://") || url.hasPrefix("http://"), url.utf8.count <= 16_384,
            url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), HTTPRequest.origin(of: url).utf8.last != UInt8(ascii: "/")
        else { return .invalidRequest }
        for field in headers.fields {
            // RFC 9110 §5.6.2 token, §5.5 field value: no line may be added through a header.
            let isToken =
                !field.name.isEmpty
                && field.name.utf8.allSatisfy {
                    ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 26) || "!#$%&'*+-.^_`|~".utf8.contains($0)
                }
            guard isToken, field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 9 }) else {
                return .invalidRequest
            }
        }
        return timeout > .zero && connectTimeout > .zero && maxResponseBytes >= 0 && maxRedirects >= 0
            ? nil : .invalidRequest
    }
}
