import Foundation
import GmailSimulator
import OAuthSimulator
import TandemAccounts
import TandemCore
import TandemJSON
import TandemJobs
import TandemOAuth
import TandemPluginHost
import TandemStorage
import Testing
import VendorSimulator

@testable import TandemApplication

/// Gmail from "turn on gmail" to "turn off gmail", by SMS, with the real program, plugin, pages and tokens, before a
/// simulated Google.
@Suite(.timeLimit(.minutes(8)))
struct GmailFlowTests {
    private static let prefix = "https://www.googleapis.com/auth/gmail."

    @Test func switchedOnConnectedReadAndWrittenWith() async throws {
        try await VendorWorld.run { world in
            let (gmail, google) = (world.vendors.gmail, world.vendors.accounts)
            let mail = gmail.deliver(
                from: "Pat Sample <pat@example.com>", subject: "Leaking tap", text: "Can I come on Monday?")
            let carol = try await world.person()
            let ask = try await carol.text("turn on gmail")
            #expect(ask.contains("Google account"), "\(ask)")
            let isOn = try await carol.text("3")
            #expect(isOn.hasPrefix("Gmail is on, read only.\nConnect Google here: https://"), "\(isOn)")
            let visit = try await carol.connect(isOn)
            #expect(visit.consent.contains("read your mail"), "\(visit.consent)")
            #expect(!visit.consent.contains("send"), "\(visit.consent)")
            #expect(visit.end.contains("Google is connected"), "\(visit.end)")
            #expect(try await carol.scopes(at: "google")?.contains(Self.prefix + "readonly") == true)
            #expect(try await carol.scopes(at: "google")?.contains(Self.prefix + "modify") == false)

            let inbox = try await carol.text("show my inbox")
            #expect(inbox.contains("Pat Sample: Leaking tap"), "\(inbox)")
            let read = try await carol.text("1")
            #expect(read.contains("Can I come on Monday?"), "\(read)")
            // What writes is not there yet, and nothing was asked of Google for it.
            let refused = try await carol.text("archive the mail from pat")
            #expect(refused.contains("read only"), "\(refused)")
            #expect(gmail.labels(of: mail)?.contains("INBOX") == true)

            let more = try await carol.text("let gmail write")
            let wider = try await carol.connect(more)
            #expect(wider.consent.contains("read, sort and send your mail"), "\(wider.consent)")
            #expect(try await carol.scopes(at: "google")?.contains(Self.prefix + "modify") == true)
            let starred = try await carol.text("star the mail from pat")
            #expect(gmail.labels(of: mail)?.contains("STARRED") == true, "\(starred)")

            // Sending is confirmed, with the address and the words.
            _ = try await carol.text("show my inbox")
            let confirm = try await carol.text("reply to the mail from pat: Monday is fine")
            #expect(gmail.sent == [])
            #expect(confirm.contains("pat@example.com"), "\(confirm)")
            #expect(confirm.contains("Monday is fine"), "\(confirm)")
            let sent = try await carol.approve(confirm)
            #expect(sent.contains("Answered pat@example.com."), "\(sent)")
            #expect(gmail.sent.count == 1)
            #expect(gmail.fields(of: try #require(gmail.sent.first))["to"]?.contains("pat@example.com") == true)
            #expect(gmail.refusals == [])
            #expect(google.count("google.token.invalid_grant") == 0)
        }
    }

