import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemLife
import TandemStorage

/// Tasks and their steps.
enum TaskRoutes {
    static let table = "tasks"
    private static let most = 10_000
    private static let deepest = 6

    private static let priority = Shape.words(["low", "normal", "high"])
    private static let title = Shape.line(200)
    private static let dueAt = Shape.described(Shape.timestamp, "An instant by which it is to be done.")
    private static let dueDate = Shape.described(Shape.date, "A day by which it is to be done.")

    static let task = Shape.answer([
        "id": Shape.id, "title": ["type": "string"], "description": Shape.nullable(["type": "string"]),
        "status": Shape.words(["open", "done"]), "priority": priority,
        "due_date": Shape.nullable(Shape.date), "due_at": Shape.nullable(Shape.timestamp),
        "snoozed_until": Shape.nullable(Shape.timestamp), "completed_at": Shape.nullable(Shape.timestamp),
        "parent_id": Shape.described(Shape.nullable(Shape.id), "The task that this is a step of."),
        "step_order": ["type": "integer"], "created_at": Shape.timestamp, "updated_at": Shape.timestamp,
    ])

    static let columns = [
        "id", "title", "description", "status", "priority", "due_date", "due_at", "snoozed_until", "completed_at",
        "parent_id", "step_order", "created_at", "updated_at",
    ]

    private static let shown = RowColumns(columns)

    static func json(_ row: UserRow) -> JSON { row.members(columns) }

    private static let changes: JSONObject = [
        "title": title, "description": Shape.nullable(Shape.text(4000)), "status": Shape.words(["open", "done"]),
        "priority": priority, "due_date": Shape.nullable(dueDate), "due_at": Shape.nullable(dueAt),
        "snoozed_until": Shape.nullable(Shape.timestamp),
        "step_order": ["type": "integer", "minimum": 0, "maximum": 1_000_000],
    ]

    private static let creation: JSON = {
        var members: JSONObject = [:]
        for (name, schema) in changes where name != "status" { members[name] = schema }
        members["parent_id"] = Shape.id
        var schema = Shape.object(members, required: ["title"])
        schema["not"] = ["required": ["due_date", "due_at"]]
        return schema
    }()

    private static let change: JSON = {
        var schema = Shape.object(changes, minMembers: 1)
        schema["not"] = ["required": ["due_date", "due_at"]]
        return schema
    }()

    static let all: [APIRoute] = [
        APIRoute(
            "listTasks", .get, "/api/v1/tasks", tag: "Tasks", summary: "Your tasks", text: "Newest first.",
            access: .signedIn(.planning), rate: .read,
            parameters: APIParameter.page + [
                .query("status", "Only these.", Shape.words(["open", "done"])),
                .query("priority", "Only these.", priority),
                .query("parent_id", "Only the steps of this task.", Shape.id),
                .query("due_from", "Due on this day or later.", Shape.date),
                .query("due_to", "Due on this day or before.", Shape.date),
            ], answers: [APIAnswer(200, "A page.", schema: Shape.page(Shape.named("Task")))]
        ) { call in
            var conditions: [RowCondition] = []
            if let cursor = call.cursor { conditions.append(RowCondition("id", .less, .id(cursor))) }
            for (name, column, comparison) in filters {
                if let value = call.query[name] { conditions.append(RowCondition(column, comparison, value)) }
            }
            return .page(
                try await call.database.page(
                    PageRequest(
                        table, shown, where: conditions, order: [RowOrder("id", descending: true)], limit: call.limit),
                    of: try call.scope))
        },
        APIRoute(
            "createTask", .post, "/api/v1/tasks", tag: "Tasks", summary: "Add a task or a step of one",
            access: .signedIn(.planning), rate: .write,
            body: APIBody(
                creation, example: ["title": "Call the dentist", "due_date": "2026-12-01", "priority": "high"],
                maxBytes: 65_536),
            answers: [APIAnswer(201, "It.", schema: Shape.named("Task"), headers: [.etag, .location])],
            problems: [.conflict, .overQuota], isIdempotent: true
        ) { call in
            let zone = try await call.accounts.profile(of: try call.scope).timeZone
            return try await call.database.write(try call.scope) { transaction in
                guard try transaction.count(table) < most else { throw APIProblem(.overQuota) }
                var values = call.body.objectValue ?? [:]
                try due(&values, zone)
                if let parent = call.text("parent_id").flatMap({ RecordID($0) }) {
                    guard let depth = try depth(of: parent, in: transaction), depth < deepest else {
                        throw APIProblem(.conflict, "There is no such task, or its steps are too deep already.")
                    }
                }
                let origin = try call.origin("added the task \(try call.required("title"))", in: transaction)
                let id = try transaction.insert(table, values, origin: origin)
                guard let row = try transaction.row(table, id) else {
                    throw StorageError(.internalFailure, "an inserted row is not there")
                }
                return try call.settle(.created(json(row), at: "/api/v1/tasks/\(id)"), in: transaction)
            }
        },
        APIRoute(
            "getTask", .get, "/api/v1/tasks/{id}", tag: "Tasks", summary: "One task",
            access: .signedIn(.planning), rate: .read, parameters: [.id, .ifNoneMatch],
            answers: [
                APIAnswer(200, "It.", schema: Shape.named("Task"), headers: [.etag]),
                APIAnswer(304, "As you have it."),
            ]
        ) { call in
            let id = try call.id()
            guard let row = try await call.database.read(try call.scope, { try $0.row(table, id) }) else {
                throw APIProblem.notFound
            }
            return call.conditional(json(row))
        },
        APIRoute(
            "changeTask", .patch, "/api/v1/tasks/{id}", tag: "Tasks", summary: "Change a task",
            text:
                "Members that are not given stay. Doing a task does its steps; opening a step opens what it belongs to.",
            access: .signedIn(.planning), rate: .write, parameters: [.id, .ifMatch],
            body: APIBody(change, example: ["status": "done"], maxBytes: 65_536),
            answers: [APIAnswer(200, "It, changed.", schema: Shape.named("Task"), headers: [.etag])]
        ) { call in
            let id = try call.id()
            let zone = try await call.accounts.profile(of: try call.scope).timeZone
            return try await call.database.write(try call.scope) { transaction in
                guard let row = try transaction.row(table, id) else { throw APIProblem.notFound }
                try call.requireMatch(json(row))
                var values = call.body.objectValue ?? [:]
                try due(&values, zone)
                let origin = try call.origin(
                    "changed the task \(row.string("title") ?? "")", in: transaction)
                if let status = values["status"]?.stringValue, status != row.string("status") {
                    values["completed_at"] = status == "done" ? .timestamp(transaction.now) : .null
                    try follow(row, isDone: status == "done", origin, in: transaction)
                }
                try transaction.update(table, id, set: values, origin: origin)
                guard let changed = try transaction.row(table, id) else { throw APIProblem.notFound }
                return .versioned(json(changed))
            }
        },
        APIRoute(
            "deleteTask", .delete, "/api/v1/tasks/{id}", tag: "Tasks", summary: "Remove a task and its steps",
            access: .signedIn(.planning), rate: .write, parameters: [.id, .ifMatchOptional],
            answers: [APIAnswer(204, "It is gone; the message `undo` brings it back.")]
        ) { call in
            let id = try call.id()
            return try await call.database.write(try call.scope) { transaction in
                guard let row = try transaction.row(table, id) else { throw APIProblem.notFound }
                try call.requireMatch(json(row))
                let origin = try call.origin(
                    "removed the task \(row.string("title") ?? "")", in: transaction)
                try transaction.delete(table, id, origin: origin)
                return .noContent
            }
        },
    ]

