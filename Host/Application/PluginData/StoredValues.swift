import TandemCore
public import TandemPluginHost
public import TandemStorage

/// `tandem.kv/1` on the storage: values sealed with the person's key, versions from one counter per plugin and person.
///
/// Each value has the label of the call that wrote it, as rows have (`RowLabels`, by the value's id), and whoever reads it, or
/// its key, is told: so what others wrote stays that, however a plugin keeps it.
public struct StoredValues: KeyValueStore {
    let database: any Database

    public init(database: any Database) { self.database = database }

    static func seal(_ id: Int64) -> SealContext {
        SealContext(table: "plugin_values", column: "value", row: id)
    }

    public func value(of key: String, in place: PluginPlace) async throws -> StoredValue? {
        let provenance = CallProvenance.current
        return try await database.read(place.scope) { transaction in
            guard
                let row = try transaction.first(
                    """
                    SELECT id, version, value, expires_at FROM plugin_values WHERE user_id = \(place.scope.user)
                    AND plugin = \(place.plugin) AND key = \(key)
                    """),
                Self.isAlive(try row.timestampIfPresent("expires_at"), at: now(transaction))
            else { return nil }
            let bytes = try transaction.open(try row.blob("value"), Self.seal(try row.int64("id")))
            try Self.tell(provenance, [try row.int64("id")], bytes, transaction)
            return StoredValue(
                bytes: bytes,
                version: UInt64(bitPattern: try row.int64("version")),
                expiresAt: try row.timestampIfPresent("expires_at"))
        }
    }

