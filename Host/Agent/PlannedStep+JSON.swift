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
        if isConfirmed { object["confirmed"] = true }
        if !resumeState.isEmpty { object["resume"] = .array(resumeState.map { .integer(Int64($0)) }) }
        if let answers { object["answers"] = answers }
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
    }
}
