import TandemCore
import TandemStorage

extension WriteTransaction {
    /// Counts an attempt under each key; or counts nothing and gives the wait when one of them has to wait.
    func admit(_ keys: [ThrottleKey]) throws -> Duration? {
        let now = now
        var counts: [Int] = []
        var longest: Duration?
        for key in keys {
            let row = try first(
                """
                SELECT attempts, blocked_until, updated_at FROM login_throttles
                WHERE kind = \(key.throttle.name) AND target_hash = \(key.target) AND source_hash = \(key.source)
                """)
            guard let row, now.since(try row.timestamp("updated_at")) < key.throttle.memory else {
                counts.append(0)
                continue
            }
            let rest = try row.timestamp("blocked_until").since(now)
            if rest > .zero { longest = max(longest ?? .zero, rest) }
            counts.append(try row.int("attempts"))
        }
        if let longest { return longest }
        for (key, count) in zip(keys, counts) {
            let blocked = now.advanced(by: key.throttle.wait(after: count + 1))
            try execute(
                """
                INSERT INTO login_throttles (kind, target_hash, source_hash, attempts, blocked_until, updated_at)
                VALUES (\(key.throttle.name), \(key.target), \(key.source), \(count + 1), \(blocked), \(now))
                ON CONFLICT (kind, target_hash, source_hash) DO UPDATE SET attempts = excluded.attempts,
                blocked_until = excluded.blocked_until, updated_at = excluded.updated_at
                """)
        }
        return nil
    }

    /// The attempt succeeded: forgets all of those under its key.
    func forgive(_ key: ThrottleKey) throws {
        try execute(
            """
            DELETE FROM login_throttles
            WHERE kind = \(key.throttle.name) AND target_hash = \(key.target) AND source_hash = \(key.source)
            """)
    }

    /// The attempt succeeded, but others under these keys may have been somebody else's: takes back this one only.
    func takeBack(_ keys: some Sequence<ThrottleKey>) throws {
        for key in keys {
            try execute(
                """
                UPDATE login_throttles SET attempts = attempts - 1, blocked_until = 0
                WHERE kind = \(key.throttle.name) AND target_hash = \(key.target) AND source_hash = \(key.source)
                AND attempts > 0
                """)
        }
    }

    /// Forgets everything that was counted for a target.
    func forgetThrottles(of target: [UInt8]) throws {
        try execute("DELETE FROM login_throttles WHERE target_hash = \(target)")
    }
}

extension Accounts {
    /// The hash under which attempts on an address are counted, whether it has an account or not.
    func throttleTarget(email key: String) throws -> [UInt8] { try keyedHash(key, "throttle.email") }

    /// A counter of an account that is known.
    func accountKey(_ throttle: Throttle, _ user: UserID, device: [UInt8] = []) throws -> ThrottleKey {
        ThrottleKey(throttle: throttle, target: try accountTarget(user), source: device)
    }

    func accountTarget(_ user: UserID) throws -> [UInt8] { try keyedHash(user.description, "throttle.user") }

    func throttleSource(_ source: ClientSource) throws -> [UInt8] {
        try keyedHash(source.throttleKey, "throttle.source")
    }
}
