import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// What people switch on and off.
enum IntegrationRoutes {
    private static let levels = Shape.words(GrantLevel.allCases.map(\.rawValue))
    private static let name: APIParameter = .path(
        "name", "Its namespace: `grocery`.", schema: ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,47}$"])

    static let integration = Shape.answer([
        "name": Shape.described(["type": "string"], "Its namespace: what the paths take."),
        "plugin": ["type": "string"], "title": ["type": "string"], "summary": ["type": "string"],
        "trust": Shape.words(["first-party", "verified", "operator", "developer"]),
        "state": Shape.words([
            "unavailable", "offered", "consent", "connected", "enabled", "paused", "needs_reauth", "disabled",
        ]),
        "level": Shape.nullable(levels),
        "consent": Shape.described(["type": "string"], "What it may do once it is on, to be read before that."),
        "is_approved": Shape.described(Shape.flag, "You agreed to all that it asks for now."),
        "request": Shape.described(
            Shape.nullable(["type": "string"]), "What it asks for now beyond what you agreed to."),
        "tools": Shape.list(
            Shape.answer([
                "id": ["type": "string"], "title": ["type": "string"],
                "effect": Shape.words(["read", "write", "send", "spend", "delete"]),
                "access": Shape.words(["off", "offered", "read_only", "confirm", "allowed"]),
            ])),
    ])

    private static func json(_ grant: PluginGrant) -> JSON {
        [
            "name": .string(grant.namespace), "plugin": .string(grant.plugin), "title": .string(grant.name),
            "summary": .string(grant.summary), "trust": .string(grant.trust.rawValue),
            "state": .string(grant.state.name), "level": grant.state.level.map { .string($0.rawValue) } ?? .null,
            "consent": .string(grant.consent), "is_approved": .bool(grant.isApproved),
            "request": grant.request.map { .string($0) } ?? .null,
            "tools": .array(
                grant.tools.map { tool in
                    [
                        "id": .string(tool.id), "title": .string(tool.title), "effect": .string(tool.effect.rawValue),
                        "access": .string(tool.access.rawValue),
                    ]
                }),
        ]
    }

    private static func grant(_ call: APICall) async throws -> PluginGrant {
        let name = call.path["name"] ?? ""
        guard
            let grant = try await call.services.plugins.states(try call.scope).first(where: { $0.namespace == name })
        else { throw APIProblem.notFound }
        return grant
    }

    /// Makes a change that `undo` takes back, and gives what became of it.
    private static func change(
        _ call: APICall, _ label: String,
        _ body: @Sendable (PluginHost, PluginGrant, UserScope, WriteOrigin) async throws -> Void
    ) async throws -> APIReply {
        let grant = try await grant(call)
        let scope = try call.scope
        let title = "\(label) \(grant.name)"
        let origin = try await call.database.write(scope) { try call.origin(title, in: $0) }
        try await body(call.services.plugins, grant, scope, origin)
        return .versioned(json(try await self.grant(call)))
    }

