import Foundation
import TandemCore

/// A person's clock in words that a model reads without mistakes.
struct LocalClock {
    private let zone: TimeZone
    private let name: String

    /// An unknown name counts as UTC.
    init(_ identifier: String) {
        if let zone = TimeZone(identifier: identifier) {
            self.zone = zone
            name = identifier
        } else {
            zone = .gmt
            name = "UTC"
        }
    }

    private static let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    /// `Sunday 2026-11-22 09:05, Europe/Paris, UTC+01:00`.
    func text(_ now: Timestamp) -> String {
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(now.millisecondsSinceEpoch) / 1000))
        let local = now.advanced(by: .seconds(offset)).millisecondsSinceEpoch
        let minutes = Int((local - local % 60_000) / 60_000)
        let day = Int((Double(minutes) / 1440).rounded(.down))
        let date = CivilDate(daysSinceEpoch: day)
        let minute = minutes - day * 1440
        let sign = offset < 0 ? "-" : "+"
        let shift = "\(sign)\(two(abs(offset) / 3600)):\(two(abs(offset) / 60 % 60))"
        return "\(Self.days[date.isoWeekday - 1]) \(date) \(two(minute / 60)):\(two(minute % 60)), \(name), UTC\(shift)"
    }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
