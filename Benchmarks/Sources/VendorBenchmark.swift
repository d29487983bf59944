import Foundation
import Glibc
import TandemAccounts
import TandemAgent
import TandemApplication
import TandemCore
import TandemEgress
import TandemOAuth
import TandemPluginHost

/// Whole turns of many people that work with services elsewhere: Gmail, Outlook, Notion, YouTube and DuckDuckGo with the real
/// plugins, tokens and limits, before their simulators in another process on this machine.
///
/// Turns are evenly spread (an open loop), in a mix that stays within every service's limits: no two begin at once. The
/// host's own part of a turn is its time less the time in which a simulator worked on one of its requests, by the
/// simulator's own journal: network, processes and threads count as the host's.
enum VendorBenchmark {
    static let people = 40
    static let seconds = 20
    /// Milliseconds before each answer of a simulator.
    static let latency = 20

    /// What is asked how often in a second; `#` is another word each time, so that nothing comes from a cache.
    private static let mix: [(text: String, perSecond: Int)] = [
        ("search gmail for w#", 76), ("search my outlook mail for w#", 76), ("search notion for w#", 46),
        ("my youtube playlists", 8), ("search the web for w#", 4),
    ]

    static func run(_ place: Place) async throws -> [Figure] {
        var rates: [Double] = []
        var own: [Double] = []
        var ownMiddle: [Double] = []
        var whole: [Double] = []
        var failures: [Double] = []
        var refused: [Double] = []
        for _ in 0..<3 {
            let folder = try place.fresh("vendors")
            let simulators = try Simulators(place, folder: folder)
            defer { simulators.stop() }
            var environment = try await simulators.settings()
            environment["TANDEM_DATA"] = folder + "/data"
            var options = Application.Options()
            options.executableFolder = place.buildFolder
            let (turns, bad, exposition) = try await Application.with(
                try Configuration(environment: environment), options: options
            ) { application in
                let everybody = try await VendorBenchmark.everybody(application)
                // Programs, connections and the plugins' instances warm up.
                _ = try await VendorBenchmark.arrive(application, everybody, seconds: 3, first: 1_000_000)
                let turns = try await VendorBenchmark.arrive(application, everybody, seconds: seconds, first: 0)
                return (
                    turns, turns.count { !$0.isGood },
                    String(decoding: application.metrics.exposition(), as: UTF8.self)
                )
            }
            let journal = try simulators.journal()
            let from = turns.map(\.start).min() ?? 0
            let to = turns.map(\.end).max() ?? 0
            let calls = journal.values.reduce(0) { $0 + $1.count { $0.start >= from && $0.end <= to } }
            rates.append(Double(calls) / Double(seconds))
            let parts = turns.map { turn in
                let work = turn.owners.flatMap { journal[$0] ?? [] }.filter {
                    $0.start >= turn.start && $0.end <= turn.end
                }
                return Double(turn.end - turn.start - covered(work)) / 1e6
            }.sorted()
            own.append(parts[parts.count * 99 / 100])
            ownMiddle.append(parts[parts.count / 2])
            let times = turns.map { Double($0.end - $0.start) / 1e6 }.sorted()
            whole.append(times[times.count * 99 / 100])
            failures.append(Double(bad))
            refused.append(
                sum("tandem_egress_refusals_total", exposition) + sum("tandem_egress_breaker_open", exposition))
        }
        return [
            Figure(name: "vendor calls, five services, \(people) people", unit: "/s", values: rates, goal: ">= 200"),
            Figure(name: "a turn's own part at that, P99", unit: "ms", values: own, goal: "< 10"),
            Figure(name: "a turn's own part at that, P50", unit: "ms", values: ownMiddle),
            Figure(name: "the whole turn, with \(latency) ms of each service, P99", unit: "ms", values: whole),
            Figure(name: "turns that failed", unit: "", values: failures, goal: "<= 0"),
            Figure(name: "calls held back by limits or breakers", unit: "", values: refused, goal: "<= 0"),
        ]
    }

    // MARK: People

    private struct Person: Sendable {
        var scope: UserScope
        /// Under which the simulators know their requests.
        var tokens: [String]
    }

    /// Accounts with every service on and connected.
    private static func everybody(_ application: Application) async throws -> [Person] {
        var options = CurlClient.Options()
        options.usesEnvironmentProxy = false
        let browser = CurlClient(options: options)
        let connections = application.connections
        let accounts = [
            ("google", "tandem.gmail"), ("microsoft", "tandem.graph"), ("notion", "tandem.notion"),
            ("youtube", "tandem.youtube"),
        ]
        var everybody: [Person] = []
        for index in 0..<people {
            let scope = try await application.accounts.createUser(
                email: "person\(index)@example.org", fullName: "Somebody"
            ).scope
            for manifest in application.plugins.manifests {
                try await application.plugins.switchOn(manifest.id, in: scope)
            }
            let session = LoginSession(person: scope, id: Secret("bench"))
            var person = Person(scope: scope, tokens: [])
            for (provider, plugin) in accounts {
                let need = ConnectionNeed(provider: provider, plugin: plugin, level: .write)
                guard case .redirect(let address) = try await connections.begin(need, in: session) else { continue }
                let answer = try await browser.send(HTTPRequest(.get, address + "&decision=allow"))
                guard let back = answer.headers["location"], let query = back.firstIndex(of: "?"),
                    let path = back.firstRange(of: "/oauth/")?.lowerBound
                else { throw Child.Failure(description: "\(provider) did not agree: \(answer.status)") }
                _ = try await connections.finish(
                    AuthorizationCallback(
                        path: String(back[path..<query]), query: String(back[back.index(after: query)...])),
                    in: session)
                let grant = application.plugins.manifests.first { $0.id == plugin }?.accounts.first?.name ?? ""
                let token = try await connections.token(of: grant, plugin: plugin, in: scope).value.reveal()
                person.tokens.append(token.split(separator: " ").last.map(String.init) ?? "")
            }
            everybody.append(person)
        }
        await browser.shutdown()
        return everybody
    }

