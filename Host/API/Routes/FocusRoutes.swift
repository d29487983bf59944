import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage

/// What a person is at: focus areas, one of which is the current one.
enum FocusRoutes {
    static let area = Shape.answer([
        "id": Shape.id, "name": ["type": "string"],
        "state": Shape.described(
            Shape.words(["current", "open", "closed"]), "Current is what you are at now, open what you come back to."),
        "since": Shape.described(Shape.timestamp, "When it last became the current one."),
        "created_at": Shape.timestamp,
    ])

    private static func json(_ area: FocusArea) -> JSON {
        [
            "id": .id(area.id), "name": .string(area.name), "state": .string(area.state.rawValue),
            "since": .timestamp(area.activeAt), "created_at": .timestamp(area.startedAt),
        ]
    }

    private static func found(_ call: APICall) async throws -> FocusArea {
        let id = try call.id()
        guard let area = try await call.services.memory.focusAreas(in: try call.scope).first(where: { $0.id == id })
        else { throw APIProblem.notFound }
        return area
    }

    static let all: [APIRoute] = [
        APIRoute(
            "listFocus", .get, "/api/v1/focus", tag: "Focus", summary: "What you are at",
            text: "The current area first, then by when each was current last; on one page.",
            access: .signedIn(.ownData), rate: .read,
            parameters: [.query("all", "Also closed ones.", Shape.flag)],
            answers: [APIAnswer(200, "All of them.", schema: Shape.page(Shape.named("Focus")))]
        ) { call in
            let isWhole = call.query["all"]?.boolValue == true
            let areas = try await call.services.memory.focusAreas(in: try call.scope).filter {
                isWhole || $0.state != .closed
            }
            return .json(["items": .array(areas.map(json)), "next_cursor": .null])
        },
        APIRoute(
            "setFocus", .post, "/api/v1/focus", tag: "Focus", summary: "Focus on something",
            text: "The area of this name, or a new one, becomes the current one; the one before stays open.",
            access: .signedIn(.ownData), rate: .write,
            body: APIBody(
                Shape.object(
                    [
                        "name": Shape.described(
                            Shape.line(LongTermMemory.longestFocusName), "With at least one letter or digit.")
                    ], required: ["name"]),
                example: ["name": "The tax return"]),
            answers: [
                APIAnswer(201, "It, as the current one.", schema: Shape.named("Focus"), headers: [.etag, .location])
            ],
            problems: [.refusedValue, .overQuota], isIdempotent: true
        ) { call in
            let name = try call.required("name")
            let origin = try await call.database.write(try call.scope) {
                try call.origin("set the focus to \(name)", in: $0)
            }
            let area = try await call.services.memory.focus(on: name, in: try call.scope, origin: origin)
            return .created(json(area), at: "/api/v1/focus/\(area.id)")
        },
        APIRoute(
            "getFocus", .get, "/api/v1/focus/{id}", tag: "Focus", summary: "One focus area",
            access: .signedIn(.ownData), rate: .read, parameters: [.id, .ifNoneMatch],
            answers: [
                APIAnswer(200, "It.", schema: Shape.named("Focus"), headers: [.etag]),
                APIAnswer(304, "As you have it."),
            ]
        ) { call in call.conditional(json(try await found(call))) },
        APIRoute(
            "endFocus", .delete, "/api/v1/focus/{id}", tag: "Focus", summary: "End a focus",
            text: "Closes the area. What is remembered of it stays.", access: .signedIn(.ownData), rate: .write,
            parameters: [.id, .ifMatchOptional],
            answers: [APIAnswer(204, "It is closed; the message `undo` opens it again.")]
        ) { call in
            let area = try await found(call)
            try call.requireMatch(json(area))
            let origin = try await call.database.write(try call.scope) {
                try call.origin("ended the focus \(area.name)", in: $0)
            }
            guard try await call.services.memory.endFocus(area.id, in: try call.scope, origin: origin) != nil else {
                throw APIProblem.notFound
            }
            return .noContent
        },
    ]
}
