import Synchronization
public import TandemCore
public import TandemStorage

/// Search over one table of people's own sealed rows: an index in memory for each person who asked lately.
///
/// Before each search the index takes over what changed since the last one: exactly what this process committed
/// (`ChangedRows`: tools, plugins, undo, import), and every two seconds whatever else differs from the table
/// (`RowFingerprint`: other processes). What is found are ids; the caller reads the rows, so that nothing that is gone
/// comes back. Safe from any thread; a search holds only its own person's lock.
public final class PersonalIndex: Sendable {
    private struct Entry {
        var index: RecallIndex<RecordID>
        /// Of all rows, also of those that are not to be found.
        var stamps: [RecordID: RowStamp] = [:]
        var state = RowFingerprint()
        /// The changes that it has; nil: it has to be built.
        var position: UInt64?
        /// When it was last compared with the table, and how long that took.
        var comparedAt: UInt64 = 0
        var comparison: UInt64 = 0
        /// The other embedder whose vectors it has, and up to which.
        var model: String?
        var vectorsUpTo: Int64 = 0

        init(_ tuning: RecallTuning) { index = RecallIndex(tuning: tuning) }

        var size: Int { 2048 + index.size + stamps.capacity * 17 }
    }

    private final class Slot: Sendable {
        let entry: Mutex<Entry>

        init(_ tuning: RecallTuning) { entry = Mutex(Entry(tuning)) }
    }

    private static let page = 1000
    /// For so long what other processes write may be missed; for longer when looking takes long.
    private static let patience: UInt64 = 2_000_000_000
    private static let patienceFactor: UInt64 = 40

    public let source: SearchSource
    /// What all indexes share.
    public let budget: SearchBudget
    private let changes: ChangedRows
    private let models: SearchModels
    private let slots = Mutex<[UserID: Slot]>([:])

    public init(
        _ source: SearchSource, of database: any Database, budget: SearchBudget, models: SearchModels = SearchModels()
    ) {
        self.models = models
        self.source = source
        self.budget = budget
        changes = database.store.changedRows
    }

    public var table: String { source.table }

    /// Searches a person's rows; builds the index first when there is none.
    ///
    /// In a transaction that has changed rows itself the index is as it was before, so that what is not everybody's yet
    /// does not get into it.
    public func search(
        _ question: String, limit: Int, now: Timestamp? = nil, vector: [Float]? = nil, of user: UserID,
        in transaction: any ReadTransaction
    ) throws -> [RecallHit<RecordID>] {
        let slot = slot(user)
        let isUnsettled = transaction.hasOwnChanges
        let (hits, bytes): ([RecallHit<RecordID>], Int?)
        do {
            (hits, bytes) = try slot.entry.withLock { entry in
                try search(&entry, question, limit: limit, now: now, vector, isUnsettled, transaction)
            }
        } catch {
            drop(user)
            throw error
        }
        budget.used(self, of: user, bytes: bytes) { [weak self] in self?.letGo(user) }
        return hits
    }

    private func search(
        _ entry: inout Entry, _ question: String, limit: Int, now: Timestamp?, _ vector: [Float]?, _ isUnsettled: Bool,
        _ transaction: any ReadTransaction
    ) throws -> ([RecallHit<RecordID>], Int?) {
        if isUnsettled {
            guard entry.position == nil else {
                return (entry.index.search(question, limit: limit, now: now), nil)
            }
            var own = try built(transaction)
            return (own.index.search(question, limit: limit, now: now), nil)
        }
        let before = (entry.position, entry.vectorsUpTo)
        try refresh(&entry, transaction)
        try models.load(&entry.index, &entry.model, &entry.vectorsUpTo, of: table, in: transaction)
        let hits = entry.index.search(question, limit: limit, now: now, vector: vector)
        return (hits, before == (entry.position, entry.vectorsUpTo) ? nil : entry.size)
    }

    /// Brings a person's index up to date without a search.
    public func prepare(_ user: UserID, in transaction: any ReadTransaction) throws {
        guard !transaction.hasOwnChanges else { return }
        _ = try search("", limit: 0, of: user, in: transaction)
    }

    // MARK: - Staying true

