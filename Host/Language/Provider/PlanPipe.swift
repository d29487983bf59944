import TandemCore
public import TandemJSON

/// The line protocol of `tandem plan --json`: one object in, one out; pure.
///
/// In: `{"text","now"}` and optionally `timeZone` (IANA), `currency` (ISO 4217). Out:
/// `{"tool","args","confidence"}`, with `missing` when required arguments were not said and `calls` (objects of the same
/// form, the first included) when several are asked for; `{"tool":null}` when nothing is planned. Bad input gives
/// `{"error"}`. With `"why":true` also `why`: the likeliest tools with `belief` and what is `needed` of it, how well `words`
/// fit, and how near the `meaning` is.
public enum PlanPipe {
    /// Lines beyond this many bytes are refused.
    public static let lineLimit = 262_144

    public static func answer(
        _ line: String, planner: EmbeddedPlanner, defaultTimeZone: String = "UTC", defaultCurrency: String = "EUR"
    ) -> JSON {
        guard line.utf8.count <= lineLimit else { return failure("the line is longer than \(lineLimit) bytes") }
        let request: JSON
        do {
            request = try JSON(parsing: Array(line.utf8))
        } catch {
            return failure("not a JSON object: \(error)")
        }
        return answer(request, planner: planner, defaultTimeZone: defaultTimeZone, defaultCurrency: defaultCurrency)
    }

    public static func answer(
        _ request: JSON, planner: EmbeddedPlanner, defaultTimeZone: String = "UTC", defaultCurrency: String = "EUR"
    ) -> JSON {
        guard request.objectValue != nil else { return failure("not a JSON object") }
        guard let text = request["text"]?.stringValue else { return failure("\"text\" must be a string") }
        guard let now = request["now"]?.stringValue.flatMap({ Timestamp($0) }) else {
            return failure("\"now\" must be an RFC 3339 date-time")
        }
        var zone = defaultTimeZone
        if let given = request["timeZone"], !given.isNull {
            guard let name = given.stringValue, ZoneCache.isKnown(name) else {
                return failure("\"timeZone\" must be an IANA time zone")
            }
            zone = name
        }
        var currency = defaultCurrency
        if let given = request["currency"], !given.isNull {
            guard let code = given.stringValue, code.utf8.count == 3, code.utf8.allSatisfy({ (65...90).contains($0) })
            else { return failure("\"currency\" must be an ISO 4217 code") }
            currency = code
        }
        let context = PlannerContext(now: now, timeZone: zone, currency: currency)
        var answer: JSON = ["tool": nil]
        if case .calls(let calls) = planner.plan(text, context: context), let first = calls.first {
            answer = render(first)
            if calls.count > 1 { answer["calls"] = .array(calls.map(render)) }
        }
        if request["why"]?.boolValue == true { answer["why"] = why(text, planner: planner, context: context) }
        return answer
    }

    private static func render(_ call: PlannedCall) -> JSON {
        var json: JSON = ["tool": .string(call.tool), "args": call.arguments, "confidence": .number(call.confidence)]
        if !call.missing.isEmpty { json["missing"] = .array(call.missing.map { .string($0) }) }
        return json
    }

    private static func failure(_ message: String) -> JSON { ["error": .string(message)] }
}
