import Glibc
import Synchronization
import TandemCore

/// How many isolated processes a host has, of one plugin and of all. When there are too many, the one whose person has
/// rested longest ends; it is started again when they come back.
final class RunnerRoom: Sendable {
    private struct State {
        /// Places of processes that are being started, by link.
        var starting: [ObjectIdentifier: Int] = [:]
        var processes: [RunnerProcess] = []
    }

    private let state = Mutex(State())
    /// How long a start waits for a process that rests.
    private static let patience: UInt64 = 800_000_000

    /// Takes a place for a process of a plugin, and makes one when there is none; `settle` or `giveBack` follows.
    /// False when everybody is at work. Blocks.
    func enter(_ link: RunnerLink) -> Bool {
        let end = monotonicNanoseconds() + Self.patience
        while true {
            if take(link) { return true }
            _ = makeRoom(in: isFull(link) ? link : nil)
            if take(link) { return true }
            guard monotonicNanoseconds() < end else { return false }
            usleep(5000)
        }
    }

    func settle(_ process: RunnerProcess) {
        state.withLock { state in
            Self.giveBack(process.link, in: &state)
            state.processes.append(process)
        }
    }

    func giveBack(_ link: RunnerLink) { state.withLock { Self.giveBack(link, in: &$0) } }

    /// The process has been reaped.
    func left(_ process: RunnerProcess) { state.withLock { $0.processes.removeAll { $0 === process } } }

    /// Sends away the process that has rested longest. False when none rests.
    ///
    /// - Parameter link: only of this plugin.
    func makeRoom(in link: RunnerLink?) -> Bool {
        let resting = state.withLock { $0.processes }
            .filter { (link == nil || $0.link === link) && $0.link.isPerPerson && $0.isIdle }
        guard let longest = resting.min(by: { $0.lastUse < $1.lastUse }) else { return false }
        longest.leave()
        return true
    }

    private func take(_ link: RunnerLink) -> Bool {
        state.withLock { state in
            let configuration = link.configuration
            let staying = state.processes.filter(\.isAlive)
            let own = staying.count { $0.link === link } + (state.starting[ObjectIdentifier(link)] ?? 0)
            let starting = state.starting.values.reduce(0, +)
            // Those that are about to end count less: they may take their time, but not without limit.
            guard own < configuration.maxProcessesOfPlugin,
                staying.count + starting < configuration.maxProcesses,
                state.processes.count + starting < configuration.maxProcesses * 2
            else { return false }
            state.starting[ObjectIdentifier(link), default: 0] += 1
            return true
        }
    }

    private func isFull(_ link: RunnerLink) -> Bool {
        state.withLock { state in
            state.processes.count { $0.link === link && $0.isAlive } >= link.configuration.maxProcessesOfPlugin
        }
    }

    private static func giveBack(_ link: RunnerLink, in state: inout State) {
        let key = ObjectIdentifier(link)
        let count = state.starting[key] ?? 0
        state.starting[key] = count > 1 ? count - 1 : nil
    }
}
