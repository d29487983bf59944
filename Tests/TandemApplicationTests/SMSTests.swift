import Foundation
import Synchronization
import TandemAgent
import TandemCore
import TandemEgress
import TandemJSON
import TandemPluginHost
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemApplication

/// The application behind its webhook, before a simulator of Twilio.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SMSTests {
    /// A household that serves on a free port.
    struct Server: Sendable {
        let household: Household
        let simulator: TwilioSimulator
        let client: CurlClient
        let port: Int

        static func run(
            environment: [String: String] = [:], _ body: @escaping @Sendable (Server) async throws -> Void
        ) async throws {
            try await TwilioSimulator.run { (simulator) async throws in
                let household = try await Household.open(
                    environment: Household.twilio(simulator).merging(environment) { $1 })
                let client = CurlClient.local()
                let (ports, found) = AsyncStream.makeStream(of: Int.self)
                let serving = Task {
                    defer { found.finish() }
                    try await household.application.serve { found.yield($0) }
                }
                let listening = await ports.first { _ in true }
                let port = try #require(listening)
                let server = Server(household: household, simulator: simulator, client: client, port: port)
                let result = await Task { try await body(server) }.result
                serving.cancel()
                _ = await serving.result
                await client.shutdown()
                #expect(simulator.refusals.isEmpty)
                try result.get()
            }
        }

        func post(_ request: TwilioSimulator.WebhookRequest) async throws -> Int {
            try await client.post(request, port: port)
        }

        /// One request of `/api/v1`: its status, and the answer as JSON or null.
        func api(
            _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, token: String? = nil
        ) async throws -> (status: Int, json: JSON) {
            var headers = HTTPHeaders()
            if let token { headers["Authorization"] = "Bearer \(token)" }
            if body != nil { headers["Content-Type"] = "application/json" }
            let answer = try await client.send(
                HTTPRequest(
                    method, "http://127.0.0.1:\(port)/api/v1\(path)", headers: headers, body: body?.serialized() ?? []))
            return (answer.status, (try? JSON(parsing: answer.body)) ?? .null)
        }

        @discardableResult
        func text(
            _ body: String, from: String = Household.annPhone, sid: String? = nil, to: String? = nil,
            extra: [(String, String)] = []
        ) async throws -> Int {
            try await post(
                simulator.inbound(
                    from: from, body: body, url: Household.publicBase + "/webhook/sms", sid: sid, to: to, extra: extra))
        }

        func answers(to number: String = Household.annPhone) -> [String] {
            simulator.messages.filter { $0.to == number }.map(\.body)
        }
    }

    /// The same words to the same effect as in the chat, one answer each, in order.
    @Test func theDayBySMSIsTheDayByChat() async throws {
        let spoken = Mutex<[String]>([])
        let left = Mutex<[String: Int]>([:])
        try await Household.run { (household) async throws in
            for message in Day.messages {
                let text = try await household.say(message).text
                spoken.withLock { $0.append(text) }
            }
            let counts = try await SMSTests.counts(household)
            left.withLock { $0 = counts }
        }
        try await Server.run { (server) async throws in
            for (index, message) in Day.messages.enumerated() {
                #expect(try await server.text(message) == 200)
                await server.simulator.untilAccepted(index + 1)
            }
            #expect(server.answers() == spoken.withLock { $0 })
            #expect(try await SMSTests.counts(server.household) == left.withLock { $0 })
            #expect(server.simulator.messages.count == Day.messages.count)
            for answer in server.answers() { #expect(SMSText.segments(of: answer) == 1) }
        }
    }

    private static func counts(_ household: Household) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for table in ["grocery_items", "expenses", "recipes", "recipe_ingredients", "tasks"] {
            counts[table] = try await household.rows(table).count
        }
        return counts
    }

    @Test func oneMessageSidHasOneEffectAndOneAnswer() async throws {
        try await Server.run { (server) async throws in
            let sid = "SM" + String(repeating: "a1", count: 16)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 {
                    group.addTask { try await server.text("I spent 7.50 euros on lunch", sid: sid) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [200, 200, 200])
            await server.simulator.untilAccepted(1)
            // The same again, much later; then something else, whose answer comes after all others.
            #expect(try await server.text("I spent 7.50 euros on lunch", sid: sid) == 200)
            try await server.text("how much did I spend this month?")
            await server.simulator.untilAccepted(2)
            #expect(server.answers().count == 2)
            #expect(server.answers().last?.contains("7.50") == true)
            #expect(try await server.household.rows("expenses").count == 1)
        }
    }

    @Test func manyMessagesAtOnceAreEachAnsweredOnce() async throws {
        try await Server.run { (server) async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    let phone = index.isMultiple(of: 2) ? Household.annPhone : Household.bobPhone
                    group.addTask {
                        let status = try await server.text("I spent \(index + 1) euros on tea", from: phone)
                        #expect(status == 200)
                    }
                }
                try await group.waitForAll()
            }
            await server.simulator.untilAccepted(20)
            for (scope, phone, odd) in [
                (server.household.ann, Household.annPhone, 1), (server.household.bob, Household.bobPhone, 0),
            ] {
                let amounts = try await server.household.rows("expenses", of: scope).compactMap {
                    $0["amount"]?.stringValue.flatMap { Double($0) }
                }
                #expect(amounts.sorted() == (1...20).filter { $0 % 2 == odd }.map(Double.init))
                #expect(server.answers(to: phone).count == 10)
            }
            #expect(server.simulator.messages.count == 20)
        }
    }

    @Test func whatIsNotFromTwilioOrNotForUsIsRefused() async throws {
        try await Server.run { (server) async throws in
            let url = Household.publicBase + "/webhook/sms"
            let text = "I spent 666 euros on lunch"
            var forged = server.simulator.inbound(from: Household.annPhone, body: text, url: url)
            forged.signature = "AAAA" + forged.signature.dropFirst(4)
            #expect(try await server.post(forged) == 403)
            forged.signature = ""
            #expect(try await server.post(forged) == 403)
            // Signed by us with another's token, and for another address.
            let stranger = TwilioSimulator(authToken: "another-token")
            #expect(try await server.post(stranger.inbound(from: Household.annPhone, body: text, url: url)) == 403)
            var elsewhere = server.simulator.inbound(
                from: Household.annPhone, body: text, url: "https://elsewhere.example/webhook/sms")
            elsewhere.url = url
            #expect(try await server.post(elsewhere) == 403)
            // Changed on the way.
            var changed = server.simulator.inbound(from: Household.annPhone, body: "I spent 6 euros on lunch", url: url)
            changed.parameters = changed.parameters.map { $0.0 == "Body" ? ($0.0, text) : $0 }
            #expect(try await server.post(changed) == 403)
            // Rightly signed, for another account, and to a number that is not ours.
            let account = "AC" + String(repeating: "9", count: 32)
            #expect(try await server.text(text, extra: [("AccountSid", account)]) == 403)
            #expect(try await server.text(text, to: "+15555559999") == 403)
            // Nothing of it arrived; what is right arrives.
            #expect(try await server.text("how much did I spend this month?") == 200)
            await server.simulator.untilAccepted(1)
            #expect(try await server.household.rows("expenses").isEmpty)
            #expect(server.simulator.messages.count == 1)
        }
    }

    @Test func anUnknownNumberIsInvitedOnce() async throws {
        try await Server.run { (server) async throws in
            for index in 0..<3 {
                #expect(try await server.text("I spent \(index + 1) euros on lunch", from: "+15555550199") == 200)
            }
            await server.simulator.untilAccepted(1)
            try await server.text("what's on my list?")
            await server.simulator.untilAccepted(2)
            #expect(server.answers(to: "+15555550199").count == 1)
            #expect(server.answers().count == 1)
            for scope in [server.household.ann, server.household.bob] {
                #expect(try await server.household.rows("expenses", of: scope).isEmpty)
            }
        }
    }

    /// A number that a person opted out with is not written to, and what they texted is still theirs.
    @Test func stopIsKept() async throws {
        try await Server.run { (server) async throws in
            try await server.text("STOP")
            #expect(try await server.text("I spent 3 euros on tea") == 200)
            try await server.text("what's on my list?", from: Household.bobPhone)
            await server.simulator.untilAccepted(1)
            #expect(await eventually { (try? await server.household.rows("expenses").count) == 1 })
            try await server.text("START")
            try await server.text("how much did I spend this month?")
            await server.simulator.untilAccepted(2)
            #expect(server.answers().count == 1)
            #expect(server.answers().first?.contains("3") == true)
        }
    }
}
