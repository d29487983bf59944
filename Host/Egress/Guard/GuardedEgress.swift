public import TandemCore

/// `PluginEgress` over an HTTP client: who may reach what, how often, with whose token, and what when it fails.
public final class GuardedEgress: PluginEgress {
    public struct Options: Sendable {
        public var retries = RetryPolicy()
        public var maxRedirects = 10
        /// The longest that a request waits for its turn under a rate limit.
        public var maxWait = Duration.seconds(10)
        public var connectTimeout = Duration.seconds(5)
        /// Bytes of kept answers, in all and for one person.
        public var cacheBytes = 32 << 20
        public var cacheBytesPerUser = 4 << 20
        /// Where an operator has the requests to some hosts sent instead, such as a mirror or a test's server: with the
        /// path and query as they are, and the host they were meant for in `X-Forwarded-Host`. The address is the
        /// operator's, so any is allowed.
        public var substitutes: [(host: HostRule, address: WebAddress)] = []
        /// Where other processes call the same providers.
        public var sharedRates: (any SharedRates)?
        var breaker = CircuitBreaker.Rules()
        /// From `CLOCK_MONOTONIC` to the time that breakers and limits count by: for tests whose clock goes faster.
        package var limitTime: @Sendable (UInt64) -> UInt64 = { $0 }
        /// The longest that a request to a host may take, whatever was asked for.
        package var longest: @Sendable (String) -> Duration = { _ in .seconds(86_400) }
        /// 0 up to but not including 1, for the jitter.
        public var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

        public init() {}
    }

    let client: any StreamingHTTPClient
    let tokens: any GrantTokens
    let clock: any WallClock
    let options: Options
    let metrics: EgressMetrics?
    let providers: ProviderTable
    let cache: ResponseCache

    public init(
        client: any StreamingHTTPClient, tokens: any GrantTokens = NoGrantTokens(),
        clock: any WallClock = SystemClock(),
        metrics: MetricsRegistry? = nil, options: Options = Options()
    ) {
        self.client = client
        self.tokens = tokens
        self.clock = clock
        self.options = options
        self.metrics = metrics.map(EgressMetrics.init)
        let providers = ProviderTable(rules: options.breaker)
        self.providers = providers
        metrics?.collection("providers' budgets") { [weak providers, limitTime = options.limitTime] in
            providers?.snapshots(now: limitTime(monotonicNanoseconds())) ?? []
        }
        cache = ResponseCache(
            limits: ResponseCache.Limits(totalBytes: options.cacheBytes, bytesPerUser: options.cacheBytesPerUser))
    }

    public func forget(_ scope: UserScope, plugin: String?) { cache.removeAll(of: scope.user, plugin: plugin) }

    // MARK: Before anything is sent

    public func refusal(of request: EgressRequest, for caller: EgressCaller) -> EgressFailure? {
        let failure: EgressFailure?
        if let url = OutboundURL(request.url) {
            failure = refusal(of: request, to: url, for: caller)
        } else {
            failure = EgressFailure(.invalid, "invalid_url", "the address is not an absolute https address")
        }
        if let failure { metrics?.refusals.with(caller.plugin, failure.code).increment() }
        return failure
    }

    private func refusal(of request: EgressRequest, to url: OutboundURL, for caller: EgressCaller) -> EgressFailure? {
        if let failure = refusal(method: request.method, to: url, for: caller) { return failure }
        if let grant = request.grant {
            guard let hosts = tokens.hosts(of: grant, plugin: caller.plugin) else {
                return EgressFailure(.notGranted, "no_such_grant", "the manifest has no grant of this name")
            }
            guard hosts.contains(where: { $0.matches(url) }) else {
                return EgressFailure(.notGranted, "grant_not_for_host", "the grant is not for \(url.origin)")
            }
        }
        if let key = request.idempotencyKey,
            !(1...255).contains(key.utf8.count) || !key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        {
            return EgressFailure(
                .invalid, "invalid_key", "the idempotency key is not 1 to 255 visible ASCII characters")
        }
        if let problem = HeaderRules.problem(
            request.headers, isCached: request.cache != nil, grantHeader: request.grant.map { _ in "authorization" })
        {
            return EgressFailure(.invalid, "invalid_header", problem)
        }
        guard request.timeout > .zero, request.maxResponseBytes >= 0 else {
            return EgressFailure(.invalid, "invalid_limit", "a limit is negative")
        }
        return nil
    }

    /// Asked for the first address and for every redirect.
    func refusal(method: HTTPRequest.Method, to url: OutboundURL, for caller: EgressCaller) -> EgressFailure? {
        guard let declaration = caller.policy.declaration(for: url) else {
            return EgressFailure(.hostNotAllowed, "host_not_allowed", "\(url.origin) is not among the allowed hosts")
        }
        guard
            caller.mayWrite || method == .get || method == .head
                || declaration.reads.contains(where: { $0.matches(method, url.path) })
        else {
            return EgressFailure(
                .notGranted, "reading_only",
                "\(method.rawValue) in a reading call is for requests that the manifest lists in reads")
        }
        return nil
    }

    // MARK: Sending

