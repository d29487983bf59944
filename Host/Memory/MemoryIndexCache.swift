import Synchronization
import TandemCore

/// The state of one person's memories, cheap to read: a change of any of them changes it.
struct MemoryMark: Sendable, Hashable {
    var count: Int
    /// When the row that changed last changed, and which it is.
    var updatedAt: Timestamp?
    var latest: RecordID?
}

/// The search indexes of the people who asked lately. Safe from any thread; a search holds only its own person's lock.
final class MemoryIndexCache: Sendable {
    /// More people's than this are not held; the one that was not used for longest goes.
    private static let mostPeople = 512

    private struct Entry {
        var index = MemoryIndex()
        var mark: MemoryMark?
    }

    private final class Slot: Sendable {
        let entry = Mutex(Entry())
        let usedAt = Mutex<UInt64>(0)
    }

    private let slots = Mutex<[UserID: Slot]>([:])

    private func slot(_ user: UserID) -> Slot {
        slots.withLock { slots in
            if let slot = slots[user] {
                slot.usedAt.withLock { $0 = monotonicNanoseconds() }
                return slot
            }
            if slots.count >= MemoryIndexCache.mostPeople,
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

    /// Searches a person's index, built or renewed first when the table is not as it was.
    func search(
        _ user: UserID, _ text: String, limit: Int, now: Timestamp?, rows: MemoryRows
    ) throws -> [RecallHit<RecordID>] {
        let mark = try rows.mark()
        return try slot(user).entry.withLock { entry in
            if entry.mark != mark {
                var index = MemoryIndex()
                try rows.forEachOpen { index.insert($0) }
                entry.index = index
                entry.mark = mark
            }
            return entry.index.search(text, limit: limit, now: now)
        }
    }

    /// Applies one's own change, made on the state `before`; an index of another state is rebuilt on the next question.
    func update(
        _ user: UserID, from before: MemoryMark, to after: MemoryMark, _ change: (inout MemoryIndex) -> Void
    ) {
        guard let slot = slots.withLock({ $0[user] }) else { return }
        slot.entry.withLock { entry in
            guard entry.mark == before else {
                entry.mark = nil
                return
            }
            change(&entry.index)
            entry.mark = after
        }
    }

    func drop(_ user: UserID) { slots.withLock { $0[user] = nil } }
}

/// A person's memories as an index.
struct MemoryIndex: Sendable {
    private var index = LexicalIndex<RecordID>()

    init() {
        // Facts told one after the other are no conversation.
        index.tuning.afterQuestion = 0
        index.tuning.afterStatement = 0
    }

    mutating func insert(_ memory: Memory) {
        guard memory.isOpen else {
            index.remove(memory.id)
            return
        }
        var text = memory.content
        if !memory.tags.isEmpty { text += " " + memory.tags.joined(separator: " ") }
        if let category = memory.category { text += " " + category }
        index.insert(memory.id, text: text, at: memory.modifiedAt)
    }

    mutating func remove(_ id: RecordID) { index.remove(id) }

    func search(_ text: String, limit: Int, now: Timestamp?) -> [RecallHit<RecordID>] {
        index.search(text, limit: limit, now: now)
    }
}
