import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// For administrators: accounts and the state of the installation, never what people wrote.
enum AdminRoutes {
    static let account = Shape.answer([
        "id": Shape.id, "email": ["type": "string"], "full_name": ["type": "string"],
        "role": Shape.words(Account.Role.allCases.map(\.rawValue)),
        "status": Shape.words(Account.Status.allCases.map(\.rawValue)), "created_at": Shape.timestamp,
    ])

    static let key = Shape.answer(
        [
            "id": Shape.id, "prefix": ["type": "string"], "name": ["type": "string"],
            "scopes": Shape.list(Shape.words(Permission.allCases.map(\.rawValue))), "created_at": Shape.timestamp,
            "expires_at": Shape.nullable(Shape.timestamp), "last_used_at": Shape.nullable(Shape.timestamp),
            "revoked_at": Shape.nullable(Shape.timestamp),
            "key": Shape.described(["type": "string"], "The whole key; shown once."),
        ], optional: ["key"])

    private static let scopes = AccessProfile.of(.service).permissions.all.map(\.rawValue)
    private static let support = RouteAccess.signedIn(.userSupport, needsSession: true)
    private static let care = RouteAccess.signedIn(.maintenance, needsSession: true)

    private static func json(_ account: Account) -> JSON {
        [
            "id": .string(account.id.description), "email": .string(account.email),
            "full_name": .string(account.fullName), "role": .string(account.role.rawValue),
            "status": .string(account.status.rawValue), "created_at": .timestamp(account.createdAt),
        ]
    }

    private static func json(_ key: APIKey) -> JSON {
        [
            "id": .id(key.id), "prefix": .string(key.prefix), "name": .string(key.name),
            "scopes": .array(key.scopes.all.map { .string($0.rawValue) }), "created_at": .timestamp(key.createdAt),
            "expires_at": key.expiresAt.map { .timestamp($0) } ?? .null,
            "last_used_at": key.lastUsedAt.map { .timestamp($0) } ?? .null,
            "revoked_at": key.revokedAt.map { .timestamp($0) } ?? .null,
        ]
    }

    private static func found(_ call: APICall) async throws -> Account {
        guard let account = try await call.accounts.user(UserID(rawValue: try call.id().rawValue)) else {
            throw APIProblem.notFound
        }
        return account
    }

