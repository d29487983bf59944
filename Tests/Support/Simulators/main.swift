import DuckDuckGoSimulator
import Foundation
import GmailSimulator
import GraphSimulator
import ModelSimulators
import NotionSimulator
import OAuthSimulator
import ScriptServer
import VendorSimulator
import YouTubeSimulator

// The simulated services as a program, by the real clock: `tandem-simulators [--port 9900] [--public-url URL]
// [--providers FILE] [--environment FILE] [--contract FILE] [--latency MS] [--journal FILE]`. Writes the operator's file for TANDEM_OAUTH, says what to set, and serves until it
// is ended. Gemini is at the next port, a server of the chat-completions API at the one after, then Gmail and Graph.

func option(_ name: String) -> String? {
    guard let place = CommandLine.arguments.firstIndex(of: name), place + 1 < CommandLine.arguments.count else {
        return nil
    }
    return CommandLine.arguments[place + 1]
}

if CommandLine.arguments.contains("--help") {
    print(
        """
        Simulated Microsoft with Graph, Google with Gmail, Notion, YouTube, DuckDuckGo, Gemini and chat-completions API for
        trying things without an account anywhere. Notion has a few pages and a database, YouTube two videos and a playlist.

        USAGE: tandem-simulators [--port PORT] [--public-url URL] [--providers FILE] [--environment FILE]
                                 [--contract FILE] [--latency MS] [--journal FILE]

          --port        where it listens on 127.0.0.1, with the ports after it; any free ports unless given
          --public-url  how browsers reach `tandem serve`; http://127.0.0.1:8080 unless given
          --providers   where it writes the operator's file; oauth-simulators.json unless given
          --environment where it writes the settings without the models', for `. FILE`; nowhere unless given
          --contract    an OpenAPI file of Gemini that requests are checked by
          --latency     milliseconds before each answer of Gmail, Graph, Notion, YouTube and DuckDuckGo; 0 unless given
          --journal     where it writes from when to when it worked on each of their requests

        Example, in two terminals:
          tandem-simulators --port 9900
          env $(the lines that it prints) tandem serve
        """)
    exit(0)
}
let known: Set<String> = [
    "--port", "--public-url", "--providers", "--environment", "--contract", "--latency", "--journal",
]
if let stranger = CommandLine.arguments.dropFirst().enumerated().first(where: {
    $0.offset.isMultiple(of: 2) && !known.contains($0.element)
}) {
    FileHandle.standardError.write(Data("tandem-simulators: \(stranger.element) is not known\n".utf8))
    exit(64)
}
let publicURL = option("--public-url") ?? "http://127.0.0.1:8080"
let file = option("--providers") ?? "oauth-simulators.json"
do {
    let simulator = try OAuthSimulator(
        port: option("--port").flatMap(UInt16.init) ?? 0, asksPerson: true,
        now: { Int64(Date().timeIntervalSince1970 * 1000) })
    for (service, ids) in [
        (OAuthSimulator.Service.microsoft, ["microsoft"]), (.google, ["google", "youtube"]), (.notion, ["notion"]),
    ] {
        for id in ids { simulator.register(redirect: "\(publicURL)/oauth/callback/\(id)", at: service) }
    }
    try Data(simulator.standardProvidersFile).write(to: URL(filePath: file))
    let port = option("--port").flatMap(UInt16.init)
    let journal = Journal(path: option("--journal"), latency: option("--latency").flatMap(UInt32.init) ?? 0)
    let gmail = GmailSimulator.sample(
        now: { Int64(Date().timeIntervalSince1970 * 1000) }, scopes: { simulator.scopes(of: $0, at: .google) })
    let gmailServer = try ScriptServer(port: port.map { $0 &+ 3 } ?? 0) { request in
        journal.answer("gmail", request) { gmail.answer(VendorRequest($0)).scripted }
    }
    let graph = GraphSimulator.sample(
        now: { Int64(Date().timeIntervalSince1970 * 1000) }, scopes: { simulator.scopes(of: $0, at: .microsoft) })
    let graphServer = try ScriptServer(port: port.map { $0 &+ 4 } ?? 0) { request in
        journal.answer("graph", request) { graph.answer(VendorRequest($0)).scripted }
    }
    var variables = ["TANDEM_GMAIL_URL=\(gmailServer.origin)", "TANDEM_GRAPH_URL=\(graphServer.origin)"]
    let notion = NotionSimulator(authorizes: { simulator.accepts($0, at: .notion) })
    notion.furnish()
    let notionServer = try ScriptServer(port: port.map { $0 &+ 5 } ?? 0) { request in
        journal.answer("notion", request) { notion.answer($0) }
    }
    variables.append("TANDEM_NOTION_URL=http://127.0.0.1:\(notionServer.port)")
    let youtube = YouTubeSimulator(
        today: { "\(Int(Date().timeIntervalSince1970) / 86_400)" }, scopes: { simulator.scopes(of: $0, at: .google) })
    youtube.furnish()
    let youtubeServer = try ScriptServer(port: port.map { $0 &+ 6 } ?? 0) { request in
        journal.answer("youtube", request) { youtube.answer($0) }
    }
    variables.append("TANDEM_YOUTUBE_URL=http://127.0.0.1:\(youtubeServer.port)")
    variables.append("YOUTUBE_API_KEY=\(YouTubeSimulator.key)")
    let search = DuckDuckGoSimulator()
    search.furnish()
    let searchServer = try ScriptServer(port: port.map { $0 &+ 7 } ?? 0) { request in
        journal.answer("duckduckgo", request) { request in
            let response = search.answer(
                .init(
                    method: request.method, host: request["x-forwarded-host"] ?? "", path: request.path,
                    query: request.query, headers: request.headerValues, form: request.form))
            return .answer(response.status, [("Content-Type", response.contentType)], body: Array(response.body.utf8))
        }
    }
    variables.append("TANDEM_DUCKDUCKGO_URL=http://127.0.0.1:\(searchServer.port)")
    let checker = option("--contract").flatMap {
        OpenAPIChecker(file: $0, bound: ["GenerateContentRequest": ["model"]])
    }
    let gemini = try GeminiSimulator(
        ModelScript(rule: PlayedModel.reply), checker: checker, port: port.map { $0 &+ 1 } ?? 0)
    let chat = try ChatSimulator(ModelScript(rule: PlayedModel.reply), port: port.map { $0 &+ 2 } ?? 0)
    let models = [
        "GEMINI_API_KEY=SAMPLE-KEY", "TANDEM_GEMINI_URL=\(gemini.origin)", "TANDEM_CHAT_URL=\(chat.base)",
        "TANDEM_CHAT_KEY=SAMPLE-KEY", "TANDEM_CHAT_MODEL=small",
    ]
    let settings = ["TANDEM_OAUTH=\(URL(filePath: file).path)", "TANDEM_PUBLIC_URL=\(publicURL)"] + variables
    if let environment = option("--environment") {
        let lines =
            ["# process \(getpid())"]
            + settings.map { setting in
                let parts = setting.split(separator: "=", maxSplits: 1)
                return "\(parts[0])='\(parts[1].replacingOccurrences(of: "'", with: "'\\''"))'"
            }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: environment))
    }
    FileHandle.standardOutput.write(Data(((settings + models).joined(separator: "\n") + "\n").utf8))
    // Until a signal ends it.
    while true { pause() }
} catch {
    FileHandle.standardError.write(Data("tandem-simulators: \(error)\n".utf8))
    exit(69)
}
