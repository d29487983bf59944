/// How much processor time a runner takes that no answer accounts for, and when others have to go first.
///
/// A plugin that works hard for a call or answers many is left alone; one that burns time for nothing stands back, and then
/// gets what nobody else wants, until it has been quiet for a while.
struct ProcessorWatch {
    /// Where a runner stands among those who wait for a processor (`TANDEM_PLACE_*`).
    enum Place: Int32, Comparable {
        case equal, behind, last

        static func < (a: Place, b: Place) -> Bool { a.rawValue < b.rawValue }
    }

    /// Processor time that an answered call accounts for.
    static let answerNanoseconds: UInt64 = 500_000
    /// Unaccounted time, above a quarter of a processor, after which it stands behind the others …
    private static let firstPatience: UInt64 = 5_000_000
    /// … and after which it goes last …
    private static let patience: UInt64 = 50_000_000
    /// … while the library is loaded.
    private static let startPatience: UInt64 = 400_000_000
    /// The most that is held against it: five seconds of quiet make up for it.
    private static let memory: UInt64 = 100_000_000

    private var at: UInt64
    private(set) var used: UInt64 = 0
    private var answers = 0
    private var debt: UInt64 = 0
    private var hasStarted = false
    private(set) var place = Place.equal
    /// It takes processor time at the moment.
    private(set) var isAtWork = false

    init(at start: UInt64) { at = start }

    /// Where it has to stand from now on; nil: where it stands.
    ///
    /// - Parameters:
    ///   - used: processor nanoseconds since the process began.
    ///   - answers: calls that it has answered since then.
    ///   - isTooLoud: it sends more than the host reads: then what it takes beyond its answers is not for its person.
    mutating func note(
        now: UInt64, used: UInt64, answers: Int, isStarting: Bool = false, isTooLoud: Bool = false
    ) -> Place? {
        guard now > at, used >= self.used else { return nil }
        // Who has to go last gets little time: burning that little is no merit.
        let share: UInt64 = place == .last || isTooLoud ? 50 : 4
        let earned = UInt64(answers - self.answers) * Self.answerNanoseconds + (now - at) / share
        isAtWork = used - self.used > (now - at) / 16
        if !hasStarted, !isStarting {
            hasStarted = true
            // To load takes what it takes.
            if place == .equal { debt = 0 }
        }
        debt += used - self.used
        debt -= min(debt, earned)
        at = now
        self.used = used
        self.answers = answers
        let before = place
        if debt == 0 {
            place = .equal
        } else if debt > (isStarting ? Self.startPatience : Self.patience) {
            place = .last
        } else if debt > Self.firstPatience, !isStarting {
            place = max(place, .behind)
        }
        if place == .last { debt = min(debt, Self.memory) }
        return place == before ? nil : place
    }
}
