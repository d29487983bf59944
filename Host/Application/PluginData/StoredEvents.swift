import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// `tandem.event/1` on the storage: one row per subscriber of the moment; `PluginWork` delivers them.
struct StoredEvents: PluginEvents {
    let database: any Database
    let wake: @Sendable () -> Void

    /// Deliveries of one plugin and person that may wait.
    static let mostWaiting = 256
    /// How long a key keeps a second event from being published, and how long a delivery is tried at all.
    static let retention: Duration = .seconds(7 * 86_400)

    static func seal(_ id: Int64) -> SealContext { SealContext(table: "plugin_deliveries", column: "data", row: id) }

    func publish(_ event: PluginEvent, in place: PluginPlace) async throws -> RecordID {
        let id = try await database.write(place.scope) { transaction -> RecordID in
            let now = transaction.now
            let id = transaction.nextID()
            if !event.key.isEmpty {
                let oldest = now.millisecondsSinceEpoch - Int64(Self.retention.components.seconds) * 1000
                let known = try transaction.first(
                    """
                    SELECT event FROM plugin_event_keys WHERE user_id = \(place.scope.user) AND plugin = \(place.plugin)
                    AND topic = \(event.topic) AND key = \(event.key) AND published_at > \(oldest)
                    """)
                if let known { return try known.recordID("event") }
                try transaction.execute(
                    """
                    INSERT INTO plugin_event_keys (user_id, plugin, topic, key, event, published_at)
                    VALUES (\(place.scope.user), \(place.plugin), \(event.topic), \(event.key), \(id), \(now))
                    ON CONFLICT (user_id, plugin, topic, key) DO UPDATE SET event = excluded.event,
                    published_at = excluded.published_at
                    """)
            }
            let waiting =
                try transaction.first(
                    """
                    SELECT count(*) AS n FROM plugin_deliveries WHERE user_id = \(place.scope.user)
                    AND publisher = \(place.plugin)
                    """)?.int("n") ?? 0
            guard waiting + event.receivers.count <= Self.mostWaiting else { throw ServiceFailure(Status.overQuota) }
            let data = JSON.object(event.data).serialized()
            for receiver in event.receivers {
                let delivery = transaction.nextID()
                let sealed = try transaction.seal(data, Self.seal(delivery.rawValue))
                try transaction.execute(
                    """
                    INSERT INTO plugin_deliveries (user_id, id, event, publisher, plugin, topic, handler, data,
                    published_at, depth, next_at) VALUES (\(place.scope.user), \(delivery), \(id), \(place.plugin),
                    \(receiver.plugin), \(event.topic), \(receiver.handler), \(sealed), \(now), \(event.depth), \(now))
                    """)
            }
            return id
        }
        if !event.receivers.isEmpty { wake() }
        return id
    }

    static func data(_ row: SQLRow, _ transaction: any ReadTransaction) throws -> JSONObject {
        let bytes = try transaction.open(try row.blob("data"), seal(try row.int64("id")))
        guard case .object(let object)? = try? JSON(parsing: bytes) else { return [:] }
        return object
    }
}
