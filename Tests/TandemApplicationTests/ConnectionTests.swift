import Foundation
import OAuthSimulator
import PostgreSQLServer
import TandemAccounts
import TandemAgent
import TandemCore
import TandemEgress
import TandemOAuth
import TandemPluginHost
import TandemStorage
import Testing
import TwilioSimulator

@testable import TandemApplication

/// Connecting an account elsewhere, from the word by text to the plugin's call, with the real program, pages and plugin, and
/// simulated services.
@Suite(.timeLimit(.minutes(8)))
struct ConnectionTests {
    private static let plugin = "test.office"
    private static let password = "tides and tea at noon 57"

    /// What the tests of one world share.
    private struct World: Sendable {
        var folder: TestFolder
        var simulator: OAuthSimulator
        var environment: [String: String]
        var publicURL: String

        func open() async throws -> Household { try await Household.open(environment: environment, folder: folder) }
    }

    private func run(
        publicURL: String = "https://tandem.example", environment more: [String: String] = [:],
        now: @escaping @Sendable () -> Int64 = { Household.start.millisecondsSinceEpoch },
        _ body: (World) async throws -> Void
    ) async throws {
        let simulator = try OAuthSimulator(now: now)
        defer { simulator.stop() }
        simulator.register(redirect: "\(publicURL)/oauth/callback/microsoft", at: .microsoft)
        let folder = try TestFolder("office")
        try folder.write(
            """
            {"version": 1, "plugins": [{"id": "test.office", "namespace": "office", "bundle": "office",
             "trust": "first-party", "isolation": "in-process", "default": "offered"}]}
            """, to: "registry.json")
        try folder.write(String(decoding: simulator.standardProvidersFile, as: UTF8.self), to: "oauth.json")
        var environment = [
            "TANDEM_OAUTH": folder.path + "/oauth.json",
            "TANDEM_GRAPH_URL": simulator.origin, "TANDEM_PUBLIC_URL": publicURL,
        ]
        environment.merge(more) { $1 }
        try await body(
            World(folder: folder, simulator: simulator, environment: environment, publicURL: publicURL))
    }

    /// Works with the household as `Household.run` does.
    private func working(_ household: Household, _ body: () async throws -> Void) async throws {
        let application = household.application
        let work = [Task { await application.agent.run() }, Task { await application.plugins.run() }]
        let result: Result<Void, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        for task in work { task.cancel() }
        for task in work { await task.value }
        await application.close()
        try result.get()
    }

    /// The way through the service, without the pages.
    private func connect(_ world: World, _ household: Household, _ person: UserScope) async throws {
        let connections = household.application.connections
        let session = LoginSession(person: person, id: Secret("test"))
        guard
            case .redirect(let address) = try await connections.begin(
                ConnectionNeed(provider: "microsoft"), in: session)
        else { return }
        let client = CurlClient.local()
        let answer = try await client.send(HTTPRequest(.get, address))
        let location = try #require(answer.headers["location"])
        let rest = location.dropFirst(world.publicURL.count)
        try await connections.finish(
            AuthorizationCallback(
                path: String(rest.prefix { $0 != "?" }), query: String(rest.drop { $0 != "?" }.dropFirst())),
            in: session)
        await client.shutdown()
    }

    private func link(in text: String) throws -> String {
        let start = try #require(text.range(of: "https://tandem.example/connect/")).lowerBound
        return String(text[start...].prefix { !$0.isWhitespace })
    }

