import Glibc
import Synchronization
import TandemCore
import TandemStorage

/// Where the process ends: at its so-many-th transaction since it listens, and where within it.
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
    /// From 1 on.
    public var number: Int

    public init(_ place: Place, _ number: Int) {
        self.place = place
        self.number = number
    }

    /// `after:7`.
    public var text: String { "\(place.rawValue):\(number)" }

    init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let place = Place(rawValue: String(parts[0])), let number = Int(parts[1]) else {
            return nil
        }
        self.init(place, number)
    }
}

/// A database that ends its process with SIGKILL at one of its transactions: every persisted step of the whole program is
/// such a point, whoever takes it.
final class FaultDatabase: Database {
    private let inner: any Database
    private let point: FaultPoint
    private let isArmed = Atomic(false)
    private let count = Atomic(0)

    init(_ inner: any Database, point: FaultPoint) {
        self.inner = inner
        self.point = point
    }

    /// From now on transactions are counted.
    func arm() { isArmed.store(true, ordering: .sequentiallyConsistent) }

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

    func migrate(_ migrations: [Migration]) async throws -> MigrationReport { try await inner.migrate(migrations) }

    func close() async { await inner.close() }

    private static func end() -> Never {
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}
