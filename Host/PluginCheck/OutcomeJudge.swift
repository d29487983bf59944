import TandemCore
import TandemJSON

/// What a plugin completed a call with, as the worker saw it.
struct WorkerOutcome: Sendable, Hashable {
    var number: Int
    var completions: Int
    /// The status of `invoke`.
    var invoke: Int32
    var kind: UInt32
    var status: Int32
    var trust: UInt32
    var value: [UInt8]
    var message: [UInt8]
    var shown: [UInt8]
    var resume: [UInt8]
    var invokeMicroseconds: Int

    init(_ event: JSON) {
        func integer(_ name: String) -> Int64 { event[name]?.int64Value ?? 0 }
        number = Int(integer("n"))
        completions = Int(integer("completed"))
        invoke = Int32(truncatingIfNeeded: integer("invoke"))
        kind = UInt32(truncatingIfNeeded: integer("kind"))
        status = Int32(truncatingIfNeeded: integer("status"))
        trust = UInt32(truncatingIfNeeded: integer("trust"))
        value = Hex.bytes(event["value"]?.stringValue)
        message = Hex.bytes(event["message"]?.stringValue)
        shown = Hex.bytes(event["shown"]?.stringValue)
        resume = Hex.bytes(event["resume"]?.stringValue)
        invokeMicroseconds = Int(integer("invokeMicroseconds"))
    }

    /// The call was refused by `invoke`.
    var isRefused: Bool { invoke != 0 }
    var isValue: Bool { !isRefused && kind == 1 }
    var isError: Bool { !isRefused && kind == 2 }

    /// Without what differs from run to run.
    var transcript: JSON {
        func text(_ bytes: [UInt8]) -> JSON { .string(String(decoding: bytes, as: UTF8.self)) }
        if isRefused { return ["refused": .integer(Int64(invoke))] }
        let kinds = ["", "value", "error", "question", "auth", "accepted"]
        var object: JSONObject = ["outcome": .string(Int(kind) < kinds.count ? kinds[Int(kind)] : "kind \(kind)")]
        if status != 0 { object["status"] = .integer(Int64(status)) }
        if !value.isEmpty { object["value"] = (try? JSON(parsing: value)) ?? text(value) }
        object["message"] = text(message)
        if !shown.isEmpty { object["shown"] = (try? JSON(parsing: shown)) ?? text(shown) }
        return .object(object)
    }
}

/// Judges outcomes by the tool's declaration and the contract of `tandem/call.h`.
struct OutcomeJudge: Sendable {
    let tool: ToolDefinition
    private let result: JSONSchema?

    init(_ tool: ToolDefinition) {
        self.tool = tool
        result = try? JSONSchema(compiling: tool.result)
    }

    /// What is wrong with it in any case: `error`.
    func faults(_ outcome: WorkerOutcome, of call: PlannedCall) -> [Finding] {
        var findings: [Finding] = []
        func fault(_ code: String, _ text: String) {
            findings.append(Finding(.error, code, text, place: "\(tool.id) \(Self.excerpt(call.arguments))"))
        }
        if outcome.isRefused {
            if call.isValid {
                fault("refuses_valid", "invoke refuses arguments that match the schema (\(outcome.invoke))")
            }
            return findings
        }
        guard let message = String(validating: outcome.message, as: UTF8.self) else {
            fault("message_not_utf8", "the message is not UTF-8")
            return findings
        }
        func json(_ bytes: [UInt8], _ part: String) -> JSON? {
            if bytes.isEmpty { return nil }
            do throws(JSONError) {
                return try JSON(parsing: bytes)
            } catch {
                fault("\(part)_not_json", "the \(part) is not JSON: \(error.message)")
                return nil
            }
        }
        let value = json(outcome.value, "value")
        switch outcome.kind {
        case 1:
            if let violation = result?.validate(value ?? .null).first, call.isValid || value != nil {
                fault(
                    "result_mismatch",
                    "the value does not match the result schema: \(violation.instanceLocation) \(violation.message)")
            }
            if let shown = json(outcome.shown, "shown") {
                if let entities = ShownEntities(json: shown) {
                    if entities.items.contains(where: { $0.id.isEmpty || $0.label.isEmpty }) {
                        fault("shown_incomplete", "something shown has no id or label")
                    }
                    if let select = entities.select, select.prefix(while: { $0 != "." }) != tool.namespace {
                        fault("shown_foreign", "`select` of what is shown is not one of the plugin's own tools")
                    }
                } else {
                    fault("shown_malformed", "what is shown is no object with items of type, id and label")
                }
            }
        case 2:
            if outcome.status >= 0 { fault("error_without_status", "an error has the status \(outcome.status)") }
            if let value, value.objectValue == nil { fault("detail_malformed", "an error's detail is no object") }
        case 3:
            if message.isEmpty { fault("question_empty", "a question has no message") }
            if value?["field"]?.stringValue?.isEmpty ?? true {
                fault("question_malformed", "a question names no field")
            }
        case 4:
            if value?["grant"]?.stringValue?.isEmpty ?? true {
                fault("auth_malformed", "the missing grant is not named")
            }
        case 5:
            if value?["job"]?.stringValue?.isEmpty ?? true { fault("job_malformed", "the job is not named") }
        default: fault("unknown_kind", "an outcome has the unknown kind \(outcome.kind)")
        }
        return findings
    }

    /// What people would stumble over: `error` for gold.
    func wording(_ outcome: WorkerOutcome, of call: PlannedCall) -> [Finding] {
        guard !outcome.isRefused else { return [] }
        var findings: [Finding] = []
        func fault(_ level: Finding.Level, _ code: String, _ text: String) {
            findings.append(Finding(level, code, text, place: "\(tool.id) \(Self.excerpt(call.arguments))"))
        }
        let message = String(decoding: outcome.message, as: UTF8.self)
        let first = String(message.prefix { $0 != "\n" })
        if first.isEmpty {
            fault(.error, "no_message", "the outcome has no message for the person")
        } else if SMSText.segments(of: SMSText.prepared(first)) > 1 {
            fault(
                .error, "long_first_line",
                "the first line of the message does not fit into one SMS: \"\(first.prefix(60))…\"")
        } else if call.isASCII, SMSText.encoding(of: first) == .ucs2 {
            fault(
                .warning, "not_gsm7", "the first line needs characters outside of GSM-7, which makes an SMS cost more")
        }
        return findings
    }

    static func excerpt(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes.prefix(160), as: UTF8.self)
        return bytes.count > 160 ? text + "…" : text
    }
}

extension PlannedCall {
    fileprivate var isASCII: Bool { arguments.allSatisfy { $0 < 0x80 } && !arguments.contains(UInt8(ascii: "\\")) }
}
