import ScriptServer
import Synchronization
import TandemCore
import Testing

@testable import TandemEgress

/// An egress with small delays, and callers for servers of this machine.
struct EgressWorld: Sendable {
    let egress: GuardedEgress
    let metrics = MetricsRegistry()
    let clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_790_000_000_000))
    let tokens = FakeTokens()
    let client: CurlClient

    init(fixedAddresses: [String] = [], _ edit: (inout GuardedEgress.Options) -> Void = { _ in }) {
        var clientOptions = CurlClient.Options()
        clientOptions.usesEnvironmentProxy = false
        clientOptions.fixedAddresses = fixedAddresses
        client = CurlClient(options: clientOptions)
        var options = GuardedEgress.Options()
        options.retries.baseDelay = .milliseconds(1)
        options.random = { 0.5 }
        edit(&options)
        egress = GuardedEgress(client: client, tokens: tokens, clock: clock, metrics: metrics, options: options)
    }

    /// Somebody whose plugin may reach these hosts.
    func caller(
        _ hosts: [String], reads: [String] = [], user: Int64 = 1, plugin: String = "test.plugin",
        networks: [String] = ["127.0.0.0/8"], mayWrite: Bool = true, ceiling: [String]? = nil,
        limits: [ProviderLimit]? = nil, within: Duration = .seconds(20)
    ) -> EgressCaller {
        let declared = hosts.compactMap { host in
            HostRule(host).map {
                DeclaredHost($0, reason: "test", reads: reads.compactMap(ReadingRequest.init))
            }
        }
        let wide = declared.map {
            ProviderLimit(
                host: $0.rule, perUser: Rate(perSecond: 10_000, burst: 10_000),
                total: Rate(perSecond: 10_000, burst: 10_000), concurrent: 1000)
        }
        return EgressCaller(
            plugin: plugin, scope: UserScope(authenticated: UserID(rawValue: user)),
            policy: EgressPolicy(
                declared: declared, ceiling: ceiling.map { $0.compactMap(HostRule.init) },
                networks: AddressPolicy(allowing: networks.compactMap(IPNetwork.init)), limits: limits ?? wide),
            mayWrite: mayWrite, deadline: monotonicNanoseconds() + UInt64(within.milliseconds) * 1_000_000)
    }

    func failure(_ request: EgressRequest, _ caller: EgressCaller) async -> EgressFailure? {
        do throws(EgressFailure) {
            _ = try await egress.send(request, for: caller)
            return nil
        } catch {
            return error
        }
    }

    func text(_ request: EgressRequest, _ caller: EgressCaller) async throws -> String {
        String(decoding: try await egress.send(request, for: caller).body, as: UTF8.self)
    }

    var exposition: String { String(decoding: metrics.exposition(), as: UTF8.self) }
}

/// Tokens of a made-up service.
final class FakeTokens: GrantTokens {
    struct State: Sendable {
        var hosts: [HostRule] = []
        var current = "one"
        var subject = "account-1"
        var failure: GrantTokenFailure?
        var renewals = 0
    }

    let state = Mutex(State())

    func hosts(of grant: String, plugin: String) -> [HostRule]? {
        grant == "calendar" ? state.withLock { $0.hosts } : nil
    }

    func token(
        of grant: String, plugin: String, in scope: UserScope
    ) async throws(GrantTokenFailure) -> GrantToken {
        let (failure, value, subject) = state.withLock { ($0.failure, $0.current, $0.subject) }
        if let failure { throw failure }
        return GrantToken(value: Secret("Bearer \(value)"), subject: subject)
    }

    func renewed(
        _ token: GrantToken, of grant: String, plugin: String, in scope: UserScope
    ) async throws(GrantTokenFailure) -> GrantToken {
        state.withLock { state in
            state.renewals += 1
            state.current += "+"
        }
        return try await self.token(of: grant, plugin: plugin, in: scope)
    }
}

/// Answers one after the other; the last one stays.
final class Answers: Sendable {
    private let rest: Mutex<[ScriptServer.Answer]>

    init(_ answers: ScriptServer.Answer...) { rest = Mutex(answers) }

    func next() -> ScriptServer.Answer {
        rest.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? .close }
    }
}