    // MARK: Turns

    private struct Turn: Sendable {
        var start: UInt64
        var end: UInt64
        var owners: [String]
        var isGood: Bool
    }

    /// Each text at its instants, people taking turns.
    private static func arrive(
        _ application: Application, _ everybody: [Person], seconds: Int, first: Int
    ) async throws -> [Turn] {
        let begin = monotonicNanoseconds() + 100_000_000
        var due: [(time: UInt64, text: String)] = []
        var serial = first
        for entry in mix {
            let count = entry.perSecond * seconds
            for index in 0..<count {
                serial += 1
                let time = begin + UInt64(index) * UInt64(seconds) * 1_000_000_000 / UInt64(count)
                due.append((time, entry.text.replacing("#", with: String(serial))))
            }
        }
        due.sort { $0.time < $1.time }
        // Each kind has its own rhythm, all together one: those that fell on the same instant follow each other.
        for index in due.indices {
            due[index].time = begin + UInt64(index) * UInt64(seconds) * 1_000_000_000 / UInt64(due.count)
        }
        return try await withThrowingTaskGroup(of: Turn.self) { group in
            for (index, message) in due.enumerated() {
                let person = everybody[index % everybody.count]
                group.addTask {
                    let now = monotonicNanoseconds()
                    if message.time > now {
                        try await Task.sleep(for: .nanoseconds(message.time - now), tolerance: .zero)
                    }
                    let start = monotonicNanoseconds()
                    let answer = try await application.agent.converse(
                        message.text, channel: "bench", scope: person.scope)
                    let end = monotonicNanoseconds()
                    let words = message.text.split(separator: " ").last.map(String.init) ?? ""
                    return Turn(
                        start: start, end: end, owners: person.tokens + [words],
                        isGood: answer.calls.count == 1 && answer.calls.allSatisfy { $0.outcome == "value" })
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Nanoseconds in which at least one of them went on.
    private static func covered(_ spans: [Simulators.Span]) -> UInt64 {
        var sum: UInt64 = 0
        var until: UInt64 = 0
        for span in spans.sorted(by: { $0.start < $1.start }) where span.end > until {
            sum += span.end - max(span.start, until)
            until = span.end
        }
        return sum
    }

    private static func sum(_ metric: String, _ exposition: String) -> Double {
        exposition.split(separator: "\n").filter { $0.hasPrefix(metric + "{") }.reduce(0) { sum, line in
            sum + (line.split(separator: " ").last.flatMap { Double($0) } ?? 0)
        }
    }
}

/// `tandem-simulators` as a process of its own.
private final class Simulators {
    struct Span {
        var start: UInt64
        var end: UInt64
    }

    private let folder: String
    private let process: Process

    init(_ place: Place, folder: String) throws {
        self.folder = folder
        process = Child.prepared(
            place.buildFolder + "/tandem-simulators",
            [
                "--environment", folder + "/settings", "--providers", folder + "/oauth.json", "--journal",
                folder + "/journal", "--latency", String(VendorBenchmark.latency),
            ], nil, errors: folder + "/simulators.log")
        try Child.start(process)
    }

    /// The environment that leads to them, once they serve.
    func settings() async throws -> [String: String] {
        for _ in 0..<600 {
            if let text = try? String(contentsOfFile: folder + "/settings", encoding: .utf8),
                text.contains("DUCKDUCKGO")
            {
                let pairs = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
                    let parts = line.split(separator: "=", maxSplits: 1)
                    return (String(parts[0]), String(parts[1].dropFirst().dropLast()))
                }
                return Dictionary(pairs, uniquingKeysWith: { $1 })
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Child.Failure(description: "the simulators did not start: see \(folder)/simulators.log")
    }

    /// When each person's requests were worked on.
    func journal() throws -> [String: [Span]] {
        var spans: [String: [Span]] = [:]
        for line in try String(contentsOfFile: folder + "/journal", encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 3)
            guard parts.count == 4, let start = UInt64(parts[0]), let end = UInt64(parts[1]) else { continue }
            spans[String(parts[3]), default: []].append(Span(start: start, end: end))
        }
        return spans
    }

    /// Killed: it has inherited that the benchmarks ignore the gentler signals.
    func stop() {
        kill(process.processIdentifier, SIGKILL)
        Child.waitForEnd(of: process)
    }
}
