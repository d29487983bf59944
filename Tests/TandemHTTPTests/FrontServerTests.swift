import Foundation
import Hummingbird
import NIOCore
import RawSocket
import TandemAgent
import TandemCore
import TandemEgress
import TandemHTTP
import TandemSMS
import TandemStorage
import Testing
import TwilioSimulator

@Suite(.timeLimit(.minutes(8))) struct FrontServerTests {
    @Test func answersHealth() async throws {
        try await ServerFixture.run { server async throws in
            let live = try await server.get("/health/live")
            #expect(live.status == 200)
            #expect(live.text == #"{"status":"ok"}"#)
            #expect(live.headers["X-Content-Type-Options"] == "nosniff")
            #expect(live.headers["Cache-Control"] == "no-store")
            let ready = try await server.get("/health/ready")
            #expect(ready.status == 200)
            #expect(ready.text == #"{"status":"ready","checks":{"database":"ok"}}"#)
        }
    }

    @Test func saysWhenTheDatabaseIsGone() async throws {
        try await ServerFixture.run { server async throws in
            await server.database.close()
            let ready = try await server.get("/health/ready")
            #expect(ready.status == 503)
            #expect(ready.text == #"{"status":"not ready","checks":{"database":"failed"}}"#)
            #expect(try await server.get("/health/live").status == 200)
            let message = try await server.post(server.inbound("x"))
            #expect(message.status == 503)
            #expect(message.headers["Retry-After"] != nil)
        }
    }

    @Test func acknowledgesASignedMessage() async throws {
        try await ServerFixture.run { server async throws in
            let response = try await server.post(server.inbound("add milk"))
            #expect(response.status == 200)
            #expect(response.headers["Content-Type"] == "text/xml")
            #expect(response.text == #"<?xml version="1.0" encoding="UTF-8"?><Response/>"#)
            #expect(server.inbox.texts == ["add milk"])
        }
    }

    @Test func givesTheSameMessageInParallelOneEffect() async throws {
        try await ServerFixture.run { server async throws in
            let request = server.inbound("once")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 { group.addTask { try await server.post(request).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [200, 200, 200])
            #expect(server.inbox.texts == ["once"])
        }
    }

    @Test func refusesAForgedMessageWithoutSayingMore() async throws {
        try await ServerFixture.run { server async throws in
            var request = server.inbound("x")
            request.signature = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
            let response = try await server.post(request)
            #expect(response.status == 403)
            #expect(response.headers["Content-Type"] == "application/problem+json")
            let id = try #require(response.headers["X-Request-Id"])
            #expect(
                response.text
                    == #"{"type":"about:blank","title":"Forbidden","status":403,"#
                    + #""detail":"The request is not signed by our account.","request_id":"\#(id)"}"#)
            #expect(server.inbox.texts.isEmpty)
        }
    }

    @Test func refusesOtherVerbsTypesAndPaths() async throws {
        try await ServerFixture.run { server async throws in
            let get = try await server.get("/webhook/sms")
            #expect(get.status == 405)
            #expect(get.headers["Allow"] == "POST")
            #expect(try await server.send(.post, "/health/live").status == 405)
            #expect(try await server.get("/nothing").status == 404)
            #expect(try await server.get("/webhook/sms/").status == 404)
            let json = try await server.send(
                .post, "/webhook/sms", headers: ["Content-Type": "application/json"], body: Array("{}".utf8))
            #expect(json.status == 415)
            let head = try await server.send(.head, "/health/live")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }

    @Test func refusesLargeBodies() async throws {
        try await ServerFixture.run { server async throws in
            let announced = try await server.send(
                .post, "/webhook/sms", headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: [UInt8](repeating: 65, count: 70_000))
            #expect(announced.status == 413)
            // In chunks, without an announced length.
            let socket = try RawSocket(port: server.port)
            try socket.write(
                "POST /webhook/sms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                    + "Content-Type: application/x-www-form-urlencoded\r\n\r\n")
            for _ in 0..<20 { try socket.write("1000\r\n" + String(repeating: "a", count: 4096) + "\r\n") }
            let answer = try await socket.read(until: "\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func keepsTheConnectionForTheNextRequest() async throws {
        try await ServerFixture.run { server async throws in
            let socket = try RawSocket(port: server.port)
            for _ in 0..<3 {
                try socket.write("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await socket.read(until: "{\"status\":\"ok\"}")
                #expect(answer.hasPrefix("HTTP/1.1 200"))
            }
        }
    }

    @Test(arguments: [
        "", "POST /webhook/sms HTTP/1.1\r\nHost: x\r\nContent-", "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /webhook/sms HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + "Content-Length: 100\r\n\r\na=",
    ])
    func cutsSlowClients(start: String) async throws {
        let change: @Sendable (inout FrontServer.Options) -> Void = { options in
            options.headerTime = .milliseconds(150)
            options.bodyTime = .milliseconds(150)
            options.keepAliveTime = .milliseconds(150)
        }
        try await ServerFixture.run(change: change) { server async throws in
            let socket = try RawSocket(port: server.port)
            try socket.write(start)
            try await socket.untilClosed()
        }
    }

    /// A client that asks for much and takes little of it.
    @Test func cutsClientsThatDoNotRead() async throws {
        let size = 16 << 20
        let router = Router(context: FrontContext.self)
        router.get("/flood") { _, _ in
            Response(status: .ok, body: .init(byteBuffer: ByteBuffer(repeating: 120, count: size)))
        }
        let change: @Sendable (inout FrontServer.Options) -> Void = { $0.stallTime = .milliseconds(300) }
        try await ServerFixture.run(change: change, routes: router) { server async throws in
            let idle = try RawSocket(port: server.port, receiveBytes: 65_536)
            try idle.write("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
            // One that reads gets all of it.
            let reading = try RawSocket(port: server.port)
            try reading.write("GET /flood HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            var count = 0
            while let bytes = try await reading.read() { count += bytes.count }
            #expect(count > size)
            // Until it is cut.
            while (try? idle.write("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")) != nil {
                try await Task.sleep(for: .milliseconds(20))
            }
            var taken = 0
            while let bytes = try await idle.read() { taken += bytes.count }
            #expect(taken < size)
        }
    }

    @Test(arguments: ["\u{16}\u{03}\u{01}\u{02}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{0}x HTTP/1.1\r\n\r\n"])
    func survivesNonsense(text: String) async throws {
        let change: @Sendable (inout FrontServer.Options) -> Void = { $0.headerTime = .milliseconds(300) }
        try await ServerFixture.run(change: change) { server async throws in
            let socket = try RawSocket(port: server.port)
            try socket.write(text)
            try await socket.untilClosed()
            #expect(try await server.get("/health/live").status == 200)
        }
    }

    @Test func refusesTooManyHeaders() async throws {
        try await ServerFixture.run { server async throws in
            let socket = try RawSocket(port: server.port)
            try socket.write("GET /health/live HTTP/1.1\r\nHost: x\r\n")
            for index in 0..<300 { try socket.write("X-\(index): \(String(repeating: "v", count: 100))\r\n") }
            try? socket.write("\r\n")
            let answer = try await socket.read(until: "\r\n\r\n")
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"))
        }
    }

    @Test func givesMetricsToThisMachineOnly() async throws {
        try await ServerFixture.run { server async throws in
            _ = try await server.post(server.inbound("x"))
            let metrics = try await server.get("/metrics")
            #expect(metrics.status == 200)
            #expect(metrics.headers["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(metrics.text.contains("tandem_http_requests_total{route=\"/webhook/sms\",status=\"200\"} 1"))
            #expect(metrics.text.contains("tandem_sms_received_total{outcome=\"accepted\"} 1"))
            #expect(try await server.get("/metrics", headers: ["X-Forwarded-For": "192.0.2.1"]).status == 403)
        }
    }

    @Test func givesMetricsToWhoeverHasTheToken() async throws {
        let change: @Sendable (inout FrontServer.Options) -> Void = { $0.metricsToken = Secret("0123456789abcdef") }
        try await ServerFixture.run(change: change) { server async throws in
            #expect(try await server.get("/metrics").status == 401)
            #expect(try await server.get("/metrics", headers: ["Authorization": "Bearer wrong"]).status == 401)
            let right: HTTPHeaders = ["Authorization": "Bearer 0123456789abcdef", "X-Forwarded-For": "192.0.2.1"]
            #expect(try await server.get("/metrics", headers: right).status == 200)
        }
    }

    @Test func givesEachRequestAnID() async throws {
        try await ServerFixture.run { server async throws in
            let first = try await server.get("/health/live").headers["X-Request-Id"]
            let second = try await server.get("/health/live").headers["X-Request-Id"]
            #expect(first != nil && first != second)
            let given = try await server.get("/nothing", headers: ["X-Request-Id": "abc-12345"])
            #expect(given.headers["X-Request-Id"] == "abc-12345")
            let bad = try await server.get("/nothing", headers: ["X-Request-Id": "a b<script>"])
            #expect(bad.headers["X-Request-Id"]?.contains("script") == false)
        }
    }

    @Test func takesStatusReports() async throws {
        try await ServerFixture.run { server async throws in
            let request = server.simulator.report(
                "delivered", of: "SM00112233445566778899aabbccddeeff",
                url: ServerFixture.publicBase + "/webhook/sms/status")
            for _ in 0..<2 { #expect(try await server.post(request).status == 200) }
        }
    }

    @Test func endsGracefully() async throws {
        // The fixture shuts the server down gracefully and waits for it; a message under way is answered.
        try await ServerFixture.run { server async throws in
            let answer = Task { try await server.post(server.inbound("last words")).status }
            #expect(try await answer.value == 200)
        }
    }
}
