import TandemCore
import TandemEgress
import TandemJSON
import TandemLanguage

/// Reads a chat completion, whole or in chunks.
struct ChatReader {
    private struct Draft {
        var index: Int64?
        var id: String?
        var name = ""
        var text = ""
        var object: JSON?
    }

    private let tools: [String: String]
    private let name: String
    private var ids: CallNames
    private var filter = ThoughtFilter()
    private var text = ""
    private var drafts: [Draft] = []
    private var usage = LanguageUsage()
    private var reason: String?
    private var isRefused = false
    private var hasChoice = false
    /// The end mark came.
    private(set) var isOver = false

    init(request: LanguageRequest, tools: [DeclarationCache.Declared], name: String) {
        var byName: [String: String] = [:]
        for entry in tools {
            byName[entry.name] = entry.tool.id
            // Small models like to write the id as they read it in a description.
            byName[entry.tool.id] = entry.tool.id
        }
        self.tools = byName
        self.name = name
        ids = CallNames(request.messages)
    }

    /// The new text of this answer or chunk; null is the end mark.
    mutating func take(_ chunk: JSON) throws(LanguageError) -> [String] {
        if chunk.isNull {
            isOver = true
            return []
        }
        guard chunk.objectValue != nil else {
            throw LanguageError(.invalidResponse, "\(name) answered with something that is no object")
        }
        if let error = chunk["error"], !error.isNull {
            let status =
                error["code"]?.int64Value.map { Int(clamping: $0) }
                ?? error["status"]?.int64Value.map {
                    Int(clamping: $0)
                }
            throw ChatFailure.error(name: name, status: status ?? 500, headers: [:], body: chunk)
        }
        if let usage = chunk["usage"], usage.objectValue != nil { takeUsage(usage) }
        // Only the first choice was asked for.
        guard let choice = chunk["choices"]?[0] else { return [] }
        hasChoice = true
        if let reason = choice["finish_reason"]?.stringValue, !reason.isEmpty { self.reason = reason }
        guard let message = choice["delta"] ?? choice["message"] else {
            // The older completions' form, which some servers still give.
            return pieces(choice["text"]?.stringValue)
        }
        if let refusal = message["refusal"]?.stringValue, !refusal.isEmpty { isRefused = true }
        if let calls = message["tool_calls"]?.arrayValue {
            for (place, call) in calls.enumerated() { take(call: call, place: place) }
        } else if let function = message["function_call"], function.objectValue != nil {
            take(call: ["index": 0, "function": function], place: 0)
        }
        return pieces(Self.text(of: message["content"]))
    }

    private mutating func pieces(_ piece: String?) -> [String] {
        guard let piece, !piece.isEmpty else { return [] }
        let shown = filter.take(piece)
        text += shown
        return shown.isEmpty ? [] : [shown]
    }

    /// Text, or parts of text.
    private static func text(of content: JSON?) -> String? {
        if let text = content?.stringValue { return text }
        guard let parts = content?.arrayValue else { return nil }
        return parts.compactMap { $0["text"]?.stringValue ?? $0["text"]?["value"]?.stringValue }.joined()
    }

