import Synchronization
public import TandemCore
import TandemJSON
public import TandemStorage

/// Full-text search over one table of people's own sealed rows: an index in memory for each person who asked lately.
///
/// The table needs an integer column `revision` that every write sets to `PersonalIndex.revision(…)`: its sum and the number
/// of rows tell whether the index is still of the table's present state, also after an undo or another replica's write.
/// What is found are ids; the caller reads the rows, so that nothing that is gone comes back. Safe from any thread; a
/// search holds only its own person's lock.
public final class PersonalIndex: Sendable {
    /// The state of a person's rows; a change of any of them changes it.
    public struct Mark: Sendable, Hashable {
        var count: Int
        var sum: Int64
    }

    private struct Entry {
        var index = RecallIndex<RecordID>()
        var mark: Mark?
    }

    private final class Slot: Sendable {
        let entry = Mutex(Entry())
        let usedAt = Mutex<UInt64>(0)
    }

    /// The indexes of more people than this are not held; the one that was not used for longest goes.
    private static let mostPeople = 512
    private static let page = 500

    private let table: String
    private let conditions: [RowCondition]
    private let tuning: RecallTuning
    private let text: @Sendable (UserRow) -> (text: String, at: Timestamp)
    private let slots = Mutex<[UserID: Slot]>([:])

    /// - Parameters:
    ///   - conditions: Which rows are searched.
    ///   - text: What a row is found by, and its time.
    public init(
        table: String, where conditions: [RowCondition], tuning: RecallTuning,
        text: @escaping @Sendable (UserRow) -> (text: String, at: Timestamp)
    ) {
        self.table = table
        self.conditions = conditions
        self.tuning = tuning
        self.text = text
    }

    /// A value for the column `revision`, different at every write: 40 bits of a new id, mixed.
    public static func revision(_ transaction: any WriteTransaction) -> Int64 {
        let mixed = UInt64(bitPattern: transaction.nextID().rawValue) &* 0x9E37_79B9_7F4A_7C15
        return Int64(mixed >> 24)
    }

    public func mark(_ transaction: any ReadTransaction) throws -> Mark {
        let group = try transaction.sum(table, "revision").first
        return Mark(count: group?.count ?? 0, sum: group?.sum.int64Value ?? 0)
    }

    /// Searches a person's rows; builds the index first when there is none of the table's present state.
    public func search(
        _ question: String, limit: Int, now: Timestamp? = nil, of user: UserID, in transaction: any ReadTransaction
    ) throws -> [RecallHit<RecordID>] {
        let mark = try mark(transaction)
        return try slot(user).entry.withLock { entry in
            if entry.mark != mark {
                entry.index = try build(transaction)
                entry.mark = mark
            }
            return entry.index.search(question, limit: limit, now: now)
        }
    }

    private func build(_ transaction: any ReadTransaction) throws -> RecallIndex<RecordID> {
        var index = RecallIndex<RecordID>(tuning: tuning)
        var offset = 0
        while true {
            let rows = try transaction.list(
                table, where: conditions, order: [RowOrder("id")], limit: PersonalIndex.page, offset: offset)
            for row in rows {
                let (text, time) = text(row)
                index.insert(row.id, text: text, at: time)
            }
            guard rows.count == PersonalIndex.page else { return index }
            offset += rows.count
        }
    }

    /// Applies one's own committed change, made on the state `before`; an index of another state is rebuilt on the next
    /// question, and one that was not built is not built for it.
    public func update(
        _ user: UserID, from before: Mark, to after: Mark, remove: [RecordID] = [],
        insert: (id: RecordID, text: String, at: Timestamp)? = nil
    ) {
        guard let slot = slots.withLock({ $0[user] }) else { return }
        slot.entry.withLock { entry in
            guard entry.mark == before else {
                entry.mark = nil
                return
            }
            for id in remove { entry.index.remove(id) }
            if let insert { entry.index.insert(insert.id, text: insert.text, at: insert.at) }
            entry.mark = after
        }
    }

    /// About how many bytes are held, of all people's indexes together.
    public var size: Int {
        let slots = slots.withLock { Array($0.values) }
        return slots.reduce(0) { $0 + $1.entry.withLock { $0.index.size } }
    }

    /// Forgets a person's index.
    public func drop(_ user: UserID) { slots.withLock { $0[user] = nil } }

    private func slot(_ user: UserID) -> Slot {
        slots.withLock { slots in
            if let slot = slots[user] {
                slot.usedAt.withLock { $0 = monotonicNanoseconds() }
                return slot
            }
            if slots.count >= PersonalIndex.mostPeople,
                let oldest = slots.min(by: { $0.value.usedAt.withLock { $0 } < $1.value.usedAt.withLock { $0 } })
            {
                slots[oldest.key] = nil
            }
            let slot = Slot()
            slot.usedAt.withLock { $0 = monotonicNanoseconds() }
            slots[user] = slot
            return slot
        }
    }
}
