import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// Plugins in processes of their own.
@Suite(.timeLimit(.minutes(8)))
struct RunnerTests {
    private func start(_ names: [(String, String)]) async throws -> TestHost {
        let test = try TestHost()
        for (name, fixture) in names { try await test.pack(name, fixture) }
        try test.register(names.map(\.0)) { _, entry in entry["isolation"] = "runner" }
        await test.host.start()
        return test
    }

    @Test func answersCallsFromAnotherProcess() async throws {
        let test = try await start([("echo", "echo")])
        #expect(test.refusal("test.echo") == nil)
        for round in 0..<50 {
            let value: JSON = ["value": .integer(Int64(round))]
            #expect(await test.call("echo.run", value).result?.value == value)
        }
        let status = try #require(try test.status("test.echo").runner)
        #expect(status.state == .running)
        #expect(status.starts == 1)
        #expect(status.missingIsolation == [])
        #expect(status.process != getpid())
    }
}
