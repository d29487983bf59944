import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// One's own account: who one is, settings, address, password, sessions.
enum AccountRoutes {
    private static let zone = Shape.described(
        ["type": "string", "pattern": "^[A-Za-z0-9_+/-]{1,64}$"], "IANA name: `Europe/Paris`.")
    private static let settingShapes: JSONObject = [
        "name": Shape.line(120), "time_zone": zone,
        "currency": Shape.described(["type": "string", "pattern": "^[A-Z]{3}$"], "ISO 4217."),
        "language": Shape.described(
            ["type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,4}){0,2}$"], "BCP 47."),
        "quiet_hours": Shape.described(
            [
                "type": "string",
                "pattern": "^(off|([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9])$",
            ], "`21:00-08:00`, or `off`: when nothing goes out on the assistant's own account."),
        "sms_segments": ["type": "integer", "minimum": 1, "maximum": 3],
    ]

    static let me = Shape.answer([
        "id": Shape.id, "email": ["type": "string"], "full_name": ["type": "string"],
        "role": Shape.words(Account.Role.allCases.map(\.rawValue)), "created_at": Shape.timestamp,
        "email_verified_at": Shape.nullable(Shape.timestamp), "second_factor": Shape.flag,
        "permissions": Shape.list(Shape.words(Permission.allCases.map(\.rawValue))),
        "settings": Shape.answer([
            "name": Shape.nullable(["type": "string"]), "time_zone": ["type": "string"], "currency": ["type": "string"],
            "language": ["type": "string"], "quiet_hours": ["type": "string"], "sms_segments": ["type": "integer"],
        ]),
    ])

    static let session = Shape.answer([
        "id": Shape.id, "device": Shape.nullable(["type": "string"]), "place": Shape.nullable(["type": "string"]),
        "methods": Shape.list(["type": "string"]), "created_at": Shape.timestamp, "last_seen_at": Shape.timestamp,
        "expires_at": Shape.timestamp, "is_current": Shape.flag,
    ])

    private static func me(_ call: APICall) async throws -> JSON {
        let principal = try call.person
        guard let account = try await call.accounts.user(principal.user) else { throw APIProblem(.unauthorized) }
        let profile = try await call.accounts.profile(of: principal.scope)
        let verified = try await call.accounts.emailVerifiedAt(principal.scope)
        return [
            "id": .string(account.id.description), "email": .string(account.email),
            "full_name": .string(account.fullName), "role": .string(account.role.rawValue),
            "created_at": .timestamp(account.createdAt), "email_verified_at": verified.map { .timestamp($0) } ?? .null,
            "second_factor": .bool(principal.hasSecondFactor),
            "permissions": .array(principal.permissions.all.map { .string($0.rawValue) }),
            "settings": [
                "name": profile.name.map { .string($0) } ?? .null, "time_zone": .string(profile.timeZone),
                "currency": .string(profile.currency), "language": .string(profile.language),
                "quiet_hours": .string(profile.quietHours?.text ?? "off"),
                "sms_segments": .integer(Int64(profile.segments)),
            ],
        ]
    }

