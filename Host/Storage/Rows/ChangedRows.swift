import Synchronization
public import TandemCore

/// Which searchable rows the last commits of this process changed, of people whose texts are indexed in memory.
///
/// Told on each commit, whoever wrote: a tool, a plugin, an undo, an import. An index remembers how far it has come
/// (`sequence`), and asks for what came after that. What other processes wrote is not here: for that an index compares
/// its stamps with the table (`fingerprint`). Safe from any thread.
public final class ChangedRows: Sendable {
    private struct Change {
        var sequence: UInt64
        var table: String
        /// 0: any rows of the table.
        var row: Int64
    }

    private struct Person {
        var followers = 0
        var changes: [Change] = []
        /// What came up to here is not known any more.
        var forgotten: UInt64
    }

    private struct State {
        var sequence: UInt64 = 0
        var people: [Int64: Person] = [:]
    }

    /// Changes of one person that are remembered at most.
    static let most = 1024

    private let state = Mutex(State())

    init() {}

    /// How many commits there were so far.
    var sequence: UInt64 { state.withLock { $0.sequence } }

    /// Remembers a person's changes from now on, until `unfollow` was called as often.
    public func follow(_ user: UserID) {
        state.withLock { state in
            var person = state.people[user.rawValue] ?? Person(forgotten: state.sequence)
            person.followers += 1
            state.people[user.rawValue] = person
        }
    }

    public func unfollow(_ user: UserID) {
        state.withLock { state in
            guard var person = state.people[user.rawValue] else { return }
            person.followers -= 1
            state.people[user.rawValue] = person.followers > 0 ? person : nil
        }
    }

    /// The number of people who are followed.
    public var count: Int { state.withLock { $0.people.count } }

    /// The rows of a table that changed after one instant and up to another (`ReadTransaction.changesSeen`); nil when that
    /// is not known: any may have.
    public func rows(of table: String, of user: UserID, after: UInt64, upTo: UInt64) -> Set<RecordID>? {
        state.withLock { state in
            guard let person = state.people[user.rawValue], after >= person.forgotten else { return nil }
            var rows: Set<RecordID> = []
            for change in person.changes.reversed() {
                if change.sequence <= after { break }
                guard change.sequence <= upTo, change.table == table else { continue }
                if change.row == 0 { return nil }
                rows.insert(RecordID(rawValue: change.row))
            }
            return rows
        }
    }

    /// A commit is durable.
    func note(_ rows: [(table: String, row: Int64)], of user: Int64) {
        state.withLock { state in
            state.sequence += 1
            guard var person = state.people[user] else { return }
            // Not copied while it grows.
            state.people[user] = nil
            for row in rows {
                person.changes.append(Change(sequence: state.sequence, table: row.table, row: row.row))
            }
            if person.changes.count > ChangedRows.most {
                let kept = person.changes.suffix(ChangedRows.most / 2)
                person.forgotten = person.changes[kept.startIndex - 1].sequence
                person.changes = Array(kept)
            }
            state.people[user] = person
        }
    }
}
