public import TandemCore
public import TandemEgress
import TandemJSON
public import TandemLanguage

/// Google's Gemini API, version v1beta: generateContent, streamGenerateContent with server-sent events, countTokens and
/// batchEmbedContents (<https://ai.google.dev/api>).
///
/// Keeps no state but converted tool declarations. Safe from any thread. The key is the operator's; it is sent in a header
/// and is in no message of an error.
public struct GeminiProvider: LanguageProvider {
    public struct Options: Sendable {
        public var key: Secret
        public var base: WebAddress
        /// Without `models/`.
        public var model: String
        /// From the request to the last byte.
        public var timeout = Duration.seconds(30)
        /// Tokens of a response, thoughts included, where the request does not say.
        public var outputLimit = 4096

        public init(key: Secret, base: WebAddress, model: String) {
            self.key = key
            self.base = base
            self.model = model
        }
    }

    public let name: String
    let options: Options
    let connection: VendorConnection
    let declarations: DeclarationCache

    /// - Parameter name: for metrics and `handled_by`.
    public init(name: String = "gemini", options: Options, http: any StreamingHTTPClient) {
        self.name = name
        self.options = options
        connection = .gemini(name: name, key: options.key, base: options.base, timeout: options.timeout, http: http)
        declarations = DeclarationCache { tool in
            let name = GeminiDeclaration.name(for: tool.id)
            let declaration = try? GeminiDeclaration.declaration(
                name: tool.id, description: DeclarationCache.description(tool), parameters: tool.parameters)
            return (name, declaration)
        }
    }

    private func path(_ method: String) -> String { "/v1beta/models/\(options.model):\(method)" }

    public func respond(to request: LanguageRequest) async throws -> LanguageResponse {
        let (body, tools) = content(of: request)
        let answer = try await connection.send(path("generateContent"), .object(body))
        var reader = GeminiReader(request: request, tools: tools, name: name)
        _ = try reader.take(answer)
        return try reader.finish()
    }

    public func stream(_ request: LanguageRequest) -> AsyncThrowingStream<LanguageEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let (body, tools) = content(of: request)
                    var reader = GeminiReader(request: request, tools: tools, name: name)
                    try await connection.events(path("streamGenerateContent?alt=sse"), .object(body)) {
                        chunk throws(LanguageError) in
                        for event in try reader.take(chunk) { continuation.yield(event) }
                        return true
                    }
                    continuation.yield(.finished(try reader.finish()))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// How many tokens the request would be.
    public func countTokens(of request: LanguageRequest) async throws -> Int {
        var (body, _) = content(of: request)
        body["model"] = .string("models/\(options.model)")
        let answer = try await connection.send(
            path("countTokens"), ["generateContentRequest": .object(body)])
        guard let count = answer["totalTokens"]?.int64Value ?? (answer.objectValue?.isEmpty == true ? 0 : nil) else {
            throw LanguageError(.invalidResponse, "\(name) answered without a count")
        }
        return Int(clamping: count)
    }
}

extension VendorConnection {
    static func gemini(
        name: String, key: Secret, base: WebAddress, timeout: Duration, http: any StreamingHTTPClient
    ) -> VendorConnection {
        VendorConnection(
            name: name, http: http, base: base, headers: { ["x-goog-api-key": key.reveal()] }, timeout: timeout,
            failure: { GeminiFailure.error(name: name, status: $0, headers: $1, body: $2) })
    }
}

/// Google's errors (`google.rpc.Status` in JSON) as ours. Messages of the service are not repeated: they may quote the
/// request.
enum GeminiFailure {
    static func error(name: String, status: Int, headers: HTTPHeaders, body: JSON?) -> LanguageError {
        // Streamed without events, an error comes as the only element of an array.
        let error = body?["error"] ?? body?[0]?["error"]
        let details = error?["details"]?.arrayValue ?? []
        let word = error?["status"]?.stringValue ?? ""
        let reason = details.lazy.compactMap { $0["reason"]?.stringValue }.first ?? ""
        let code = error?["code"]?.int64Value.map { Int(clamping: $0) } ?? status
        let wait =
            details.lazy.compactMap { $0["retryDelay"]?.stringValue }.first.flatMap(RetryTime.milliseconds(duration:))
            ?? RetryTime.milliseconds(headers)
        switch code {
        case 400 where reason.hasPrefix("API_KEY_"), 401, 403:
            return LanguageError(.unauthorized, "\(name) refuses the key (\(code)\(suffix(reason, word)))")
        case 404: return LanguageError(.unauthorized, "\(name) does not know the model (404)")
        case 429: return LanguageError(.rateLimited, "\(name) has had enough for now", retryAfterMilliseconds: wait)
        case 408, 504: return LanguageError(.timeout, "\(name) took too long (\(code))", retryAfterMilliseconds: wait)
        case 400..<500: return LanguageError(.rejected, "\(name) refuses the request (\(code)\(suffix(reason, word)))")
        default:
            return LanguageError(.unavailable, "\(name) fails (\(code))", retryAfterMilliseconds: wait)
        }
    }

    /// Words of the service's vocabulary only.
    private static func suffix(_ reason: String, _ word: String) -> String {
        let text = reason.isEmpty ? word : reason
        let isWord = text.utf8.count <= 64 && text.utf8.allSatisfy { ($0 >= 65 && $0 <= 90) || $0 == 95 }
        return isWord && !text.isEmpty ? " \(text)" : ""
    }
}
