public import TandemCore

/// A day or an instant of an argument, as a person says it.
public enum SpokenTime {
    /// `tomorrow 12:00` for `2026-11-27T12:00:00.000Z`, `Fri 27 Nov` for `2026-11-27`; nil for anything else.
    public static func say(_ text: String, zone: String, now: Timestamp) -> String? {
        DayOrInstant(text)?.say(in: PersonTime(now: now, offset: { ZoneOffsets.seconds(zone, at: $0) }))
    }
}
