import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemLife
import TandemStorage
import Testing

@testable import TandemAPI
@testable import TandemApplication

/// Gives a person something in every table that may hold a person's rows: by using the program, and where that would take a
/// service elsewhere, by writing what the program would have written.
///
/// Texts hold a word that can be looked for: `spoken` what was said, `plain` what columns hold that are not sealed, `sealed`
/// what is never readable in a file.
struct WholeLife: Sendable {
    static let spoken = "zaunkoenig"
    static let plain = "rotkehlchen"
    static let sealed = "gimpelfink"
    static let password = "seven green bottles"

    let household: Household
    let scope: UserScope

    private var database: any Database { household.application.database }
    private var accounts: Accounts { household.application.accounts }
    private var user: UserID { scope.user }

    /// Returns secrets that were given out: tokens, keys, codes, links.
    func live() async throws -> [String] {
        var secrets: [String] = []
        for text in [
            "call me \(Self.spoken)", "add task call \(Self.spoken) tomorrow at 10am", "break it down",
            "note: \(Self.spoken) likes tea", "remember that \(Self.spoken) is my dentist", "who is my dentist?",
            "add 2 \(Self.spoken) to my grocery list", "I spent 3.20 euro on \(Self.spoken)",
            "save a recipe for \(Self.spoken) pancakes for 4: 250 g flour, 3 eggs", "clear my grocery list",
        ] { try await household.say(text, as: scope) }
        secrets += try await proofs()
        for rule in DataCatalogue.system {
            // The storage fills its own with what the others have.
            guard rule.person == "user_id", !DataCatalogue.isOfStorage(rule.name) else { continue }
            try await put(rule)
        }
        for (owner, tables) in database.store.tables.definitions.sorted(by: { $0.key < $1.key }) {
            for table in tables { try await row(of: table, owner: owner) }
        }
        return secrets
    }

    /// Signs in, with a second factor; asks for links and codes; sends a request twice.
    private func proofs() async throws -> [String] {
        var secrets: [String] = []
        let account = try #require(try await accounts.user(user))
        try await accounts.setPassword(Self.password, of: scope)
        secrets.append(try await accounts.makeDataLink(for: .export, of: scope).address)
        let source = ClientSource(address: "203.0.113.7", deviceName: "\(Self.sealed) tablet")
        guard
            case .signedIn(let tokens) = try await accounts.logIn(
                email: account.email, password: Self.password, from: source)
        else { throw ApplicationError("not signed in") }
        secrets += [tokens.accessToken.reveal(), tokens.refreshToken.reveal()]
        // Twice the same request.
        let api = household.application.api
        let place = try #require(api.target(.post, "/api/v1/notes"))
        let body: JSON = ["title": "sent", "content": .string("\(Self.spoken) by program")]
        for _ in 0..<2 {
            let reply = await api.respond(
                to: APIRequest(
                    method: .post, target: "/api/v1/notes",
                    headers: [
                        .authorization: "Bearer \(tokens.accessToken.reveal())", .contentType: "application/json",
                        .idempotencyKey: "key-of-\(Self.spoken)",
                    ], body: body.serialized(), address: "203.0.113.7", requestID: "life"), place)
            #expect(reply.status == 201)
        }
        if accounts.services.mailer != nil { try await accounts.sendEmailVerification(to: scope) }
        let enrolment = try await accounts.beginTOTP(of: scope)
        secrets.append(enrolment.key.reveal())
        return secrets
    }

    // MARK: System tables

