/// How much processor time a runner takes that no answer accounts for, and when others have to go first.
///
/// A plugin that works hard for a call or answers many is left alone; one that burns time for nothing gets what nobody else
/// wants until it has been quiet for a while.
struct ProcessorWatch {
    enum Change { case yield, takeTurn }

    /// Processor time that an answered call accounts for.
    static let answerNanoseconds: UInt64 = 500_000
    /// Unaccounted time, above a quarter of a processor, after which others go first …
    private static let patience: UInt64 = 50_000_000
    /// … while the library is loaded.
    private static let startPatience: UInt64 = 400_000_000
    /// The most that is held against it: five seconds of quiet make up for it.
    private static let memory: UInt64 = 100_000_000

    private var at: UInt64
    private var used: UInt64 = 0
    private var answers = 0
    private var debt: UInt64 = 0
    private(set) var mustYield = false

    init(at start: UInt64) { at = start }

    /// - Parameters:
    ///   - used: processor nanoseconds since the process began.
    ///   - answers: calls that it has answered since then.
    mutating func note(now: UInt64, used: UInt64, answers: Int, isStarting: Bool = false) -> Change? {
        guard now > at, used >= self.used else { return nil }
        // Who has to go last gets little time: burning that little is no merit.
        let share: UInt64 = mustYield ? 50 : 4
        let earned = UInt64(answers - self.answers) * Self.answerNanoseconds + (now - at) / share
        debt += used - self.used
        debt -= min(debt, earned)
        at = now
        self.used = used
        self.answers = answers
        if !mustYield, debt > (isStarting ? Self.startPatience : Self.patience) {
            mustYield = true
            debt = min(debt, Self.memory)
            return .yield
        }
        if mustYield {
            debt = min(debt, Self.memory)
            if debt == 0 {
                mustYield = false
                return .takeTurn
            }
        }
        return nil
    }
}
