import Foundation
import Synchronization
public import TandemCore

/// How far zones of the tz database are from UTC at an instant. Safe from any thread.
public enum ZoneOffsets {
    private static let zones = Mutex<[String: TimeZone]>([:])

    /// Seconds to add to UTC; 0 for an unknown zone.
    public static func seconds(_ identifier: String, at instant: Timestamp) -> Int {
        if identifier == "UTC" || identifier == "Etc/UTC" { return 0 }
        return zone(identifier)?.secondsFromGMT(
            for: Date(timeIntervalSince1970: Double(instant.millisecondsSinceEpoch) / 1000)) ?? 0
    }

    /// Whether this machine knows the zone.
    static func isKnown(_ identifier: String) -> Bool {
        identifier == "UTC" || identifier == "Etc/UTC" || zone(identifier) != nil
    }

    private static func zone(_ identifier: String) -> TimeZone? {
        zones.withLock { zones in
            if let known = zones[identifier] { return known }
            // The names come from settings that were checked; the bound is against a flood all the same.
            guard zones.count < 1000, let zone = TimeZone(identifier: identifier) else { return nil }
            zones[identifier] = zone
            return zone
        }
    }
}
