public import TandemCore
public import TandemEgress
import TandemJSON
public import TandemLanguage

/// The chat-completions API that OpenAI, Ollama, vLLM, llama.cpp and many others serve, with tools.
///
/// Takes what these differ in: arguments as text or as an object, calls without ids, deltas with or without an index,
/// several words for the same end, usage in the last chunk or never, streams without an end mark, thoughts within the text.
public struct ChatCompletionsProvider: LanguageProvider {
    public struct Options: Sendable {
        /// Nil where the server wants none.
        public var key: Secret?
        /// `https://api.openai.com/v1`, `http://127.0.0.1:11434/v1`; without a path, `/v1` is added.
        public var base: WebAddress
        public var model: String
        public var timeout = Duration.seconds(60)
        public var outputLimit = 2048

        public init(key: Secret?, base: WebAddress, model: String) {
            self.key = key
            self.base = base
            self.model = model
        }
    }

    public let name: String
    let options: Options
    private let connection: VendorConnection
    let declarations: DeclarationCache

    public init(name: String = "chat", options: Options, http: any StreamingHTTPClient) {
        self.name = name
        self.options = options
        connection = .chat(name: name, key: options.key, base: options.base, timeout: options.timeout, http: http)
        declarations = DeclarationCache { tool in
            let name = ChatDeclaration.name(for: tool.id)
            let declaration = try? ChatDeclaration.declaration(
                name: tool.id, description: DeclarationCache.description(tool), parameters: tool.parameters)
            return (name, declaration)
        }
    }

    private var path: String { VendorConnection.chatPath(options.base, "/chat/completions") }

    public func respond(to request: LanguageRequest) async throws -> LanguageResponse {
        let (body, tools) = content(of: request)
        let answer = try await connection.send(path, .object(body))
        var reader = ChatReader(request: request, tools: tools, name: name)
        _ = try reader.take(answer)
        return try reader.finish()
    }

    public func stream(_ request: LanguageRequest) -> AsyncThrowingStream<LanguageEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    var (body, tools) = content(of: request)
                    body["stream"] = true
                    body["stream_options"] = ["include_usage": true]
                    var reader = ChatReader(request: request, tools: tools, name: name)
                    try await connection.events(path, .object(body)) { chunk throws(LanguageError) in
                        for piece in try reader.take(chunk) { continuation.yield(.text(piece)) }
                        return !reader.isOver
                    }
                    let response = try reader.finish()
                    // A call may grow until the end; only then it is whole.
                    for call in response.calls { continuation.yield(.call(call)) }
                    continuation.yield(.finished(response))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

extension VendorConnection {
    static func chat(
        name: String, key: Secret?, base: WebAddress, timeout: Duration, http: any StreamingHTTPClient
    ) -> VendorConnection {
        VendorConnection(
            name: name, http: http, base: base,
            headers: { key.map { ["Authorization": "Bearer " + $0.reveal()] } ?? [:] }, timeout: timeout,
            failure: { ChatFailure.error(name: name, status: $0, headers: $1, body: $2) })
    }

    static func chatPath(_ base: WebAddress, _ path: String) -> String { base.path.isEmpty ? "/v1" + path : path }
}

/// Errors of these servers: `{"error":{"message","type","code"}}`, `{"error":"text"}` or `{"object":"error",…}`.
enum ChatFailure {
    static func error(name: String, status: Int, headers: HTTPHeaders, body: JSON?) -> LanguageError {
        let error = body?["error"] ?? body
        let code = error?["code"]?.stringValue ?? error?["type"]?.stringValue ?? ""
        let wait = RetryTime.milliseconds(headers)
        switch status {
        case 401, 403: return LanguageError(.unauthorized, "\(name) refuses the key (\(status))")
        case 404: return LanguageError(.unauthorized, "\(name) does not know the model or the path (404)")
        case 429 where code == "insufficient_quota":
            return LanguageError(.unauthorized, "the account at \(name) is used up (429)")
        case 429: return LanguageError(.rateLimited, "\(name) has had enough for now", retryAfterMilliseconds: wait)
        case 408, 504: return LanguageError(.timeout, "\(name) took too long (\(status))", retryAfterMilliseconds: wait)
        case 400 where code == "content_filter" || code == "content_policy_violation":
            return LanguageError(.rejected, "\(name) refuses the content (400)")
        case 400..<500: return LanguageError(.rejected, "\(name) refuses the request (\(status))")
        default: return LanguageError(.unavailable, "\(name) fails (\(status))", retryAfterMilliseconds: wait)
        }
    }
}
