import HTTPTypes
import Synchronization
import TandemAccounts
import TandemAgent
import TandemCore
import TandemJSON
import TandemStorage

/// Talking to the assistant.
enum MessageRoutes {
    static let table = "messages"
    /// How long a request waits for its answer; what takes longer goes on without it.
    private static let patience: Duration = .seconds(25)

    static let message = Shape.answer([
        "id": Shape.id, "direction": Shape.words(["in", "out"]), "channel": ["type": "string"],
        "turn": Shape.described(Shape.nullable(Shape.id), "Of an answer: the message that it answers."),
        "text": ["type": "string"], "created_at": Shape.timestamp,
    ])

    static let answer = Shape.answer(
        [
            "turn": Shape.described(Shape.id, "The id of your message."),
            "status": Shape.described(Shape.words(["answered", "working"]), "`working`: the answer is still to come."),
            "reply": Shape.nullable(["type": "string"]),
            "more": Shape.described(Shape.flag, "`more` would show more."),
            "handled_by": Shape.described(Shape.nullable(["type": "string"]), "`local`, or a model's name."),
            "calls": Shape.list(
                Shape.answer(["tool": ["type": "string"], "args": [:], "outcome": ["type": "string"]])),
            "confirmation": Shape.described(
                Shape.nullable(
                    Shape.answer([
                        "code": ["type": "string"], "summary": ["type": "string"], "expires_at": Shape.timestamp,
                    ])),
                "What waits for your word: send the code as a message."),
            "undo": Shape.described(Shape.nullable(["type": "string"]), "What the message `undo` would take back."),
        ])

    static func json(_ row: UserRow) -> JSON {
        [
            "id": row["id"], "direction": row["direction"], "channel": row["channel"], "turn": row["turn"],
            "text": row["text"], "created_at": row["created_at"],
        ]
    }

    private static func pending(_ turn: RecordID) -> JSON {
        [
            "turn": .id(turn), "status": "working", "reply": .null, "more": false, "handled_by": .null, "calls": [],
            "confirmation": .null, "undo": .null,
        ]
    }

    private static func json(_ answer: Answer) -> JSON {
        var object: JSONObject = ["turn": .id(answer.turn), "status": "answered"]
        for (name, value) in answer.json.objectValue ?? [:] { object[name] = value }
        return .object(object)
    }

