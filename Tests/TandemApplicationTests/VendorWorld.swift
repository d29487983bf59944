import DuckDuckGoSimulator
import Foundation
import GmailSimulator
import GraphSimulator
import NotionSimulator
import OAuthSimulator
import ScriptServer
import TandemAccounts
import TandemAgent
import TandemCore
import TandemEgress
import TandemOAuth
import TandemPluginHost
import Testing
import TwilioSimulator
import VendorSimulator
import YouTubeSimulator

@testable import TandemApplication

/// The simulated vendors of all integrations, each behind a server, with one place where accounts are connected; all by one
/// clock.
final class Vendors: Sendable {
    let clock: ManualClock
    let accounts: OAuthSimulator
    let gmail: GmailSimulator
    let graph: GraphSimulator
    let notion: NotionSimulator
    let youtube: YouTubeSimulator
    let search: DuckDuckGoSimulator
    /// Where the program finds them, and what it needs to be let in.
    let settings: [String: String]
    /// What a vendor fails with until it is taken away.
    let trouble = VendorTrouble()
    private let servers: [ScriptServer]

    /// - Parameter publicURL: how people's browsers reach the program.
    init(clock: ManualClock = ManualClock(Household.start), publicURL: String = Household.publicBase) throws {
        self.clock = clock
        let now: @Sendable () -> Int64 = { clock.now.millisecondsSinceEpoch }
        let accounts = try OAuthSimulator(now: now)
        self.accounts = accounts
        for (service, provider) in [
            (OAuthSimulator.Service.microsoft, "microsoft"), (.google, "google"), (.google, "youtube"),
            (.notion, "notion"),
        ] {
            accounts.register(redirect: "\(publicURL)/oauth/callback/\(provider)", at: service)
        }
        let gmail = GmailSimulator(
            contract: Self.contract("gmail/gmail.v1.discovery.json"), now: now,
            scopes: { accounts.scopes(of: $0, at: .google) })
        let graph = GraphSimulator(
            contract: Self.contract("microsoft-graph/openapi.v1.0.pruned.json"), now: now,
            scopes: { accounts.scopes(of: $0, at: .microsoft) })
        let notion = NotionSimulator(now: now) { accounts.accepts($0, at: .notion) }
        let youtube = YouTubeSimulator(scopes: { accounts.scopes(of: $0, at: .google) })
        let search = DuckDuckGoSimulator()
        (self.gmail, self.graph, self.notion, self.youtube, self.search) = (gmail, graph, notion, youtube, search)
        let trouble = trouble
        func server(
            _ vendor: VendorTrouble.Vendor, _ answer: @escaping @Sendable (ScriptServer.Request) -> ScriptServer.Answer
        ) throws -> ScriptServer {
            try ScriptServer { trouble.answer(vendor, $0, answer) }
        }
        let places: [(String, ScriptServer)] = [
            ("TANDEM_GMAIL_URL", try server(.gmail) { gmail.answer(VendorRequest($0)).scripted }),
            ("TANDEM_GRAPH_URL", try server(.outlook) { graph.answer(VendorRequest($0)).scripted }),
            ("TANDEM_NOTION_URL", try server(.notion) { notion.answer($0) }),
            ("TANDEM_YOUTUBE_URL", try server(.youtube) { youtube.answer($0) }),
            (
                "TANDEM_DUCKDUCKGO_URL",
                try server(.duckduckgo) { request in
                    let response = search.answer(
                        .init(
                            method: request.method, host: request["x-forwarded-host"] ?? "", path: request.path,
                            query: request.query, headers: request.headerValues, form: request.form))
                    return .answer(
                        response.status, [("Content-Type", response.contentType)], body: Array(response.body.utf8))
                }
            ),
        ]
        servers = places.map(\.1)
        var settings = ["YOUTUBE_API_KEY": YouTubeSimulator.key, "TANDEM_PUBLIC_URL": publicURL]
        for (name, server) in places { settings[name] = server.origin }
        self.settings = settings
    }

    /// The contracts beside the checkout; where they are absent, the simulators' own rules hold alone.
    static func contract(_ name: String) -> VendorContract? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized.path
        return VendorContract(file: root + "/../shared/contracts/" + name)
    }

    func stop() {
        for server in servers { server.stop() }
        accounts.stop()
    }
}

/// The real program before simulated vendors: it serves, people write to it by SMS, and open its pages in a browser.
///
/// Nobody has an integration on but whoever switches it on: `carol` is such a person.
///
///     try await VendorWorld.run { world in
///         let carol = try await world.person("carol@example.org", "+15555550125")
///         let ask = try await carol.text("turn on gmail")
///         let on = try await carol.text("3")
///         try await carol.connect(on)
///     }
struct VendorWorld: Sendable {
    let vendors: Vendors
    let twilio: TwilioSimulator
    let household: Household
    let port: Int

    var application: Application { household.application }
    var clock: ManualClock { vendors.clock }