    /// Rows that need the world outside, or a moment that is over at once. Every column that may hold a text holds a word.
    private static let cases: [String: @Sendable (WholeLife, Int64) -> [String: Value]] = [
        "verified_emails": { _, _ in ["verified_at": .int(5)] },
        "known_devices": { life, id in
            ["token_hash": life.hash(id), "created_at": .int(5), "last_used_at": .int(5), "expires_at": .int(.max)]
        },
        "channel_proofs": { _, _ in ["channel": .text(plain), "proved_at": .int(5)] },
        "login_challenges": { life, id in
            [
                "token_hash": life.hash(id), "attempts_left": .int(5), "expires_at": .int(.max), "created_at": .int(5),
            ]
        },
        "recovery_codes": { life, id in ["code_hash": life.hash(id), "created_at": .int(5), "used_at": .null] },
        "mail_outbox": { _, id in
            [
                "id": .int(id), "sealed": .sealed(sealed), "attempts": .int(0), "due_at": .int(.max),
                "created_at": .int(5),
            ]
        },
        "api_keys": { life, id in
            [
                "id": .int(id), "public_id": .text("pub\(id)"), "secret_hash": life.hash(id), "name": .text(plain),
                "scopes": .text("metrics"), "created_at": .int(5), "expires_at": .int(.max), "last_used_at": .int(5),
                "revoked_at": .null,
            ]
        },
        "turn_queue": { _, id in
            ["turn": .int(id), "holder": .text(plain), "lease_until": .int(.max), "times_left": .int(0)]
        },
        "sms_outbox": { life, id in
            [
                "id": .int(id), "turn": .int(id), "ordinal": .int(1), "state": .int(2), "due_at": .int(5),
                "created_at": .int(5), "number": life.hash(id), "sender": .text("+15555550100"),
                "sealed_to": .sealed(sealed), "sealed_text": .sealed(sealed), "segments": .int(1),
                "attempts": .int(1), "checks": .int(0), "retries": .int(0), "tried_at": .int(5),
                "lease_until": .int(0), "lease_owner": .text(plain), "sid": .text("SM\(plain)\(id)"),
                "status": .text("sent"), "error_code": .null, "usage_id": .null, "sent_at": .int(5),
                "followed_up": .int(1),
            ]
        },
        "plugin_values": { _, id in
            [
                "plugin": .text("test.plugin"), "key": .text("key \(plain)"), "id": .int(id), "version": .int(1),
                "value": .sealed("{\"\(sealed)\":1}"), "byte_count": .int(20), "expires_at": .null,
            ]
        },
        "llm_days": { _, id in
            [
                "day": .int(id % 1000), "requests": .int(1), "tokens": .int(20), "micros": .int(3),
                "silent_requests": .int(0), "silent_tokens": .int(0), "silent_micros": .int(0),
            ]
        },
        "plugin_value_usage": { _, _ in
            ["plugin": .text("test.\(plain)"), "entries": .int(1), "bytes": .int(20), "last_version": .int(1)]
        },
        "search_vectors": { _, id in
            [
                "model": .text("test/1/4"), "row_id": .int(id), "id": .int(id), "source": .text("notes"),
                "stamp": .int(5), "vector": .sealed(sealed),
            ]
        },
        "search_models": { _, _ in
            [
                "model": .text("test/1/4"), "is_ready": .int(1), "last_id": .int(5), "source": .text("notes"),
                "after_row": .int(5), "updated_at": .int(5),
            ]
        },
        "plugin_secrets": { _, id in
            [
                "plugin": .text("test.plugin"), "name": .text(plain), "id": .int(id), "value": .sealed(sealed),
                "entered_at": .int(5),
            ]
        },
        "plugin_timers": { _, id in
            [
                "id": .int(id), "plugin": .text("test.plugin"), "name": .text("timer \(plain)"), "handler": .text("h"),
                "data": .sealed("{\"for\":\"\(sealed)\"}"), "due_at": .int(.max), "anchor_local": .int(5),
                "next_at": .int(.max),
            ]
        },
        "plugin_deliveries": { _, id in
            [
                "id": .int(id), "event": .int(id), "publisher": .text("test.plugin"), "plugin": .text("test.other"),
                "topic": .text(plain), "handler": .text("h"), "data": .sealed(sealed), "published_at": .int(5),
                "depth": .int(0), "next_at": .int(.max), "attempts": .int(0), "lease_until": .int(0),
            ]
        },
        "plugin_event_keys": { _, id in
            [
                "plugin": .text("test.plugin"), "topic": .text("t"), "key": .text(plain), "event": .int(id),
                "published_at": .int(5),
            ]
        },
        "plugin_versions": { _, _ in
            ["plugin": .text("test.\(plain)"), "version": .text("1.0.0"), "attempts": .int(0), "next_at": .int(.max)]
        },
        "plugin_settings": { _, id in
            ["plugin": .text("test.\(plain)"), "id": .int(id), "settings": .sealed("{\"a\":\"\(sealed)\"}")]
        },
        "oauth_tokens": { _, id in
            [
                "id": .int(id), "provider": .text("microsoft"), "state": .text("connected"),
                "access_token": .sealed(sealed), "refresh_token": .sealed(sealed), "scopes": .text(plain),
                "version": .int(1), "fence": .int(0), "obtained_at": .int(5), "expires_at": .int(.max),
                "refresh_at": .int(.max), "idle_at": .null, "used_at": .int(5), "failures": .int(0),
                "retry_at": .null, "reason": .null, "pending": .null, "created_at": .int(5), "updated_at": .int(5),
            ]
        },
        "oauth_states": { life, id in
            [
                "state_hash": life.hash(id), "id": .int(id), "session_hash": life.hash(id),
                "provider": .text("microsoft"), "redirect": .text("https://tandem.example/\(plain)"),
                "scopes": .text(plain), "verifier": .sealed(sealed), "expires_at": .int(.max),
            ]
        },
        "jobs": { _, id in
            [
                "id": .int(id), "kind": .text("test.\(plain)"), "lane": .text(plain), "job_key": .text(plain),
                "payload": .sealed(sealed), "run_at": .int(.max), "created_at": .int(5),
            ]
        },
        "oauth_links": { life, id in
            [
                "link_hash": life.hash(id), "id": .int(id), "provider": .text("microsoft"), "plugin": .text(plain),
                "level": .text("read_only"), "expires_at": .int(.max),
            ]
        },
    ]

