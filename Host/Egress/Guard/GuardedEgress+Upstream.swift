import TandemCore

extension GuardedEgress {
    /// An answer that came just now, and the times around it, for its age.
    struct Upstream: Sendable {
        var response: HTTPResponse
        var sentAt: Int64
        var receivedAt: Int64
    }

    /// Sends until there is an answer worth giving back: limits, token, retries.
    ///
    /// - Parameter conditions: added to the hop's headers.
    func upstream(
        _ hop: Hop, _ attempt: Attempt, token: GrantToken?, conditions: [HTTPHeaders.Field] = []
    ) async throws(EgressFailure) -> Upstream {
        var sentAt: Int64 = 0
        let response = try await trying(hop, attempt, token: token) { outgoing throws(HTTPError) in
            var outgoing = outgoing
            for field in conditions { outgoing.headers[field.name] = field.value }
            sentAt = self.clock.now.millisecondsSinceEpoch
            return try await self.client.send(outgoing)
        } status: {
            $0.status
        } headers: {
            $0.headers
        }
        return Upstream(response: response, sentAt: sentAt, receivedAt: clock.now.millisecondsSinceEpoch)
    }

    func opened(_ hop: Hop, _ attempt: Attempt) async throws(EgressFailure) -> (EgressResponse, HTTPStream) {
        let token = try await token(for: hop, attempt)
        let stream = try await trying(hop, attempt, token: token) { outgoing throws(HTTPError) in
            try await self.client.open(outgoing)
        } status: {
            $0.status
        } headers: {
            $0.headers
        }
        return (answer(status: stream.status, headers: stream.headers, body: []), stream)
    }

    func answer(status: Int, headers: HTTPHeaders, body: [UInt8]) -> EgressResponse {
        let wait = status == 429 || status == 503 || status == 529 ? HTTPDate.retryAfter(headers, now: clock.now) : nil
        return EgressResponse(
            status: status, headers: HeaderRules.visible(headers), body: body,
            retryAfter: wait.map { .nanoseconds(Int64($0)) })
    }

    /// The token for this hop: none once a redirect left the origin.
    func token(for hop: Hop, _ attempt: Attempt) async throws(EgressFailure) -> GrantToken? {
        guard let grant = attempt.request.grant, hop.isFirstOrigin else { return nil }
        do throws(GrantTokenFailure) {
            return try await tokens.token(of: grant, plugin: attempt.caller.plugin, in: attempt.caller.scope)
        } catch {
            throw Self.failure(of: error)
        }
    }

    private static func failure(of error: GrantTokenFailure) -> EgressFailure {
        switch error {
        case .connectionNeeded:
            EgressFailure(.authRequired, "connection_needed", "the person has to connect the account")
        case .unavailable: EgressFailure(.unavailable, "token_unavailable", "the service that gives tokens fails")
        }
    }

    private func trying<Answer>(
        _ hop: Hop, _ attempt: Attempt, token: GrantToken?,
        _ send: (HTTPRequest) async throws(HTTPError) -> Answer, status: (Answer) -> Int,
        headers: (Answer) -> HTTPHeaders
    ) async throws(EgressFailure) -> Answer {
        var token = token
        var isRenewed = false
        var tries = 0
        while true {
            try await waitForTurn(hop, attempt)
            tries += 1
            let started = monotonicNanoseconds()
            let result: Result<Answer, HTTPError>
            do throws(HTTPError) {
                result = .success(try await send(outgoing(hop, attempt, token: token, now: started)))
            } catch {
                result = .failure(error)
            }
            let now = monotonicNanoseconds()
            let retryAfter: UInt64?
            switch result {
            case .success(let answer):
                let code = status(answer)
                retryAfter = HTTPDate.retryAfter(headers(answer), now: clock.now)
                note(code, retryAfter: retryAfter, attempt, since: started, now: now)
                if code == 401, let used = token, let grant = attempt.request.grant {
                    guard !isRenewed else {
                        throw EgressFailure(
                            .authRequired, "token_refused", "the service refused the token", status: 401)
                    }
                    isRenewed = true
                    token = try await renewed(used, grant, attempt)
                    continue
                }
                guard RetryPolicy.retryableStatuses.contains(code), attempt.request.mayRepeat || hop.method.isIdempotent
                else { return answer }
            case .failure(let error):
                retryAfter = nil
                note(error, attempt, since: started, now: now)
                let wasNotSent = !error.mayHaveBeenProcessed
                guard Self.mayPass(error.code), attempt.request.mayRepeat || wasNotSent else {
                    throw Self.failure(of: error, isLate: attempt.remaining(now) == 0)
                }
            }
            let delay = options.retries.delay(after: tries, random: options.random(), retryAfter: retryAfter)
            // No time for another try, which takes some time itself: what there is now is the answer.
            guard tries < options.retries.maxAttempts, delay + 50_000_000 < attempt.remaining(now) else {
                switch result {
                case .success(let answer): return answer
                case .failure(let error): throw Self.failure(of: error, isLate: false)
                }
            }
            metrics?.retries.with(attempt.key.plugin, attempt.key.host).increment()
            try await pause(delay)
        }
    }

