public import ScriptServer
import TandemJSON

/// A server of the chat-completions API, with the ways in which such servers differ.
public final class ChatSimulator: Sendable {
    public struct Manners: Sendable {
        /// Arguments as an object instead of text.
        public var objectArguments = false
        /// Calls have no ids.
        public var leavesOutIDs = false
        /// Deltas have no index: each brings a whole call.
        public var leavesOutIndexes = false
        /// No `data: [DONE]`.
        public var leavesOutEndMark = false
        /// Usage in a chunk of its own with no choices; otherwise with the last one.
        public var lateUsage = true
        /// What a call's end is called.
        public var callFinish = "tool_calls"
        /// Thoughts before the text.
        public var thinks = false
        /// No key is asked for.
        public var needsKey = true

        public init() {}

        public static let openAI = Manners()
        public static let ollama = {
            var manners = Manners()
            manners.objectArguments = true
            manners.leavesOutIDs = true
            manners.leavesOutIndexes = true
            manners.lateUsage = false
            manners.callFinish = "stop"
            manners.needsKey = false
            return manners
        }()
        public static let llamaCpp = {
            var manners = Manners()
            manners.leavesOutEndMark = true
            manners.thinks = true
            manners.needsKey = false
            return manners
        }()
    }

    public let script: ModelScript
    public let server: ScriptServer
    /// With `/v1`.
    public var base: String { server.origin + "/v1" }

    public init(
        _ script: ModelScript, key: String = "SAMPLE-KEY", manners: Manners = .openAI, models: Set<String> = ["small"],
        port: UInt16 = 0
    ) throws {
        self.script = script
        server = try ScriptServer(port: port) { request in
            Self.answer(request, script: script, key: key, manners: manners, models: models)
        }
    }

    public func stop() { server.stop() }

    private static func answer(
        _ request: ScriptServer.Request, script: ModelScript, key: String, manners: Manners, models: Set<String>
    ) -> ScriptServer.Answer {
        guard request.method == "POST", ["/v1/chat/completions", "/v1/embeddings"].contains(request.target) else {
            return error(404, "no such path")
        }
        if manners.needsKey, request["authorization"] != "Bearer \(key)" {
            return error(401, "Incorrect API key provided.", code: "invalid_api_key")
        }
        guard let body = try? JSON(parsing: request.body, limits: JSONLimits(maxBytes: 64 << 20)) else {
            return error(400, "no JSON")
        }
        guard models.contains(body["model"]?.stringValue ?? "") else {
            return error(404, "The model does not exist", code: "model_not_found")
        }
        if request.target == "/v1/embeddings" {
            let data = (body["input"]?.arrayValue ?? []).enumerated().map { place, text -> JSON in
                [
                    "object": "embedding", "index": .integer(Int64(place)),
                    "embedding": .array(HashedVector.values(text.stringValue ?? "", 8).map { .number($0) }),
                ]
            }
            // The order is the indexes' business.
            return json(200, ["object": "list", "data": .array(data.reversed())])
        }
        let faults = faults(body)
        guard faults.isEmpty else {
            script.note(faults)
            return error(400, faults.joined(separator: "; "))
        }
        let reply = script.next(for: body)
        return body["stream"] == true
            ? stream(reply, manners, usage: body["stream_options"]?["include_usage"] == true, milliseconds: 0)
            : plain(reply, manners)
    }

    // MARK: The contract

    private static let known: Set<String> = [
        "model", "messages", "tools", "tool_choice", "max_tokens", "max_completion_tokens", "stream", "stream_options",
        "temperature",
    ]

