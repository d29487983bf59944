import TandemCore

/// Row-level security and rights of all tables (https://www.postgresql.org/docs/15/ddl-rowsecurity.html).
///
/// Every table with a column `user_id`, and `users` by its `id`, gets row-level security, forced also for its owner:
/// - `tandem_user`: the rows of the person whose transaction it is (`tandem.user`, set for one transaction);
/// - `tandem_system`, on tables of the host and of the storage only: all rows while the program works for itself
///   (`tandem.scope` is `system`), such as the outbox and the queues do;
/// - `tandem_maintenance`, for the owner alone: all rows while it copies a database (`tandem.scope` is `maintenance`).
///
/// Without a scope nobody sees a row. The people's declared tables have no `tandem_system`.
enum PostgreSQLPolicies {
    private static let person = "NULLIF(current_setting('tandem.user', true), '')::bigint"
    private static let isSystem = "current_setting('tandem.scope', true) = 'system'"
    private static let isMaintenance = "current_setting('tandem.scope', true) = 'maintenance'"

    /// Storage tables in which the storage itself works for nobody in particular.
    private static let storageWithSystem: Set<String> = ["row_journal", "row_turns", "user_keys"]

    private static let narrowRights = [
        "tandem_migrations": "SELECT", "tandem_tables": "SELECT", AuditSchema.entries: "SELECT, INSERT",
        AuditSchema.heads: "SELECT, INSERT, UPDATE",
    ]

    private struct Table {
        var name: String
        var owner: String
        /// The column that says whose a row is.
        var userColumn: String?
        var isSecured: Bool
        var policies: Int64
        var isGranted: Bool
    }

    /// Gives each table of the schema what it lacks; within the transaction that made it, as its owner.
    static func apply(on connection: PostgreSQLConnection, _ roles: PostgreSQLRoles) throws {
        guard let owner = roles.owner, let domains = roles.domains else { return }
        let userTables = try names(connection, "SELECT name FROM tandem_tables")
        for table in try tables(connection, roles) {
            let name = PostgreSQLRoles.quoted(table.name)
            let isDomains = table.owner == domains
            if !table.isGranted {
                let rights = narrowRights[table.name] ?? "SELECT, INSERT, UPDATE, DELETE"
                try connection.queue("GRANT \(rights) ON \(name) TO \(PostgreSQLRoles.quoted(roles.rows))")
                if isDomains {
                    try connection.queue("GRANT \(rights) ON \(name) TO \(PostgreSQLRoles.quoted(roles.runtime))")
                }
            }
            guard let column = table.userColumn else { continue }
            if !table.isSecured {
                try connection.queue("ALTER TABLE \(name) ENABLE ROW LEVEL SECURITY")
                try connection.queue("ALTER TABLE \(name) FORCE ROW LEVEL SECURITY")
            }
            guard table.policies == 0 else { continue }
            let isTheirs = "\(column) = \(person)"
            try connection.queue("CREATE POLICY tandem_user ON \(name) USING (\(isTheirs)) WITH CHECK (\(isTheirs))")
            if isDomains || (storageWithSystem.contains(table.name) && !userTables.contains(table.name)) {
                try connection.queue(
                    "CREATE POLICY tandem_system ON \(name) USING (\(isSystem)) WITH CHECK (\(isSystem))")
            }
            try connection.queue(
                "CREATE POLICY tandem_maintenance ON \(name) TO \(PostgreSQLRoles.quoted(owner))"
                    + " USING (\(isMaintenance)) WITH CHECK (\(isMaintenance))")
        }
        // Takes in the answers, too.
        try PostgreSQLCatalogue.check(connection, roles)
    }

    private static func names(_ connection: PostgreSQLConnection, _ text: String) throws -> Set<String> {
        var names: Set<String> = []
        for case .text(let name) in try connection.run(text).values { names.insert(name) }
        return names
    }

    private static func text(_ value: SQLValue) -> String? {
        if case .text(let text) = value { text } else { nil }
    }

    private static func tables(_ connection: PostgreSQLConnection, _ roles: PostgreSQLRoles) throws -> [Table] {
        let answer = try connection.run(
            """
            SELECT c.relname::text, pg_get_userbyid(c.relowner)::text,
            (SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
            AND a.attname = CASE c.relname WHEN 'users' THEN 'id' ELSE 'user_id' END),
            c.relrowsecurity AND c.relforcerowsecurity,
            (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid),
            has_table_privilege($1, c.oid, 'SELECT')
            FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
            ORDER BY c.relname
            """, [.text(roles.rows)])
        var tables: [Table] = []
        for row in 0..<answer.rowCount {
            let base = row * answer.columnCount
            guard case .text(let name) = answer.values[base], case .text(let owner) = answer.values[base + 1],
                case .int(let policies) = answer.values[base + 4]
            else { continue }
            tables.append(
                Table(
                    name: name, owner: owner, userColumn: PostgreSQLPolicies.text(answer.values[base + 2]),
                    isSecured: answer.values[base + 3] == .int(1), policies: policies,
                    isGranted: answer.values[base + 5] == .int(1)))
        }
        return tables
    }
}
