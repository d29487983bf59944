import Synchronization

/// The workers of this process that take work from a queue in the database, as leases name them: `PROCESS/NUMBER`.
///
/// A lease of a worker that is gone is free, whatever process it was in. Safe from any thread.
public final class LivingWorkers: Sendable {
    private let process: String
    private let mayProcessBeAlive: @Sendable (String) -> Bool
    private let living = Mutex<(next: Int, numbers: Set<Int>)>((0, []))

    /// - Parameters:
    ///   - process: this one, told apart from every other.
    ///   - mayProcessBeAlive: false only when it is certain that another process is gone.
    public init(process: String, mayProcessBeAlive: @escaping @Sendable (String) -> Bool) {
        self.process = process
        self.mayProcessBeAlive = mayProcessBeAlive
    }

    /// A new worker; it lives as long as what is returned.
    public func enter() -> LivingWorker {
        let number = living.withLock { living in
            living.next += 1
            living.numbers.insert(living.next)
            return living.next
        }
        return LivingWorker(holder: "\(process)/\(number)", number: number, workers: self)
    }

    fileprivate func leave(_ number: Int) { living.withLock { _ = $0.numbers.remove(number) } }

    /// False when whoever holds the lease is certainly gone.
    @Sendable
    public func mayBeAlive(_ holder: String) -> Bool {
        guard let slash = holder.lastIndex(of: "/"), let number = Int(holder[holder.index(after: slash)...]) else {
            return false
        }
        let process = String(holder[..<slash])
        if process == self.process { return living.withLock { $0.numbers.contains(number) } }
        return mayProcessBeAlive(process)
    }
}

/// A worker, until it is released.
public final class LivingWorker: Sendable {
    /// Its name in leases.
    public let holder: String
    private let number: Int
    private let workers: LivingWorkers

    fileprivate init(holder: String, number: Int, workers: LivingWorkers) {
        self.holder = holder
        self.number = number
        self.workers = workers
    }

    deinit { workers.leave(number) }

    /// False when whoever holds the lease is certainly gone.
    public func mayBeAlive(_ holder: String) -> Bool { workers.mayBeAlive(holder) }
}
