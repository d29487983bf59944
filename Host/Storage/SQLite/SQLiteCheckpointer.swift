/// The thread that copies the write-ahead log into the file, beside the one that writes.
///
/// Copying waits for the disk, some milliseconds in all; commits that come meanwhile go on at the log's end
/// (https://www.sqlite.org/wal.html, "Concurrency"). What they add is a few pages, which the writer copies itself, so that
/// the log can start over.
final class SQLiteCheckpointer: @unchecked Sendable {
    private enum State {
        case idle
        case wanted
        case running
        case ending
        case ended
    }

    // `state` and `copied` are used under `signal`'s lock; the connection on the thread only.
    private let signal = Signal()
    private var state = State.idle
    private var copied = 0
    private let connection: SQLiteConnection

    init(connection: SQLiteConnection) { self.connection = connection }

    func start() throws { try WorkerThread.run(named: "tandem-log") { [self] in loop() } }

    /// How many pages of the log the last round had copied; nil while one is asked for or under way.
    var progress: Int? { signal.withLock { state == .idle ? copied : nil } }

    /// Asks for a round, unless one is under way.
    func wake() {
        signal.withLock {
            guard state == .idle else { return }
            state = .wanted
            signal.wakeAll()
        }
    }

    /// Waits for a round that was asked for. Then the log is the caller's alone, as long as nobody wakes it again.
    func waitUntilIdle() {
        signal.withLock { while state == .wanted || state == .running { signal.wait() } }
    }

    /// Ends the thread, after a round that is under way, and closes its connection. Only for the thread that wakes it.
    func end() {
        waitUntilIdle()
        signal.withLock {
            guard state == .idle else { return }
            state = .ending
            signal.wakeAll()
            while state != .ended { signal.wait() }
        }
    }

    private func next() -> Bool {
        signal.withLock {
            while state != .wanted, state != .ending { signal.wait() }
            guard state == .wanted else { return false }
            state = .running
            return true
        }
    }

    private func loop() {
        while next() {
            let pages = connection.checkpoint()
            signal.withLock {
                copied = pages
                state = .idle
                signal.wakeAll()
            }
        }
        connection.close()
        signal.withLock {
            state = .ended
            signal.wakeAll()
        }
    }
}
