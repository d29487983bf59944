extension LimitVerdict {
    /// The header fields that tell a client where it stands: `RateLimit-Policy` and `RateLimit`
    /// (draft-ietf-httpapi-ratelimit-headers-10), and `Retry-After` (RFC 9110 §10.2.3) where it has to wait.
    ///
    /// Of several limits all policies are named, and all states.
    public var fields: [(name: String, value: String)] {
        guard !decisions.isEmpty else { return [] }
        var policies = ""
        var states = ""
        for decision in decisions {
            if !policies.isEmpty {
                policies += ", "
                states += ", "
            }
            let limit = decision.limit
            policies += "\"\(limit.name)\";q=\(limit.quota);w=\(max(Self.seconds(.microseconds(limit.span)), 1))"
            states += "\"\(limit.name)\";r=\(decision.remaining);t=\(Self.seconds(decision.reset))"
        }
        var fields = [(name: "RateLimit-Policy", value: policies), (name: "RateLimit", value: states)]
        if !isAllowed { fields.append((name: "Retry-After", value: String(retryAfterSeconds ?? 3600))) }
        return fields
    }

    /// Whole seconds, rounded up, at least one; nil when it is allowed, or never could be.
    public var retryAfterSeconds: Int64? { retryAfter.map { max(Self.seconds($0), 1) } }

    /// The limit that is nearest to its end; nil without any.
    public var tightest: LimitDecision? {
        decisions.min { Double($0.remaining) / Double($0.limit.quota) < Double($1.remaining) / Double($1.limit.quota) }
    }

    private static func seconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds + (attoseconds > 0 ? 1 : 0)
    }
}
