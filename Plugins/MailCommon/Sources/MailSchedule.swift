public import TandemSDK

/// When the copy of a mailbox is brought up to date: a quarter of an hour after the last time, and again at once while there
/// is more.
public enum MailSchedule {
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
    public static func goOn<H: Handler>(_ handler: H.Type, _ context: Context) async throws {
        try await context.timers.set(
            more, handler, at: Instant(milliseconds: context.clock.now.milliseconds + 60_000))
    }
}
