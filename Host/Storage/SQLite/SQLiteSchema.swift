/// Questions to a file about what it holds.
enum SQLiteSchema {
    /// "TNDM": marks a file as this program's (https://www.sqlite.org/pragma.html#pragma_application_id).
    static let applicationID: Int64 = 0x544E_444D

    static func integer(_ connection: SQLiteConnection, _ text: String) throws -> Int64 {
        guard case .int(let value)? = try connection.once(text).values.first else { return 0 }
        return value
    }

    static func tables(_ connection: SQLiteConnection) throws -> Set<String> {
        var names: Set<String> = []
        let answer = try connection.once(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
        for case .text(let name) in answer.values { names.insert(name) }
        return names
    }

    /// The tables of domains: all but the people's and the storage's own.
    static func systemTables(_ connection: SQLiteConnection) throws -> Set<String> {
        let all = try tables(connection)
        guard all.contains("tandem_tables") else { return all.subtracting(StorageMigrations.tables) }
        var userTables: Set<String> = []
        for case .text(let name) in try connection.once("SELECT name FROM tandem_tables").values {
            userTables.insert(name)
        }
        return all.subtracting(userTables).subtracting(StorageMigrations.tables)
    }
}
