import Logging
import TandemCore
import TandemJSON
import Testing

@Suite struct JSONLogHandlerTests {
    let sink = MemoryLogSink()
    let clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_795_255_200_000))

    func logger(_ level: Logger.Level = .info) -> Logger {
        let handler = JSONLogHandler(label: "tandem.test", level: level, sink: sink, clock: clock)
        return Logger(label: "tandem.test") { _ in handler }
    }

    @Test func writesOneObjectPerLine() throws {
        logger().info("message received", metadata: ["sms.segments": "2", "b": ["x": "y"], "a": ["1", "2"]])
        let line = try #require(sink.lines.first)
        #expect(
            line
                == #"{"time":"2026-11-21T10:00:00.000Z","level":"info","logger":"tandem.test","#
                + #""message":"message received","metadata":{"a":["1","2"],"b":{"x":"y"},"sms.segments":"2"}}"# + "\n")
    }

    @Test func writesNumbersAsNumbers() throws {
        logger().info("m", metadata: ["bytes": .stringConvertible(12_345_678_901), "ok": .stringConvertible(true)])
        let json = try JSON(parsing: try #require(sink.lines.first?.dropLast().description))
        #expect(json["metadata"]?["bytes"] == 12_345_678_901)
        #expect(json["metadata"]?["ok"] == true)
    }

    @Test func neverWritesSecretsTextsOrAddresses() throws {
        var logger = logger()
        logger[metadataKey: "from"] = "+15555550123"
        logger.warning(
            "refused +15555550199",
            metadata: [
                "sms.body": "my secret plan", "auth.token": "abc", "who": "ann@example.com",
                "nested": ["password": "hunter2", "list": ["0123456789abcdef0123456789abcdef"]],
            ])
        let line = try #require(sink.lines.first)
        for secret in ["5555550123", "5555550199", "secret plan", "abc\"", "ann@", "hunter2", "0123456789abcdef"] {
            #expect(!line.contains(secret))
        }
        #expect(line.contains("[phone]"))
    }

    @Test func keepsAValueWithinItsLine() throws {
        logger().error("a\nb\u{1B}[2J\"\\\u{7F}", metadata: ["k\n": "v\r\n{\"level\":\"critical\"}"])
        let line = try #require(sink.lines.first)
        #expect(line.utf8.filter { $0 == 10 }.count == 1)
        let json = try JSON(parsing: String(line.dropLast()))
        #expect(json["message"] == "a\nb\u{1B}[2J\"\\\u{7F}")
    }

    @Test func cutsLongTextAtACharacter() throws {
        logger().info("\(String(repeating: "é ", count: 5000))")
        let line = try #require(sink.lines.first)
        #expect(line.utf8.count < 2300)
        #expect(try JSON(parsing: String(line.dropLast()))["message"]?.stringValue?.hasSuffix("...") == true)
    }

    @Test func passesTraceIDsAndChecksums() throws {
        logger().info("m", metadata: ["trace.id": "4bf92f3577b34da6a3ce929d0e0e4736", "trace.ids": "x"])
        #expect(try #require(sink.lines.first).contains("4bf92f3577b34da6a3ce929d0e0e4736"))
    }

    @Test func evaluatesNothingBelowItsLevel() {
        func evaluated() -> String {
            Issue.record("the message was evaluated")
            return "x"
        }
        logger(.warning).info("\(evaluated())")
        #expect(sink.lines.isEmpty)
    }

    @Test func writesErrorsMasked() throws {
        struct Failure: Error, CustomStringConvertible { let description = "no route to +15555550123" }
        logger().error("failed", error: Failure())
        let line = try #require(sink.lines.first)
        #expect(line.contains("\"error\":\"Failure: no route to [phone]\""))
    }
}
