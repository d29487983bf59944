import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// Second factors and proofs of presence.
enum ProofRoutes {
    private static let codes = Shape.answer([
        "recovery_codes": Shape.described(
            Shape.list(["type": "string"]), "Each good once; shown now and never again.")
    ])

    static let all: [APIRoute] = [
        APIRoute(
            "getFactors", .get, "/api/v1/mfa", tag: "Second factor", summary: "What protects your account",
            access: .signedIn(.ownData), rate: .read,
            answers: [
                APIAnswer(
                    200, "The second factors.",
                    schema: Shape.answer([
                        "is_on": Shape.flag, "methods": Shape.list(["type": "string"]),
                        "recovery_codes_left": Shape.count,
                    ]))
            ]
        ) { call in
            let principal = try call.person
            let methods = try await call.accounts.proofMethods(of: principal.scope)
            let left = try await call.accounts.recoveryCodesLeft(principal.scope)
            return .json([
                "is_on": .bool(principal.hasSecondFactor),
                "methods": .array(principal.hasSecondFactor ? methods.map { .string($0.rawValue) } : []),
                "recovery_codes_left": .integer(Int64(left)),
            ])
        },
        APIRoute(
            "beginTOTP", .post, "/api/v1/mfa/totp", tag: "Second factor", summary: "Get a key for an authenticator app",
            text: "Counts once a first code of the app has confirmed it. The picture shows the same as `uri`.",
            access: .signedIn(.ownData, stepUp: .secondFactorChange), rate: .sign,
            answers: [
                APIAnswer(
                    201, "Shown once.",
                    schema: Shape.answer([
                        "key": Shape.described(["type": "string"], "Base32, for typing."),
                        "uri": Shape.described(["type": "string"], "`otpauth://totp/...`"),
                        "qr_svg": Shape.described(["type": "string"], "An SVG image."),
                    ]))
            ]
        ) { call in
            let enrolment = try await call.accounts.beginTOTP(try call.person)
            return .json(
                [
                    "key": .string(enrolment.key.reveal()), "uri": .string(enrolment.uri.reveal()),
                    "qr_svg": .string(enrolment.picture?.svg ?? ""),
                ], status: 201)
        },
        APIRoute(
            "confirmTOTP", .post, "/api/v1/mfa/totp/confirm", tag: "Second factor",
            summary: "Switch the app's codes on",
            access: .signedIn(.ownData, needsSession: true), rate: .sign,
            body: APIBody(Shape.object(["code": Shape.code], required: ["code"]), example: ["code": "123456"]),
            answers: [APIAnswer(200, "On, with the codes for when the app is lost.", schema: codes)],
            problems: [.codeRefused, .conflict]
        ) { call in
            let codes = try await call.accounts.confirmTOTP(try call.scope, code: try call.required("code"))
            return .json(["recovery_codes": .array(codes.map { .string($0.reveal()) })])
        },
        APIRoute(
            "renewRecoveryCodes", .post, "/api/v1/mfa/recovery-codes", tag: "Second factor",
            summary: "Get new recovery codes", text: "The old ones are good no more.",
            access: .signedIn(.ownData, stepUp: .secondFactorChange), rate: .sign,
            answers: [APIAnswer(200, "The new ones.", schema: codes)], problems: [.conflict]
        ) { call in
            let codes = try await call.accounts.renewRecoveryCodes(try call.person)
            return .json(["recovery_codes": .array(codes.map { .string($0.reveal()) })])
        },
        APIRoute(
            "removeFactors", .delete, "/api/v1/mfa", tag: "Second factor", summary: "Switch the second factor off",
            access: .signedIn(.ownData, stepUp: .secondFactorChange), rate: .sign,
            answers: [APIAnswer(204, "It is off.")]
        ) { call in
            try await call.accounts.disableSecondFactor(try call.person)
            return .noContent
        },
        APIRoute(
            "getStepUp", .get, "/api/v1/step-up", tag: "Second factor", summary: "How you can prove that it is you",
            access: .signedIn(.ownData), rate: .read,
            answers: [
                APIAnswer(
                    200, "What does now, and until when the last proof holds.",
                    schema: Shape.answer([
                        "methods": Shape.list(Shape.words(ProofMethod.allCases.map(\.rawValue))),
                        "proved_until": Shape.nullable(Shape.timestamp),
                    ]))
            ]
        ) { call in
            let principal = try call.person
            let methods = try await call.accounts.proofMethods(of: principal.scope)
            let until = principal.provedAt.map { $0.advanced(by: call.accounts.settings.proofLifetime) }
            let now = call.database.store.clock.now
            return .json([
                "methods": .array(methods.map { .string($0.rawValue) }),
                "proved_until": until.flatMap { $0 > now ? .timestamp($0) : nil } ?? .null,
            ])
        },
        APIRoute(
            "stepUp", .post, "/api/v1/step-up", tag: "Second factor", summary: "Prove that it is you",
            text: "Holds for five minutes, for this session: for export, erasure, a new number and the like.",
            access: .signedIn(.ownData, needsSession: true), rate: .sign,
            body: APIBody(
                Shape.object(
                    [
                        "method": Shape.words(ProofMethod.allCases.map(\.rawValue)),
                        "code": Shape.described(Shape.password, "The code, or the password."),
                    ], required: ["method", "code"]),
                example: ["method": "totp", "code": "123456"]),
            answers: [APIAnswer(204, "It is you.")], problems: [.codeRefused]
        ) { call in
            let code = try call.required("code")
            let proof: Proof =
                switch call.text("method") {
                case "password": .password(code)
                case "sms": .sms(code)
                case "recovery": .recovery(code)
                case "mail": .mail(code)
                default: .totp(code)
                }
            do {
                try await call.accounts.stepUp(try call.person, with: proof, from: call.source)
            } catch let error as AccountsError where error.code == .invalidCredentials {
                throw APIProblem(.codeRefused, error.message)
            }
            return .noContent
        },
        APIRoute(
            "sendStepUpCode", .post, "/api/v1/step-up/code", tag: "Second factor",
            summary: "Get a code to prove it with",
            text: "By mail for accounts without a second factor; by text as a backup of the app.",
            access: .signedIn(.ownData, needsSession: true), rate: .sign,
            body: APIBody(
                Shape.object(["channel": Shape.words(["mail", "sms"])], required: ["channel"]),
                example: ["channel": "mail"]),
            answers: [APIAnswer(202, "It is on its way.")], problems: [.notConfigured, .conflict]
        ) { call in
            do {
                if call.text("channel") == "sms" {
                    try await call.accounts.sendStepUpText(to: try call.person)
                } else {
                    try await call.accounts.sendProofCode(to: try call.scope)
                }
            } catch let error as AccountsError where error.code == .unknownPhone {
                throw APIProblem(.conflict, error.message)
            }
            return APIReply(202)
        },
    ]
}
