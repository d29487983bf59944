import ChildProcess
import Glibc
import Synchronization
public import TandemStorage

/// A PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket and a free port of this machine.
///
/// It ends and its folder goes when the process ends, however it ends. `initdb` refuses root, so as root it runs as
/// `postgres`. On the socket everybody is trusted; over TCP a password is asked for.
public final class PostgreSQLServer: @unchecked Sendable {
    // `lifeline` and `isRunning` are used under `lock`; the rest is constant.

    /// What made a server impossible.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public let folder: String
    public let port: Int
    private let programs: String
    private let settings: [String]
    private let lock = Mutex<[Int32]>([])
    private let count = Mutex(0)
    /// Databases that others are made from, by what was done to them.
    let templates = Mutex<[String: Task<String, any Error>]>([:])

    private static let one = Task.detached { try await PostgreSQLServer() }

    /// The server that all tests of a process share; started with the first call, which waits for it.
    ///
    /// Throws when PostgreSQL is not installed: such a run has not tested what it should.
    public static func shared() async throws -> PostgreSQLServer { try await one.value }

    /// Makes and starts a server.
    ///
    /// - Parameter settings: More of postgresql.conf, as `name=value`; they win over the tests' own, which write nothing
    ///   through to the disk.
    public init(
        settings: [String] = [], prepare: @escaping @Sendable (_ folder: String) -> Void = { _ in }
    ) async throws {
        guard let programs = PostgreSQLServer.findPrograms() else {
            throw Failure(description: "PostgreSQL is not installed: apt-get install postgresql (make test does)")
        }
        self.programs = programs
        self.settings = settings
        var template = Array("/tmp/tandem-pg-XXXXXX".utf8CString)
        guard let made = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) else {
            throw Failure(description: "no temporary folder: errno \(errno)")
        }
        folder = String(cString: made)
        port = PostgreSQLServer.freePort()
        try await offPool { [self] in
            try makeCluster()
            prepare(folder)
            try launch()
        }
    }

    private func makeCluster() throws(Failure) {
        if let account = PostgreSQLServer.account { chown(folder, account.user, account.group) }
        let status = PostgreSQLServer.run(
            asServer(
                "\(programs)/initdb", "-D", "\(folder)/data", "-U", "postgres", "-E", "UTF8", "--locale=C",
                "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--no-instructions"),
            log: "\(folder)/initdb.log")
        guard status == 0 else {
            throw Failure(description: "initdb failed:\n\(PostgreSQLServer.text("\(folder)/initdb.log"))")
        }
    }

    /// libpq's address of a database here, as a superuser.
    public func address(user: String = "postgres", database: String = "postgres") -> String {
        "host=\(folder) port=\(port) user=\(user) dbname=\(database)"
    }

    func nextName() -> String {
        let number = count.withLock { count in
            count += 1
            return count
        }
        return "test_\(number)"
    }

    /// A new database with its roles, for one test.
    public func database() async throws -> PostgreSQLConfiguration {
        let name = nextName()
        try await PostgreSQLSetup.run(
            admin: PostgreSQLAddress(address()), database: name,
            owner: PostgreSQLSetup.Login(role: "tandem_owner", password: nil),
            runtime: PostgreSQLSetup.Login(role: "tandem", password: nil))
        return try configuration(name, connections: 4)
    }

    func configuration(_ name: String, connections: Int) throws -> PostgreSQLConfiguration {
        PostgreSQLConfiguration(
            address: try PostgreSQLAddress(address(user: "tandem", database: name)),
            owner: try PostgreSQLAddress(
                address(user: "tandem_owner", database: name), setting: "DATABASE_OWNER_URL"),
            connections: connections)
    }

    /// The settings that make a program use a database here.
    public func environment(_ name: String) -> [String: String] {
        func address(_ user: String) -> String { "postgresql:///\(name)?host=\(folder)&port=\(port)&user=\(user)" }
        return ["DATABASE_URL": address("tandem"), "DATABASE_OWNER_URL": address("tandem_owner"), "DATABASE_POOL": "3"]
    }

    // MARK: Running

    /// Starts the server and waits until it takes connections.
    public func start() async throws {
        try await offPool { [self] in try launch() }
    }

    private func launch() throws(Failure) {
        var pipe: [Int32] = [0, 0]
        guard Glibc.pipe(&pipe) == 0 else { throw Failure(description: "no pipe: errno \(errno)") }
        for descriptor in pipe { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        // The shell reads from us: when we end, it reads the end and stops the server.
        let script = """
            folder=$1; shift; exec 3<&0 </dev/null
            "$@" >>"$folder/server.log" 2>&1 3<&- & server=$!
            cat <&3 >/dev/null; kill -QUIT $server 2>/dev/null; wait $server; rm -rf "$folder"
            """
        let options = [
            "listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=\(folder)", "max_connections=400",
            "fsync=off", "full_page_writes=off", "log_statement=none", "shared_buffers=64MB",
            "autovacuum=off", "max_locks_per_transaction=256", "lc_messages=C",
        ]
        let server =
            asServer("\(programs)/postgres", "-D", "\(folder)/data") + (options + settings).flatMap { ["-c", $0] }
        let known = PostgreSQLServer.text("\(folder)/server.log").utf8.count
        let pid = PostgreSQLServer.spawn(["/bin/sh", "-c", script, "sh", folder] + server, input: pipe[0], log: nil)
        close(pipe[0])
        guard pid > 0 else { throw Failure(description: "the server cannot be started: errno \(errno)") }
        lock.withLock { $0.append(pipe[1]) }
        for _ in 0..<1200 {
            // The shell stays to hear of our end; what it started may have ended long since.
            let news = PostgreSQLServer.text("\(folder)/server.log").utf8.dropFirst(known)
            if String(Substring(news)).hasSuffix("is shut down\n") { break }
            // Its eighth line says when it is ready (miscadmin.h, LOCK_FILE_LINE_PM_STATUS).
            let lines = PostgreSQLServer.text("\(folder)/data/postmaster.pid").split(
                separator: "\n", omittingEmptySubsequences: false)
            if lines.count > 7, lines[7].hasPrefix("ready") { return }
            usleep(25_000)
        }
        throw Failure(description: "the server does not get ready:\n\(PostgreSQLServer.text("\(folder)/server.log"))")
    }

    private var processID: Int32? {
        PostgreSQLServer.text("\(folder)/data/postmaster.pid").split(separator: "\n").first.flatMap { Int32($0) }
    }

    /// `kill -9` of the server and all that it started, in that order: as when the machine fails, but for the disk.
    public func crash() async throws {
        try await offPool { [self] in crashNow() }
    }

    private func crashNow() {
        guard let processID else { return }
        // Stopped first, so that it starts nothing while its children are looked for.
        kill(processID, SIGSTOP)
        let children = PostgreSQLServer.children(of: processID)
        kill(processID, SIGKILL)
        for child in children { kill(child, SIGKILL) }
        for process in [processID] + children { PostgreSQLServer.waitForEnd(of: process) }
        unlink("\(folder)/data/postmaster.pid")
    }

    /// `kill -9` of one of the processes that serve a connection: the server then throws all of them out and recovers.
    public func crashOneBackend() {
        guard let processID else { return }
        for child in PostgreSQLServer.children(of: processID) {
            let command = PostgreSQLServer.text("/proc/\(child)/cmdline")
            if command.contains("tandem") {
                kill(child, SIGKILL)
                return
            }
        }
    }

    private static func waitForEnd(of process: Int32) {
        for _ in 0..<2000 {
            let state = text("/proc/\(process)/stat")
            if state.isEmpty || state.contains(") Z ") { return }
            usleep(5000)
        }
    }

    private static func children(of process: Int32) -> [Int32] {
        var found: [Int32] = []
        guard let entries = opendir("/proc") else { return [] }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let id = Int32(name) else { continue }
            // After the name in brackets: state and parent (proc(5)).
            let fields = text("/proc/\(id)/stat").split(separator: ")").last?.split(separator: " ") ?? []
            if fields.count > 1, Int32(fields[1]) == process { found.append(id) }
        }
        return found
    }

    // MARK: Programs

    private static let account: (user: uid_t, group: gid_t)? = {
        guard getuid() == 0, let entry = getpwnam("postgres") ?? getpwnam("nobody") else { return nil }
        return (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }()

    private func asServer(_ command: String...) -> [String] {
        guard let account = PostgreSQLServer.account else { return command }
        return ["setpriv", "--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups"] + command
    }

    private static func findPrograms() -> String? {
        for version in (15...20).reversed() where access("/usr/lib/postgresql/\(version)/bin/initdb", X_OK) == 0 {
            return "/usr/lib/postgresql/\(version)/bin"
        }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return path.split(separator: ":").map(String.init).first { access("\($0)/initdb", X_OK) == 0 }
    }

    private static func freePort() -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = bind(descriptor, generic, size)
                _ = getsockname(descriptor, generic, &size)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    @discardableResult
    static func run(_ command: [String], log: String) -> Int32 {
        let pid = spawn(command, input: nil, log: log)
        guard pid > 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// Runs a program, and gives the files that it made to the server's account.
    public static func command(_ command: [String], asOwnerOf files: [String]) {
        run(command, log: "/dev/null")
        for file in files {
            if let account { chown(file, account.user, account.group) }
            chmod(file, file.hasSuffix(".key") ? 0o600 : 0o644)
        }
    }

    private static func spawn(_ command: [String], input: Int32?, log: String?) -> pid_t {
        let pid = ChildProcess.spawn(
            command, input: input.map { .descriptor($0) } ?? .nothing, output: .appending(log ?? "/dev/null"),
            errors: .appending(log ?? "/dev/null"), isLeader: true)
        if pid < 0 { errno = -pid }
        return pid
    }

    static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
