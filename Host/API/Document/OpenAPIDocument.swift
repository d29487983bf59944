import TandemAccounts
import TandemJSON

/// The routes as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html).
enum OpenAPIDocument {
    private static let description = """
        Everything that a person can do by text, and all that concerns their account. Ids are decimal strings, instants \
        RFC 3339 in UTC; errors are `application/problem+json` (RFC 9457) whose `type` is stable. Lists come in pages: \
        `next_cursor` is the `cursor` of the next one.
        """

    static func json(_ routes: [APIRoute], publicAddress: String, version: String) -> JSON {
        var paths: JSONObject = [:]
        for route in routes {
            var place = paths[route.path.text]?.objectValue ?? [:]
            place[route.method.rawValue.lowercased()] = operation(route)
            paths[route.path.text] = .object(place)
        }
        var problems: JSONObject = [:]
        for route in routes {
            for (status, kinds) in byStatus(route) { problems[name(status, kinds)] = response(status, kinds) }
        }
        var tags: [String] = []
        for route in routes where !tags.contains(route.tag) { tags.append(route.tag) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Tandem", "version": .string(version),
                "summary": "A personal assistant for people with ADHD.",
                "description": .string(description),
                "license": ["name": "Apache License 2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/"]],
            "tags": .array(tags.map { ["name": .string($0)] }),
            "paths": .object(paths),
            "components": [
                "schemas": .object(APIRoute.components), "responses": .object(problems),
                "securitySchemes": [
                    "bearer": [
                        "type": "http", "scheme": "bearer",
                        "description":
                            "An access token from signing in, or an API key (`tdm_...`) of a program's account.",
                    ]
                ],
            ],
        ]
    }

    private static func operation(_ route: APIRoute) -> JSON {
        var object: JSONObject = [
            "operationId": .string(route.id), "tags": [.string(route.tag)], "summary": .string(route.summary),
        ]
        let text = [route.text, accessText(route)].filter { !$0.isEmpty }.joined(separator: "\n\n")
        if !text.isEmpty { object["description"] = .string(text) }
        if !route.parameters.isEmpty { object["parameters"] = .array(route.parameters.map(parameter)) }
        if let body = route.body {
            var content = JSONObject()
            for type in body.mediaTypes {
                content[type] =
                    body.isBinary ? ["schema": body.schema] : ["schema": body.schema, "example": body.example]
            }
            object["requestBody"] = ["required": true, "content": .object(content)]
        }
        object["responses"] = .object(responses(route))
        switch route.access {
        case .anybody: object["security"] = []
        case .signedIn: object["security"] = [["bearer": []]]
        }
        return .object(object)
    }

    /// Who may, in words.
    static func accessText(_ route: APIRoute) -> String {
        guard case .signedIn(let permission, let stepUp, let needsSession) = route.access else { return "" }
        var text = "Needs the permission `\(permission.rawValue)`"
        if stepUp != nil {
            text += ", a session, and a proof of the last five minutes (`POST /api/v1/step-up`)"
        } else if needsSession {
            text += " and a session (no API key)"
        }
        return text + "."
    }

    private static func parameter(_ parameter: APIParameter) -> JSON {
        [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "required": .bool(parameter.isRequired), "description": .string(parameter.text),
            "schema": parameter.schema,
        ]
    }

    private static func responses(_ route: APIRoute) -> JSONObject {
        var answers: [(Int, JSON)] = route.answers.map { ($0.status, response($0, route)) }
        for (status, kinds) in byStatus(route) {
            answers.append((status, ["$ref": .string("#/components/responses/" + name(status, kinds))]))
        }
        var object: JSONObject = [:]
        for (status, response) in answers.sorted(by: { $0.0 < $1.0 }) { object[String(status)] = response }
        return object
    }

    private static func byStatus(_ route: APIRoute) -> [(Int, [ProblemKind])] {
        Dictionary(grouping: route.problems, by: \.status).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Many routes share an answer.
    private static func name(_ status: Int, _ kinds: [ProblemKind]) -> String {
        "\(status)." + kinds.map(\.name).joined(separator: ".")
    }

    private static func response(_ answer: APIAnswer, _ route: APIRoute) -> JSON {
        var object: JSONObject = ["description": .string(answer.text)]
        if let schema = answer.schema {
            var content: JSONObject = [:]
            for type in answer.mediaTypes {
                var media: JSONObject = ["schema": schema]
                if let example = answer.example { media["example"] = example }
                content[type] = .object(media)
            }
            object["content"] = .object(content)
        }
        let headers = answer.headers + (route.isIdempotent ? [.replayed] : []) + [.rateLimit, .rateLimitPolicy]
        object["headers"] = .object(self.headers(headers))
        return .object(object)
    }

    private static func response(_ status: Int, _ kinds: [ProblemKind]) -> JSON {
        let types = kinds.map { JSON.string($0.type) }
        let text = kinds.map { "\($0.title): \($0.text)" }.joined(separator: "\n\n")
        var object: JSONObject = [
            "description": .string(text),
            "content": [
                "application/problem+json": [
                    "schema": [
                        "allOf": [Shape.named("Problem"), ["properties": ["type": ["enum": .array(types)]]]]
                    ]
                ]
            ],
        ]
        var headers: [APIHeader] = []
        if status == 401 {
            headers.append(APIHeader(name: "WWW-Authenticate", text: "RFC 6750.", schema: ["type": "string"]))
        }
        if status == 405 {
            headers.append(APIHeader(name: "Allow", text: "The path's methods.", schema: ["type": "string"]))
        }
        if status == 429 || status == 503 { headers.append(.retryAfter) }
        if !headers.isEmpty { object["headers"] = .object(self.headers(headers)) }
        return .object(object)
    }

    private static func headers(_ headers: [APIHeader]) -> JSONObject {
        var object: JSONObject = [:]
        for header in headers {
            object[header.name] = ["description": .string(header.text), "schema": header.schema]
        }
        return object
    }
}
