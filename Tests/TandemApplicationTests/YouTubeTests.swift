import Foundation
import ScriptServer
import TandemAgent
import TandemCore
import Testing
import YouTubeSimulator

@testable import TandemApplication

/// YouTube by text message: the real plugin, the operator's key and the host's egress, against the simulated service.
@Suite(.timeLimit(.minutes(8)))
struct YouTubeTests {
    @Test func findsAVideoAndWhatIsSaidInIt() async throws {
        let youtube = YouTubeSimulator()
        youtube.furnish()
        try await ScriptServer.run {
            youtube.answer($0)
        } _: { server in
            let folder = try TestFolder("youtube")
            try folder.write(Installation.registry(["YouTube"]), to: "registry.json")
            try await Household.run(environment: [
                "TANDEM_REGISTRY": folder.path + "/registry.json", "TANDEM_YOUTUBE_URL": server.origin,
                "YOUTUBE_API_KEY": YouTubeSimulator.key,
            ]) { household in
                let found = try await household.say("search youtube for swift")
                #expect(found.text.hasPrefix("1 Swift & concurrency (Sample Channel, 1:02:03)."), "\(found.text)")
                let shown = try await household.say("1")
                #expect(shown.calls.map(\.tool) == ["youtube.video"])
                let answer = try await household.say("what does this video say about actors")
                #expect(answer.calls.map(\.tool) == ["youtube.ask"], "\(answer.text)")
                #expect(answer.text.hasPrefix("At 2:00: An actor protects"), "\(answer.text)")
                // The host tries again what may be tried again.
                youtube.fail(.error(503, "backendError"))
                let bread = try await household.say("search youtube for bread")
                #expect(bread.text.hasPrefix("1 Bread in ten minutes"), "\(bread.text)")
                #expect(youtube.refusals == [])
                #expect(youtube.requests.allSatisfy { $0.headers["authorization"] == nil })
                let kept = try await household.say("keep the summary of the video swift & concurrency as a note")
                #expect(kept.text.hasPrefix("Noted what Swift & concurrency says."), "\(kept.text)")
                #expect(try await household.say("my notes").text.contains("Swift & concurrency"))
            }
        }
    }
}
