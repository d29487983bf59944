import Foundation
import TandemJSON
import TandemSDK
import TandemTesting
import YouTubeSimulator

@testable import YouTube

/// A person with YouTube, simulated.
struct World: Sendable {
    let simulator: YouTubeSimulator
    let host: TestHost
    let ann: TestPerson

    static let contracts: String? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized.path
        let places = [ProcessInfo.processInfo.environment["TANDEM_CONTRACTS"], root + "/../shared/contracts"]
        return places.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0 + "/youtube") }
    }()

    static let checker = contracts.flatMap { DiscoveryChecker(file: $0 + "/youtube/youtube.v3.discovery.json") }

    /// - Parameters:
    ///   - key: the operator's; nil: the person's account is used.
    ///   - scopes: what the person allowed.
    init(key: String? = YouTubeSimulator.key, scopes: [String] = ["youtube.readonly", "youtube.force-ssl"]) throws {
        let simulator = YouTubeSimulator(checker: Self.checker, scopes: { _ in scopes })
        simulator.furnish()
        self.simulator = simulator
        host = try TestHost(YouTube.self)
        ann = host.person("ann")
        if let key { host.person("ann").enter("api_key", key, for: "youtube") }
        for method in ["GET", "POST"] {
            host.http.on(method, "https://*") { request in
                let rest = request.address.dropFirst("https://".count)
                let slash = rest.firstIndex(of: "/") ?? rest.endIndex
                var headers = Dictionary(
                    request.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
                if !request.grant.isEmpty { headers["authorization"] = "Bearer ya29.SAMPLE" }
                if !request.body.isEmpty { headers["content-type"] = headers["content-type"] ?? "application/json" }
                let response = simulator.answer(
                    .init(
                        method: request.method, host: String(rest[..<slash]), path: String(rest[slash...]),
                        query: request.query, headers: headers, body: request.body))
                return .response(
                    HTTPResponse(
                        status: response.status, headers: response.headers.map { HTTPField($0.0, $0.1) },
                        body: response.body))
            }
        }
    }

    func call(_ tool: String, _ arguments: JSON = [:]) async -> Outcome { await ann.call("youtube." + tool, arguments) }
    func say(_ tool: String, _ arguments: JSON = [:]) async -> String { await ann.say("youtube." + tool, arguments) }

    func count(_ path: String) -> Int { simulator.requests.filter { $0.path == path }.count }
}
