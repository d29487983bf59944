import TandemCore

extension GuardedEgress {
    /// An answer from the cache or from the service, by RFC 9111.
    func cached(_ hop: Hop, _ attempt: Attempt) async throws(EgressFailure) -> EgressResponse {
        let token = try await token(for: hop, attempt)
        let key = CacheKey(
            user: attempt.caller.scope.user, plugin: attempt.caller.plugin, subject: token?.subject ?? "",
            url: hop.url.description)
        guard let use = attempt.request.cache, hop.method == .get, hop.body.isEmpty else {
            let answer = try await upstream(hop, attempt, token: token)
            if hop.method != .get, hop.method != .head { invalidate(key, hop, answer.response) }
            return self.answer(
                status: answer.response.status, headers: answer.response.headers, body: answer.response.body)
        }
        let known = cache.response(for: key, request: hop.headers)
        if let known, !use.mustRevalidate, known.isFresh(now: clock.now.millisecondsSinceEpoch) {
            count("hit", attempt)
            return given(known, isStale: false)
        }
        let answer: Upstream
        do throws(EgressFailure) {
            answer = try await upstream(hop, attempt, token: token, conditions: known?.conditions ?? [])
        } catch {
            switch error.kind {
            case .unavailable, .rateLimited, .deadline, .rejected, .busy:
                if let stale = stale(known, use) { return degraded(stale, attempt) }
            default: break
            }
            throw error
        }
        let response = answer.response
        if response.status == 304, let known {
            count("confirmed", attempt)
            let confirmed = known.confirmed(
                by: response.headers, visible: HeaderRules.visible(response.headers), sentAt: answer.sentAt,
                receivedAt: answer.receivedAt)
            if confirmed.control.isNoStore {
                cache.remove(key)
            } else {
                cache.store(confirmed, for: key, request: hop.headers)
            }
            return given(confirmed, isStale: false)
        }
        if [429, 500, 502, 503, 504].contains(response.status) {
            if let stale = stale(known, use) { return degraded(stale, attempt) }
        } else {
            count("miss", attempt)
            let stored = StoredResponse(
                response, visible: HeaderRules.visible(response.headers), request: hop.headers, sentAt: answer.sentAt,
                receivedAt: answer.receivedAt, isForDegradation: use.staleIfError != nil)
            if let stored {
                cache.store(stored, for: key, request: hop.headers)
            } else if known != nil {
                // What was kept is no longer what the service says.
                cache.remove(key)
            }
        }
        return self.answer(status: response.status, headers: response.headers, body: response.body)
    }

    private func stale(_ known: StoredResponse?, _ use: EgressRequest.CacheUse) -> StoredResponse? {
        guard let known, let allowed = use.staleIfError,
            known.mayServeStale(now: clock.now.millisecondsSinceEpoch, allowed: allowed.milliseconds)
        else { return nil }
        return known
    }

    private func degraded(_ known: StoredResponse, _ attempt: Attempt) -> EgressResponse {
        count("stale", attempt)
        return given(known, isStale: !known.isFresh(now: clock.now.millisecondsSinceEpoch))
    }

    private func given(_ known: StoredResponse, isStale: Bool) -> EgressResponse {
        EgressResponse(
            status: known.status, headers: known.headers, body: known.body,
            age: .milliseconds(known.age(now: clock.now.millisecondsSinceEpoch)), isStale: isStale)
    }

    /// After a change, what was kept about it no longer holds (RFC 9111 §4.4).
    private func invalidate(_ key: CacheKey, _ hop: Hop, _ response: HTTPResponse) {
        guard (200..<400).contains(response.status) else { return }
        cache.remove(key)
        for name in ["location", "content-location"] {
            guard let other = response.headers[name].flatMap({ hop.url.resolving($0) }),
                other.hasSameOrigin(as: hop.url)
            else { continue }
            var key = key
            key.url = other.description
            cache.remove(key)
        }
    }

    private func count(_ result: String, _ attempt: Attempt) {
        metrics?.cache.with(attempt.key.plugin, result).increment()
    }
}