    enum Value: Sendable {
        case null
        case int(Int64)
        case text(String)
        case blob([UInt8])
        case sealed(String)
    }

    private func hash(_ id: Int64) -> Value {
        .blob((0..<32).map { UInt8(truncatingIfNeeded: id >> ($0 % 8) + Int64($0)) })
    }

    /// Something in a table that has nothing of the person yet.
    private func put(_ rule: TableRule) async throws {
        let (database, user) = (database, user)
        let isEmpty = try await database.read(scope) { transaction in
            try transaction.first("SELECT 1 AS one FROM \(identifier: rule.name) WHERE user_id = \(user)") == nil
        }
        let id = database.store.ids.next().rawValue
        guard let make = Self.cases[rule.name] else {
            #expect(!isEmpty, "\(rule.name) has nothing of the person: say in WholeLife how it comes to have something")
            return
        }
        // Those of a person's doings stay as they are.
        let made = make(self, id)
        for name in made.keys {
            #expect(rule.columns.contains { $0.name == name }, "\(rule.name).\(name) is not in the catalogue")
        }
        try await database.write(scope) { transaction in
            var names: SQL = "user_id"
            var values: SQL = "\(user)"
            for (name, value) in made.sorted(by: { $0.key < $1.key }) {
                let stored: SQLValue
                switch value {
                case .null: stored = .null
                case .int(let number): stored = .int(number)
                case .text(let text): stored = .text(text)
                case .blob(let bytes): stored = .blob(bytes)
                case .sealed(let text):
                    stored = .blob(
                        try transaction.seal(
                            Array(text.utf8), SealContext(table: rule.name, column: name, row: id)))
                }
                names.append(", \(identifier: name)")
                values.append(", \(stored)")
            }
            try transaction.execute("INSERT INTO \(identifier: rule.name) (\(names)) VALUES (\(values))")
        }
    }

    // MARK: Declared tables

    /// A row with a word in every column that can hold one.
    private func row(of table: TableDefinition, owner: String) async throws {
        let database = database
        try await database.write(scope) { transaction in
            var values: JSONObject = [:]
            for column in table.columns {
                let word = column.isSealed ? Self.sealed : Self.plain
                switch column.type {
                case .text: values[column.name] = .string(word)
                case .json: values[column.name] = ["word": .string(word)]
                case .integer: values[column.name] = 1
                case .real: values[column.name] = 0.5
                case .decimal: values[column.name] = "1"
                case .boolean: values[column.name] = false
                case .date: values[column.name] = "2026-12-01"
                case .timestamp: values[column.name] = "2026-12-01T08:00:00.000Z"
                case .id:
                    if let other = column.references {
                        let first = try transaction.list(other, limit: 1, tables: .owner(owner)).first
                        values[column.name] = first.map { .id($0.id) } ?? .null
                    } else {
                        values[column.name] = .id(transaction.nextID())
                    }
                }
            }
            do {
                let values = values
                try transaction.atomically {
                    _ = try transaction.insert(
                        table.name, values, origin: WriteOrigin(turn: transaction.nextID(), step: 0),
                        tables: .owner(owner))
                }
            } catch let error as StorageError where error.code == .unique {
                // One row there is.
            }
            #expect(try transaction.count(table.name, tables: .owner(owner)) > 0, "\(table.name) has no row")
        }
    }
}