    private func renewed(
        _ used: GrantToken, _ grant: String, _ attempt: Attempt
    ) async throws(EgressFailure) -> GrantToken {
        do throws(GrantTokenFailure) {
            return try await tokens.renewed(used, of: grant, plugin: attempt.caller.plugin, in: attempt.caller.scope)
        } catch {
            throw Self.failure(of: error)
        }
    }

    private func outgoing(_ hop: Hop, _ attempt: Attempt, token: GrantToken?, now: UInt64) -> HTTPRequest {
        var headers = hop.headers
        if hop.isFirstOrigin, let key = attempt.request.idempotencyKey { headers["Idempotency-Key"] = key }
        // Also in place of what a plugin may have put there.
        if let token { headers[token.header] = token.value.reveal() }
        var url = hop.url.description
        var addresses: AddressPolicy? = attempt.caller.policy.networks
        if let substitute = options.substitutes.first(where: { $0.host.matches(hop.url) }) {
            headers["X-Forwarded-Host"] = hop.url.host
            url = substitute.address.appending(hop.url.path + (hop.url.query.map { "?" + $0 } ?? ""))
            addresses = nil
        }
        let remaining = Duration.nanoseconds(Int64(clamping: attempt.remaining(now)))
        return HTTPRequest(
            hop.method, url, headers: headers, body: hop.body,
            timeout: max(remaining, .milliseconds(1)),
            connectTimeout: min(options.connectTimeout, max(remaining, .milliseconds(1))),
            maxResponseBytes: attempt.request.maxResponseBytes, maxRedirects: 0,
            isIdempotent: hop.method.isIdempotent || attempt.request.mayRepeat,
            addresses: addresses)
    }

    // MARK: Limits

    private func waitForTurn(_ hop: Hop, _ attempt: Attempt) async throws(EgressFailure) {
        let started = monotonicNanoseconds()
        if let rates = options.sharedRates { try await waitForShared(rates, hop, attempt, since: started) }
        var step: UInt64 = 1_000_000
        while try await !isItsTurn(hop, attempt, since: started) {
            // Whoever is ahead takes as long as it takes: look again, less and less often.
            try await pause(step)
            step = min(step * 2, 50_000_000)
        }
        metrics?.waits.observe(Double(monotonicNanoseconds() - started) / 1e9)
    }

    /// Until all processes together have room for it.
    private func waitForShared(
        _ rates: any SharedRates, _ hop: Hop, _ attempt: Attempt, since started: UInt64
    ) async throws(EgressFailure) {
        let limit = attempt.caller.policy.limit(for: hop.url)
        let end = started + UInt64(max(0, options.maxWait.milliseconds)) * 1_000_000
        while true {
            if Task.isCancelled { throw EgressFailure(.cancelled, "cancelled", "the request was cancelled") }
            let wait = await rates.take(
                plugin: attempt.key.plugin, host: attempt.key.host, user: attempt.caller.scope.user, limit: limit)
            if wait == 0 { return }
            let now = monotonicNanoseconds()
            guard now + wait <= min(end, attempt.deadline) else {
                metrics?.refusals.with(attempt.key.plugin, "rate_limited").increment()
                throw EgressFailure(
                    .rateLimited, "rate_limited", "too many requests to \(hop.url.host)",
                    retryAfter: .nanoseconds(Int64(clamping: wait)))
            }
            try await pause(wait)
        }
    }

    /// Counts the request in once it may be sent; false while too many are under way.
    private func isItsTurn(
        _ hop: Hop, _ attempt: Attempt, since started: UInt64
    ) async throws(EgressFailure) -> Bool {
        if Task.isCancelled { throw EgressFailure(.cancelled, "cancelled", "the request was cancelled") }
        let now = monotonicNanoseconds()
        let remaining = attempt.remaining(now)
        guard remaining > 0 else { throw EgressFailure(.deadline, "timeout", "no answer in time") }
        let patience = min(remaining, UInt64(max(0, options.maxWait.milliseconds)) * 1_000_000)
        let admission = providers.admit(
            attempt.key, user: attempt.caller.scope.user, limit: attempt.caller.policy.limit(for: hop.url),
            patience: patience, now: options.limitTime(now))
        switch admission {
        case .after(0): return true
        case .after(let wait):
            do throws(EgressFailure) {
                try await pause(wait)
            } catch {
                providers.record(
                    .unknown, attempt.key, user: attempt.caller.scope.user,
                    now: options.limitTime(monotonicNanoseconds()))
                throw error
            }
            return true
        case .crowded:
            guard now - started < UInt64(max(0, options.maxWait.milliseconds)) * 1_000_000 else {
                metrics?.refusals.with(attempt.key.plugin, "too_many_at_once").increment()
                throw EgressFailure(
                    .rateLimited, "too_many_at_once", "too many requests to \(hop.url.host) at the same time",
                    retryAfter: .seconds(1))
            }
            return false
        case .rateLimited(let wait):
            metrics?.refusals.with(attempt.key.plugin, "rate_limited").increment()
            throw EgressFailure(
                .rateLimited, "rate_limited", "too many requests to \(hop.url.host)",
                retryAfter: .nanoseconds(Int64(clamping: wait)))
        case .broken(let wait):
            metrics?.refusals.with(attempt.key.plugin, "breaker_open").increment()
            throw EgressFailure(
                .unavailable, "breaker_open", "\(hop.url.host) failed lately and is left alone for a while",
                retryAfter: .nanoseconds(Int64(clamping: wait)))
        }
    }

