import Foundation
import Synchronization
import TandemCore
import TandemEgress
import TandemJSON
import TandemStorage
import TwilioSimulator

@testable import TandemApplication

/// What many people ask of two hosts at once, over real connections, until it is told to end. Everything that changes
/// something is asked again until it is acknowledged, now of one host and now of the other, as behind a balancer.
final class HostLoad: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        /// A text message, as Twilio delivers it.
        case text
        /// `POST /tasks` and `POST /messages` with a key.
        case task, message
        /// `GET /tasks`.
        case read
        /// `GET /me` with the token of a session that was ended.
        case ended
        /// A route of few calls, asked for as fast as it goes.
        case limited

        /// What may be answered while everything is there.
        var good: Set<Int> {
            switch self {
            case .text, .read: [200]
            case .task: [201]
            case .message: [201, 202]
            case .ended: [401]
            case .limited: [409, 429]
            }
        }

        /// Answers that say: ask again.
        var passing: Set<Int> { self == .task || self == .message ? [409, 503] : [503] }
    }

    struct Person: Sendable {
        var scope: UserScope
        var phone = ""
        var token = ""
    }

    struct Cast: Sendable {
        var texting: [Person]
        var planning: Person
        var limited: Person
        /// A session of `planning` that is over.
        var endedToken = ""
    }

    private struct State {
        /// By host and kind, since `forget`.
        var seen: [Key: Set<Int>] = [:]
        var faults: [String] = []
        var slowest: [Kind: Duration] = [:]
        var counts: [Kind: Int] = [:]
        var allowed = 0
        var next = 0
        /// What was acknowledged: a text's cents by number, a task's title, a message's words.
        var texts: [String: [Int]] = [:]
        var tasks: [String] = []
        var messages: [String] = []
    }

    private struct Key: Hashable {
        var host: Int
        var kind: Kind
    }

    let ports: [Int]
    let client: CurlClient
    private let simulator: TwilioSimulator
    private let cast: Cast
    private let state = Mutex(State())

    init(_ ports: [Int], _ client: CurlClient, _ simulator: TwilioSimulator, _ cast: Cast) {
        self.ports = ports
        self.client = client
        self.simulator = simulator
        self.cast = cast
    }

    // MARK: What was seen

    /// Looks at what is answered from here on.
    func forget() { state.withLock { $0.seen = [:] } }

    /// Every host has answered all of the kinds with one of the statuses since `forget`.
    func haveAll(_ kinds: [Kind], _ statuses: (Kind) -> Set<Int>) -> Bool {
        state.withLock { state in
            kinds.allSatisfy { kind in
                ports.indices.allSatisfy { host in
                    !statuses(kind).isDisjoint(with: state.seen[Key(host: host, kind: kind)] ?? [])
                }
            }
        }
    }

    func seen(_ kind: Kind) -> Set<Int> {
        state.withLock { state in
            ports.indices.reduce(into: []) { $0.formUnion(state.seen[Key(host: $1, kind: kind)] ?? []) }
        }
    }

    /// Answers that must never be.
    var faults: [String] { state.withLock { $0.faults } }
    var counts: [Kind: Int] { state.withLock { $0.counts } }
    var slowest: [Kind: Duration] { state.withLock { $0.slowest } }
    /// How often the limited route let somebody in.
    var allowed: Int { state.withLock { $0.allowed } }
    var texts: [String: [Int]] { state.withLock { $0.texts } }
    var tasks: [String] { state.withLock { $0.tasks } }
    var messages: [String] { state.withLock { $0.messages } }

    private func note(_ kind: Kind, _ host: Int, _ response: HTTPResponse?, _ time: Duration) {
        let status = response?.status ?? 0
        var fault: String?
        if !kind.good.contains(status), !kind.passing.contains(status) {
            fault = "\(kind.rawValue): \(status) after \(time)"
        } else if status == 503 || status == 429 {
            let isProblem = response?.headers["content-type"] == "application/problem+json"
            if !isProblem || response?.headers["retry-after"] == nil { fault = "\(kind.rawValue): a bare \(status)" }
        }
        state.withLock { state in
            state.seen[Key(host: host, kind: kind), default: []].insert(status)
            state.counts[kind, default: 0] += 1
            state.slowest[kind] = max(state.slowest[kind] ?? .zero, time)
            if kind == .limited, status == 409 { state.allowed += 1 }
            if let fault, state.faults.count < 20 { state.faults.append(fault) }
        }
    }

    private func next() -> Int {
        state.withLock { state in
            state.next += 1
            return state.next
        }
    }

    // MARK: Asking

    /// Goes on until the task is cancelled and what was begun is acknowledged.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for (index, person) in cast.texting.enumerated() {
                group.addTask { await self.text(as: person, from: index) }
            }
            for index in 0..<2 { group.addTask { await self.plan(from: index) } }
            group.addTask { await self.converse() }
            for host in ports.indices {
                group.addTask {
                    await self.ask(.read, host, .get, "/tasks?limit=5", self.cast.planning.token, pause: 25)
                }
                group.addTask { await self.ask(.ended, host, .get, "/me", self.cast.endedToken, pause: 40) }
                group.addTask {
                    await self.ask(
                        .limited, host, .post, "/erasure", self.cast.limited.token, ["email": "somebody@example.org"],
                        pause: 40)
                }
            }
        }
    }

    /// The same question to one host, over and over.
    private func ask(
        _ kind: Kind, _ host: Int, _ method: HTTPRequest.Method, _ path: String, _ token: String, _ body: JSON? = nil,
        pause: Int
    ) async {
        while !Task.isCancelled {
            _ = await send(kind, host) { try await self.api(method, host, path, token, body) }
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }

    private func send(
        _ kind: Kind, _ host: Int, _ body: @escaping @Sendable () async throws -> HTTPResponse
    ) async -> HTTPResponse? {
        let start = ContinuousClock.now
        // What is under way when the load ends is still answered.
        let response = await Task { try? await body() }.value
        note(kind, host, response, ContinuousClock.now - start)
        return response
    }

    /// Of one host after the other, until it is acknowledged.
    private func insist(
        _ kind: Kind, from first: Int, _ body: @escaping @Sendable (_ host: Int) async throws -> HTTPResponse
    ) async {
        // By the clock: where answers come quickly, refusals do, too.
        let end = ContinuousClock.now + .seconds(120)
        var attempt = 0
        while ContinuousClock.now < end {
            defer { attempt += 1 }
            let host = (first + attempt) % ports.count
            let response = await send(kind, host) { try await body(host) }
            if kind.good.contains(response?.status ?? 0) { return }
            await Task { try? await Task.sleep(for: .milliseconds(20)) }.value
        }
        state.withLock { $0.faults.append("\(kind.rawValue): never acknowledged") }
    }

    private func text(as person: Person, from first: Int) async {
        while !Task.isCancelled {
            let cents = 1000 + next()
            let request = simulator.inbound(
                from: person.phone, body: "I spent \(HostLoad.amount(cents)) euros on lunch",
                url: Household.publicBase + "/webhook/sms")
            await insist(.text, from: first + cents) { host in
                try await self.client.respond(to: request, port: self.ports[host])
            }
            state.withLock { $0.texts[person.phone, default: []].append(cents) }
            try? await Task.sleep(for: .milliseconds(120))
        }
    }

    private func plan(from first: Int) async {
        while !Task.isCancelled {
            let number = next()
            let title = "Water plant \(number)"
            await insist(.task, from: first) { host in
                try await self.api(
                    .post, host, "/tasks", self.cast.planning.token, ["title": .string(title)], key: "task-\(number)")
            }
            state.withLock { $0.tasks.append(title) }
            try? await Task.sleep(for: .milliseconds(60))
        }
    }

    private func converse() async {
        while !Task.isCancelled {
            let number = next()
            let words = "I spent \(HostLoad.amount(1000 + number)) euros on tea"
            await insist(.message, from: number) { host in
                try await self.api(
                    .post, host, "/messages", self.cast.planning.token, ["text": .string(words)],
                    key: "message-\(number)")
            }
            state.withLock { $0.messages.append(words) }
            try? await Task.sleep(for: .milliseconds(150))
        }
    }

    /// One request of `/api/v1`.
    func api(
        _ method: HTTPRequest.Method, _ host: Int, _ path: String, _ token: String? = nil, _ body: JSON? = nil,
        key: String? = nil
    ) async throws -> HTTPResponse {
        var headers = HTTPHeaders()
        if let token { headers["Authorization"] = "Bearer \(token)" }
        if let key { headers["Idempotency-Key"] = key }
        if body != nil { headers["Content-Type"] = "application/json" }
        return try await client.send(
            HTTPRequest(
                method, "http://127.0.0.1:\(ports[host])/api/v1\(path)", headers: headers,
                body: body?.serialized() ?? [], timeout: .seconds(30)))
    }

    /// `12.34`.
    static func amount(_ cents: Int) -> String {
        "\(cents / 100).\(cents % 100 / 10)\(cents % 10)"
    }
}
