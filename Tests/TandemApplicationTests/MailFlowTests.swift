import ChildProcess
import Foundation
import MailServer
import TandemAccounts
import TandemCore
import TandemEgress
import TandemJSON
import TandemStorage
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemApplication

/// What is proven by mail, with a real mail server: TLS, sign-in, refusals, and one that takes its time.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct MailFlowTests {
    private static let password = "plum harbour violet 7"
    private static let other = "amber kettle meadow 9"

    private func run(
        changing settings: [String: String?] = [:],
        _ body: @escaping @Sendable (SMSTests.Server, MailServer) async throws -> Void
    ) async throws {
        let mail = try await offPool { try MailServer() }
        var environment = mail.settings
        for (name, value) in settings { environment[name] = value }
        try await SMSTests.Server.run(environment: environment) { (server) async throws in
            try await body(server, mail)
        }
    }

    private func signUp(_ server: SMSTests.Server, _ email: String, name: String = "Carol") async throws -> Int {
        try await server.api(
            .post, "/auth/sign-up",
            ["email": .string(email), "full_name": .string(name), "password": .string(Self.password)]
        ).status
    }

    private func logIn(_ server: SMSTests.Server, _ email: String, _ password: String) async throws -> String? {
        try await server.api(.post, "/auth/login", ["email": .string(email), "password": .string(password)])
            .json["tokens"]?["access_token"]?.stringValue
    }

    /// The newest mail to an address, once there are so many.
    private func mail(_ server: MailServer, to address: String, count: Int) async throws -> MailServer.Mail {
        #expect(await eventually { server.mails.count { $0.recipients == [address] } >= count })
        return try #require(server.mail(to: address))
    }

    @Test func addressesAndPasswordsAreProvenByMail() async throws {
        try await run { (server, mails) async throws in
            let carol = "carol@example.org"
            #expect(try await signUp(server, carol) == 202)
            let welcome = try await mail(mails, to: carol, count: 1)
            #expect(welcome.isSealed && welcome.user == MailServer.user)
            #expect(welcome.sender == "tandem@example.org")
            #expect(welcome.headers.contains("Subject: Finish signing up for Tandem"))
            #expect(!welcome.text.contains(Self.password))
            #expect(try await logIn(server, carol, Self.password) == nil)
            let link = try #require(welcome.link)
            #expect(try await server.api(.post, "/auth/sign-up/confirm", ["token": .string(link)]).status == 201)
            let token = try #require(try await logIn(server, carol, Self.password))
            #expect(try await server.api(.post, "/auth/sign-up/confirm", ["token": .string(link)]).status != 201)

            // A forgotten password.
            for email in [carol, "nobody@example.org"] {
                #expect(try await server.api(.post, "/auth/password/reset", ["email": .string(email)]).status == 202)
            }
            let reset = try #require(try await mail(mails, to: carol, count: 2).link)
            let change: JSON = ["token": .string(reset), "password": .string(Self.other)]
            #expect(try await server.api(.post, "/auth/password/reset/confirm", change).status == 204)
            #expect(try await server.api(.post, "/auth/password/reset/confirm", change).status == 403)
            #expect(try await server.api(.get, "/me", token: token).status == 401)
            #expect(try await logIn(server, carol, Self.password) == nil)
            let later = try #require(try await logIn(server, carol, Self.other))
            let told = try await mail(mails, to: carol, count: 3)
            #expect(told.headers.contains("Subject: Your Tandem password was changed"))

            // Another address: its code goes there, word of it to the old one.
            let new = "carol@example.net"
            #expect(try await server.api(.post, "/me/email", ["email": .string(new)], token: later).status == 202)
            let code = String(try await mail(mails, to: new, count: 1).body.filter(\.isNumber).prefix(6))
            #expect(
                try await server.api(
                    .post, "/me/email/confirm", ["email": .string(new), "code": .string(code)], token: later
                ).status / 100 == 2)
            #expect(try await server.api(.get, "/me", token: later).json["email"]?.stringValue == new)
            #expect(try await mail(mails, to: carol, count: 4).body.contains("another e-mail address"))
            #expect(!mails.mails.contains { $0.recipients == ["nobody@example.org"] })
            #expect(mails.mails.allSatisfy { $0.recipients.count == 1 })
        }
    }

    /// Whatever is given as an address or a name: one recipient, and no header that is not ours.
    @Test func nobodyAddsRecipientsOrHeaders() async throws {
        try await run { (server, mails) async throws in
            let hostile = [
                "eve@example.org\r\nBcc: victim@example.org", "eve@example.org\nRCPT TO:<victim@example.org>",
                "eve@example.org>\r\nRCPT TO:<victim@example.org", "eve@example.org, victim@example.org",
                "eve@example.org;victim@example.org", "<victim@example.org>", "eve@example.org victim@example.org",
                "\"eve\r\nBcc: victim@example.org\"@example.org", "eve@example.org\u{0}", "eve@\u{2028}example.org",
                "eve@example.org%0d%0aBcc:victim@example.org", "@example.org", "eve@", "eve@exa mple.org",
            ]
            for email in hostile {
                let status = try await signUp(server, email)
                #expect([202, 400, 422].contains(status), "\(status)")
                let reset = try await server.api(.post, "/auth/password/reset", ["email": .string(email)]).status
                #expect([202, 400, 422].contains(reset), "\(reset)")
            }
            _ = try await signUp(server, "frank@example.org", name: "Frank\r\nBcc: victim@example.org\r\n\r\nText")
            #expect(try await signUp(server, "grace@example.org", name: "=?utf-8?Q?Grace=0D=0ABcc:_victim?=") == 202)
            _ = try await mail(mails, to: "grace@example.org", count: 1)
            let known: Set = [
                "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
                "content-transfer-encoding",
            ]
            for mail in mails.mails {
                #expect(mail.recipients.count == 1)
                #expect(!(mail.recipients.first ?? "").hasPrefix("victim@"))
                let names = mail.headers.map { String($0.prefix { $0 != ":" }).lowercased() }
                #expect(names.allSatisfy(known.contains) && Set(names).count == names.count, "\(names)")
                #expect(!mail.text.contains("victim"))
            }
            #expect(!mails.commands.contains { $0.contains("victim@") })
        }
    }

    /// Requests do not wait for mail, and what the server did not take yet is brought again.
    @Test func aServerThatRefusesOrDawdlesHoldsNobodyUp() async throws {
        try await run { (server, mails) async throws in
            let start = ContinuousClock.now
            for name in ["refused", "later", "slow"] { #expect(try await signUp(server, "\(name)@example.org") == 202) }
            // Far below what is waited for a mail.
            #expect(ContinuousClock.now - start < .seconds(25))
            #expect(await eventually { mails.commands.contains("RCPT TO later@example.org") })
            let accounts = server.household.application.accounts
            #expect(
                await eventually {
                    server.household.clock.advance(by: .seconds(15))
                    Task { await accounts.deliverMail() }
                    try? await Task.sleep(for: .milliseconds(100))
                    return mails.mail(to: "later@example.org") != nil
                })
            // A refusal is final: it was asked once.
            #expect(mails.commands.count { $0 == "RCPT TO refused@example.org" } == 1)
            #expect(mails.mails.count { $0.recipients == ["later@example.org"] } == 1)
        }
    }

    @Test func aServerThatCannotProveItselfGetsNothing() async throws {
        try await run(changing: ["TANDEM_SMTP_CACERT": nil]) { (server, mails) async throws in
            #expect(try await signUp(server, "carol@example.org") == 202)
            _ = await server.household.application.accounts.deliverMail()
            #expect(mails.mails.isEmpty && mails.commands.isEmpty)
        }
        // Nor does one that does not know us take anything.
        try await run(changing: ["TANDEM_SMTP_PASSWORD": "something else"]) { (server, mails) async throws in
            #expect(try await signUp(server, "carol@example.org") == 202)
            #expect(await eventually { mails.commands.contains { $0.hasPrefix("AUTH") } })
            _ = await server.household.application.accounts.deliverMail()
            #expect(mails.mails.isEmpty)
        }
    }
}
