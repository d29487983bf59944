import TandemAccounts
import TandemCore
import TandemJSON
import TandemOAuth
import TandemPluginHost
import TandemStorage

/// Accounts elsewhere that people connect.
enum ConnectionRoutes {
    private static let provider: APIParameter = .path(
        "provider", "The service: `microsoft`.", schema: ["type": "string", "pattern": "^[a-z][a-z0-9_-]{0,47}$"])
    private static let name: APIParameter = .path(
        "name", "The integration's namespace: `mail`.",
        schema: ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,47}$"])
    private static let words = Shape.list(["type": "string"])

    static let connection = Shape.answer([
        "provider": ["type": "string"], "name": ["type": "string"],
        "status": Shape.words(["connected", "needs_reauth", "disconnected"]),
        "account": Shape.described(
            Shape.nullable(["type": "string"]), "What the service calls the account, where it says so."),
        "scopes": Shape.described(words, "As the service granted them."),
        "missing": Shape.described(words, "What integrations need and you did not allow."),
        "connected_at": Shape.nullable(Shape.timestamp),
        "reason": Shape.described(Shape.nullable(["type": "string"]), "Why it has to be connected again."),
        "management": Shape.described(Shape.nullable(["type": "string"]), "The service's own page about such grants."),
    ])

    private static func json(_ connection: Connection) -> JSON {
        func text(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
        return [
            "provider": .string(connection.provider), "name": .string(connection.providerName),
            "status": .string(connection.status.rawValue), "account": text(connection.account),
            "scopes": .array(connection.scopes.map { .string($0) }),
            "missing": .array(connection.missing.map { .string($0) }),
            "connected_at": connection.connectedAt.map { .timestamp($0) } ?? .null, "reason": text(connection.reason),
            "management": text(connection.management),
        ]
    }

    private static func word(_ outcome: RevocationOutcome) -> String {
        switch outcome {
        case .revoked: "revoked"
        case .later: "later"
        case .notOffered: "not_offered"
        case .keptForOther: "kept_for_other"
        case .notConnected: "not_connected"
        }
    }

    static let all: [APIRoute] = [
        APIRoute(
            "listConnections", .get, "/api/v1/connections", tag: "Integrations",
            summary: "Your accounts elsewhere", access: .signedIn(.integrations), rate: .read,
            answers: [
                APIAnswer(
                    200, "All services that are set up here.",
                    schema: Shape.answer(["items": Shape.list(Shape.named("Connection"))]))
            ]
        ) { call in
            let connections = try await call.services.connections.connections(of: try call.scope)
            return .json(["items": .array(connections.map(json))])
        },
        APIRoute(
            "connectIntegration", .post, "/api/v1/integrations/{name}/connect", tag: "Integrations",
            summary: "Connect what an integration needs, or connect it again",
            text:
                "Gives an address to open in a browser, for you only, for three days. Call it again until it is 204: an "
                + "integration may need several.",
            access: .signedIn(.integrations, needsSession: true), rate: .write, parameters: [name],
            answers: [
                APIAnswer(
                    200, "What comes next.",
                    schema: Shape.answer(["service": ["type": "string"], "link": ["type": "string", "format": "uri"]])),
                APIAnswer(204, "Nothing is missing."),
            ], problems: [.conflict]
        ) { call in
            let name = call.path["name"] ?? ""
            let scope = try call.scope
            guard let grant = try await call.services.plugins.states(scope).first(where: { $0.namespace == name })
            else {
                throw APIProblem.notFound
            }
            guard grant.state.level != nil else {
                throw APIProblem(.conflict, "\(grant.name) is off: switch it on first.")
            }
            guard let step = try await call.services.connectionStep(name, scope) else { return .noContent }
            return .json(["service": .string(step.service), "link": .string(step.link)])
        },
        APIRoute(
            "disconnectConnection", .delete, "/api/v1/connections/{provider}", tag: "Integrations",
            summary: "End a connection",
            text:
                "The tokens are deleted, and given back to the service where it takes them. Integrations that need them "
                + "pause.",
            access: .signedIn(.integrations, needsSession: true), rate: .write, parameters: [provider],
            answers: [
                APIAnswer(
                    200, "It is over here; `outcome` says what became of it at the service.",
                    schema: Shape.answer([
                        "outcome": Shape.words(["revoked", "later", "not_offered", "kept_for_other", "not_connected"])
                    ]))
            ]
        ) { call in
            let provider = call.path["provider"] ?? ""
            let scope = try call.scope
            let known = try await call.services.connections.connections(of: scope)
            guard known.contains(where: { $0.provider == provider }) else { throw APIProblem.notFound }
            let outcome = try await call.services.connections.disconnect(provider, of: scope)
            return .json(["outcome": .string(word(outcome))])
        },
    ]
}
