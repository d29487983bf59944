import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// The phone numbers that identify a person.
enum NumberRoutes {
    static let number = Shape.answer([
        "id": Shape.id, "number": ["type": "string"], "is_verified": Shape.flag,
        "verified_at": Shape.nullable(Shape.timestamp), "is_primary": Shape.flag, "is_opted_out": Shape.flag,
        "suspension": Shape.nullable(Shape.words(PhoneSuspension.allCases.map(\.rawValue))),
    ])

    private static func json(_ phone: AccountPhone) -> JSON {
        [
            "id": .id(phone.id), "number": .string(phone.number.e164), "is_verified": .bool(phone.verifiedAt != nil),
            "verified_at": phone.verifiedAt.map { .timestamp($0) } ?? .null, "is_primary": .bool(phone.isPrimary),
            "is_opted_out": .bool(phone.isOptedOut),
            "suspension": phone.suspension.map { .string($0.rawValue) } ?? .null,
        ]
    }

    private static func find(_ call: APICall) async throws -> AccountPhone {
        let id = try call.id()
        guard let phone = try await call.accounts.phones(of: try call.scope).first(where: { $0.id == id }) else {
            throw APIProblem.notFound
        }
        return phone
    }

    static let all: [APIRoute] = [
        APIRoute(
            "listNumbers", .get, "/api/v1/numbers", tag: "Numbers", summary: "Your numbers",
            access: .signedIn(.ownData), rate: .read,
            answers: [
                APIAnswer(
                    200, "The primary one first.", schema: Shape.answer(["items": Shape.list(Shape.named("Number"))]))
            ]
        ) { call in
            .json(["items": .array(try await call.accounts.phones(of: try call.scope).map(json))])
        },
        APIRoute(
            "addNumber", .post, "/api/v1/numbers", tag: "Numbers", summary: "Add a number, or prove one anew",
            text: "Sends it a code by text. The answer is the same whoever has the number.",
            access: .signedIn(.ownData, stepUp: .newNumber), rate: .sign,
            body: APIBody(
                Shape.object(["number": Shape.number], required: ["number"]), example: ["number": "+15555550123"]),
            answers: [APIAnswer(202, "A text is on its way.")], problems: [.notConfigured, .refusedValue]
        ) { call in
            try await call.accounts.beginPhoneVerification(try call.person, number: try call.required("number"))
            return APIReply(202)
        },
        APIRoute(
            "verifyNumber", .post, "/api/v1/numbers/verify", tag: "Numbers", summary: "Give the code that a number got",
            access: .signedIn(.ownData, needsSession: true), rate: .sign,
            body: APIBody(
                Shape.object(
                    ["number": Shape.number, "code": Shape.code, "label": Shape.line(60)], required: ["number", "code"]),
                example: ["number": "+15555550123", "code": "123456"]),
            answers: [APIAnswer(200, "It is yours.", schema: Shape.named("Number"))],
            problems: [.codeRefused, .taken, .refusedValue]
        ) { call in
            .json(
                json(
                    try await call.accounts.confirmPhone(
                        try call.scope, number: try call.required("number"), code: try call.required("code"),
                        label: call.text("label"))))
        },
        APIRoute(
            "setPrimaryNumber", .put, "/api/v1/numbers/{id}/primary", tag: "Numbers",
            summary: "Have texts that you did not ask for sent to this number",
            access: .signedIn(.ownData, needsSession: true), rate: .write, parameters: [.id],
            answers: [APIAnswer(204, "It is the primary one.")], problems: [.conflict]
        ) { call in
            let phone = try await find(call)
            do {
                try await call.accounts.setPrimaryPhone(phone.number.e164, of: try call.scope)
            } catch let error as AccountsError where error.code == .unknownPhone {
                throw APIProblem(.conflict, error.message)
            }
            return .noContent
        },
        APIRoute(
            "removeNumber", .delete, "/api/v1/numbers/{id}", tag: "Numbers", summary: "Remove a number",
            access: .signedIn(.ownData, needsSession: true), rate: .write, parameters: [.id],
            answers: [APIAnswer(204, "It identifies nobody any more.")]
        ) { call in
            let phone = try await find(call)
            try await call.accounts.detachPhone(phone.number.e164, from: try call.scope)
            return .noContent
        },
    ]
}
