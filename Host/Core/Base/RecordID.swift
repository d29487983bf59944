import Synchronization

/// The 64-bit identity of a stored row: time-ordered, positive, made by the host.
///
/// Layout, most significant first: sign 0, 41 bits of milliseconds since 2024-01-01T00:00:00Z, 8 bits of node, 14 bits of
/// sequence. Text form is decimal without sign or padding; JSON carries it as a string, since JavaScript numbers end at
/// 2^53 (RFC 8259 §6).
public struct RecordID: Sendable, Hashable, Comparable, RawRepresentable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public static func < (left: RecordID, right: RecordID) -> Bool { left.rawValue < right.rawValue }

    /// How far apart ids are that were made so long after each other.
    public static func distance(_ time: Duration) -> Int64 { time.milliseconds << 22 }
}

extension RecordID: LosslessStringConvertible {
    /// Reads a positive decimal without sign, leading zero or space; nil otherwise.
    public init?(_ description: String) {
        guard let first = description.utf8.first, (49...57).contains(first), let value = Int64(description) else {
            return nil
        }
        rawValue = value
    }

    public var description: String { String(rawValue) }
}

/// A person with an account. Holding one authorises nothing: rows are reached through a scope.
public struct UserID: Sendable, Hashable, Comparable, RawRepresentable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public static func < (left: UserID, right: UserID) -> Bool { left.rawValue < right.rawValue }
}

extension UserID: LosslessStringConvertible {
    public init?(_ description: String) {
        guard let id = RecordID(description) else { return nil }
        rawValue = id.rawValue
    }

    public var description: String { String(rawValue) }
}

/// Makes `RecordID`s that never repeat within a node and ascend in the order of calls.
///
/// Safe from any thread. A clock that steps back is ignored until it catches up; more than 16,384 ids in one millisecond
/// borrow from the next. Two processes on one database need different `node` numbers or rely on the primary key to
/// refuse the improbable clash.
public final class IDGenerator: Sendable {
    private struct State {
        var millisecond: Int64 = 0
        var sequence: Int64 = 0
    }

    private static let epoch: Int64 = 1_704_067_200_000
    private let state = Mutex(State())
    private let clock: any WallClock
    private let node: Int64

    public init(clock: any WallClock, node: UInt8) {
        self.clock = clock
        self.node = Int64(node)
    }

    public func next() -> RecordID {
        let now = max(clock.now.millisecondsSinceEpoch - IDGenerator.epoch, 1)
        return state.withLock { state in
            if now > state.millisecond {
                state.millisecond = now
                state.sequence = 0
            } else {
                state.sequence += 1
                if state.sequence > 0x3FFF {
                    state.millisecond += 1
                    state.sequence = 0
                }
            }
            return RecordID(rawValue: state.millisecond << 22 | node << 14 | state.sequence)
        }
    }

    public func nextUser() -> UserID { UserID(rawValue: next().rawValue) }
}
