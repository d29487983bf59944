import TandemJSON

extension APIRoute {
    /// Every route, in the order of the documentation.
    static let all: [APIRoute] =
        AuthRoutes.all + AccountRoutes.all + ProofRoutes.all + NumberRoutes.all + MessageRoutes.all + TaskRoutes.all
        + NoteRoutes.all + MemoryRoutes.all + SearchRoutes.all + FocusRoutes.all + IntegrationRoutes.all
        + ConnectionRoutes.all + DataRoutes.all + UsageRoutes.all + AdminRoutes.all

    /// The schemas that answers refer to by name.
    static let components: JSONObject = [
        "Tokens": AuthRoutes.tokens, "Challenge": AuthRoutes.challenge, "Me": AccountRoutes.me,
        "Session": AccountRoutes.session, "Number": NumberRoutes.number, "Message": MessageRoutes.message,
        "Answer": MessageRoutes.answer, "Task": TaskRoutes.task, "Note": NoteRoutes.note,
        "Memory": MemoryRoutes.memory, "Found": SearchRoutes.found, "Focus": FocusRoutes.area,
        "Integration": IntegrationRoutes.integration,
        "Connection": ConnectionRoutes.connection, "Account": AdminRoutes.account,
        "Key": AdminRoutes.key, "Usage": UsageRoutes.usage, "Problem": problem,
    ]

    private static let problem = Shape.answer(
        [
            "type": Shape.described(["type": "string", "format": "uri-reference"], "Stable: programs may rely on it."),
            "title": ["type": "string"], "status": ["type": "integer"], "detail": ["type": "string"],
            "errors": Shape.described(Shape.list(["type": "object"]), "What is at fault, and where."),
            "request_id": ["type": "string"],
        ], optional: ["detail", "errors"])
}
