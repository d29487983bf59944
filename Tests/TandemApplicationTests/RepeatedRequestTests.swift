import Foundation
import Synchronization
import TandemAccounts
import TandemCore
import TandemEgress
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// Requests with an idempotency key to a host that is killed at any time: brought again, each has its effect once, and an
/// answer that was given is given again.
@Suite(.timeLimit(.minutes(8)), .serialized, .eachEngine)
struct RepeatedRequestTests {
    private static let password = "plum harbour violet 7"
    private static let rounds = 6
    private static let perRound = 8

    private struct Request: Sendable {
        var path: String
        var body: JSON
        var key: String
    }

    private struct Answer: Sendable, Equatable {
        var status: Int
        var body: [UInt8]
        var location: String?
        var isReplayed = false
    }

    /// What was answered, by key.
    private final class Answers: Sendable {
        private let state = Mutex<[String: Answer]>([:])

        var all: [String: Answer] { state.withLock { $0 } }

        func add(_ answer: Answer, to key: String) { state.withLock { $0[key] = answer } }
    }

    private static func requests(_ round: Int) -> [Request] {
        (0..<perRound).map { number in
            let name = "\(round)-\(number)"
            let (path, body): (String, JSON) =
                switch number % 4 {
                case 0: ("/tasks", ["title": .string("Task \(name)")])
                case 1: ("/notes", ["title": .string("Note \(name)"), "content": "x"])
                case 2: ("/memories", ["content": .string("The code of locker \(name) is \(round)\(number)77")])
                default: ("/messages", ["text": .string("I spent \(round + 1)\(number).50 euros on tea")])
                }
            return Request(path: path, body: body, key: "key-\(name)")
        }
    }

    private func send(_ request: Request, _ port: Int, _ token: String, _ client: CurlClient) async -> Answer? {
        var headers = HTTPHeaders()
        headers["Authorization"] = "Bearer \(token)"
        headers["Content-Type"] = "application/json"
        headers["Idempotency-Key"] = request.key
        let response = try? await client.send(
            HTTPRequest(
                .post, "http://127.0.0.1:\(port)/api/v1\(request.path)", headers: headers,
                body: request.body.serialized(), timeout: .seconds(30)))
        guard let response else { return nil }
        return Answer(
            status: response.status, body: response.body, location: response.headers["location"],
            isReplayed: response.headers["idempotency-replayed"] == "true")
    }

    @Test func eachHasItsEffectOnceHoweverOftenTheHostIsKilled() async throws {
        let folder = try TestFolder("repeat")
        let household = try await Household.open(folder: folder, now: SystemClock().now)
        try await household.application.accounts.setPassword(Self.password, of: household.ann)
        await household.application.close()
        var settings = try await Household.database(in: folder).environment
        settings["TANDEM_DATA"] = folder.path + "/data"
        settings["TANDEM_REGISTRY"] = folder.path + "/registry.json"
        settings["TANDEM_LISTEN"] = "127.0.0.1:0"
        let client = CurlClient.local()
        let given = Answers()
        var token: String?
        for round in 0..<Self.rounds {
            let server = try await ServerProcess(settings, log: "\(folder.path)/serve-\(round).log")
            if token == nil { token = try await logIn(server.port, client) }
            let (port, bearer) = (server.port, token ?? "")
            let (answers, answered) = AsyncStream.makeStream(of: Void.self)
            let sending = Task {
                await withTaskGroup(of: Void.self) { group in
                    for request in Self.requests(round) {
                        group.addTask {
                            guard let answer = await send(request, port, bearer, client) else { return }
                            given.add(answer, to: request.key)
                            answered.yield()
                        }
                    }
                }
                answered.finish()
            }
            for await _ in answers { break }
            try await Task.sleep(for: .microseconds(Int.random(in: 0...30_000)))
            await server.killNow()
            await sending.value
        }
        let first = given.all
        #expect(first.values.allSatisfy { [201, 202].contains($0.status) }, "\(first.values.map(\.status))")

        let server = try await ServerProcess(settings, log: folder.path + "/serve-last.log")
        let (port, bearer) = (server.port, token ?? "")
        for request in (0..<Self.rounds).flatMap(Self.requests) {
            var answer: Answer?
            let isAnswered = await eventually {
                answer = await send(request, port, bearer, client)
                guard answer?.status == 409 else { return true }
                // As the answer asks to, about.
                try? await Task.sleep(for: .milliseconds(500))
                return false
            }
            #expect(isAnswered && [201, 202].contains(answer?.status ?? 0), "\(request.path): \(answer?.status ?? 0)")
            // What was answered before the end is answered so again.
            if let earlier = first[request.key], var answer {
                #expect(answer.isReplayed)
                answer.isReplayed = false
                #expect(answer == earlier)
            }
        }
        // Every turn that was taken is answered.
        let turns = (0..<Self.rounds).flatMap(Self.requests).filter { $0.path == "/messages" }.count
        func history(_ direction: String) async throws -> [JSON] {
            let answer = try await client.send(
                HTTPRequest(
                    .get, "http://127.0.0.1:\(port)/api/v1/messages?limit=100&direction=\(direction)",
                    headers: ["Authorization": "Bearer \(bearer)"]))
            return try JSON(parsing: answer.body)["items"]?.arrayValue ?? []
        }
        #expect(try await eventually { try await history("out").count == turns })
        #expect(try await history("in").count == turns)
        #expect(await server.terminate() == 0)
        await client.shutdown()

        let later = try await Household.open(folder: folder, now: SystemClock().now)
        let export = try await later.export(of: later.ann)
        func texts(_ table: String, _ column: String) -> [String] {
            export.rows(table).compactMap { $0[column]?.stringValue }.sorted()
        }
        func sent(_ path: String, _ member: String) -> [String] {
            (0..<Self.rounds).flatMap(Self.requests).filter { $0.path == path }
                .compactMap { $0.body[member]?.stringValue }.sorted()
        }
        #expect(texts("tasks", "title") == sent("/tasks", "title"))
        #expect(texts("notes", "title") == sent("/notes", "title"))
        #expect(texts("ltm_memories", "content") == sent("/memories", "content"))
        #expect(export.rows("expenses").count == turns)
        await later.application.close()
    }

    private func logIn(_ port: Int, _ client: CurlClient) async throws -> String {
        let response = try await client.send(
            HTTPRequest(
                .post, "http://127.0.0.1:\(port)/api/v1/auth/login", headers: ["Content-Type": "application/json"],
                body: JSON.object(["email": "ann@example.org", "password": .string(Self.password)]).serialized()))
        return try #require(try JSON(parsing: response.body)["tokens"]?["access_token"]?.stringValue)
    }
}
