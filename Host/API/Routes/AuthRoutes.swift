import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// Accounts are made, entered and left: routes for anybody.
enum AuthRoutes {
    static let deviceName = Shape.line(60, description: "What you call this device, for your list of sessions.")
    private static let deviceToken = Shape.described(
        Shape.token,
        "From an earlier sign-in on this device: it keeps others' wrong guesses from slowing this one down.")

    static let tokens = Shape.answer(
        [
            "token_type": Shape.words(["Bearer"]),
            "access_token": Shape.described(
                ["type": "string"], "For `Authorization: Bearer`; good for minutes, until the session ends at the most."
            ),
            "expires_in": Shape.described(Shape.count, "Seconds."),
            "refresh_token": Shape.described(["type": "string"], "Good once, for the next pair."),
            "refresh_expires_at": Shape.timestamp,
            "session_id": Shape.id,
            "device_token": Shape.described(
                ["type": "string"], "To be kept on this device and sent with the next sign-in. Only after a sign-in."),
        ], optional: ["device_token"])

    static let challenge = Shape.answer([
        "challenge": Shape.described(["type": "string"], "Names the sign-in that waits."),
        "expires_at": Shape.timestamp,
        "methods": Shape.list(Shape.words(["totp", "sms", "recovery"])),
    ])

    static let login = Shape.answer([
        "status": Shape.words(["signed_in", "second_factor_needed"]),
        "tokens": Shape.nullable(Shape.named("Tokens")),
        "second_factor": Shape.nullable(Shape.named("Challenge")),
    ])

    static func json(_ tokens: SessionTokens, now: Timestamp) -> JSON {
        var object: JSONObject = [
            "token_type": "Bearer", "access_token": .string(tokens.accessToken.reveal()),
            "expires_in": .integer(max(0, tokens.accessExpiresAt.since(now).milliseconds / 1000)),
            "refresh_token": .string(tokens.refreshToken.reveal()),
            "refresh_expires_at": .timestamp(tokens.refreshExpiresAt), "session_id": .id(tokens.session),
        ]
        if let device = tokens.deviceToken { object["device_token"] = .string(device.reveal()) }
        return .object(object)
    }

    private static func source(_ call: APICall) -> ClientSource {
        var source = call.source
        source.deviceName = call.text("device_name") ?? source.deviceName
        if let token = call.text("device_token") { source.deviceToken = Secret(token) }
        return source
    }

