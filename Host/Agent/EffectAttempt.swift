import TandemCore
import TandemJSON

/// One call of a tool, made so that what it does elsewhere happens once, and that nobody says more than is known.
///
/// Its intent is on record before it is made. When its outcome is not known (it ran out of time, its answer was lost, or the
/// process that made it died), the tool's `lookup` is asked what became of it. Without one the call is made once more under
/// the same idempotency key, which makes it the same effect for a service that honours keys. What is not known after that is
/// said to be unknown, and never tried again.
struct EffectAttempt: Sendable {
    let call: ToolCall
    let tool: ToolDirectory.Entry
    /// Tells by its idempotency key whether an effect came about. Nil where the tool declares none, and where this person
    /// does not have it: then nothing can be found out.
    let lookup: ToolDirectory.Entry?
    let scope: UserScope
    /// Of the arguments.
    let label: TrustLabel
    /// Of everything together, `CLOCK_MONOTONIC`.
    let deadline: UInt64
    /// An earlier attempt may have reached the other side.
    let isRepeated: Bool

    private var hasLookup: Bool { tool.definition.lookup != nil }

    func make(_ watch: CallWatch) async -> ToolOutcome {
        if isRepeated, hasLookup {
            switch await lookUp(watch) {
            case .found(let outcome): return outcome
            case .absent: break
            case .unknown: return .failure(EffectAttempt.unknown)
            }
        }
        let outcome = await run(call, on: tool, watch)
        guard tool.definition.effect >= .send, EffectAttempt.isUnknown(outcome) else { return outcome }
        if hasLookup {
            switch await lookUp(watch) {
            case .found(let outcome): return outcome
            case .unknown: return .failure(EffectAttempt.unknown)
            case .absent: break
            }
        }
        guard monotonicNanoseconds() < deadline else { return .failure(EffectAttempt.unknown) }
        let second = await run(call, on: tool, watch)
        guard EffectAttempt.isUnknown(second) else { return second }
        if case .found(let outcome) = await lookUp(watch) { return outcome }
        return .failure(EffectAttempt.unknown)
    }

    private func run(_ call: ToolCall, on tool: ToolDirectory.Entry, _ watch: CallWatch) async -> ToolOutcome {
        var call = call
        let limit = monotonicNanoseconds() + UInt64(max(tool.definition.timeoutMilliseconds, 1)) * 1_000_000
        call.deadlineNanoseconds = min(deadline, limit)
        // What a tool brings from elsewhere is what it declares.
        let provenance = CallProvenance(
            trust: tool.definition.trust > .system ? label.joined(with: tool.definition.trust) : label,
            isVerbatim: tool.provider.showsRowsAsTheyAre)
        let outcome = await CallProvenance.$current.withValue(provenance) {
            await watch.run(until: call.deadlineNanoseconds) { [call] in await tool.provider.call(call, in: scope) }
        }
        guard case .value(let value) = outcome else { return outcome }
        return .value(provenance.labelled(value))
    }

    private enum Found {
        /// It came about.
        case found(ToolOutcome)
        case absent
        case unknown
    }

    /// `{"found":true,"value":…}` by the tool's own result schema, or `{"found":false}`: whatever else comes tells nothing.
    private func lookUp(_ watch: CallWatch) async -> Found {
        guard let lookup, monotonicNanoseconds() < deadline else { return .unknown }
        var question = call
        question.tool = lookup.definition.id
        question.arguments = ["idempotency_key": .string(call.idempotencyKey), "arguments": call.arguments]
        question.idempotencyKey += "?"
        question.allowedEffect = .read
        (question.resumeState, question.answers) = ([], nil)
        guard case .value(let answer) = await run(question, on: lookup, watch),
            let isFound = answer.value["found"]?.boolValue
        else { return .unknown }
        guard isFound else { return .absent }
        return .found(
            .value(
                ToolValue(
                    value: answer.value["value"] ?? [:],
                    message: answer.message.isEmpty ? "That went through." : answer.message, shown: answer.shown,
                    trust: answer.trust.joined(with: tool.definition.trust))))
    }

    /// Failures after which nobody knows whether the call reached the other side: it ran out of time, its plugin ended, or
    /// answered in a way that says nothing.
    private static let silent: Set<String> = [
        "timeout", "outcome_unknown", "plugin_unavailable", "bad_outcome", "cancelled",
    ]

    private static func isUnknown(_ outcome: ToolOutcome) -> Bool {
        guard case .failure(let failure) = outcome else { return false }
        return silent.contains(failure.code)
    }

    private static let unknown = ToolFailure(
        status: -23, code: "outcome_unknown",
        message: "I could not find out whether that went through. Look before you ask for it again.",
        isRetryable: false)
}
