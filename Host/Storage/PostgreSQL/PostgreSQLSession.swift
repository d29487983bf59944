import TandemCore

/// How the storage's connections begin: what the server, the role and the database must be, and the session's limits.
enum PostgreSQLSession {
    /// Supported from 15 on (https://www.postgresql.org/support/versioning/).
    private static let oldestVersion = 150_000

    /// A connection of the role that serves.
    static func runtime(_ configuration: PostgreSQLConfiguration) throws -> PostgreSQLConnection {
        let limit = configuration.statementLimit.milliseconds
        let connection = try PostgreSQLConnection(
            configuration.address, answerLimit: .milliseconds(limit + 5000))
        try checkServer(connection)
        try begin(
            connection,
            [
                ("statement_timeout", "\(limit)"), ("lock_timeout", "\(configuration.lockLimit.milliseconds)"),
                ("idle_in_transaction_session_timeout", "\(configuration.idleLimit.milliseconds)"),
            ])
        try checkRuntimeRole(connection)
        return connection
    }

    /// A connection of the role that owns the tables: what it does may take long.
    static func owner(_ address: PostgreSQLAddress) throws -> PostgreSQLConnection {
        let connection = try PostgreSQLConnection(address, answerLimit: .seconds(3600))
        try checkServer(connection)
        try begin(connection, [("statement_timeout", "0"), ("lock_timeout", "0")])
        return connection
    }

    /// "TNDM": the class of the advisory locks by which processes hold the numbers that make their ids differ.
    private static let nodeLocks: Int64 = 0x544E_444D

    /// A number that no other living process has; held while the connection lives.
    static func takeNode(_ connection: PostgreSQLConnection) throws -> UInt8 {
        for node in (0...UInt8.max).shuffled() where try hold(node, on: connection) { return node }
        throw StorageError(.busy, "256 processes use the database already", operation: "open \(connection.address)")
    }

    /// False: another process has it.
    static func hold(_ node: UInt8, on connection: PostgreSQLConnection) throws -> Bool {
        let answer = try connection.run(
            "SELECT pg_try_advisory_lock($1::bigint::int, $2::bigint::int)", [.int(nodeLocks), .int(Int64(node))])
        return answer.values.first == .int(1)
    }

    private static func begin(_ connection: PostgreSQLConnection, _ settings: [(String, String)]) throws {
        let fixed = [
            ("search_path", PostgreSQLRoles.schema), ("client_min_messages", "error"),
            // Every statement finds its rows by an index and is planned once.
            ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off"),
        ]
        for (name, value) in fixed + settings {
            try connection.queue("SELECT set_config($1, $2, false)", [.text(name), .text(value)])
        }
        _ = try connection.run("SELECT 1")
    }

    private static func checkServer(_ connection: PostgreSQLConnection) throws {
        func refuse(_ text: String) -> StorageError {
            StorageError(.configuration, text, operation: "connect to \(connection.address)")
        }
        guard connection.serverVersion >= oldestVersion else {
            throw refuse("the server is PostgreSQL \(connection.serverVersion / 10_000); 15 or newer is needed")
        }
        guard connection.parameter("server_encoding") == "UTF8" else {
            throw refuse("the database is not in UTF8: create it with ENCODING 'UTF8' TEMPLATE template0")
        }
        guard connection.parameter("integer_datetimes") != "off", connection.parameter("in_hot_standby") != "on" else {
            throw refuse("the server is a standby: name the primary, or add target_session_attrs=read-write")
        }
    }

    /// A role that could reach past row-level security does not serve.
    private static func checkRuntimeRole(_ connection: PostgreSQLConnection) throws {
        let answer = try connection.run(
            """
            SELECT r.rolsuper, r.rolbypassrls,
            EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p', 'v')
            AND pg_has_role(session_user, c.relowner, 'MEMBER')),
            EXISTS (SELECT 1 FROM pg_roles o WHERE (o.rolsuper OR o.rolbypassrls)
            AND pg_has_role(session_user, o.oid, 'MEMBER')),
            EXISTS (SELECT 1 FROM pg_roles o WHERE o.rolname = $2 AND pg_has_role(session_user, o.oid, 'MEMBER')),
            EXISTS (SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu')
            FROM pg_roles r WHERE r.rolname = session_user
            """, [.text(PostgreSQLRoles.schema), .text(PostgreSQLRoles.rows(of: connection.user))])
        let flags = answer.values.map { $0 == .int(1) }
        guard flags.count == 6 else { return }
        let role = connection.user
        func refuse(_ reason: String) -> StorageError {
            StorageError(
                .configuration,
                "\(connection.address.setting): the role \(role) \(reason). The program serves only as a role that"
                    + " row-level security holds: tandem db setup makes one",
                operation: "connect to \(connection.address)")
        }
        if flags[0] { throw refuse("is a superuser") }
        if flags[1] { throw refuse("has BYPASSRLS") }
        if flags[2] { throw refuse("owns tables, or is a member of the role that does") }
        if flags[3] { throw refuse("is a member of a superuser or of a role with BYPASSRLS") }
        if !flags[4] { throw refuse("is no member of \(PostgreSQLRoles.rows(of: role))") }
        if !flags[5] {
            throw StorageError(
                .configuration, "the server lacks the ICU collations: use a build with ICU, as Debian's is",
                operation: "connect to \(connection.address)")
        }
    }
}
