import TandemSDK
import TandemTesting
import Testing

/// `context.http` through the C tables.
@Suite(.timeLimit(.minutes(8)))
struct HTTPTests {
    private let host: TestHost
    private let ann: TestPerson

    init() throws {
        host = try TestHost(Courier.self)
        ann = host.person("ann")
    }

    @Test func sendsWhatWasAskedFor() async throws {
        host.http.on("POST", "https://api.example.org/items") { request in
            .json(["got": .string(request.text)], status: 201)
        }
        let value = try await ann.value("courier.post", ["text": "a & b"])
        #expect(value == ["status": 201, "body": "{\"got\":\"{\\\"text\\\":\\\"a & b\\\"}\"}"])
        let sent = try #require(host.http.requests.first)
        #expect(sent.headers == [HTTPField("X-Trace", "1"), HTTPField("Content-Type", "application/json")])
        #expect(sent.idempotencyKey.hasPrefix("call-"))
        #expect(sent.grant == "items")
        #expect(sent.timeoutMilliseconds == 1500)
        #expect(sent.maxResponseBytes == 1000)
        #expect(sent.flags == 16)
    }

    @Test func encodesAndDecodes() {
        #expect(
            HTTPRequest.url("https://x.org/a", query: [("q", "a b&c=ü"), ("p", "")])
                == "https://x.org/a?q=a+b%26c%3D%C3%BC&p=")
        #expect(HTTPRequest.url("https://x.org/a?b", query: [("c", "1")]) == "https://x.org/a?b&c=1")
        #expect(HTTPRequest.percentEncoded("a b/ü~") == "a%20b%2F%C3%BC~")
        #expect(HTTPRequest.formDecoded("a+b%26%C3%BC") == "a b&ü")
        for bad in ["%", "%1", "%zz", "%FF"] { #expect(HTTPRequest.formDecoded(bad) == nil) }
    }

    @Test func readsWithTheCache() async throws {
        host.http.on("GET", "https://api.example.org/items") { _ in
            .response(
                HTTPResponse(
                    status: 200, headers: [HTTPField("ETag", "x")], body: Array("[1]".utf8), age: .seconds(750),
                    isStale: true))
        }
        #expect(await ann.say("courier.get") == "[1] (from cache, 12 minutes old)")
        let sent = try #require(host.http.requests.first)
        #expect(sent.flags == 3)
        #expect(sent.maxStaleMilliseconds == 3_600_000)
        #expect(sent.query.map(\.value) == ["1 2"])
    }

    @Test(
        arguments: [
            (HTTPReply.failure(-61, code: "rate_limited", retryAfterMilliseconds: 2000), "rate_limited", -61),
            (.unavailable, "connection_failed", -62), (.failure(-23, code: "timeout"), "timeout", -23),
            (.failure(-41, code: "address_not_allowed"), "address_not_allowed", -41),
            (.failure(-25, code: "too_large"), "too_large", -25), (.failure(-43, code: "revoked"), "revoked", -43),
            (.status(404), "not_found", -8), (.status(429), "rate_limited", -61), (.status(503), "unavailable", -62),
            (.status(418), "rejected", -63), (.ok("no json"), "unexpected_answer", -63),
        ] as [(HTTPReply, String, Int32)])
    func turnsFailuresIntoToolErrors(reply: HTTPReply, code: String, status: Int32) async throws {
        host.http.on("GET", "https://api.example.org/items") { _ in reply }
        let error = try #require(await ann.call("courier.get").error)
        #expect(error.code == code)
        #expect(error.status == status)
    }

    @Test func asksForTheConnection() async {
        host.http.on("POST", "https://api.example.org/items") { _ in .failure(-60, code: "connection_needed") }
        guard case .authRequired(let auth) = await ann.call("courier.post", ["text": "x"]) else {
            Issue.record("no connection asked for")
            return
        }
        #expect(auth.grant == "items")
    }

