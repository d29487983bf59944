import CTandemPlugin
import TandemCore
import TandemJSON

/// Turns what a plugin completed a call with into an outcome, trusting nothing in it.
///
/// Whatever is wrong, each buffer is released exactly once, on the calling thread, before `decode` returns.
struct OutcomeDecoder {
    static let maxValueBytes = 1 << 20
    static let maxMessageBytes = 16 << 10
    static let maxShownBytes = 256 << 10
    static let maxResumeBytes = 64 << 10
    static let maxShownItems = 200
    static let maxOptions = 50
    /// What a plugin may make a person wait at most.
    static let maxRetryAfterMilliseconds: UInt64 = 24 * 3_600_000

    struct Decoded {
        /// What `complete` answers.
        var status: tandem_status
        var outcome: ToolOutcome
        /// Why the outcome was not usable; nil for a good one.
        var fault: String?
        /// It could not even be read: no struct, no text, no JSON. What can be read and is not allowed may be a matter of what
        /// was asked.
        var isUnreadable = false
    }

    private struct Fault: Error {
        var status: tandem_status
        var reason: String
        var isUnreadable: Bool

        init(
            _ reason: String, status: tandem_status = TANDEM_E_INVALID_ARGUMENT, isUnreadable: Bool = false
        ) {
            self.status = status
            self.reason = reason
            self.isUnreadable = isUnreadable
        }
    }

    /// Objects rather than their parts: copying a definition would cost more than reading an outcome.
    private let tool: CallableTool
    private let plugin: LoadedPlugin

    init(tool: CallableTool, of plugin: LoadedPlugin) {
        self.tool = tool
        self.plugin = plugin
    }

    private var name: String { plugin.name }

    func decode(_ pointer: UnsafePointer<tandem_outcome>?) -> Decoded {
        do throws(Fault) {
            return Decoded(status: TANDEM_OK, outcome: try read(pointer))
        } catch {
            return Decoded(
                status: error.status, outcome: .failure(CallFailure.misbehaved(name)), fault: error.reason,
                isUnreadable: error.isUnreadable)
        }
    }

    private func read(_ pointer: UnsafePointer<tandem_outcome>?) throws(Fault) -> ToolOutcome {
        guard let pointer else { throw Fault("a null outcome", isUnreadable: true) }
        guard UInt(bitPattern: pointer) % UInt(MemoryLayout<tandem_outcome>.alignment) == 0 else {
            throw Fault("an outcome that is not aligned", isUnreadable: true)
        }
        let raw = UnsafeRawPointer(pointer)
        let header = raw.load(as: tandem_header.self)
        guard header.size >= UInt32(MemoryLayout<tandem_outcome>.size) else {
            Self.release(upTo: Int(header.size), of: raw)
            throw Fault(
                "an outcome with a size of \(header.size)", status: TANDEM_E_SIZE_TOO_SMALL, isUnreadable: true)
        }
        defer { Self.release(upTo: MemoryLayout<tandem_outcome>.size, of: raw) }
        guard header.flags & TANDEM_FLAGS_MUST_UNDERSTAND == 0 else {
            throw Fault("flags that this host does not know", status: TANDEM_E_UNSUPPORTED)
        }
        let outcome = raw.load(as: tandem_outcome.self)
        guard outcome.reserved == 0 else { throw Fault("a reserved field that is not 0") }
        let trust = try trust(outcome.trust)
        let message = try text(outcome.message, of: "message", atMost: Self.maxMessageBytes)
        let resume = try bytes(outcome.resume_state, of: "resume state", atMost: Self.maxResumeBytes)
        if outcome.kind != TANDEM_OUTCOME_TOOL_ERROR, outcome.status != TANDEM_OK {
            throw Fault("status \(outcome.status) in an outcome that is no error")
        }
        switch outcome.kind {
        case TANDEM_OUTCOME_VALUE:
            let value = try json(outcome.value, of: "value", atMost: Self.maxValueBytes) ?? .null
            return .value(ToolValue(value: value, message: message, shown: try shown(outcome.shown), trust: trust))
        case TANDEM_OUTCOME_TOOL_ERROR:
            guard outcome.status < 0 else { throw Fault("an error without a status") }
            return .failure(try failure(outcome, message: message))
        case TANDEM_OUTCOME_INPUT_REQUIRED:
            return .inputRequired(try question(outcome, message: message, resume: resume))
        case TANDEM_OUTCOME_AUTH_REQUIRED:
            let grant = try word("grant", in: outcome.value)
            return .authRequired(grant: grant, message: message)
        case TANDEM_OUTCOME_ACCEPTED:
            return .accepted(job: try word("job", in: outcome.value), message: message)
        default:
            // A later version of the ABI may know it: an error for the person, none for the plugin.
            return .failure(
                ToolFailure(
                    status: TANDEM_E_UNSUPPORTED, code: "unsupported",
                    message: "\(name) answered in a way that I do not know yet."))
        }
    }

