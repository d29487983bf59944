import CrashHarness
import Foundation
import NotionSimulator
import OAuthSimulator
import Synchronization
import TandemAccounts
import TandemCore
import TandemEgress
import TandemJSON
import TandemOAuth
import TandemPluginHost
import TandemStorage
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemApplication

/// Somebody switches an integration off by text, and the serving process dies by `kill -9` before all that follows is done:
/// the next one does it, and the service is told once.
@Suite(.timeLimit(.minutes(8)), .serialized, .eachEngine)
struct KilledEndingTests {
    private static let job = "plugins.end"

    /// Where a process dies.
    private enum Death: Sendable {
        /// So many transactions after the one that stores the decision.
        case transactions(Int)
        /// The service has been asked to take the access back, and has not done it.
        case beforeTheService
        /// It has done it; nobody here knows yet.
        case afterTheService

        static let all = [0, 1, 3, 5].map(Death.transactions) + [.beforeTheService, .afterTheService]
    }

    private struct Person: Sendable {
        var scope: UserScope
        var letter: TwilioSimulator.WebhookRequest
        var isAcknowledged = false
    }

    @Test func whatFollowsFromSwitchingOffSurvivesAKill() async throws {
        // Other processes go by the real time.
        let vendors = try Vendors(clock: ManualClock(SystemClock().now))
        defer { vendors.stop() }
        let accounts = vendors.accounts
        let folder = try TestFolder("ending")
        _ = vendors.notion.addPage("House", blocks: [("paragraph", "Oil the door")])
        try await TwilioSimulator.run { (twilio) async throws in
            var environment = Household.twilio(twilio).merging(vendors.settings) { $1 }
            environment["TANDEM_OAUTH"] = folder.path + "/oauth.json"
            var people = try await prepare(folder, vendors, twilio)
            #expect(accounts.liveRefreshTokens(of: .notion).count == people.count)

            var settings = try await Household.database(in: folder).environment.merging(environment) { $1 }
            settings["TANDEM_DATA"] = folder.path + "/data"
            settings["TANDEM_REGISTRY"] = folder.path + "/registry.json"
            settings["TANDEM_LISTEN"] = "127.0.0.1:0"
            let client = CurlClient.local()
            for (index, death) in Death.all.enumerated() {
                people[index].isAcknowledged = try await die(
                    death, people[index], settings, accounts, client, log: "\(folder.path)/serve-\(index).log")
            }

            // What is to be done is stored for everybody whose decision is, and whose access is still the program's. On a slow
            // machine a later process does the work of an earlier one first, and may die before it reads its own message.
            try await withHousehold(folder, environment) { household in
                let left = try await household.application.database.read(.system) { transaction in
                    (
                        jobs: try transaction.query("SELECT id FROM jobs WHERE kind = \(Self.job)").count,
                        tokens: try transaction.query("SELECT id FROM oauth_tokens").count
                    )
                }
                var undecided = 0
                for person in people {
                    let grant = try await household.application.plugins.grant(of: "notion", in: person.scope)
                    if grant.state != .disabled { undecided += 1 }
                }
                #expect(left.tokens <= left.jobs + undecided, "\(left), \(undecided) undecided")
                #expect(left.tokens < Death.all.count, "\(left)")
                // As if the time had passed that the one who began has for it.
                try await household.application.database.write(.system) { transaction in
                    try transaction.execute("UPDATE jobs SET run_at = 0 WHERE kind = \(Self.job)")
                    try transaction.execute("UPDATE oauth_revocations SET due_at = 0")
                    try transaction.execute("UPDATE sms_outbox SET lease_until = 0 WHERE lease_until IS NOT NULL")
                }
            }

            let server = try await ServerProcess(settings, log: folder.path + "/serve-last.log")
            for person in people where !person.isAcknowledged {
                #expect(try await client.post(person.letter, port: server.port) == 200)
            }
            #expect(
                await eventually(within: .seconds(120)) {
                    accounts.count("notion.revoke.revoked") == people.count && twilio.messages.count >= people.count
                }, "\(accounts.count("notion.revoke.revoked")) given back, \(twilio.messages.count) answers")
            try await withHousehold(folder, environment) { household in
                let database = household.application.database
                let isDone = try await eventually(within: .seconds(120)) {
                    try await database.read(.system) { transaction in
                        let jobs = try transaction.query("SELECT id FROM jobs WHERE kind = \(Self.job)").count
                        let turns = try transaction.query("SELECT turn FROM turn_queue").count
                        return jobs + turns == 0
                    }
                }
                #expect(isDone)
            }
            #expect(await server.terminate() == 0)
            await client.shutdown()
            try await expectEnded(people, folder, environment)

            #expect(accounts.liveRefreshTokens(of: .notion).isEmpty)
            #expect(accounts.count("notion.revoke.revoked") == people.count)
            // A process that dies between the service's deed and its own note of it leaves that to be asked once more, which
            // changes nothing.
            #expect(accounts.count("notion.revoke.unknown") <= Death.all.count)
            #expect(twilio.messages.count == people.count)
            #expect(twilio.messages.allSatisfy { $0.body.hasPrefix("Notion is off") }, "\(twilio.messages.map(\.body))")
        }
    }

    /// People who have Notion on and connected, with a copy of their pages here.
    private func prepare(
        _ folder: TestFolder, _ vendors: Vendors, _ twilio: TwilioSimulator
    ) async throws -> [Person] {
        let made = Mutex<[Person]>([])
        try await VendorWorld.run(place: (vendors, folder)) { world in
            let (household, connections) = (world.household, world.application.connections)
            let client = CurlClient.local()
            for index in Death.all.indices {
                let phone = "+1555555\(2000 + index)"
                let scope = try await household.newcomer("p\(index)@example.org", phone)
                try await world.application.plugins.switchOn("tandem.notion", in: scope)
                let session = LoginSession(person: scope, id: Secret("test"))
                let start = try await connections.begin(ConnectionNeed(provider: "notion"), in: session)
                guard case .redirect(let address) = start else {
                    Issue.record("connected already")
                    continue
                }
                let location = try #require(try await client.send(HTTPRequest(.get, address)).headers["location"])
                let rest = location.dropFirst(Household.publicBase.count)
                try await connections.finish(
                    AuthorizationCallback(
                        path: String(rest.prefix { $0 != "?" }), query: String(rest.drop { $0 != "?" }.dropFirst())),
                    in: session)
                #expect(try await eventually { try await !household.rows("notion_pages", of: scope).isEmpty })
                let letter = twilio.inbound(
                    from: phone, body: "turn off notion", url: Household.publicBase + "/webhook/sms")
                made.withLock { $0.append(Person(scope: scope, letter: letter)) }
            }
            await client.shutdown()
        }
        return made.withLock { $0 }
    }

    /// Lets a process take a message and die. Returns whether the message was acknowledged.
    private func die(
        _ death: Death, _ person: Person, _ settings: [String: String], _ accounts: OAuthSimulator,
        _ client: CurlClient, log: String
    ) async throws -> Bool {
        var settings = settings
        var program: String?
        let gate = OAuthSimulator.Gate()
        defer { gate.open() }
        let earlier = accounts.count("notion.revoke.silence")
        switch death {
        case .transactions(let number):
            program = try Installation.buildFolder() + "/tandem-crash"
            settings[CrashServer.pointVariable] = FaultPoint(.after, number, afterJob: Self.job).text
            settings[CrashServer.folderVariable] = try Installation.shared().folder
        case .beforeTheService: accounts.fail(.revoke, .silence)
        case .afterTheService: accounts.fail(.revoke, .gate(gate))
        }
        let server = try await ServerProcess(settings, log: log, program: program)
        let port = server.port
        let sending = Task { (try? await client.post(person.letter, port: port)) == 200 }
        let isThere = await eventually(within: .seconds(120)) {
            switch death {
            case .transactions: server.isGone
            case .beforeTheService: accounts.count("notion.revoke.silence") > earlier
            case .afterTheService: gate.isReached
            }
        }
        #expect(isThere, "\(death): \((try? String(contentsOfFile: log, encoding: .utf8))?.suffix(1500) ?? "")")
        await server.killNow()
        return await sending.value
    }

    private func expectEnded(
        _ people: [Person], _ folder: TestFolder, _ environment: [String: String]
    ) async throws {
        try await withHousehold(folder, environment) { household in
            let application = household.application
            let left = try await application.database.read(.system) { transaction in
                try transaction.query("SELECT id FROM oauth_tokens").count
                    + transaction.query("SELECT id FROM oauth_revocations").count
            }
            #expect(left == 0)
            for person in people {
                let scope = person.scope
                #expect(try await application.plugins.grant(of: "notion", in: scope).state == .disabled)
                let tools = try await application.plugins.tools(for: scope)
                #expect(!tools.contains { $0.namespace == "notion" })
                let export = try await household.export(of: scope)
                #expect(export.rows("notion_pages").isEmpty)
                #expect(export.rows("oauth_integrations").map { $0["status"] } == ["disconnected"])
                #expect(export.rows("messages").count { $0["direction"] == "out" } == 1)
            }
        }
    }

    private func withHousehold(
        _ folder: TestFolder, _ environment: [String: String], _ body: (Household) async throws -> Void
    ) async throws {
        let household = try await Household.open(environment: environment, folder: folder, now: SystemClock().now)
        do {
            try await body(household)
        } catch {
            await household.application.close()
            throw error
        }
        await household.application.close()
    }
}
