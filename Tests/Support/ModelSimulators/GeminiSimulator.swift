public import ScriptServer
public import TandemJSON

/// The Gemini API as its contract has it: checks each request strictly and answers as a script says.
///
/// Wrong key, unknown model, unknown members, results that are no object or belong to no call, and calls sent back without
/// their signature are refused as the service refuses them.
public final class GeminiSimulator: Sendable {
    public let script: ModelScript
    public let server: ScriptServer
    public var origin: String { server.origin }

    /// The signature that goes with the first call of an answer.
    public static let signature = "c2FtcGxlLXNpZ25hdHVyZQ=="

    /// - Parameters:
    ///   - checker: the contract; nil: only what stands in this file is checked.
    ///   - models: those that exist.
    public init(
        _ script: ModelScript, key: String = "SAMPLE-KEY", checker: OpenAPIChecker? = nil,
        models: Set<String> = ["gemini-2.5-flash", "gemini-3-flash", "gemini-embedding-001"], port: UInt16 = 0
    ) throws {
        self.script = script
        let checks = try [
            "generateContent": "GenerateContentRequest", "streamGenerateContent": "GenerateContentRequest",
            "countTokens": "CountTokensRequest", "batchEmbedContents": "BatchEmbedContentsRequest",
            "embedContent": "EmbedContentRequest",
        ].compactMapValues { try checker?.check($0) }
        server = try ScriptServer(port: port) { request in
            Self.answer(request, script: script, key: key, checks: checks, models: models)
        }
    }

    public func stop() { server.stop() }

