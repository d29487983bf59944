import Foundation
import Glibc
import Synchronization
import TandemCore
import Testing

@testable import TandemEgress

/// Certificates and versions of TLS, against `openssl s_server` with an authority made for the test.
@Suite(.timeLimit(.minutes(8)))
struct TLSTests {
    static let tool: String? = ["/usr/bin/openssl", "/usr/local/bin/openssl"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: tool != nil, "openssl is not on this machine"))
    func trustsItsAuthoritiesAndTheRightName() async throws {
        let world = try await TLSWorld()
        defer { world.stop() }
        let port = try await world.serve()
        #expect(await world.outcome("localhost", port, authorities: "ca.pem") == "200")
        // The system's authorities do not know it, nor does another one.
        #expect(await world.outcome("localhost", port, authorities: nil) == "tls")
        #expect(await world.outcome("localhost", port, authorities: "other.pem") == "tls")
        // The certificate is not for this name.
        #expect(await world.outcome("elsewhere.test", port, authorities: "ca.pem") == "tls")
    }

    @Test(.enabled(if: tool != nil, "openssl is not on this machine"))
    func speaksNoOldVersion() async throws {
        let world = try await TLSWorld()
        defer { world.stop() }
        let old = try await world.serve(["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
        #expect(await world.outcome("localhost", old, authorities: "ca.pem") == "tls")
        for version in ["-tls1_2", "-tls1_3"] {
            let port = try await world.serve([version])
            #expect(await world.outcome("localhost", port, authorities: "ca.pem") == "200", "\(version)")
        }
    }
}

/// HTTP/2 over TLS, against `nghttpd`, which speaks nothing else.
@Suite(.timeLimit(.minutes(8)))
struct HTTP2Tests {
    static let tool: String? = ["/usr/sbin/nghttpd", "/usr/bin/nghttpd", "/usr/local/bin/nghttpd"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: tool != nil && TLSTests.tool != nil, "nghttpd or openssl is not on this machine"))
    func carriesManyRequestsOverFewConnections() async throws {
        let world = try await TLSWorld()
        defer { world.stop() }
        let port = try await world.serveHTTP2(body: String(repeating: "a", count: 100_000))
        let client = world.client("localhost", port, authorities: "ca.pem", connections: 4)
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    let response = try await client.send(TLSWorld.request("localhost", port))
                    #expect(response.status == 200)
                    return response.body.count
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counts == Array(repeating: 100_000, count: 40))
        let missing = try await client.send(TLSWorld.request("localhost", port, path: "/missing"))
        #expect(missing.status == 404)
        // One that is not trusted is not spoken to, in whatever version.
        #expect(await world.outcome("localhost", port, authorities: "other.pem") == "tls")
        await client.shutdown()
    }
}

/// An authority, a certificate for localhost, and servers that use it.
private final class TLSWorld: Sendable {
    private let folder: String
    private let servers = Mutex<[Process]>([])

    init() async throws {
        var template = Array((NSTemporaryDirectory() + "tandem-tls-XXXXXX").utf8CString)
        folder = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        for name in ["ca", "other"] {
            try await run(
                ["req", "-x509"] + key + ["-subj", "/CN=\(name)", "-keyout", "\(name).key", "-out", "\(name).pem"])
        }
        try await run(
            ["req"] + key.dropLast(2) + ["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"])
        try Data("subjectAltName=DNS:localhost\n".utf8).write(to: URL(fileURLWithPath: folder + "/names"))
        try await run([
            "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "server.pem",
        ])
    }

    private func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: TLSTests.tool ?? "")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        return process
    }

    private func run(_ arguments: [String]) async throws {
        let process = process(arguments)
        process.standardOutput = FileHandle.nullDevice
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        try #require(status == 0, "openssl \(arguments.first ?? "")")
    }

    /// Starts a server that answers every request with a page; gives its port.
    func serve(_ options: [String] = []) async throws -> Int {
        let server = process(
            ["s_server", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "server.key", "-www"] + options)
        let output = Pipe()
        server.standardOutput = output
        server.standardInput = Pipe()
        try server.run()
        servers.withLock { $0.append(server) }
        // "ACCEPT 127.0.0.1:43210"
        let lines = output.fileHandleForReading
        let text: String = await withCheckedContinuation { continuation in
            let thread = Thread {
                var text = ""
                while !text.contains("\n") || !text.contains("ACCEPT") {
                    let data = lines.availableData
                    if data.isEmpty { break }
                    text += String(decoding: data, as: UTF8.self)
                }
                continuation.resume(returning: text)
            }
            thread.start()
        }
        return try #require(
            text.split(separator: "\n").first { $0.hasPrefix("ACCEPT") }?.split(separator: ":").last.flatMap { Int($0) }
        )
    }

    /// Starts a server of HTTP/2 with one page; gives its port.
    func serveHTTP2(body: String) async throws -> Int {
        try Data(body.utf8).write(to: URL(fileURLWithPath: folder + "/index.html"))
        // It takes no port 0: a free one may be taken by somebody else meanwhile.
        for _ in 0..<5 {
            let port = Self.freePort()
            let server = process(["-a", "127.0.0.1", "-d", folder, "\(port)", "server.key", "server.pem"])
            server.executableURL = URL(fileURLWithPath: HTTP2Tests.tool ?? "")
            server.standardOutput = FileHandle.nullDevice
            try server.run()
            servers.withLock { $0.append(server) }
            let visitor = client("localhost", port, authorities: "ca.pem", connections: 1)
            while server.isRunning {
                if (try? await visitor.send(Self.request("localhost", port))) != nil { return port }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        throw POSIXError(.EADDRINUSE)
    }

    private static func freePort() -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) == 0 ? getsockname(descriptor, pointer, &size) : -1
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    static func request(_ host: String, _ port: Int, path: String = "/") -> HTTPRequest {
        HTTPRequest(
            .get, "https://\(host):\(port)\(path)",
            addresses: AddressPolicy(allowing: [IPNetwork("127.0.0.0/8")].compactMap { $0 }))
    }

    func client(_ host: String, _ port: Int, authorities: String?, connections: Int = 8) -> CurlClient {
        var options = CurlClient.Options()
        options.usesEnvironmentProxy = false
        options.authorities = authorities.map { folder + "/" + $0 }
        options.fixedAddresses = ["\(host):\(port):127.0.0.1"]
        options.maxConnectionsPerHost = connections
        return CurlClient(options: options)
    }

    /// The status of a request, or the code of its failure.
    func outcome(_ host: String, _ port: Int, authorities: String?) async -> String {
        do throws(HTTPError) {
            let response = try await client(host, port, authorities: authorities).send(Self.request(host, port))
            return "\(response.status)"
        } catch {
            return error.code.rawValue
        }
    }

    func stop() {
        for server in servers.withLock({ $0 }) where server.isRunning { kill(server.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }
}