    // MARK: Parts

    private func trust(_ value: UInt32) throws(Fault) -> TrustLabel {
        switch value {
        case TANDEM_TRUST_DECLARED: tool.definition.trust
        case TANDEM_TRUST_SYSTEM: tool.definition.trust.joined(with: .system)
        case TANDEM_TRUST_CONTACT: tool.definition.trust.joined(with: .contact)
        case 1: throw Fault("the trust of the person's own words")
        // A later version of the ABI may know more: whatever it is, it only ever lowers trust.
        default: .untrusted
        }
    }

    private func view(
        _ buffer: tandem_buffer, of part: String, atMost limit: Int
    ) throws(Fault) -> UnsafeRawBufferPointer {
        guard buffer.len <= UInt64(limit) else { throw Fault("a \(part) of more than \(limit) bytes") }
        guard let start = buffer.ptr else {
            if buffer.len > 0 { throw Fault("a \(part) that is null and not empty", isUnreadable: true) }
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: start, count: Int(buffer.len))
    }

    private func bytes(_ buffer: tandem_buffer, of part: String, atMost limit: Int) throws(Fault) -> [UInt8] {
        buffer.len == 0 ? [] : Array(try view(buffer, of: part, atMost: limit))
    }

    private func text(_ buffer: tandem_buffer, of part: String, atMost limit: Int) throws(Fault) -> String {
        let view = try view(buffer, of: part, atMost: limit)
        guard !view.isEmpty else { return "" }
        guard let text = PlainText.sanitized(view) else {
            throw Fault("a \(part) that is not UTF-8", isUnreadable: true)
        }
        return text
    }

    private func json(_ buffer: tandem_buffer, of part: String, atMost limit: Int) throws(Fault) -> JSON? {
        let view = try view(buffer, of: part, atMost: limit)
        guard !view.isEmpty else { return nil }
        do {
            return try JSON(parsing: view, limits: JSONLimits(maxBytes: limit))
        } catch {
            throw Fault("a \(part) that is not JSON: \(error.message)", isUnreadable: true)
        }
    }

    private func shown(_ buffer: tandem_buffer) throws(Fault) -> ShownEntities? {
        guard let value = try json(buffer, of: "shown", atMost: Self.maxShownBytes) else { return nil }
        guard var shown = ShownEntities(json: value), shown.items.count <= Self.maxShownItems else {
            throw Fault("a shown that is not an object with at most \(Self.maxShownItems) items")
        }
        if let select = shown.select {
            // A digit must not lead into another plugin.
            guard TextRule.isToolID(select), select.prefix(while: { $0 != "." }) == plugin.manifest.namespace else {
                throw Fault("a shown whose select is not one of the plugin's own tools")
            }
        }
        for index in shown.items.indices {
            let item = shown.items[index]
            guard TextRule.isToolID(item.type), !item.id.isEmpty, item.id.utf8.count <= 256,
                item.label.utf8.count <= 1024
            else { throw Fault("a shown item without type or id, or too long") }
            shown.items[index].label = PlainText.sanitized(item.label)
        }
        return shown
    }