    public func set(
        _ bytes: [UInt8], for key: String, expected: UInt64?, lifetimeMilliseconds: UInt64, quota: PluginQuota,
        in place: PluginPlace
    ) async throws -> StoredValue {
        let provenance = CallProvenance.current
        return try await database.write(place.scope) { transaction in
            let now = transaction.now
            var usage = try Usage(of: place, in: transaction)
            let old = try Existing(key, in: place, transaction)
            let isThere = old.map { Self.isAlive($0.expiresAt, at: now) } ?? false
            let current = isThere ? old?.version ?? 0 : 0
            if let expected, expected != current { throw ServiceFailure(Status.conflict, version: current) }
            let size = key.utf8.count + bytes.count
            if let old { usage.remove(old.byteCount) }
            usage.add(size)
            if usage.entries > quota.kvEntries || usage.bytes > quota.kvBytes {
                // What has expired takes no room.
                for gone in try Self.expired(in: place, at: now, transaction) where gone.key != key {
                    try Self.delete(gone.key, in: place, transaction)
                    usage.remove(gone.byteCount)
                }
                guard usage.entries <= quota.kvEntries, usage.bytes <= quota.kvBytes else {
                    throw ServiceFailure(Status.overQuota)
                }
            }
            usage.lastVersion += 1
            let id = old?.id ?? transaction.nextID().rawValue
            let expires =
                lifetimeMilliseconds == 0
                ? nil
                : Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch + Int64(lifetimeMilliseconds))
            let sealed = try transaction.seal(bytes, Self.seal(id))
            try transaction.execute(
                """
                INSERT INTO plugin_values (user_id, plugin, key, id, version, value, byte_count, expires_at)
                VALUES (\(place.scope.user), \(place.plugin), \(key), \(id), \(usage.lastVersion), \(sealed), \(size),
                \(expires))
                ON CONFLICT (user_id, plugin, key) DO UPDATE SET version = excluded.version, value = excluded.value,
                byte_count = excluded.byte_count, expires_at = excluded.expires_at
                """)
            try usage.save(for: place, in: transaction)
            if let provenance {
                let text = String(validating: bytes, as: UTF8.self)
                try transaction.label(
                    RecordID(rawValue: id), as: text.map { provenance.written([$0, key]) } ?? provenance.written)
            }
            return StoredValue(bytes: [], version: UInt64(bitPattern: usage.lastVersion), expiresAt: expires)
        }
    }

    public func remove(_ key: String, expected: UInt64?, in place: PluginPlace) async throws {
        try await database.write(place.scope) { transaction in
            guard let old = try Existing(key, in: place, transaction),
                Self.isAlive(old.expiresAt, at: transaction.now)
            else { throw ServiceFailure(Status.notFound) }
            if let expected, expected != old.version { throw ServiceFailure(Status.conflict, version: old.version) }
            var usage = try Usage(of: place, in: transaction)
            usage.remove(old.byteCount)
            try Self.delete(key, in: place, transaction)
            try usage.save(for: place, in: transaction)
        }
    }

    public func keys(
        prefix: String, after: String, limit: Int, in place: PluginPlace
    ) async throws -> (keys: [StoredKey], hasMore: Bool) {
        let provenance = CallProvenance.current
        return try await database.read(place.scope) { transaction in
            var statement: SQL = """
                SELECT id, key, version, byte_count, expires_at FROM plugin_values WHERE user_id = \(place.scope.user)
                AND plugin = \(place.plugin) AND key >= \(prefix) AND key > \(after)
                AND (expires_at IS NULL OR expires_at > \(now(transaction)))
                """
            if let end = Self.successor(of: prefix) { statement.append(" AND key < \(end)") }
            statement.append(" ORDER BY key LIMIT \(limit + 1)")
            let rows = try transaction.query(statement)
            try Self.tell(provenance, rows.prefix(limit).map { try $0.int64("id") }, [], transaction)
            let keys = try rows.prefix(limit).map { row in
                let key = try row.text("key")
                return StoredKey(
                    key: key, version: UInt64(bitPattern: try row.int64("version")),
                    byteCount: try row.int("byte_count") - key.utf8.count,
                    expiresAt: try row.timestampIfPresent("expires_at"))
            }
            return (keys, rows.count > limit)
        }
    }

    public func usage(in place: PluginPlace) async throws -> (entries: Int, bytes: Int) {
        try await database.read(place.scope) { transaction in
            let usage = try Usage(of: place, in: transaction)
            let gone = try Self.expired(in: place, at: now(transaction), transaction)
            return (usage.entries - gone.count, usage.bytes - gone.reduce(0) { $0 + $1.byteCount })
        }
    }

    /// Removes what has expired, of everybody; at most `limit` values.
    @discardableResult
    func prune(limit: Int = 500) async throws -> Int {
        try await database.write(.system) { transaction in
            let rows = try transaction.query(
                """
                SELECT user_id, plugin, key, byte_count FROM plugin_values WHERE expires_at <= \(transaction.now)
                LIMIT \(limit)
                """)
            for row in rows {
                let place = PluginPlace(
                    plugin: try row.text("plugin"), scope: UserScope(authenticated: try row.userID("user_id")))
                var usage = try Usage(of: place, in: transaction)
                usage.remove(try row.int("byte_count"))
                try Self.delete(try row.text("key"), in: place, transaction)
                try usage.save(for: place, in: transaction)
            }
            return rows.count
        }
    }

    // MARK: Labels

    /// Tells the call that runs what of others' words it reads.
    private static func tell(
        _ provenance: CallProvenance?, _ ids: [Int64], _ bytes: [UInt8], _ transaction: any ReadTransaction
    ) throws {
        guard let provenance, !ids.isEmpty else { return }
        for (id, trust) in try transaction.trust(of: ids.map { RecordID(rawValue: $0) }) {
            let texts = String(validating: bytes, as: UTF8.self).map { [$0] } ?? []
            provenance.read(row: id.rawValue, trust: trust, texts: texts)
        }
    }

    // MARK: Rows

    private func now(_ transaction: any ReadTransaction) -> Timestamp { database.store.clock.now }

    private static func isAlive(_ expiry: Timestamp?, at now: Timestamp) -> Bool { expiry.map { $0 > now } ?? true }

    private static func delete(_ key: String, in place: PluginPlace, _ transaction: any WriteTransaction) throws {
        try transaction.execute(
            """
            DELETE FROM plugin_values WHERE user_id = \(place.scope.user) AND plugin = \(place.plugin) AND key = \(key)
            """)
    }

    private static func expired(
        in place: PluginPlace, at now: Timestamp, _ transaction: any ReadTransaction
    ) throws -> [(key: String, byteCount: Int)] {
        try transaction.query(
            """
            SELECT key, byte_count FROM plugin_values WHERE user_id = \(place.scope.user)
            AND plugin = \(place.plugin) AND expires_at <= \(now)
            """
        ).map { (try $0.text("key"), try $0.int("byte_count")) }
    }

    /// The first text after all that start with `prefix`, in the order of the bytes; nil when there is none.
    static func successor(of prefix: String) -> String? {
        var scalars = Array(prefix.unicodeScalars)
        while let last = scalars.popLast() {
            // The surrogates are no scalars.
            let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
            guard let scalar = Unicode.Scalar(next) else { continue }
            var end = String.UnicodeScalarView()
            end.append(contentsOf: scalars)
            end.append(scalar)
            return String(end)
        }
        return nil
    }

    private struct Existing {
        var id: Int64
        var version: UInt64
        var byteCount: Int
        var expiresAt: Timestamp?

        init?(_ key: String, in place: PluginPlace, _ transaction: any ReadTransaction) throws {
            guard
                let row = try transaction.first(
                    """
                    SELECT id, version, byte_count, expires_at FROM plugin_values
                    WHERE user_id = \(place.scope.user) AND plugin = \(place.plugin) AND key = \(key)
                    """)
            else { return nil }
            id = try row.int64("id")
            version = UInt64(bitPattern: try row.int64("version"))
            byteCount = try row.int("byte_count")
            expiresAt = try row.timestampIfPresent("expires_at")
        }
    }

    /// How much there is, and the last version given.
    private struct Usage {
        var entries = 0
        var bytes = 0
        var lastVersion: Int64 = 0

        init(of place: PluginPlace, in transaction: any ReadTransaction) throws {
            guard
                let row = try transaction.first(
                    """
                    SELECT entries, bytes, last_version FROM plugin_value_usage WHERE user_id = \(place.scope.user)
                    AND plugin = \(place.plugin)
                    """)
            else { return }
            entries = try row.int("entries")
            bytes = try row.int("bytes")
            lastVersion = try row.int64("last_version")
        }

        mutating func add(_ size: Int) {
            entries += 1
            bytes += size
        }

        mutating func remove(_ size: Int) {
            entries -= 1
            bytes -= size
        }

        func save(for place: PluginPlace, in transaction: any WriteTransaction) throws {
            try transaction.execute(
                """
                INSERT INTO plugin_value_usage (user_id, plugin, entries, bytes, last_version)
                VALUES (\(place.scope.user), \(place.plugin), \(entries), \(bytes), \(lastVersion))
                ON CONFLICT (user_id, plugin) DO UPDATE SET entries = excluded.entries, bytes = excluded.bytes,
                last_version = excluded.last_version
                """)
        }
    }
}
