public import TandemSDK

/// When a service asked to be left alone: nothing is asked of it for a while, which is twice as long each time.
///
/// Kept with the person's own values, for all processes and beyond a restart: what somebody else asked for neither slows
/// them down nor shows. Services refuse by address, so that each person of a host may find that out for themselves, by one
/// request in a silence. Needs `uses: [.keyValues]`.
public struct QuietTime: Sendable {
    private let context: Context
    private let key: String
    private let first: Int64
    private let longest: Int64

    /// - Parameters:
    ///   - name: of what is left alone.
    ///   - first: the first silence in milliseconds.
    ///   - longest: the longest, in milliseconds.
    public init(_ context: Context, of name: String, first: Int64, longest: Int64) {
        self.context = context
        key = "quiet:" + name
        self.first = first
        self.longest = longest
    }

    struct Silence: Object {
        var until: Instant
        /// In a row.
        var refusals: Int
    }

    /// Milliseconds that nothing should be asked yet; nil: it may be.
    public func rest() async -> Int64? {
        guard let silence = await silence() else { return nil }
        let rest = silence.until.milliseconds - context.clock.now.milliseconds
        // Longer than any silence: the clock was set back meanwhile.
        return rest > 0 && rest <= longest ? rest : nil
    }

    /// It refused. Gives how long the silence is, in milliseconds.
    public func begin() async -> Int64 {
        let refusals = await silence()?.refusals ?? 0
        let wait = min(longest, first << Int64(min(max(refusals, 0), 20)))
        let silence = Silence(
            until: Instant(milliseconds: context.clock.now.milliseconds + wait), refusals: refusals + 1)
        // Twice the longest: then it begins anew.
        _ = try? await context.keyValues.set(key, to: silence, expiresIn: .milliseconds(wait + 2 * longest))
        return wait
    }

    /// It answered.
    public func end() async {
        if await silence() != nil { _ = try? await context.keyValues.remove(key) }
    }

    /// Nil as well when it cannot be read: then the service says so itself.
    private func silence() async -> Silence? {
        (try? await context.keyValues.get(key, as: Silence.self))?.value
    }
}
