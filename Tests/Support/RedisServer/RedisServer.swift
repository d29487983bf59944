import ChildProcess
import Foundation
import Glibc
import Synchronization

/// A real `redis-server` in a folder of its own, on a free port of this machine or on a socket; killed and started again as
/// a test says. Ends with the object.
public final class RedisServer: Sendable {
    public struct Options: Sendable {
        /// Listens on a socket in the folder instead of a port.
        public var usesSocket = false
        public var password: String?
        /// Keeps what it knows over `kill` and `start`.
        public var isDurable = false
        /// TLS with a certificate of its own for 127.0.0.1; see `authorities`.
        public var usesTLS = false
        public var arguments: [String] = []

        public init() {}
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public static let program = "/usr/bin/redis-server"

    private let options: Options
    private struct State {
        var process: pid_t = 0
        var port = 0
    }

    private let state = Mutex(State())
    public let folder: String

    public var port: Int { state.withLock { $0.port } }

    public init(_ options: Options = Options()) async throws {
        self.options = options
        var template = Array("/tmp/tandem-redis-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "no folder for Redis") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try await offPool { [self] in
            if options.usesTLS { try makeCertificate() }
            try launchSomewhere()
        }
    }

    private func launchSomewhere() throws {
        // A free port may be somebody else's a moment later.
        for attempt in 1... {
            if !options.usesSocket {
                let port = try RedisServer.freePort()
                state.withLock { $0.port = port }
            }
            do {
                try launch()
                return
            } catch {
                if attempt == 5 { throw error }
            }
        }
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    public var socket: String { folder + "/redis.sock" }
    /// Of the server's certificate.
    public var authorities: String { folder + "/cert.pem" }

    /// As for `REDIS_URL`.
    public var url: String {
        let credentials = options.password.map { ":\($0)@" } ?? ""
        if options.usesSocket { return "unix://\(credentials)\(socket)" }
        if options.usesTLS { return "rediss://\(credentials)127.0.0.1:\(port)?ca_file=\(authorities)" }
        return "redis://\(credentials)127.0.0.1:\(port)"
    }

    /// Ends at once, like a power cut.
    public func kill() {
        state.withLock { state in
            guard state.process > 0 else { return }
            Glibc.kill(state.process, SIGKILL)
            var status: Int32 = 0
            waitpid(state.process, &status, 0)
            state.process = 0
        }
    }

    /// Answers no more, with its connections open.
    public func freeze() { signal(SIGSTOP) }

    public func thaw() { signal(SIGCONT) }

    private func signal(_ number: Int32) {
        state.withLock { if $0.process > 0 { _ = Glibc.kill($0.process, number) } }
    }

    /// Starts it, and returns when it answers.
    public func start() async throws {
        try await offPool { [self] in try launch() }
    }

    private func launch() throws {
        var arguments = [
            RedisServer.program, "--dir", folder, "--save", "", "--appendonly", options.isDurable ? "yes" : "no",
            "--appendfsync", "always", "--daemonize", "no", "--loglevel", "notice", "--logfile", folder + "/log",
        ]
        if options.usesSocket {
            arguments += ["--port", "0", "--unixsocket", socket]
        } else if options.usesTLS {
            arguments += [
                "--port", "0", "--tls-port", String(port), "--bind", "127.0.0.1", "--tls-cert-file", authorities,
                "--tls-key-file", folder + "/key.pem", "--tls-ca-cert-file", authorities, "--tls-auth-clients", "no",
            ]
        } else {
            arguments += ["--port", String(port), "--bind", "127.0.0.1"]
        }
        if let password = options.password { arguments += ["--requirepass", password] }
        arguments += options.arguments
        let isStarted = try state.withLock { state in
            guard state.process == 0 else { return false }
            unlink(folder + "/log")
            state.process = try RedisServer.spawn(arguments)
            return true
        }
        guard isStarted else { return }
        for _ in 0..<3000 {
            if log.contains("eady to accept connections") { return }
            if hasEnded() { break }
            usleep(10_000)
        }
        throw Failure(description: "redis-server did not start: \(log.suffix(400))")
    }

    /// What is in its memory or files now, for looking whether something can be found: `redis-cli`'s answer.
    public func command(_ arguments: String...) async throws -> String {
        var line = ["/usr/bin/redis-cli", "--no-auth-warning", "--raw"]
        line += options.usesSocket ? ["-s", socket] : ["-p", String(port)]
        if let password = options.password { line += ["-a", password] }
        if options.usesTLS { line += ["--tls", "--cacert", authorities] }
        let command = line + arguments
        return try await offPool { try RedisServer.run(command) }
    }

    private var log: String { (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "" }

    private func hasEnded() -> Bool {
        state.withLock { state in
            var status: Int32 = 0
            guard state.process > 0, waitpid(state.process, &status, WNOHANG) == state.process else {
                return state.process == 0
            }
            state.process = 0
            return true
        }
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func freePort() throws -> Int {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isBound else { throw Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private func makeCertificate() throws {
        _ = try RedisServer.run([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", folder + "/key.pem", "-out", authorities, "-days", "2", "-subj", "/CN=redis", "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
    }

    private static func spawn(_ arguments: [String], output: Int32? = nil) throws -> pid_t {
        let process = ChildProcess.spawn(arguments, output: output.map { .descriptor($0) } ?? .nothing)
        guard process > 0 else {
            throw Failure(
                description:
                    "\(arguments[0]) cannot be started (errno \(-process)): apt-get install redis-server openssl")
        }
        return process
    }

    private static func run(_ arguments: [String]) throws -> String {
        var pipes: [Int32] = [0, 0]
        guard pipe(&pipes) == 0 else { throw Failure(description: "no pipe") }
        for descriptor in pipes { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        let process: pid_t
        do {
            process = try spawn(arguments, output: pipes[1])
        } catch {
            close(pipes[0])
            close(pipes[1])
            throw error
        }
        close(pipes[1])
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(pipes[0], &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            bytes += chunk[0..<count]
        }
        close(pipes[0])
        var status: Int32 = 0
        waitpid(process, &status, 0)
        guard status == 0 else { throw Failure(description: "\(arguments[0]) failed") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
