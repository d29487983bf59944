import Foundation
import NotionSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing

@testable import Notion

/// A person with Notion, simulated, and notes that are stubs.
struct World: Sendable {
    let simulator: NotionSimulator
    let host: TestHost
    let ann: TestPerson

    /// Notion's types, where the contracts are beside the checkout: otherwise the simulator's own rules alone hold.
    static let contracts: String? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized.path
        let places = [ProcessInfo.processInfo.environment["TANDEM_CONTRACTS"], root + "/../shared/contracts"]
        return places.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0 + "/notion") }
    }()

    static let checker = contracts.flatMap { ContractChecker(file: $0 + "/notion/notion-types.schema.json") }

    /// - Parameter isTimed: Notion goes by the host's clock.
    init(version: Notion.APIVersion = .september2025, isTimed: Bool = false) throws {
        let host = try TestHost(Notion.self)
        self.host = host
        let now: (@Sendable () -> Int64)? = isTimed ? { @Sendable in host.now.milliseconds } : nil
        let simulator = NotionSimulator(checker: World.checker, now: now)
        self.simulator = simulator
        ann = host.person("ann")
        var settings = Notion.Settings()
        settings.apiVersion = version
        ann.configure("notion", settings)
        for method in ["GET", "POST", "PATCH", "DELETE", "PUT"] {
            host.http.on(method, "https://api.notion.com/*") { request in
                World.reply(simulator.answer(World.request(request)))
            }
        }
    }

    static func request(_ request: SentHTTPRequest) -> NotionSimulator.Request {
        var headers = Dictionary(
            request.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
        // As the host attaches it.
        if request.grant == "workspace" { headers["authorization"] = "Bearer ntn_SAMPLE" }
        if !request.body.isEmpty { headers["content-type"] = headers["content-type"] ?? "application/json" }
        return NotionSimulator.Request(
            method: request.method, path: String(request.address.dropFirst("https://api.notion.com".count)),
            query: request.query, headers: headers, body: request.body)
    }

    static func reply(_ response: NotionSimulator.Response) -> HTTPReply {
        if response.isCut { return .failure(-62, code: "interrupted") }
        let wait = response.headers.first { $0.0 == "Retry-After" }.flatMap { Int($0.1) }
        return .response(
            HTTPResponse(
                status: response.status, headers: response.headers.map { HTTPField($0.0, $0.1) }, body: response.body,
                retryAfter: wait.map { .seconds($0) }))
    }

    func say(_ tool: String, _ arguments: JSON = [:]) async -> String { await ann.say("notion." + tool, arguments) }

    func call(_ tool: String, _ arguments: JSON = [:]) async -> Outcome { await ann.call("notion." + tool, arguments) }

    /// What the host does when the person says "undo".
    func undo(_ outcome: Outcome, by tool: String = "notion.undo") async throws -> String {
        await ann.say(tool, try #require(outcome.value))
    }
}

extension JSON {
    static func id(_ id: String) -> JSON { .string("#" + id) }
}