    private static func faults(_ body: JSON) -> [String] {
        var faults = body.objectValue?.keys.filter { !known.contains($0) }.map { "unknown member \($0)" } ?? []
        var open: [String] = []
        for (place, message) in (body["messages"]?.arrayValue ?? []).enumerated() {
            let role = message["role"]?.stringValue ?? ""
            if role != "tool", !open.isEmpty { faults.append("/messages/\(place): calls without answers") }
            switch role {
            case "system":
                if place != 0 { faults.append("/messages/\(place): system must come first") }
                fallthrough
            case "user": if message["content"]?.stringValue == nil { faults.append("/messages/\(place): no content") }
            case "assistant":
                for call in message["tool_calls"]?.arrayValue ?? [] {
                    guard let id = call["id"]?.stringValue, call["type"] == "function",
                        let text = call["function"]?["arguments"]?.stringValue,
                        (try? JSON(parsing: text))?.objectValue != nil
                    else {
                        faults.append("/messages/\(place): a call is not whole")
                        continue
                    }
                    open.append(id)
                }
            case "tool":
                let id = message["tool_call_id"]?.stringValue ?? ""
                guard let index = open.firstIndex(of: id), message["content"]?.stringValue != nil else {
                    faults.append("/messages/\(place): an answer to no call")
                    continue
                }
                open.remove(at: index)
            default: faults.append("/messages/\(place): unknown role")
            }
        }
        if !open.isEmpty { faults.append("calls without answers") }
        for tool in body["tools"]?.arrayValue ?? [] {
            let name = Array((tool["function"]?["name"]?.stringValue ?? "").utf8)
            let isLegal =
                (1...64).contains(name.count)
                && name.allSatisfy {
                    ($0 | 0x20) >= 97 && ($0 | 0x20) <= 122 || $0 >= 48 && $0 <= 57 || $0 == 95 || $0 == 45
                }
            if !isLegal { faults.append("a function's name is not legal") }
            let root = tool["function"]?["parameters"]
            if root?["type"] != "object" || root?["properties"]?.objectValue == nil {
                faults.append("parameters must be an object")
            }
            for key in ["anyOf", "oneOf", "allOf", "enum", "not"] where root?[key] != nil {
                faults.append("parameters may not have \(key) at the top")
            }
        }
        return faults
    }

    // MARK: Answers

    private static func json(_ status: Int, _ body: JSON, _ headers: [(String, String)] = []) -> ScriptServer.Answer {
        .answer(status, [("Content-Type", "application/json")] + headers, body: body.serialized())
    }

    private static func error(_ status: Int, _ message: String, code: String? = nil) -> ScriptServer.Answer {
        json(
            status,
            [
                "error": [
                    "message": .string(message), "type": "invalid_request_error",
                    "code": code.map { .string($0) } ?? .null,
                ]
            ])
    }

    private static let usage: JSON = [
        "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
        "prompt_tokens_details": ["cached_tokens": 40],
    ]

    private static func message(_ reply: ModelReply, _ manners: Manners) -> (text: String?, calls: [JSON])? {
        switch reply {
        case .text(let text): return ((manners.thinks ? "<think>Hm, let me see.</think>\n\n" : "") + text, [])
        case .calls(let calls, let text):
            return (
                text,
                calls.enumerated().map { place, call in
                    var object: JSONObject = [:]
                    if !manners.leavesOutIndexes { object["index"] = .integer(Int64(place)) }
                    if !manners.leavesOutIDs { object["id"] = .string("call_\(place)") }
                    object["type"] = "function"
                    object["function"] = [
                        "name": .string(call.name),
                        "arguments": manners.objectArguments ? call.arguments : .string(call.arguments.text),
                    ]
                    return .object(object)
                }
            )
        default: return nil
        }
    }

