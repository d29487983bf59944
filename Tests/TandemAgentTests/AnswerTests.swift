import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAgent

/// The words that come back: one segment each, the rest on `more`, honest about what was not done.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct AnswerTests {
    @Test func moreShowsTheRestInSegmentsUntilItIsAllThere() async throws {
        try await AgentWorld.run { (world) async throws in
            var answer = try await world.say("box.long")
            var texts = [answer.text]
            while answer.hasMore, texts.count < 60 {
                answer = try await world.say("more")
                texts.append(answer.text)
            }
            #expect(!answer.hasMore)
            let whole = texts.map { $0.replacing(" (more)", with: "").filter { !$0.isWhitespace } }.joined()
            for line in 1...40 { #expect(whole.contains("Line\(line):\"quoted\"")) }
            #expect(texts.count > 5)
            #expect(try await world.say("more").text == "That was all of it.")
            // A new answer replaces what was left of the old one.
            try await world.say("box.long")
            try await world.say("box.list")
            #expect(try await world.say("more").text == "That was all of it.")
        }
    }

    /// What a person wrote with signs beyond GSM-7 comes back as they wrote it, and still in one segment.
    @Test func otherSignsAreKeptInOneSegment() async throws {
        try await AgentWorld.run { (world) async throws in
            let plain = try await world.say("box.put {\"text\":\"\u{1F600} \u{4F60}\u{597D}\"}")
            #expect(plain.text == "Put in: \u{1F600} \u{4F60}\u{597D}")
            let long = String(repeating: "\u{4F60}", count: 400)
            var answer = try await world.say("box.put {\"text\":\"\(long)\"}")
            var count = 0
            while answer.hasMore, count < 20 {
                answer = try await world.agent.converse("more", channel: "test", scope: world.ann)
                #expect(SMSText.segments(of: answer.text) == 1)
                count += 1
            }
            #expect(count > 4)
        }
    }

    @Test func aMessageOfNothingOrOfTooMuchIsAnswered() async throws {
        var limits = AgentLimits()
        limits.messageBytes = 100
        try await AgentWorld.run(limits: limits) { (world) async throws in
            for text in [
                "", " ", "\n\t", "\u{A0}", String(repeating: "x", count: 101),
                String(repeating: "\u{1F600}", count: 26),
            ] {
                #expect(try await world.say(text).calls.isEmpty)
            }
            let padded = "box.put {\"text\":\"a\"}" + String(repeating: " ", count: 500)
            #expect(try await world.say(padded).calls.map(\.outcome) == ["value"])
        }
    }

    /// Whatever comes in, one plain SMS goes out, and nothing happens.
    @Test func oddMessagesAreAnsweredInOneSegment() async throws {
        try await AgentWorld.run { (world) async throws in
            var odd = [
                "\u{0}", "\u{202E}undo", "{", "null", "'; DROP TABLE messages; --", "%s%n", "\u{FFFD}",
                "\u{1F468}\u{200D}\u{1F469}",
                "box.put", "box.unknown {}", "BOX.PUT {}", "| | |", "~x box.put {}", "chat ", "broken",
                "chat " + String(repeating: "\u{4E2D}", count: 900), "chat \u{1F600}\u{1F600} ok",
                "box.put {\"missing\":\"text\"}", String(repeating: "a ", count: 2000),
            ]
            odd += (0..<24).map { _ in
                String(
                    String.UnicodeScalarView((0..<20).compactMap { _ in Unicode.Scalar(UInt32.random(in: 1...0x2FFF)) })
                )
            }
            for text in odd { try await world.say(text) }
            #expect(try await world.things().filter { !$0.isEmpty }.isEmpty)
            #expect(try await world.queued() == 0)
        }
    }

    @Test func refusesMoreCallsThanTheLimitAndDoesNone() async throws {
        var limits = AgentLimits()
        limits.callsPerTurn = 3
        try await AgentWorld.run(limits: limits) { (world) async throws in
            let put = "box.put {\"text\":\"x\"}"
            try await world.say([put, put, put].joined(separator: "|"))
            #expect(try await world.things().count == 3)
            let answer = try await world.say([put, put, put, put].joined(separator: "|"))
            #expect(answer.calls.isEmpty)
            #expect(try await world.things().count == 3)
        }
    }

    @Test(arguments: ["box.hang", "box.hangput {\"text\":\"half\"}"])
    func aHangingToolIsGivenUp(request: String) async throws {
        try await AgentWorld.run { (world) async throws in
            let start = monotonicNanoseconds()
            let answer = try await world.say(request)
            #expect(answer.calls.count == 1)
            #expect(answer.calls.allSatisfy { $0.outcome.hasPrefix("error:") })
            #expect(monotonicNanoseconds() - start < 20_000_000_000)
            #expect(try await world.things().isEmpty)
            // The worker is free again.
            try await world.say("box.put {\"text\":\"next\"}")
            #expect(try await world.things() == ["next"])
        }
    }

    @Test func aTurnEndsWhenItsTimeIsUp() async throws {
        var limits = AgentLimits()
        limits.turnTime = .milliseconds(100)
        try await AgentWorld.run(limits: limits) { (world) async throws in
            let answer = try await world.say("box.hangput {\"text\":\"a\"} | box.put {\"text\":\"late\"}")
            #expect(answer.calls.count == 2)
            #expect(answer.calls.allSatisfy { ["error:cancelled", "error:timeout"].contains($0.outcome) })
            #expect(answer.calls.last?.outcome == "error:timeout")
            #expect(try await world.things().isEmpty)
        }
    }

    @Test func saysWhatIsOffAndDoesNothing() async throws {
        try await AgentWorld.run { (world) async throws in
            world.box.switchOff(for: world.ann)
            let answer = try await world.say("box.put {\"text\":\"a\"}")
            #expect(answer.calls.map(\.outcome) == ["off"])
            #expect(answer.text.hasPrefix("Box is off"))
            #expect(try await world.things().isEmpty)
            #expect(world.box.state.withLock { $0.calls.isEmpty })
            #expect(try await world.say("box.put {\"text\":\"a\"}", as: world.bob).calls.map(\.outcome) == ["value"])
        }
    }

    @Test func readsRunSideBySideAndWritesOneAfterTheOther() async throws {
        try await AgentWorld.run { (world) async throws in
            async let both = world.say("box.wait | box.wait | box.wait")
            #expect(await eventually { world.box.state.withLock { $0.running == 3 } })
            world.box.gate.open()
            #expect(try await both.calls.map(\.outcome) == ["value", "value", "value"])
            world.box.state.withLock { $0.mostRunning = 0 }
            try await world.say("box.put {\"text\":\"a\"} | box.list | box.put {\"text\":\"b\"}")
            #expect(world.box.state.withLock { $0.mostRunning } == 1)
            #expect(try await world.things() == ["a", "b"])
        }
    }

    @Test func theLogAndTheMetricsHoldNoWordsOfThePerson() async throws {
        try await AgentWorld.run { (world) async throws in
            let secret = "zanzibar"
            for text in [
                "box.put {\"text\":\"\(secret)\"}", "box.mail {\"text\":\"\(secret)\",\"to\":\"+15555550123\"}", "yes",
                "undo", "box.fail {\"text\":\"\(secret)\"}", "chat \(secret)", "\(secret) +15555550123", "box.ask",
                secret, "box.choose", "1",
            ] { try await world.say(text) }
            let logs = try await world.rows(AgentTables.logs)
            #expect(logs.count == 11)
            for row in logs {
                let text = JSON.object(row.json).text
                #expect(!text.contains(secret) && !text.contains("5555550123"))
                #expect(row["log_context"]["channel"] == "test")
            }
            let tools = logs.flatMap { $0["log_context"]["calls"]?.arrayValue ?? [] }.compactMap {
                $0["tool"]?.stringValue
            }
            #expect(Set(tools).isSuperset(of: ["box.put", "box.mail", "box.fail", "box.ask", "box.choose"]))
            let exposition = String(decoding: world.metrics.exposition(), as: UTF8.self)
            #expect(exposition.contains("tandem_tool_calls_total{tool=\"box.put\",outcome=\"value\"} 1"))
            #expect(!exposition.contains(secret) && !exposition.contains("555555"))
        }
    }
}
