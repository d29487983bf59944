import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// What plugins keep, and everything at once: seen, taken along, erased.
enum DataRoutes {
    private static let name: APIParameter = .path(
        "name", "The integration's namespace: `grocery`.",
        schema: ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,47}$"])
    private static let table: APIParameter = .path(
        "table", "The table: `grocery_items`.", schema: ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,47}$"])

    private static func manifest(_ call: APICall) throws -> PluginManifest {
        guard let manifest = call.services.plugins.manifests.first(where: { $0.namespace == call.path["name"] }) else {
            throw APIProblem.notFound
        }
        return manifest
    }

    static let all: [APIRoute] = [
        APIRoute(
            "listTables", .get, "/api/v1/integrations/{name}/tables", tag: "Your data",
            summary: "What an integration keeps of you", access: .signedIn(.ownData), rate: .read, parameters: [name],
            answers: [
                APIAnswer(
                    200, "Its tables, with the number of your rows.",
                    schema: Shape.answer([
                        "items": Shape.list(
                            Shape.answer([
                                "name": ["type": "string"], "purpose": ["type": "string"], "rows": Shape.count,
                            ]))
                    ]))
            ]
        ) { call in
            let manifest = try manifest(call)
            let counts = try await call.database.read(try call.scope) { transaction in
                try manifest.tables.map { table in
                    try transaction.count(
                        table.name, tables: .owner(manifest.id, allowsWrites: false))
                }
            }
            let items = zip(manifest.tables, counts).map { table, count -> JSON in
                [
                    "name": .string(table.name), "purpose": .string(table.purpose), "rows": .integer(Int64(count)),
                ]
            }
            return .json(["items": .array(items)])
        },
        APIRoute(
            "listRows", .get, "/api/v1/integrations/{name}/tables/{table}/rows", tag: "Your data",
            summary: "Your rows of one table",
            text: "To read only: to change them, talk to the assistant. Newest first.", access: .signedIn(.ownData),
            rate: .read, parameters: [name, table] + APIParameter.page,
            answers: [
                APIAnswer(
                    200, "A page.", schema: Shape.page(["type": "object", "description": "One member per column."]))
            ]
        ) { call in
            let manifest = try manifest(call)
            guard let table = manifest.tables.first(where: { $0.name == call.path["table"] }) else {
                throw APIProblem.notFound
            }
            let conditions = call.cursor.map { [RowCondition("id", .less, .id($0))] } ?? []
            let limit = call.limit
            let rows = try await call.database.read(try call.scope) { transaction in
                try transaction.list(
                    table.name, where: conditions, order: [RowOrder("id", descending: true)], limit: limit + 1,
                    tables: .owner(manifest.id, allowsWrites: false))
            }
            return .page(rows, limit: limit) { .object($0.json) }
        },
        APIRoute(
            "exportData", .get, "/api/v1/export", tag: "Your data", summary: "Everything that is kept of you",
            text:
                "A ZIP archive: every table, the assistant's and the integrations', as JSON and as CSV, opened, with a "
                + "manifest. Another instance can import it.",
            access: .signedIn(.ownData, stepUp: .export), rate: .heavy,
            answers: [
                APIAnswer(
                    200, "Everything.", schema: ["type": "string", "contentMediaType": "application/zip"],
                    mediaTypes: ["application/zip"])
            ]
        ) { call in
            let principal = try call.person
            let archive = try await call.services.people.archive(of: principal.scope, by: .person(principal.user))
            return APIReply(
                200,
                headers: [
                    .contentType: "application/zip",
                    .contentDisposition: "attachment; filename=\"tandem-export.zip\"", .cacheControl: "no-store",
                ], body: .bytes(archive))
        },
        APIRoute(
            "importData", .post, "/api/v1/import", tag: "Your data", summary: "Take an archive over",
            text:
                "The archive of `GET /api/v1/export`, of this or another instance. Its rows are added to yours with new ids, and "
                + "keep their times: all of them or none. Numbers, connections, sessions and decisions about integrations are "
                + "yours to give again; settings that you have stay.",
            access: .signedIn(.ownData, stepUp: .dataImport), rate: .heavy,
            parameters: [
                .query(
                    "leave_out",
                    "Leave out tables of integrations that are not installed here, instead of refusing the archive.",
                    ["type": "boolean", "default": false])
            ],
            body: APIBody(file: ["application/zip", "application/octet-stream"], maxBytes: 16 << 20),
            answers: [
                APIAnswer(
                    200, "What came in.",
                    schema: Shape.answer([
                        "rows": Shape.described(
                            ["type": "object", "additionalProperties": Shape.count], "How many, by table."),
                        "left_out": Shape.described(
                            ["type": "object", "additionalProperties": ["type": "string"]],
                            "Tables that were not taken over, with the reason."),
                    ]))
            ], problems: [.conflict, .refusedValue], isIdempotent: true
        ) { call in
            let principal = try call.person
            try await call.accounts.admitImport(of: principal.scope)
            let taken = try await call.services.people.takeOver(
                call.file, into: principal.scope, leavingOut: call.query["leave_out"]?.boolValue ?? false,
                by: .person(principal.user))
            var rows = JSONObject()
            for (table, count) in taken.rows.sorted(by: { $0.key < $1.key }) { rows[table] = .integer(Int64(count)) }
            var left = JSONObject()
            for (table, reason) in taken.leftOut.sorted(by: { $0.key < $1.key }) { left[table] = .string(reason) }
            return .json(["rows": .object(rows), "left_out": .object(left)])
        },
        APIRoute(
            "eraseAccount", .post, "/api/v1/erasure", tag: "Your data",
            summary: "Erase the account and all that is kept",
            text:
                "At once and for good: rows, messages, memories, integrations' data, sessions, and the key that sealed "
                + "them. Write the account's address to show that you mean it.",
            access: .signedIn(.ownData, stepUp: .erasure), rate: .heavy,
            body: APIBody(
                Shape.object(["email": Shape.email], required: ["email"]), example: ["email": "kim@example.org"]),
            answers: [
                APIAnswer(
                    200, "It is gone.",
                    schema: Shape.answer([
                        "account_id": Shape.id, "erased_at": Shape.timestamp, "proof_id": Shape.id, "rows": Shape.count,
                    ]))
            ], problems: [.conflict]
        ) { call in
            let principal = try call.person
            guard let account = try await call.accounts.user(principal.user),
                account.email.lowercased() == (try call.required("email")).lowercased()
            else { throw APIProblem(.conflict, "That is not the account's address, so nothing was erased.") }
            let erasure = try await call.services.people.erase(principal.scope, by: .person(principal.user))
            return .json([
                "account_id": .string(principal.user.description), "erased_at": .timestamp(erasure.erasedAt),
                "proof_id": .id(erasure.proof), "rows": .integer(Int64(erasure.rows)),
            ])
        },
    ]
}