    static let all: [APIRoute] = [
        APIRoute(
            "signUp", .post, "/api/v1/auth/sign-up", tag: "Sign in", summary: "Ask for an account",
            text: "A mail with a link finishes it. The answer is the same when the address has an account already.",
            access: .anybody, rate: .sign,
            body: APIBody(
                Shape.object(
                    [
                        "email": Shape.email, "full_name": Shape.line(200), "password": Shape.password,
                        "invitation": Shape.described(
                            Shape.token, "From the link that came by text: that number becomes the account's."),
                    ], required: ["email", "full_name", "password"]),
                example: ["email": "kim@example.org", "full_name": "Kim", "password": "plum harbour violet 7"]),
            answers: [APIAnswer(202, "A mail is on its way.")],
            problems: [.weakPassword, .refusedValue, .notConfigured]
        ) { call in
            try await call.accounts.signUp(
                SignUpRequest(
                    email: try call.required("email"), fullName: try call.required("full_name"),
                    password: Secret(try call.required("password")),
                    invitation: call.text("invitation").map { Secret($0) }), from: call.source)
            return APIReply(202)
        },
        APIRoute(
            "finishSignUp", .post, "/api/v1/auth/sign-up/confirm", tag: "Sign in", summary: "Make the account",
            text: "Takes the token of the mail's link (what follows `#`), makes the account and signs it in.",
            access: .anybody, rate: .sign,
            body: APIBody(
                Shape.object(["token": Shape.token, "device_name": deviceName], required: ["token"]),
                example: ["token": "v3ryL0ngT0ken"]),
            answers: [APIAnswer(201, "Signed in.", schema: Shape.named("Tokens"))], problems: [.codeRefused]
        ) { call in
            let tokens = try await call.accounts.finishSignUp(
                Secret(try call.required("token")), from: source(call))
            return .json(json(tokens, now: call.database.store.clock.now), status: 201)
        },
        APIRoute(
            "logIn", .post, "/api/v1/auth/login", tag: "Sign in", summary: "Sign in with address and password",
            text: "Gives tokens, or names the second factors of which one is needed.", access: .anybody, rate: .sign,
            body: APIBody(
                Shape.object(
                    [
                        "email": Shape.email, "password": Shape.password, "device_name": deviceName,
                        "device_token": deviceToken,
                    ], required: ["email", "password"]),
                example: ["email": "kim@example.org", "password": "plum harbour violet 7"]),
            answers: [APIAnswer(200, "Signed in, or a second factor is needed.", schema: login)],
            problems: [.invalidCredentials, .accountDisabled]
        ) { call in
            let outcome = try await call.accounts.logIn(
                email: try call.required("email"), password: try call.required("password"), from: source(call))
            switch outcome {
            case .signedIn(let tokens):
                return .json([
                    "status": "signed_in", "tokens": json(tokens, now: call.database.store.clock.now),
                    "second_factor": .null,
                ])
            case .secondFactorNeeded(let challenge):
                return .json([
                    "status": "second_factor_needed", "tokens": .null,
                    "second_factor": [
                        "challenge": .string(challenge.token.reveal()), "expires_at": .timestamp(challenge.expiresAt),
                        "methods": .array(challenge.methods.map { .string($0.rawValue) }),
                    ],
                ])
            }
        },
        APIRoute(
            "finishLogIn", .post, "/api/v1/auth/login/second-factor", tag: "Sign in", summary: "Give the second factor",
            access: .anybody, rate: .sign,
            body: APIBody(
                Shape.object(
                    [
                        "challenge": Shape.token, "method": Shape.words(["totp", "sms", "recovery"]),
                        "code": Shape.line(20), "device_name": deviceName, "device_token": deviceToken,
                    ], required: ["challenge", "method", "code"]),
                example: ["challenge": "v3ryL0ngT0ken", "method": "totp", "code": "123456"]),
            answers: [APIAnswer(200, "Signed in.", schema: Shape.named("Tokens"))],
            problems: [.invalidCredentials, .codeRefused]
        ) { call in
            let code = try call.required("code")
            let proof: Proof =
                switch call.text("method") {
                case "sms": .sms(code)
                case "recovery": .recovery(code)
                default: .totp(code)
                }
            let tokens = try await call.accounts.finishLogIn(
                Secret(try call.required("challenge")), with: proof, from: source(call))
            return .json(json(tokens, now: call.database.store.clock.now))
        },
        APIRoute(
            "sendLogInCode", .post, "/api/v1/auth/login/code", tag: "Sign in",
            summary: "Get the second factor by text",
            text: "To the account's primary number. A sign-in whose challenge is over answers 401.", access: .anybody,
            rate: .sign,
            body: APIBody(
                Shape.object(["challenge": Shape.token], required: ["challenge"]),
                example: ["challenge": "v3ryL0ngT0ken"]),
            answers: [APIAnswer(202, "A text is on its way.")],
            problems: [.invalidCredentials, .notConfigured, .conflict]
        ) { call in
            do {
                try await call.accounts.sendLoginCode(Secret(try call.required("challenge")))
            } catch let error as AccountsError where error.code == .unknownPhone {
                throw APIProblem(.conflict, error.message)
            }
            return APIReply(202)
        },
        APIRoute(
            "refresh", .post, "/api/v1/auth/refresh", tag: "Sign in", summary: "Get the next pair of tokens",
            text:
                "A refresh token is good once. One that comes again later ends its session: somebody may have stolen it.",
            access: .anybody, rate: .sign, body: refreshBody,
            answers: [APIAnswer(200, "The next pair.", schema: Shape.named("Tokens"))],
            problems: [.invalidCredentials]
        ) { call in
            do {
                let tokens = try await call.accounts.refresh(Secret(try call.required("refresh_token")))
                return .json(json(tokens, now: call.database.store.clock.now))
            } catch let error as AccountsError where error.code == .invalidToken {
                throw APIProblem(.invalidCredentials, error.message)
            }
        },
        APIRoute(
            "logOut", .post, "/api/v1/auth/logout", tag: "Sign in", summary: "Sign out",
            text:
                "Ends the session of a refresh token; its access tokens are worth nothing from then on. Answers the same "
                + "when it is over already (RFC 7009).", access: .anybody, rate: .sign, body: refreshBody,
            answers: [APIAnswer(204, "Signed out.")]
        ) { call in
            try await call.accounts.logOut(Secret(try call.required("refresh_token")))
            return .noContent
        },
        APIRoute(
            "requestPasswordReset", .post, "/api/v1/auth/password/reset", tag: "Sign in",
            summary: "Ask for a new password",
            text: "Sends a link if the address has an account; whether it has is not said.", access: .anybody,
            rate: .sign,
            body: APIBody(
                Shape.object(["email": Shape.email], required: ["email"]), example: ["email": "kim@example.org"]),
            answers: [APIAnswer(202, "If there is such an account, a mail is on its way.")],
            problems: [.notConfigured, .refusedValue]
        ) { call in
            try await call.accounts.requestPasswordReset(email: try call.required("email"), from: call.source)
            return APIReply(202)
        },
        APIRoute(
            "resetPassword", .post, "/api/v1/auth/password/reset/confirm", tag: "Sign in",
            summary: "Set a new password", text: "Takes the token of the mail's link. All sessions end.",
            access: .anybody, rate: .sign,
            body: APIBody(
                Shape.object(["token": Shape.token, "password": Shape.password], required: ["token", "password"]),
                example: ["token": "v3ryL0ngT0ken", "password": "plum harbour violet 7"]),
            answers: [APIAnswer(204, "It is set.")], problems: [.codeRefused, .weakPassword]
        ) { call in
            try await call.accounts.resetPassword(
                Secret(try call.required("token")), to: try call.required("password"), from: call.source)
            return .noContent
        },
        APIRoute(
            "verifyEmail", .post, "/api/v1/auth/email/verify", tag: "Sign in", summary: "Show that an address is yours",
            text: "Takes the token of the mail's link.", access: .anybody, rate: .sign,
            body: APIBody(
                Shape.object(["token": Shape.token], required: ["token"]), example: ["token": "v3ryL0ngT0ken"]),
            answers: [APIAnswer(204, "It is yours.")], problems: [.codeRefused]
        ) { call in
            try await call.accounts.verifyEmail(Secret(try call.required("token")), from: call.source)
            return .noContent
        },
    ]

    private static let refreshBody = APIBody(
        Shape.object(["refresh_token": Shape.token], required: ["refresh_token"]),
        example: ["refresh_token": "v3ryL0ngT0ken"])
}