    /// All integrations, with the limits of the repository's registry.
    static func registry() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        return try String(contentsOf: root.appending(path: "registry.json"), encoding: .utf8)
    }

    /// - Parameter place: vendors and data of an earlier world, which goes on; they are the caller's to stop.
    static func run(
        environment: [String: String] = [:], registry: String? = nil, place: (Vendors, TestFolder)? = nil,
        adjust: @escaping @Sendable (inout Application.Options, Vendors) -> Void = { _, _ in },
        _ body: @escaping @Sendable (VendorWorld) async throws -> Void
    ) async throws {
        let vendors = try place?.0 ?? Vendors()
        defer { if place == nil { vendors.stop() } }
        let given = place?.1
        try await TwilioSimulator.run { (twilio) async throws in
            let folder = try given ?? TestFolder("vendors")
            try folder.write(try registry ?? Self.registry(), to: "registry.json")
            try folder.write(String(decoding: vendors.accounts.standardProvidersFile, as: UTF8.self), to: "oauth.json")
            var settings = Household.twilio(twilio).merging(vendors.settings) { $1 }
            settings["TANDEM_OAUTH"] = folder.path + "/oauth.json"
            settings.merge(environment) { $1 }
            let household = try await Household.open(environment: settings, folder: folder, clock: vendors.clock) {
                adjust(&$0, vendors)
            }
            let (ports, found) = AsyncStream.makeStream(of: Int.self)
            let serving = Task {
                defer { found.finish() }
                try await household.application.serve { found.yield($0) }
            }
            let listening = await ports.first { _ in true }
            let result = await Task {
                let world = VendorWorld(
                    vendors: vendors, twilio: twilio, household: household, port: try #require(listening))
                try await body(world)
            }.result
            serving.cancel()
            _ = await serving.result
            try result.get()
        }
    }

    /// Somebody new, with a number, a password, and nothing on.
    func person(_ email: String = "carol@example.org", _ phone: String = "+15555550125") async throws -> Person {
        let scope = try await household.newcomer(email, phone)
        try await application.accounts.setPassword(Person.password, of: scope)
        return Person(world: self, scope: scope, email: email, phone: phone)
    }

    /// Lets time pass, and does what became due: timers of plugins, events, renewals.
    func pass(_ duration: Duration) async throws {
        clock.advance(by: duration)
        application.pluginWork.wake()
        try await application.connections.upkeep()
    }

    /// One person with a phone and a browser.
    struct Person: Sendable {
        static let password = "tides and tea at noon 57"

        let world: VendorWorld
        let scope: UserScope
        let email: String
        let phone: String

        /// All that came to the phone, in order.
        var received: [String] { world.twilio.messages.filter { $0.to == phone }.map(\.body) }

        private static func isNotice(_ message: String) -> Bool { message.contains("asks you to sign in again") }

        /// Messages that came by themselves because a plugin lost its connection.
        func notices(of plugin: String) -> [String] { received.filter { Self.isNotice($0) && $0.contains(plugin) } }

        /// What came besides such messages: one answer to each text.
        var answers: [String] { received.filter { !Self.isNotice($0) } }

        /// Sends a message and gives its answer.
        @discardableResult
        func text(_ body: String, location: SourceLocation = #_sourceLocation) async throws -> String {
            let before = answers.count
            let request = world.twilio.inbound(from: phone, body: body, url: Household.publicBase + "/webhook/sms")
            let client = CurlClient.local()
            let status = try await client.post(request, port: world.port)
            await client.shutdown()
            try #require(status == 200, sourceLocation: location)
            try #require(await eventually { answers.count > before }, "no answer", sourceLocation: location)
            let answer = answers[before]
            #expect(SMSText.segments(of: answer) == 1, "\(answer)", sourceLocation: location)
            return answer
        }

        /// A message with everything that "more" brings after it.
        func whole(_ message: String) async throws -> String {
            var (all, last) = (message, message)
            for _ in 0..<6 where last.contains("(more)") {
                last = try await text("more")
                all += " " + last
            }
            return all.replacing(" (more)", with: "")
        }

        /// Answers a question for confirmation with the code that it names.
        func approve(_ question: String, location: SourceLocation = #_sourceLocation) async throws -> String {
            let code = question.split(whereSeparator: { !$0.isNumber && !$0.isLetter }).last {
                $0.count >= 4 && $0.contains(where: \.isNumber)
            }
            return try await text(
                String(try #require(code, "\(question)", sourceLocation: location)), location: location)
        }

        /// The link to a page of ours in a message.
        func link(in text: String, location: SourceLocation = #_sourceLocation) throws -> String {
            let start = try #require(
                text.range(of: Household.publicBase + "/connect/"), "\(text)", sourceLocation: location
            ).lowerBound
            return String(text[start...].prefix { !$0.isWhitespace })
        }

        /// What the pages said on the way.
        struct Visit: Sendable {
            /// What would be allowed, and why.
            var consent: String
            /// After coming back from the vendor.
            var end: String
        }

        /// Opens the link of a message: signs in, reads, goes on to the vendor, where `OAuthSimulator.decide` decides, and
        /// comes back.
        @discardableResult
        func connect(_ message: String, location: SourceLocation = #_sourceLocation) async throws -> Visit {
            var browser = Browser()
            func here(_ address: String) -> String {
                address.replacing(Household.publicBase, with: "http://127.0.0.1:\(world.port)")
            }
            let link = here(try link(in: message, location: location))
            let signIn = try await browser.get(link)
            let form = try #require(browser.formValue(signIn), "\(browser.text(signIn))", sourceLocation: location)
            let signedIn = try await browser.post(
                link, [("step", "sign_in"), ("form", form), ("email", email), ("password", Self.password)])
            try #require(signedIn.status == 303, "\(browser.text(signedIn))", sourceLocation: location)
            let page = try await browser.get(link)
            let begun = try await browser.post(link, [("step", "continue"), ("form", form)])
            let vendor = try #require(
                begun.headers["location"], "\(browser.text(page)) \(browser.text(begun))", sourceLocation: location)
            let decided = try await browser.get(vendor)
            let back = try #require(
                decided.headers["location"], "\(browser.text(decided))", sourceLocation: location)
            let end = try await browser.get(here(back))
            let visit = Visit(consent: browser.text(page), end: browser.text(end))
            await browser.close()
            return visit
        }

        /// What is granted there now; nil: not connected.
        func scopes(at provider: String) async throws -> Set<String>? {
            try await world.application.connections.connections(of: scope).first {
                $0.provider == provider && $0.status == .connected
            }.map { Set($0.scopes) }
        }
    }
}