    static let all: [APIRoute] = [
        APIRoute(
            "getMe", .get, "/api/v1/me", tag: "Account", summary: "Who you are, and your settings",
            access: .signedIn(.ownData), rate: .read, parameters: [.ifNoneMatch],
            answers: [
                APIAnswer(200, "You.", schema: Shape.named("Me"), headers: [.etag]), APIAnswer(304, "As you have it."),
            ]
        ) { call in call.conditional(try await me(call)) },
        APIRoute(
            "changeMe", .patch, "/api/v1/me", tag: "Account", summary: "Change your settings",
            text: "Members that are not given stay; null gives a setting its default again.",
            access: .signedIn(.ownData, needsSession: true), rate: .write, parameters: [.ifMatch],
            body: APIBody(
                Shape.object(JSONObject(settingShapes.map { ($0.key, Shape.nullable($0.value)) }), minMembers: 1),
                example: ["time_zone": "Europe/Paris", "quiet_hours": "22:00-07:00"]),
            answers: [APIAnswer(200, "You, changed.", schema: Shape.named("Me"), headers: [.etag])],
            problems: [.refusedValue]
        ) { call in
            let current = try await me(call)
            try call.requireMatch(current)
            var profile = try await call.accounts.profile(of: try call.scope)
            for (name, value) in call.body.objectValue ?? [:] {
                let key = try SettingKey(validating: name)
                try profile.set(key, value.int64Value.map { String($0) } ?? value.stringValue)
            }
            let wanted = profile
            try await call.accounts.update(wanted, of: try call.scope)
            return .versioned(try await me(call))
        },
        APIRoute(
            "changePassword", .post, "/api/v1/me/password", tag: "Account", summary: "Change the password",
            text: "Other sessions end.", access: .signedIn(.ownData, needsSession: true), rate: .sign,
            body: APIBody(
                Shape.object(
                    ["current": Shape.password, "new": Shape.password], required: ["current", "new"]),
                example: ["current": "plum harbour violet 7", "new": "nine quiet lanterns"]),
            answers: [APIAnswer(204, "It is changed.")],
            problems: [.invalidCredentials, .weakPassword, .stepUpRequired, .codeRefused]
        ) { call in
            do {
                try await call.accounts.changePassword(
                    from: try call.required("current"), to: try call.required("new"), of: try call.person)
            } catch let error as AccountsError where error.code == .invalidCredentials {
                // 401 would say that the token is bad.
                throw APIProblem(.codeRefused, error.message)
            }
            return .noContent
        },
        APIRoute(
            "beginEmailChange", .post, "/api/v1/me/email", tag: "Account", summary: "Ask for another address",
            text: "Sends a code to the new one.", access: .signedIn(.ownData, stepUp: .newEmail), rate: .sign,
            body: APIBody(
                Shape.object(["email": Shape.email], required: ["email"]), example: ["email": "kim@example.net"]),
            answers: [APIAnswer(202, "A mail is on its way.")], problems: [.notConfigured, .refusedValue]
        ) { call in
            try await call.accounts.beginEmailChange(try call.person, to: try call.required("email"))
            return APIReply(202)
        },
        APIRoute(
            "confirmEmailChange", .post, "/api/v1/me/email/confirm", tag: "Account", summary: "Take the new address",
            access: .signedIn(.ownData, needsSession: true), rate: .sign,
            body: APIBody(
                Shape.object(["email": Shape.email, "code": Shape.code], required: ["email", "code"]),
                example: ["email": "kim@example.net", "code": "123456"]),
            answers: [APIAnswer(204, "It is the account's address now.")],
            problems: [.codeRefused, .taken, .refusedValue]
        ) { call in
            try await call.accounts.confirmEmailChange(
                try call.person, to: try call.required("email"), code: try call.required("code"))
            return .noContent
        },
        APIRoute(
            "sendEmailVerification", .post, "/api/v1/me/email/verification", tag: "Account",
            summary: "Get the mail that shows an address is yours", access: .signedIn(.ownData, needsSession: true),
            rate: .sign, answers: [APIAnswer(202, "A mail is on its way.")], problems: [.notConfigured]
        ) { call in
            try await call.accounts.sendEmailVerification(to: try call.scope)
            return APIReply(202)
        },
        APIRoute(
            "listSessions", .get, "/api/v1/sessions", tag: "Account", summary: "Where you are signed in",
            access: .signedIn(.ownData), rate: .read,
            answers: [
                APIAnswer(
                    200, "The most recently used first.",
                    schema: Shape.answer(["items": Shape.list(Shape.named("Session"))]))
            ]
        ) { call in
            let sessions = try await call.accounts.sessions(of: try call.scope, current: try call.person.session)
            return .json(["items": .array(sessions.map(json))])
        },
        APIRoute(
            "endSession", .delete, "/api/v1/sessions/{id}", tag: "Account", summary: "End a session",
            text: "Its tokens are worth nothing from then on. The session that asks ends by signing out.",
            access: .signedIn(.ownData, needsSession: true), rate: .write, parameters: [.id],
            answers: [APIAnswer(204, "It is over.")], problems: [.conflict]
        ) { call in
            let id = try call.id()
            guard id != (try call.person.session) else {
                throw APIProblem(.conflict, "That is the session that asks: sign out with `POST /api/v1/auth/logout`.")
            }
            try await call.accounts.endSession(id, of: try call.scope)
            return .noContent
        },
        APIRoute(
            "endOtherSessions", .delete, "/api/v1/sessions", tag: "Account", summary: "End all other sessions",
            access: .signedIn(.ownData, needsSession: true), rate: .write,
            answers: [APIAnswer(200, "How many ended.", schema: Shape.answer(["ended": Shape.count]))]
        ) { call in
            let ended = try await call.accounts.endSessions(of: try call.scope, except: try call.person.session)
            return .json(["ended": .integer(Int64(ended))])
        },
    ]

    private static func json(_ session: SessionInfo) -> JSON {
        [
            "id": .id(session.id), "device": session.device.map { .string($0) } ?? .null,
            "place": session.place.map { .string($0) } ?? .null,
            "methods": .array(session.methods.map { .string($0.rawValue) }),
            "created_at": .timestamp(session.createdAt), "last_seen_at": .timestamp(session.lastSeenAt),
            "expires_at": .timestamp(session.expiresAt), "is_current": .bool(session.isCurrent),
        ]
    }
}
