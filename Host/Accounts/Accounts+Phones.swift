public import TandemCore
import TandemJSON
public import TandemStorage

extension Accounts {
    /// The purpose of the keyed hash under which a number is found.
    private static let hashPurpose = "phone"

    private func hash(_ number: PhoneNumber) throws -> [UInt8] {
        try database.store.keyring.lookupHash(number.e164, purpose: Accounts.hashPurpose)
    }

    // MARK: Numbers of a person

    /// Adds a number to a person, or verifies one that they have.
    ///
    /// The first becomes the primary one. Only a verified number identifies; it is one account's at a time. Throws
    /// `invalid_phone` or `phone_taken`.
    @discardableResult
    public func attachPhone(
        _ text: String, to scope: UserScope, verified: Bool, label: String? = nil, origin: WriteOrigin? = nil
    ) async throws -> AccountPhone {
        let number = try PhoneNumber(validating: text)
        let hash = try hash(number)
        let phones = phones
        return try await database.write(scope) { transaction in
            if verified,
                let row = try transaction.first("SELECT user_id FROM phone_index WHERE phone_hash = \(hash)"),
                try row.userID("user_id") != scope.user
            {
                throw AccountsError(.phoneTaken, "That number belongs to another account.")
            }
            let known = try transaction.list(
                "user_phone_numbers", where: [RowCondition("phone_number", .equal, .string(number.e164))]
            ).first
            let isOptedOut = try Accounts.isOptedOut(hash, in: transaction)
            let id: RecordID
            if let known {
                id = known.id
                if verified, known["verified_at"].isNull {
                    try transaction.update(
                        "user_phone_numbers", id, set: ["verified_at": .timestamp(transaction.now)], origin: origin)
                }
            } else {
                let isFirst = try transaction.count("user_phone_numbers") == 0
                id = try transaction.insert(
                    "user_phone_numbers",
                    [
                        "phone_number": .string(number.e164), "label": label.map { .string($0) } ?? .null,
                        "is_primary": .bool(isFirst),
                        "verified_at": verified ? .timestamp(transaction.now) : .null,
                        "opt_out_state": .string(isOptedOut ? "out" : "in"),
                    ], origin: origin)
            }
            if verified {
                try transaction.execute(
                    """
                    INSERT INTO phone_index (phone_hash, user_id, phone_id) VALUES (\(hash), \(scope.user), \(id))
                    ON CONFLICT (phone_hash) DO NOTHING
                    """)
                transaction.afterCommit { phones.invalidate() }
            }
            guard let row = try transaction.row("user_phone_numbers", id), let phone = Accounts.phone(row, isOptedOut)
            else { throw AccountsError(.unknownPhone, "That number is not yours.") }
            return phone
        }
    }

    /// Takes a number from a person; another verified one becomes primary if it was.
    public func detachPhone(_ text: String, from scope: UserScope) async throws {
        let number = try PhoneNumber(validating: text)
        let hash = try hash(number)
        let phones = phones
        try await database.write(scope) { transaction in
            let rows = try transaction.list("user_phone_numbers", order: [RowOrder("id")])
            guard let row = rows.first(where: { $0.string("phone_number") == number.e164 }) else {
                throw AccountsError(.unknownPhone, "That number is not yours.")
            }
            try transaction.delete("user_phone_numbers", row.id)
            try transaction.execute(
                "DELETE FROM phone_index WHERE phone_hash = \(hash) AND user_id = \(scope.user)")
            if row.bool("is_primary") == true {
                let rest = rows.filter { $0.id != row.id }
                if let next = rest.first(where: { !$0["verified_at"].isNull }) ?? rest.first {
                    try transaction.update("user_phone_numbers", next.id, set: ["is_primary": true])
                }
            }
            transaction.afterCommit { phones.invalidate() }
        }
    }

    /// A person's numbers, the primary one first.
    public func phones(of scope: UserScope) async throws -> [AccountPhone] {
        try await database.read(scope) { [self] transaction in
            let rows = try transaction.list(
                "user_phone_numbers", order: [RowOrder("is_primary", descending: true), RowOrder("id")])
            return try rows.compactMap { row in
                guard let number = row.string("phone_number").flatMap({ PhoneNumber($0) }) else { return nil }
                return Accounts.phone(row, try Accounts.isOptedOut(try hash(number), in: transaction))
            }
        }
    }

    private static func phone(_ row: UserRow, _ isOptedOut: Bool) -> AccountPhone? {
        guard let number = row.string("phone_number").flatMap({ PhoneNumber($0) }) else { return nil }
        return AccountPhone(
            id: row.id, number: number, verifiedAt: row.timestamp("verified_at"),
            isPrimary: row.bool("is_primary") ?? false, isOptedOut: isOptedOut)
    }

    // MARK: Identification

    /// Whose a number is: the scope of the active account that verified it; nil for anybody else.
    ///
    /// By keyed hash; from memory when it was asked for shortly before. A text that is no number is nobody's.
    public func identify(phone text: some StringProtocol & Sendable) async throws -> UserScope? {
        guard let number = PhoneNumber(text) else { return nil }
        let hash = try hash(number)
        let (cached, generation) = phones.find(hash)
        if let cached { return cached.map(UserScope.init(authenticated:)) }
        let user = try await database.read(.system) { transaction in
            try transaction.first(
                """
                SELECT p.user_id FROM phone_index p JOIN users u ON u.id = p.user_id
                WHERE p.phone_hash = \(hash) AND u.status = 'active'
                """
            ).map { try $0.userID("user_id") }
        }
        phones.remember(hash, user, generation: generation)
        return user.map(UserScope.init(authenticated:))
    }

    /// Notes how a person was recognised; in the transaction that stores their message.
    public func logIdentification(
        channel: String, method: String, outcome: String, externalID: String?, in transaction: any WriteTransaction
    ) throws {
        try transaction.insert(
            "user_identification_logs",
            [
                "channel": .string(channel), "method": .string(method), "outcome": .string(outcome),
                "external_id": externalID.map { .string($0) } ?? .null,
            ])
    }

    // MARK: Opt-out

    /// Whether a number asked not to be sent to.
    public func isOptedOut(_ number: PhoneNumber, in transaction: any ReadTransaction) throws -> Bool {
        try Accounts.isOptedOut(try hash(number), in: transaction)
    }

    private static func isOptedOut(_ hash: [UInt8], in transaction: any ReadTransaction) throws -> Bool {
        try transaction.first("SELECT is_opted_out FROM phone_opt_outs WHERE phone_hash = \(hash)")?
            .bool("is_opted_out") ?? false
    }

    /// Notes that a number (anybody's) opted out or in again, in any scope.
    ///
    /// In the owner's scope their list of numbers shows it, too.
    public func setOptOut(_ number: PhoneNumber, _ isOptedOut: Bool, in transaction: any WriteTransaction) throws {
        let hash = try hash(number)
        let now = transaction.now
        try transaction.execute(
            """
            INSERT INTO phone_opt_outs (phone_hash, is_opted_out, updated_at) VALUES (\(hash), \(isOptedOut), \(now))
            ON CONFLICT (phone_hash) DO UPDATE SET is_opted_out = excluded.is_opted_out, updated_at = excluded.updated_at
            """)
        guard case .user = transaction.scope else { return }
        try transaction.update(
            "user_phone_numbers", where: [RowCondition("phone_number", .equal, .string(number.e164))],
            set: ["opt_out_state": .string(isOptedOut ? "out" : "in"), "opt_out_changed_at": .timestamp(now)])
    }
}