    private func pause(_ nanoseconds: UInt64) async throws(EgressFailure) {
        do {
            try await Task.sleep(nanoseconds: nanoseconds)
        } catch {
            throw EgressFailure(.cancelled, "cancelled", "the request was cancelled")
        }
    }

    // MARK: What came of it

    private func note(_ status: Int, retryAfter: UInt64?, _ attempt: Attempt, since started: UInt64, now: UInt64) {
        let verdict: ProviderTable.Verdict =
            switch status {
            case 429: .pushedBack(retryAfter ?? 1_000_000_000)
            case 503 where retryAfter != nil, 529 where retryAfter != nil: .pushedBack(retryAfter ?? 0)
            case 500, 502, 503, 504, 529: .fails
            default: .works
            }
        record(verdict, attempt, outcome: "\(status / 100)xx", since: started, now: now)
    }

    private func note(_ error: HTTPError, _ attempt: Attempt, since started: UInt64, now: UInt64) {
        let verdict: ProviderTable.Verdict =
            switch error.code {
            case .unresolved, .connectionFailed, .tls, .interrupted, .invalidResponse: .fails
            // Impatience of ours says nothing about the provider.
            case .timeout: now - started >= 1_000_000_000 ? .fails : .unknown
            case .responseTooLarge: .works
            default: .unknown
            }
        record(verdict, attempt, outcome: error.code.rawValue, since: started, now: now)
        if error.code == .addressNotAllowed {
            metrics?.refusals.with(attempt.key.plugin, "address_not_allowed").increment()
        }
    }

    private func record(
        _ verdict: ProviderTable.Verdict, _ attempt: Attempt, outcome: String, since started: UInt64, now: UInt64
    ) {
        let transition = providers.record(
            verdict, attempt.key, user: attempt.caller.scope.user, now: options.limitTime(now))
        guard let metrics else { return }
        metrics.requests.with(attempt.key.plugin, attempt.key.host, outcome).increment()
        metrics.seconds.observe(Double(now - started) / 1e9)
        switch transition {
        case .opened:
            metrics.openings.with(attempt.key.plugin, attempt.key.host).increment()
            metrics.breakers.with(attempt.key.plugin, attempt.key.host).set(1)
        case .closed: metrics.breakers.with(attempt.key.plugin, attempt.key.host).set(0)
        case nil: break
        }
    }

    /// Gone next time, perhaps.
    private static func mayPass(_ code: HTTPError.Code) -> Bool {
        switch code {
        case .unresolved, .connectionFailed, .interrupted, .invalidResponse, .overloaded: true
        default: false
        }
    }

    static func failure(of error: HTTPError, isLate: Bool = false) -> EgressFailure {
        switch error.code {
        case .invalidRequest: EgressFailure(.invalid, "invalid_request", "the request cannot be sent")
        case .addressNotAllowed:
            EgressFailure(
                .hostNotAllowed, "address_not_allowed",
                "the name leads to an address that is no public service's; an operator can allow it")
        case .unresolved: EgressFailure(.unavailable, "unresolved", "the host's name has no address")
        case .connectionFailed: EgressFailure(.unavailable, "connection_failed", "no connection")
        case .tls: EgressFailure(.unavailable, "tls", "no valid certificate, or no TLS 1.2 or later")
        case .timeout: EgressFailure(.deadline, "timeout", "no answer in time")
        case .interrupted: EgressFailure(.unavailable, "interrupted", "the connection broke")
        case .invalidResponse: EgressFailure(.rejected, "invalid_response", "the answer is no valid HTTP")
        case .responseTooLarge: EgressFailure(.tooLarge, "too_large", "the answer is longer than allowed")
        case .tooManyRedirects: EgressFailure(.rejected, "too_many_redirects", "too many redirects")
        case .cancelled: EgressFailure(.cancelled, "cancelled", "the request was cancelled")
        case .overloaded: EgressFailure(.busy, "overloaded", "the host has too many requests under way")
        case .closed: EgressFailure(.unavailable, "closed", "the host goes down")
        default: EgressFailure(.unavailable, "failed", "the request failed")
        }
    }
}
