import CRunner
import Glibc
import Synchronization
import TandemCore

// A caller that reads its own answer.
//
// An answer that comes within microseconds would spend most of its time on the way: the loop's thread is woken, then one of
// Swift's, and on a machine that has other things to do each waits for its turn. So a call that is alone in its process, and
// whose tool has been answering quickly, looks for its answer on the thread that asked, no longer than `ownNanoseconds` and giving
// way to whoever else waits for that processor, and handles what comes as the loop would. One caller in the host does so at a
// time: when many ask, the loop is the better reader. What is slower than that is read by the loop, also the next times.
extension RunnerProcess {
    /// How long a caller's thread may wait.
    static let ownNanoseconds: UInt64 = 60_000

    private static let isAnybodyWaiting = Atomic<Bool>(false)

    /// The right to read; `giveReading` must follow.
    func takeReading() -> Bool {
        isReading.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
    }

    func giveReading() { isReading.store(false, ordering: .releasing) }

    /// Before the call is sent; then `readOwn` must follow.
    func beginOwnReading() -> Bool {
        guard openCalls.load(ordering: .relaxed) == 1,
            Self.isAnybodyWaiting.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
                .exchanged
        else { return false }
        if takeReading() {
            let mayRead =
                ownFault == nil && inboxCount == 0 && isServing.load(ordering: .acquiring)
                && state.withLock { !$0.isDead } && health.withLock { !$0.isPaused }
            if mayRead {
                isReadByCaller.store(true, ordering: .releasing)
                updateWatch()
                return true
            }
            giveReading()
        }
        Self.isAnybodyWaiting.store(false, ordering: .releasing)
        return false
    }

    /// Reads until the call is over or the time is; the loop goes on with what else comes. False: it was not over in time.
    func readOwn(_ call: PendingCall, since start: UInt64) -> Bool {
        let end = min(start + Self.ownNanoseconds, call.deadline)
        reading: while call.isInFlight {
            let now = monotonicNanoseconds()
            guard now < end, tandem_await_readable(socket, end - now) > 0 else { break }
            switch receive() {
            case .frames: if hasLeftover.load(ordering: .relaxed) { break reading }
            case .nothing: break reading
            case .over(let fault):
                // Without a fault the loop finds the end of the stream by itself.
                if let fault {
                    ownFault = fault
                    kill(fault)
                }
                break reading
            }
        }
        isReadByCaller.store(false, ordering: .releasing)
        giveReading()
        updateWatch()
        Self.isAnybodyWaiting.store(false, ordering: .releasing)
        return !call.isInFlight
    }
}
