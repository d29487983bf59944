import HTTPTypes
import TandemAccounts
import TandemAgent
import TandemCore
import TandemJSON
import TandemLanguage
import TandemModels
import TestDatabases
import Testing

@testable import TandemAPI
@testable import TandemApplication

/// The REST interface of a whole application, without a socket.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct APITests {
    private struct Client {
        let household: Household
        var token: String?

        struct Answer {
            var status: Int
            var headers: HTTPFields
            var json: JSON
            var bytes: [UInt8]
        }

        /// Answers must be declared.
        func send(
            _ method: HTTPRequest.Method, _ target: String, _ body: JSON? = nil, headers: HTTPFields = [:]
        ) async throws -> Answer {
            let api = household.application.api
            let place = try #require(api.target(method, target))
            var headers = headers
            if let token { headers[.authorization] = "Bearer \(token)" }
            if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
            let reply = await api.respond(
                to: APIRequest(
                    method: method, target: target, headers: headers, body: body?.serialized() ?? [],
                    address: "203.0.113.9", requestID: "test"), place)
            if case .route(let route, _) = place.kind {
                #expect(route.statuses.contains(reply.status), "\(route.id) \(reply.status)")
            }
            var bytes: [UInt8] = []
            if case .bytes(let all) = reply.body { bytes = all }
            return Answer(
                status: reply.status, headers: reply.headers, json: (try? JSON(parsing: bytes)) ?? .null, bytes: bytes)
        }

        func createdID(_ target: String, _ body: JSON) async throws -> String {
            let answer = try await send(.post, target, body)
            #expect(answer.status == 201, "\(answer.json.text)")
            return try #require(answer.json["id"]?.stringValue)
        }
    }

    private static let password = "plum harbour violet 7"

    private static func signedIn(_ household: Household, _ email: String, _ scope: UserScope) async throws -> Client {
        try await household.application.accounts.setPassword(password, of: scope)
        var client = Client(household: household)
        let answer = try await client.send(
            .post, "/api/v1/auth/login", ["email": .string(email), "password": .string(password)])
        client.token = try #require(answer.json["tokens"]?["access_token"]?.stringValue)
        return client
    }

    private static func ann(_ household: Household) async throws -> Client {
        try await signedIn(household, "ann@example.org", household.ann)
    }

    private static func bob(_ household: Household) async throws -> Client {
        try await signedIn(household, "bob@example.org", household.bob)
    }

    @Test func tasksAreMadeReadChangedAndRemoved() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            let made = try await ann.send(
                .post, "/api/v1/tasks", ["title": "Call the dentist", "due_at": "2026-12-01T23:30:00Z"])
            #expect(made.status == 201 && made.json["due_date"] == "2026-12-01")
            let path = try #require(made.headers[.location])
            let read = try await ann.send(.get, path)
            let tag = try #require(read.headers[.eTag])
            #expect(read.status == 200 && read.json == made.json && made.headers[.eTag] == tag)
            #expect(try await ann.send(.get, path, headers: [.ifNoneMatch: tag]).status == 304)
            #expect(try await ann.send(.patch, path, ["status": "done"]).status == 428)
            #expect(try await ann.send(.patch, path, ["status": "done"], headers: [.ifMatch: "\"x\""]).status == 412)
            let step = try await ann.createdID(
                "/api/v1/tasks", ["title": "Find the number", "parent_id": read.json["id"] ?? .null])
            let done = try await ann.send(.patch, path, ["status": "done"], headers: [.ifMatch: tag])
            #expect(done.status == 200 && done.json["status"] == "done" && done.json["completed_at"]?.isNull == false)
            #expect(try await ann.send(.get, "/api/v1/tasks/\(step)").json["status"] == "done")
            #expect(try await ann.send(.patch, path, ["title": "x"], headers: [.ifMatch: tag]).status == 412)
            #expect(try await ann.send(.delete, path).status == 204)
            #expect(try await ann.send(.get, path).status == 404)
            #expect(try await ann.send(.get, "/api/v1/tasks/\(step)").status == 404)
            // What was removed here comes back by text.
            try await household.say("undo")
            #expect(try await ann.send(.get, path).status == 200)
        }
    }

    @Test func focusIsSetListedAndEnded() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            let path = "/api/v1/focus"
            #expect(try await ann.send(.get, path).json["items"] == [])
            let taxes = try await ann.send(.post, path, ["name": "The tax return"])
            #expect(taxes.status == 201 && taxes.json["state"] == "current")
            let place = try #require(taxes.headers[.location])
            let tag = try #require(taxes.headers[.eTag])
            #expect(try await ann.send(.get, place).json == taxes.json)
            #expect(try await ann.send(.get, place, headers: [.ifNoneMatch: tag]).status == 304)
            // The same words twice with one key are one request.
            let key: HTTPFields = [.idempotencyKey: "move-1"]
            let move = try await ann.send(.post, path, ["name": "House move"], headers: key)
            let again = try await ann.send(.post, path, ["name": "House move"], headers: key)
            #expect(again.json == move.json && again.headers[.idempotencyReplayed] == "true")
            let areas = try await ann.send(.get, path).json["items"]?.arrayValue ?? []
            #expect(areas.map { $0["name"] } == ["House move", "The tax return"])
            #expect(areas.map { $0["state"] } == ["current", "open"])
            // It is no longer what it was.
            #expect(try await ann.send(.delete, place, headers: [.ifMatch: tag]).status == 412)
            // By text it is the same.
            #expect(try await household.say("what are my focus areas").text.contains("House move (now)"))
            let current = try #require(move.headers[.location])
            #expect(try await ann.send(.delete, current).status == 204)
            #expect(try await ann.send(.get, current).json["state"] == "closed")
            #expect((try await ann.send(.get, path).json["items"]?.arrayValue ?? []).count == 1)
            #expect((try await ann.send(.get, path + "?all=true").json["items"]?.arrayValue ?? []).count == 2)
            try await household.say("undo")
            #expect(try await ann.send(.get, current).json["state"] == "current")
            for (body, status) in [
                (["name": "..."] as JSON, 422), (["name": ""], 422), ([:], 422), (["name": "a", "x": 1], 422),
                (["name": .string(String(repeating: "a", count: 121))], 422),
            ] {
                #expect(try await ann.send(.post, path, body).status == status, "\(body.text)")
            }
            let bob = try await Self.bob(household)
            #expect(try await bob.send(.get, place).status == 404)
            #expect(try await bob.send(.delete, place).status == 404)
            #expect(try await bob.send(.get, path + "?all=true").json["items"] == [])
        }
    }

    @Test func pagesHaveEverythingOnce() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            var ids: [String] = []
            for number in 1...7 {
                ids.append(try await ann.createdID("/api/v1/notes", ["title": "n", "content": .string("\(number)")]))
            }
            var found: [String] = []
            var target = "/api/v1/notes?limit=3"
            for _ in 0..<4 {
                let page = try await ann.send(.get, target)
                found += (page.json["items"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
                guard let cursor = page.json["next_cursor"]?.stringValue else { break }
                target = "/api/v1/notes?limit=3&cursor=\(cursor)"
            }
            #expect(found == ids.reversed())
        }
    }

    @Test func refusesWhatIsNotAsDescribed() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            let cases: [(HTTPRequest.Method, String, JSON?, HTTPFields, Int)] = [
                (.get, "/api/v1/tasks?limit=0", nil, [:], 400), (.get, "/api/v1/tasks?limit=01", nil, [:], 400),
                (.get, "/api/v1/tasks?nonsense=1", nil, [:], 400),
                (.get, "/api/v1/tasks?limit=1&limit=2", nil, [:], 400),
                (.get, "/api/v1/search", nil, [:], 400), (.get, "/api/v1/search?kind=note", nil, [:], 400),
                (.get, "/api/v1/search?q=", nil, [:], 400),
                (.get, "/api/v1/tasks?cursor=%zz", nil, [:], 400),
                (.get, "/api/v1/tasks", nil, [.accept: "text/html"], 406),
                (.get, "/api/v1/tasks/abc", nil, [:], 404), (.get, "/api/v1/tasks/99999999999999999999", nil, [:], 404),
                (.get, "/api/v1/nothing", nil, [:], 404), (.put, "/api/v1/tasks", nil, [:], 405),
                (.post, "/api/v1/tasks", ["title": ""], [:], 422),
                (.post, "/api/v1/tasks", ["title": "a", "x": 1], [:], 422),
                (.post, "/api/v1/tasks", ["title": "a\u{0}b"], [:], 422), (.post, "/api/v1/tasks", [1], [:], 422),
                (.post, "/api/v1/tasks", ["title": "a"], [.contentType: "text/plain"], 415),
                (.post, "/api/v1/tasks", .string(String(repeating: "x", count: 70_000)), [:], 413),
                (.post, "/api/v1/tasks", ["title": "a"], [.idempotencyKey: "a b"], 400),
                (.patch, "/api/v1/me", ["time_zone": "Nowhere/Town"], [.ifMatch: "*"], 422),
            ]
            for (method, target, body, headers, status) in cases {
                let answer = try await ann.send(method, target, body, headers: headers)
                #expect(answer.status == status, "\(method) \(target) \(answer.json.text)")
                #expect(answer.headers[.contentType] == "application/problem+json")
                #expect(answer.json["type"]?.stringValue?.hasPrefix("/docs#problem-") == true)
                #expect(answer.json["status"] == .integer(Int64(status)))
            }
            #expect(try await ann.send(.put, "/api/v1/tasks").headers[.allow] == "GET, POST, HEAD")
        }
    }

    @Test func asksWhoItIs() async throws {
        try await Household.run { household in
            var nobody = Client(household: household)
            for route in household.application.api.routes {
                guard case .signedIn = route.access else { continue }
                let target = route.path.text.replacing("{id}", with: "5").replacing("{name}", with: "grocery")
                    .replacing("{tool}", with: "grocery.add").replacing("{table}", with: "t").replacing(
                        "{key}", with: "5")
                let method = try #require(HTTPRequest.Method(route.method.rawValue))
                nobody.token = nil
                let missing = try await nobody.send(method, target, route.body?.example)
                #expect(missing.status == 401 && missing.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
                nobody.token = "nonsense"
                #expect(try await nobody.send(method, target, route.body?.example).status == 401, "\(route.id)")
            }
        }
    }

    @Test func onlyAdministratorsAdminister() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            for route in household.application.api.routes where route.path.text.contains("/admin/") {
                let target = route.path.text.replacing("{id}", with: household.bob.user.description)
                    .replacing("{key}", with: "5")
                let method = try #require(HTTPRequest.Method(route.method.rawValue))
                #expect(try await ann.send(method, target, route.body?.example).status == 403, "\(route.id)")
            }
            try await household.application.accounts.setRole(.administrator, of: household.ann.user)
            let page = try await ann.send(.get, "/api/v1/admin/accounts?limit=1")
            #expect(page.status == 200 && page.json["items"]?.arrayValue?.count == 1)
            let bob = "/api/v1/admin/accounts/\(household.bob.user)"
            let session = try await Self.bob(household)
            #expect(try await session.send(.get, "/api/v1/me").status == 200)
            #expect(try await ann.send(.patch, bob, ["status": "disabled"]).json["status"] == "disabled")
            #expect(try await session.send(.get, "/api/v1/me").status == 401)
            #expect(
                try await ann.send(.patch, "/api/v1/admin/accounts/\(household.ann.user)", ["role": "user"]).status
                    == 409)
            let service = try await ann.createdID(
                "/api/v1/admin/services", ["email": "s@example.org", "full_name": "S"])
            let made = try await ann.send(
                .post, "/api/v1/admin/accounts/\(service)/keys", ["name": "k", "scopes": ["metrics"]])
            var program = Client(household: household)
            program.token = try #require(made.json["key"]?.stringValue)
            #expect(try await program.send(.get, "/api/v1/admin/usage").json["accounts"] == 3)
            #expect(try await program.send(.get, "/api/v1/tasks").status == 403)
            let key = try #require(made.json["id"]?.stringValue)
            #expect(try await ann.send(.delete, "/api/v1/admin/accounts/\(service)/keys/\(key)").status == 204)
            #expect(try await program.send(.get, "/api/v1/admin/usage").status == 401)
        }
    }

    /// Each route that takes an id, as somebody else, with each id that there is: the same answer as for no such id.
    @Test func idsOfOthersLeadNowhere() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            let bob = try await Self.bob(household)
            var ids: [String] = []
            ids.append(try await ann.createdID("/api/v1/tasks", ["title": "secret task"]))
            ids.append(try await ann.createdID("/api/v1/notes", ["title": "secret note", "content": "secret"]))
            ids.append(try await ann.createdID("/api/v1/memories", ["content": "My secret word is violet"]))
            let sent = try await ann.send(.post, "/api/v1/messages", ["text": "add milk to my list"])
            ids.append(try #require(sent.json["turn"]?.stringValue))
            for target in ["/api/v1/sessions", "/api/v1/numbers", "/api/v1/messages"] {
                let items = try await ann.send(.get, target).json["items"]?.arrayValue ?? []
                ids += items.compactMap { $0["id"]?.stringValue }
            }
            for table in ["grocery_items"] {
                let rows = try await ann.send(.get, "/api/v1/integrations/grocery/tables/\(table)/rows")
                #expect(rows.json["items"]?.arrayValue?.count == 1, "\(rows.json.text)")
                ids += (rows.json["items"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
                let others = try await bob.send(.get, "/api/v1/integrations/grocery/tables/\(table)/rows")
                #expect(others.json["items"] == [])
            }
            let before = try await household.export(of: household.ann)
            for route in household.application.api.routes
            where route.path.names == ["id"] && !route.path.text.contains("/admin/") {
                let method = try #require(HTTPRequest.Method(route.method.rawValue))
                for id in ids {
                    func answer(_ id: String) async throws -> Client.Answer {
                        try await bob.send(
                            method, route.path.text.replacing("{id}", with: id), route.body?.example,
                            headers: [.ifMatch: "*"])
                    }
                    let other = try await answer(id)
                    let missing = try await answer("123456789")
                    #expect(other.status == 404 && other.bytes == missing.bytes, "\(route.id) \(other.status)")
                }
            }
            for route in household.application.api.routes
            where route.parameters.contains(where: { $0.name == "cursor" }) && route.path.names.isEmpty
                && !route.path.text.contains("/admin/")
            {
                for id in ids {
                    let page = try await bob.send(.get, route.path.text + "?cursor=\(id)")
                    #expect(page.json["items"] == [], "\(route.id)")
                }
            }
            let stream = try await bob.send(.get, "/api/v1/messages/stream?last_event_id=1")
            #expect(stream.status == 200 && !String(decoding: stream.bytes, as: UTF8.self).contains("milk"))
            #expect(
                try await bob.send(.post, "/api/v1/tasks", ["title": "mine", "parent_id": .string(ids[0])]).status
                    == 409)
            try await expectUnchanged(before, household)
        }
    }

    private func expectUnchanged(_ before: JSON, _ household: Household) async throws {
        func tables(_ export: JSON) -> [JSON] {
            (export["tables"]?.arrayValue ?? []).filter { $0["name"] != "user_identification_logs" }
        }
        let after = try await household.export(of: household.ann)
        #expect(tables(before) == tables(after))
    }

    @Test func saysWhatModelsCost() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            let before = try await ann.send(.get, "/api/v1/usage")
            #expect(before.status == 200)
            #expect(before.json["today"]?["requests"] == 0)
            let meter = StoredMeter(
                database: household.application.database, clock: household.clock, currency: "USD")
            let charge = ModelCharge(
                account: LanguageAccount(scope: household.ann), provider: "gemini", model: "m", tokens: 10, micros: 5)
            for _ in 0..<2 {
                guard case .granted(let reservation) = try await meter.reserve(charge, within: ModelBudget()) else {
                    Issue.record("refused")
                    return
                }
                await meter.settle(
                    reservation,
                    ModelOutcome(
                        usage: LanguageUsage(input: 30, output: 7), micros: 1_500_000, word: "ok", milliseconds: 9))
            }
            let after = try await ann.send(.get, "/api/v1/usage").json
            #expect(after["today"]?["tokens"] == 74)
            #expect(after["today"]?["cost"] == "3.000000")
            #expect(after["models"]?[0]?["requests"] == 2)
            #expect(after["models"]?[0]?["cost"] == "3.000000")
            #expect(after["models"]?[0]?["output_tokens"] == 14)
            let bob = try await Self.bob(household).send(.get, "/api/v1/usage")
            #expect(bob.json["models"] == [])
        }
    }

    @Test func sameKeySameAnswer() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            let key: HTTPFields = [.idempotencyKey: "\"8e03978e\""]
            let first = try await ann.send(.post, "/api/v1/tasks", ["title": "once"], headers: key)
            let second = try await ann.send(.post, "/api/v1/tasks", ["title": "once"], headers: key)
            #expect(first.status == 201 && second.status == 201 && first.bytes == second.bytes)
            #expect(second.headers[.idempotencyReplayed] == "true" && first.headers[.idempotencyReplayed] == nil)
            #expect(second.headers[.location] == first.headers[.location])
            #expect(try await ann.send(.post, "/api/v1/tasks", ["title": "other"], headers: key).status == 422)
            #expect(try await ann.send(.get, "/api/v1/tasks").json["items"]?.arrayValue?.count == 1)
            // Another's key of the same text is another key.
            let bob = try await Self.bob(household)
            #expect(try await bob.send(.post, "/api/v1/tasks", ["title": "other"], headers: key).status == 201)
            // A refusal is not kept.
            let again: HTTPFields = [.idempotencyKey: "k2"]
            #expect(
                try await ann.send(.post, "/api/v1/tasks", ["title": "a", "parent_id": "77"], headers: again).status
                    == 409)
            #expect(
                try await ann.send(.post, "/api/v1/tasks", ["title": "a", "parent_id": "77"], headers: again).status
                    == 409)
            let message: HTTPFields = [.idempotencyKey: "m"]
            let said = try await ann.send(.post, "/api/v1/messages", ["text": "add eggs to my list"], headers: message)
            let repeated = try await ann.send(
                .post, "/api/v1/messages", ["text": "add eggs to my list"], headers: message)
            #expect(said.status == 201 && said.bytes == repeated.bytes)
            #expect(
                try await ann.send(.get, "/api/v1/messages?direction=in").json["items"]?.arrayValue?.count == 1)
        }
    }

    @Test func requestsSideBySideDoItOnce() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await ann.send(
                            .post, "/api/v1/notes", ["title": "n", "content": "c"], headers: [.idempotencyKey: "one"]
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let others = statuses.filter { $0 != 201 && $0 != 409 }
            #expect(statuses.contains(201) && others.isEmpty)
            #expect(try await ann.send(.get, "/api/v1/notes").json["items"]?.arrayValue?.count == 1)
        }
    }

    @Test func aTurnIsAnsweredAndStreamed() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            let first = try await ann.send(.post, "/api/v1/messages", ["text": "add milk to my list"])
            #expect(first.status == 201 && first.json["status"] == "answered")
            let turn = try #require(first.json["turn"]?.stringValue)
            let one = try await ann.send(.get, "/api/v1/messages/\(turn)")
            #expect(one.json["message"]?["text"] == "add milk to my list")
            #expect(one.json["answers"]?[0]?["text"] == first.json["reply"])
            let caughtUp = try await ann.send(.get, "/api/v1/messages/stream?last_event_id=\(turn)")
            #expect(String(decoding: caughtUp.bytes, as: UTF8.self).contains("\"turn\":\"\(turn)\""))

            let place = try #require(household.application.api.target(.get, "/api/v1/messages/stream"))
            let reply = await household.application.api.respond(
                to: APIRequest(
                    method: .get, target: "/api/v1/messages/stream",
                    headers: [.authorization: "Bearer \(ann.token ?? "")", .accept: "text/event-stream"]), place)
            guard case .stream(let parts) = reply.body else {
                Issue.record("no stream: \(reply.status)")
                return
            }
            let later = try await ann.send(.post, "/api/v1/messages", ["text": "add eggs to my list", "wait": false])
            #expect(later.status == 202 && later.json["status"] == "working")
            let next = try #require(later.json["turn"]?.stringValue)
            var text = ""
            for await part in parts {
                text += String(decoding: part, as: UTF8.self)
                if text.contains("\"turn\":\"\(next)\"") { break }
            }
            #expect(text.contains("id: \(next)\n") && text.contains("add eggs"))
        }
    }

    @Test func stepUpComesBeforeExportAndErasure() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            #expect(try await ann.send(.get, "/api/v1/export").status == 200)
            household.clock.advance(by: .seconds(400))
            #expect(try await ann.send(.get, "/api/v1/export").json["type"] == "/docs#problem-step-up-required")
            #expect(
                try await ann.send(.post, "/api/v1/step-up", ["method": "password", "code": "wrong"]).status == 403)
            #expect(
                try await ann.send(.post, "/api/v1/step-up", ["method": "password", "code": .string(Self.password)])
                    .status
                    == 204)
            let archive = try await ann.send(.get, "/api/v1/export")
            #expect(archive.headers[.contentType] == "application/zip")
            #expect(archive.bytes.starts(with: [0x50, 0x4B, 3, 4]))
            #expect(try await ann.send(.post, "/api/v1/erasure", ["email": "bob@example.org"]).status == 409)
            let gone = try await ann.send(.post, "/api/v1/erasure", ["email": "Ann@example.org"])
            #expect(gone.status == 200)
            let proofs = try await household.application.personalData.proofs()
            #expect(proofs.map { $0.id.description } == [gone.json["proof_id"]?.stringValue])
            #expect(proofs.map(\.actor) == ["person"])
            #expect(try await ann.send(.get, "/api/v1/me").status == 401)
            #expect(try await household.application.accounts.user(household.ann.user) == nil)
        }
    }

    @Test func integrationsGoOnAndOff() async throws {
        try await Household.run { household in
            let ann = try await Self.ann(household)
            let path = "/api/v1/integrations/grocery"
            #expect(try await ann.send(.post, path + "/disable").json["state"] == "disabled")
            #expect(try await ann.send(.put, path + "/level", ["level": "confirm"]).status == 409)
            #expect(try await ann.send(.post, path + "/enable", ["consent": false]).status == 422)
            let on = try await ann.send(.post, path + "/enable", ["consent": true, "level": "read_only"])
            #expect(on.json["state"] == "enabled" && on.json["level"] == "read_only")
            let tool = try #require(on.json["tools"]?[0]?["id"]?.stringValue)
            let off = try await ann.send(.put, path + "/tools/\(tool)", ["access": "off"])
            #expect(off.json["tools"]?[0]?["access"] == "off")
            #expect(try await ann.send(.put, path + "/tools/expenses.add", ["access": "off"]).status == 404)
            #expect(try await ann.send(.get, "/api/v1/integrations/nothing").status == 404)
            #expect(try await ann.send(.post, path + "/connect").status == 204)
            #expect(try await ann.send(.post, path + "/disable").status == 200)
            #expect(try await ann.send(.post, path + "/connect").status == 409)
            #expect(try await ann.send(.get, "/api/v1/connections").json["items"] == [])
            #expect(try await ann.send(.delete, "/api/v1/connections/microsoft").status == 404)
        }
    }

    @Test func limitsAreCountedAndSaid() async throws {
        try await Household.run(environment: ["TANDEM_RATE_LIMIT": "0.001"]) { household in
            let nobody = Client(household: household)
            var last: Client.Answer?
            for _ in 0..<3 {
                last = try await nobody.send(.post, "/api/v1/auth/logout", ["refresh_token": "x"])
            }
            #expect(last?.status == 429)
            #expect(last?.headers[.retryAfter].flatMap { Int($0) } ?? 0 > 0)
            #expect(last?.headers[.rateLimit]?.contains("r=0") == true && last?.headers[.rateLimitPolicy] != nil)
        }
    }
}
