import TandemCore

/// Runs short actions at instants of `CLOCK_MONOTONIC` on one thread of its own: no task and no sleep per call.
///
/// Actions must not block; they hand plugin calls to the worker threads. There is no removal: an action finds out by
/// itself that what it was for is over, so an action keeps ids, not objects. What is there for a call that is over is dropped
/// when the thread wakes for anything, so that it wakes about once in the time limit of the calls, not once for each of them.
final class DeadlineTimer: @unchecked Sendable {
    // Everything mutable is guarded by the monitor.
    private struct Entry {
        var instant: UInt64
        /// The call that it is there for; 0: none.
        var call: UInt64
        var action: @Sendable () -> Void
    }

    static let shared = DeadlineTimer()

    private let monitor = Monitor()
    /// A binary heap, earliest first.
    private var heap: [Entry] = []
    private var isRunning = false

    /// - Parameter call: nothing happens when this call is over by then.
    func schedule(at instant: UInt64, for call: UInt64 = 0, _ action: @escaping @Sendable () -> Void) {
        monitor.lock()
        heap.append(Entry(instant: instant, call: call, action: action))
        siftUp(heap.count - 1)
        let isEarliest = heap[0].instant == instant
        let mustStart = !isRunning
        isRunning = true
        monitor.unlock()
        if mustStart {
            if !HostThread.start(named: "tandem-timer", { [self] in run() }) {
                monitor.lock()
                isRunning = false
                monitor.unlock()
            }
        } else if isEarliest {
            monitor.signal()
        }
    }

    /// Actions that have not been done or dropped.
    var count: Int {
        monitor.lock()
        defer { monitor.unlock() }
        return heap.count
    }

    private func run() {
        monitor.lock()
        while true {
            guard let first = heap.first else {
                _ = monitor.wait(untilNanoseconds: monotonicNanoseconds() + 3_600_000_000_000)
                continue
            }
            if first.call != 0, !CallTable.shared.isInFlight(first.call) {
                removeFirst()
                continue
            }
            if first.instant > monotonicNanoseconds() {
                _ = monitor.wait(untilNanoseconds: first.instant)
                continue
            }
            removeFirst()
            monitor.unlock()
            first.action()
            monitor.lock()
        }
    }

    private func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].instant < heap[parent].instant else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].instant < heap[least].instant { least = child }
            guard least != parent else { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}
