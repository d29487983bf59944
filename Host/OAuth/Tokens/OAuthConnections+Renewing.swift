import TandemCore
import TandemJSON
import TandemStorage

/// Why there is no new pair.
enum RenewalFailure: Error, Sendable, Hashable {
    /// The person has to agree again, or ended it.
    case connectionNeeded
    case unavailable
}

extension OAuthConnections {
    /// A pair newer than `row`: this process asks for it, or another has.
    ///
    /// However many ask, here or elsewhere, one request is made; the pair is stored before anybody gets it.
    func renewed(
        _ row: TokenRow, _ provider: OAuthProvider, of person: UserScope
    ) async -> Result<TokenRow, RenewalFailure> {
        let key = FlightKey(user: person.user, id: row.id, version: row.version)
        if let result = await flights.join(key, { [self] in await renew(row, provider, of: person) }) { return result }
        // The caller was cancelled: perhaps because its plugin pauses, since the connection is lost.
        let current = await Task { [database] in
            try? await database.read(person) { try TokenRow.find(provider.id, in: $0) }
        }.value
        return .failure(current.flatMap { $0 }?.state == .needsReauth ? .connectionNeeded : .unavailable)
    }

    /// The same without waiting for it.
    func renewMeanwhile(_ row: TokenRow, _ provider: OAuthProvider, of person: UserScope) {
        if let retryAt = row.retryAt, clock.now < retryAt { return }
        let key = FlightKey(user: person.user, id: row.id, version: row.version)
        flights.begin(key) { [self] in await renew(row, provider, of: person) }
    }

    /// Takes the lock, or waits for what its holder does.
    func renew(_ stale: TokenRow, _ provider: OAuthProvider, of person: UserScope) async -> Result<
        TokenRow, RenewalFailure
    > {
        guard let client = provider.client else { return .failure(.unavailable) }
        let name = lockName(person.user, provider.id)
        let deadline = monotonicNanoseconds() + UInt64(max(0, options.patience.milliseconds)) * 1_000_000
        var pause: UInt64 = 20_000_000
        do {
            while true {
                if let lock = try await locks.acquire(name, lease: options.lease) {
                    options.checkpoint(.locked)
                    let result: Result<TokenRow, RenewalFailure>
                    do {
                        result = try await renew(stale, endpoint(provider, client), of: person, under: lock)
                    } catch {
                        await locks.release(lock)
                        throw error
                    }
                    await locks.release(lock)
                    options.checkpoint(.released)
                    // A pair that came after the connection was given up: whoever waits for it is told.
                    if case .success(let row) = result, row.pending != nil {
                        await tellUnderLock(row, provider, person)
                    }
                    return result
                }
                guard monotonicNanoseconds() < deadline else { return .failure(.unavailable) }
                try await Task.sleep(nanoseconds: pause)
                pause = min(pause * 2, 500_000_000)
                let row = try await database.read(person) { try TokenRow.find(provider.id, in: $0) }
                guard let row, row.state == .connected else { return .failure(.connectionNeeded) }
                if row.isNewer(than: stale) { return .success(row) }
            }
        } catch {
            // The database fails; nothing was sent, or what came is lost with it.
            return .failure(.unavailable)
        }
    }

    private func renew(
        _ stale: TokenRow, _ endpoint: TokenEndpoint, of person: UserScope, under lock: HeldLock
    ) async throws -> Result<TokenRow, RenewalFailure> {
        let provider = endpoint.provider
        guard let row = try await database.read(person, { try TokenRow.find(provider.id, in: $0) }) else {
            return .failure(.connectionNeeded)
        }
        guard row.state == .connected else {
            try await tell(row, provider, person)
            return .failure(.connectionNeeded)
        }
        if row.isNewer(than: stale) { return .success(row) }
        if let retryAt = row.retryAt, clock.now < retryAt { return .failure(.unavailable) }
        guard let refresh = row.refresh else {
            return try await lose(row, "no_refresh_token", provider, person)
        }
        let started = monotonicNanoseconds()
        var attempts = 0
        while true {
            attempts += 1
            let sentAt = clock.now
            do throws(TokenFailure) {
                let answer = try await endpoint.refresh(refresh, scopes: requested(row.scopes, provider))
                options.checkpoint(.received)
                let stored = try await stored(answer, row, provider, person, sentAt: sentAt, lock)
                options.checkpoint(.stored)
                metrics?.refreshes.with(provider.id, "renewed").increment()
                metrics?.seconds.observe(sinceNanoseconds: started)
                return stored
            } catch {
                switch error {
                case .dead(let word):
                    metrics?.refreshes.with(provider.id, "dead").increment()
                    return try await lose(row, word, provider, person)
                case .misconfigured(let word):
                    metrics?.refreshes.with(provider.id, "misconfigured").increment()
                    try await note(row, person, retryAfter: .seconds(300), problem: word)
                    return .failure(.unavailable)
                case .passing(_, let retryAfter, let isUnclear):
                    metrics?.refreshes.with(provider.id, isUnclear ? "unclear" : "failed").increment()
                    // An answer that was lost on its way may have been a new pair: services that let the old one work a
                    // while longer do so for this, so it is asked for again at once.
                    guard attempts < 3, retryAfter == nil,
                        (try? await locks.extend(lock, lease: options.lease)) == true
                    else {
                        try await note(row, person, retryAfter: retryAfter)
                        return .failure(.unavailable)
                    }
                    try await Task.sleep(nanoseconds: UInt64(50_000_000 * attempts))
                }
            }
        }
    }

