import TandemCore

/// When a token is renewed: ahead of its end, not at the same moment for everybody.
struct RefreshPolicy: Sendable {
    /// Renewed this long before the end, at the latest, and up to `jitter` earlier; never before half of the life is over.
    var margin: Duration = .seconds(300)
    var jitter: Duration = .seconds(300)
    /// Not used in the last moments: a request takes time, and clocks differ.
    var skew: Duration = .seconds(30)
    /// A token younger than this is not renewed because of a 401: the refusal is about something else.
    var minimumAge: Duration = .seconds(60)
    /// A token of which the clock says that it was obtained later than this from now was obtained under another clock.
    var clockStep: Duration = .seconds(120)

    enum Standing: Sendable, Hashable {
        /// Use it.
        case fresh
        /// Use it, and renew it meanwhile.
        case due
        /// Renew it first.
        case expired
    }

    /// When a token obtained at `start` ends, and when it is renewed.
    ///
    /// - Parameters:
    ///   - start: when the request for it was sent: its life may have begun then.
    ///   - random: 0 up to but not including 1.
    func times(
        from start: Timestamp, life: Duration?, random: Double
    ) -> (expires: Timestamp?, refresh: Timestamp?) {
        guard let life else { return (nil, nil) }
        let whole = max(life.milliseconds, 1000)
        let ahead = Double(margin.milliseconds) + Double(jitter.milliseconds) * min(max(random, 0), 1)
        let refresh = max(whole - Int64(ahead), whole / 2)
        return (start.advanced(by: .milliseconds(whole)), start.advanced(by: .milliseconds(refresh)))
    }

    func standing(_ row: TokenRow, now: Timestamp) -> Standing {
        guard let expires = row.expiresAt else { return .fresh }
        // A short life has a short reserve.
        let reserve = min(skew.milliseconds, max(expires.since(row.obtainedAt).milliseconds / 4, 0))
        if now >= expires.advanced(by: .milliseconds(-reserve)) { return .expired }
        if now < row.obtainedAt.advanced(by: .milliseconds(-clockStep.milliseconds)) { return .due }
        return now >= row.refreshAt ?? expires ? .due : .fresh
    }

    /// How long the service is left alone after a failure: 1 s, doubled up to 5 min, with a quarter of jitter.
    func pause(after failures: Int, retryAfter: Duration?, random: Double) -> Duration {
        let step = min(Double(1 << min(max(failures - 1, 0), 12)) * 1000, 300_000)
        let own = Duration.milliseconds(Int64(step * (0.75 + 0.5 * min(max(random, 0), 1))))
        return max(own, retryAfter ?? .zero)
    }
}
