import Foundation
import PostgreSQLServer
import RawSocket
import TandemAPI
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// The stream of a person's messages as a browser's `EventSource` uses it, over real connections.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct MessageStreamTests {
    private static let password = "plum harbour violet 7"

    /// One event: its fields by name.
    private struct Event: Equatable {
        var id: String?
        var name: String?
        var message: JSON = .null

        var text: String { message["text"]?.stringValue ?? "" }
    }

    /// An open stream: reads chunks (RFC 9112 §7.1) and the events in them.
    private final class EventSource {
        private let socket: RawSocket
        private var bytes: [UInt8] = []
        private var body: [UInt8] = []
        private var isOver = false
        private(set) var head = ""
        private(set) var comments = 0
        private(set) var lastID: String?

        init(port: Int, token: String, lastID: String? = nil, query: String = "") async throws {
            socket = try RawSocket(port: port)
            let again = lastID.map { "Last-Event-ID: \($0)\r\n" } ?? ""
            try socket.write(
                "GET /api/v1/messages/stream\(query) HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
                    + "Authorization: Bearer \(token)\r\n\(again)\r\n")
            while true {
                if let end = text(bytes).range(of: "\r\n\r\n") {
                    head = String(text(bytes)[..<end.lowerBound])
                    bytes.removeFirst(head.utf8.count + 4)
                    return
                }
                guard let more = try await socket.read() else { return }
                bytes += more
            }
        }

        var status: Int { Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0 }

        private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

        /// The next chunk, in whole; false at the end.
        private func takeChunk() async throws -> Bool {
            while !isOver {
                if let end = bytes.firstIndex(of: 10),
                    let size = Int(
                        text(Array(bytes[..<end])).trimmingCharacters(in: .whitespacesAndNewlines), radix: 16),
                    bytes.count >= end + 1 + size + 2
                {
                    body += bytes[(end + 1)..<(end + 1 + size)]
                    bytes.removeFirst(end + 1 + size + 2)
                    isOver = size == 0
                    return !isOver
                }
                guard let more = try await socket.read() else { break }
                bytes += more
            }
            isOver = true
            return false
        }

        /// The next event; nil when the stream has ended. Comments are counted and left out.
        func next() async throws -> Event? {
            while true {
                if let event = takeEvent() { return event }
                guard try await takeChunk() else { return nil }
            }
        }

        private func takeEvent() -> Event? {
            while let end = text(body).range(of: "\n\n") {
                let block = String(text(body)[..<end.lowerBound])
                body.removeFirst(block.utf8.count + 2)
                var event = Event()
                for line in block.split(separator: "\n") {
                    if line.hasPrefix(":") { comments += 1 }
                    if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                    if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                    if line.hasPrefix("data: ") {
                        event.message = (try? JSON(parsing: String(line.dropFirst(6)))) ?? .null
                    }
                }
                if let id = event.id { lastID = id }
                if event.name != nil { return event }
            }
            return nil
        }

        func take(_ count: Int) async throws -> [Event] {
            var events: [Event] = []
            while events.count < count, let event = try await next() { events.append(event) }
            return events
        }

        /// Reads until so many comments came.
        func untilComments(_ count: Int) async throws {
            while comments < count {
                if let event = takeEvent() { Issue.record("an event that nobody sent: \(event)") }
                guard try await takeChunk() else { return }
            }
        }
    }

    private func signIn(_ server: SMSTests.Server) async throws -> SessionTokens {
        let (accounts, ann) = (server.household.application.accounts, server.household.ann)
        // Setting it ends the sessions that there are.
        if try await !accounts.hasPassword(ann) { try await accounts.setPassword(Self.password, of: ann) }
        let outcome = try await accounts.logIn(
            email: "ann@example.org", password: Self.password, from: ClientSource(address: "203.0.113.7"))
        guard case .signedIn(let tokens) = outcome else { throw ApplicationError("not signed in") }
        return tokens
    }

    @Test func eventsComeInOrderEachOnceOverReconnections() async throws {
        try await SMSTests.Server.run { (server) async throws in
            let token = try await signIn(server).accessToken.reveal()
            var stream = try await EventSource(port: server.port, token: token)
            #expect(stream.status == 200)
            #expect(stream.head.lowercased().contains("content-type: text/event-stream"))
            #expect(stream.head.lowercased().contains("cache-control: no-store"))
            var seen: [Event] = []
            for number in 1...3 { try await server.household.say("I spent \(number) euros on tea") }
            seen += try await stream.take(6)
            // Away, while more is said; the same again by the address, for clients without headers.
            for round in 0..<2 {
                let last = try #require(stream.lastID)
                for number in 4...5 { try await server.household.say("I spent \(round)\(number) euros on tea") }
                stream =
                    round == 0
                    ? try await EventSource(port: server.port, token: token, lastID: last)
                    : try await EventSource(port: server.port, token: token, query: "?last_event_id=\(last)")
                seen += try await stream.take(4)
                try await server.household.say("what's on my list?")
                seen += try await stream.take(2)
            }
            let history = try await server.household.rows("messages").sorted {
                Int64($0["id"]?.stringValue ?? "") ?? 0 < Int64($1["id"]?.stringValue ?? "") ?? 0
            }
            #expect(seen.map { $0.id } == history.map { $0["id"]?.stringValue })
            #expect(seen.map(\.text) == history.compactMap { $0["text"]?.stringValue })
            #expect(seen.allSatisfy { $0.name == "message" && $0.message["id"]?.stringValue == $0.id })
            #expect(seen.map { $0.message["direction"]?.stringValue }.prefix(4) == ["in", "out", "in", "out"])
        }
    }

    @Test func aSilentStreamIsKeptOpenByComments() async throws {
        try await SMSTests.Server.run { (server) async throws in
            let token = try await signIn(server).accessToken.reveal()
            let stream = try await EventSource(port: server.port, token: token)
            // The greeting, and one later.
            try await stream.untilComments(2)
            #expect(stream.comments >= 2)
            try await server.household.say("I spent 3 euros on tea")
            #expect(try await stream.take(2).count == 2)
        }
    }

    @Test func anEndedSessionEndsItsStreamsAndNoOthers() async throws {
        try await SMSTests.Server.run { (server) async throws in
            let first = try await signIn(server)
            let second = try await signIn(server)
            let ended = try await EventSource(port: server.port, token: first.accessToken.reveal())
            let other = try await EventSource(port: server.port, token: second.accessToken.reveal())
            try await server.household.say("I spent 3 euros on tea")
            #expect(try await ended.take(2).count == 2)
            let accounts = server.household.application.accounts
            try await accounts.endSession(first.session, of: server.household.ann)
            // Said after its end: nobody who had only that session reads it.
            try await server.household.say("I spent 4 euros on secrets")
            #expect(try await ended.next() == nil)
            #expect(try await other.take(4).last?.text.contains("4") == true)
            let again = try await EventSource(port: server.port, token: first.accessToken.reveal())
            #expect(again.status == 401)
            // A closed account's, too.
            try await accounts.setStatus(.disabled, of: server.household.ann.user)
            #expect(try await other.next() == nil)
        }
    }

    @Test func whoeverDoesNotReadHoldsNobodyUp() async throws {
        try await SMSTests.Server.run { (server) async throws in
            let token = try await signIn(server).accessToken.reveal()
            let idle = try await EventSource(port: server.port, token: token)
            let reading = try await EventSource(port: server.port, token: token)
            let text = String(repeating: "tea and cake ", count: 300)
            let count = 300
            for _ in 0..<count {
                _ = try await server.household.application.database.write(server.household.ann) { transaction in
                    try transaction.insert(
                        "messages", ["direction": "in", "channel": "test", "text": .string(text)])
                }
            }
            #expect(try await reading.take(count).count == count)
            // What waited is all there, in order, when it is read at last.
            let ids = try await idle.take(count).compactMap { $0.id.flatMap { Int64($0) } }
            #expect(ids.count == count && ids == ids.sorted())
        }
    }

    @Test func ofManyStreamsTheOldestGivesWay() async throws {
        try await SMSTests.Server.run { (server) async throws in
            let token = try await signIn(server).accessToken.reveal()
            var streams: [EventSource] = []
            for _ in 0..<9 { streams.append(try await EventSource(port: server.port, token: token)) }
            #expect(streams.allSatisfy { $0.status == 200 })
            #expect(try await streams[0].next() == nil)
            try await server.household.say("I spent 3 euros on tea")
            for stream in streams.dropFirst() { #expect(try await stream.take(2).count == 2) }
        }
    }

    /// Ids are made before messages are visible, and by several hosts' clocks: the higher may come first.
    @Test func aMessageThatComesLateIsStillSent() async throws {
        try await SMSTests.Server.run { (server) async throws in
            guard TestEngine.current == .postgres else { return }
            let household = server.household
            let token = try await signIn(server).accessToken.reveal()
            let key = try String(contentsOfFile: household.application.paths.keyFile, encoding: .utf8)
            let behind = try await Household.open(
                environment: ["TANDEM_MASTER_KEY": key, "TANDEM_DATA": household.folder.path + "/other"],
                folder: household.folder, now: Household.start.advanced(by: .seconds(-3)))
            let stream = try await EventSource(port: server.port, token: token)
            func note(_ text: String, _ host: Household) async throws {
                _ = try await host.application.database.write(household.ann) { transaction in
                    try transaction.insert("messages", ["direction": "in", "channel": "test", "text": .string(text)])
                }
            }
            try await note("first", household)
            let first = try await stream.take(1)
            #expect(first.map(\.text) == ["first"])
            try await note("from a clock behind", behind)
            let late = try await stream.take(1)
            #expect(late.map(\.text) == ["from a clock behind"])
            // The client stays where it was: come back there, it misses nothing and gets nothing twice.
            #expect(late.map(\.id) == [nil] && stream.lastID == first.first?.id)
            try await note("last", household)
            #expect(try await stream.take(1).map(\.text) == ["last"])
            await behind.application.close()
        }
    }
}