    /// What a request for a token names: what was allowed, and what goes with every request.
    func requested(_ scopes: [String], _ provider: OAuthProvider) -> [String] {
        guard let rules = provider.scopes else { return [] }
        var all = rules.always
        for scope in scopes where !all.contains(scope) { all.append(scope) }
        return all
    }

    // MARK: What came of it

    /// Stores a pair, unless the row has gone on: then that is the answer.
    ///
    /// Failing to store is no `TokenFailure`: tried again for as long as the lease holds, since the pair exists only here.
    private func stored(
        _ answer: TokenAnswer, _ row: TokenRow, _ provider: OAuthProvider, _ person: UserScope, sentAt: Timestamp,
        _ lock: HeldLock
    ) async throws(TokenFailure) -> Result<TokenRow, RenewalFailure> {
        let scopes = answer.scopes.map { granted($0, provider) } ?? row.scopes
        let times = options.policy.times(
            from: sentAt, life: answer.life ?? provider.accessLife, random: options.random())
        let idleAt = provider.idleRenewal.map { sentAt.advanced(by: $0) }
        var pause: UInt64 = 50_000_000
        let deadline = monotonicNanoseconds() + UInt64(max(0, options.lease.milliseconds)) * 1_000_000
        while true {
            do {
                let result: Result<TokenRow, RenewalFailure>? = try await database.write(person) {
                    [self] transaction in
                    guard let current = try TokenRow.find(provider.id, in: transaction) else { return nil }
                    // While this process stalled beyond its lease, another sent the old token, which was worthless by
                    // then, and gave the connection up: what came here is good all the same.
                    let isRescue = current.isLoss(of: row)
                    guard current.state == .connected || isRescue else { return .failure(.connectionNeeded) }
                    // Somebody with a later lock was here, or the person agreed anew: ours is the older pair.
                    guard isRescue || !current.isNewer(than: row), current.fence <= lock.fence else {
                        return .success(current)
                    }
                    let access = try transaction.seal(
                        Array(answer.access.reveal().utf8), TokenRow.seal("access_token", row.id))
                    let refresh = try (answer.refresh ?? current.refresh).map {
                        try transaction.seal(Array($0.reveal().utf8), TokenRow.seal("refresh_token", row.id))
                    }
                    let pending: String? = isRescue ? TokenRow.Pending.connected.rawValue : current.pending?.rawValue
                    let changed = try transaction.execute(
                        """
                        UPDATE oauth_tokens SET state = 'connected', access_token = \(access),
                        refresh_token = \(refresh), scopes = \(scopes.joined(separator: " ")), version = version + 1,
                        fence = \(lock.fence), obtained_at = \(sentAt), expires_at = \(times.expires),
                        refresh_at = \(times.refresh), idle_at = \(idleAt), failures = 0, retry_at = NULL,
                        reason = NULL, pending = \(pending), updated_at = \(transaction.now)
                        WHERE id = \(row.id) AND version = \(current.version) AND fence <= \(lock.fence)
                        """)
                    if changed > 0 {
                        // A pair that is not stored is lost, so this is the one event that may be missing.
                        try? transaction.atomically {
                            try record(.renewed, .program, person.user, ["provider": provider.id], in: transaction)
                        }
                    }
                    if changed > 0, isRescue || scopes != current.scopes {
                        var values: JSONObject = ["scopes": .array(scopes.map { .string($0) })]
                        if isRescue {
                            values["status"] = "connected"
                            values["reason"] = .null
                            values["status_changed_at"] = .timestamp(transaction.now)
                        }
                        try transaction.update(
                            "oauth_integrations", where: [RowCondition("provider", .equal, .string(provider.id))],
                            set: values)
                    }
                    guard let stored = try TokenRow.find(provider.id, in: transaction) else {
                        return .failure(.connectionNeeded)
                    }
                    return .success(stored)
                }
                if let result { return result }
                // The person ended it meanwhile: nobody else knows the new pair, so it is given back, too.
                if provider.rotation != .never, let token = revocable(answer.access, answer.refresh, provider) {
                    let id = try await database.write(.system) { try OAuthConnections.queue(token, provider, in: $0) }
                    Task { [self] in await revoke(id) }
                }
                return .failure(.connectionNeeded)
            } catch {
                guard monotonicNanoseconds() < deadline else {
                    throw .passing("storage", retryAfter: .seconds(1), isUnclear: true)
                }
                try? await Task.sleep(nanoseconds: pause)
                pause = min(pause * 2, 1_000_000_000)
            }
        }
    }

