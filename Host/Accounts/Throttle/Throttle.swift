/// How often something may be tried, and how long it takes longer and longer when it fails.
///
/// What is counted are attempts; a success takes its own back. So attempts that run side by side count, too.
struct Throttle: Sendable, Hashable {
    /// What the counters are kept under.
    let name: String
    /// Attempts that cost nothing.
    let free: Int
    /// The wait after these; it doubles with each further attempt.
    let firstWait: Duration
    let longestWait: Duration
    /// Without an attempt for so long, counting begins anew.
    let memory: Duration

    // Signing in. Counted for the account and the source together, so that a stranger elsewhere does not lock the owner
    // out; for the account alone only for devices that never signed in to it; for the source alone over all accounts.
    // After OWASP, "Slow Down Online Guessing Attacks with Device Cookies".

    static let passwordHere = Throttle(
        name: "password", free: 5, firstWait: .seconds(30), longestWait: .seconds(3600), memory: .seconds(86_400))
    static let passwordAnywhere = Throttle(
        name: "password-account", free: 50, firstWait: .seconds(30), longestWait: .seconds(900), memory: .seconds(3600))
    static let passwordsFromSource = Throttle(
        name: "password-source", free: 100, firstWait: .seconds(30), longestWait: .seconds(3600),
        memory: .seconds(3600))
    static let passwordOnDevice = Throttle(
        name: "password-device", free: 10, firstWait: .seconds(30), longestWait: .seconds(900), memory: .seconds(86_400)
    )
    /// The second factor: six digits and three of them good at once leave little to chance only when tries are few.
    static let secondFactor = Throttle(
        name: "second-factor", free: 5, firstWait: .seconds(30), longestWait: .seconds(3600), memory: .seconds(86_400))
    static let enrolment = Throttle(
        name: "enrolment", free: 10, firstWait: .seconds(30), longestWait: .seconds(900), memory: .seconds(86_400))
    static let recoveryCode = Throttle(
        name: "recovery-code", free: 10, firstWait: .seconds(60), longestWait: .seconds(3600), memory: .seconds(86_400))

    // Sending. Nothing takes these back.

    static let messagesToTarget = Throttle(
        name: "send", free: 4, firstWait: .seconds(300), longestWait: .seconds(86_400), memory: .seconds(86_400))
    static let messagesFromSource = Throttle(
        name: "send-source", free: 30, firstWait: .seconds(60), longestWait: .seconds(3600), memory: .seconds(3600))
    static let messagesOfAccount = Throttle(
        name: "send-account", free: 10, firstWait: .seconds(300), longestWait: .seconds(86_400),
        memory: .seconds(86_400)
    )
    /// One invitation, and two more at the earliest a day and two days after.
    static let invitation = Throttle(
        name: "invitation", free: 1, firstWait: .seconds(86_400), longestWait: .seconds(30 * 86_400),
        memory: .seconds(60 * 86_400))
    /// Links to everything that is a person's.
    static let dataLinks = Throttle(
        name: "data-link", free: 5, firstWait: .seconds(300), longestWait: .seconds(86_400), memory: .seconds(86_400))
    /// Archives that are taken over: each may bring as much as an archive holds.
    static let imports = Throttle(
        name: "import", free: 10, firstWait: .seconds(300), longestWait: .seconds(86_400), memory: .seconds(86_400))
    /// Guessing links.
    static let linksFromSource = Throttle(
        name: "link-source", free: 30, firstWait: .seconds(30), longestWait: .seconds(3600), memory: .seconds(3600))

    /// The wait after an attempt, the `count`th.
    func wait(after count: Int) -> Duration {
        guard count >= free else { return .zero }
        let doublings = min(count - free, 30)
        return min(firstWait * (1 << doublings), longestWait)
    }
}

/// One counter: of a throttle, for an account or a source or both.
struct ThrottleKey: Sendable, Hashable {
    let throttle: Throttle
    /// Keyed hash of the account's address, or another target; empty for none.
    var target: [UInt8] = []
    /// Keyed hash of the source; empty for none.
    var source: [UInt8] = []
}
