import Foundation
import GmailSimulator
import TandemJSON
import TandemSDK
import TandemTesting
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
        for method in ["GET", "POST", "PUT", "DELETE"] {
            host.http.on(method, "https://gmail.googleapis.com/*") { request in
                var headers = Dictionary(
                    request.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
                // The host attaches the token to what names the grant.
                if request.grant == "mail" { headers["authorization"] = "Bearer TOKEN" }
                if !request.body.isEmpty { headers["content-type"] = "application/json" }
                let answer = gmail.answer(
                    VendorRequest(
                        method: request.method,
                        target: String(request.url.dropFirst("https://gmail.googleapis.com".count)),
                        headers: headers, body: request.body))
                guard !answer.isCut else { return .failure(-62, code: "interrupted") }
                return .response(
                    HTTPResponse(
                        status: answer.status, headers: answer.headers.map { HTTPField($0.0, $0.1) }, body: answer.body,
                        retryAfter: answer.headers.first { $0.0 == "Retry-After" }.flatMap { Int($0.1) }.map {
                            .seconds($0)
                        }))
            }
        }
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

extension Outcome {
    var trust: Trust? {
        if case .value(_, _, _, let trust) = self { return trust }
        return nil
    }

    var shown: Shown? {
        if case .value(_, _, let shown, _) = self { return shown }
        return nil
    }

    var failure: ToolError? {
        if case .failure(let error) = self { return error }
        return nil
    }

    var question: Ask? {
        if case .question(let ask) = self { return ask }
        return nil
    }
}