    /// The scopes of an answer in our words, without repetition.
    func granted(_ scopes: [String], _ provider: OAuthProvider) -> [String] {
        var seen: Set<String> = []
        return scopes.map { provider.plain($0) }.filter { seen.insert($0).inserted }
    }

    private func note(
        _ row: TokenRow, _ person: UserScope, retryAfter: Duration?, problem: String? = nil
    ) async throws {
        let pause = options.policy.pause(
            after: row.failures + 1, retryAfter: retryAfter, random: options.random())
        try await database.write(person) { [self] transaction in
            let retryAt = transaction.now.advanced(by: pause)
            try transaction.execute(
                """
                UPDATE oauth_tokens SET failures = failures + 1, retry_at = \(retryAt), updated_at = \(transaction.now)
                WHERE id = \(row.id) AND version = \(row.version)
                """)
            if let problem {
                try record(
                    .renewalFailed, .program, person.user, ["provider": row.provider, "reason": problem],
                    in: transaction)
            }
        }
    }

    /// The service no longer takes the grant: nothing is kept of it, the plugins pause, the person hears of it once.
    private func lose(
        _ row: TokenRow, _ reason: String, _ provider: OAuthProvider, _ person: UserScope
    ) async throws -> Result<TokenRow, RenewalFailure> {
        let current: TokenRow? = try await database.write(person) { [self] transaction in
            let changed = try transaction.execute(
                """
                UPDATE oauth_tokens SET state = 'needs_reauth', access_token = NULL, refresh_token = NULL,
                version = version + 1, refresh_at = NULL, idle_at = NULL, retry_at = NULL, reason = \(reason),
                pending = 'lost', updated_at = \(transaction.now)
                WHERE id = \(row.id) AND version = \(row.version) AND state = 'connected'
                """)
            if changed > 0 {
                try transaction.update(
                    "oauth_integrations", where: [RowCondition("provider", .equal, .string(provider.id))],
                    set: [
                        "status": "needs_reauth", "reason": .string(reason),
                        "status_changed_at": .timestamp(transaction.now),
                    ])
                try record(
                    .lost, .program, person.user, ["provider": provider.id, "reason": reason], in: transaction)
            }
            return try TokenRow.find(provider.id, in: transaction)
        }
        guard let current else { return .failure(.connectionNeeded) }
        // Somebody stored a pair after all: theirs counts.
        guard current.state == .needsReauth else { return .success(current) }
        metrics?.losses.with(provider.id).increment()
        try? await tell(current, provider, person)
        return .failure(.connectionNeeded)
    }

    /// Tells the listener what nobody has been told yet. Called under the lock of the row.
    func tell(_ row: TokenRow, _ provider: OAuthProvider, _ person: UserScope) async throws {
        guard let pending = row.pending else { return }
        let plugins = try await plugins(using: provider.id, of: person)
        let ids = unique(plugins.map(\.plugin))
        switch pending {
        case .lost:
            let link = try await link(for: ConnectionNeed(provider: provider.id), of: person)
            let notice = ConnectionNotice(
                key: "\(row.id)/\(row.version)", person: person, provider: provider.id, plugins: ids,
                text: Wording.lost(provider, plugins: unique(plugins.map(\.pluginName)), link: link), link: link)
            try await events.lost(notice)
        case .connected: try await events.connected(provider.id, plugins: ids, of: person)
        }
        try await database.write(person) { transaction in
            try transaction.execute(
                """
                UPDATE oauth_tokens SET pending = NULL
                WHERE id = \(row.id) AND version = \(row.version) AND pending = \(pending.rawValue)
                """)
        }
    }
}

/// In order, each once.
func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
}
