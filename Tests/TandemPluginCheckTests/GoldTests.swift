import DuckDuckGoSimulator
import Foundation
import GmailSimulator
import GraphSimulator
import NotionSimulator
import TandemJSON
import TandemPluginCheck
import TandemPluginHost
import Testing
import VendorSimulator
import YouTubeSimulator

/// The plugins that work with services elsewhere, against the check.
///
/// With `TANDEM_RECORD_TRANSCRIPTS=1` their transcripts are recorded anew instead: the calls stay, the simulators answer.
@Suite(.timeLimit(.minutes(8)))
struct GoldTests {
    static let names = ["Gmail", "Graph", "Notion", "YouTube", "DuckDuckGo"]

    private static var isRecording: Bool { ProcessInfo.processInfo.environment["TANDEM_RECORD_TRANSCRIPTS"] != nil }

    private static func source(_ name: String) -> String { Workshop.root + "/Plugins/\(name)" }

    private func checker(_ shop: Workshop, _ name: String) throws -> PluginChecker {
        var checker = shop.checker()
        checker.cases = 8
        if let text = FileManager.default.contents(atPath: Self.source(name) + "/waivers.json") {
            checker.waivers = try Waivers(try JSON(parsing: Array(text)), today: "2026-11-22")
        }
        let text = try Data(contentsOf: URL(fileURLWithPath: Self.source(name) + "/transcript.json"))
        checker.transcript = try Transcript(try JSON(parsing: Array(text)))
        return checker
    }

    private func bundle(_ shop: Workshop, _ name: String) throws -> String {
        let build = Workshop.worker.replacingOccurrences(of: "/tandem-plugin-check-worker", with: "")
        return try shop.pack(build + "/lib\(name)Plugin.so")
    }

    @Test(arguments: names) func reachesGold(_ name: String) async throws {
        let shop = try Workshop()
        let bundle = try bundle(shop, name)
        let checker = try checker(shop, name)
        if Self.isRecording {
            let recorded = try #require(
                try await checker.record(bundle, given: checker.transcript, live: Self.live(name)))
            try Data((recorded.json.pretty() + "\n").utf8).write(
                to: URL(fileURLWithPath: Self.source(name) + "/transcript.json"))
            for call in recorded.calls where call.hasFailed { print("\(call.tool) \(call.outcome.text.prefix(200))") }
            return
        }
        let report = await checker.check(bundle)
        #expect(
            report.errors == [],
            "\(report.results.flatMap(\.findings).filter { $0.level == .error })")
        #expect(report.tier.map { $0 >= .gold } == true)
    }

    /// By the command: the whole host makes the recorded calls, in its own process and with a runner.
    @Test(arguments: names) func answersTheSameInBothModes(_ name: String) async throws {
        guard !Self.isRecording else { return }
        let shop = try Workshop()
        let bundle = try bundle(shop, name)
        let (status, text) = try await shop.run(
            Workshop.tandem,
            [
                "plugin", "check", bundle, "--json", "--only", "load", "--only", "life", "--only", "modes",
                "--transcript", Self.source(name) + "/transcript.json",
            ])
        #expect(status == 0, "\(text)")
        #expect(text.contains("\"modes\""))
        #expect(!text.contains("no_session") && !text.contains("not_run"), "\(text)")
    }

    // MARK: Services while transcripts are recorded

    /// 2026-11-21 10:00 UTC, as in all checks.
    private static let now: Int64 = 1_795_255_200_000

    private static func live(_ name: String) -> CannedAnswers.Live {
        switch name {
        case "Gmail":
            let gmail = GmailSimulator.sample(
                now: { now }, scopes: { _ in ["https://www.googleapis.com/auth/gmail.modify"] })
            return { request in Self.answer(gmail.answer(Self.vendor(request))) }
        case "Graph":
            let graph = GraphSimulator.sample(
                now: { now }, scopes: { _ in ["Calendars.ReadWrite", "Mail.ReadWrite", "Mail.Send", "User.Read"] })
            return { request in Self.answer(graph.answer(Self.vendor(request))) }
        case "Notion":
            let notion = NotionSimulator()
            notion.furnish()
            return { request in
                let vendor = Self.vendor(request)
                let answer = notion.answer(
                    .init(
                        method: vendor.method, path: vendor.path, query: vendor.query, headers: vendor.headers,
                        body: vendor.body))
                return Self.answer(answer.status, answer.headers, answer.body)
            }
        case "YouTube":
            let youtube = YouTubeSimulator(scopes: { _ in ["youtube.readonly", "youtube.force-ssl"] })
            youtube.furnish()
            var own = YouTubeSimulator.Video("SAMPLEvid03", "My garden")
            own.isOwn = true
            own.captions = [YouTubeSimulator.Captions("en", [(0, "this is my garden"), (20, "the roses came late")])]
            youtube.add(own)
            return { request in
                let vendor = Self.vendor(request)
                let answer = youtube.answer(
                    .init(
                        method: vendor.method, host: Self.host(request), path: vendor.path, query: vendor.query,
                        headers: vendor.headers, body: vendor.body))
                return Self.answer(answer.status, answer.headers, answer.body)
            }
        default:
            let search = DuckDuckGoSimulator()
            search.furnish()
            return { request in
                let vendor = Self.vendor(request)
                guard Self.host(request).hasSuffix("duckduckgo.com") else {
                    return CannedAnswers.Answer(status: 200, type: "text/html", body: Array(Self.page.utf8))
                }
                let form = VendorRequest(
                    method: "POST", target: "/?" + String(decoding: request.body, as: UTF8.self), headers: [:], body: []
                )
                let answer = search.answer(
                    .init(
                        method: vendor.method, host: Self.host(request), path: vendor.path, query: vendor.query,
                        headers: vendor.headers, form: form.query))
                return CannedAnswers.Answer(
                    status: answer.status, type: answer.contentType, body: Array(answer.body.utf8))
            }
        }
    }

    private static let page = """
        <!DOCTYPE html><html><head><title>Swifts - The Bird Site</title></head><body><nav><a href="/">Home</a></nav>
        <main><article><h1>Swifts</h1><p>Swifts spend most of their lives in the air; they even sleep while they fly.</p>
        <p>They come in May and leave in August, as soon as their young can fly.</p></article></main></body></html>
        """

    private static func host(_ request: CannedAnswers.Request) -> String {
        URL(string: request.url)?.host ?? String(request.url.dropFirst("https://".count).prefix { $0 != "/" })
    }

    /// As a host would send it, with the token of the grant.
    private static func vendor(_ request: CannedAnswers.Request) -> VendorRequest {
        var headers = request.headers
        if !request.grant.isEmpty { headers["authorization"] = "Bearer SAMPLE-TOKEN" }
        if !request.body.isEmpty, headers["content-type"] == nil { headers["content-type"] = "application/json" }
        let rest = request.url.dropFirst("https://".count)
        let target = rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
        return VendorRequest(method: request.method, target: target, headers: headers, body: request.body)
    }

    private static func answer(_ answer: VendorAnswer) -> CannedAnswers.Answer? {
        answer.isCut ? nil : Self.answer(answer.status, answer.headers, answer.body)
    }

    private static func answer(
        _ status: Int, _ headers: [(String, String)], _ body: [UInt8]
    ) -> CannedAnswers.Answer {
        let type = headers.first { $0.0.lowercased() == "content-type" }?.1 ?? "application/json"
        return CannedAnswers.Answer(status: status, type: type, body: body)
    }
}
