import TandemCore
import TandemEgress
import TandemJSON
import TandemLanguage

/// Reads a GenerateContentResponse, whole or in chunks.
///
/// Enumerations are open: words that came later than this code neither fail nor are lost when there is something to use.
struct GeminiReader {
    private let tools: [String: String]
    private let name: String
    private var ids: CallNames
    private var text = ""
    private var calls: [LanguageCall] = []
    private var usage = LanguageUsage()
    private var reason: String?
    private var isBlocked = false
    private var hasCandidate = false
    /// Parts since the last call that have to go back with the next.
    private var pending: [JSON] = []
    private var strangeCalls = 0

    init(request: LanguageRequest, tools: [DeclarationCache.Declared], name: String) {
        self.tools = Dictionary(tools.map { ($0.name, $0.tool.id) }, uniquingKeysWith: { first, _ in first })
        self.name = name
        ids = CallNames(request.messages)
    }

    /// What is new with this answer or chunk.
    mutating func take(_ chunk: JSON) throws(LanguageError) -> [LanguageEvent] {
        if let error = chunk["error"], error.objectValue != nil {
            let code = error["code"]?.int64Value.map { Int(clamping: $0) } ?? 500
            throw GeminiFailure.error(name: name, status: code, headers: [:], body: chunk)
        }
        guard chunk.objectValue != nil else {
            throw LanguageError(.invalidResponse, "\(name) answered with something that is no object")
        }
        if let metadata = chunk["usageMetadata"] { takeUsage(metadata) }
        if chunk["promptFeedback"]?["blockReason"]?.stringValue != nil { isBlocked = true }
        guard let candidate = chunk["candidates"]?[0] else { return [] }
        hasCandidate = true
        if let reason = candidate["finishReason"]?.stringValue, reason != "FINISH_REASON_UNSPECIFIED" {
            self.reason = reason
        }
        var events: [LanguageEvent] = []
        for part in candidate["content"]?["parts"]?.arrayValue ?? [] {
            if let event = try take(part: part) { events.append(event) }
        }
        return events
    }

    private mutating func take(part: JSON) throws(LanguageError) -> LanguageEvent? {
        if let function = part["functionCall"], function.objectValue != nil {
            let arguments = function["args"] ?? [:]
            guard let name = function["name"]?.stringValue, let tool = tools[name],
                arguments.isNull || arguments.objectValue != nil
            else {
                // A tool that was never offered: nothing can be done with it.
                strangeCalls += 1
                return nil
            }
            var continuation: JSONObject = ["part": part]
            if !pending.isEmpty {
                continuation["before"] = .array(pending)
                pending = []
            }
            let call = LanguageCall(
                id: ids.name(function["id"]?.stringValue), tool: tool, arguments: arguments.isNull ? [:] : arguments,
                continuation: .object(continuation))
            calls.append(call)
            return .call(call)
        }
        let isThought = part["thought"]?.boolValue == true
        if part["thoughtSignature"] != nil || (!isThought && part["text"]?.stringValue?.isEmpty == false) {
            pending.append(part)
        }
        guard !isThought, let piece = part["text"]?.stringValue, !piece.isEmpty else { return nil }
        text += piece
        return .text(piece)
    }

    private mutating func takeUsage(_ metadata: JSON) {
        func count(_ key: String) -> Int { max(0, Int(clamping: metadata[key]?.int64Value ?? 0)) }
        // Repeated with each chunk, growing; the last one counts. Thoughts are paid for as output.
        usage = LanguageUsage(
            input: count("promptTokenCount") + count("toolUsePromptTokenCount"),
            output: count("candidatesTokenCount") + count("thoughtsTokenCount"),
            cached: count("cachedContentTokenCount"))
    }

    /// When nothing follows any more.
    mutating func finish() throws(LanguageError) -> LanguageResponse {
        if isBlocked, !hasCandidate { return LanguageResponse(usage: usage, finish: .refused) }
        guard hasCandidate else { throw LanguageError(.invalidResponse, "\(name) answered without a candidate") }
        // There is no end mark: a stream without a reason was cut.
        guard let reason else { throw LanguageError(.invalidResponse, "the answer of \(name) ended early") }
        if let last = calls.indices.last, pending.contains(where: { $0["thoughtSignature"] != nil }),
            var continuation = calls[last].continuation?.objectValue
        {
            continuation["after"] = .array(pending)
            calls[last].continuation = .object(continuation)
        }
        var response = LanguageResponse(text: text.isEmpty ? nil : text, calls: calls, usage: usage)
        let isEmpty = text.isEmpty && calls.isEmpty
        switch reason {
        case "STOP": break
        case "MAX_TOKENS": response.finish = .truncated
        case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
            // What was said so far may be just what must not be said.
            response = LanguageResponse(usage: usage, finish: .refused)
        default:
            // A malformed call and its like, or a word of a later version.
            guard !isEmpty else {
                throw LanguageError(.invalidResponse, "\(name) ended with \(word(reason)) and nothing to use")
            }
        }
        if isEmpty, strangeCalls > 0 {
            throw LanguageError(.invalidResponse, "\(name) called only tools that it was not given")
        }
        return response
    }

    private func word(_ text: String) -> String {
        text.utf8.count <= 64 && text.utf8.allSatisfy { ($0 >= 65 && $0 <= 90) || $0 == 95 }
            ? text : "an unknown reason"
    }
}
