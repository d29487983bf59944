import OAuthSimulator
import TandemCore
import TandemEgress
import TandemStorage
import TestDatabases
import Testing

@testable import TandemOAuth

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct FlowTests {
    static let services: [(provider: String, grant: String, path: String, service: OAuthSimulator.Service)] = [
        ("microsoft", "mail", "/v1.0/me", .microsoft),
        ("google", "gmail", "/gmail/v1/users/me/profile", .google),
        ("youtube", "videos", "/youtube/v3/channels", .google),
        ("notion", "notes", "/v1/users/me", .notion),
    ]

    @Test(arguments: services)
    func connectsUsesRenewsAndEnds(
        _ it: (provider: String, grant: String, path: String, service: OAuthSimulator.Service)
    ) async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            #expect(await host.token(it.grant, world.ada).problem == .connectionNeeded)

            let connection = try await host.connect(it.provider, world.ada)
            #expect(connection.status == .connected)
            #expect(connection.missing == [])
            #expect(connection.account == (it.provider == "notion" ? "Sample workspace" : nil))
            #expect(world.events.connected == ["11/\(it.provider)/test.office"])
            #expect(await host.call(it.path, it.grant, world.ada) == .success(200))

            // Past its end; Notion's has none, so it is refused instead.
            world.clock.advance(by: .seconds(7200))
            if it.service == .notion { world.simulator.endAccess(at: .notion) }
            #expect(await host.call(it.path, it.grant, world.ada) == .success(200))
            #expect(world.simulator.count("\(it.service.rawValue).token.refreshed") == 1)
            #expect(try await host.row(it.provider, world.ada)?.version == 2)

            // Nobody else's, and no other plugin's.
            #expect(await host.token(it.grant, world.bob).problem == .connectionNeeded)
            #expect(await host.token(it.grant, world.ada, plugin: "test.agenda").problem == .connectionNeeded)

            let outcome = try await host.connections.disconnect(it.provider, of: world.ada)
            if it.service == .microsoft {
                #expect(outcome == .notOffered(management: "https://account.live.com/consent/Manage"))
            } else {
                #expect(outcome == .revoked)
                #expect(world.simulator.liveRefreshTokens(of: it.service) == [])
            }
            #expect(await host.token(it.grant, world.ada).problem == .connectionNeeded)
            #expect(try await host.connections.disconnect(it.provider, of: world.ada) == .notConnected)
            let rest = try await host.connections.connections(of: world.ada).first { $0.provider == it.provider }
            #expect(rest?.status == .disconnected)
            #expect(world.audit.count(.connected) == 1)
            #expect(world.audit.count(.disconnected) == 1)
            #expect(world.audit.count(.used) == (it.service == .notion ? 3 : 2))
        }
    }

    // MARK: The state

    @Test func aStateWorksOnce() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let url = try await host.begin(ConnectionNeed(provider: "google", plugin: "test.office"), world.ada)
            let callback = try await host.visit(url)
            try await host.connections.finish(callback, in: host.session(world.ada))
            #expect(
                await host.failure { try await host.connections.finish(callback, in: host.session(world.ada)) }
                    == .stateUnknown)
            #expect(world.simulator.count("google.token.exchanged") == 1)
        }
    }

    @Test func twoAnswersAtOnceAreOneConnection() async throws {
        try await OAuthWorld.run { world in
            let hosts = [try await world.host(), try await world.host()]
            let url = try await hosts[0].begin(ConnectionNeed(provider: "google", plugin: "test.office"), world.ada)
            let callback = try await hosts[0].visit(url)
            let results = await withTaskGroup(of: OAuthError.Code?.self) { group in
                for index in 0..<10 {
                    let host = hosts[index % 2]
                    group.addTask {
                        await host.failure { try await host.connections.finish(callback, in: host.session(world.ada)) }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter { $0 == nil }.count == 1)
            #expect(results.filter { $0 == .stateUnknown }.count == 9)
        }
    }

    @Test func aStateOfSomebodyElseIsNotSeen() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let url = try await host.begin(ConnectionNeed(provider: "notion", plugin: "test.office"), world.ada)
            let callback = try await host.visit(url)
            // Somebody is made to open the answer to another person's request.
            #expect(
                await host.failure { try await host.connections.finish(callback, in: host.session(world.bob)) }
                    == .stateUnknown)
            #expect(try await host.row("notion", world.bob) == nil)
            // It does not spoil it for whose it is.
            try await host.connections.finish(callback, in: host.session(world.ada))
        }
    }

    @Test func anotherSessionOfTheSamePersonIsRefusedAndBurnsTheState() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let url = try await host.begin(ConnectionNeed(provider: "notion", plugin: "test.office"), world.ada)
            let callback = try await host.visit(url)
            #expect(
                await host.failure {
                    try await host.connections.finish(callback, in: host.session(world.ada, "login-2"))
                } == .otherSession)
            #expect(
                await host.failure { try await host.connections.finish(callback, in: host.session(world.ada)) }
                    == .stateUnknown)
            #expect(world.simulator.count("notion.token.exchanged") == 0)
        }
    }

    @Test func aStateEnds() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let url = try await host.begin(ConnectionNeed(provider: "notion", plugin: "test.office"), world.ada)
            let callback = try await host.visit(url)
            world.clock.advance(by: .seconds(601))
            #expect(
                await host.failure { try await host.connections.finish(callback, in: host.session(world.ada)) }
                    == .stateExpired)
            #expect(try await host.connections.upkeep().removed == 0)
        }
    }

    @Test func upkeepRemovesWhatNobodyCameBackWith() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            for _ in 0..<30 {
                _ = try await host.begin(ConnectionNeed(provider: "notion", plugin: "test.office"), world.ada)
                _ = try await host.connections.link(for: ConnectionNeed(provider: "notion"), of: world.ada)
            }
            world.clock.advance(by: .seconds(601))
            #expect(try await host.connections.upkeep().removed == OAuthConnections.maxStates)
            world.clock.advance(by: .seconds(3 * 86_400))
            #expect(try await host.connections.upkeep().removed == OAuthConnections.maxLinks)
        }
    }

    @Test func refusesWhatIsNotTheAnswerToOurRequest() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let url = try await host.begin(ConnectionNeed(provider: "google", plugin: "test.office"), world.ada)
            let callback = try await host.visit(url)
            func code(_ path: String, _ query: String) async -> OAuthError.Code? {
                await host.failure {
                    try await host.connections.finish(
                        AuthorizationCallback(path: path, query: query), in: host.session(world.ada))
                }
            }
            let path = callback.path
            let query = callback.query
            let state =
                query.split(separator: "&").first { $0.hasPrefix("state=") }.map { String($0.dropFirst(6)) } ?? ""
            #expect(state.count == 54)
            #expect(await code(path, "") == .stateInvalid)
            #expect(await code(path, "code=abc") == .stateInvalid)
            #expect(await code(path, "code=abc&state=x") == .stateInvalid)
            #expect(await code(path, query + "&state=\(state)") == .stateInvalid)
            #expect(await code(path, query + "&code=other") == .stateInvalid)
            #expect(await code(path, query + "&x=%F") == .stateInvalid)
            // Of another service: somebody mixes them up (RFC 9700 §4.4).
            #expect(await code("/oauth/callback/notion", query) == .stateInvalid)
            #expect(await code("/oauth/callback/youtube", query) == .stateInvalid)
            #expect(await code("/oauth/callback/other", query) == .unknownProvider)
            var forged = Array(state)
            for place in [0, 20, 30, 50] {
                forged[place] = forged[place] == "A" ? "B" : "A"
                #expect(await code(path, "code=abc&state=\(String(forged))") == .stateInvalid)
            }
            // None of these used it up.
            #expect(await code("/elsewhere/google", query) == .wrongRedirect)
            #expect(await code(path, query) == .stateUnknown)
            #expect(world.simulator.count("google.token.exchanged") == 0)
        }
    }

    @Test func theServiceRefusesAnAddressThatIsNotRegistered() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let url = try await host.begin(ConnectionNeed(provider: "google", plugin: "test.office"), world.ada)
            let changed = url.replacing("tandem.example.org", with: "evil.example.org")
            let response = try await host.http.send(HTTPRequest(.get, changed))
            #expect(response.status == 400)
            #expect(response.headers["location"] == nil)
        }
    }

    @Test func theCodeIsWorthNothingWithoutTheVerifier() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let first = try await host.begin(ConnectionNeed(provider: "google", plugin: "test.office"), world.ada)
            let second = try await host.begin(ConnectionNeed(provider: "google", plugin: "test.office"), world.bob)
            let stolen = try await host.visit(first)
            let own = try await host.visit(second)
            // Bob puts Ada's code into the answer to his own request.
            let code = stolen.query.split(separator: "&").first { $0.hasPrefix("code=") } ?? ""
            let state = own.query.split(separator: "&").first { $0.hasPrefix("state=") } ?? ""
            #expect(
                await host.failure {
                    try await host.connections.finish(
                        AuthorizationCallback(path: own.path, query: "\(code)&\(state)"), in: host.session(world.bob))
                } == .refused)
            #expect(try await host.row("google", world.bob) == nil)
        }
    }

    // MARK: Refusals

    @Test(arguments: [
        ("access_denied", OAuthError.Code.denied), ("consent_required", .consentRequired),
        ("interaction_required", .interactionRequired), ("login_required", .interactionRequired),
        ("invalid_scope", .invalidScope), ("server_error", .unavailable), ("temporarily_unavailable", .unavailable),
        ("unauthorized_client", .misconfigured), ("something_new", .refused),
    ])
    func saysInPlainWordsWhyNothingWasConnected(_ word: String, _ code: OAuthError.Code) async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.simulator.decide(.refuse(word))
            do {
                try await host.connect("microsoft", world.ada, plugin: "test.office")
                Issue.record("it was connected")
            } catch let error as OAuthError {
                #expect(error.code == code)
                #expect(error.message.contains("Microsoft"))
                #expect(!error.message.contains("_") && !error.message.contains("AADSTS"))
            }
            #expect(try await host.row("microsoft", world.ada) == nil)
            #expect(world.audit.events.contains { $0.name == .refused && $0.detail["reason"] == code.rawValue })
        }
    }

    @Test func aServiceThatFailsCostsNothingThatWasThere() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("microsoft", world.ada)
            let before = try await host.row("microsoft", world.ada)
            for fault in [OAuthSimulator.Fault.cutBefore, .cutAfter, .status(503), .garbage] {
                world.simulator.fail(.token, fault)
                #expect(
                    await host.failure {
                        try await host.connect("microsoft", world.ada, plugin: "test.office", level: .write)
                    } == .unavailable)
            }
            world.simulator.setSecret("changed", of: .microsoft)
            #expect(
                await host.failure {
                    try await host.connect("microsoft", world.ada, plugin: "test.office", level: .write)
                } == .misconfigured)
            #expect(try await host.row("microsoft", world.ada)?.id == before?.id)
        }
    }

    @Test func accessWithoutRenewalIsNotTakenForAConnection() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.simulator.withholdRefresh(.google)
            #expect(
                await host.failure { try await host.connect("google", world.ada, plugin: "test.office") }
                    == .noLastingAccess)
            // Notion's does not end by itself.
            world.simulator.withholdRefresh(.notion)
            world.directory.set(.readOnly, "test.office", for: world.ada)
            #expect(try await host.connect("notion", world.ada).status == .connected)
        }
    }

    // MARK: Scopes

    @Test func asksForMoreOnlyWhenMoreIsNeeded() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let need = ConnectionNeed(provider: "microsoft", plugin: "test.office")
            var page = try await host.connections.consent(for: need, of: world.ada)
            #expect(page.lines.map(\.title) == ["read your mail"])
            #expect(page.lines.first?.reasons == [.init(plugin: "Office", text: "to show you what came in")])
            #expect(!page.isComplete)
            let first = try await host.begin(need, world.ada)
            #expect(first.contains("scope=offline_access%20User.Read%20Mail.Read&"))
            try await host.connections.finish(try await host.visit(first), in: host.session(world.ada))
            world.directory.set(.readOnly, "test.office", for: world.ada)
            #expect(try await host.connections.begin(need, in: host.session(world.ada)) == .connected)

            // The level rises: what was granted stays, one more is asked for.
            let raised = ConnectionNeed(provider: "microsoft", plugin: "test.office", level: .write)
            page = try await host.connections.consent(for: raised, of: world.ada)
            #expect(page.lines.map(\.isGranted) == [true, false])
            #expect(page.lines.map(\.title) == ["read your mail", "send mail as you"])
            let second = try await host.begin(raised, world.ada)
            let asked = try #require(second.split(separator: "&").first { $0.hasPrefix("scope=") })
            #expect(
                Set(asked.dropFirst(6).replacing("%20", with: " ").split(separator: " "))
                    == ["offline_access", "User.Read", "Mail.Read", "Mail.Send"])
            let grown = try await host.connections.finish(try await host.visit(second), in: host.session(world.ada))
            #expect(Set(grown.scopes) == ["User.Read", "Mail.Read", "Mail.Send"])

            // Another plugin joins: the union.
            world.directory.set(.write, "test.office", for: world.ada)
            let other = try await host.connect("microsoft", world.ada, plugin: "test.agenda")
            #expect(Set(other.scopes) == ["User.Read", "Mail.Read", "Mail.Send", "Calendars.Read"])
            world.clock.advance(by: .seconds(7200))
            #expect(await host.call("/v1.0/me", "mail", world.ada) == .success(200))
        }
    }

    @Test func takesLessThanItAskedForAndSaysWhatIsMissing() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.write, "test.office", for: world.ada)
            world.simulator.decide(.allowOnly([TestDirectory.gmail + "readonly"]))
            let connection = try await host.connect("google", world.ada)
            #expect(connection.missing == [TestDirectory.gmail + "send"])
            #expect(await host.call("/gmail/v1/users/me/profile", "gmail", world.ada) == .success(200))
            // Nothing that the plugin could use: it gets no token at all.
            world.directory.set(.readOnly, "test.agenda", for: world.ada)
            world.simulator.decide(.allow)
            try await host.connections.disconnect("google", of: world.ada)
            world.directory.set(nil, "test.agenda", for: world.ada)
            try await host.connect("microsoft", world.ada)
            world.directory.set(.readOnly, "test.agenda", for: world.ada)
            #expect(await host.token("calendar", world.ada, plugin: "test.agenda").problem == .connectionNeeded)
        }
    }

    @Test func whatContainsAScopeIsEnough() async throws {
        let providers = try OAuthProviders(clients: [:])
        let microsoft = try #require(providers["microsoft"])
        #expect(microsoft.covers(["Mail.ReadWrite"], "Mail.Read"))
        #expect(microsoft.covers(["https://graph.microsoft.com/mail.read"], "Mail.Read"))
        #expect(microsoft.covers([], "offline_access"))
        #expect(!microsoft.covers(["Mail.ReadWrite"], "Mail.Send"))
        let youtube = try #require(providers["youtube"])
        #expect(
            !youtube.covers(
                ["https://www.googleapis.com/auth/youtube.readonly"],
                "https://www.googleapis.com/auth/youtube.force-ssl"))
    }

    @Test func aServiceThatIsNotSetUpIsSaidToBe() async throws {
        try await OAuthWorld.run { world in
            let database = try await OAuthWorld.database(world.folder, world.clock)
            let connections = OAuthConnections(
                database: database, http: OAuthWorld.client(), providers: try OAuthProviders(clients: [:]),
                publicURL: try #require(WebAddress(OAuthWorld.publicURL)), directory: world.directory,
                events: world.events)
            try await connections.prepare()
            let session = LoginSession(person: world.ada, id: Secret("x"))
            await #expect {
                try await connections.begin(ConnectionNeed(provider: "google"), in: session)
            } throws: { ($0 as? OAuthError)?.code == .notSetUp }
            await #expect {
                try await connections.begin(ConnectionNeed(provider: "dropbox"), in: session)
            } throws: { ($0 as? OAuthError)?.code == .unknownProvider }
            #expect(try await connections.connections(of: world.ada) == [])
        }
    }

    // MARK: Links

    @Test func aLinkByTextLeadsToConsentAfterLogin() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let need = ConnectionNeed(provider: "microsoft", plugin: "test.office", level: .write)
            let link = try await host.connections.link(for: need, of: world.ada)
            #expect(link.hasPrefix("https://tandem.example.org/connect/"))
            #expect(link.utf8.count < 60)
            let ticket = String(link.split(separator: "/").last ?? "")
            #expect(try await host.connections.need(ofLink: ticket, in: host.session(world.ada)) == need)
            // It authorises nothing: another login sees nothing.
            #expect(
                await host.failure { _ = try await host.connections.need(ofLink: ticket, in: host.session(world.bob)) }
                    == .linkInvalid)
            for wrong in ["", "x", String(ticket.dropLast()), ticket + "A", "AAAAAAAAAAAAAAAA"] {
                #expect(
                    await host.failure {
                        _ = try await host.connections.need(ofLink: wrong, in: host.session(world.ada))
                    }
                        == .linkInvalid)
            }
            // Opened twice is fine; done once is done.
            let url = try await host.begin(
                try await host.connections.need(ofLink: ticket, in: host.session(world.ada)), world.ada)
            try await host.connections.finish(try await host.visit(url), in: host.session(world.ada))
            #expect(
                await host.failure { _ = try await host.connections.need(ofLink: ticket, in: host.session(world.ada)) }
                    == .linkInvalid)
        }
    }
}