    static let all: [APIRoute] = [
        APIRoute(
            "sendMessage", .post, "/api/v1/messages", tag: "Messages", summary: "Say something to the assistant",
            text: "Waits for the answer up to 25 seconds; a turn that takes longer, or that you do not wait for, is "
                + "answered with 202, and its answer comes by the stream and the history.",
            access: .signedIn(.conversation), rate: .message,
            body: APIBody(
                Shape.object(
                    [
                        "text": Shape.text(4000, minLength: 1),
                        "wait": Shape.described(Shape.flag, "False: do not wait for the answer."),
                    ], required: ["text"]), example: ["text": "add milk to my list"], maxBytes: 65_536),
            answers: [
                APIAnswer(201, "The answer.", schema: Shape.named("Answer"), headers: [.location]),
                APIAnswer(202, "Taken; it is being worked on.", schema: Shape.named("Answer"), headers: [.location]),
            ], isIdempotent: true
        ) { call in try await send(call) },
        APIRoute(
            "listMessages", .get, "/api/v1/messages", tag: "Messages", summary: "What was said",
            text: "Over all channels, newest first.", access: .signedIn(.conversation), rate: .read,
            parameters: APIParameter.page + [
                .query("direction", "`in`: yours; `out`: the assistant's.", Shape.words(["in", "out"]))
            ], answers: [APIAnswer(200, "A page.", schema: Shape.page(Shape.named("Message")))]
        ) { call in
            var conditions: [RowCondition] = []
            if let cursor = call.cursor { conditions.append(RowCondition("id", .less, .id(cursor))) }
            if let direction = call.query["direction"] {
                conditions.append(RowCondition("direction", .equal, direction))
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
            "streamMessages", .get, "/api/v1/messages/stream", tag: "Messages", summary: "Watch what is said",
            text: "Server-sent events, one per message of either side; the event's id is the message's. With "
                + "`Accept: text/event-stream`, as browsers' `EventSource` sends it, the stream goes on until either side "
                + "ends it; else it ends after what there is. Who comes back with `Last-Event-ID` gets what followed.",
            access: .signedIn(.conversation), rate: .message,
            parameters: [
                APIParameter("Last-Event-ID", .header, "The id of the last event that you have.", Shape.id),
                .query("last_event_id", "The same, for clients that cannot set headers.", Shape.id),
            ],
            answers: [
                APIAnswer(
                    200, "Events; `data` is a message as JSON.",
                    schema: [
                        "type": "object",
                        "properties": [
                            "id": ["type": "string"], "event": ["type": "string"], "data": ["type": "string"],
                            "retry": ["type": "integer"],
                        ],
                    ], mediaTypes: ["text/event-stream"],
                    example: "id: 819202941091840\nevent: message\ndata: {\"id\":\"819202941091840\"}\n\n")
            ]
        ) { call in
            let text = call.headers[.lastEventID] ?? call.query["last_event_id"]?.stringValue
            let stream = MessageStream(call: call, scope: try call.scope)
            return try await stream.reply(after: text.flatMap { RecordID($0) }, isLive: call.wantsStream)
        },
        APIRoute(
            "getMessage", .get, "/api/v1/messages/{id}", tag: "Messages", summary: "One message, with its answer",
            access: .signedIn(.conversation), rate: .read, parameters: [.id],
            answers: [
                APIAnswer(
                    200, "It.",
                    schema: Shape.answer([
                        "message": Shape.named("Message"), "answers": Shape.list(Shape.named("Message")),
                    ]))
            ]
        ) { call in
            let id = try call.id()
            let (row, answers) = try await call.database.read(try call.scope) { transaction in
                (try transaction.row(table, id), try MessageRoutes.answers(to: id, in: transaction))
            }
            guard let row else { throw APIProblem.notFound }
            return .json(["message": json(row), "answers": .array(answers.map(json))])
        },
    ]

    private static func answers(to turn: RecordID, in transaction: any ReadTransaction) throws -> [UserRow] {
        // Answers come right after: their ids are larger.
        try transaction.list(
            table, where: [RowCondition("id", .greater, .id(turn)), RowCondition("turn", .equal, .id(turn))],
            order: [RowOrder("id")], limit: 10)
    }

    private static func send(_ call: APICall) async throws -> APIReply {
        let scope = try call.scope
        if let turn = call.reservation?.subject { return try await resumed(turn, call, scope) }
        let text = try call.required("text")
        let services = call.services
        let reservation = call.reservation
        let box = TurnBox()
        let note: @Sendable (RecordID, any WriteTransaction) throws -> Void = { turn, transaction in
            box.set(turn)
            if let reservation {
                try services.idempotency.note(subject: turn, of: reservation, in: transaction)
            }
            transaction.afterCommit { services.feed.notify(scope.user) }
        }
        if call.body["wait"]?.boolValue == false {
            let turn = try await services.agent.take(text, channel: RESTChannel.channelName, scope: scope, noting: note)
            return accepted(turn)
        }
        let answer = try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask {
                do {
                    return try await services.agent.converse(
                        text, channel: RESTChannel.channelName, scope: scope, noting: note)
                } catch is CancellationError {
                    return nil
                }
            }
            group.addTask {
                try? await Task.sleep(for: patience)
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            return first
        }
        guard let answer else {
            guard let turn = box.turn else { throw APIProblem(.unavailable) }
            return accepted(turn)
        }
        var reply = APIReply.json(json(answer), status: 201)
        reply.headers[.location] = "/api/v1/messages/\(answer.turn)"
        return reply
    }

    private static func accepted(_ turn: RecordID) -> APIReply {
        var reply = APIReply.json(pending(turn), status: 202)
        reply.headers[.location] = "/api/v1/messages/\(turn)"
        return reply
    }

    /// An earlier process took the message and did not live to answer the request.
    private static func resumed(_ turn: RecordID, _ call: APICall, _ scope: UserScope) async throws -> APIReply {
        let rows = try await call.database.read(scope) { try answers(to: turn, in: $0) }
        guard let row = rows.first else { return accepted(turn) }
        var object = pending(turn)
        object["status"] = "answered"
        object["reply"] = row["text"]
        var reply = APIReply.json(object, status: 201)
        reply.headers[.location] = "/api/v1/messages/\(turn)"
        return reply
    }
}

/// The turn that a request began, seen from the task that waits.
private final class TurnBox: Sendable {
    private let value = Mutex<RecordID?>(nil)

    var turn: RecordID? { value.withLock { $0 } }

    func set(_ turn: RecordID) { value.withLock { $0 = turn } }
}
