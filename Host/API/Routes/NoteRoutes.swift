import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// Notes.
enum NoteRoutes {
    static let table = "notes"
    private static let most = 5000

    private static let tags = Shape.described(
        Shape.list(["type": "string", "pattern": "^[a-z0-9_-]{0,39}[a-z][a-z0-9_-]{0,39}$", "maxLength": 40], max: 20),
        "Words without `#`.")
    private static let importance = Shape.words(["low", "normal", "high"])

    static let note = Shape.answer([
        "id": Shape.id, "title": ["type": "string"], "content": ["type": "string"],
        "tags": Shape.list(["type": "string"]), "category": Shape.nullable(["type": "string"]),
        "importance": ["type": "string"], "created_at": Shape.timestamp, "updated_at": Shape.timestamp,
    ])

    static func json(_ row: UserRow) -> JSON {
        let tags = row["tags"]
        return [
            "id": row["id"], "title": row["title"], "content": row["content"], "tags": tags.isNull ? [] : tags,
            "category": row["category"], "importance": row["importance"], "created_at": row["created_at"],
            "updated_at": row["updated_at"],
        ]
    }

    private static let members: JSONObject = [
        "title": Shape.line(200), "content": Shape.text(16_000, minLength: 1), "tags": tags,
        "category": Shape.nullable(Shape.line(60)), "importance": importance,
    ]
    private static let active = RowCondition("status", .equal, "active")

    private static func row(_ call: APICall, in transaction: any ReadTransaction) throws -> UserRow {
        guard let row = try transaction.row(table, try call.id()), row.string("status") == "active" else {
            throw APIProblem.notFound
        }
        return row
    }

    static let all: [APIRoute] = [
        APIRoute(
            "listNotes", .get, "/api/v1/notes", tag: "Notes", summary: "Your notes", text: "Newest first.",
            access: .signedIn(.planning), rate: .read,
            parameters: APIParameter.page + [.query("importance", "Only these.", importance)],
            answers: [APIAnswer(200, "A page.", schema: Shape.page(Shape.named("Note")))]
        ) { call in
            var conditions = [active]
            if let cursor = call.cursor { conditions.append(RowCondition("id", .less, .id(cursor))) }
            if let importance = call.query["importance"] {
                conditions.append(RowCondition("importance", .equal, importance))
            }
            let filter = conditions
            let limit = call.limit
            let rows = try await call.database.read(try call.scope) { transaction in
                try transaction.list(
                    table, where: filter, order: [RowOrder("id", descending: true)], limit: limit + 1)
            }
            return .page(rows, limit: limit, json)
        },
        APIRoute(
            "createNote", .post, "/api/v1/notes", tag: "Notes", summary: "Write a note",
            access: .signedIn(.planning), rate: .write,
            body: APIBody(
                Shape.object(members, required: ["title", "content"]),
                example: ["title": "Locker", "content": "The locker's code is on the blue card.", "tags": ["home"]],
                maxBytes: 131_072),
            answers: [APIAnswer(201, "It.", schema: Shape.named("Note"), headers: [.etag, .location])],
            problems: [.overQuota], isIdempotent: true
        ) { call in
            try await call.database.write(try call.scope) { transaction in
                guard try transaction.count(table) < most else { throw APIProblem(.overQuota) }
                let values = call.body.objectValue ?? [:]
                let origin = try call.origin("wrote the note \(try call.required("title"))", in: transaction)
                let id = try transaction.insert(table, values, origin: origin)
                guard let row = try transaction.row(table, id) else {
                    throw StorageError(.internalFailure, "an inserted row is not there")
                }
                return try call.settle(.created(json(row), at: "/api/v1/notes/\(id)"), in: transaction)
            }
        },
        APIRoute(
            "getNote", .get, "/api/v1/notes/{id}", tag: "Notes", summary: "One note", access: .signedIn(.planning),
            rate: .read, parameters: [.id, .ifNoneMatch],
            answers: [
                APIAnswer(200, "It.", schema: Shape.named("Note"), headers: [.etag]),
                APIAnswer(304, "As you have it."),
            ]
        ) { call in call.conditional(json(try await call.database.read(try call.scope) { try row(call, in: $0) })) },
        APIRoute(
            "changeNote", .patch, "/api/v1/notes/{id}", tag: "Notes", summary: "Change a note",
            text: "Members that are not given stay.", access: .signedIn(.planning), rate: .write,
            parameters: [.id, .ifMatch],
            body: APIBody(
                Shape.object(members, minMembers: 1), example: ["tags": ["home", "keys"]], maxBytes: 131_072),
            answers: [APIAnswer(200, "It, changed.", schema: Shape.named("Note"), headers: [.etag])]
        ) { call in
            try await call.database.write(try call.scope) { transaction in
                let old = try row(call, in: transaction)
                try call.requireMatch(json(old))
                let values = call.body.objectValue ?? [:]
                let origin = try call.origin("changed the note \(old.string("title") ?? "")", in: transaction)
                try transaction.update(table, old.id, set: values, origin: origin)
                return .versioned(json(try row(call, in: transaction)))
            }
        },
        APIRoute(
            "deleteNote", .delete, "/api/v1/notes/{id}", tag: "Notes", summary: "Remove a note",
            access: .signedIn(.planning), rate: .write, parameters: [.id, .ifMatchOptional],
            answers: [APIAnswer(204, "It is gone; the message `undo` brings it back.")]
        ) { call in
            try await call.database.write(try call.scope) { transaction in
                let old = try row(call, in: transaction)
                try call.requireMatch(json(old))
                let origin = try call.origin("removed the note \(old.string("title") ?? "")", in: transaction)
                try transaction.delete(table, old.id, origin: origin)
                return .noContent
            }
        },
    ]
}
