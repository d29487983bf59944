import Foundation
import TandemAgent
import TandemApplication
import TandemCore

/// Whole turns with the embedded planner, real plugins and a durable database.
///
/// Three loads: 100 people who each write something new a second after the last message, whether or not it was answered
/// (an open loop, evenly spread, time counted from when the message was due); 100 people who each write again the moment
/// they are answered (a closed loop without a pause: the machine is saturated, so it measures the rate; the time to an
/// answer is then no more than people divided by rate); and one person alone.
enum TurnBenchmark {
    static let messages = [
        "add milk and eggs to my list", "what's on my grocery list?", "I bought the milk for 3.20",
        "how much did I spend this month?", "I need to call the dentist tomorrow", "what's next?", "undo",
        "remember that my locker code is 4417",
    ]

    static func run(_ place: Place) async throws -> [Figure] {
        var crowd: [Double] = []
        var middle: [Double] = []
        var rate: [Double] = []
        var alone: [Double] = []
        var steady: [Double] = []
        var steadyMiddle: [Double] = []
        for _ in 0..<3 {
            let data = try place.fresh("turn")
            let configuration = try Configuration(environment: ["TANDEM_DATA": data])
            var options = Application.Options()
            options.executableFolder = place.buildFolder
            let (all, seconds, single, open) = try await Application.with(configuration, options: options) {
                application in
                var people: [UserScope] = []
                for index in 0..<100 { people.append(try await application.demoAccount(email: "p\(index)@bench.test")) }
                // Everybody's plugins and caches are warm before it counts.
                _ = try await converse(application, people, rounds: 1)
                let start = monotonicNanoseconds()
                let all = try await converse(application, people, rounds: 4)
                let seconds = Double(monotonicNanoseconds() - start) / 1e9
                let single = try await converse(application, Array(people.prefix(1)), rounds: 20)
                let open = try await arrive(application, people, messages: 6)
                return (all, seconds, single, open)
            }
            crowd.append(Double(all[all.count * 99 / 100]) / 1e6)
            middle.append(Double(all[all.count / 2]) / 1e6)
            rate.append(Double(all.count) / seconds)
            steady.append(Double(open[open.count * 99 / 100]) / 1e6)
            steadyMiddle.append(Double(open[open.count / 2]) / 1e6)
            alone.append(Double(single[single.count / 2]) / 1e6)
        }
        return [
            Figure(name: "turn, 100 people, a message a second each, P99", unit: "ms", values: steady, goal: "< 20"),
            Figure(name: "turn, 100 people, a message a second each, P50", unit: "ms", values: steadyMiddle),
            Figure(name: "turn, 100 people without a pause, P99", unit: "ms", values: crowd, goal: "< 20"),
            Figure(name: "turn, 100 people without a pause, P50", unit: "ms", values: middle),
            Figure(name: "turns, 100 people without a pause", unit: "/s", values: rate),
            Figure(name: "turn, one person, P50", unit: "ms", values: alone),
        ]
    }

    /// Everybody sends their messages one after the other, all at the same time; the sorted times in nanoseconds.
    private static func converse(
        _ application: Application, _ people: [UserScope], rounds: Int
    ) async throws -> [UInt64] {
        try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for (index, scope) in people.enumerated() {
                group.addTask {
                    var times: [UInt64] = []
                    for turn in 0..<(rounds * messages.count) {
                        let message = messages[(turn + index) % messages.count]
                        let start = monotonicNanoseconds()
                        _ = try await application.agent.converse(message, channel: "bench", scope: scope)
                        times.append(monotonicNanoseconds() - start)
                    }
                    return times
                }
            }
            var all: [UInt64] = []
            for try await times in group { all += times }
            return all.sorted()
        }
    }

    /// Everybody sends a message a second, each at an instant of their own within it; the sorted times from when a
    /// message was due to its answer, in nanoseconds.
    private static func arrive(
        _ application: Application, _ people: [UserScope], messages count: Int
    ) async throws -> [UInt64] {
        let second: UInt64 = 1_000_000_000
        let begin = monotonicNanoseconds() + second / 10
        return try await withThrowingTaskGroup(of: UInt64.self) { group in
            for turn in 0..<count {
                for (index, scope) in people.enumerated() {
                    let due = begin + UInt64(turn) * second + second / UInt64(people.count) * UInt64(index)
                    group.addTask {
                        let now = monotonicNanoseconds()
                        if due > now { try await Task.sleep(for: .nanoseconds(due - now), tolerance: .zero) }
                        let message = messages[(turn + index) % messages.count]
                        _ = try await application.agent.converse(message, channel: "bench", scope: scope)
                        return monotonicNanoseconds() - due
                    }
                }
            }
            var all: [UInt64] = []
            for try await time in group { all.append(time) }
            return all.sorted()
        }
    }
}
