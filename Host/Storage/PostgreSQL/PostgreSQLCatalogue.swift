import TandemCore

/// What the server's catalogue says of row-level security.
enum PostgreSQLCatalogue {
    /// The tables with a column `user_id`, and `users`.
    ///
    /// Throws `configuration` with the name of the first one that the database does not keep apart by person: row-level
    /// security off or not forced, no policy of ours, or one that is none of ours.
    @discardableResult
    static func check(_ connection: PostgreSQLConnection, _ roles: PostgreSQLRoles) throws -> Set<String> {
        let answer = try connection.run(
            """
            SELECT c.relname::text, c.relrowsecurity, c.relforcerowsecurity, c.relkind::text,
            (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tandem_user'
            AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL),
            (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid
            AND p.polname NOT IN ('tandem_user', 'tandem_system', 'tandem_maintenance')),
            (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tandem_system'),
            EXISTS (SELECT 1 FROM tandem_tables t WHERE t.name = c.relname)
            FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND (c.relname = 'users' OR EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid
            AND a.attname = 'user_id' AND NOT a.attisdropped)) ORDER BY c.relname
            """, [.text(PostgreSQLRoles.schema)])
        var names: Set<String> = []
        for row in 0..<answer.rowCount {
            let values = Array(answer.values[(row * 8)..<(row * 8 + 8)])
            guard case .text(let name) = values[0] else { continue }
            func refuse(_ reason: String) -> StorageError {
                StorageError(
                    .configuration, "the table \(name) \(reason): the database would not keep people apart", table: name
                )
            }
            guard values[3] == .text("r") || values[3] == .text("p") else { throw refuse("is a view") }
            guard values[1] == .int(1) else { throw refuse("has no row-level security") }
            guard values[2] == .int(1) else { throw refuse("does not force row-level security on its owner") }
            guard values[4] == .int(1) else { throw refuse("has no policy tandem_user") }
            guard values[5] == .int(0) else { throw refuse("has a policy that is not the program's") }
            guard values[6] == .int(0) || values[7] == .int(0) else {
                throw refuse("lets the system see people's rows")
            }
            names.insert(name)
        }
        return names
    }
}