    static let all: [APIRoute] = [
        APIRoute(
            "listIntegrations", .get, "/api/v1/integrations", tag: "Integrations",
            summary: "What there is, and what is on",
            access: .signedIn(.integrations), rate: .read,
            answers: [
                APIAnswer(
                    200, "All that this installation offers you.",
                    schema: Shape.answer(["items": Shape.list(Shape.named("Integration"))]))
            ]
        ) { call in
            .json(["items": .array(try await call.services.plugins.states(try call.scope).map(json))])
        },
        APIRoute(
            "getIntegration", .get, "/api/v1/integrations/{name}", tag: "Integrations",
            summary: "One, with what it may do", access: .signedIn(.integrations), rate: .read,
            parameters: [name, .ifNoneMatch],
            answers: [
                APIAnswer(200, "It.", schema: Shape.named("Integration"), headers: [.etag]),
                APIAnswer(304, "As you have it."),
            ]
        ) { call in call.conditional(json(try await grant(call))) },
        APIRoute(
            "enableIntegration", .post, "/api/v1/integrations/{name}/enable", tag: "Integrations", summary: "Switch on",
            text:
                "Says that the person has read `consent` and agrees. Where an account elsewhere is needed first, 409.",
            access: .signedIn(.integrations, needsSession: true), rate: .write, parameters: [name],
            body: APIBody(
                Shape.object(["level": levels, "consent": ["type": "boolean", "const": true]], required: ["consent"]),
                example: ["consent": true, "level": "confirm"]),
            answers: [APIAnswer(200, "On.", schema: Shape.named("Integration"), headers: [.etag])],
            problems: [.conflict], isIdempotent: true
        ) { call in
            let level = call.text("level").flatMap(GrantLevel.init(rawValue:))
            return try await change(call, "switching on") { plugins, grant, scope, origin in
                try await plugins.switchOn(grant.namespace, level: level, in: scope, origin: origin)
            }
        },
        APIRoute(
            "disableIntegration", .post, "/api/v1/integrations/{name}/disable", tag: "Integrations",
            summary: "Switch off",
            text:
                "Takes effect on the next call. Access elsewhere that nothing else uses is given back, copies of what lies "
                + "there are deleted; everything else that it keeps of you stays.",
            access: .signedIn(.integrations, needsSession: true), rate: .write, parameters: [name],
            answers: [APIAnswer(200, "Off.", schema: Shape.named("Integration"), headers: [.etag])],
            problems: [.conflict], isIdempotent: true
        ) { call in
            try await change(call, "switching off") { plugins, grant, scope, origin in
                try await plugins.switchOff(grant.namespace, in: scope, origin: origin)
            }
        },
        APIRoute(
            "setIntegrationLevel", .put, "/api/v1/integrations/{name}/level", tag: "Integrations",
            summary: "Say how far it may go", access: .signedIn(.integrations, needsSession: true), rate: .write,
            parameters: [name],
            body: APIBody(Shape.object(["level": levels], required: ["level"]), example: ["level": "read_only"]),
            answers: [APIAnswer(200, "Changed.", schema: Shape.named("Integration"), headers: [.etag])],
            problems: [.conflict]
        ) { call in
            let level = GrantLevel(rawValue: try call.required("level")) ?? .readOnly
            return try await change(call, "the level of") { plugins, grant, scope, origin in
                guard grant.state.level != nil else { throw APIProblem(.conflict, "\(grant.name) is off.") }
                try await plugins.setLevel(level, of: grant.namespace, in: scope, origin: origin)
            }
        },
        APIRoute(
            "setToolAccess", .put, "/api/v1/integrations/{name}/tools/{tool}", tag: "Integrations",
            summary: "Decide about one tool", text: "`default`: as the integration as a whole.",
            access: .signedIn(.integrations, needsSession: true), rate: .write,
            parameters: [
                name,
                .path(
                    "tool", "Its id: `grocery.add`.",
                    schema: ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,47}\\.[a-z][a-z0-9_]{0,47}$"]),
            ],
            body: APIBody(
                Shape.object(
                    ["access": Shape.words(["off", "confirm", "write", "default"])], required: ["access"]),
                example: ["access": "confirm"]),
            answers: [APIAnswer(200, "Changed.", schema: Shape.named("Integration"), headers: [.etag])],
            problems: [.conflict]
        ) { call in
            let tool = call.path["tool"] ?? ""
            let access = ToolGrant(rawValue: try call.required("access"))
            return try await change(call, "a tool of") { plugins, grant, scope, origin in
                guard grant.tools.contains(where: { $0.id == tool }) else { throw APIProblem.notFound }
                try await plugins.setTool(tool, to: access, in: scope, origin: origin)
            }
        },
        APIRoute(
            "approveIntegration", .post, "/api/v1/integrations/{name}/approve", tag: "Integrations",
            summary: "Agree to what it asks for now", text: "Or not: then it goes on without, and does not ask again.",
            access: .signedIn(.integrations, needsSession: true), rate: .write, parameters: [name],
            body: APIBody(
                Shape.object(["agrees": Shape.flag], required: ["agrees"]), example: ["agrees": true]),
            answers: [APIAnswer(200, "Noted.", schema: Shape.named("Integration"), headers: [.etag])],
            problems: [.conflict], isIdempotent: true
        ) { call in
            let agrees = call.body["agrees"]?.boolValue ?? false
            return try await change(call, "what is granted to") { plugins, grant, scope, origin in
                guard grant.request != nil else {
                    throw APIProblem(.conflict, "\(grant.name) asks for nothing that you did not agree to.")
                }
                if agrees {
                    try await plugins.approveChanges(of: grant.namespace, in: scope, origin: origin)
                } else {
                    try await plugins.noteAsked(grant.namespace, in: scope, origin: origin)
                }
            }
        },
    ]
}