    private static func answer(
        _ request: ScriptServer.Request, script: ModelScript, key: String,
        checks: [String: @Sendable (JSON) -> [String]],
        models: Set<String>
    ) -> ScriptServer.Answer {
        let target = request.target.split(separator: "?", maxSplits: 1).map(String.init)
        let path = target[0].split(separator: "/").last.map(String.init) ?? ""
        let words = path.split(separator: ":").map(String.init)
        guard request.method == "POST", target[0].hasPrefix("/v1beta/models/"), words.count == 2 else {
            return error(404, "NOT_FOUND", "")
        }
        guard let given = request["x-goog-api-key"] else {
            return error(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        }
        guard given == key else {
            return error(400, "INVALID_ARGUMENT", "API key not valid.", reason: "API_KEY_INVALID")
        }
        guard models.contains(words[0]) else { return error(404, "NOT_FOUND", "models/\(words[0]) is not found") }
        let query = target.count == 2 ? target[1] : ""
        guard query == (words[1] == "streamGenerateContent" ? "alt=sse" : "") else {
            script.note(["query: \(query)"])
            return error(400, "INVALID_ARGUMENT", "Invalid query")
        }
        guard let body = try? JSON(parsing: request.body, limits: JSONLimits(maxBytes: 64 << 20)) else {
            return error(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
        }
        var violations = checks[words[1]]?(body) ?? []
        violations += conversationFaults(body, model: words[0])
        guard violations.isEmpty else {
            script.note(violations)
            return error(400, "INVALID_ARGUMENT", violations.joined(separator: "; "))
        }
        switch words[1] {
        case "generateContent": return plain(script.next(for: body))
        case "streamGenerateContent": return stream(script.next(for: body), milliseconds: 0)
        case "countTokens":
            let content = body["generateContentRequest"] ?? body
            return json(200, ["totalTokens": .integer(Int64(content.text.utf8.count / 4))])
        case "batchEmbedContents":
            let requests = body["requests"]?.arrayValue ?? []
            return json(200, ["embeddings": .array(requests.map { ["values": vector($0)] })])
        default: return json(200, ["embedding": ["values": vector(body)]])
        }
    }

    // MARK: Checks beyond the schema

    private static func conversationFaults(_ body: JSON, model: String) -> [String] {
        var faults: [String] = []
        var open: [(name: String, id: String?)] = []
        for (place, content) in (body["contents"]?.arrayValue ?? []).enumerated() {
            let role = content["role"]?.stringValue ?? "user"
            let parts = content["parts"]?.arrayValue ?? []
            if parts.isEmpty { faults.append("/contents/\(place): must have parts") }
            let calls = parts.filter { $0["functionCall"] != nil }
            let responses = parts.filter { $0["functionResponse"] != nil }
            if !open.isEmpty {
                let names = responses.map { $0["functionResponse"]?["name"]?.stringValue ?? "" }
                if names != open.map(\.name) {
                    faults.append("/contents/\(place): the number of function response parts is not that of the calls")
                }
                let ids = responses.map { $0["functionResponse"]?["id"]?.stringValue }
                if ids != open.map(\.id) { faults.append("/contents/\(place): the ids are not those of the calls") }
            } else if !responses.isEmpty {
                faults.append("/contents/\(place): a function response must follow a function call")
            }
            for response in responses where response["functionResponse"]?["response"]?.objectValue == nil {
                faults.append("/contents/\(place): a response must be an object")
            }
            open = calls.map {
                ($0["functionCall"]?["name"]?.stringValue ?? "", $0["functionCall"]?["id"]?.stringValue)
            }
            if !calls.isEmpty {
                if role != "model" { faults.append("/contents/\(place): calls are the model's") }
                let first = calls[0]["thoughtSignature"]?.stringValue
                let isOurs = calls[0]["functionCall"]?["id"]?.stringValue?.hasPrefix("sim-") == true
                if isOurs, first != signature {
                    faults.append("/contents/\(place): Function call is missing a thought_signature")
                }
                if !isOurs, model.hasPrefix("gemini-3"), first != "skip_thought_signature_validator" {
                    faults.append("/contents/\(place): Function call is missing a thought_signature")
                }
            }
            if role != "user" && role != "model" { faults.append("/contents/\(place): role must be user or model") }
        }
        if !open.isEmpty { faults.append("calls without responses") }
        if let first = body["contents"]?[0]?["role"]?.stringValue, first != "user" {
            faults.append("/contents/0: must be the user's")
        }
        for tool in body["tools"]?.arrayValue ?? [] {
            for function in tool["functionDeclarations"]?.arrayValue ?? [] {
                let name = Array((function["name"]?.stringValue ?? "").utf8)
                let isLegal =
                    (1...64).contains(name.count) && (isLetter(name[0]) || name[0] == 95)
                    && name.allSatisfy { isLetter($0) || ($0 >= 48 && $0 <= 57) || "_.:-".utf8.contains($0) }
                if !isLegal { faults.append("a function's name is not legal") }
                if function["parameters"] != nil, function["parametersJsonSchema"] != nil {
                    faults.append("parameters in two forms")
                }
            }
        }
        return faults
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 97 && (byte | 0x20) <= 122 }

    private static func vector(_ request: JSON) -> JSON {
        let text = request["content"]?["parts"]?[0]?["text"]?.stringValue ?? ""
        let size = Int(clamping: request["outputDimensionality"]?.int64Value ?? 3072)
        return .array(HashedVector.values(text, size).map { .number($0) })
    }

    // MARK: Answers

    private static func json(_ status: Int, _ body: JSON, _ headers: [(String, String)] = []) -> ScriptServer.Answer {
        .answer(status, [("Content-Type", "application/json; charset=UTF-8")] + headers, body: body.serialized())
    }

    public static func errorBody(_ code: Int, _ status: String, _ message: String, reason: String? = nil) -> JSON {
        var error: JSONObject = [
            "code": .integer(Int64(code)), "message": .string(message), "status": .string(status),
        ]
        if let reason {
            error["details"] = [
                [
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": .string(reason),
                    "domain": "googleapis.com",
                ]
            ]
        }
        return ["error": .object(error)]
    }

    private static func error(
        _ code: Int, _ status: String, _ message: String, reason: String? = nil
    ) -> ScriptServer.Answer { json(code, errorBody(code, status, message, reason: reason)) }

    private static func parts(_ reply: ModelReply) -> [JSON]? {
        switch reply {
        case .text(let text): return [["text": .string(text)]]
        case .calls(let calls, let text):
            var parts: [JSON] = text.map { [["text": .string($0)]] } ?? []
            for (place, call) in calls.enumerated() {
                var part: JSONObject = [
                    "functionCall": [
                        "id": .string("sim-\(place + 1)"), "name": .string(call.name), "args": call.arguments,
                    ]
                ]
                if place == 0 { part["thoughtSignature"] = .string(signature) }
                parts.append(.object(part))
            }
            return parts
        default: return nil
        }
    }

    private static func chunk(_ parts: [JSON], finish: String?) -> JSON {
        var candidate: JSONObject = ["content": ["parts": .array(parts), "role": "model"], "index": 0]
        if let finish { candidate["finishReason"] = .string(finish) }
        return [
            "candidates": [.object(candidate)],
            "usageMetadata": [
                "promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120,
                "cachedContentTokenCount": 40,
            ],
            "modelVersion": "gemini-2.5-flash", "responseId": "simulated",
        ]
    }

    private static func plain(_ reply: ModelReply) -> ScriptServer.Answer {
        switch reply {
        case .text, .calls: return json(200, chunk(parts(reply) ?? [], finish: "STOP"))
        case .failure(let status, let body, let headers): return json(status, body, headers)
        case .answer(let body): return json(200, body)
        case .events(let events): return json(200, events.last ?? [:])
        case .cut:
            return .raw(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"candidates\":[")
        case .slow(let inner, let milliseconds):
            guard case .answer(let status, let headers, let body) = plain(inner) else { return .close }
            let lines = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
            return .pieces(
                [
                    "HTTP/1.1 \(status) X\r\n\(lines)Connection: close\r\n\r\n",
                    String(decoding: body, as: UTF8.self),
                ], milliseconds: milliseconds)
        case .hangUp: return .close
        case .silence: return .silence
        }
    }

    private static func events(_ reply: ModelReply) -> [JSON]? {
        switch reply {
        case .events(let events): return events
        case .answer(let body): return [body]
        case .text, .calls:
            // Words one by one; calls come whole.
            var events: [JSON] = []
            for part in parts(reply) ?? [] {
                guard let text = part["text"]?.stringValue else {
                    events.append(chunk([part], finish: nil))
                    continue
                }
                var rest = text[...]
                while !rest.isEmpty {
                    let word = rest.prefix { $0 != " " }
                    let piece = rest.prefix(word.count + 1)
                    events.append(chunk([["text": .string(String(piece))]], finish: nil))
                    rest = rest.dropFirst(piece.count)
                }
            }
            return events + [chunk([["text": ""]], finish: "STOP")]
        default: return nil
        }
    }

    private static func stream(_ reply: ModelReply, milliseconds: UInt32, cut: Int? = nil) -> ScriptServer.Answer {
        switch reply {
        case .cut(let inner, let count): return stream(inner, milliseconds: milliseconds, cut: count)
        case .slow(let inner, let pause): return stream(inner, milliseconds: pause, cut: cut)
        default:
            guard let events = events(reply) else { return plain(reply) }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
            // No event names, no ids, no end mark: the connection's end is the end.
            let pieces = events.prefix(cut ?? .max).map { "data: \($0.text)\r\n\r\n" }
            return .pieces([head] + pieces, milliseconds: milliseconds)
        }
    }
}

/// Vectors that are the same for the same text.
enum HashedVector {
    static func values(_ text: String, _ size: Int) -> [Double] {
        var state: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return (0..<max(size, 1)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(Int64(bitPattern: state) >> 40) / Double(1 << 23)
        }
    }
}
