public import TandemCore

/// Requests of plugins to the world outside, as `tandem.http/1` (tandem/ext/http.h) describes them.
public protocol PluginEgress: Sendable {
    /// What forbids the request before anything is sent; nil when it may be tried. Cheap, from any thread.
    func refusal(of request: EgressRequest, for caller: EgressCaller) -> EgressFailure?

    /// Sends it, with everything around: grants, limits, retries, redirects, cache. Cancelling the task ends it.
    func send(_ request: EgressRequest, for caller: EgressCaller) async throws(EgressFailure) -> EgressResponse

    /// The same up to the headers; the body comes from the stream. No cache.
    func open(
        _ request: EgressRequest, for caller: EgressCaller
    ) async throws(EgressFailure) -> (EgressResponse, EgressStream)

    /// Drops what is kept for a person: everything, or what a plugin fetched.
    func forget(_ scope: UserScope, plugin: String?)
}

/// Who asks, and how far that plugin may go for that person.
public struct EgressCaller: Sendable {
    public var plugin: String
    public var scope: UserScope
    public var policy: EgressPolicy
    /// The call may have effects; false: methods other than GET and HEAD are for declared reading requests.
    public var mayWrite: Bool
    /// `CLOCK_MONOTONIC`, nanoseconds: when the call is given up.
    public var deadline: UInt64

    public init(plugin: String, scope: UserScope, policy: EgressPolicy, mayWrite: Bool, deadline: UInt64) {
        self.plugin = plugin
        self.scope = scope
        self.policy = policy
        self.mayWrite = mayWrite
        self.deadline = deadline
    }
}

/// Where a plugin may send requests, and how many.
public final class EgressPolicy: Sendable {
    public let declared: [DeclaredHost]
    /// The registry's; nil: all that is declared.
    public let ceiling: [HostRule]?
    /// Addresses that are not public and allowed all the same.
    public let networks: AddressPolicy
    /// The first that fits the host counts.
    public let limits: [ProviderLimit]

    public init(
        declared: [DeclaredHost], ceiling: [HostRule]? = nil, networks: AddressPolicy = AddressPolicy(),
        limits: [ProviderLimit] = []
    ) {
        self.declared = declared
        self.ceiling = ceiling
        self.networks = networks
        self.limits = limits
    }

    /// What the manifest says about the address, when all who have a say allow it.
    func declaration(for url: OutboundURL) -> DeclaredHost? {
        guard ceiling?.contains(where: { $0.matches(url) }) ?? true else { return nil }
        return declared.first { $0.rule.matches(url) }
    }

    func limit(for url: OutboundURL) -> ProviderLimit {
        limits.first { $0.host.matches(url) } ?? .standard
    }
}

/// How often a plugin may call one provider.
public struct ProviderLimit: Sendable, Hashable {
    public var host: HostRule
    /// For one person.
    public var perUser: Rate
    /// For all of them together.
    public var total: Rate
    /// Requests of one person that may be under way at the same time; of a stream, until its headers are there.
    public var concurrent: Int

    public init(host: HostRule, perUser: Rate, total: Rate, concurrent: Int = standardConcurrent) {
        self.host = host
        self.perUser = perUser
        self.total = total
        self.concurrent = concurrent
    }

    public static let standardPerUser = Rate(perSecond: 5, burst: 20)
    public static let standardTotal = Rate(perSecond: 50, burst: 200)
    public static let standardConcurrent = 8

    private init() {
        host = HostRule.none
        perUser = Self.standardPerUser
        total = Self.standardTotal
        concurrent = Self.standardConcurrent
    }

    /// 5 a second and person, 20 in a row, 8 at the same time; 50 a second in all, 200 in a row.
    static let standard = ProviderLimit()
}

