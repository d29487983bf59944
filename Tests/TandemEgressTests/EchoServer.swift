import Hummingbird
import Logging

/// An HTTP server on a free port of this machine that says what it was sent.
struct EchoServer: Sendable {
    let port: Int

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Runs the body against a server that lives as long.
    static func run(_ body: @escaping @Sendable (EchoServer) async throws -> Void) async throws {
        let router = Router()
        for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete] {
            router.on("/echo", method: method) { request, _ -> Response in
                var headers = HTTPFields()
                for (name, value) in [
                    ("X-Seen-Type", request.headers[.contentType] ?? "none"),
                    ("X-Seen-Expect", request.headers[.expect] ?? "none"),
                    ("X-Twice", "a"), ("X-Twice", "b"),
                ] {
                    guard let name = HTTPFields.Element.Name(name) else { continue }
                    headers.append(HTTPFields.Element(name: name, value: value))
                }
                var buffer = ByteBuffer(string: "\(request.method.rawValue) ")
                var received = try await request.body.collect(upTo: 8 << 20)
                buffer.writeBuffer(&received)
                return Response(status: .ok, headers: headers, body: .init(byteBuffer: buffer))
            }
        }
        for (path, target) in [("/redirect", "/echo"), ("/loop", "/loop"), ("/to-file", "file:///etc/hostname")] {
            router.get(.init(path)) { _, _ in Response(status: .found, headers: [.location: target]) }
        }
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                found.yield(channel.localAddress?.port ?? 0)
                found.finish()
            }, logger: Logger(label: "echo") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await app.run() }
            for await port in ports { try await body(EchoServer(port: port)) }
            group.cancelAll()
            while true {
                do {
                    guard try await group.next() != nil else { break }
                } catch is CancellationError {}
            }
        }
    }
}