    private func refresh(_ entry: inout Entry, _ transaction: any ReadTransaction) throws {
        let seen = transaction.changesSeen
        guard let position = entry.position else {
            entry = try built(transaction)
            return
        }
        // Somebody else has taken over more than this transaction sees.
        guard seen >= position else { return }
        if seen > position {
            let user = try PersonalIndex.user(transaction)
            let rows = changes.rows(of: table, of: user, after: position, upTo: seen)
            if let rows, rows.count <= PersonalIndex.page {
                for id in rows.sorted() { try take(id, &entry, transaction) }
            } else {
                try reconcile(&entry, transaction)
            }
            entry.position = seen
        }
        // A look at every row would stand in the way of others' writes.
        guard !transaction.mayWrite else { return }
        let time = monotonicNanoseconds()
        let patience = max(PersonalIndex.patience, entry.comparison &* PersonalIndex.patienceFactor)
        guard time >= entry.comparedAt &+ patience else { return }
        if try transaction.fingerprint(of: table) != entry.state { try reconcile(&entry, transaction) }
        entry.comparedAt = monotonicNanoseconds()
        entry.comparison = entry.comparedAt - time
    }

    private static func user(_ transaction: any ReadTransaction) throws -> UserID {
        guard case .user(let scope) = transaction.scope else {
            throw StorageError(.scopeRequired, "a person's texts need that person's scope")
        }
        return scope.user
    }

    /// Takes over one row as it is now.
    private func take(_ id: RecordID, _ entry: inout Entry, _ transaction: any ReadTransaction) throws {
        guard let row = try transaction.searchedRow(of: table, source.columns, id: id) else {
            drop(id, &entry)
            return
        }
        if let old = entry.stamps.updateValue(row.stamp, forKey: id) { entry.state.subtract(old) }
        entry.state.add(row.stamp)
        // Its other vector is of what it was; the new one comes with a later load.
        if let (text, time) = source.text(row) {
            entry.index.insert(id, text: text, at: time)
        } else {
            entry.index.remove(id)
        }
    }

    private func drop(_ id: RecordID, _ entry: inout Entry) {
        if let old = entry.stamps.removeValue(forKey: id) { entry.state.subtract(old) }
        entry.index.remove(id)
    }

    /// Compares every row's stamp with the one that the index has.
    private func reconcile(_ entry: inout Entry, _ transaction: any ReadTransaction) throws {
        var changed: [RecordID] = []
        var seen = 0
        var present: Set<RecordID> = []
        var last: RecordID?
        while true {
            let page = try transaction.stamps(of: table, after: last, limit: 8 * PersonalIndex.page)
            for (id, stamp) in page {
                present.insert(id)
                if let known = entry.stamps[id] {
                    seen += 1
                    if known != stamp { changed.append(id) }
                } else {
                    changed.append(id)
                }
            }
            guard page.count == 8 * PersonalIndex.page else { break }
            last = page.last?.id
        }
        if changed.count > max(PersonalIndex.page, present.count / 4) {
            entry = try built(transaction)
            return
        }
        if seen < entry.stamps.count {
            for id in entry.stamps.keys.filter({ !present.contains($0) }) { drop(id, &entry) }
        }
        for id in changed { try take(id, &entry, transaction) }
    }

    private func built(_ transaction: any ReadTransaction) throws -> Entry {
        var entry = Entry(source.tuning)
        entry.position = transaction.changesSeen
        entry.comparedAt = monotonicNanoseconds()
        var line: IndexLine?
        var last: RecordID?
        do {
            while true {
                let rows = try transaction.searchedRows(
                    of: table, source.columns, after: last, limit: PersonalIndex.page)
                var page = IndexLine.Page()
                page.reserveCapacity(rows.count)
                for row in rows {
                    entry.stamps[row.id] = row.stamp
                    entry.state.add(row.stamp)
                    if let (text, time) = source.text(row) { page.append((row.id, text, time)) }
                }
                let isLast = rows.count < PersonalIndex.page
                if line == nil, !isLast { line = try IndexLine(entry.index) }
                if let line {
                    line.add(page)
                } else {
                    for row in page { entry.index.insert(row.id, text: row.text, at: row.at) }
                }
                if isLast { break }
                last = rows.last?.id
            }
        } catch {
            line?.abandon()
            throw error
        }
        if let line { entry.index = line.finish() }
        return entry
    }

    // MARK: - Slots

    /// Whether there is an index of a person's rows now.
    public func holds(_ user: UserID) -> Bool {
        slots.withLock { $0[user] }?.entry.withLock { $0.position != nil } ?? false
    }

    /// Forgets a person's index.
    public func drop(_ user: UserID) {
        letGo(user)
        budget.dropped(self, of: user)
    }

    private func letGo(_ user: UserID) {
        if slots.withLock({ $0.removeValue(forKey: user) }) != nil { changes.unfollow(user) }
    }

    private func slot(_ user: UserID) -> Slot {
        slots.withLock { slots in
            if let slot = slots[user] { return slot }
            let slot = Slot(source.tuning)
            slots[user] = slot
            changes.follow(user)
            return slot
        }
    }
}
