import Foundation
import GraphSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import VendorClient
import VendorSimulator

@testable import Graph

/// The plugin before a simulated account, with the contract where it is at hand.
struct Office365 {
    static let shared = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/contracts").path
    static let contract = VendorContract(file: shared + "/microsoft-graph/openapi.v1.0.pruned.json")
    static let everything = ["Calendars.ReadWrite", "Mail.ReadWrite", "Mail.Send", "User.Read"]

    let graph: GraphSimulator
    let host: TestHost
    let ann: TestPerson

    init(scopes: [String] = Office365.everything) throws {
        let host = try TestHost(Graph.self)
        let graph = GraphSimulator(
            contract: Self.contract, now: { [weak host] in host?.now.milliseconds ?? 0 },
            scopes: { $0 == "TOKEN" ? scopes : nil })
        host.connect("https://graph.microsoft.com", grant: "microsoft") { graph.answer($0) }
        self.graph = graph
        self.host = host
        ann = host.person("ann")
        // Paris in winter.
        ann.setTimeZone("Europe/Paris") { _ in 3600 }
    }

    static func sample(_ name: String) -> JSON? {
        FileManager.default.contents(atPath: "\(shared)/microsoft-graph/samples/\(name).json").flatMap {
            try? JSON(parsing: $0)
        }
    }
}