    static let all: [APIRoute] = [
        APIRoute(
            "listAccounts", .get, "/api/v1/admin/accounts", tag: "Administration", summary: "All accounts",
            text: "Newest first.", access: support, rate: .read,
            parameters: APIParameter.page + [
                .query("role", "Only these.", Shape.words(Account.Role.allCases.map(\.rawValue))),
                .query("status", "Only these.", Shape.words(Account.Status.allCases.map(\.rawValue))),
                .query("email", "The one with this address.", Shape.email),
            ], answers: [APIAnswer(200, "A page.", schema: Shape.page(Shape.named("Account")))]
        ) { call in
            var filter = AccountFilter()
            filter.role = call.query["role"]?.stringValue.flatMap(Account.Role.init(rawValue:))
            filter.status = call.query["status"]?.stringValue.flatMap(Account.Status.init(rawValue:))
            filter.email = call.query["email"]?.stringValue
            let found = try await call.accounts.users(
                filter, before: call.cursor.map { UserID(rawValue: $0.rawValue) }, limit: call.limit + 1)
            let shown = found.prefix(call.limit)
            let next: JSON =
                found.count > call.limit ? shown.last.map { .string($0.id.description) } ?? .null : .null
            return .json(["items": .array(shown.map(json)), "next_cursor": next])
        },
        APIRoute(
            "getAccount", .get, "/api/v1/admin/accounts/{id}", tag: "Administration", summary: "One account",
            access: support, rate: .read, parameters: [.id],
            answers: [APIAnswer(200, "It.", schema: Shape.named("Account"), headers: [.etag])]
        ) { call in .versioned(json(try await found(call))) },
        APIRoute(
            "changeAccount", .patch, "/api/v1/admin/accounts/{id}", tag: "Administration",
            summary: "Lock or unlock an account, or change its role",
            text: "A locked account's sessions end at once. Nobody changes their own.", access: support, rate: .write,
            parameters: [.id],
            body: APIBody(
                Shape.object(
                    [
                        "status": Shape.words(Account.Status.allCases.map(\.rawValue)),
                        "role": Shape.words(Account.Role.allCases.map(\.rawValue)),
                    ], minMembers: 1), example: ["status": "disabled"]),
            answers: [APIAnswer(200, "It, changed.", schema: Shape.named("Account"), headers: [.etag])],
            problems: [.conflict]
        ) { call in
            let staff = try call.person.user
            let account = try await found(call)
            guard account.id != staff else { throw APIProblem(.conflict, "Another administrator has to do that.") }
            if let role = call.text("role").flatMap(Account.Role.init(rawValue:)), role != account.role {
                do {
                    try await call.accounts.setRole(role, of: account.id, by: .staff(staff))
                } catch let error as AccountsError where error.code == .forbidden {
                    throw APIProblem(.conflict, error.message)
                }
            }
            if let status = call.text("status").flatMap(Account.Status.init(rawValue:)), status != account.status {
                try await call.accounts.setStatus(status, of: account.id, by: .staff(staff))
            }
            return .versioned(json(try await found(call)))
        },
        APIRoute(
            "endAccountSessions", .delete, "/api/v1/admin/accounts/{id}/sessions", tag: "Administration",
            summary: "End all sessions of an account", access: support, rate: .write, parameters: [.id],
            answers: [APIAnswer(200, "How many ended.", schema: Shape.answer(["ended": Shape.count]))],
            problems: [.conflict]
        ) { call in
            let account = try await found(call)
            guard account.id != (try call.person.user) else {
                throw APIProblem(.conflict, "End your own with `DELETE /api/v1/sessions`.")
            }
            let ended = try await call.accounts.endSessions(of: account.scope, by: .staff(try call.person.user))
            return .json(["ended": .integer(Int64(ended))])
        },
        APIRoute(
            "createService", .post, "/api/v1/admin/services", tag: "Administration",
            summary: "Make an account for a program",
            text: "It comes with API keys and never signs in.", access: care, rate: .write,
            body: APIBody(
                Shape.object(["email": Shape.email, "full_name": Shape.line(200)], required: ["email", "full_name"]),
                example: ["email": "backup@example.org", "full_name": "Backup"]),
            answers: [APIAnswer(201, "It.", schema: Shape.named("Account"), headers: [.etag, .location])],
            problems: [.taken, .refusedValue], isIdempotent: true
        ) { call in
            let account = try await call.accounts.createUser(
                email: try call.required("email"), fullName: try call.required("full_name"), role: .service)
            return .created(json(account), at: "/api/v1/admin/accounts/\(account.id)")
        },
        APIRoute(
            "listKeys", .get, "/api/v1/admin/accounts/{id}/keys", tag: "Administration",
            summary: "A program's API keys",
            access: care, rate: .read, parameters: [.id],
            answers: [APIAnswer(200, "Newest first.", schema: Shape.answer(["items": Shape.list(Shape.named("Key"))]))]
        ) { call in
            .json(["items": .array(try await call.accounts.keys(of: try await found(call).scope).map(json))])
        },
        APIRoute(
            "createKey", .post, "/api/v1/admin/accounts/{id}/keys", tag: "Administration", summary: "Make an API key",
            text: "Its text is in this answer only.", access: .signedIn(.maintenance, stepUp: .apiKey), rate: .sign,
            parameters: [.id],
            body: APIBody(
                Shape.object(
                    [
                        "name": Shape.name(80),
                        "scopes": [
                            "type": "array", "items": Shape.words(scopes), "minItems": 1, "uniqueItems": true,
                        ],
                        "lifetime_days": ["type": "integer", "minimum": 1, "maximum": 730, "default": 90],
                    ], required: ["name", "scopes"]),
                example: ["name": "nightly backup", "scopes": ["backup"], "lifetime_days": 90]),
            answers: [APIAnswer(201, "The key.", schema: Shape.named("Key"))], problems: [.conflict, .refusedValue]
        ) { call in
            let account = try await found(call)
            guard account.role == .service else {
                throw APIProblem(.conflict, "Keys are for programs' accounts; people sign in.")
            }
            let scopes = PermissionSet(
                (call.body["scopes"]?.arrayValue ?? []).compactMap {
                    $0.stringValue.flatMap(Permission.init(rawValue:))
                })
            let (key, text) = try await call.accounts.createKey(
                for: account.id, name: try call.required("name"), scopes: scopes,
                lifetime: .seconds((call.body["lifetime_days"]?.int64Value ?? 90) * 86_400),
                by: .staff(try call.person.user))
            var object = json(key).objectValue ?? [:]
            object["key"] = .string(text.reveal())
            return .json(.object(object), status: 201)
        },
        APIRoute(
            "revokeKey", .delete, "/api/v1/admin/accounts/{id}/keys/{key}", tag: "Administration",
            summary: "Take an API key back", access: care, rate: .write,
            parameters: [.id, .path("key", "The key's id.")], answers: [APIAnswer(204, "It is good no more.")]
        ) { call in
            let account = try await found(call)
            try await call.accounts.revokeKey(
                try call.id("key"), of: account.scope, by: .staff(try call.person.user))
            return .noContent
        },
        APIRoute(
            "getMetrics", .get, "/api/v1/admin/metrics", tag: "Administration", summary: "The figures in short",
            text: "Counters and gauges by name and labels; for Prometheus there is `/metrics`.",
            access: .signedIn(.metrics), rate: .read,
            answers: [
                APIAnswer(
                    200, "The figures.",
                    schema: Shape.answer([
                        "items": Shape.list(
                            Shape.answer([
                                "name": ["type": "string"], "labels": ["type": "object"],
                                "value": ["type": ["number", "null"]],
                            ]))
                    ]))
            ]
        ) { call in .json(["items": .array(MetricText.items(call.services.metrics.exposition()))]) },
        APIRoute(
            "verifyAudit", .get, "/api/v1/admin/audit/verification", tag: "Administration",
            summary: "Check that the audit is as it was written",
            text: "Reads every chain; finds any edit, gap, reorder, cut or forged entry.",
            access: .signedIn(.logs, needsSession: true), rate: .heavy,
            answers: [
                APIAnswer(
                    200, "What was found.",
                    schema: Shape.answer([
                        "is_intact": Shape.flag, "chains": Shape.count, "entries": Shape.count,
                        "findings": Shape.list(
                            Shape.answer([
                                "kind": ["type": "string"], "chain": ["type": "string"],
                                "sequence": Shape.nullable(["type": "integer"]),
                            ])),
                    ]))
            ]
        ) { call in
            let report = try await call.database.verifyAudit()
            return .json([
                "is_intact": .bool(report.isIntact), "chains": .integer(Int64(report.chains)),
                "entries": .integer(Int64(report.entries)),
                "findings": .array(
                    report.findings.map { finding in
                        [
                            "kind": .string(finding.kind.rawValue), "chain": .string(String(finding.chain)),
                            "sequence": finding.sequence.map { .integer($0) } ?? .null,
                        ]
                    }),
            ])
        },
        APIRoute(
            "getUsage", .get, "/api/v1/admin/usage", tag: "Administration", summary: "How much is used",
            text: "Counts only.", access: .signedIn(.metrics), rate: .read,
            answers: [
                APIAnswer(
                    200, "The counts.",
                    schema: Shape.answer([
                        "accounts": Shape.count, "accounts_by_role": ["type": "object"], "open_sessions": Shape.count,
                        "verified_numbers": Shape.count, "turns_waiting": Shape.count,
                        "models_today": Shape.answer([
                            "requests": Shape.count, "tokens": Shape.count, "cost": ["type": "string"],
                        ]),
                    ]))
            ]
        ) { call in
            let usage = try await call.accounts.usage()
            let today = UsageRoutes.day(of: call.database.store.clock.now)
            let (waiting, models) = try await call.database.read(.system) { transaction in
                (
                    try transaction.first("SELECT count(*) AS n FROM turn_queue")?.int64("n") ?? 0,
                    try UsageRoutes.total(of: today, in: transaction)
                )
            }
            var roles: JSONObject = [:]
            for role in Account.Role.allCases {
                roles[role.rawValue] = .integer(Int64(usage.accountsByRole[role] ?? 0))
            }
            return .json([
                "accounts": .integer(Int64(usage.accountsByRole.values.reduce(0, +))),
                "accounts_by_role": .object(roles),
                "open_sessions": .integer(Int64(usage.openSessions)),
                "verified_numbers": .integer(Int64(usage.verifiedNumbers)), "turns_waiting": .integer(waiting),
                "models_today": models,
            ])
        },
    ]
}

