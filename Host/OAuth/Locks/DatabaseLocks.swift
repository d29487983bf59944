import TandemCore
public import TandemStorage

/// Locks in a table of the database: one short transaction to take, extend and release each.
///
/// Leases are compared by the clocks of the processes: these may differ by less than a lease, as any time service keeps
/// them. The fence grows with every holder, also across the removal of old rows, since it is at least the time.
public struct DatabaseLocks: LockService {
    private let database: any Database
    /// This process's name for the table; random.
    private let owner: String

    public init(database: any Database) {
        self.database = database
        owner = TokenText.base64URL(TokenText.random(12))
    }

    /// The table; the owner of the database adds it to the program's migrations.
    public static let migrations: [Migration] = [
        Migration("locks/1-leases") { migration in
            migration.createTable("held_locks") { table in
                table.column("name", .text)
                table.column("owner", .text, nullable: true)
                table.column("fence", .integer)
                table.column("lease_until", .integer)
                table.primaryKey("name")
                table.isWithoutRowID = true
            }
            migration.createIndex("held_locks_lease", on: "held_locks", ["lease_until"])
        }
    ]

    public func acquire(_ name: String, lease: Duration) async throws -> HeldLock? {
        // Each taking is an owner of its own: two tasks of one process exclude each other, too.
        let owner = owner + "." + TokenText.base64URL(TokenText.random(6))
        return try await database.write(.system) { transaction in
            let now = transaction.now
            // One statement, so that of two at once one waits for the other and then sees that it came too late.
            let changed = try transaction.execute(
                """
                INSERT INTO held_locks (name, owner, fence, lease_until)
                VALUES (\(name), \(owner), \(now), \(now.advanced(by: lease)))
                ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until,
                fence = CASE WHEN held_locks.fence < excluded.fence THEN excluded.fence ELSE held_locks.fence + 1 END
                WHERE held_locks.owner IS NULL OR held_locks.lease_until <= \(now)
                """)
            guard changed > 0,
                let row = try transaction.first(
                    "SELECT fence FROM held_locks WHERE name = \(name) AND owner = \(owner)")
            else { return nil }
            return HeldLock(name: name, fence: try row.int64("fence"), owner: owner)
        }
    }

    public func extend(_ lock: HeldLock, lease: Duration) async throws -> Bool {
        try await database.write(.system) { transaction in
            let until = transaction.now.advanced(by: lease)
            return try transaction.execute(
                """
                UPDATE held_locks SET lease_until = \(until)
                WHERE name = \(lock.name) AND owner = \(lock.owner) AND fence = \(lock.fence)
                """) > 0
        }
    }

    public func release(_ lock: HeldLock) async {
        // A lock that cannot be released ends with its lease.
        _ = try? await database.write(.system) { transaction in
            try transaction.execute(
                """
                UPDATE held_locks SET owner = NULL, lease_until = \(transaction.now)
                WHERE name = \(lock.name) AND owner = \(lock.owner) AND fence = \(lock.fence)
                """)
        }
    }

    /// Removes what nobody held for a day; returns the number.
    @discardableResult
    public func prune() async throws -> Int {
        try await database.write(.system) { transaction in
            let limit = transaction.now.advanced(by: .seconds(-86_400))
            return try transaction.execute("DELETE FROM held_locks WHERE lease_until < \(limit)")
        }
    }
}
