import TandemCore
import TandemJSON

extension PlannedStep {
    /// The persisted form.
    var json: JSON {
        var object: JSONObject = [:]
        object["index"] = .integer(Int64(index))
        object["tool"] = .string(tool)
        object["effect"] = .string(effect.rawValue)
        object["arguments"] = arguments
        object["confidence"] = .number(confidence)
        object["label"] = .string(label.rawValue)
        if let contentLabel { object["content"] = .string(contentLabel.rawValue) }
        if isConfirmed { object["confirmed"] = true }
        if !resumeState.isEmpty { object["resume"] = .array(resumeState.map { .integer(Int64($0)) }) }
        if let answers { object["answers"] = answers }
        if !isPlanned { object["planned"] = false }
        if reach != CallReach() {
            object["reach"] = [
                "recipient": .string(reach.recipient.rawValue), "host": .string(reach.host.rawValue),
                "amount": .string(reach.amount.rawValue),
            ]
        }
        if round > 0 { object["round"] = .integer(Int64(round)) }
        if !call.isEmpty { object["call"] = .string(call) }
        if let continuation { object["continuation"] = continuation }
        if !joined.isEmpty { object["joined"] = .array(joined.map { .integer($0.rawValue) }) }
        if let record { object["record"] = record.json }
        if isTold { object["told"] = true }
        return .object(object)
    }

    /// Nil when it was not written by `json`.
    init?(json: JSON) {
        guard let index = json["index"]?.int64Value, let tool = json["tool"]?.stringValue,
            let effect = json["effect"]?.stringValue.flatMap(Effect.init(rawValue:)), let arguments = json["arguments"],
            let label = json["label"]?.stringValue.flatMap(TrustLabel.init(rawValue:))
        else { return nil }
        self.init(
            index: Int(index), tool: tool, effect: effect, arguments: arguments,
            confidence: json["confidence"]?.doubleValue ?? 0, label: label,
            isConfirmed: json["confirmed"]?.boolValue ?? false,
            resumeState: (json["resume"]?.arrayValue ?? []).compactMap { $0.int64Value.flatMap { UInt8(exactly: $0) } },
            answers: json["answers"])
        contentLabel = json["content"].map { $0.stringValue.flatMap(TrustLabel.init(rawValue:)) ?? .untrusted }
        isPlanned = json["planned"]?.boolValue ?? true
        if let reach = json["reach"] {
            func read<Value: RawRepresentable>(_ name: String, _ fallback: Value) -> Value
            where Value.RawValue == String {
                reach[name]?.stringValue.flatMap(Value.init(rawValue:)) ?? fallback
            }
            // What cannot be read counts as the worst.
            self.reach = CallReach(
                recipient: read("recipient", .new), host: read("host", .new), amount: read("amount", .foreign))
        }
        round = Int(json["round"]?.int64Value ?? 0)
        call = json["call"]?.stringValue ?? ""
        continuation = json["continuation"]
        joined = (json["joined"]?.arrayValue ?? []).compactMap { $0.int64Value.map { RecordID(rawValue: $0) } }
        record = json["record"].flatMap(StepRecord.init(json:))
        isTold = json["told"]?.boolValue ?? false
    }
}

extension StepRecord {
    var json: JSON {
        var object: JSONObject = [:]
        object["word"] = .string(word)
        object["value"] = value
        object["message"] = .string(message)
        object["trust"] = .string(trust.rawValue)
        if let shown { object["shown"] = shown.json }
        object["ms"] = .integer(Int64(milliseconds))
        if isDigest { object["digest"] = true }
        return .object(object)
    }

    init?(json: JSON) {
        guard let word = json["word"]?.stringValue, let value = json["value"] else { return nil }
        self.init(
            word: word, value: value, message: json["message"]?.stringValue ?? "",
            trust: json["trust"]?.stringValue.flatMap(TrustLabel.init(rawValue:)) ?? .untrusted,
            shown: json["shown"].flatMap(ShownEntities.init(json:)),
            milliseconds: Int(json["ms"]?.int64Value ?? 0), isDigest: json["digest"]?.boolValue ?? false)
    }
}
