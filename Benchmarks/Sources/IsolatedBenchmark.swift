import Foundation
import TandemCore
import TandemJSON
import TandemPluginHost

/// A plugin call into another process with grants and both validations, 1 KB of JSON each way, and the way back after a
/// crash.
enum IsolatedBenchmark {
    static func run(_ place: Place) async throws -> [Figure] {
        let folder = try place.fresh("isolated")
        let bundles = folder + "/plugins"
        let library = folder + "/libcecho.so"
        try place.compile(
            "Benchmarks/echo.c", to: library,
            ["-std=c11", "-fPIC", "-shared", "-fvisibility=hidden", "-I\(place.root)/PluginSDK/C/include"])
        let tandem = place.buildFolder + "/tandem"
        try Child.check(tandem, ["plugin", "pack", library, "--into", bundles])
        try Child.check(tandem, ["plugin", "pack", place.buildFolder + "/libEchoBench.so", "--into", bundles])
        let registry: JSON = [
            "version": 1,
            "plugins": .array(
                [("tandem.bench-cecho", "cecho"), ("tandem.bench-echo", "echobench")].map { id, bundle in
                    [
                        "id": .string(id), "bundle": .string(bundle), "trust": "first-party", "isolation": "runner",
                        "default": "enabled",
                    ]
                }),
        ]
        try Data(registry.pretty().utf8).write(to: URL(fileURLWithPath: folder + "/registry.json"))
        let host = PluginHost(
            configuration: PluginHostConfiguration(
                registryPath: folder + "/registry.json", searchPaths: [bundles], buildFolder: bundles,
                runner: RunnerConfiguration(crashesToOpen: 1000, backOff: .zero)),
            services: HostServices(rows: NoRows()), grants: MemoryGrantStore())
        await host.start()
        defer { host.shutDown() }
        for status in host.statuses() {
            if let refusal = status.refusal { throw Child.Failure(description: "\(status.id): \(refusal.reason)") }
        }
        // As many people as calls in flight: a person's calls to one plugin come one after the other by default.
        let people = (1...16).map { UserScope(authenticated: UserID(rawValue: $0)) }
        for person in people {
            _ = try await host.switchOn("tandem.bench-cecho", in: person)
            _ = try await host.switchOn("tandem.bench-echo", in: person)
        }
        var figures: [Figure] = []
        for (name, tool) in [("C plugin", "cbench.give"), ("Swift plugin", "bench.give")] {
            figures += try await measure(host, tool: tool, name: name, people: people)
            figures += try await measureAwake(host, tool: tool, name: name, people[0])
        }
        figures.append(try await restart(host, "tandem.bench-cecho", tool: "cbench.give", people[0], name: "C plugin"))
        figures.append(
            try await restart(host, "tandem.bench-echo", tool: "bench.give", people[0], name: "Swift plugin"))
        return figures
    }

    private static func measure(
        _ host: PluginHost, tool: String, name: String, people: [UserScope]
    ) async throws -> [Figure] {
        var single = Latencies()
        var many = Latencies()
        var rates: [Double] = []
        for run in 0..<4 {
            let one = try await times(host, tool: tool, people: Array(people.prefix(1)), calls: 20_000)
            let all = try await times(host, tool: tool, people: people, calls: 5_000)
            guard run > 0 else { continue }
            single.add(one.times)
            many.add(all.times)
            rates.append(Double(all.times.count) / (Double(all.duration) / 1e9))
        }
        return [
            Figure(name: "isolated call, \(name), 1 in flight, p50", unit: "us", values: single.p50),
            Figure(name: "isolated call, \(name), 1 in flight, p99", unit: "us", values: single.p99),
            Figure(name: "isolated call, \(name), 16 in flight, p50", unit: "us", values: many.p50),
            Figure(name: "isolated call, \(name), 16 in flight, p99", unit: "us", values: many.p99),
            Figure(name: "isolated calls, \(name), 16 in flight", unit: "calls/s", values: rates, goal: ">= 100000"),
        ]
    }

    /// The same with processors that do not sleep between two calls, as on a host that has something to do: what a
    /// sleeping one takes to wake up is the machine's, and depends on it.
    private static func measureAwake(
        _ host: PluginHost, tool: String, name: String, _ person: UserScope
    ) async throws -> [Figure] {
        let spinners = Spinners()
        defer { spinners.end() }
        var single = Latencies()
        for run in 0..<4 {
            let one = try await times(host, tool: tool, people: [person], calls: 20_000)
            if run > 0 { single.add(one.times) }
        }
        let title = "isolated call, \(name), 1 in flight, busy"
        return [
            Figure(name: "\(title), p50", unit: "us", values: single.p50, goal: "<= 25"),
            Figure(name: "\(title), p99", unit: "us", values: single.p99),
        ]
    }

    private struct Latencies {
        var p50: [Double] = []
        var p99: [Double] = []

        mutating func add(_ times: [UInt64]) {
            let sorted = times.sorted()
            p50.append(Double(sorted[sorted.count / 2]) / 1000)
            p99.append(Double(sorted[sorted.count * 99 / 100]) / 1000)
        }
    }

    /// Each person makes so many calls, one after the other.
    private static func times(
        _ host: PluginHost, tool: String, people: [UserScope], calls: Int
    ) async throws -> (times: [UInt64], duration: UInt64) {
        let arguments = CallBenchmark.things()
        let started = monotonicNanoseconds()
        let all = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for person in people {
                group.addTask {
                    let call = ToolCall(
                        tool: tool, arguments: arguments, origin: WriteOrigin(turn: RecordID(rawValue: 1), step: 0),
                        deadlineNanoseconds: .max, idempotencyKey: "bench", allowedEffect: .read)
                    var times: [UInt64] = []
                    times.reserveCapacity(calls)
                    for _ in 0..<calls {
                        let start = monotonicNanoseconds()
                        let outcome = await host.call(call, in: person)
                        times.append(monotonicNanoseconds() - start)
                        guard case .value = outcome else {
                            throw Child.Failure(description: "\(tool) answered \(outcome)")
                        }
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return (all, monotonicNanoseconds() - started)
    }

    /// From the kill of the process to the next answer.
    private static func restart(
        _ host: PluginHost, _ plugin: String, tool: String, _ person: UserScope, name: String
    ) async throws -> Figure {
        let call = ToolCall(
            tool: tool, arguments: CallBenchmark.things(),
            origin: WriteOrigin(turn: RecordID(rawValue: 1), step: 0), deadlineNanoseconds: .max,
            idempotencyKey: "bench", allowedEffect: .read)
        var values: [Double] = []
        for _ in 0..<9 {
            guard let process = host.statuses().first(where: { $0.id == plugin })?.runner?.process else {
                throw Child.Failure(description: "\(plugin) does not run")
            }
            let start = monotonicNanoseconds()
            kill(process, SIGKILL)
            while true {
                if case .value = await host.call(call, in: person) { break }
            }
            // A call may have been answered before the signal arrived.
            guard host.statuses().first(where: { $0.id == plugin })?.runner?.process != process else { continue }
            values.append(Double(monotonicNanoseconds() - start) / 1e6)
        }
        return Figure(name: "crash to first answer again, \(name)", unit: "ms", values: values)
    }
}
