import Foundation
import HTTPTypes
import TandemAccounts
import TandemAgent
import TandemCore
import TandemJSON
import TandemMemory
import TandemOAuth
import TandemPluginHost
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAPI
@testable import TandemApplication

/// Every place of the interface, and every extension, where somebody can name a thing, tried by one person with the names of
/// another's things. A route, a parameter or an extension that comes anew needs a case here: the tests fail until it has one.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct EnumeratedIsolationTests {
    private static let password = "plum harbour violet 7"
    /// Stands in everything of Ann's.
    private static let secret = "quaggaword"

    // MARK: Routes

    /// What a handle leads to when it is another person's.
    private enum Case {
        /// The same answer, byte for byte, as for a thing that nobody has.
        case missing
        /// It names something of one's own, by a word that everybody may use: nothing of another's shows.
        case ownWord
        /// A place in one's own list.
        case cursor
        /// Compared with one's own thing.
        case precondition
        /// A key that is one's own, whoever else has the same.
        case idempotencyKey
        /// A secret that was sent to one person: not accepted from another.
        case secret
        /// Whoever holds it is taken for its owner, and nobody can guess it.
        case bearer
        /// Asked of administrators only.
        case administrators
    }

    private static let cases: [String: Case] = [
        "endSession {id}": .missing, "getMemory {id}": .missing, "changeMemory {id}": .missing,
        "deleteMemory {id}": .missing, "getMessage {id}": .missing, "getNote {id}": .missing,
        "changeNote {id}": .missing,
        "deleteNote {id}": .missing, "setPrimaryNumber {id}": .missing, "removeNumber {id}": .missing,
        "getTask {id}": .missing, "changeTask {id}": .missing, "deleteTask {id}": .missing,
        "getFocus {id}": .missing, "endFocus {id}": .missing, "endFocus If-Match": .precondition,
        "setFocus Idempotency-Key": .idempotencyKey,
        "createTask parent_id": .missing, "listTasks ?parent_id": .cursor,
        "listMemories ?cursor": .cursor, "listMessages ?cursor": .cursor, "listNotes ?cursor": .cursor,
        "listTasks ?cursor": .cursor, "listRows ?cursor": .cursor, "streamMessages ?last_event_id": .cursor,
        "streamMessages Last-Event-ID": .cursor,
        "connectIntegration {name}": .ownWord, "disconnectConnection {provider}": .ownWord,
        "listTables {name}": .ownWord,
        "listRows {name}": .ownWord, "listRows {table}": .ownWord, "getIntegration {name}": .ownWord,
        "enableIntegration {name}": .ownWord, "disableIntegration {name}": .ownWord,
        "setIntegrationLevel {name}": .ownWord, "setToolAccess {name}": .ownWord, "setToolAccess {tool}": .ownWord,
        "approveIntegration {name}": .ownWord, "addNumber number": .ownWord,
        "changeMe If-Match": .precondition, "changeMemory If-Match": .precondition,
        "deleteMemory If-Match": .precondition,
        "changeNote If-Match": .precondition, "deleteNote If-Match": .precondition,
        "changeTask If-Match": .precondition,
        "deleteTask If-Match": .precondition,
        "createMemory Idempotency-Key": .idempotencyKey, "sendMessage Idempotency-Key": .idempotencyKey,
        "createNote Idempotency-Key": .idempotencyKey, "createTask Idempotency-Key": .idempotencyKey,
        "enableIntegration Idempotency-Key": .idempotencyKey, "disableIntegration Idempotency-Key": .idempotencyKey,
        "approveIntegration Idempotency-Key": .idempotencyKey, "importData Idempotency-Key": .idempotencyKey,
        "createService Idempotency-Key": .administrators,
        "confirmEmailChange code": .secret, "verifyNumber code": .secret, "verifyNumber number": .secret,
        "confirmTOTP code": .secret, "stepUp code": .secret,
        "finishSignUp token": .bearer, "finishLogIn challenge": .bearer, "finishLogIn code": .bearer,
        "sendLogInCode challenge": .bearer, "refresh refresh_token": .bearer, "logOut refresh_token": .bearer,
        "resetPassword token": .bearer, "verifyEmail token": .bearer, "signUp invitation": .bearer,
        "logIn device_token": .bearer, "finishLogIn device_token": .bearer,
    ]

    /// `createTask parent_id`: the places of a route where something is named.
    private static func handles(of route: APIRoute) -> [String] {
        var all = route.path.names.map { "\(route.id) {\($0)}" }
        for parameter in route.parameters where parameter.place != .path {
            let isID = names(parameter.schema) || ["If-Match", "Idempotency-Key"].contains(parameter.name)
            guard isID else { continue }
            all.append("\(route.id) \(parameter.place == .query ? "?" : "")\(parameter.name)")
        }
        guard let body = route.body, !body.isBinary else { return all }
        for (name, schema) in body.schema["properties"]?.objectValue ?? [:]
        where names(schema) || ["code", "token", "challenge", "number", "invitation"].contains(name) {
            all.append("\(route.id) \(name)")
        }
        return all
    }

    /// The schema takes an id, a code or a token.
    private static func names(_ schema: JSON) -> Bool {
        let pattern = schema["pattern"]
        if pattern != nil, [Shape.id, Shape.code, Shape.token].contains(where: { $0["pattern"] == pattern }) {
            return true
        }
        return ["anyOf", "oneOf", "allOf"].contains { schema[$0]?.arrayValue?.contains(where: names) == true }
            || (schema["items"].map(names) ?? false)
    }

    private struct Client: Sendable {
        let household: Household
        var token = ""

        init(_ household: Household, _ email: String, _ scope: UserScope) async throws {
            self.household = household
            try await household.application.accounts.setPassword(password, of: scope)
            let answer = try await send(
                .post, "/api/v1/auth/login", ["email": .string(email), "password": .string(password)])
            token = try #require(answer.json["tokens"]?["access_token"]?.stringValue)
        }

        func send(
            _ method: HTTPRequest.Method, _ target: String, _ body: JSON? = nil, headers: HTTPFields = [:]
        ) async throws -> (status: Int, headers: HTTPFields, json: JSON, bytes: [UInt8]) {
            let api = household.application.api
            let place = try #require(api.target(method, target))
            var headers = headers
            if !token.isEmpty { headers[.authorization] = "Bearer \(token)" }
            if body != nil { headers[.contentType] = "application/json" }
            let reply = await api.respond(
                to: APIRequest(
                    method: method, target: target, headers: headers, body: body?.serialized() ?? [],
                    address: "203.0.113.9", requestID: "test"), place)
            var bytes: [UInt8] = []
            if case .bytes(let all) = reply.body { bytes = all }
            return (reply.status, reply.headers, (try? JSON(parsing: bytes)) ?? .null, bytes)
        }
    }

    /// Ann's things, by what one could guess or overhear of them.
    private struct Things: Sendable {
        var ids: [String] = []
        var codes: [String] = []
        var tokens: [String] = []
        var tags: [String] = []
        var key = "quagga-key"
    }

    private func things(of household: Household, _ ann: Client) async throws -> Things {
        var things = Things()
        let application = household.application
        for (target, body) in [
            ("tasks", ["title": .string("\(Self.secret) task")] as JSON),
            ("notes", ["title": "n", "content": .string("\(Self.secret) note")]),
            ("memories", ["content": .string("My word is \(Self.secret)")]),
            ("focus", ["name": .string("\(Self.secret) focus")]),
        ] {
            let answer = try await ann.send(
                .post, "/api/v1/\(target)", body, headers: [.idempotencyKey: "\(things.key)-\(target)"])
            things.ids.append(try #require(answer.json["id"]?.stringValue))
            if let tag = answer.headers[.eTag] { things.tags.append(tag) }
        }
        try await household.say("add 2 \(Self.secret) to my grocery list")
        let asked = try await household.say("clear my grocery list")
        things.codes.append(String(try #require(asked.confirmation?.code)))
        // Rows of every table, with turns that could be taken back, sessions and numbers among them.
        for table in try await household.export(of: household.ann)["tables"]?.arrayValue ?? [] {
            things.ids += (table["rows"]?.arrayValue ?? []).prefix(3).compactMap { $0["id"]?.stringValue }
        }
        for session in try await ann.send(.get, "/api/v1/sessions").json["items"]?.arrayValue ?? [] {
            if let id = session["id"]?.stringValue { things.ids.append(id) }
        }
        let undoable = try await application.database.read(household.ann) { try $0.latestUndoableTurn() }
        if let undoable { things.ids.append(undoable.description) }
        things.tokens.append(
            String(
                try await application.accounts.makeDataLink(for: .erasure, of: household.ann).address.split(
                    separator: "/"
                )
                .last ?? ""))
        let link = try await application.connections.link(
            for: ConnectionNeed(provider: "microsoft"), of: household.ann)
        things.tokens.append(String(link.split(separator: "/").last ?? ""))
        things.ids = Array(Set(things.ids)).sorted()
        #expect(things.ids.count > 15)
        return things
    }

    private func view(_ household: Household, _ scope: UserScope) async throws -> [JSON] {
        (try await household.export(of: scope)["tables"]?.arrayValue ?? []).filter {
            $0["name"] != "user_identification_logs"
        }
    }

    @Test func noHandleOfAnotherPersonOpensAnything() async throws {
        let all = APIRoute.all.filter { !$0.path.text.contains("/admin/") }.flatMap(Self.handles)
        let administration = APIRoute.all.filter { $0.path.text.contains("/admin/") }
        let known = Set(Self.cases.keys)
        let new = all.filter { !known.contains($0) }.sorted()
        #expect(new == [], "say in `cases` what another person's is worth here")
        let gone = known.subtracting(APIRoute.all.flatMap(Self.handles)).sorted()
        #expect(gone == [], "there is no such place")

        try await Household.run { household in
            let ann = try await Client(household, "ann@example.org", household.ann)
            let bob = try await Client(household, "bob@example.org", household.bob)
            let things = try await things(of: household, ann)
            let own = try await bob.send(.post, "/api/v1/notes", ["title": "mine", "content": "bob's"])
            let ownNote = try #require(own.json["id"]?.stringValue)
            let before = try await view(household, household.ann)
            let sessions = try await household.application.accounts.sessions(of: household.ann).count

            /// One request of Bob's; nothing of Ann's may be in the answer.
            func tried(
                _ route: APIRoute, path: [String: String] = [:], query: String = "", body: JSON? = nil,
                headers: HTTPFields = [.ifMatch: "*"]
            ) async throws -> (status: Int, headers: HTTPFields, bytes: [UInt8]) {
                var target = route.path.text
                for name in route.path.names {
                    target = target.replacing("{\(name)}", with: path[name] ?? Self.word(name))
                }
                let answer = try await bob.send(
                    HTTPRequest.Method(route.method.rawValue) ?? .get, target + query, body ?? route.body?.example,
                    headers: headers)
                let text = String(decoding: answer.bytes, as: UTF8.self)
                #expect(!text.contains(Self.secret), "\(route.id) \(target)\(query)")
                #expect(route.statuses.contains(answer.status), "\(route.id) \(answer.status)")
                return (answer.status, answer.headers, answer.bytes)
            }

            for route in APIRoute.all where !route.path.text.contains("/admin/") && route.id != "eraseAccount" {
                for handle in Self.handles(of: route) {
                    let name = String(handle.dropFirst(route.id.utf8.count + 1))
                    func inBody(_ value: String) -> JSON {
                        var object = route.body?.example.objectValue ?? [:]
                        object[name] = .string(value)
                        return .object(object)
                    }
                    switch Self.cases[handle] {
                    case .missing:
                        let key = String(name.dropFirst().dropLast())
                        for id in things.ids {
                            let isPath = name.hasPrefix("{")
                            // One's own thing that would come to refer to another's.
                            let place = isPath ? [key: id] : ["id": ownNote]
                            let other = try await tried(route, path: place, body: isPath ? nil : inBody(id))
                            let none = try await tried(
                                route, path: isPath ? [key: "123456789"] : ["id": ownNote],
                                body: isPath ? nil : inBody("123456789"))
                            #expect(other.status == none.status && other.bytes == none.bytes, "\(handle) \(id)")
                            #expect((400..<500).contains(other.status), "\(handle) \(other.status)")
                        }
                    case .cursor:
                        for id in things.ids.prefix(12) {
                            if name.hasPrefix("?") {
                                _ = try await tried(route, query: "?\(name.dropFirst())=\(id)")
                            } else if let field = HTTPField.Name(name) {
                                _ = try await tried(route, headers: [field: id])
                            }
                        }
                    case .ownWord:
                        for word in things.ids.prefix(3) + [Self.secret, Household.annPhone] {
                            if name.hasPrefix("{") {
                                let place = [String(name.dropFirst().dropLast()): word]
                                #expect(try await tried(route, path: place).status >= 400, "\(handle)")
                            } else {
                                _ = try await tried(route, body: inBody(word))
                            }
                        }
                    case .precondition:
                        for tag in things.tags {
                            let answer = try await tried(
                                route, path: ["id": ownNote], headers: [.ifMatch: tag])
                            #expect([404, 412].contains(answer.status), "\(handle) \(answer.status)")
                        }
                    case .idempotencyKey:
                        for suffix in ["tasks", "notes", "memories"] {
                            let answer = try await tried(
                                route, path: ["name": "recipes"], headers: [.idempotencyKey: "\(things.key)-\(suffix)"])
                            #expect(answer.headers[.idempotencyReplayed] == nil, "\(handle)")
                        }
                    case .secret, .bearer:
                        for word in things.codes.map({ "00\($0)" }) + things.tokens + things.ids.prefix(2) {
                            let answer = try await tried(route, body: inBody(word))
                            // Asking for a mail or a text says nothing of who has it.
                            #expect(answer.status >= 400 || answer.status == 202 || answer.status == 204, "\(handle)")
                            #expect(
                                !String(decoding: answer.bytes, as: UTF8.self).contains("access_token"), "\(handle)")
                        }
                    case .administrators, nil: break
                    }
                }
            }
            for route in administration {
                for id in [household.ann.user.description] + things.ids.prefix(2) {
                    #expect(try await tried(route, path: ["id": id, "key": id]).status == 403, "\(route.id)")
                }
            }
            // By words, too: what waits for Ann's word does not hear Bob's.
            for word in things.codes + ["undo", "yes", "more", "1"] {
                let answer = try await household.say(word, as: household.bob)
                #expect(!answer.text.contains(Self.secret))
            }
            let after = try await view(household, household.ann)
            #expect(before == after)
            #expect(try await household.application.accounts.sessions(of: household.ann).count == sessions)
            #expect(try await ann.send(.get, "/api/v1/me").status == 200)
            #expect(try await household.application.accounts.identify(phone: Household.annPhone) == household.ann)
            // The links are worth nothing to another, and all to her.
            let principal = try await household.application.accounts.authenticate(bob.token)
            await #expect(throws: AccountsError.self) {
                _ = try await household.application.accounts.dataRequest(
                    ofLink: Secret(things.tokens[0]), by: principal, from: ClientSource())
            }
            await #expect(throws: OAuthError.self) {
                _ = try await household.application.connections.need(
                    ofLink: things.tokens[1], in: LoginSession(person: household.bob, id: Secret("s")))
            }
            let owner = try await household.application.accounts.authenticate(ann.token)
            #expect(
                try await household.application.accounts.dataRequest(
                    ofLink: Secret(things.tokens[0]), by: owner, from: ClientSource()) == .erasure)
        }
    }

    private static func word(_ name: String) -> String {
        ["name": "grocery", "table": "grocery_items", "tool": "grocery.add", "provider": "microsoft"][name]
            ?? "123456789"
    }

    // MARK: Extensions

    /// What one person's plugin can do with another's names, extension by extension; nil: it names nothing of a person's.
    private static let extensions: [String: (@Sendable (Household, [String]) async throws -> Void)?] = [
        "rows": { household, ids in
            let rows = StoredRows(database: household.application.database)
            let tables = household.application.database.store.tables.definitions.filter { !$0.key.hasPrefix("host.") }
            #expect(tables.values.joined().count > 5)
            for (owner, definitions) in tables {
                for table in definitions {
                    for id in ids {
                        for operation: JSON in [
                            ["get": .string(table.name), "id": .string(id)],
                            ["delete": .string(table.name), "id": .string(id)],
                            ["update": .string(table.name), "id": .string(id), "set": [:]],
                            [
                                "list": .string(table.name),
                                "where": .array([.array(["id", "eq", .string(id)])]),
                            ],
                        ] {
                            let origin = WriteOrigin(turn: household.application.database.store.ids.next(), step: 0)
                            let result = await rows.execute(
                                operations: [operation], owner: owner, scope: household.bob, origin: origin,
                                mayWrite: true, copies: [], quota: .standard)
                            if case .success(let value) = result {
                                #expect(!value.text.contains(secret), "\(operation.text): \(value.text)")
                                #expect(!value.text.contains(id), "\(operation.text): \(value.text)")
                            }
                        }
                        // Nor can a row of one's own refer to it.
                        for column in table.columns where column.references != nil {
                            let result = await rows.execute(
                                operations: [["insert": .string(table.name), "values": [column.name: .string(id)]]],
                                owner: owner, scope: household.bob,
                                origin: WriteOrigin(turn: household.application.database.store.ids.next(), step: 0),
                                mayWrite: true, copies: [], quota: .standard)
                            guard case .failure = result else {
                                Issue.record("\(table.name).\(column.name) refers to another person's row")
                                continue
                            }
                        }
                    }
                }
            }
        },
        "kv": { household, _ in
            let values = StoredValues(database: household.application.database)
            let (ann, bob) = places(household)
            let kept = try await values.set(
                Array(secret.utf8), for: "k", expected: nil, lifetimeMilliseconds: 0, quota: .standard, in: ann)
            #expect(try await values.value(of: "k", in: bob) == nil)
            #expect(try await values.keys(prefix: "", after: "", limit: 10, in: bob).keys.isEmpty)
            await #expect(throws: ServiceFailure.self) {
                _ = try await values.set(
                    [1], for: "k", expected: kept.version, lifetimeMilliseconds: 0, quota: .standard, in: bob)
            }
            await #expect(throws: ServiceFailure.self) {
                try await values.remove("k", expected: kept.version, in: bob)
            }
            #expect(try await values.value(of: "k", in: ann)?.bytes == Array(secret.utf8))
        },
        "secret": { household, _ in
            let (ann, bob) = places(household)
            let secrets = household.application.secrets
            try await secrets.set(Array(secret.utf8), name: "s", plugin: ann.plugin, in: ann.scope)
            #expect(try await secrets.remove("s", plugin: bob.plugin, in: bob.scope) == false)
            let rows = try await household.application.database.read(bob.scope) { transaction in
                try transaction.query("SELECT name FROM plugin_secrets WHERE user_id = \(bob.scope.user)").count
            }
            #expect(rows == 0)
        },
        "timer": { household, _ in
            let (ann, bob) = places(household)
            let timers = StoredTimers(
                database: household.application.database, offset: { _ in { _ in 0 } }, wake: {})
            let due = household.clock.now.advanced(by: .seconds(3600))
            let plan = TimerPlan(
                name: "t", handler: "test.handler", data: ["word": .string(secret)], dueAt: due, repeats: nil)
            try await timers.set(plan, limit: 5, in: ann)
            #expect(try await timers.timers(in: bob).isEmpty)
            await #expect(throws: ServiceFailure.self) { try await timers.cancel("t", in: bob) }
            #expect(try await timers.timers(in: ann).map(\.name) == ["t"])
        },
        "event": { household, _ in
            let (ann, bob) = places(household)
            let events = StoredEvents(database: household.application.database, wake: {})
            let event = PluginEvent(
                topic: "topic", data: ["word": .string(secret)], key: "same", depth: 1, receivers: [])
            let first = try await events.publish(event, in: ann)
            // The same key of another person is another event.
            #expect(try await events.publish(event, in: bob) != first)
            #expect(try await events.publish(event, in: ann) == first)
        },
        "memory": { household, _ in
            let application = household.application
            let memories = StoredMemories(
                memory: application.memory,
                proposals: MemoryProposals(database: application.database, memory: application.memory),
                clock: household.clock, name: { $0 })
            let (ann, bob) = places(household)
            let found = try await memories.recall(
                "what is my word \(secret)", kinds: ["fact", "preference", "note", "other"], limit: 10, in: bob)
            #expect(found.allSatisfy { !$0.text.contains(secret) })
            let proposed = try await memories.propose("The boat is called \(secret)", kind: "fact", in: ann)
            #expect(proposed.state == .waiting)
            #expect(try await memories.propose("The boat is called \(secret)", kind: "fact", in: bob).state == .waiting)
        },
        "config": { household, _ in
            let settings = StoredSettings(database: household.application.database)
            let (ann, bob) = places(household)
            try await settings.save(["word": .string(secret)], plugin: ann.plugin, in: ann.scope)
            #expect(try await settings.personValues(plugin: bob.plugin, in: bob.scope).isEmpty)
        },
        "migrate": { household, _ in
            let (ann, bob) = places(household)
            let versions = StoredVersions(database: household.application.database)
            _ = try await versions.begin("1.0.0", in: ann)
            // New to Bob, whatever served Ann.
            guard case .none = try await versions.begin("2.0.0", in: bob) else {
                Issue.record("another person's version counts")
                return
            }
        },
        "http": { household, _ in
            // A grant names an account elsewhere: the caller's own, and there is none.
            await #expect(throws: (any Error).self) {
                _ = try await household.application.connections.token(
                    of: "mail", plugin: "test.office", in: household.bob)
            }
        },
        // Calls of tools: every tool is tried by IsolationTests, as the caller.
        "tools": nil,
        // Names of the plugin's own, about nobody.
        "clock": nil, "log": nil, "metrics": nil, "health": nil, "diagnostics": nil, "config_check": nil,
    ]

    private static func places(_ household: Household) -> (ann: PluginPlace, bob: PluginPlace) {
        (
            PluginPlace(plugin: "test.isolation", scope: household.ann),
            PluginPlace(plugin: "test.isolation", scope: household.bob)
        )
    }

    @Test func noExtensionReachesAnotherPersonsThings() async throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../PluginSDK/C/include/tandem/ext").path
        let headers = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".h") }
        let names = Set(headers.map { String($0.dropLast(2)) })
        #expect(names.count > 10)
        #expect(names.subtracting(Self.extensions.keys) == [], "say in `extensions` what it does for another person")
        #expect(Set(Self.extensions.keys).subtracting(names) == [], "there is no such extension")
        try await Household.run { household in
            let ann = try await Client(household, "ann@example.org", household.ann)
            let things = try await things(of: household, ann)
            try await household.say("I spent 3.20 euro on \(Self.secret)")
            try await household.say("save a recipe for \(Self.secret) pancakes for 4: 250 g flour, 3 eggs")
            let before = try await view(household, household.ann)
            let rows = before.flatMap { $0["rows"]?.arrayValue ?? [] }.compactMap { $0["id"]?.stringValue }
            for (_, body) in Self.extensions.sorted(by: { $0.key < $1.key }) {
                try await body?(household, Array(Set(rows + things.ids)).sorted())
            }
            let after = try await view(household, household.ann)
            #expect(before.filter { $0["name"] != "ltm_proposals" } == after.filter { $0["name"] != "ltm_proposals" })
        }
    }
}
