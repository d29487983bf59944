import Foundation
import Glibc
import TandemCore
import TandemEgress

/// Plugins' requests to a server on this machine: with allow-list, address check, limits and breaker, over kept
/// connections. The server is a thread of the load driver's kind and shares the machine.
enum EgressBenchmark {
    static let requests = 10_000
    static let concurrency = 64

    static func run(_ place: Place) async throws -> [Figure] {
        let program = place.folder + "/answer-server"
        try place.compile("Benchmarks/AnswerServer/main.c", to: program)
        let server = try AnswerServer(program)
        defer { server.stop() }
        var options = CurlClient.Options()
        options.usesEnvironmentProxy = false
        options.maxConnectionsPerHost = concurrency
        let client = CurlClient(options: options)
        let egress = GuardedEgress(client: client, metrics: MetricsRegistry())
        guard let rule = HostRule("http://127.0.0.1:\(server.port)"), let loopback = IPNetwork("127.0.0.0/8") else {
            throw Child.Failure(description: "the server's address is no address")
        }
        let wide = Rate(perSecond: 1e9, burst: 1e9)
        let caller = EgressCaller(
            plugin: "tandem.bench", scope: UserScope(authenticated: UserID(rawValue: 1)),
            policy: EgressPolicy(
                declared: [DeclaredHost(rule, reason: "to measure")], networks: AddressPolicy(allowing: [loopback]),
                limits: [ProviderLimit(host: rule, perUser: wide, total: wide, concurrent: concurrency)]),
            mayWrite: true, deadline: .max)
        let url = "http://127.0.0.1:\(server.port)/answer"
        let plain = EgressRequest(.get, url, timeout: .seconds(60))
        let cached = EgressRequest(.get, url, timeout: .seconds(60), cache: EgressRequest.CacheUse())

        var rates: [Double] = []
        var costs: [Double] = []
        var hits: [Double] = []
        var bare: [Double] = []
        for run in 0..<4 {
            let whole = try await load { _ = try await egress.send(plain, for: caller) }
            let kept = try await load { _ = try await egress.send(cached, for: caller) }
            let direct = try await load {
                _ = try await client.send(HTTPRequest(.get, plain.url, timeout: .seconds(60)))
            }
            // The first one warms up.
            if run == 0 { continue }
            rates.append(Double(requests) / whole.seconds)
            costs.append(whole.cpu * 1e6 / Double(requests))
            hits.append(kept.cpu * 1e6 / Double(requests))
            bare.append(direct.cpu * 1e6 / Double(requests))
        }
        await client.shutdown()
        return [
            Figure(name: "outbound requests, \(concurrency) at once", unit: "/s", values: rates),
            Figure(name: "outbound request, processor time", unit: "us", values: costs),
            Figure(name: "the same without allow-list and limits", unit: "us", values: bare),
            Figure(name: "outbound request from the cache, processor time", unit: "us", values: hits),
        ]
    }

    /// Seconds on the clock and of this process's processor time, for all requests.
    private static func load(
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> (seconds: Double, cpu: Double) {
        let start = monotonicNanoseconds()
        let before = processorSeconds()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<concurrency {
                group.addTask {
                    for _ in stride(from: worker, to: requests, by: concurrency) { try await body() }
                }
            }
            try await group.waitForAll()
        }
        return (Double(monotonicNanoseconds() - start) / 1e9, processorSeconds() - before)
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// The server process; says its port on its first line.
private final class AnswerServer {
    let port: Int
    private let process = Process()

    init(_ program: String) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.standardOutput = output
        // It ends with the pipe, whatever becomes of us.
        process.standardInput = Pipe()
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            Child.end(process)
            throw Child.Failure(description: "the answer server did not say its port")
        }
        self.port = port
    }

    /// Killed: it has inherited that the benchmarks ignore the gentler signals.
    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
