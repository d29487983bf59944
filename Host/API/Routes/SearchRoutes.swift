import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage

/// The search over everything that a person has.
enum SearchRoutes {
    private static let kinds = ["memory", "note", "message", "plugin"]

    static let found = Shape.answer([
        "kind": Shape.words(kinds + ["other"]),
        "source": Shape.described(["type": "string"], "The integration's name; else the kind."), "id": Shape.id,
        "text": Shape.described(["type": "string"], "The line that answers best, cut."), "at": Shape.timestamp,
        "trust": Shape.described(
            Shape.words(TrustLabel.allCases.map(\.rawValue)), "Whose words these are: what others wrote is not yours."),
        "score": Shape.described(["type": "number"], "The sum of the parts; higher is better."),
        "parts": Shape.described(["type": "object"], "What the score is made of, by name."),
    ])

    static let all: [APIRoute] = [
        APIRoute(
            "search", .get, "/api/v1/search", tag: "Memories", summary: "Search everything that is yours",
            text:
                "Memories, notes, messages, and what the integrations that are on keep and let be searched; by words and "
                + "meaning, best first, on one page.",
            access: .signedIn(.ownData), rate: .read,
            parameters: [
                .limit,
                APIParameter(
                    "q", .query, "A question or words: `the plumber's offer`.", Shape.text(500, minLength: 1),
                    isRequired: true),
                .query("kind", "Only this.", Shape.words(kinds)),
            ],
            answers: [APIAnswer(200, "What was found.", schema: Shape.page(Shape.named("Found")))], isCostly: true
        ) { call in
            let question = call.query["q"]?.stringValue ?? ""
            let kinds = call.query["kind"]?.stringValue.map { Set([$0]) }
            let hits = try await call.services.memory.search.find(
                question, kinds: kinds, limit: call.limit, in: try call.scope)
            return .json(["items": .array(hits.map { json($0, question) }), "next_cursor": .null])
        }
    ]

    private static func json(_ hit: FoundText, _ question: String) -> JSON {
        [
            "kind": .string(hit.kind), "source": .string(hit.owner.isEmpty ? hit.kind : hit.owner), "id": .id(hit.id),
            "text": .string(hit.excerpt(for: question, length: 300)), "at": .timestamp(hit.at),
            "trust": .string(hit.trust.rawValue), "score": .number((hit.score.total * 1000).rounded() / 1000),
            "parts": .object(
                JSONObject(hit.score.parts.map { ($0.name, .number(($0.value * 1000).rounded() / 1000)) })),
        ]
    }
}