    private func failure(_ outcome: tandem_outcome, message: String) throws(Fault) -> ToolFailure {
        var code = StatusName.code(of: outcome.status)
        var isRetryable = StatusName.isRetryable(outcome.status)
        if let detail = try json(outcome.value, of: "error detail", atMost: Self.maxValueBytes) {
            guard case .object(let detail) = detail else { throw Fault("an error detail that is no object") }
            if let given = detail["code"] {
                guard let given = given.stringValue, TextRule.isName(given, atMost: 64) else {
                    throw Fault("an error code that is no name")
                }
                code = given
            }
            if let given = detail["retryable"] {
                guard let given = given.boolValue else { throw Fault("an error detail with a bad retryable") }
                isRetryable = given
            }
        }
        let wait = outcome.retry_after_ms
        return ToolFailure(
            status: outcome.status, code: code, message: message.isEmpty ? "\(name) cannot do that." : message,
            isRetryable: isRetryable,
            retryAfterMilliseconds: wait == 0 ? nil : Int(min(wait, Self.maxRetryAfterMilliseconds)))
    }

    private func question(
        _ outcome: tandem_outcome, message: String, resume: [UInt8]
    ) throws(Fault) -> InputRequest {
        guard !message.isEmpty else { throw Fault("a question without a message") }
        guard case .object(let question)? = try json(outcome.value, of: "question", atMost: Self.maxValueBytes),
            let field = question["field"]?.stringValue, !field.isEmpty, field.utf8.count <= 64
        else { throw Fault("a question without a field") }
        let schema = question["schema"] ?? ["type": "string"]
        do {
            _ = try JSONSchema(compiling: schema)
        } catch {
            throw Fault("a question whose schema is invalid")
        }
        var options: [InputRequest.Option] = []
        if let given = question["options"] {
            guard let given = given.arrayValue, given.count <= Self.maxOptions else {
                throw Fault("a question with bad options")
            }
            for option in given {
                guard let value = option["value"], let label = option["label"]?.stringValue, !label.isEmpty,
                    label.utf8.count <= 1024
                else { throw Fault("a question with an option without value or label") }
                options.append(InputRequest.Option(value: value, label: PlainText.sanitized(label)))
            }
        }
        return InputRequest(message: message, field: field, schema: schema, options: options, resumeState: resume)
    }

    private func word(_ member: String, in buffer: tandem_buffer) throws(Fault) -> String {
        guard let value = try json(buffer, of: "value", atMost: Self.maxValueBytes),
            let word = value[member]?.stringValue, TextRule.isLine(word, atMost: 256)
        else { throw Fault("no \(member)") }
        return word
    }

    // MARK: Buffers

    /// Releases the buffers that lie within the first `size` bytes of an outcome.
    private static func release(upTo size: Int, of raw: UnsafeRawPointer) {
        for offset in stride(from: firstBuffer, through: lastBuffer, by: MemoryLayout<tandem_buffer>.size)
        where offset + MemoryLayout<tandem_buffer>.size <= size {
            release(raw.load(fromByteOffset: offset, as: tandem_buffer.self))
        }
    }

    /// Offsets of `value` and `resume_state`; `call.h` asserts both.
    private static let firstBuffer = 32
    private static let lastBuffer = 128

    /// Takes over and releases the buffers of an outcome that nobody wants.
    static func discard(_ pointer: UnsafePointer<tandem_outcome>?) {
        guard let pointer, UInt(bitPattern: pointer) % UInt(MemoryLayout<tandem_outcome>.alignment) == 0 else {
            return
        }
        let raw = UnsafeRawPointer(pointer)
        let size = Int(raw.load(as: tandem_header.self).size)
        release(upTo: min(size, MemoryLayout<tandem_outcome>.size), of: raw)
    }

    static func release(_ buffer: tandem_buffer) { buffer.release?(buffer.owner) }
}
