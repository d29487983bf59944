import TandemSDK
import TandemTesting
import Testing

@Suite struct PersonClockTests {
    /// Central European time around the change of 29 March 2026 at 01:00 UTC and 25 October 2026 at 01:00 UTC.
    @Sendable static func offset(_ milliseconds: Int64) -> Int32 {
        let spring = Instant("2026-03-29T01:00:00Z")?.milliseconds ?? 0
        let autumn = Instant("2026-10-25T01:00:00Z")?.milliseconds ?? 0
        return milliseconds >= spring && milliseconds < autumn ? 7200 : 3600
    }

    private struct Probe: Plugin {
        static let definition = PluginDefinition(
            id: "org.example.clock", namespace: "clockwork", name: "Clock", version: "1.0.0",
            summary: "Probes the clock.",
            tools: [Run.self])

        struct Run: Tool {
            static let declaration = ToolDeclaration("clockwork.run", "Run", effect: .read)
            @Argument var day: Day
            @Argument var hour: Int
            @Argument var minute: Int

            func run(_ context: Context) async throws -> Reply<[String]> {
                let instant = context.clock.instant(day, hour: hour, minute: minute)
                let (day, minute) = context.clock.local(instant)
                #expect(context.timeRemaining > .seconds(1))
                return Reply(
                    context.clock.timeZone,
                    value: [instant.description, "\(day) \(minute)", context.clock.today.description])
            }
        }
    }

    @Test(arguments: [
        ("2026-01-15", 9, 30, "2026-01-15T08:30:00.000Z", "2026-01-15 570"),
        ("2026-07-15", 9, 30, "2026-07-15T07:30:00.000Z", "2026-07-15 570"),
        // Skipped: taken as that much later.
        ("2026-03-29", 2, 30, "2026-03-29T01:30:00.000Z", "2026-03-29 210"),
        // Twice: the first.
        ("2026-10-25", 2, 30, "2026-10-25T00:30:00.000Z", "2026-10-25 150"),
        ("2026-10-25", 0, 0, "2026-10-24T22:00:00.000Z", "2026-10-25 0"),
    ])
    func localTimesBecomeInstants(day: String, hour: Int, minute: Int, instant: String, local: String) async throws {
        let host = try TestHost(Probe.self)
        host.now = Instant("2026-07-14T22:30:00Z") ?? host.now
        let ann = host.person()
        ann.setTimeZone("Europe/Paris", offsetSeconds: Self.offset)
        let outcome = await ann.call(
            "clockwork.run", ["day": .string(day), "hour": .integer(Int64(hour)), "minute": .integer(Int64(minute))])
        #expect(outcome.value == [.string(instant), .string(local), "2026-07-15"])
        #expect(outcome.message == "Europe/Paris")
    }
}
