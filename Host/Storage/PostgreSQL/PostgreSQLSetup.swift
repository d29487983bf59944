public import TandemCore

/// Makes a database and its roles: once per installation, by a role that may create both.
///
/// Whatever is there already stays; a given password replaces the role's. It makes `owner`, `owner_domains`, `runtime` and
/// `runtime_rows` (see docs/postgresql.md), the database with `owner` as its owner, and takes the right to connect to it
/// from everybody else.
public enum PostgreSQLSetup {
    public struct Login: Sendable {
        public var role: String
        public var password: Secret?

        public init(role: String, password: Secret?) {
            self.role = role
            self.password = password
        }
    }

    /// Throws `StorageError`.
    public static func run(
        admin: PostgreSQLAddress, database: String, owner: Login, runtime: Login
    ) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            do {
                try WorkerThread.run(named: "tandem-setup") {
                    continuation.resume(
                        with: Result { try make(admin, database: database, owner: owner, runtime: runtime) })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private static func make(
        _ admin: PostgreSQLAddress, database: String, owner: Login, runtime: Login
    ) throws {
        for name in [database, owner.role, runtime.role] {
            guard !name.isEmpty, name.utf8.count <= 48, !name.utf8.contains(0) else {
                throw StorageError(.invalid, "names of roles and databases have 1 to 48 bytes", operation: "set up")
            }
        }
        guard owner.role != runtime.role else {
            throw StorageError(
                .invalid, "the owner of the tables and the role that serves must differ", operation: "set up")
        }
        let quoted = PostgreSQLRoles.quoted
        let rows = PostgreSQLRoles.rows(of: runtime.role)
        let domains = PostgreSQLRoles.domains(of: owner.role)
        let connection = try PostgreSQLSession.owner(admin)
        defer { connection.close() }
        try PostgreSQLMigrator.locked(connection) {
            try login(owner, on: connection)
            try login(runtime, on: connection)
            for group in [rows, domains] where try !exists(group, on: connection) {
                _ = try connection.run("CREATE ROLE \(quoted(group)) NOLOGIN")
            }
            // The one that serves does not have the rights of `rows` until it becomes it.
            _ = try connection.run("ALTER ROLE \(quoted(runtime.role)) NOINHERIT")
            _ = try connection.run("GRANT \(quoted(rows)) TO \(quoted(runtime.role))")
            _ = try connection.run("GRANT \(quoted(domains)) TO \(quoted(owner.role))")
            let found = try connection.run("SELECT 1 FROM pg_database WHERE datname = $1", [.text(database)])
            if found.rowCount == 0 {
                if connection.parameter("is_superuser") != "on" {
                    // To give it away, one must be a member of the role that gets it.
                    _ = try connection.run("GRANT \(quoted(owner.role)) TO CURRENT_USER")
                }
                _ = try connection.run(
                    "CREATE DATABASE \(quoted(database)) OWNER \(quoted(owner.role)) ENCODING 'UTF8' TEMPLATE template0"
                )
            }
            _ = try connection.run("REVOKE ALL ON DATABASE \(quoted(database)) FROM PUBLIC")
            for role in [runtime.role, owner.role] {
                _ = try connection.run("GRANT CONNECT ON DATABASE \(quoted(database)) TO \(quoted(role))")
            }
        }
        let inside = try PostgreSQLSession.owner(admin.naming(database: database))
        defer { inside.close() }
        let schema = PostgreSQLRoles.schema
        _ = try inside.run("REVOKE ALL ON SCHEMA \(schema) FROM PUBLIC")
        _ = try inside.run("GRANT USAGE, CREATE ON SCHEMA \(schema) TO \(quoted(owner.role)), \(quoted(domains))")
        _ = try inside.run("GRANT USAGE ON SCHEMA \(schema) TO \(quoted(runtime.role)), \(quoted(rows))")
    }

    private static func exists(_ role: String, on connection: PostgreSQLConnection) throws -> Bool {
        try connection.run("SELECT 1 FROM pg_roles WHERE rolname = $1", [.text(role)]).rowCount > 0
    }

    private static func login(_ login: Login, on connection: PostgreSQLConnection) throws {
        let name = PostgreSQLRoles.quoted(login.role)
        var text =
            try exists(login.role, on: connection) ? "ALTER ROLE \(name)" : "CREATE ROLE \(name)"
        // Everything else is off unless it is asked for, and only a superuser may say so.
        text += " LOGIN"
        if let password = login.password {
            // A verifier: neither the password nor anything to log in with gets into the server's log.
            text += " PASSWORD '\(try connection.verifier(of: password.reveal(), for: login.role))'"
        }
        _ = try connection.run(text)
    }
}
