public import TandemSDK

/// When a copy of what lies elsewhere is brought up to date: a quarter of an hour after the last time, and again at once while there
/// is more.
public enum SyncSchedule {
    public static let timer = "sync"
    public static let more = "sync_more"
    static let seconds = 900

    /// Sets the timer unless it is set; never fails a call.
    ///
    /// - Parameter now: it is due at once, also when it was set before.
    public static func begin<H: Handler>(_ handler: H.Type, _ context: Context, now: Bool = false) async {
        if !now, (try? await context.keyValues.get("scheduled", as: Bool.self)) != nil { return }
        do {
            let first = context.clock.now.milliseconds + (now ? 0 : 60_000)
            try await context.timers.set(
                timer, handler, at: Instant(milliseconds: first), repeating: .seconds(seconds))
            _ = try await context.keyValues.set("scheduled", to: true, expiresIn: .seconds(7 * 86_400))
        } catch {
            context.log.info("the timer was not set")
        }
    }

    /// What a handler begins with: the host says that it can work now, so the timer is set, which calls it at once.
    ///
    /// - Returns: whether that was all.
    public static func begins<H: Handler>(_ handler: H.Type, _ context: Context, _ occasion: Occasion) async -> Bool {
        guard case .event(_, HostTopic.ready, _) = occasion else { return false }
        await begin(handler, context, now: true)
        return true
    }

    /// There is more to bring than one round does.
    ///
    /// - Parameter pause: what the service asked for; at least a minute. Beyond a quarter of an hour the usual round comes.
    public static func goOn<H: Handler>(
        _ handler: H.Type, _ context: Context, after pause: Duration? = nil
    ) async throws {
        let seconds = max(60, pause?.components.seconds ?? 0)
        guard seconds < Int64(Self.seconds) else { return }
        try await context.timers.set(
            more, handler, at: Instant(milliseconds: context.clock.now.milliseconds + seconds * 1000))
    }
}

/// How old a copy is, for people.
public enum Freshness {
    /// `12 minutes`, `3 hours`, `2 days`.
    public static func span(minutes: Int64) -> String {
        func count(_ number: Int64, _ unit: String) -> String { "\(number) \(unit)\(number == 1 ? "" : "s")" }
        if minutes < 120 { return count(max(1, minutes), "minute") }
        return minutes < 48 * 60 ? count(minutes / 60, "hour") : count(minutes / 1440, "day")
    }

    /// `12 minutes` since an instant.
    public static func span(since instant: Instant, _ clock: PersonClock) -> String {
        span(minutes: (clock.now.milliseconds - instant.milliseconds) / 60_000)
    }

    /// `Notion does not answer; this is from 12 minutes ago`.
    public static func note(_ service: String, since instant: Instant, _ clock: PersonClock) -> String {
        "\(service) does not answer; this is from \(span(since: instant, clock)) ago"
    }
}
