import TandemCore
import TandemEgress
import TandemJSON
import TandemLanguage

/// Sends JSON to one service and reads what comes back; says every failure as a `LanguageError`.
struct VendorConnection: Sendable {
    /// `gemini`: for messages.
    let name: String
    let http: any StreamingHTTPClient
    let base: WebAddress
    let headers: @Sendable () -> HTTPHeaders
    let timeout: Duration
    /// Reads a status that is not 2xx, with the body that came.
    let failure: @Sendable (Int, HTTPHeaders, JSON?) -> LanguageError

    private static let largestAnswer = 16 << 20
    /// Of a body that tells of an error.
    private static let largestError = 64 << 10

    private func request(_ path: String, _ body: JSON?) -> HTTPRequest {
        var headers = self.headers()
        if body != nil { headers["Content-Type"] = "application/json" }
        // A POST that a dead connection swallowed may go again: nothing happens there but thinking.
        return HTTPRequest(
            body == nil ? .get : .post, base.appending(path), headers: headers, body: body?.serialized() ?? [],
            timeout: timeout, maxResponseBytes: Self.largestAnswer, isIdempotent: true)
    }

    func send(_ path: String, _ body: JSON?) async throws(LanguageError) -> JSON {
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await http.send(request(path, body))
        } catch {
            throw self.error(error)
        }
        guard response.isSuccess else {
            throw failure(response.status, response.headers, Self.json(response.body.prefix(Self.largestError)))
        }
        guard let json = Self.json(response.body) else {
            throw LanguageError(.invalidResponse, "\(name) answered with something that is no JSON")
        }
        return json
    }

    /// Gives each event's data to `body` until it returns false or the stream ends.
    ///
    /// A service that answers at once with one JSON value instead of events is read as one event.
    func events(
        _ path: String, _ content: JSON, _ body: (JSON) throws(LanguageError) -> Bool
    ) async throws(LanguageError) {
        let stream: HTTPStream
        do throws(HTTPError) {
            var request = request(path, content)
            request.headers["Accept"] = "text/event-stream"
            stream = try await http.open(request)
        } catch {
            throw self.error(error)
        }
        defer { stream.cancel() }
        guard (200..<300).contains(stream.status) else {
            var bytes: [UInt8] = []
            while bytes.count < Self.largestError, let piece = try? await stream.read(atMost: 65_536), !piece.isEmpty {
                bytes += piece
            }
            throw failure(stream.status, stream.headers, Self.json(bytes))
        }
        let isPlain = stream.headers["content-type"]?.lowercased().hasPrefix("application/json") ?? false
        var plain: [UInt8] = []
        var parser = ServerSentEvents()
        while true {
            let piece: [UInt8]
            do throws(HTTPError) {
                piece = try await stream.read(atMost: 65_536)
            } catch {
                throw self.error(error)
            }
            if piece.isEmpty { break }
            if isPlain {
                plain += piece
                continue
            }
            guard let events = parser.take(piece) else {
                throw LanguageError(.invalidResponse, "\(name) sent an event that is too long")
            }
            for event in events where try !given(event, body) { return }
        }
        if isPlain {
            for value in Self.json(plain).map({ $0.arrayValue ?? [$0] }) ?? [] where try !body(value) { return }
        } else if let last = parser.finish() {
            _ = try given(last, body)
        }
    }

    /// False at the end mark that some services send.
    private func given(
        _ event: [UInt8], _ body: (JSON) throws(LanguageError) -> Bool
    ) throws(LanguageError) -> Bool {
        if event.elementsEqual("[DONE]".utf8) { return try body(.null) }
        guard let json = Self.json(event) else {
            throw LanguageError(.invalidResponse, "\(name) sent an event that is no JSON")
        }
        return try body(json)
    }

    private static func json(_ bytes: some Collection<UInt8>) -> JSON? {
        guard !bytes.isEmpty else { return nil }
        return try? JSON(parsing: bytes, limits: JSONLimits(maxBytes: largestAnswer, maxStringBytes: largestAnswer))
    }

    private func error(_ error: HTTPError) -> LanguageError {
        switch error.code {
        case .timeout: LanguageError(.timeout, "\(name) took too long")
        case .cancelled: LanguageError(.timeout, "the request to \(name) was given up")
        case .responseTooLarge, .invalidResponse, .interrupted:
            LanguageError(.invalidResponse, "the answer of \(name) ended early or is no HTTP")
        case .invalidRequest: LanguageError(.unauthorized, "the address or key of \(name) cannot be sent")
        default: LanguageError(.unavailable, "\(name) cannot be reached: \(error.code.rawValue)")
        }
    }
}

/// How long a service asks to be left alone, in milliseconds.
enum RetryTime {
    /// A protobuf Duration in JSON, `46s` or `1.5s`
    /// (<https://protobuf.dev/reference/protobuf/google.protobuf/#duration>).
    static func milliseconds(duration text: String) -> Int? {
        guard text.hasSuffix("s"), let seconds = Double(text.dropLast()) else { return nil }
        return milliseconds(seconds: seconds)
    }

    /// `Retry-After` in seconds; dates are not used by these services. `retry-after-ms` goes before it.
    static func milliseconds(_ headers: HTTPHeaders) -> Int? {
        if let text = headers["retry-after-ms"], let value = Double(text) { return milliseconds(seconds: value / 1000) }
        return headers["retry-after"].flatMap(Double.init).flatMap(milliseconds(seconds:))
    }

    private static func milliseconds(seconds: Double) -> Int? {
        // At most a day: what is longer is no wait but a refusal.
        seconds.isFinite && seconds >= 0 ? Int((min(seconds, 86_400) * 1000).rounded(.up)) : nil
    }
}
