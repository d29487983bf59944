public import TandemCore
import TandemStorage

/// Which accounts are meant; what is nil does not matter.
public struct AccountFilter: Sendable, Hashable {
    public var role: Account.Role?
    public var status: Account.Status?
    /// In whatever case.
    public var email: String?

    public init() {}
}

/// How much of the accounts is in use: counts only.
public struct AccountUsage: Sendable, Hashable {
    public var accountsByRole: [Account.Role: Int]
    public var openSessions: Int
    public var verifiedNumbers: Int
}

extension Accounts {
    /// Accounts before one in the order of their making, newest first.
    public func users(_ filter: AccountFilter, before: UserID? = nil, limit: Int) async throws -> [Account] {
        var condition: SQL = "id < \(before ?? UserID(rawValue: .max))"
        if let role = filter.role { condition = "\(condition) AND role = \(role.rawValue)" }
        if let status = filter.status { condition = "\(condition) AND status = \(status.rawValue)" }
        if let email = filter.email {
            guard let key = try? EmailAddress.read(email).key else { return [] }
            condition = "\(condition) AND email_key = \(key)"
        }
        let statement: SQL = "\(Accounts.selection) WHERE \(condition) ORDER BY id DESC LIMIT \(limit)"
        return try await database.read(.system) { transaction in
            try transaction.query(statement).map(Accounts.account)
        }
    }

    public func usage() async throws -> AccountUsage {
        let now = database.store.clock.now
        return try await database.read(.system) { transaction in
            var usage = AccountUsage(accountsByRole: [:], openSessions: 0, verifiedNumbers: 0)
            for row in try transaction.query("SELECT role, count(*) AS n FROM users GROUP BY role") {
                usage.accountsByRole[Accounts.role(try row.text("role")), default: 0] += try row.int("n")
            }
            usage.openSessions =
                try transaction.first(
                    "SELECT count(*) AS n FROM account_sessions WHERE ended_at IS NULL AND expires_at > \(now)")?.int(
                    "n")
                ?? 0
            usage.verifiedNumbers = try transaction.first("SELECT count(*) AS n FROM phone_index")?.int("n") ?? 0
            return usage
        }
    }
}