    @Test func aConnectionThatWasRevokedIsToldOnceAndHeals() async throws {
        try await VendorWorld.run { world in
            let (gmail, google) = (world.vendors.gmail, world.vendors.accounts)
            gmail.deliver(from: "Pat Sample <pat@example.com>", subject: "Leaking tap", text: "Monday?")
            let carol = try await world.person()
            _ = try await carol.text("turn on gmail")
            try await carol.connect(try await carol.text("3"))
            #expect(try await carol.text("show my inbox").contains("Leaking tap"))

            google.revokeGrant(at: .google)
            try await world.pass(.seconds(7200))
            let lost = try await carol.text("show my inbox")
            #expect(lost.contains("/connect/"), "\(lost)")
            #expect(
                try await world.application.plugins.grant(of: "gmail", in: carol.scope).state.name == "needs_reauth")
            for _ in 0..<3 { try await world.pass(.seconds(60)) }
            #expect(await eventually { carol.notices(of: "Gmail").count == 1 }, "\(carol.received)")
            let paused = try await carol.text("show my inbox")
            #expect(paused.contains("/connect/"), "\(paused)")
            try await carol.connect(paused)
            #expect(try await world.application.plugins.grant(of: "gmail", in: carol.scope).state.name == "enabled")
            #expect(try await carol.text("show my inbox").contains("Leaking tap"))
            #expect(carol.notices(of: "Gmail").count == 1, "\(carol.received)")
            #expect(gmail.refusals == [])
        }
    }

    /// The copy of the mailbox is begun as soon as it can be, kept up to date, and gone with the plugin.
    @Test func whatIsKeptBeginsWithTheConnection() async throws {
        try await VendorWorld.run { world in
            let gmail = world.vendors.gmail
            gmail.deliver(from: "Pat Sample <pat@example.com>", subject: "Leaking tap", text: "Monday?")
            let carol = try await world.person()
            func kept() async throws -> Int { try await world.household.rows("gmail_mail", of: carol.scope).count }
            _ = try await carol.text("turn on gmail")
            let isOn = try await carol.text("3")
            try await world.pass(.seconds(3600))
            #expect(gmail.requests.isEmpty)
            // Read only is enough for it.
            try await carol.connect(isOn)
            #expect(try await eventually { try await kept() == 1 })
            gmail.deliver(from: "Kim <kim@example.com>", subject: "Photos", text: "Here they are.")
            try await world.pass(.seconds(960))
            #expect(try await eventually { try await kept() == 2 })
            // It answers when Gmail does not, and says so.
            for _ in 0..<12 { gmail.fail("", .answer(.json(503, [:]))) }
            let old = try await carol.text("show my inbox")
            #expect(old.contains("Gmail does not answer; this is from"), "\(old)")

            _ = try await carol.text("turn off gmail")
            #expect(try await kept() == 0)
            let requests = gmail.requests.count
            try await world.pass(.seconds(7200))
            #expect(gmail.requests.count == requests)
            #expect(gmail.refusals == [])
        }
    }

    /// The service takes a mail and breaks the line: nobody is told that it failed, and it goes once.
    @Test func aMailWhoseAnswerIsLostIsSentOnce() async throws {
        try await VendorWorld.run { world in
            let gmail = world.vendors.gmail
            let carol = try await world.person()
            _ = try await carol.text("turn on gmail")
            try await carol.connect(try await carol.text("1"))
            gmail.fail("drafts/send", .cutAfter)
            let confirm = try await carol.text("send a mail to kim@example.com: See you on Monday")
            let sent = try await carol.approve(confirm)
            #expect(sent.contains("Sent to kim@example.com."), "\(sent)")
            #expect(gmail.sent.count == 1)
            #expect(gmail.draftIDs.isEmpty)
            #expect(gmail.requests.count { $0.path.hasSuffix("drafts/send") } == 1)
            // The line breaks before anything arrives: it is sent all the same, once.
            gmail.fail("drafts/send", .cutBefore)
            let again = try await carol.text("send a mail to lee@example.com: See you on Tuesday")
            let second = try await carol.approve(again)
            #expect(second.contains("Sent to lee@example.com."), "\(second)")
            #expect(gmail.sent.count == 2)
            #expect(gmail.refusals == [])
        }
    }

    @Test func switchedOffItIsGoneAndGivenBack() async throws {
        try await VendorWorld.run { world in
            let (gmail, google) = (world.vendors.gmail, world.vendors.accounts)
            gmail.deliver(from: "Pat Sample <pat@example.com>", subject: "Leaking tap", text: "Monday?")
            let carol = try await world.person()
            _ = try await carol.text("turn on gmail")
            try await carol.connect(try await carol.text("1"))
            #expect(try await carol.text("show my inbox").contains("Leaking tap"))
            let task = try await carol.text("make a task of the mail from pat")
            #expect(task.contains("Answer Pat Sample"), "\(task)")
            #expect(google.liveRefreshTokens(of: .google).count == 1)

            let off = try await carol.text("turn off gmail")
            #expect(off.hasPrefix("Gmail is off, and its access to Google was given back."), "\(off)")
            let whole = try await carol.whole(off)
            #expect(whole.contains("Deleted here: who wrote to you about what"), "\(whole)")
            #expect(whole.contains("Kept: which of your tasks came from which mail."), "\(whole)")
            #expect(google.liveRefreshTokens(of: .google).isEmpty)
            #expect(try await carol.scopes(at: "google") == nil)
            let requests = gmail.requests.count
            let gone = try await carol.text("show my inbox")
            #expect(gone.lowercased().contains("gmail") && gone.contains("off"), "\(gone)")
            #expect(gmail.requests.count == requests)
            // The task was made, and stays.
            #expect(try await carol.text("show my tasks").contains("Answer Pat Sample"))
        }
    }

    /// The process dies between the decision and what follows from it: the next one does that.
    @Test func whatSwitchingOffBeganIsDoneAfterAKill() async throws {
        let vendors = try Vendors()
        defer { vendors.stop() }
        let folder = try TestFolder("vendors")
        let google = vendors.accounts
        vendors.gmail.deliver(from: "Pat Sample <pat@example.com>", subject: "Leaking tap", text: "Monday?")
        try await VendorWorld.run(place: (vendors, folder)) { world in
            let carol = try await world.person()
            _ = try await carol.text("turn on gmail")
            try await carol.connect(try await carol.text("1"))
            #expect(
                try await eventually { try await world.household.rows("gmail_mail", of: carol.scope).count == 1 })
            // The decision is stored as the program stores it; nothing else of it is done.
            let jobs = world.application.jobs
            let store = StoredGrants(
                database: world.application.database, audit: world.application.audit,
                decided: { try PluginEnding.follow($0, of: $1, jobs, in: $2) })
            var record = try #require(
                try await store.grants(of: carol.scope).first { $0.plugin == "tandem.gmail" })
            record.state = .disabled
            try await store.save(record, for: carol.scope, origin: nil)
        }
        #expect(google.liveRefreshTokens(of: .google).count == 1)
        vendors.clock.advance(by: .seconds(60))
        try await VendorWorld.run(place: (vendors, folder)) { world in
            let accounts = world.application.accounts
            let carol = try #require(try await accounts.user(email: "carol@example.org")).scope
            #expect(await eventually { google.liveRefreshTokens(of: .google).isEmpty })
            #expect(
                try await eventually {
                    let connections = try await world.application.connections.connections(of: carol)
                    return connections.allSatisfy { $0.status != .connected }
                })
            #expect(try await world.household.rows("gmail_mail", of: carol).isEmpty)
            // It is done once, and the jobs are gone.
            #expect(
                try await eventually {
                    let left = try await world.application.database.read(.system) {
                        try $0.query("SELECT kind FROM jobs WHERE kind = 'plugins.end'")
                    }
                    return left.isEmpty
                })
            #expect(vendors.gmail.refusals == [])
        }
    }

    /// Switched on again before the job came: nothing is taken away.
    @Test func whatIsOnAgainKeepsItsAccess() async throws {
        try await VendorWorld.run { world in
            let google = world.vendors.accounts
            let carol = try await world.person()
            _ = try await carol.text("turn on gmail")
            try await carol.connect(try await carol.text("1"))
            _ = try await carol.text("turn off gmail")
            #expect(google.liveRefreshTokens(of: .google).isEmpty)
            let isOn = try await carol.text("turn on gmail")
            try await carol.connect(isOn.contains("/connect/") ? isOn : try await carol.text("1"))
            #expect(google.liveRefreshTokens(of: .google).count == 1)
            try await world.pass(.seconds(60))
            world.application.jobs.wake()
            #expect(
                try await eventually {
                    try await world.application.database.read(.system) {
                        try $0.query("SELECT kind FROM jobs WHERE kind = 'plugins.end'")
                    }.isEmpty
                })
            #expect(google.liveRefreshTokens(of: .google).count == 1)
        }
    }
}
