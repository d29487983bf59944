import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// `tandem.timer/1` on the storage; `PluginWork` fires them.
struct StoredTimers: PluginTimers {
    let database: any Database
    /// Brings the person's zone to mind and gives the offset.
    let offset: @Sendable (UserScope) -> TimerSchedule.Offset
    /// Something may be due sooner than was known.
    let wake: @Sendable () -> Void

    static func seal(_ id: Int64) -> SealContext { SealContext(table: "plugin_timers", column: "data", row: id) }

    func set(_ plan: TimerPlan, limit: Int, in place: PluginPlace) async throws {
        let local = TimerSchedule.local(plan.dueAt, offset: offset(place.scope))
        let (unit, every): (String?, Int) =
            switch plan.repeats {
            case nil: (nil, 0)
            case .seconds(let every): ("seconds", every)
            case .days(let every): ("days", every)
            case .months(let every): ("months", every)
            }
        try await database.write(place.scope) { transaction in
            // A new row, also for a known name: a firing of the old one that still runs does not end the new one.
            try transaction.execute(
                """
                DELETE FROM plugin_timers WHERE user_id = \(place.scope.user) AND plugin = \(place.plugin)
                AND name = \(plan.name)
                """)
            let count =
                try transaction.first(
                    """
                    SELECT count(*) AS n FROM plugin_timers WHERE user_id = \(place.scope.user)
                    AND plugin = \(place.plugin)
                    """)?.int("n") ?? 0
            guard count < limit else { throw ServiceFailure(Status.overQuota) }
            let id = transaction.nextID()
            let sealed = try transaction.seal(JSON.object(plan.data).serialized(), Self.seal(id.rawValue))
            try transaction.execute(
                """
                INSERT INTO plugin_timers (user_id, id, plugin, name, handler, data, due_at, repeat_unit, repeat_every,
                anchor_local, next_at) VALUES (\(place.scope.user), \(id), \(place.plugin), \(plan.name),
                \(plan.handler), \(sealed), \(plan.dueAt), \(unit), \(every), \(local), \(plan.dueAt))
                """)
        }
        wake()
    }

    func cancel(_ name: String, in place: PluginPlace) async throws {
        try await database.write(place.scope) { transaction in
            let count = try transaction.execute(
                """
                DELETE FROM plugin_timers WHERE user_id = \(place.scope.user) AND plugin = \(place.plugin)
                AND name = \(name)
                """)
            guard count > 0 else { throw ServiceFailure(Status.notFound) }
        }
    }

    func timers(in place: PluginPlace) async throws -> [TimerPlan] {
        let offset = offset(place.scope)
        return try await database.read(place.scope) { transaction in
            try transaction.query(
                """
                SELECT * FROM plugin_timers WHERE user_id = \(place.scope.user) AND plugin = \(place.plugin)
                ORDER BY name
                """
            ).map { row in
                let schedule = try Self.schedule(row)
                return TimerPlan(
                    name: try row.text("name"), handler: try row.text("handler"),
                    data: try Self.data(row, transaction),
                    dueAt: schedule.occurrence(try row.int("occurrence"), offset: offset), repeats: schedule.repeats)
            }
        }
    }

    static func schedule(_ row: SQLRow) throws -> TimerSchedule {
        let every = try row.int("repeat_every")
        let repeats: TimerRepeat? =
            switch try row.textIfPresent("repeat_unit") {
            case "seconds": .seconds(every)
            case "days": .days(every)
            case "months": .months(every)
            default: nil
            }
        return TimerSchedule(
            anchorLocal: try row.int64("anchor_local"), first: try row.timestamp("due_at"), repeats: repeats)
    }

    static func data(_ row: SQLRow, _ transaction: any ReadTransaction) throws -> JSONObject {
        let bytes = try transaction.open(try row.blob("data"), seal(try row.int64("id")))
        guard case .object(let object)? = try? JSON(parsing: bytes) else { return [:] }
        return object
    }
}
