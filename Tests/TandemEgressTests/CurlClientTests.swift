import TandemCore
import TandemEgress
import Testing

@Suite(.timeLimit(.minutes(8))) struct CurlClientTests {
    let client = CurlClient()

    @Test func sendsAndReceives() async throws {
        try await EchoServer.run { server in
            let response = try await client.send(
                HTTPRequest(
                    .post, server.url("/echo"), headers: ["Content-Type": "text/plain", "X-Empty": ""],
                    body: Array("héllo".utf8)))
            #expect(response.status == 200)
            #expect(response.body == Array("POST héllo".utf8))
            #expect(response.headers["x-seen-type"] == "text/plain")
            #expect(response.headers["X-SEEN-EXPECT"] == "none")
            #expect(response.headers.all("x-twice") == ["a", "b"])
        }
    }

    @Test(arguments: [HTTPRequest.Method.get, .head, .put, .patch, .delete])
    func sendsEveryMethod(method: HTTPRequest.Method) async throws {
        try await EchoServer.run { server in
            let response = try await client.send(HTTPRequest(method, server.url("/echo")))
            #expect(response.status == 200)
            #expect(response.body == (method == .head ? [] : Array("\(method.rawValue) ".utf8)))
        }
    }

    @Test func sendsALargeBody() async throws {
        try await EchoServer.run { server in
            let body = [UInt8](repeating: 65, count: 3_000_000)
            let response = try await client.send(HTTPRequest(.post, server.url("/echo"), body: body))
            #expect(response.body.count == 3_000_005)
        }
    }

    @Test func reusesConnections() async throws {
        try await RawServer.run(answers: .max) { server in
            for _ in 0..<5 {
                let answer = try await status(HTTPRequest(.get, server.url))
                #expect(answer == 200)
            }
            #expect(server.connections == 1)
        }
    }

    @Test func sendsManyAtOnce() async throws {
        try await EchoServer.run { server in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let body = Array("\(index)".utf8)
                        let response = try await client.send(HTTPRequest(.post, server.url("/echo"), body: body))
                        return Int(String(decoding: response.body.dropFirst(5), as: UTF8.self)) ?? -1
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 199 * 100)
        }
    }

    @Test func givesUpAfterTheTimeout() async throws {
        try await RawServer.run(answers: 0) { server in
            let error = await failure(HTTPRequest(.post, server.url, body: [1], timeout: .milliseconds(150)))
            #expect(error?.code == .timeout)
            #expect(error?.mayHaveBeenProcessed == true)
        }
    }

    @Test func endsWithTheTask() async throws {
        try await RawServer.run(answers: 0) { server in
            let task = Task { await failure(HTTPRequest(.get, server.url)) }
            await server.firstRequest()
            task.cancel()
            #expect(await task.value?.code == .cancelled)
        }
        let cancelled = Task { () -> HTTPError? in
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure(HTTPRequest(.get, "http://127.0.0.1:9/"))
        }
        #expect(await cancelled.value?.code == .cancelled)
    }

    @Test func limitsTheAnswer() async throws {
        try await EchoServer.run { server in
            let body = [UInt8](repeating: 65, count: 2000)
            let error = await failure(
                HTTPRequest(.post, server.url("/echo"), body: body, maxResponseBytes: 1000))
            #expect(error?.code == .responseTooLarge)
        }
    }

    @Test func knowsThatNothingWasSent() async {
        let error = await failure(HTTPRequest(.post, "http://127.0.0.1:1/", body: [1]))
        #expect(error?.code == .connectionFailed)
        #expect(error?.mayHaveBeenProcessed == false)
    }

    @Test func neverRepeatsWhatIsNotIdempotent() async throws {
        // The server answers the first request, keeps the connection, and cuts it after reading the second.
        try await RawServer.run(answers: 1) { server in
            let first = try await status(HTTPRequest(.post, server.url, body: [65]))
            #expect(first == 200)
            let error = await failure(HTTPRequest(.post, server.url, body: [66]))
            #expect(error?.code == .interrupted)
            #expect(error?.mayHaveBeenProcessed == true)
            #expect(server.requests == 2)
        }
    }

    /// Without a body there is nothing to rewind: libcurl would send it again on a connection that it had kept.
    @Test(arguments: [HTTPRequest.Method.post, .patch]) func neverRepeatsItWithoutABodyEither(
        method: HTTPRequest.Method
    ) async throws {
        try await RawServer.run(answers: 1) { server in
            let first = try await status(HTTPRequest(.post, server.url, body: [65]))
            #expect(first == 200)
            // On a connection of its own, whose first request is answered.
            let second = try await status(HTTPRequest(method, server.url))
            #expect(second == 200 && server.connections == 2 && server.requests == 2)
            let third = try await status(HTTPRequest(method, server.url))
            #expect(third == 200 && server.connections == 3 && server.requests == 3)
        }
    }

    @Test func repeatsWhatIsIdempotentOnADeadConnection() async throws {
        try await RawServer.run(answers: 1) { server in
            let first = try await status(HTTPRequest(.put, server.url, body: [65]))
            #expect(first == 200)
            // Read and cut on the old connection, answered on the new one.
            let second = try await status(HTTPRequest(.put, server.url, body: [66]))
            #expect(second == 200)
            #expect(server.connections == 2)
            #expect(server.requests == 3)
        }
    }

    @Test func doesNotFollowRedirectsUnlessAsked() async throws {
        try await EchoServer.run { server in
            let unfollowed = try await status(HTTPRequest(.get, server.url("/redirect")))
            #expect(unfollowed == 302)
            let followed = try await client.send(HTTPRequest(.get, server.url("/redirect"), maxRedirects: 2))
            #expect(followed.body == Array("GET ".utf8))
            let error = await failure(HTTPRequest(.get, server.url("/loop"), maxRedirects: 2))
            #expect(error?.code == .tooManyRedirects)
            let file = await failure(HTTPRequest(.get, server.url("/to-file"), maxRedirects: 2))
            #expect(file?.code == .invalidRequest)
        }
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://x/", "gopher://x/", "http://", "https://", "//x", "", "http://a b/",
        "http://x/\r\nA: b",
        "HTTP://x/é",
    ])
    func refusesOtherAddresses(url: String) async {
        #expect(await failure(HTTPRequest(.get, url))?.code == .invalidRequest)
    }

    @Test(arguments: [("A\r\nB", "c"), ("A", "b\r\nC: d"), ("", "x"), ("A b", "c"), ("A:", "c"), ("A", "\u{0}")])
    func refusesHeadersThatAddLines(name: String, value: String) async {
        var headers = HTTPHeaders()
        headers.append(name, value)
        #expect(await failure(HTTPRequest(.get, "http://127.0.0.1:1/", headers: headers))?.code == .invalidRequest)
    }

    @Test func refusesAnswersThatAreNoHTTP() async throws {
        try await RawServer.run(answers: .max, answer: "SSH-2.0-OpenSSH\r\n\r\n") { server in
            #expect(await failure(HTTPRequest(.get, server.url))?.code == .invalidResponse)
        }
    }

    @Test func endsEverythingOnShutdown() async throws {
        try await RawServer.run(answers: 0) { server in
            let client = CurlClient()
            let task = Task { try await client.send(HTTPRequest(.get, server.url)) }
            await server.firstRequest()
            await client.shutdown()
            await #expect(throws: HTTPError.self) { try await task.value }
            do throws(HTTPError) {
                _ = try await client.send(HTTPRequest(.get, server.url))
                Issue.record("the client is closed")
            } catch {
                #expect(error.code == .closed)
            }
            await client.shutdown()
        }
    }

    @Test func printsNoSecrets() {
        let request = HTTPRequest(
            .post, "https://user:hunter2@api.example.com:8443/path/key?token=abc",
            headers: ["Authorization": "Basic xyz"],
            body: Array("text".utf8))
        #expect("\(request)" == "POST https://api.example.com:8443")
        #expect("\(request.headers)" == "[Authorization]")
    }

    @Test func countsOutcomes() async throws {
        let metrics = MetricsRegistry()
        let client = CurlClient(metrics: metrics)
        _ = await failure(HTTPRequest(.get, "http://127.0.0.1:1/"), with: client)
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        #expect(text.contains("tandem_http_client_requests_total{outcome=\"connection_failed\"} 1"))
    }

    func status(_ request: HTTPRequest) async throws -> Int { try await client.send(request).status }

    func failure(_ request: HTTPRequest, with other: CurlClient? = nil) async -> HTTPError? {
        do throws(HTTPError) {
            _ = try await (other ?? client).send(request)
            return nil
        } catch {
            return error
        }
    }
}
