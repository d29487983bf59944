import Glibc
import Synchronization
import TandemCore
import TandemStorage

/// Where the process ends: at its so-many-th transaction since it listens, and where within it; or so many transactions after
/// the one that stores a job of a kind for a person.
public struct FaultPoint: Sendable, Hashable {
    public enum Place: String, Sendable, CaseIterable {
        /// Nothing of it is written.
        case before
        /// Its statements have run; it is not committed.
        case within
        /// It is committed; nobody here knows yet.
        case after
    }

    public var place: Place
    /// From 1 on; 0, after a job: the transaction that stores it.
    public var number: Int
    /// Of the job that transactions are counted from; nil: from when the process listens.
    public var job: String?

    public init(_ place: Place, _ number: Int, afterJob job: String? = nil) {
        self.place = place
        self.number = number
        self.job = job
    }

    /// `after:7`, `after:0:plugins.end`.
    public var text: String { "\(place.rawValue):\(number)" + (job.map { ":" + $0 } ?? "") }

    init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard (2...3).contains(parts.count), let place = Place(rawValue: String(parts[0])), let number = Int(parts[1])
        else { return nil }
        self.init(place, number, afterJob: parts.count == 3 ? String(parts[2]) : nil)
    }
}

/// A database that ends its process with SIGKILL at one of its transactions: every persisted step of the whole program is
/// such a point, whoever takes it.
final class FaultDatabase: Database {
    private let inner: any Database
    private let point: FaultPoint
    private let isArmed = Atomic(false)
    private let isWatching = Atomic(false)
    private let count = Atomic(0)

    init(_ inner: any Database, point: FaultPoint) {
        self.inner = inner
        self.point = point
    }

    /// From now on transactions are counted, or the job is looked for.
    func arm() {
        if point.job == nil {
            isArmed.store(true, ordering: .sequentiallyConsistent)
        } else {
            isWatching.store(true, ordering: .sequentiallyConsistent)
        }
    }

    var dialect: SQLDialect { inner.dialect }
    var store: RowStore { inner.store }

    func read<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any ReadTransaction) throws -> T
    ) async throws -> T {
        try await inner.read(scope, body)
    }

    func write<T: Sendable>(
        _ scope: AccessScope, _ body: @escaping @Sendable (any WriteTransaction) throws -> T
    ) async throws -> T {
        if isWatching.load(ordering: .sequentiallyConsistent), case .user(let person) = scope {
            let result = try await inner.write(scope, body)
            try await watch(person)
            return result
        }
        guard isArmed.load(ordering: .sequentiallyConsistent),
            count.add(1, ordering: .sequentiallyConsistent).newValue == point.number
        else { return try await inner.write(scope, body) }
        switch point.place {
        case .before: FaultDatabase.end()
        case .within:
            return try await inner.write(scope) { transaction in
                _ = try body(transaction)
                FaultDatabase.end()
            }
        case .after:
            _ = try await inner.write(scope, body)
            FaultDatabase.end()
        }
    }

    /// Begins to count when the person has the job.
    private func watch(_ person: UserScope) async throws {
        guard let job = point.job else { return }
        let isThere = try await inner.read(.system) { transaction in
            try transaction.first("SELECT id FROM jobs WHERE kind = \(job) AND user_id = \(person.user)") != nil
        }
        guard isThere else { return }
        if point.number == 0 { FaultDatabase.end() }
        isWatching.store(false, ordering: .sequentiallyConsistent)
        isArmed.store(true, ordering: .sequentiallyConsistent)
    }

    func migrate(_ migrations: [Migration]) async throws -> MigrationReport { try await inner.migrate(migrations) }

    func close() async { await inner.close() }

    private static func end() -> Never {
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}
