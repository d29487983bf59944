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
        /// When it was last compared with the table, and how many commits of this process had changed that then.
        var comparedAt: UInt64 = 0
        var commits = -1
        /// Held as of the last change.
        var bytes = 0
    }

    private final class Slot: Sendable {
        let entry = Mutex(Entry())
    }

    private static let page = 500

    private let table: String
    private let conditions: [RowCondition]
    private let tuning: RecallTuning
    /// What all indexes share.
    public let budget: SearchBudget
    private let text: @Sendable (UserRow) -> (text: String, at: Timestamp)
    private let slots = Mutex<[UserID: Slot]>([:])

    /// - Parameters:
    ///   - conditions: Which rows are searched.
    ///   - text: What a row is found by, and its time.
    public init(
        table: String, where conditions: [RowCondition], tuning: RecallTuning, budget: SearchBudget = SearchBudget(),
        text: @escaping @Sendable (UserRow) -> (text: String, at: Timestamp)
    ) {
        self.table = table
        self.conditions = conditions
        self.tuning = tuning
        self.budget = budget
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

    /// For so long what other processes write may be missed, where `commits` is given.
    private static let patience: UInt64 = 2_000_000_000

    /// Searches a person's rows; builds the index first when there is none of the table's present state.
    ///
    /// - Parameter commits: How many commits of this process had changed the table before the transaction began
    ///   (`TableCatalogue.changeCount`): while that stays, the index is compared with the table, which takes a look at each
    ///   of its rows, every two seconds only. Nil: now.
    public func search(
        _ question: String, limit: Int, now: Timestamp? = nil, commits: Int? = nil, of user: UserID,
        in transaction: any ReadTransaction
    ) throws -> [RecallHit<RecordID>] {
        let time = monotonicNanoseconds()
        let (hits, bytes) = try slot(user).entry.withLock { entry in
            let isFresh =
                entry.mark != nil && commits != nil && entry.commits == commits
                && time < entry.comparedAt &+ PersonalIndex.patience
            if !isFresh {
                let mark = try mark(transaction)
                if entry.mark != mark {
                    entry.index = try build(transaction)
                    entry.bytes = entry.index.size
                    entry.mark = mark
                }
                entry.comparedAt = time
                entry.commits = commits ?? -1
            }
            return (entry.index.search(question, limit: limit, now: now), entry.bytes)
        }
        budget.used(self, of: user, bytes: bytes) { [weak self] in self?.letGo(user) }
        return hits
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
            entry.bytes = entry.index.size
            entry.mark = after
        }
    }

    /// Whether there is an index of a person's rows now.
    public func holds(_ user: UserID) -> Bool { slots.withLock { $0[user] != nil } }

    /// Forgets a person's index.
    public func drop(_ user: UserID) {
        letGo(user)
        budget.dropped(self, of: user)
    }

    private func letGo(_ user: UserID) { slots.withLock { $0[user] = nil } }

    private func slot(_ user: UserID) -> Slot {
        slots.withLock { slots in
            if let slot = slots[user] { return slot }
            let slot = Slot()
            slots[user] = slot
            return slot
        }
    }
}