    @Test func refusesWhatTheManifestDoesNotSay() async throws {
        let elsewhere = try #require(await ann.call("courier.wander", ["url": "https://evil.example/"]).error)
        #expect(elsewhere.code == "host_not_allowed")
        let writing = try #require(
            await ann.call("courier.wander", ["url": "https://api.example.org/x", "post": true]).error)
        #expect(writing.code == "reading_only")
        host.http.on("POST", "https://api.example.org/search") { _ in .ok("found") }
        #expect(await ann.say("courier.wander", ["url": "https://api.example.org/search", "post": true]) == "200")
    }

    @Test func streamsABody() async throws {
        let body = String(repeating: "x", count: 200_000)
        host.http.on("GET", "https://files.example.net/*") { _ in .ok(body) }
        #expect(await ann.say("courier.download") == "200000 in 4")
        #expect(await ann.say("courier.download", ["stop": true]) == "65536 in 1")
    }

    @Test func declaresItsHosts() throws {
        let manifest = Courier.definition.manifest
        #expect(
            manifest["hosts"] == [
                ["host": "api.example.org", "reason": "to keep items", "reads": ["POST /search"]],
                ["host": "*.example.net", "reason": "to load files"],
            ])
        #expect(manifest["extensions"]?.arrayValue?.contains("tandem.http/1") == true)
        var definition = Courier.definition
        definition.hosts = [
            .init("org", reason: "x"), .init("a.org/x", reason: "x"), .init("b.org", reason: ""),
            .init("c.org", reason: "x", reads: ["GET /x"]), .init("d.org", reason: "x"), .init("D.org", reason: "x"),
        ]
        #expect(definition.validate().count == 5)
    }
}

enum Courier: Plugin {
    static let definition = PluginDefinition(
        id: "org.example.courier", namespace: "courier", name: "Courier", version: "1.0.0", summary: "Sends things.",
        tools: [Post.self, Get.self, Wander.self, Download.self],
        hosts: [
            .init("api.example.org", reason: "to keep items", reads: ["POST /search"]),
            .init("*.example.net", reason: "to load files"),
        ], accounts: [.init("items", provider: "forge", reason: "to keep items in your account")])

    struct Post: Tool {
        static let declaration = ToolDeclaration("courier.post", "Post", effect: .write)
        @Argument var text: String

        struct Sent: Object {
            var status: Int
            var body: String
        }

        func run(_ context: Context) async throws -> Reply<Sent> {
            let answer = try await context.http.send(
                HTTPRequest(
                    .post, "https://api.example.org/items", headers: [HTTPField("X-Trace", "1")],
                    body: .json(["text": .string(text)]), grant: "items", idempotencyKey: context.idempotencyKey,
                    timeout: .milliseconds(1500), maxResponseBytes: 1000, followsRedirects: false))
            return Reply("Sent.", value: Sent(status: answer.status, body: answer.text))
        }
    }

    struct Get: Tool {
        static let declaration = ToolDeclaration("courier.get", "Get", effect: .read)

        func run(_ context: Context) async throws -> String {
            let answer = try await context.http.get(
                "https://api.example.org/items", query: [("q", "1 2")], cache: .allowed(staleFor: .seconds(3600)))
            _ = try answer.successful().json()
            return answer.text + (answer.cacheNote.map { " (\($0))" } ?? "")
        }
    }

    struct Wander: Tool {
        static let declaration = ToolDeclaration("courier.wander", "Wander", effect: .read)
        @Argument var url: String
        @Argument var post = false

        func run(_ context: Context) async throws -> String {
            "\(try await context.http.send(HTTPRequest(post ? .post : .get, url)).status)"
        }
    }

    struct Download: Tool {
        static let declaration = ToolDeclaration("courier.download", "Download", effect: .read)
        @Argument var stop = false

        func run(_ context: Context) async throws -> String {
            let (_, body) = try await context.http.stream(HTTPRequest(.get, "https://files.example.net/a"))
            var bytes = 0
            var pieces = 0
            for try await piece in body {
                bytes += piece.count
                pieces += 1
                if stop { break }
            }
            return "\(bytes) in \(pieces)"
        }
    }
}
