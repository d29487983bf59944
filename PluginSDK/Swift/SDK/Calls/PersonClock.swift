internal import TandemJSON

/// The time as the host and the person have it; use it instead of the system's clock.
public struct PersonClock: Sendable {
    let call: Call

    public var now: Instant { Instant(milliseconds: call.instance.host.nowMilliseconds()) }

    /// The person's current day.
    public var today: Day { day(of: now) }

    /// IANA name: `Europe/Paris`.
    public var timeZone: String { call.locale.timeZone }
    public var currency: Currency { call.locale.currency }
    /// BCP 47.
    public var language: String { call.locale.language }

    /// The day in the person's zone.
    public func day(of instant: Instant) -> Day { local(instant).day }

    /// Day and minute of the day (0–1439) in the person's zone.
    public func local(_ instant: Instant) -> (day: Day, minute: Int) {
        let offset = Int64(call.instance.host.offsetSeconds(at: instant.milliseconds))
        let seconds = floorDivide(instant.milliseconds, 1000) + offset
        let days = floorDivide(seconds, 86_400)
        return (Day(number: Int(days)), Int((seconds - days * 86_400) / 60))
    }

    /// The instant of a local time in the person's zone. A time that a change of clocks skips is taken as that much
    /// later; of one that occurs twice, the first.
    public func instant(_ day: Day, hour: Int = 0, minute: Int = 0) -> Instant {
        let minutes = min(max(hour, 0), 23) * 60 + min(max(minute, 0), 59)
        let local = (Int64(day.number) * 86_400 + Int64(minutes) * 60) * 1000
        let host = call.instance.host
        let before = Int64(host.offsetSeconds(at: local - 86_400_000)) * 1000
        let after = Int64(host.offsetSeconds(at: local + 86_400_000)) * 1000
        for offset in [before, after] where Int64(host.offsetSeconds(at: local - offset)) * 1000 == offset {
            return Instant(milliseconds: local - offset)
        }
        return Instant(milliseconds: local - before)
    }

    /// From the first to the last instant of a period, the end excluded.
    public func range(_ period: Period) -> (from: Instant, to: Instant) {
        (instant(period.from), instant(period.to.adding(days: 1)))
    }

    /// The day of a `When` in the person's zone.
    public func day(of when: When) -> Day {
        switch when {
        case .day(let day): day
        case .instant(let instant): day(of: instant)
        }
    }
}

func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}
