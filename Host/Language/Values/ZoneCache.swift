import Foundation
import Synchronization
import TandemCore

/// Offsets of IANA time zones, remembered by interval so that Foundation is asked once per zone and season.
///
/// Safe from any thread. A local time that a clock change skips is read as if the clock had not changed; one that occurs
/// twice is read as the first.
final class ZoneCache: Sendable {
    private struct Interval {
        var from: Int64
        var to: Int64
        var offset: Int64
    }

    private struct Zone {
        var zone: TimeZone
        var intervals: [Interval] = []
    }

    static let shared = ZoneCache()
    private static let limit = 700
    private let zones = Mutex<[String: Zone]>([:])

    /// Milliseconds to add to UTC at the instant; 0 for an unknown zone.
    func offset(of identifier: String, at instant: Int64) -> Int64 {
        if identifier == "UTC" { return 0 }
        return zones.withLock { zones in
            if zones[identifier] == nil {
                guard zones.count < ZoneCache.limit, let zone = TimeZone(identifier: identifier) else { return 0 }
                zones[identifier] = Zone(zone: zone)
            }
            guard var entry = zones[identifier] else { return 0 }
            for interval in entry.intervals where interval.from <= instant && instant < interval.to {
                return interval.offset
            }
            let date = Date(timeIntervalSince1970: Double(instant) / 1000)
            let offset = Int64(entry.zone.secondsFromGMT(for: date)) * 1000
            // An interval of a few hours around the instant is certain only when both ends agree with it and no change
            // lies between: ask for the next change.
            let next = entry.zone.nextDaylightSavingTimeTransition(after: date)
            let to = next.map { Int64($0.timeIntervalSince1970 * 1000) } ?? instant + 86_400_000 * 30
            let interval = Interval(from: instant, to: max(to, instant + 1), offset: offset)
            if let index = entry.intervals.firstIndex(where: { $0.to == interval.to && $0.offset == offset }) {
                entry.intervals[index].from = min(entry.intervals[index].from, interval.from)
            } else if entry.intervals.count < 64 {
                entry.intervals.append(interval)
            }
            zones[identifier] = entry
            return offset
        }
    }

    static func isKnown(_ identifier: String) -> Bool { identifier == "UTC" || TimeZone(identifier: identifier) != nil }
}

/// A person's zone: between instants and local days and minutes.
struct LocalZone: Sendable {
    let identifier: String

    func local(_ timestamp: Timestamp) -> (day: CivilDate, minutes: Int) {
        let shifted =
            timestamp.millisecondsSinceEpoch
            + ZoneCache.shared.offset(of: identifier, at: timestamp.millisecondsSinceEpoch)
        let days = Int((Double(shifted) / 86_400_000).rounded(.down))
        return (CivilDate(daysSinceEpoch: days), Int(shifted - Int64(days) * 86_400_000) / 60_000)
    }

    func instant(_ day: CivilDate, minutes: Int) -> Timestamp {
        let wall = Int64(day.daysSinceEpoch) * 86_400_000 + Int64(minutes) * 60_000
        let before = ZoneCache.shared.offset(of: identifier, at: wall - 86_400_000)
        let first = wall - before
        if ZoneCache.shared.offset(of: identifier, at: first) == before {
            return Timestamp(millisecondsSinceEpoch: first)
        }
        let after = ZoneCache.shared.offset(of: identifier, at: wall + 86_400_000)
        let second = wall - after
        if ZoneCache.shared.offset(of: identifier, at: second) == after {
            return Timestamp(millisecondsSinceEpoch: second)
        }
        // Skipped by the clock change.
        return Timestamp(millisecondsSinceEpoch: first)
    }
}
