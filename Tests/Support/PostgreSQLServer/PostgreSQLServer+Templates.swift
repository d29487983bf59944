import CPostgreSQL
import ChildProcess
import Synchronization
public import TandemStorage

extension PostgreSQLServer {
    /// A new database that is as `prepare` left another one, but without keys: each has its own.
    ///
    /// - Parameter key: What `prepare` does; it is called for the first of a key.
    public func database(
        template key: String, prepare: @escaping @Sendable (PostgreSQLConfiguration) async throws -> Void
    ) async throws -> PostgreSQLConfiguration {
        let task = templates.withLock { templates in
            if let task = templates[key] { return task }
            let task = Task.detached { try await self.template(prepare) }
            templates[key] = task
            return task
        }
        let template = try await task.value
        let name = nextName()
        try await administer(["CREATE DATABASE \(name) TEMPLATE \(template) OWNER tandem_owner"])
        return try configuration(name, connections: 3)
    }

    private func template(
        _ prepare: @Sendable (PostgreSQLConfiguration) async throws -> Void
    ) async throws -> String {
        let configuration = try await database()
        try await prepare(configuration)
        let name = configuration.address.database
        // The first who opens a database makes its keys; what was sealed by others goes, past the triggers.
        let tables = ["master_keys", "user_keys", "audit_entries", "audit_heads"]
        try await administer(
            ["SET session_replication_role = replica"] + tables.map { "DELETE FROM \($0)" }, database: name)
        return name
    }

    /// Runs statements one after the other on a connection of their own; gives the last one's rows.
    ///
    /// - Parameter user: A superuser by default.
    @discardableResult
    public func administer(
        _ statements: [String], as user: String = "postgres", database: String = "postgres"
    ) async throws -> [[String?]] {
        let address = address(user: user, database: database)
        return try await offPool { try PostgreSQLServer.run(statements, address) }
    }

    private static func run(_ statements: [String], _ address: String) throws(Failure) -> [[String?]] {
        let connection = PQconnectdb(address)
        defer { PQfinish(connection) }
        guard PQstatus(connection) == CONNECTION_OK else {
            throw Failure(description: PQerrorMessage(connection).map { String(cString: $0) } ?? "no connection")
        }
        var rows: [[String?]] = []
        for statement in statements {
            let result = PQexec(connection, statement)
            defer { PQclear(result) }
            let status = PQresultStatus(result)
            guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else {
                throw Failure(
                    description: "\(statement): " + (PQerrorMessage(connection).map { String(cString: $0) } ?? ""))
            }
            rows = (0..<PQntuples(result)).map { row in
                (0..<PQnfields(result)).map { column in
                    PQgetisnull(result, row, column) != 0
                        ? nil : PQgetvalue(result, row, column).map { String(cString: $0) }
                }
            }
        }
        return rows
    }
}
