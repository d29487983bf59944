/// Whether everybody else is to be kept off the processor of those who have to stand behind (`tandem_set_aside`).
///
/// A thread that is woken there waits for the scheduler's next tick, up to four milliseconds. To keep off costs a processor, so
/// it is done while somebody works there and the others have room enough on the rest.
struct SetAside {
    /// What the host and the others may use of the processors that remain, in the mean of some tens of milliseconds, so that one
    /// is set aside …
    private static let roomToBegin = 0.6
    /// … and up to which it stays so.
    private static let roomToStay = 0.9
    /// How long it stays after the last work there, and how long it is not tried again after it became too narrow.
    private static let patience: UInt64 = 300_000_000
    /// The time over which the load is averaged.
    private static let window = 40_000_000.0

    private(set) var isSetAside = false
    /// How often it has changed: a runner that was started before the last change may have been overlooked.
    private(set) var changes = 0
    private var at: UInt64 = 0
    private var hostUsed: UInt64 = 0
    private var others: UInt64 = 0
    private var isAnybodyThere = false
    private var lastThere: UInt64 = 0
    private var notBefore: UInt64 = 0
    /// Processors in use by the host and those who stand like everybody.
    private var load = 0.0

    /// What a runner has used since the last `decide`.
    mutating func note(_ nanoseconds: UInt64, isBehind: Bool) {
        if isBehind { isAnybodyThere = true } else { others += nanoseconds }
    }

    /// Whether that changes now.
    ///
    /// - Parameter hostUsed: processor nanoseconds of the host's own process since it began.
    mutating func decide(now: UInt64, hostUsed: UInt64, processors: Int) -> Bool {
        defer {
            at = now
            self.hostUsed = hostUsed
            others = 0
            isAnybodyThere = false
        }
        guard processors > 1, now > at else { return false }
        if at > 0 {
            let time = Double(now - at)
            let used = Double(others + hostUsed - min(self.hostUsed, hostUsed))
            load += (used / time - load) * min(1, time / Self.window)
        }
        if isAnybodyThere { lastThere = now }
        let room = Double(processors - 1)
        let before = isSetAside
        if isSetAside {
            if load > room * Self.roomToStay {
                isSetAside = false
                notBefore = now + Self.patience
            } else if now > lastThere + Self.patience {
                isSetAside = false
            }
        } else if isAnybodyThere, now >= notBefore, load < room * Self.roomToBegin {
            isSetAside = true
        }
        guard isSetAside != before else { return false }
        changes += 1
        return true
    }
}
