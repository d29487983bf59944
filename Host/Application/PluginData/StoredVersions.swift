import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// Which version of a plugin wrote a person's data, and the journal of migrations.
///
/// A migration's rows are written under a turn of its own; when it succeeds, the new version is recorded and the rows are
/// settled in one transaction, so that it counts once, whatever happens in between.
struct StoredVersions: PluginVersions {
    let database: any Database

    /// After a failure: 1 min, 4 min, 16 min … at most 6 h.
    private static func delay(after attempts: Int) -> Duration {
        .seconds(min(60 << min(2 * (attempts - 1), 16), 6 * 3600))
    }

    func begin(_ version: String, in place: PluginPlace) async throws -> VersionStep {
        let known = try await database.read(place.scope) { try Record(of: place, $0) }
        if let known, known.version == version, known.pending == nil { return .none }
        return try await database.write(place.scope) { transaction in
            guard var record = try Record(of: place, transaction) else {
                try Record(version: version).save(for: place, transaction)
                return .none
            }
            // Also one to a version that is not the one of now: it was interrupted, and the version went back.
            if let turn = record.turn { try transaction.rollBack(WriteOrigin(turn: turn, step: 0)) }
            if record.version == version {
                try Record(version: version).save(for: place, transaction)
                return .none
            }
            if record.pending != version {
                record.attempts = 0
                record.nextAt = Timestamp(millisecondsSinceEpoch: 0)
            }
            guard record.nextAt <= transaction.now else { throw ServiceFailure(Status.busy) }
            let turn = transaction.nextID()
            record.pending = version
            record.turn = turn
            try record.save(for: place, transaction)
            return .migrate(
                from: record.version,
                config: try PersonSettings.values(plugin: place.plugin, in: place.scope, transaction),
                origin: WriteOrigin(turn: turn, step: 0))
        }
    }

    func succeed(_ version: String, config: JSONObject?, in place: PluginPlace) async throws {
        try await database.write(place.scope) { transaction in
            if let turn = try Record(of: place, transaction)?.turn {
                try transaction.settle(WriteOrigin(turn: turn, step: 0))
            }
            if let config {
                try PersonSettings.save(config, plugin: place.plugin, in: place.scope, transaction)
            }
            try Record(version: version).save(for: place, transaction)
        }
    }

    func fail(_ version: String, in place: PluginPlace) async throws {
        try await database.write(place.scope) { transaction in
            guard var record = try Record(of: place, transaction), record.pending == version else { return }
            if let turn = record.turn { try transaction.rollBack(WriteOrigin(turn: turn, step: 0)) }
            record.turn = nil
            record.attempts += 1
            record.nextAt = transaction.now.advanced(by: Self.delay(after: record.attempts))
            try record.save(for: place, transaction)
        }
    }

    private struct Record {
        var version: String
        var pending: String?
        var turn: RecordID?
        var attempts = 0
        var nextAt = Timestamp(millisecondsSinceEpoch: 0)

        init(version: String) { self.version = version }

        init?(of place: PluginPlace, _ transaction: any ReadTransaction) throws {
            guard
                let row = try transaction.first(
                    """
                    SELECT version, pending, turn, attempts, next_at FROM plugin_versions
                    WHERE user_id = \(place.scope.user) AND plugin = \(place.plugin)
                    """)
            else { return nil }
            version = try row.text("version")
            pending = try row.textIfPresent("pending")
            turn = try row.recordIDIfPresent("turn")
            attempts = try row.int("attempts")
            nextAt = try row.timestamp("next_at")
        }

        func save(for place: PluginPlace, _ transaction: any WriteTransaction) throws {
            try transaction.execute(
                """
                INSERT INTO plugin_versions (user_id, plugin, version, pending, turn, attempts, next_at)
                VALUES (\(place.scope.user), \(place.plugin), \(version), \(pending), \(turn), \(attempts), \(nextAt))
                ON CONFLICT (user_id, plugin) DO UPDATE SET version = excluded.version, pending = excluded.pending,
                turn = excluded.turn, attempts = excluded.attempts, next_at = excluded.next_at
                """)
        }
    }
}
