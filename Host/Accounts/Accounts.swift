import Synchronization
public import TandemCore
public import TandemStorage

/// The people: accounts, phone numbers, settings.
///
/// Safe from any thread. What is asked for on every message is answered from memory: it is at most two seconds old where
/// another process changed it, and never old where this one did.
public final class Accounts: Sendable {
    public let database: any Database
    let profiles = ProfileCache()
    let phones = PhoneCache()

    /// `prepare` comes before anything else.
    public init(database: any Database) { self.database = database }

    /// Registers the people's tables; the migrations must have run.
    public func prepare() async throws { try await database.register(Accounts.tables, owner: Accounts.owner) }

    // MARK: Accounts

    /// Makes an account.
    ///
    /// Throws `AccountsError` with code `invalid_email`, `email_taken` or `invalid_name`.
    @discardableResult
    public func createUser(email: String, fullName: String, role: Account.Role = .user) async throws -> Account {
        let (address, key) = try EmailAddress.read(email)
        let name = try Accounts.name(fullName)
        return try await database.write(.system) { transaction in
            if try transaction.first("SELECT id FROM users WHERE email_key = \(key)") != nil {
                throw AccountsError(.emailTaken, "There is an account with that e-mail address already.")
            }
            let account = Account(
                id: UserID(rawValue: transaction.nextID().rawValue), email: address, fullName: name, role: role,
                status: .active, createdAt: transaction.now)
            try transaction.execute(
                """
                INSERT INTO users (id, email, email_key, full_name, role, status, created_at, updated_at)
                VALUES (\(account.id), \(address), \(key), \(name), \(role.rawValue), \(account.status.rawValue),
                \(account.createdAt), \(account.createdAt))
                """)
            return account
        }
    }

    static func name(_ text: String) throws -> String {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !words.isEmpty, words.utf8.count <= 200, !words.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
            throw AccountsError(.invalidName, "A name has 1 to 200 letters.")
        }
        return words
    }

    /// The account with an address, in whatever case; nil when there is none.
    public func user(email: String) async throws -> Account? {
        guard let key = try? EmailAddress.read(email).key else { return nil }
        return try await database.read(.system) { transaction in
            try transaction.first("\(Accounts.selection) WHERE email_key = \(key)").map(Accounts.account)
        }
    }

    public func user(_ id: UserID) async throws -> Account? {
        try await database.read(.system) { transaction in
            try transaction.first("\(Accounts.selection) WHERE id = \(id)").map(Accounts.account)
        }
    }

    /// All accounts, oldest first.
    public func users() async throws -> [Account] {
        try await database.read(.system) { transaction in
            try transaction.query("\(Accounts.selection) ORDER BY id").map(Accounts.account)
        }
    }

    /// Serves or stops serving an account. Takes effect at once here, within two seconds in other processes.
    public func setStatus(_ status: Account.Status, of user: UserID) async throws {
        let phones = phones
        try await database.write(.system) { transaction in
            let changed = try transaction.execute(
                "UPDATE users SET status = \(status.rawValue), updated_at = \(transaction.now) WHERE id = \(user)")
            guard changed == 1 else { throw AccountsError(.unknownUser, "There is no such account.") }
            transaction.afterCommit { phones.invalidate() }
        }
    }

    /// Removes a person with all of their rows, and destroys their keys.
    public func delete(_ scope: UserScope) async throws {
        let phones = phones
        try await database.write(scope) { transaction in
            try transaction.eraseUser()
            try transaction.execute("DELETE FROM users WHERE id = \(scope.user)")
            transaction.afterCommit { phones.invalidate() }
        }
    }

    private static let selection: SQL = "SELECT id, email, full_name, role, status, created_at FROM users"

    private static func account(_ row: SQLRow) throws -> Account {
        Account(
            id: try row.userID("id"), email: try row.text("email"), fullName: try row.text("full_name"),
            role: Account.Role(rawValue: try row.text("role")) ?? .user,
            status: Account.Status(rawValue: try row.text("status")) ?? .disabled,
            createdAt: try row.timestamp("created_at"))
    }
}
