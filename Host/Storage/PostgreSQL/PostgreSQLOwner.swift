/// What only the owner of the tables may do, on a connection of its own each time.
struct PostgreSQLOwner: TableDefiner {
    let configuration: PostgreSQLConfiguration
    /// The role that serves.
    let runtime: String

    /// Runs `body` on the owner's connection, alone among all replicas.
    func run<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (PostgreSQLConnection, PostgreSQLRoles) throws -> T
    ) async throws -> T {
        guard let address = configuration.owner else {
            throw StorageError(
                .configuration, "only the owner of the tables can do this: set DATABASE_OWNER_URL",
                operation: operation)
        }
        let runtime = runtime
        return try await PostgreSQLDatabase.onThread("tandem-migrate") {
            let connection = try PostgreSQLSession.owner(address)
            defer { connection.close() }
            let roles = PostgreSQLRoles(runtime: runtime, owner: connection.user)
            return try PostgreSQLMigrator.locked(connection) { try body(connection, roles) }
        }
    }

    func define<T: Sendable>(
        _ store: RowStore, _ body: @escaping @Sendable (any WriteTransaction) throws -> T
    ) async throws -> T {
        try await run("register tables") { connection, roles in
            let transaction = PostgreSQLTransaction(
                connection: connection, kind: .definition, scope: .system, store: store, roles: roles)
            do {
                let value = try body(transaction)
                transaction.end()
                try PostgreSQLPolicies.apply(on: connection, roles)
                try transaction.commit()
                return value
            } catch {
                transaction.end()
                transaction.rollBack()
                throw error
            }
        }
    }
}
