import Foundation
import Glibc
import Synchronization
import TandemCore

/// A thread for each processor that keeps it awake and gives way to anybody else at once.
final class Spinners: Sendable {
    private let isOver = Atomic<Bool>(false)
    private let running = Atomic<Int>(0)

    /// `SCHED_IDLE` of sched(7).
    private static let idlePolicy: Int32 = 5

    init() {
        for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
            running.add(1, ordering: .relaxed)
            let isStarted = HostThread.start(named: "bench-spinner") { [self] in spin() }
            if !isStarted { running.subtract(1, ordering: .relaxed) }
        }
    }

    private func spin() {
        var none = sched_param()
        // Of the calling thread alone. A spinner that would not give way is worse than none.
        if sched_setscheduler(0, Self.idlePolicy, &none) == 0 {
            while !isOver.load(ordering: .relaxed) {}
        }
        running.subtract(1, ordering: .releasing)
    }

    /// Returns when they have ended.
    func end() {
        isOver.store(true, ordering: .relaxed)
        while running.load(ordering: .acquiring) > 0 { usleep(1000) }
    }
}