    @Test func whatIsMissingIsSaidWithALinkWhenItIsSwitchedOnOrMayDoMore() async throws {
        try await run { world in
            let household = try await world.open()
            try await working(household) {
                let plugins = household.application.plugins
                let carol = try await household.newcomer("carol@example.org", "+15555550125")
                let ask = try await household.say("turn on office", as: carol)
                #expect(ask.text.contains("uses your Microsoft account"), "\(ask.text)")
                let isOn = try await household.say("3", as: carol)
                #expect(
                    isOn.text.hasPrefix("Office is on, read only.\nConnect Microsoft here: https://"), "\(isOn.text)")
                // A call says it as well; nothing reached the service.
                let refused = try await household.say("show my inbox", as: carol)
                #expect(refused.calls.map(\.outcome) == ["auth_required"], "\(refused.text)")
                let ticket = try link(in: refused.text)
                #expect(ticket.utf8.count > 40)
                #expect(world.simulator.count("microsoft.api.401") == 0)

                try await connect(world, household, carol)
                #expect(try await household.say("show my inbox", as: carol).text == "Your inbox is empty.")
                let demands = try await plugins.accountDemands(of: carol)
                #expect(demands.map(\.plugin) == [Self.plugin])
                let connection = try await household.application.connections.connections(of: carol)
                    .first { $0.provider == "microsoft" }
                #expect(connection?.scopes.contains("Mail.Read") == true)
                #expect(connection?.scopes.contains("Mail.ReadWrite") == false)

                // More is asked for when more is wanted, not before.
                let more = try await household.say("let office write but ask me first", as: carol)
                #expect(more.text.contains("Connect Microsoft here: https://"), "\(more.text)")
                try await connect(world, household, carol)
                #expect(try await household.application.connectionStep(of: "office", in: carol) == nil)
                // Somebody else's connection is nobody else's.
                #expect(
                    try await household.say("show my inbox", as: household.bob).calls.map(\.outcome)
                        == ["auth_required"])
            }
        }
    }

    @Test func aLostConnectionPausesThePluginTellsOnceAndHeals() async throws {
        try await TwilioSimulator.run { (twilio) async throws in
            let settings = Household.twilio(twilio)
            try await run(publicURL: Household.publicBase, environment: settings) { world in
                let household = try await world.open()
                let application = household.application
                let outbox = Task { await application.deliver() }
                try await working(household) {
                    try await connect(world, household, household.ann)
                    #expect(try await household.say("show my inbox").text == "Your inbox is empty.")
                    world.simulator.revokeGrant(at: .microsoft)
                    household.clock.advance(by: .seconds(7200))
                    let lost = try await household.say("show my inbox")
                    // Pausing may end the very call that found it.
                    #expect(lost.calls.allSatisfy { $0.outcome != "value" }, "\(lost.text)")
                    #expect(try link(in: lost.text).utf8.count > 40, "\(lost.text)")
                    let grant = try await application.plugins.grant(of: Self.plugin, in: household.ann)
                    #expect(grant.state.name == "needs_reauth")
                    for _ in 0..<3 { try await application.connections.upkeep() }
                    #expect(
                        await eventually {
                            twilio.messages.contains { $0.to == Household.annPhone && $0.body.contains("/connect/") }
                        })
                    // Nothing of it is offered meanwhile, to nobody else's harm.
                    let paused = try await household.say("show my inbox")
                    #expect(paused.calls.allSatisfy { $0.outcome != "value" }, "\(paused.text)")
                    #expect(try link(in: paused.text).utf8.count > 40, "\(paused.text)")
                    let other = try await application.plugins.grant(of: Self.plugin, in: household.bob)
                    #expect(other.state.name == "enabled")

                    try await connect(world, household, household.ann)
                    let again = try await application.plugins.grant(of: Self.plugin, in: household.ann)
                    #expect(again.state.name == "enabled")
                    #expect(try await household.say("show my inbox").text == "Your inbox is empty.")
                    #expect(twilio.messages.count { $0.to == Household.annPhone && $0.body.contains("/connect/") } == 1)
                }
                outbox.cancel()
                await outbox.value
            }
        }
    }

    /// Two hosts on one database, at the end of a token: one refresh, every use in the audit, whose chain holds.
    @Test(arguments: ["sqlite", "postgres"])
    func twoHundredCallsOnTwoHostsAreOneRefresh(on engine: String) async throws {
        try await run { world in
            var world = world
            if engine == "postgres" {
                let server = try await PostgreSQLServer.shared()
                world.environment.merge(server.environment(try await server.database().address.database)) { $1 }
            } else {
                world.environment["DATABASE_URL"] = "sqlite:\(world.folder.path)/shared.db"
            }
            let first = try await world.open()
            try await connect(world, first, first.ann)
            let key = try String(contentsOfFile: first.application.paths.keyFile, encoding: .utf8)
            world.environment["TANDEM_MASTER_KEY"] = key
            world.environment["TANDEM_DATA"] = world.folder.path + "/other"
            let second = try await world.open()
            for household in [first, second] { household.clock.advance(by: .seconds(7200)) }
            let hosts = [first.application, second.application]
            let ann = first.ann
            let tokens = await withTaskGroup(of: String?.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let connections = hosts[index % 2].connections
                        return try? await connections.token(of: "mail", plugin: Self.plugin, in: ann).value.reveal()
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(tokens.count { $0 == nil } == 0)
            #expect(Set(tokens).count == 1)
            #expect(world.simulator.count("microsoft.token.refreshed") == 1)
            #expect(world.simulator.count("microsoft.token.invalid_grant") == 0)
            let entries = try await first.application.database.read(ann) { transaction in
                try transaction.auditEntries(of: ann.user)
            }
            let words = entries.compactMap { $0.body.map { String(decoding: $0, as: UTF8.self) } }
            #expect(words.count { $0.contains("oauth.used") } == 200)
            #expect(words.count { $0.contains("oauth.renewed") } == 1)
            #expect(words.count { $0.contains("oauth.connected") } == 1)
            let secrets = world.simulator.secrets
            #expect(words.allSatisfy { word in secrets.allSatisfy { !word.contains($0) } })
            for application in hosts { await application.close() }
        }
    }

    /// The pages of the server, as a browser goes through them.
    @Test func aLinkLeadsThroughSignInAndConsentToTheService() async throws {
        let port = try Self.freePort()
        let publicURL = "http://127.0.0.1:\(port)"
        let now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
        try await run(publicURL: publicURL, now: now) { world in
            let household = try await world.open()
            let application = household.application
            try await application.accounts.setPassword(Self.password, of: household.ann)
            let step = try #require(try await application.connectionStep(of: "office", in: household.ann))
            await application.close()

            var environment = world.environment
            environment["TANDEM_DATA"] = world.folder.path + "/data"
            environment["TANDEM_REGISTRY"] = world.folder.path + "/registry.json"
            environment["TANDEM_LISTEN"] = "127.0.0.1:\(port)"
            let server = try await ServerProcess(environment, log: world.folder.path + "/serve.log")
            var browser = Browser()

            let first = try await browser.get(step.link)
            #expect(first.status == 200)
            #expect(first.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            #expect(first.headers["referrer-policy"] == "no-referrer")
            #expect(browser.text(first).contains("Sign in"))
            #expect(!browser.text(first).contains("<script"))
            // Without the cookie of the form, with a foreign one, from another site: nothing.
            var stranger = Browser()
            #expect(try await stranger.post(step.link, [("step", "sign_in"), ("form", "x")]).status == 403)
            let value = try #require(browser.formValue(first))
            #expect(
                try await browser.post(
                    step.link, [("step", "sign_in"), ("form", value)], ["Sec-Fetch-Site": "cross-site"]
                ).status == 403)
            let wrong = try await browser.post(
                step.link, [("step", "sign_in"), ("form", value), ("email", "ann@example.org"), ("password", "no")])
            #expect(wrong.status == 401)
            let right = try await browser.post(
                step.link,
                [("step", "sign_in"), ("form", value), ("email", "ann@example.org"), ("password", Self.password)])
            #expect(right.status == 303)

            let page = try await browser.get(step.link)
            #expect(browser.text(page).contains("read your mail"), "\(browser.text(page))")
            #expect(browser.text(page).contains("to show you what came in"))
            #expect(browser.text(page).contains("signed in as ann@example.org"))
            let begun = try await browser.post(step.link, [("step", "continue"), ("form", value)])
            #expect(begun.status == 303)
            let address = try #require(begun.headers["location"])
            #expect(address.hasPrefix(world.simulator.origin))
            let answer = try await browser.get(address)
            let callback = try #require(answer.headers["location"])
            // Somebody who is not signed in gets nothing for it.
            #expect(try await stranger.get(callback).status == 401)
            let done = try await browser.get(callback)
            #expect(done.status == 200)
            #expect(browser.text(done).contains("Microsoft is connected"))
            // Once is enough.
            #expect(try await browser.get(callback).status == 400)
            #expect(try await browser.get(publicURL + "/connect/AAAAAAAAAAAAAAAA").status == 404)
            #expect(await server.terminate() == 0)
            await browser.close()

            let log = try String(contentsOfFile: world.folder.path + "/serve.log", encoding: .utf8)
            for secret in world.simulator.secrets + [Self.password] { #expect(!log.contains(secret)) }
            let later = try await world.open()
            let connections = try await later.application.connections.connections(of: later.ann)
            #expect(connections.first { $0.provider == "microsoft" }?.status == .connected)
            await later.application.close()
        }
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) == 0 && getsockname(descriptor, pointer, &size) == 0
            }
        }
        try #require(isBound)
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
