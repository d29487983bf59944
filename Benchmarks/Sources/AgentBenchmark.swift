import Foundation
import Glibc
import Synchronization
import TandemAgent
import TandemApplication
import TandemCore
import TandemJSON
import TandemLanguage
import TandemModels

/// Turns that go through a language model, without the model's own time: the model answers at once, with the calls that the
/// embedded planner reads in the same words, and then with a sentence.
///
/// 1,000 conversations at once, each a message every eight seconds (an open loop: counted from when a message was due); what
/// an idle conversation keeps in memory; and the tokens of ten days of one person's messages (`TenDays`), as estimated
/// before a service has counted.
enum AgentBenchmark {
    private static let people = 1000
    private static let pause: UInt64 = 8_000_000_000
    private static let rounds = 2

    static func run(_ place: Place) async throws -> [Figure] {
        var figures = try await crowd(place)
        figures += try await tenDays(place)
        return figures
    }

    private static func with<Result: Sendable>(
        _ place: Place, _ model: InstantModel, _ body: sending (Application) async throws -> Result
    ) async throws -> Result {
        let configuration = try Configuration(environment: ["TANDEM_DATA": try place.fresh("agent")])
        var options = Application.Options()
        options.executableFolder = place.buildFolder
        options.language = model
        return try await Application.with(configuration, options: options, body)
    }

    // MARK: 1,000 conversations

    private static func crowd(_ place: Place) async throws -> [Figure] {
        let model = InstantModel()
        let (times, kilobytes) = try await with(place, model) { application in
            var scopes: [UserScope] = []
            for index in 0..<people {
                scopes.append(try await application.demoAccount(email: "p\(index)@bench.test"))
            }
            // What everybody shares is there before anybody counts.
            _ = try await application.agent.converse("what's next?", channel: "bench", scope: scopes[0])
            let before = resident()
            _ = try await arrive(application, scopes, rounds: 1)
            let after = resident()
            let times = try await arrive(application, scopes, rounds: rounds)
            return (times, (after - before) / Double(people))
        }
        func milliseconds(_ share: Double) -> [Double] {
            [Double(times[min(times.count - 1, Int(Double(times.count) * share))]) / 1e6]
        }
        return [
            Figure(
                name: "turn with a model, 1,000 conversations, P99", unit: "ms", values: milliseconds(0.99),
                goal: "< 20"),
            Figure(name: "turn with a model, 1,000 conversations, P50", unit: "ms", values: milliseconds(0.5)),
            Figure(name: "memory of an idle conversation", unit: "KiB", values: [kilobytes]),
        ]
    }

    /// Everybody writes at instants of their own; the sorted times from when a message was due to its answer.
    private static func arrive(
        _ application: Application, _ scopes: [UserScope], rounds: Int
    ) async throws -> [UInt64] {
        let begin = monotonicNanoseconds() + 100_000_000
        return try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for (index, scope) in scopes.enumerated() {
                group.addTask {
                    var times: [UInt64] = []
                    for round in 0..<rounds {
                        let due = begin + UInt64(round) * pause + pause / UInt64(scopes.count) * UInt64(index)
                        let now = monotonicNanoseconds()
                        if due > now { try await Task.sleep(for: .nanoseconds(due - now), tolerance: .zero) }
                        let message = TurnBenchmark.messages[(round + index) % TurnBenchmark.messages.count]
                        _ = try await application.agent.converse(message, channel: "bench", scope: scope)
                        times.append(monotonicNanoseconds() - due)
                    }
                    return times
                }
            }
            var all: [UInt64] = []
            for try await times in group { all += times }
            return all.sorted()
        }
    }

    /// Of this process, in KiB.
    private static func resident() -> Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Double($0) } ?? 0
    }

    // MARK: Ten days

    private static func tenDays(_ place: Place) async throws -> [Figure] {
        let model = InstantModel()
        var turns = 0
        try await with(place, model) { application in
            let scope = try await application.demoAccount(email: "days@bench.test")
            for message in TenDays.messages {
                _ = try await application.agent.converse(message, channel: "bench", scope: scope)
            }
        }
        turns = TenDays.messages.count
        let count = model.count
        func each(_ value: Int) -> [Double] { [Double(value) / Double(turns)] }
        return [
            Figure(name: "tokens in, a turn of ten days", unit: "", values: each(count.input)),
            Figure(name: "of these instructions and declarations of tools", unit: "", values: each(count.fixed)),
            Figure(name: "tokens out, a turn of ten days", unit: "", values: each(count.output)),
            Figure(name: "requests, a turn of ten days", unit: "", values: each(count.requests)),
        ]
    }
}

/// A model without any time of its own.
private final class InstantModel: LanguageProvider {
    struct Count: Sendable {
        var requests = 0
        var input = 0
        /// Instructions and tools.
        var fixed = 0
        var output = 0
    }

    let name = "instant"
    private let embedded = EmbeddedLanguageProvider()
    private let state = Mutex(Count())

    var count: Count { state.withLock { $0 } }

    func respond(to request: LanguageRequest) async throws -> LanguageResponse {
        let response = answer(to: request)
        var whole = request
        if whole.instructions.isEmpty { whole.instructions = PromptLibrary.builtIn.assistant.text }
        let input = TokenEstimate.input(of: whole)
        whole.messages = []
        let fixed = TokenEstimate.input(of: whole)
        let output =
            TokenEstimate.tokens(of: response.text ?? "")
            + TokenEstimate.tokens(of: [.assistant(text: nil, calls: response.calls)])
        state.withLock { count in
            count.requests += 1
            count.input += input
            count.fixed += fixed
            count.output += output
        }
        return response
    }

    private func answer(to request: LanguageRequest) -> LanguageResponse {
        // Results are there: a sentence, and the turn is over.
        if case .result(_, _, let value, _, _)? = request.messages.last {
            return LanguageResponse(text: value["message"]?.stringValue ?? "Done.")
        }
        guard case .person(let text)? = request.messages.last else { return LanguageResponse(text: "Yes?") }
        var words = request
        words.messages = [.person(text)]
        var response = embedded.plan(words)
        response.calls = response.calls.filter { $0.missing.isEmpty }
        for index in response.calls.indices { response.calls[index].id = "call-\(index)" }
        if response.calls.isEmpty { response.text = response.text ?? "Tell me a little more." }
        return response
    }
}