    public func send(
        _ request: EgressRequest, for caller: EgressCaller
    ) async throws(EgressFailure) -> EgressResponse {
        try await following(request, caller) { hop, attempt throws(EgressFailure) in
            try await self.cached(hop, attempt)
        }
    }

    public func open(
        _ request: EgressRequest, for caller: EgressCaller
    ) async throws(EgressFailure) -> (EgressResponse, EgressStream) {
        var request = request
        request.cache = nil
        var last: HTTPStream?
        let response = try await following(request, caller) { hop, attempt throws(EgressFailure) in
            last?.cancel()
            let (answer, stream) = try await self.opened(hop, attempt)
            last = stream
            return answer
        }
        guard let stream = last else { throw EgressFailure(.internalFault, "internal", "no stream") }
        let read: @Sendable (Int) async throws(EgressFailure) -> [UInt8] = { limit throws(EgressFailure) in
            do throws(HTTPError) {
                return try await stream.read(atMost: limit)
            } catch {
                throw GuardedEgress.failure(of: error)
            }
        }
        return (response, EgressStream(read: read, cancel: { stream.cancel() }))
    }

    /// The request as it goes to one address: the first, or that of a redirect.
    struct Hop: Sendable {
        var url: OutboundURL
        var method: HTTPRequest.Method
        var headers: HTTPHeaders
        var body: [UInt8]
        /// Still the origin that the plugin asked for: token and keys go along.
        var isFirstOrigin: Bool
    }

    /// What is the same for all hops.
    struct Attempt: Sendable {
        var request: EgressRequest
        var caller: EgressCaller
        var deadline: UInt64
        var key: ProviderTable.Key

        func remaining(_ now: UInt64) -> UInt64 { deadline > now ? deadline - now : 0 }
    }

    private func following(
        _ request: EgressRequest, _ caller: EgressCaller,
        _ exchange: (Hop, Attempt) async throws(EgressFailure) -> EgressResponse
    ) async throws(EgressFailure) -> EgressResponse {
        if let failure = refusal(of: request, for: caller) { throw failure }
        guard let url = OutboundURL(request.url) else {
            throw EgressFailure(.invalid, "invalid_url", "the address is not an absolute https address")
        }
        let longest = min(request.timeout, options.longest(url.host))
        let timeout = UInt64(max(0, min(longest.milliseconds, 86_400_000))) * 1_000_000
        let deadline = min(caller.deadline, monotonicNanoseconds() + timeout)
        var hop = Hop(
            url: url, method: request.method, headers: request.headers, body: request.body, isFirstOrigin: true)
        var redirects = 0
        while true {
            let attempt = Attempt(
                request: request, caller: caller, deadline: deadline,
                key: ProviderTable.Key(plugin: caller.plugin, host: hop.url.host))
            var response: EgressResponse
            do throws(EgressFailure) {
                response = try await exchange(hop, attempt)
            } catch {
                var failure = error
                failure.redirects = redirects
                throw failure
            }
            response.redirects = redirects
            response.url = hop.url.description
            guard request.followsRedirects, [301, 302, 303, 307, 308].contains(response.status),
                let location = response.headers["location"]
            else { return response }
            redirects += 1
            hop = try redirected(hop, response.status, to: location, redirects, caller)
        }
    }

    private func redirected(
        _ hop: Hop, _ status: Int, to location: String, _ redirects: Int, _ caller: EgressCaller
    ) throws(EgressFailure) -> Hop {
        func refused(_ failure: EgressFailure) -> EgressFailure {
            var failure = failure
            failure.status = status
            failure.redirects = redirects
            metrics?.refusals.with(caller.plugin, failure.code).increment()
            return failure
        }
        guard redirects <= options.maxRedirects else {
            throw refused(EgressFailure(.rejected, "too_many_redirects", "more than \(options.maxRedirects) redirects"))
        }
        guard let target = hop.url.resolving(location) else {
            throw refused(
                EgressFailure(.rejected, "invalid_redirect", "a redirect to something that is no web address"))
        }
        guard hop.url.scheme == "http" || target.scheme == "https" else {
            throw refused(EgressFailure(.hostNotAllowed, "redirect_not_allowed", "a redirect from https to http"))
        }
        var next = hop
        next.url = target
        // RFC 9110 §15.4: 303 always, 301 and 302 by custom make a POST a GET.
        if status == 303 && hop.method != .head || (status == 301 || status == 302) && hop.method == .post {
            next.method = .get
            next.body = []
            next.headers["content-type"] = nil
        }
        if let failure = refusal(method: next.method, to: target, for: caller) {
            let code = failure.kind == .hostNotAllowed ? "redirect_not_allowed" : failure.code
            throw refused(EgressFailure(failure.kind, code, "a redirect: \(failure.message)"))
        }
        if !target.hasSameOrigin(as: hop.url) {
            next.isFirstOrigin = false
            var kept = HTTPHeaders()
            for field in hop.headers.fields where HeaderRules.mayCrossOrigin(field.name) {
                kept.append(field.name, field.value)
            }
            next.headers = kept
        }
        return next
    }
}