/// One request of a plugin.
public struct EgressRequest: Sendable {
    /// Use of the cache, for GET.
    public struct CacheUse: Sendable, Hashable {
        /// How far past its time a kept answer may be given when the service fails; nil: not at all.
        public var staleIfError: Duration?
        /// A kept answer is given only after the service confirmed it.
        public var mustRevalidate: Bool

        public init(staleIfError: Duration? = nil, mustRevalidate: Bool = false) {
            self.staleIfError = staleIfError
            self.mustRevalidate = mustRevalidate
        }
    }

    public var method: HTTPRequest.Method
    public var url: String
    public var headers: HTTPHeaders
    public var body: [UInt8]
    /// The name of the grant whose token is attached.
    public var grant: String?
    public var idempotencyKey: String?
    /// Repeating it has no further effect, although the method does not say so.
    public var isIdempotent: Bool
    public var timeout: Duration
    public var maxResponseBytes: Int
    public var cache: CacheUse?
    public var followsRedirects: Bool

    public init(
        _ method: HTTPRequest.Method = .get, _ url: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
        grant: String? = nil, idempotencyKey: String? = nil, isIdempotent: Bool = false,
        timeout: Duration = .seconds(30), maxResponseBytes: Int = 4 << 20, cache: CacheUse? = nil,
        followsRedirects: Bool = true
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.grant = grant
        self.idempotencyKey = idempotencyKey
        self.isIdempotent = isIdempotent
        self.timeout = timeout
        self.maxResponseBytes = maxResponseBytes
        self.cache = cache
        self.followsRedirects = followsRedirects
    }

    /// May be sent again when it is unknown whether it arrived.
    var mayRepeat: Bool { method.isIdempotent || isIdempotent || idempotencyKey != nil }
}

/// What came back.
public struct EgressResponse: Sendable {
    public var status: Int
    public var headers: HTTPHeaders
    public var body: [UInt8]
    /// The address that answered.
    public var url: String
    public var redirects: Int
    /// Since the service gave or confirmed it; nil: it came just now.
    public var age: Duration?
    /// Past its time, given because the service failed.
    public var isStale: Bool
    /// What the service asked for with a 429 or 503.
    public var retryAfter: Duration?

    public init(
        status: Int, headers: HTTPHeaders = [:], body: [UInt8] = [], url: String = "", redirects: Int = 0,
        age: Duration? = nil, isStale: Bool = false, retryAfter: Duration? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url
        self.redirects = redirects
        self.age = age
        self.isStale = isStale
        self.retryAfter = retryAfter
    }
}

extension EgressResponse: CustomStringConvertible {
    public var description: String { "HTTP \(status), \(body.count) bytes" }
}

/// The body of a streamed answer.
public struct EgressStream: Sendable {
    /// The next bytes; empty at the end. One at a time.
    public var read: @Sendable (_ limit: Int) async throws(EgressFailure) -> [UInt8]
    public var cancel: @Sendable () -> Void

    public init(
        read: @escaping @Sendable (Int) async throws(EgressFailure) -> [UInt8], cancel: @escaping @Sendable () -> Void
    ) {
        self.read = read
        self.cancel = cancel
    }
}

/// Why there is no answer. Holds nothing of addresses beyond their origin, of headers or bodies.
public struct EgressFailure: Error, Sendable, Hashable {
    /// What a plugin is told with a status of the ABI.
    public enum Kind: Sendable, Hashable {
        case invalid, notGranted, hostNotAllowed, authRequired, rateLimited, unavailable, rejected, deadline, tooLarge
        case cancelled, busy, internalFault
    }

    public var kind: Kind
    /// Stable, for programs: docs/plugins/http.md lists them.
    public var code: String
    /// For authors and logs.
    public var message: String
    public var retryAfter: Duration?
    /// Of the answer that led to it, if any.
    public var status: Int
    public var redirects: Int

    public init(
        _ kind: Kind, _ code: String, _ message: String, retryAfter: Duration? = nil, status: Int = 0,
        redirects: Int = 0
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.status = status
        self.redirects = redirects
    }
}