/// The exposition format of Prometheus as JSON, without the histograms' buckets.
enum MetricText {
    static func items(_ exposition: [UInt8]) -> [JSON] {
        exposition.split(separator: 10).compactMap { line in
            guard let first = line.first, first != 35, let space = line.lastIndex(of: 32) else { return nil }
            let series = String(decoding: line[..<space], as: UTF8.self)
            let value = Double(String(decoding: line[line.index(after: space)...], as: UTF8.self))
            let brace = series.utf8.firstIndex(of: 123)
            let name = brace.map { String(series[..<$0]) } ?? series
            guard !name.hasSuffix("_bucket") else { return nil }
            var labels: JSONObject = [:]
            if let brace { labels = MetricText.labels(series[series.utf8.index(after: brace)...]) }
            return [
                "name": .string(name), "labels": .object(labels),
                "value": value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null,
            ]
        }
    }

    /// `route="/metrics",status="200"}`
    private static func labels(_ text: Substring) -> JSONObject {
        var labels: JSONObject = [:]
        var rest = text
        while let equals = rest.firstIndex(of: "=") {
            let name = String(rest[..<equals])
            var value = ""
            var index = rest.index(equals, offsetBy: 2, limitedBy: rest.endIndex) ?? rest.endIndex
            while index < rest.endIndex, rest[index] != "\"" {
                if rest[index] == "\\" { index = rest.index(after: index) }
                guard index < rest.endIndex else { break }
                value.append(rest[index])
                index = rest.index(after: index)
            }
            labels[name] = .string(value)
            rest = index < rest.endIndex ? rest[rest.index(after: index)...] : ""
            if rest.first == "," { rest = rest.dropFirst() }
        }
        return labels
    }
}
