import TandemCore
import TandemStorage

/// Builds an index on a thread of its own while its rows are read and opened on another.
final class IndexLine: @unchecked Sendable {
    // `pages`, `isOver` and `hasEnded` are used under `signal`'s lock; `index` by the worker until it has ended, and then
    // by whoever waited for that.
    typealias Page = [(id: RecordID, text: String, at: Timestamp)]

    private let signal = Signal()
    private var pages: [Page] = []
    private var isOver = false
    private var hasEnded = false
    private var index: RecallIndex<RecordID>

    /// Pages that wait for the worker at most.
    private static let mostWaiting = 6

    /// Throws when the system gives no thread.
    init(_ index: RecallIndex<RecordID>) throws {
        self.index = index
        try WorkerThread.run(named: "tandem-index") { [self] in work() }
    }

    /// Hands a page over; waits while many are before it.
    func add(_ page: Page) {
        signal.withLock {
            while pages.count >= IndexLine.mostWaiting { signal.wait() }
            pages.append(page)
            signal.wakeAll()
        }
    }

    /// No page follows: waits for the worker, gives the index.
    func finish() -> RecallIndex<RecordID> {
        signal.withLock {
            isOver = true
            signal.wakeAll()
            while !hasEnded { signal.wait() }
        }
        defer { index = RecallIndex() }
        return index
    }

    /// What was handed over is not wanted any more; the worker ends by itself.
    func abandon() {
        signal.withLock {
            isOver = true
            pages = []
            signal.wakeAll()
        }
    }

    private func work() {
        while let page = next() {
            for row in page { index.insert(row.id, text: row.text, at: row.at) }
        }
        signal.withLock {
            hasEnded = true
            signal.wakeAll()
        }
    }

    private func next() -> Page? {
        signal.withLock {
            while pages.isEmpty {
                if isOver { return nil }
                signal.wait()
            }
            defer { signal.wakeAll() }
            return pages.removeFirst()
        }
    }
}
