import CPostgreSQL
import Glibc
public import TandemCore

/// Where a PostgreSQL database is and who connects: a URL or a keyword string, as libpq understands them
/// (https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING).
///
/// All of libpq's parameters may be given: `sslmode=verify-full`, `sslrootcert`, `application_name`, several hosts. What is
/// not given comes from libpq's own defaults, and from these of ours: `connect_timeout` 10, `gssencmode` disable,
/// `keepalives_idle` 15, `tcp_user_timeout` 15000, `application_name` tandem.
public struct PostgreSQLAddress: Sendable {
    /// The setting that it came from, for messages.
    public let setting: String
    /// libpq's keywords and their values, without the password.
    private(set) var options: [String: String]
    private let password: Secret?

    /// Reads the text form.
    ///
    /// - Parameters:
    ///   - password: Given apart from the text, as a file or a variable.
    ///   - setting: What messages call it.
    /// - Throws: `StorageError` with code `configuration`; it never shows the text, which may hold a password.
    public init(_ text: String, password: Secret? = nil, setting: String = "DATABASE_URL") throws {
        self.setting = setting
        var problem: UnsafeMutablePointer<CChar>?
        guard let parsed = PQconninfoParse(text, &problem) else {
            PQfreemem(problem)
            throw StorageError(
                .configuration,
                "\(setting) is no address of PostgreSQL: write postgresql://user@host:5432/database?sslmode=verify-full;"
                    + " percent-encode special characters, and better give the password apart from it")
        }
        defer { PQconninfoFree(parsed) }
        var options: [String: String] = [:]
        var next = parsed
        while let keyword = next.pointee.keyword {
            if let value = next.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            next += 1
        }
        let within = options.removeValue(forKey: "password").flatMap { $0.isEmpty ? nil : Secret($0) }
        guard within == nil || password == nil else {
            throw StorageError(.configuration, "\(setting) holds a password, and one is given apart from it: keep one")
        }
        self.password = password ?? within
        guard options["dbname"]?.isEmpty == false else {
            throw StorageError(
                .configuration, "\(setting) names no database: write postgresql://user@host/database")
        }
        guard options["replication"] == nil, options["client_encoding"] ?? "UTF8" == "UTF8" else {
            throw StorageError(
                .configuration, "\(setting) sets replication or client_encoding, which are not ours to set")
        }
        self.options = options
    }

    private init(_ other: PostgreSQLAddress, options: [String: String]) {
        setting = other.setting
        password = other.password
        self.options = options
    }

    /// The same server and user, another database.
    public func naming(database: String) -> PostgreSQLAddress {
        var options = options
        options["dbname"] = database
        return PostgreSQLAddress(self, options: options)
    }

    /// The database's name.
    public var database: String { options["dbname"] ?? "" }

    /// The user as given; nil: the operating system's.
    public var user: String? { options["user"] }

    /// Calls with libpq's keywords and values, each list ended by nil.
    func withParameters<T>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) throws -> T
    ) throws -> T {
        var all = [
            "connect_timeout": "10", "gssencmode": "disable", "keepalives_idle": "15", "keepalives_interval": "5",
            "keepalives_count": "3", "tcp_user_timeout": "15000", "application_name": "tandem",
        ]
        all.merge(options) { $1 }
        all["client_encoding"] = "UTF8"
        if let password { all["password"] = password.reveal() }
        let pairs = all.sorted { $0.key < $1.key }
        let keywords = pairs.map { strdup($0.key) } + [nil]
        let values = pairs.map { strdup($0.value) } + [nil]
        defer {
            for text in keywords { free(text) }
            for text in values {
                if let text { explicit_bzero(text, strlen(text)) }
                free(text)
            }
        }
        return try keywords.map { UnsafePointer($0) }.withUnsafeBufferPointer { first in
            try values.map { UnsafePointer($0) }.withUnsafeBufferPointer { second in
                guard let keys = first.baseAddress, let texts = second.baseAddress else {
                    throw StorageError(.internalFailure, "no memory for the connection's parameters")
                }
                return try body(keys, texts)
            }
        }
    }

    /// Seconds within which a connection must stand.
    var connectSeconds: Int {
        let given = options["connect_timeout"].flatMap { Int($0) } ?? 10
        return given <= 0 ? 60 : min(max(given, 2), 300)
    }
}

extension PostgreSQLAddress: CustomStringConvertible, CustomReflectable {
    /// User, host and database; never the password.
    public var description: String {
        var text = "postgresql://"
        if let user { text += "\(user)@" }
        text += options["host"] ?? options["hostaddr"] ?? "localhost"
        if let port = options["port"] { text += ":\(port)" }
        return text + "/\(database)"
    }

    public var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}

/// How a PostgreSQL database is used.
public struct PostgreSQLConfiguration: Sendable {
    /// The role that serves: no superuser, no BYPASSRLS, owner of nothing.
    public var address: PostgreSQLAddress
    /// The role that owns the tables: for migrations and for tables of plugins that are new. Nil: neither can be made.
    public var owner: PostgreSQLAddress?
    /// Connections, each with a thread, 1…64.
    public var connections: Int
    /// How long one statement may take.
    public var statementLimit: Duration = .seconds(30)
    /// How long one statement may wait for a lock.
    public var lockLimit: Duration = .seconds(10)
    /// How long a body may do nothing within its transaction.
    public var idleLimit: Duration = .seconds(60)
    /// How long `open` waits for a server that does not answer.
    public var startLimit: Duration = .seconds(15)
    /// Opened for `DatabaseCopy` to fill: also when an earlier copy was not finished.
    public var isCopyTarget = false

    public init(address: PostgreSQLAddress, owner: PostgreSQLAddress? = nil, connections: Int = 8) {
        self.address = address
        self.owner = owner
        self.connections = min(max(connections, 1), 64)
    }
}

/// The roles and the schema of an installation.
///
/// - `owner` logs in for migrations and owns the people's tables and the storage's own.
/// - `domains` owns the system tables: the domains' migrations run as it, so they reach nothing else.
/// - `runtime` logs in to serve: it may use the system tables.
/// - `rows` may use all tables; `runtime` becomes it for the statements of the row functions.
///
/// Row-level security holds for all of them.
struct PostgreSQLRoles: Sendable {
    static let schema = "public"
    var runtime: String
    var owner: String?

    var rows: String { PostgreSQLRoles.rows(of: runtime) }
    var domains: String? { owner.map(PostgreSQLRoles.domains(of:)) }

    static func rows(of runtime: String) -> String { "\(runtime)_rows" }
    static func domains(of owner: String) -> String { "\(owner)_domains" }

    /// A name as an SQL identifier.
    static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
