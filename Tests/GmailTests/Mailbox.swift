import Foundation
import GmailSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import VendorClient
import VendorSimulator

@testable import Gmail

/// The plugin before a simulated mailbox, with the contract where it is at hand.
struct Mailbox {
    static let shared = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/contracts").path
    static let contract = VendorContract(file: shared + "/gmail/gmail.v1.discovery.json")

    let gmail: GmailSimulator
    let host: TestHost
    let ann: TestPerson

    init(scopes: [String] = ["https://www.googleapis.com/auth/gmail.modify"]) throws {
        let host = try TestHost(Gmail.self)
        let gmail = GmailSimulator(
            contract: Self.contract, now: { [weak host] in host?.now.milliseconds ?? 0 },
            scopes: { $0 == "TOKEN" ? scopes : nil })
        host.connect("https://gmail.googleapis.com", grant: "mail") { gmail.answer($0) }
        host.stub("tasks.add") { arguments in
            .value(
                ["task": ["id": "77", "title": arguments["title"] ?? ""], "created": true], message: "Saved.",
                shown: nil,
                trust: nil)
        }
        self.gmail = gmail
        self.host = host
        ann = host.person("ann")
    }

    /// A golden sample; nil where the contracts are not at hand.
    static func sample(_ name: String) -> JSON? {
        FileManager.default.contents(atPath: "\(shared)/gmail/samples/\(name).json").flatMap { try? JSON(parsing: $0) }
    }
}
