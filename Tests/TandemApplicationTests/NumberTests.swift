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

/// Whose a number is, from the text that comes in to what goes out: strangers, closed accounts, numbers that the carrier
/// took back and gave to somebody else.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct NumberTests {
    private static let password = "plum harbour violet 7"
    private static let stranger = "+15555550190"

    /// With mail, so that strangers can sign up.
    private func run(
        _ body: @escaping @Sendable (SMSTests.Server, MailServer) async throws -> Void
    ) async throws {
        let mail = try await offPool { try MailServer() }
        try await SMSTests.Server.run(environment: mail.settings) { (server) async throws in
            try await body(server, mail)
        }
    }

    private func signIn(_ server: SMSTests.Server, _ email: String, _ scope: UserScope) async throws -> String {
        try await server.household.application.accounts.setPassword(Self.password, of: scope)
        let answer = try await server.api(
            .post, "/auth/login", ["email": .string(email), "password": .string(Self.password)])
        return try #require(answer.json["tokens"]?["access_token"]?.stringValue)
    }

    private func text(
        _ server: SMSTests.Server, _ words: String, from number: String
    ) async throws -> HTTPResponse {
        try await server.client.respond(
            to: server.simulator.inbound(from: number, body: words, url: Household.publicBase + "/webhook/sms"),
            port: server.port)
    }

    /// Without what differs from one answer to the next in any case.
    private func shape(_ response: HTTPResponse) -> String {
        let headers = response.headers.fields.map { ($0.name.lowercased(), $0.value) }
            .filter { $0.0 != "date" && $0.0 != "x-request-id" }.map { "\($0.0): \($0.1)" }.sorted()
        return "\(response.status) \(headers) \(String(decoding: response.body, as: UTF8.self))"
    }

    /// An invitation without its token.
    private func invitation(_ text: String) -> String {
        guard let start = text.range(of: "#")?.upperBound else { return text }
        return String(text[..<start]) + text[start...].drop { !$0.isWhitespace }
    }

    private func answers(
        _ server: SMSTests.Server, to number: String, atLeast count: Int
    ) async throws -> [String] {
        _ = await eventually { server.answers(to: number).count >= count }
        let answers = server.answers(to: number)
        try #require(answers.count >= count, "\(answers)")
        return answers
    }

    @Test func aStrangerIsInvitedAndBecomesSomebody() async throws {
        try await run { (server, mail) async throws in
            let known = try await text(server, "I spent 2 euros on tea", from: Household.annPhone)
            let unknown = try await text(server, "I spent 3 euros on tea", from: Self.stranger)
            // Who asks our webhook cannot tell whether a number is known.
            #expect(shape(known) == shape(unknown))
            let first = try await answers(server, to: Self.stranger, atLeast: 1)
            #expect(first.count == 1 && first[0].contains(Household.publicBase), "\(first)")
            for _ in 0..<3 { _ = try await text(server, "hello?", from: Self.stranger) }
            try await server.text("what's on my list?")
            _ = try await answers(server, to: Household.annPhone, atLeast: 2)
            #expect(server.answers(to: Self.stranger).count == 1)

            let token = String(try #require(first[0].split(separator: "#").last).prefix { !$0.isWhitespace })
            let request: JSON = [
                "email": "carol@example.org", "full_name": "Carol", "password": .string(Self.password),
                "invitation": .string(token),
            ]
            #expect(try await server.api(.post, "/auth/sign-up", request).status == 202)
            #expect(await eventually { mail.mail(to: "carol@example.org") != nil })
            let link = try #require(mail.mail(to: "carol@example.org")?.link)
            let finished = try await server.api(.post, "/auth/sign-up/confirm", ["token": .string(link)])
            #expect(finished.status == 201)
            let bearer = try #require(finished.json["access_token"]?.stringValue)
            let numbers = try await server.api(.get, "/numbers", token: bearer).json["items"]?.arrayValue ?? []
            #expect(numbers.map { $0["number"]?.stringValue } == [Self.stranger])
            try await server.text("remind me to water the plants", from: Self.stranger)
            let all = try await answers(server, to: Self.stranger, atLeast: 2)
            #expect(all.count == 2 && !all[1].contains(Household.publicBase))
            // The invitation is used up.
            var again = request.objectValue ?? [:]
            again["email"] = "dora@example.org"
            #expect(try await server.api(.post, "/auth/sign-up", .object(again)).status != 500)
            #expect(
                try await server.household.application.accounts.identify(phone: Self.stranger)
                    == server.household.application.accounts.user(email: "carol@example.org")?.scope)
        }
    }

    @Test func aClosedAccountIsAnsweredLikeAStranger() async throws {
        try await run { (server, _) async throws in
            let accounts = server.household.application.accounts
            try await server.text("I spent 2 euros on tea")
            _ = try await answers(server, to: Household.annPhone, atLeast: 1)
            try await accounts.setStatus(.disabled, of: server.household.ann.user)
            let closed = try await text(server, "I spent 3 euros on tea", from: Household.annPhone)
            let unknown = try await text(server, "I spent 3 euros on tea", from: Self.stranger)
            #expect(shape(closed) == shape(unknown))
            let toStranger = try await answers(server, to: Self.stranger, atLeast: 1)
            let toAnn = try await answers(server, to: Household.annPhone, atLeast: 2)
            #expect(toAnn.count == 2 && invitation(toAnn[1]) == invitation(toStranger[0]))
            #expect(try await server.household.rows("expenses").count == 1)
            try await accounts.setStatus(.active, of: server.household.ann.user)
            try await server.text("I spent 4 euros on tea")
            #expect(try await eventually { try await server.household.rows("expenses").count == 2 })
        }
    }

    @Test func aNumberThatTheCarrierLostIsProvenAnewOrGoesToItsNewOwner() async throws {
        try await run { (server, mail) async throws in
            let (ann, bob) = (server.household.ann, server.household.bob)
            let annToken = try await signIn(server, "ann@example.org", ann)
            let bobToken = try await signIn(server, "bob@example.org", bob)
            let number = Household.annPhone
            try await server.text("add milk to my grocery list")
            _ = try await answers(server, to: number, atLeast: 1)
            func lose() async throws {
                let sid = try #require(server.simulator.messages.last { $0.to == number }?.sid)
                let report = server.simulator.report(
                    "undelivered", of: sid, errorCode: 30005, url: Household.publicBase + "/webhook/sms/status")
                #expect(try await server.post(report) == 200)
                // The report may come before the message is noted as sent.
                #expect(try await eventually { try await suspension() != nil })
            }
            func suspension() async throws -> String? {
                let numbers = try await server.api(.get, "/numbers", token: annToken).json["items"]?.arrayValue ?? []
                return numbers.first { $0["number"]?.stringValue == number }?["suspension"]?.stringValue
            }
            /// The person gives the code that the number got.
            func prove(_ token: String) async throws -> Int {
                let before = server.answers(to: number).count
                #expect(
                    try await server.api(.post, "/numbers", ["number": .string(number)], token: token).status == 202)
                // Other texts to the number may still be on their way.
                func sent() -> String? {
                    server.answers(to: number).dropFirst(before).last { $0.contains("is your Tandem code") }
                }
                #expect(await eventually { sent() != nil })
                let code = String(try #require(sent()).prefix(6))
                return try await server.api(
                    .post, "/numbers/verify", ["number": .string(number), "code": .string(code)], token: token
                ).status
            }

            // The carrier does not know it any more: whoever texts from it now is a stranger.
            #expect(try await suspension() == nil)
            try await lose()
            #expect(try await suspension() == "unknown_to_carrier")
            let unproven = try await text(server, "what's on my list?", from: number)
            let unknown = try await text(server, "what's on my list?", from: Self.stranger)
            #expect(shape(unproven) == shape(unknown))
            let toUnproven = try await answers(server, to: number, atLeast: 2)
            let toStranger = try await answers(server, to: Self.stranger, atLeast: 1)
            #expect(invitation(toUnproven[1]) == invitation(toStranger[0]))
            #expect(!toUnproven[1].contains("milk"))

            // Its owner has it still, and proves it.
            #expect(try await prove(annToken) == 200)
            #expect(try await suspension() == nil)
            try await server.text("what's on my list?")
            let known = try await answers(server, to: number, atLeast: 4)
            #expect(known.last?.contains("milk") == true, "\(known)")

            // Lost for good: the next customer has an account of their own.
            try await lose()
            #expect(try await prove(bobToken) == 200)
            let count = server.answers(to: number).count
            try await server.text("what's on my list?")
            let answer = try await answers(server, to: number, atLeast: count + 1)
            #expect(answer.last?.contains("milk") == false, "\(answer)")
            try await server.text("add oats to my grocery list")
            _ = try await answers(server, to: number, atLeast: count + 2)
            #expect(try await server.household.rows("grocery_items", of: ann).count == 1)
            #expect(try await server.household.rows("grocery_items", of: bob).count == 1)
            // The old owner hears of it by mail, and can neither get it back nor make it sent to.
            #expect(
                await eventually {
                    mail.mails.contains {
                        $0.recipients == ["ann@example.org"]
                            && $0.headers.contains("Subject: A number left your Tandem account")
                    }
                })
            let hers = try await server.api(.post, "/messages", ["text": "what's on my list?"], token: annToken)
            #expect(hers.json["reply"]?.stringValue?.contains("milk") == true)
            #expect(server.answers(to: number).count == count + 2)
            #expect(try await server.household.application.accounts.identify(phone: number) == bob)
        }
    }
}

extension MailServer {
    /// The settings that send mail through it.
    var settings: [String: String] {
        [
            "TANDEM_SMTP_URL": "smtp://127.0.0.1:\(port)", "TANDEM_SMTP_FROM": "tandem@example.org",
            "TANDEM_SMTP_USER": MailServer.user, "TANDEM_SMTP_PASSWORD": MailServer.password,
            "TANDEM_SMTP_CACERT": authorities,
        ]
    }
}

extension MailServer.Mail {
    /// What follows the # of its link.
    var link: String? {
        guard let start = body.range(of: "#")?.upperBound else { return nil }
        return String(body[start...].prefix { !$0.isWhitespace })
    }
}
