import Foundation
import TandemAPI
import TandemAccounts
import TandemAgent
import TandemCore
import TandemEgress
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// Export and erasure by text, with the pages that a text leads to, and archives that come in over the network.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct OwnDataTests {
    private static let password = "plum harbour violet 7"

    /// A household that serves, without a channel of texts.
    private struct World: Sendable {
        let household: Household
        let base: String

        static func run(_ body: @escaping @Sendable (World) async throws -> Void) async throws {
            let household = try await Household.open()
            let accounts = household.application.accounts
            for scope in [household.ann, household.bob] { try await accounts.setPassword(password, of: scope) }
            let (ports, found) = AsyncStream.makeStream(of: Int.self)
            let serving = Task {
                defer { found.finish() }
                try await household.application.serve { found.yield($0) }
            }
            let listening = await ports.first { _ in true }
            let port = try #require(listening)
            let world = World(household: household, base: "http://127.0.0.1:\(port)")
            let result = await Task { try await body(world) }.result
            serving.cancel()
            _ = await serving.result
            try result.get()
        }

        /// The address that a text gives, on the port that was free.
        func link(in answer: Answer) throws -> String {
            let start = try #require(answer.text.range(of: "/data/"), "\(answer.text)").lowerBound
            return base + String(answer.text[start...].prefix { !$0.isWhitespace })
        }

        func signIn(_ browser: inout Browser, _ link: String, _ email: String) async throws -> String {
            let first = try await browser.get(link)
            let value = try #require(browser.formValue(first))
            let response = try await browser.post(
                link, [("step", "sign_in"), ("form", value), ("email", email), ("password", password)])
            #expect(response.status == 303)
            return value
        }
    }

    private func name(_ scope: UserScope, _ application: Application) async throws -> String? {
        try await application.accounts.user(scope.user)?.email
    }

    @Test func aTextAloneGivesNothingAndEndsNothing() async throws {
        try await Household.run { household in
            let application = household.application
            try await application.accounts.setPassword(Self.password, of: household.ann)
            try await household.say("I spent 12 euros on lunch")
            let before = try await household.rows("expenses")
            for (text, tool) in [
                ("delete my account", "account.erase"), ("send me my data", "account.export"),
                ("Forget me completely!", "account.erase"), ("export everything you have about me", "account.export"),
            ] {
                let answer = try await household.say(text)
                #expect(
                    answer.calls.map(\.tool) == [tool] && answer.calls.map(\.outcome) == ["value"], "\(answer.text)")
                #expect(answer.confirmation == nil && answer.text.contains("/data/"))
            }
            #expect(try await household.rows("expenses") == before)
            #expect(try await name(household.ann, application) == "ann@example.org")
            // Each is told in the account's audit, without the link.
            let entries = try await application.database.read(household.ann) {
                try $0.auditEntries(of: household.ann.user)
            }
            let words = entries.compactMap { $0.body.map { String(decoding: $0, as: UTF8.self) } }
            #expect(words.count { $0.contains("data.requested") } == 4)
            #expect(words.allSatisfy { !$0.contains("/data/") })
            // Asked for often, it waits; the words stay kind.
            try await household.say("delete my account")
            let late = try await household.say("delete my account")
            #expect(late.text.contains("tried too often") && !late.text.contains("/data/"), "\(late.text)")
            // Nobody could sign in to an account without a password.
            let carol = try await household.newcomer("carol@example.org", "+15555550125")
            #expect(try await household.say("delete my account", as: carol).text.contains("no password yet"))
        }
    }

    @Test func aLinkGivesTheArchiveOnceToItsOwnerAfterASignIn() async throws {
        try await World.run { world in
            let household = world.household
            try await household.say("note: the harbour is calm")
            let link = try world.link(in: try await household.say("send me my data"))
            var stranger = Browser()
            let nobody = try await stranger.get(link)
            #expect(nobody.status == 200 && stranger.text(nobody).contains("Sign in"))
            #expect(nobody.headers["cache-control"] == "no-store" && nobody.headers["referrer-policy"] == "no-referrer")
            // Another person's link is no link.
            let theirs = try await world.signIn(&stranger, link, "bob@example.org")
            #expect(try await stranger.get(link).status == 404)
            #expect(try await stranger.post(link, [("step", "download"), ("form", theirs)]).status == 404)

            var browser = Browser()
            let value = try await world.signIn(&browser, link, "ann@example.org")
            let page = try await browser.get(link)
            #expect(browser.text(page).contains("signed in as ann@example.org"))
            #expect(try await browser.post(link, [("step", "erase"), ("form", value)]).status == 400)
            // Too long after signing in it takes another proof.
            household.clock.advance(by: .seconds(360))
            let stale = try await browser.post(link, [("step", "download"), ("form", value)])
            #expect(browser.text(stale).contains("signed in a while ago"))
            #expect(browser.text(try await browser.get(link)).contains("signed in a while ago"))
            _ = try await world.signIn(&browser, link, "ann@example.org")
            #expect(
                try await browser.post(
                    link, [("step", "download"), ("form", value)], ["Sec-Fetch-Site": "cross-site"]
                ).status == 403)
            let archive = try await browser.post(link, [("step", "download"), ("form", value)])
            #expect(archive.status == 200 && archive.headers["content-type"] == "application/zip")
            let files = try Archive.read(archive.body)
            #expect(files.contains { $0.path == "tables/notes.json" })
            #expect(try await browser.get(link).status == 404)
            #expect(try await browser.post(link, [("step", "download"), ("form", value)]).status == 404)
            // The next one is good for half an hour.
            let next = try world.link(in: try await household.say("export my data"))
            household.clock.advance(by: .seconds(1801))
            _ = try await world.signIn(&browser, next, "ann@example.org")
            #expect(try await browser.get(next).status == 404)
            await browser.close()
            await stranger.close()
        }
    }

    @Test func aLinkErasesTheAccountOfWhoeverSignsInAndMeansIt() async throws {
        try await World.run { world in
            let (household, application) = (world.household, world.household.application)
            let link = try world.link(in: try await household.say("please delete my account"))
            let export = try world.link(in: try await household.say("send me my data"))
            var browser = Browser()
            let value = try await world.signIn(&browser, link, "ann@example.org")
            #expect(browser.text(try await browser.get(link)).contains("Nobody can bring it back"))
            let wrong = try await browser.post(
                link, [("step", "erase"), ("form", value), ("confirm", "bob@example.org")])
            #expect(browser.text(wrong).contains("nothing was erased"))
            // A link to a copy erases nothing.
            #expect(
                try await browser.post(
                    export, [("step", "erase"), ("form", value), ("confirm", "ann@example.org")]
                ).status == 400)
            #expect(try await name(household.ann, application) != nil)
            let gone = try await browser.post(
                link, [("step", "erase"), ("form", value), ("confirm", " Ann@example.org")])
            let proof = try #require(try await application.personalData.proofs().last)
            #expect(gone.status == 200 && browser.text(gone).contains(proof.id.description))
            #expect(proof.actor == "person" && proof.account == household.ann.user)
            #expect(try await name(household.ann, application) == nil)
            #expect(browser.text(try await browser.get(link)).contains("Sign in"))
            #expect(try await household.say("what's on my list?", as: household.bob).text.isEmpty == false)
            await browser.close()
        }
    }

    // MARK: Import

    private struct Client {
        let world: World
        let client: CurlClient
        var token = ""

        init(_ world: World, _ email: String) async throws {
            self.world = world
            client = CurlClient.local()
            let answer = try await send(
                .post, "/api/v1/auth/login",
                JSON.object(["email": .string(email), "password": .string(password)]).serialized(),
                ["Content-Type": "application/json"])
            token = try #require(answer.json["tokens"]?["access_token"]?.stringValue, "\(answer.json.text)")
        }

        func send(
            _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], _ more: [String: String] = [:]
        ) async throws -> (status: Int, json: JSON, bytes: [UInt8]) {
            var headers = HTTPHeaders()
            if !token.isEmpty { headers["Authorization"] = "Bearer \(token)" }
            for (name, value) in more { headers[name] = value }
            let response = try await client.send(
                HTTPRequest(method, world.base + path, headers: headers, body: body, timeout: .seconds(60)))
            return (response.status, (try? JSON(parsing: response.body)) ?? .null, response.body)
        }

        func take(
            _ archive: [UInt8], _ query: String = "", type: String = "application/zip", _ more: [String: String] = [:]
        ) async throws -> (status: Int, json: JSON) {
            let answer = try await send(
                .post, "/api/v1/import\(query)", archive, ["Content-Type": type].merging(more) { $1 })
            return (answer.status, answer.json)
        }
    }

    @Test func anArchiveComesInOnceWithAProofAndNotInPart() async throws {
        try await World.run { world in
            let household = world.household
            let database = household.application.database
            for text in ["note: the harbour likes tea", "add task call the boat yard", "I spent 3.20 euros on rope"] {
                try await household.say(text)
            }
            try await household.say("my currency is GBP")
            try await household.say("my currency is CHF", as: household.bob)
            try await household.say("note: bob likes rope", as: household.bob)
            let ann = try await Client(world, "ann@example.org")
            let archive = try await ann.send(.get, "/api/v1/export").bytes
            let bob = try await Client(world, "bob@example.org")
            household.clock.advance(by: .seconds(360))
            #expect(try await bob.take(archive).json["type"] == "/docs#problem-step-up-required")
            let proof = JSON.object(["method": "password", "code": .string(Self.password)]).serialized()
            #expect(
                try await bob.send(.post, "/api/v1/step-up", proof, ["Content-Type": "application/json"]).status == 204)
            #expect(try await bob.take(archive, type: "application/json").status == 415)
            #expect(try await bob.take(archive, type: "application/zip", ["Content-Encoding": "gzip"]).status == 415)
            #expect(try await bob.take([UInt8](repeating: 0, count: (16 << 20) + 1)).status == 413)
            #expect(try await bob.take([]).status == 422)
            #expect(try await bob.take(Array("PK\u{3}\u{4}".utf8)).status == 422)
            #expect(try await bob.take(Array(archive.prefix(archive.count / 2))).status == 422)
            #expect(try await bob.take(archive, "?leave_out=perhaps").status == 400)
            let before = try await household.export(of: household.bob)
            let keys = ["Idempotency-Key": "import-1"]
            let taken = try await bob.take(archive, "", keys)
            #expect(taken.status == 200, "\(taken.json.text)")
            for (table, count) in [("notes", 1), ("tasks", 1), ("expenses", 1), ("messages", 8)] {
                #expect(taken.json["rows"]?[table] == .integer(Int64(count)), "\(table): \(taken.json.text)")
            }
            #expect(taken.json["left_out"]?["plugin_grants"] != nil && taken.json["left_out"]?["user_settings"] != nil)
            // Sent again it is the same answer, and with another key the archive is known.
            #expect(try await bob.take(archive, "", keys).json == taken.json)
            #expect(try await bob.take(archive).status == 409)
            let after = try await household.export(of: household.bob)
            #expect(after.rows("notes").count == 2 && before.rows("notes").count == 1)
            #expect(after.rows("user_settings") == before.rows("user_settings"))
            #expect(after.rows("user_phone_numbers") == before.rows("user_phone_numbers"))
            #expect(try await household.rows("notes").count == 1)
            // What could be taken back there cannot be taken back here.
            #expect(after.rows("turns").suffix(4).allSatisfy { $0["undo_calls"]?.isNull ?? true })
            #expect(try await database.verifyAudit().isIntact)
            let document = household.application.api.routes.first { $0.id == "importData" }
            #expect(document?.body?.mediaTypes.contains("application/zip") == true)
            // Nobody sends much before anybody knows who they are.
            let stranger = try await bob.client.send(
                HTTPRequest(
                    .post, world.base + "/api/v1/import", headers: ["Content-Type": "application/zip"],
                    body: [UInt8](repeating: 1, count: 4 << 20), timeout: .seconds(30)))
            #expect(stranger.status == 401)
            await bob.client.shutdown()
            await ann.client.shutdown()
        }
    }
}
