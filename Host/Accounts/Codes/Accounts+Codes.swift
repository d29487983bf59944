import TandemCore
import TandemStorage

/// Single-use codes (six digits, typed) and links (256 random bits, opened). Only hashes of them are kept.
extension Accounts {
    static let codeDigits = 6
    /// Wrong tries that a code survives, less one.
    private static let codeAttempts = 5

    // MARK: Codes

    /// Makes a code for one purpose and target of a person; an earlier one for the same is good no more.
    ///
    /// - Parameter target: What it proves: an address or a number, in its one form.
    /// - Parameter detail: Given back when the code is used; sealed at rest.
    func issueCode(
        _ purpose: CodePurpose, target: String, for scope: UserScope, detail: String = "",
        in transaction: any WriteTransaction
    ) throws -> String {
        let code = SecureRandom.digits(Accounts.codeDigits)
        let targetHash = try keyedHash(target, "code.target")
        try transaction.execute(
            """
            DELETE FROM one_time_codes
            WHERE user_id = \(scope.user) AND purpose = \(purpose.rawValue) AND target_hash = \(targetHash)
            """)
        try insertCode(
            purpose, target: targetHash, hash: try codeHash(code, purpose, target, scope.user), for: scope.user,
            detail: detail, lifetime: settings.codeLifetime, in: transaction)
        return code
    }

    /// Uses a code up; nil when it is wrong or over. A wrong try counts, so the transaction must not be undone for it.
    func redeemCode(
        _ text: String, _ purpose: CodePurpose, target: String, of scope: UserScope,
        in transaction: any WriteTransaction
    ) throws -> String? {
        let code = String(decoding: text.utf8.filter { $0 != 32 && $0 != 45 }, as: UTF8.self)
        let targetHash = try keyedHash(target, "code.target")
        let row = try transaction.first(
            """
            SELECT id, code_hash, detail, attempts_left FROM one_time_codes
            WHERE user_id = \(scope.user) AND purpose = \(purpose.rawValue) AND target_hash = \(targetHash)
            AND expires_at > \(transaction.now) AND attempts_left > 0
            """)
        guard let row else { return nil }
        let id = try row.recordID("id")
        let isRight = Sodium.isEqual(
            try row.blob("code_hash"), try codeHash(code, purpose, target, scope.user))
        guard isRight else {
            try transaction.execute("UPDATE one_time_codes SET attempts_left = attempts_left - 1 WHERE id = \(id)")
            return nil
        }
        let used = try transaction.execute("DELETE FROM one_time_codes WHERE id = \(id) AND attempts_left > 0")
        guard used == 1 else { return nil }
        return try openDetail(row, id, of: scope.user, in: transaction)
    }

    private func codeHash(_ code: String, _ purpose: CodePurpose, _ target: String, _ user: UserID) throws -> [UInt8] {
        try keyedHash("\(user)\u{0}\(purpose.rawValue)\u{0}\(target)\u{0}\(code)", "code")
    }

    // MARK: Links

    /// Makes a link's token for a person; earlier ones for the same purpose are good no more.
    func issueLink(
        _ purpose: CodePurpose, for user: UserID, detail: String = "", token: String = SecureRandom.token(),
        lifetime: Duration, in transaction: any WriteTransaction
    ) throws -> String {
        try transaction.execute(
            "DELETE FROM one_time_codes WHERE user_id = \(user) AND purpose = \(purpose.rawValue)")
        try insertCode(
            purpose, target: [], hash: Digest.ofToken(token), for: user, detail: detail, lifetime: lifetime,
            in: transaction)
        return token
    }

    /// Whose a link is. Throws `invalid_code` or `too_many_attempts`.
    func linkOwner(_ token: Secret, _ purpose: CodePurpose, from source: ClientSource) async throws -> UserID {
        let hash = Digest.ofToken(token.reveal())
        let key = ThrottleKey(throttle: .linksFromSource, source: try throttleSource(source))
        return try await database.write(.system) { transaction -> Verdict<UserID> in
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            guard
                let row = try transaction.first(
                    """
                    SELECT c.user_id FROM one_time_codes c JOIN users u ON u.id = c.user_id
                    WHERE c.code_hash = \(hash) AND c.purpose = \(purpose.rawValue)
                    AND c.expires_at > \(transaction.now) AND u.status = 'active'
                    """)
            else { return .refuse(.invalidCode) }
            try transaction.takeBack([key])
            return .pass(try row.userID("user_id"))
        }.get()
    }

    /// Uses a link up and gives its detail; nil when it is wrong or over.
    func redeemLink(
        _ token: Secret, _ purpose: CodePurpose, of scope: UserScope, in transaction: any WriteTransaction
    ) throws -> String? {
        let hash = Digest.ofToken(token.reveal())
        let row = try transaction.first(
            """
            SELECT id, detail FROM one_time_codes WHERE code_hash = \(hash) AND purpose = \(purpose.rawValue)
            AND user_id = \(scope.user) AND expires_at > \(transaction.now)
            """)
        guard let row else { return nil }
        let id = try row.recordID("id")
        let detail = try openDetail(row, id, of: scope.user, in: transaction)
        guard try transaction.execute("DELETE FROM one_time_codes WHERE id = \(id)") == 1 else { return nil }
        return detail
    }

    // MARK: Rows

    private func insertCode(
        _ purpose: CodePurpose, target: [UInt8], hash: [UInt8], for user: UserID, detail: String, lifetime: Duration,
        in transaction: any WriteTransaction
    ) throws {
        let id = transaction.nextID()
        let sealed =
            detail.isEmpty
            ? nil : try transaction.seal(Array(detail.utf8), Accounts.seal("one_time_codes", "detail", id), for: user)
        try transaction.execute(
            """
            INSERT INTO one_time_codes (id, user_id, purpose, target_hash, code_hash, detail, attempts_left, expires_at,
            created_at)
            VALUES (\(id), \(user), \(purpose.rawValue), \(target), \(hash), \(sealed), \(Accounts.codeAttempts),
            \(transaction.now.advanced(by: lifetime)), \(transaction.now))
            """)
    }

    private func openDetail(
        _ row: SQLRow, _ id: RecordID, of user: UserID, in transaction: any ReadTransaction
    ) throws -> String {
        guard let sealed = try row.blobIfPresent("detail") else { return "" }
        let bytes = try transaction.open(sealed, Accounts.seal("one_time_codes", "detail", id), for: user)
        return String(decoding: bytes, as: UTF8.self)
    }
}