    private static func plain(_ reply: ModelReply, _ manners: Manners) -> ScriptServer.Answer {
        switch reply {
        case .text, .calls:
            let (text, calls) = message(reply, manners) ?? (nil, [])
            var message: JSONObject = ["role": "assistant", "content": text.map { .string($0) } ?? .null]
            if !calls.isEmpty { message["tool_calls"] = .array(calls) }
            return json(
                200,
                [
                    "id": "simulated", "object": "chat.completion", "model": "small",
                    "choices": [
                        [
                            "index": 0, "message": .object(message),
                            "finish_reason": .string(calls.isEmpty ? "stop" : manners.callFinish),
                        ]
                    ], "usage": usage,
                ])
        case .failure(let status, let body, let headers): return json(status, body, headers)
        case .answer(let body): return json(200, body)
        case .events(let events): return json(200, events.last ?? [:])
        case .cut: return .raw("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"choices\":[")
        case .slow(let inner, let milliseconds):
            guard case .answer(let status, let headers, let body) = plain(inner, manners) else { return .close }
            let lines = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
            return .pieces(
                [
                    "HTTP/1.1 \(status) X\r\n\(lines)Connection: close\r\n\r\n", String(decoding: body, as: UTF8.self),
                ], milliseconds: milliseconds)
        case .hangUp: return .close
        case .silence: return .silence
        }
    }

    private static func chunk(_ delta: JSON, finish: String? = nil) -> JSON {
        [
            "id": "simulated", "object": "chat.completion.chunk",
            "choices": [["index": 0, "delta": delta, "finish_reason": finish.map { .string($0) } ?? .null]],
        ]
    }

    private static func events(_ reply: ModelReply, _ manners: Manners, usage isWanted: Bool) -> [JSON]? {
        if case .events(let events) = reply { return events }
        guard let (text, calls) = message(reply, manners) else { return nil }
        var events = [chunk(["role": "assistant", "content": ""])]
        // In pieces that do not care for words.
        var rest = Array((text ?? "").utf8)[...]
        while !rest.isEmpty {
            var end = min(rest.startIndex + 5, rest.endIndex)
            while end < rest.endIndex, rest[end] & 0xC0 == 0x80 { end += 1 }
            events.append(chunk(["content": .string(String(decoding: rest[..<end], as: UTF8.self))]))
            rest = rest[end...]
        }
        for call in calls {
            guard !manners.objectArguments, !manners.leavesOutIndexes,
                let arguments = call["function"]?["arguments"]?.stringValue, var object = call.objectValue
            else {
                events.append(chunk(["tool_calls": [call]]))
                continue
            }
            // The head first, then the arguments in halves.
            object["function"] = ["name": call["function"]?["name"] ?? "", "arguments": ""]
            events.append(chunk(["tool_calls": [.object(object)]]))
            let half = arguments.index(arguments.startIndex, offsetBy: arguments.count / 2)
            for piece in [arguments[..<half], arguments[half...]] {
                events.append(
                    chunk([
                        "tool_calls": [
                            ["index": call["index"] ?? 0, "function": ["arguments": .string(String(piece))]]
                        ]
                    ]))
            }
        }
        var last = chunk([:], finish: calls.isEmpty ? "stop" : manners.callFinish).objectValue ?? [:]
        if !manners.lateUsage { last["usage"] = usage }
        events.append(.object(last))
        if manners.lateUsage, isWanted { events.append(["choices": [], "usage": usage]) }
        return events
    }

    private static func stream(
        _ reply: ModelReply, _ manners: Manners, usage: Bool, milliseconds: UInt32, cut: Int? = nil
    ) -> ScriptServer.Answer {
        switch reply {
        case .cut(let inner, let count):
            return stream(inner, manners, usage: usage, milliseconds: milliseconds, cut: count)
        case .slow(let inner, let pause):
            return stream(inner, manners, usage: usage, milliseconds: pause, cut: cut)
        default:
            guard let events = events(reply, manners, usage: usage) else { return plain(reply, manners) }
            var pieces = events.prefix(cut ?? .max).map { "data: \($0.text)\n\n" }
            if cut == nil, !manners.leavesOutEndMark { pieces.append("data: [DONE]\n\n") }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
            return .pieces([head] + pieces, milliseconds: milliseconds)
        }
    }
}
