import Foundation
import Synchronization
import TandemCore
import Testing

@testable import TandemEgress

/// Certificates and versions of TLS, against `openssl s_server` with an authority made for the test.
@Suite(.timeLimit(.minutes(2)))
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

    /// The status of a request, or the code of its failure.
    func outcome(_ host: String, _ port: Int, authorities: String?) async -> String {
        var options = CurlClient.Options()
        options.usesEnvironmentProxy = false
        options.authorities = authorities.map { folder + "/" + $0 }
        options.fixedAddresses = ["\(host):\(port):127.0.0.1"]
        let client = CurlClient(options: options)
        do throws(HTTPError) {
            let response = try await client.send(
                HTTPRequest(
                    .get, "https://\(host):\(port)/",
                    addresses: AddressPolicy(
                        allowing: [IPNetwork("127.0.0.0/8")].compactMap { $0 })))
            return "\(response.status)"
        } catch {
            return error.code.rawValue
        }
    }

    func stop() {
        for server in servers.withLock({ $0 }) where server.isRunning { server.terminate() }
        try? FileManager.default.removeItem(atPath: folder)
    }
}
