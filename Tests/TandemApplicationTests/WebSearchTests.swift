import DuckDuckGoSimulator
import Foundation
import ScriptServer
import TandemAgent
import TandemCore
import TandemPluginHost
import Testing

@testable import TandemApplication

/// Searching the web by text message: the real plugin, the host's egress and a simulated DuckDuckGo behind a server.
@Suite(.timeLimit(.minutes(8)))
struct WebSearchTests {
    private let simulator = DuckDuckGoSimulator()

    private func run(_ body: @escaping @Sendable (Household, ScriptServer) async throws -> Void) async throws {
        let simulator = simulator
        try await ScriptServer.run { request in
            let address = URLComponents(string: "http://x" + request.target)
            let form = URLComponents(
                string: "http://x?" + String(decoding: request.body, as: UTF8.self).replacing("+", with: "%20"))
            let response = simulator.answer(
                .init(
                    method: request.method, host: request["x-forwarded-host"] ?? "", path: address?.path ?? "",
                    query: (URLComponents(string: "http://x" + request.target.replacing("+", with: "%20"))?.queryItems
                        ?? []).map { ($0.name, $0.value ?? "") },
                    headers: Dictionary(request.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
                    form: (form?.queryItems ?? []).map { ($0.name, $0.value ?? "") }))
            return .answer(
                response.status, [("Content-Type", response.contentType)], body: Array(response.body.utf8))
        } _: { server in
            let folder = try TestFolder()
            try folder.write(Installation.registry(["DuckDuckGo"]), to: "registry.json")
            try await Household.run(environment: [
                "TANDEM_REGISTRY": folder.path + "/registry.json", "TANDEM_DUCKDUCKGO_URL": server.origin,
            ]) { household in
                #expect(household.application.plugins.statuses().allSatisfy { $0.state == .loaded })
                try await body(household, server)
            }
        }
    }

    @Test func searchesAndReadsAResult() async throws {
        simulator.setPages([
            .init("Swift concurrency", "https://docs.example/swift", "About tasks and actors."),
            .init("Another page", "https://other.example/page", "About something else."),
        ])
        let simulator = simulator
        try await run { household, server in
            let found = try await household.say("search the web for swift actors")
            #expect(found.calls.map(\.tool) == ["duckduckgo.search"])
            #expect(found.text.hasPrefix("1 Swift concurrency (docs.example), 2 Another page (other.example)."))
            let second = try await household.say("2")
            #expect(second.text.hasPrefix("Another page. About something else."))
            #expect(simulator.refusals == [])
            #expect(server.requests.first?["x-forwarded-host"] == "html.duckduckgo.com")
            // Who switched it off reaches nothing.
            try await household.application.plugins.switchOff("tandem.duckduckgo", in: household.bob)
            let before = server.requests.count
            let off = try await household.say("search the web for swift actors", as: household.bob)
            #expect(off.calls.map(\.outcome) == ["off"])
            #expect(server.requests.count == before)
            // A challenge is no empty result.
            simulator.setChallenging(true)
            let answer = try await household.say("latest news about tea")
            #expect(answer.text.contains("takes me for a robot"))
        }
    }
}