    private mutating func take(call: JSON, place: Int) {
        let function = call["function"] ?? call
        let index = call["index"]?.int64Value
        let id = call["id"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        let name = function["name"]?.stringValue ?? ""
        var target: Int?
        if let index {
            target = drafts.lastIndex { $0.index == index }
            // One server numbers every call 0 and tells them apart by their ids.
            if let found = target, let id, let own = drafts[found].id, own != id {
                target = drafts.lastIndex { $0.id == id }
            }
        } else if let id {
            target = drafts.lastIndex { $0.id == id }
        } else if name.isEmpty {
            target = drafts.indices.last
        }
        if target == nil {
            drafts.append(Draft(index: index))
            target = drafts.count - 1
        }
        guard let target else { return }
        if let id { drafts[target].id = id }
        if drafts[target].name.isEmpty { drafts[target].name = name }
        if let piece = function["arguments"] {
            if let text = piece.stringValue {
                drafts[target].text += text
            } else if piece.objectValue != nil {
                drafts[target].object = piece
            }
        }
    }

    private mutating func takeUsage(_ usage: JSON) {
        func count(_ value: JSON?) -> Int { max(0, Int(clamping: value?.int64Value ?? 0)) }
        self.usage = LanguageUsage(
            input: count(usage["prompt_tokens"] ?? usage["input_tokens"]),
            output: count(usage["completion_tokens"] ?? usage["output_tokens"]),
            cached: count(
                usage["prompt_tokens_details"]?["cached_tokens"] ?? usage["input_tokens_details"]?["cached_tokens"]
                    ?? usage["prompt_cache_hit_tokens"]))
    }

    mutating func finish() throws(LanguageError) -> LanguageResponse {
        guard hasChoice else { throw LanguageError(.invalidResponse, "\(name) answered without a choice") }
        guard reason != nil || isOver else {
            throw LanguageError(.invalidResponse, "the answer of \(name) ended early")
        }
        text += filter.finish()
        if isRefused || reason == "content_filter" || reason == "refusal" {
            return LanguageResponse(usage: usage, finish: .refused)
        }
        let isCut = reason == "length" || reason == "max_tokens" || reason == "model_length"
        var calls: [LanguageCall] = []
        var strangers = 0
        for draft in drafts {
            guard let tool = tools[draft.name] else {
                strangers += 1
                continue
            }
            guard let arguments = Self.arguments(of: draft) else {
                // What the limit cut off is no call; anything else is a mistake of the model.
                if isCut { continue }
                throw LanguageError(.invalidResponse, "\(name) called a tool with arguments that are no JSON object")
            }
            calls.append(LanguageCall(id: ids.name(draft.id), tool: tool, arguments: arguments))
        }
        let shown = text.utf8.allSatisfy { $0 <= 0x20 } ? nil : text
        if calls.isEmpty, shown == nil, strangers > 0 {
            throw LanguageError(.invalidResponse, "\(name) called only tools that it was not given")
        }
        return LanguageResponse(text: shown, calls: calls, usage: usage, finish: isCut ? .truncated : .complete)
    }

    private static func arguments(of draft: Draft) -> JSON? {
        if let object = draft.object { return object }
        if draft.text.utf8.allSatisfy({ $0 <= 0x20 }) { return [:] }
        guard let parsed = try? JSON(parsing: draft.text) else { return nil }
        if parsed.isNull { return [:] }
        // Written twice over: text that holds text.
        if let inner = parsed.stringValue {
            return (try? JSON(parsing: inner)).flatMap { $0.objectValue == nil ? nil : $0 }
        }
        return parsed.objectValue == nil ? nil : parsed
    }
}

/// Drops thoughts that some models write before their answer, `<think>…</think>`, though they may come in pieces.
struct ThoughtFilter {
    private enum State { case before, within, trimming, after }

    private static let opening = "<think>"
    private static let closing = "</think>"
    private var state = State.before
    private var held = ""

    mutating func take(_ piece: String) -> String {
        if state == .after { return piece }
        if state == .trimming { return trimmed(piece) }
        held += piece
        if state == .before {
            let start = held.drop { $0.isWhitespace }
            if start.hasPrefix(Self.opening) {
                held = String(start.dropFirst(Self.opening.count))
                state = .within
            } else if Self.opening.hasPrefix(start) {
                return ""
            } else {
                state = .after
                defer { held = "" }
                return held
            }
        }
        guard let end = held.firstRange(of: Self.closing) else { return "" }
        let rest = String(held[end.upperBound...])
        state = .trimming
        held = ""
        return trimmed(rest)
    }

    /// The space after the thoughts is theirs.
    private mutating func trimmed(_ piece: String) -> String {
        let rest = piece.drop { $0.isWhitespace }
        if !rest.isEmpty { state = .after }
        return String(rest)
    }

    /// What was held back and is no thought after all; an unfinished thought is none of the answer.
    mutating func finish() -> String {
        defer { held = "" }
        return state == .before ? held : ""
    }
}
