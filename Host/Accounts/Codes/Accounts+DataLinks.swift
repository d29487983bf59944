public import TandemCore
import TandemStorage

/// Links that a person asks for by text, to take everything along or to erase it.
///
/// Such a link opens nothing by itself: whoever comes with it signs in as the person it was made for, with all that this
/// needs, and it works once. So a borrowed or faked number gives nothing, and neither does a link that was passed on.
extension Accounts {
    /// The path of the pages, before the link's token.
    public static let dataPath = "/data/"

    /// Makes the link; an earlier one for the same is good no more.
    ///
    /// Throws `too_many_attempts`, or `password_needed` for an account that nobody could sign in to.
    public func makeDataLink(for request: DataRequest, of scope: UserScope) async throws -> DataLink {
        guard try await hasPassword(scope) else {
            throw AccountsError(
                .passwordNeeded,
                services.mailer == nil
                    ? "For that you sign in, and you have no password yet. Ask whoever runs this assistant to set one."
                    : "For that you sign in, and you have no password yet. Set one with \"Forgot password\", then ask me"
                        + " again.")
        }
        let key = try accountKey(.dataLinks, scope.user)
        return try await database.write(scope) { [self] transaction -> Verdict<DataLink> in
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            // Short enough for a text: 128 bits, tried with a person's own sign-in only.
            let token = try issueLink(
                request.purpose, for: scope.user, token: SecureRandom.token(bytes: 16),
                lifetime: settings.linkLifetime, in: transaction)
            try services.audit.record(
                AuditEvent(
                    .dataRequested, user: scope.user, actor: .person(scope.user),
                    detail: ["what": request.rawValue]), in: transaction)
            return .pass(
                DataLink(
                    address: settings.publicAddress + Accounts.dataPath + token,
                    expiresAt: transaction.now.advanced(by: settings.linkLifetime)))
        }.get()
    }

    /// Counts that a person takes an archive over. Throws `too_many_attempts`.
    public func admitImport(of scope: UserScope) async throws {
        let key = try accountKey(.imports, scope.user)
        try await database.write(scope) { transaction -> Verdict<Void> in
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            return .pass(())
        }.get()
    }

    /// What a link is for, without using it up. Throws `invalid_code` where it is wrong, over, used, or another person's,
    /// which are the same from outside, and `too_many_attempts`.
    public func dataRequest(
        ofLink token: Secret, by principal: Principal, from source: ClientSource
    ) async throws -> DataRequest {
        let hash = Digest.ofToken(token.reveal())
        let key = ThrottleKey(throttle: .linksFromSource, source: try throttleSource(source))
        return try await database.write(.system) { transaction -> Verdict<DataRequest> in
            if let wait = try transaction.admit([key]) { return .refuse(.wait(wait)) }
            let row = try transaction.first(
                """
                SELECT purpose FROM one_time_codes WHERE code_hash = \(hash) AND user_id = \(principal.user)
                AND expires_at > \(transaction.now)
                """)
            let purpose = try row?.text("purpose")
            guard let found = DataRequest.allCases.first(where: { $0.purpose.rawValue == purpose }) else {
                return .refuse(.invalidCode)
            }
            try transaction.takeBack([key])
            return .pass(found)
        }.get()
    }

    /// Uses a link up. Needs a fresh proof; throws as `requireProof` does, and `invalid_code`.
    public func useDataLink(_ token: Secret, for request: DataRequest, by principal: Principal) async throws {
        try requireProof(of: principal, for: request.stepUp)
        try await database.write(principal.scope) { [self] transaction -> Verdict<Void> in
            try redeemLink(token, request.purpose, of: principal.scope, in: transaction) == nil
                ? .refuse(.invalidCode) : .pass(())
        }.get()
    }
}
