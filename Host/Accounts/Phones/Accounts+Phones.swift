public import TandemCore
import TandemJSON
public import TandemStorage

extension Accounts {
    /// The purpose of the keyed hash under which a number is found.
    private static let hashPurpose = "phone"

    func hash(_ number: PhoneNumber) throws -> [UInt8] {
        try database.store.keyring.lookupHash(number.e164, purpose: Accounts.hashPurpose)
    }

    // MARK: Numbers of a person

    /// Adds a number to a person, or verifies one that they have.
    ///
    /// The first becomes the primary one. Only a verified number identifies; it is one account's at a time: a number that
    /// was another's is only taken over where that account has to prove it anew. Throws `invalid_phone` or `phone_taken`.
    @discardableResult
    public func attachPhone(
        _ text: String, to scope: UserScope, verified: Bool, label: String? = nil, origin: WriteOrigin? = nil
    ) async throws -> AccountPhone {
        let number = try PhoneNumber(validating: text)
        if verified { try await makeRoom(for: scope, number) }
        return try await database.write(scope) { [self] transaction in
            try attach(number, to: scope, verified: verified, label: label, origin: origin, in: transaction)
        }
    }

    /// The part of `attachPhone` that is the person's own.
    private func attach(
        _ number: PhoneNumber, to scope: UserScope, verified: Bool, label: String?, origin: WriteOrigin?,
        in transaction: any WriteTransaction
    ) throws -> AccountPhone {
        let hash = try hash(number)
        let phones = phones
        let known = try transaction.list(
            "user_phone_numbers", where: [RowCondition("phone_number", .equal, .string(number.e164))]
        ).first
        let isOptedOut = try Accounts.isOptedOut(hash, in: transaction)
        let id: RecordID
        if let known {
            id = known.id
            if verified {
                try transaction.update(
                    "user_phone_numbers", id, set: ["verified_at": .timestamp(transaction.now)], origin: origin)
            }
        } else {
            let isFirst = try transaction.count("user_phone_numbers") == 0
            id = try transaction.insert(
                "user_phone_numbers",
                [
                    "phone_number": .string(number.e164), "label": label.map { .string($0) } ?? .null,
                    "is_primary": .bool(isFirst), "verified_at": verified ? .timestamp(transaction.now) : .null,
                    "opt_out_state": .string(isOptedOut ? "out" : "in"),
                ], origin: origin)
        }
        if verified {
            try transaction.execute(
                """
                INSERT INTO phone_index (phone_hash, user_id, phone_id) VALUES (\(hash), \(scope.user), \(id))
                ON CONFLICT (phone_hash) DO NOTHING
                """)
            // Whoever else has proven it meanwhile may be invisible in this scope.
            guard try phoneState(of: hash, in: transaction)?.user == scope.user else { throw Accounts.phoneTaken }
            try seen(hash, of: scope.user, isProof: true, in: transaction)
            try services.audit.record(
                AuditEvent(.phoneVerified, user: scope.user, actor: .person(scope.user), subject: id), in: transaction)
            transaction.afterCommit { phones.invalidate() }
        }
        guard let row = try transaction.row("user_phone_numbers", id),
            let phone = try phone(row, of: scope, in: transaction)
        else { throw AccountsError(.unknownPhone, "That number is not yours.") }
        return phone
    }

    /// Takes a number from a person; another verified one becomes primary if it was.
    public func detachPhone(_ text: String, from scope: UserScope) async throws {
        let number = try PhoneNumber(validating: text)
        let hash = try hash(number)
        let phones = phones
        try await database.write(scope) { [services] transaction in
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
            try services.audit.record(
                AuditEvent(.phoneRemoved, user: scope.user, actor: .person(scope.user), subject: row.id),
                in: transaction)
            transaction.afterCommit { phones.invalidate() }
        }
    }

    /// Makes a verified number the one that gets what the person did not ask for by text. Throws `unknown_phone`.
    public func setPrimaryPhone(_ text: String, of scope: UserScope) async throws {
        let number = try PhoneNumber(validating: text)
        try await database.write(scope) { [self] transaction in
            guard try trustedNumbers(of: scope, in: transaction).contains(number) else {
                throw AccountsError(.unknownPhone, "That number is not proven to be yours.")
            }
            for row in try transaction.list("user_phone_numbers") {
                let isPrimary = row.string("phone_number") == number.e164
                if row.bool("is_primary") != isPrimary {
                    try transaction.update("user_phone_numbers", row.id, set: ["is_primary": .bool(isPrimary)])
                }
            }
        }
    }

    /// A person's numbers, the primary one first.
    public func phones(of scope: UserScope) async throws -> [AccountPhone] {
        try await database.read(scope) { [self] transaction in
            let rows = try transaction.list(
                "user_phone_numbers", order: [RowOrder("is_primary", descending: true), RowOrder("id")])
            return try rows.compactMap { try phone($0, of: scope, in: transaction) }
        }
    }

    /// The numbers that identify the person and may get texts for them, the primary one first.
    func trustedNumbers(of scope: UserScope, in transaction: any ReadTransaction) throws -> [PhoneNumber] {
        let rows = try transaction.list(
            "user_phone_numbers", order: [RowOrder("is_primary", descending: true), RowOrder("id")])
        return try rows.compactMap { row in
            let phone = try phone(row, of: scope, in: transaction)
            return phone?.verifiedAt != nil && phone?.suspension == nil ? phone?.number : nil
        }
    }

    /// The index decides whose a number is: the row is the person's own note of it.
    private func phone(
        _ row: UserRow, of scope: UserScope, in transaction: any ReadTransaction
    ) throws -> AccountPhone? {
        guard let number = row.string("phone_number").flatMap({ PhoneNumber($0) }) else { return nil }
        let hash = try hash(number)
        let state = try phoneState(of: hash, in: transaction)
        let isTheirs = state?.user == scope.user
        return AccountPhone(
            id: row.id, number: number, verifiedAt: isTheirs ? row.timestamp("verified_at") : nil,
            isPrimary: row.bool("is_primary") ?? false, isOptedOut: try Accounts.isOptedOut(hash, in: transaction),
            suspension: isTheirs ? state?.suspension : nil)
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
