import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage

/// What the assistant remembers of a person: theirs to see, correct and remove.
enum MemoryRoutes {
    static let table = "ltm_memories"

    private static let tags = Shape.list(Shape.line(40), max: 20)
    private static let content = Shape.described(
        Shape.text(2000, minLength: 1), "A statement in your words, with at least one letter or digit.")

    static let memory = Shape.answer([
        "id": Shape.id, "content": ["type": "string"], "tags": Shape.list(["type": "string"]),
        "category": Shape.nullable(["type": "string"]), "type": ["type": "string"],
        "channel": Shape.nullable(["type": "string"]),
        "holds": Shape.described(Shape.flag, "False: a newer statement took its place, or it is archived."),
        "superseded_by": Shape.nullable(Shape.id), "valid_from": Shape.timestamp,
        "valid_until": Shape.nullable(Shape.timestamp), "created_at": Shape.timestamp, "updated_at": Shape.timestamp,
    ])

    static func json(_ memory: Memory) -> JSON {
        [
            "id": .id(memory.id), "content": .string(memory.content),
            "tags": .array(memory.tags.map { .string($0) }), "category": memory.category.map { .string($0) } ?? .null,
            "type": .string(memory.type), "channel": memory.channel.map { .string($0) } ?? .null,
            "holds": .bool(memory.isOpen), "superseded_by": memory.supersededBy.map { .id($0) } ?? .null,
            "valid_from": .timestamp(memory.validFrom),
            "valid_until": memory.validUntil.map { .timestamp($0) } ?? .null,
            "created_at": .timestamp(memory.createdAt), "updated_at": .timestamp(memory.modifiedAt),
        ]
    }

    private static func found(_ call: APICall) async throws -> Memory {
        guard let memory = try await call.services.memory.memory(try call.id(), in: try call.scope) else {
            throw APIProblem.notFound
        }
        return memory
    }

    static let all: [APIRoute] = [
        APIRoute(
            "listMemories", .get, "/api/v1/memories", tag: "Memories", summary: "What is remembered of you",
            text: "Newest first. With `q` the best answers to a question instead, best first and on one page.",
            access: .signedIn(.ownData), rate: .read,
            parameters: APIParameter.page + [
                .query("q", "A question: `where are my keys?`.", Shape.text(500, minLength: 1)),
                .query("all", "Also what holds no longer.", Shape.flag),
            ], answers: [APIAnswer(200, "A page.", schema: Shape.page(Shape.named("Memory")))], isCostly: true
        ) { call in
            let limit = call.limit
            if let question = call.query["q"]?.stringValue {
                let hits = try await call.services.memory.recall(question, limit: limit, in: try call.scope)
                return .json(["items": .array(hits.map { json($0.memory) }), "next_cursor": .null])
            }
            var conditions: [RowCondition] = []
            if call.query["all"]?.boolValue != true {
                conditions = [
                    RowCondition("superseded_by", .isNull), RowCondition("is_archived", .equal, false),
                    RowCondition("valid_until", .isNull),
                ]
            }
            if let cursor = call.cursor { conditions.append(RowCondition("id", .less, .id(cursor))) }
            let filter = conditions
            let rows = try await call.database.read(try call.scope) { transaction in
                try transaction.list(
                    table, where: filter, order: [RowOrder("id", descending: true)], limit: limit + 1)
            }
            return .page(rows, limit: limit) { json(Memory(row: $0)) }
        },
        APIRoute(
            "createMemory", .post, "/api/v1/memories", tag: "Memories", summary: "Have something remembered",
            text:
                "A statement that is known is refreshed; one about the same single thing takes the older one's place.",
            access: .signedIn(.ownData), rate: .write,
            body: APIBody(
                Shape.object(["content": content, "tags": tags, "category": Shape.line(60)], required: ["content"]),
                example: ["content": "My bike is a blue Brompton", "tags": ["bike"]]),
            answers: [
                APIAnswer(201, "As it is remembered now.", schema: Shape.named("Memory"), headers: [.etag, .location])
            ],
            problems: [.refusedValue, .overQuota], isIdempotent: true
        ) { call in
            let new = NewMemory(
                try call.required("content"), tags: (call.body["tags"]?.arrayValue ?? []).compactMap(\.stringValue),
                category: call.text("category"), channel: RESTChannel.channelName)
            let origin = try await call.database.write(try call.scope) {
                try call.origin("remembered something", in: $0)
            }
            let memory = try await call.services.memory.remember(new, in: try call.scope, origin: origin).memory
            return .created(json(memory), at: "/api/v1/memories/\(memory.id)")
        },
        APIRoute(
            "getMemory", .get, "/api/v1/memories/{id}", tag: "Memories", summary: "One memory",
            access: .signedIn(.ownData), rate: .read, parameters: [.id, .ifNoneMatch],
            answers: [
                APIAnswer(200, "It.", schema: Shape.named("Memory"), headers: [.etag]),
                APIAnswer(304, "As you have it."),
            ]
        ) { call in call.conditional(json(try await found(call))) },
        APIRoute(
            "changeMemory", .patch, "/api/v1/memories/{id}", tag: "Memories", summary: "Correct a memory",
            text: "Members that are not given stay.", access: .signedIn(.ownData), rate: .write,
            parameters: [.id, .ifMatch],
            body: APIBody(
                Shape.object(
                    ["content": content, "tags": tags, "category": Shape.nullable(Shape.line(60))], minMembers: 1),
                example: ["content": "My bike is a red Brompton"]),
            answers: [APIAnswer(200, "It, corrected.", schema: Shape.named("Memory"), headers: [.etag])],
            problems: [.refusedValue]
        ) { call in
            let id = try call.id()
            let origin = try await call.database.write(try call.scope) { transaction in
                guard try transaction.row(table, id) != nil else { throw APIProblem.notFound }
                return try call.origin("corrected a memory", in: transaction)
            }
            var correction = MemoryCorrection()
            correction.content = call.text("content")
            if let tags = call.body["tags"]?.arrayValue { correction.tags = tags.compactMap(\.stringValue) }
            if let category = call.body["category"] { correction.category = .some(category.stringValue) }
            let memory = try await call.services.memory.correct(id, correction, in: try call.scope, origin: origin) {
                try call.requireMatch(json($0))
            }
            guard let memory else { throw APIProblem.notFound }
            return .versioned(json(memory))
        },
        APIRoute(
            "deleteMemory", .delete, "/api/v1/memories/{id}", tag: "Memories", summary: "Have something forgotten",
            text: "With the older statements whose place it took.", access: .signedIn(.ownData), rate: .write,
            parameters: [.id, .ifMatchOptional],
            answers: [APIAnswer(204, "It is forgotten; the message `undo` brings it back.")]
        ) { call in
            let memory = try await found(call)
            try call.requireMatch(json(memory))
            let origin = try await call.database.write(try call.scope) { try call.origin("forgot a memory", in: $0) }
            guard try await call.services.memory.forget(memory.id, in: try call.scope, origin: origin) != nil else {
                throw APIProblem.notFound
            }
            return .noContent
        },
    ]
}