    private static let filters: [(String, String, RowCondition.Comparison)] = [
        ("status", "status", .equal), ("priority", "priority", .equal), ("parent_id", "parent_id", .equal),
        ("due_from", "due_date", .greaterOrEqual), ("due_to", "due_date", .lessOrEqual),
    ]

    /// An instant has its day in the person's zone; a day alone has no instant.
    private static func due(_ values: inout JSONObject, _ zone: String) throws {
        for name in ["due_at", "snoozed_until"] {
            guard let text = values[name]?.stringValue else { continue }
            guard let instant = Timestamp(text) else { throw APIProblem(.invalidBody) }
            values[name] = .timestamp(instant)
            if name == "due_at" {
                let local = instant.advanced(by: .seconds(ZoneOffsets.seconds(zone, at: instant)))
                let days = Int((Double(local.millisecondsSinceEpoch) / 86_400_000).rounded(.down))
                values["due_date"] = .date(CivilDate(daysSinceEpoch: days))
            }
        }
        if values["due_at"]?.isNull == true, values["due_date"] == nil { values["due_date"] = .null }
        if values["due_date"] != nil, values["due_at"] == nil { values["due_at"] = .null }
    }

    /// How many tasks lie above a task, itself included; nil when the person has none of that id.
    private static func depth(of id: RecordID, in transaction: any ReadTransaction) throws -> Int? {
        var depth = 0
        var current: RecordID? = id
        while let id = current, depth <= deepest {
            guard let row = try transaction.row(table, id) else { return depth == 0 ? nil : depth }
            depth += 1
            current = row.recordID("parent_id")
        }
        return depth
    }

    /// Doing a task does its steps; an open step needs open tasks above it.
    private static func follow(
        _ row: UserRow, isDone: Bool, _ origin: WriteOrigin, in transaction: any WriteTransaction
    ) throws {
        if isDone {
            let set: JSONObject = ["status": "done", "completed_at": .timestamp(transaction.now)]
            var waiting = [row.id]
            var visited: Set<RecordID> = [row.id]
            while let id = waiting.popLast(), visited.count < 2000 {
                let steps = try transaction.list(
                    table,
                    where: [RowCondition("parent_id", .equal, .id(id)), RowCondition("status", .equal, "open")],
                    limit: 500)
                for step in steps where visited.insert(step.id).inserted {
                    try transaction.update(table, step.id, set: set, origin: origin)
                    waiting.append(step.id)
                }
            }
            return
        }
        var parent = row.recordID("parent_id")
        var levels = 0
        while let id = parent, levels < 32, let above = try transaction.row(table, id) {
            if above.string("status") == "done" {
                try transaction.update(table, id, set: ["status": "open", "completed_at": .null], origin: origin)
            }
            parent = above.recordID("parent_id")
            levels += 1
        }
    }
}

extension UserRow {
    /// Some columns as an object, in this order.
    func members(_ columns: [String]) -> JSON {
        var object = JSONObject()
        for column in columns { object[column] = self[column] }
        return .object(object)
    }
}
