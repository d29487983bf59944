import Foundation
import GraphSimulator
import TandemJSON
import TandemSDK
import TandemTesting
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
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            host.http.on(method, "https://graph.microsoft.com/*") { request in
                var headers = Dictionary(
                    request.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
                // The host attaches the token to what names the grant.
                if request.grant == "microsoft" { headers["authorization"] = "Bearer TOKEN" }
                if !request.body.isEmpty { headers["content-type"] = "application/json" }
                let answer = graph.answer(
                    VendorRequest(
                        method: request.method,
                        target: String(request.url.dropFirst("https://graph.microsoft.com".count)),
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
