import TandemCore
import TandemStorage

/// A person's tokens at one service, as stored and opened.
struct TokenRow: Sendable {
    enum State: String, Sendable {
        case connected
        case needsReauth = "needs_reauth"
    }

    /// What is to be told to whoever listens.
    enum Pending: String, Sendable { case lost, connected }

    /// New with every time that the person agreed.
    var id: RecordID
    var provider: String
    var state: State
    var access: Secret?
    var refresh: Secret?
    var scopes: [String]
    var version: Int64
    var fence: Int64
    var obtainedAt: Timestamp
    var expiresAt: Timestamp?
    var refreshAt: Timestamp?
    var usedAt: Timestamp?
    var failures: Int
    var retryAt: Timestamp?
    var reason: String?
    var pending: Pending?

    static let table = "oauth_tokens"

    /// What a value of the row is bound to.
    static func seal(_ column: String, _ id: RecordID) -> SealContext {
        SealContext(table: table, column: column, row: id.rawValue)
    }

    /// The row of the scope's person.
    static func find(_ provider: String, in transaction: any ReadTransaction) throws -> TokenRow? {
        guard case .user(let scope) = transaction.scope else {
            throw StorageError(.scopeRequired, "tokens need their person's scope", table: table)
        }
        return try find(provider, of: scope.user, in: transaction)
    }

    /// The row of a person, also in the system's scope.
    static func find(_ provider: String, of user: UserID, in transaction: any ReadTransaction) throws -> TokenRow? {
        guard
            let row = try transaction.first(
                """
                SELECT id, state, access_token, refresh_token, scopes, version, fence, obtained_at, expires_at,
                refresh_at, used_at, failures, retry_at, reason, pending
                FROM oauth_tokens WHERE user_id = \(user) AND provider = \(provider)
                """)
        else { return nil }
        let id = try row.recordID("id")
        let open = { (column: String) throws -> Secret? in
            try row.blobIfPresent(column).map { sealed in
                Secret(String(decoding: try transaction.open(sealed, seal(column, id), for: user), as: UTF8.self))
            }
        }
        return TokenRow(
            id: id, provider: provider, state: State(rawValue: try row.text("state")) ?? .needsReauth,
            access: try open("access_token"), refresh: try open("refresh_token"),
            scopes: try row.text("scopes").split(separator: " ").map(String.init), version: try row.int64("version"),
            fence: try row.int64("fence"), obtainedAt: try row.timestamp("obtained_at"),
            expiresAt: try row.timestampIfPresent("expires_at"), refreshAt: try row.timestampIfPresent("refresh_at"),
            usedAt: try row.timestampIfPresent("used_at"), failures: try row.int("failures"),
            retryAt: try row.timestampIfPresent("retry_at"), reason: try row.textIfPresent("reason"),
            pending: try row.textIfPresent("pending").flatMap(Pending.init))
    }

    /// The next thing that happened to that row was that the service refused its refresh token.
    func isLoss(of other: TokenRow) -> Bool {
        id == other.id && state == .needsReauth && version == other.version + 1 && reason == "invalid_grant"
    }

    /// The same account's later pair, or another connection.
    func isNewer(than other: TokenRow) -> Bool { id != other.id || version > other.version }
}
