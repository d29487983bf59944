import Foundation
import TandemAccounts
import TandemCore
import TandemEgress
import TandemStorage
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemAccounts
@testable import TandemApplication

/// Signing in with a second factor on the pages of `/connect`, as a browser does.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SecondFactorPageTests {
    private static let password = "plum harbour violet 7"
    private static let path = "/connect/AAAAAAAAAAAAAAAAAAAAAAAAAAAA"

    /// A browser before the page that asks for the code.
    private struct Visitor {
        var browser = Browser()
        let url: String
        var page: HTTPResponse

        init(_ server: SMSTests.Server, email: String = "ann@example.org") async throws {
            url = "http://127.0.0.1:\(server.port)\(SecondFactorPageTests.path)"
            page = try await browser.get(url)
            page = try await send(
                "sign_in", [("email", email), ("password", SecondFactorPageTests.password)])
        }

        mutating func send(_ step: String, _ fields: [(String, String)]) async throws -> HTTPResponse {
            let form = try #require(browser.formValue(page))
            return try await browser.post(url, [("step", step), ("form", form)] + fields)
        }

        /// Gives a code; what comes back becomes the page where it is one.
        mutating func give(_ method: String, _ code: String) async throws -> HTTPResponse {
            let challenge = try #require(browser.field("challenge", page))
            let methods = try #require(browser.field("methods", page))
            let answer = try await send(
                "code",
                [("challenge", challenge), ("methods", methods), ("method", method), ("code", code)])
            if browser.field("challenge", answer) != nil { page = answer }
            return answer
        }

        /// Signed in: the page is no longer that of the sign-in, here that of an address that leads nowhere.
        mutating func isSignedIn() async throws -> Bool { try await browser.get(url).status == 404 }
    }

    private struct World {
        let server: SMSTests.Server
        let app: TOTP
        let recovery: [String]

        var code: String { app.code(step: app.step(at: server.household.clock.now)) }

        /// Six digits that are none of the three that are good now.
        var wrong: String {
            let step = app.step(at: server.household.clock.now)
            let good = Set((-1...1).map { app.code(step: step + $0) })
            return (0..<4).map { String(repeating: String($0), count: 6) }.first { !good.contains($0) } ?? "999999"
        }
    }

    private func run(_ body: @escaping @Sendable (World) async throws -> Void) async throws {
        try await SMSTests.Server.run { (server) async throws in
            let accounts = server.household.application.accounts
            let ann = server.household.ann
            try await accounts.setPassword(Self.password, of: ann)
            let enrolment = try await accounts.beginTOTP(of: ann)
            let app = TOTP(secret: try #require(Base32.bytes(enrolment.key.reveal())))
            let first = app.code(step: app.step(at: server.household.clock.now))
            let recovery = try await accounts.confirmTOTP(ann, code: first).map { $0.reveal() }
            server.household.clock.advance(by: .seconds(30))
            try await body(World(server: server, app: app, recovery: recovery))
        }
    }

    @Test func aCodeOpensOnce() async throws {
        try await run { (world) async throws in
            var visitor = try await Visitor(world.server)
            #expect(visitor.page.status == 200)
            let text = visitor.browser.text(visitor.page)
            #expect(text.contains("One more step") && text.contains("Text me a code"))
            #expect(visitor.page.headers["cache-control"] == "no-store")
            // The password alone signs nobody in.
            let early = try await visitor.browser.get(visitor.url)
            #expect(early.status == 200 && visitor.browser.text(early).contains("name=\"password\""))
            let refused = try await visitor.give("totp", world.wrong)
            #expect(refused.status == 401 && visitor.browser.text(refused).contains("role=\"alert\""))
            let code = world.code
            let right = try await visitor.give("totp", code)
            #expect(right.status == 303 && right.headers["set-cookie"]?.contains("HttpOnly") == true)
            #expect(try await visitor.isSignedIn())
            // Neither the same code for somebody who looked over the shoulder, nor the challenge again.
            var thief = try await Visitor(world.server)
            #expect(try await thief.give("totp", code).status == 401)
            #expect(try await visitor.give("totp", code).status == 401)
            #expect(try await !thief.isSignedIn())
            world.server.household.clock.advance(by: .seconds(30))
            #expect(try await thief.give("totp", world.code).status == 303)
            // Without the form's cookie nothing is tried.
            var stranger = Browser()
            #expect(
                try await stranger.post(
                    visitor.url, [("step", "code"), ("form", "x"), ("challenge", "x"), ("code", "000000")]
                ).status == 403)
        }
    }

    @Test func guessesAreFewAndLockNobodyOutForLong() async throws {
        try await run { (world) async throws in
            var visitor = try await Visitor(world.server)
            var statuses: [Int] = []
            for _ in 0..<5 { statuses.append(try await visitor.give("totp", world.wrong).status) }
            // That sign-in is over, whatever comes.
            let over = try await visitor.give("totp", world.code)
            statuses.append(over.status)
            #expect(statuses == [401, 401, 401, 401, 401, 401])
            #expect(visitor.browser.text(over).contains("name=\"password\""))
            // Another begins, and waits, even with the right one.
            var again = try await Visitor(world.server)
            let waiting = try await again.give("totp", world.code)
            #expect(waiting.status == 429)
            #expect(Int(waiting.headers["retry-after"] ?? "") ?? 0 > 0)
            #expect(try await !again.isSignedIn())
            // A recovery code is counted apart: the owner gets in, once with each.
            #expect(try await again.give("recovery", " \(world.recovery[2].uppercased()) ").status == 303)
            #expect(try await again.isSignedIn())
            var third = try await Visitor(world.server)
            #expect(try await third.give("recovery", world.recovery[2]).status == 401)
            #expect(try await third.give("recovery", "AAAAA-AAAAA").status == 401)
            #expect(try await third.give("recovery", world.recovery[3]).status == 303)
            // And the app again after the wait.
            world.server.household.clock.advance(by: .seconds(3600))
            var later = try await Visitor(world.server)
            #expect(try await later.give("totp", world.code).status == 303)
        }
    }

    @Test func aTextIsTheBackup() async throws {
        try await run { (world) async throws in
            let server = world.server
            var visitor = try await Visitor(server)
            let challenge = try #require(visitor.browser.field("challenge", visitor.page))
            let methods = try #require(visitor.browser.field("methods", visitor.page))
            #expect(methods.split(separator: " ").contains("sms"))
            let sent = try await visitor.send("text", [("challenge", challenge), ("methods", methods)])
            #expect(sent.status == 200 && visitor.browser.text(sent).contains("on its way"))
            await server.simulator.untilAccepted(1)
            let text = try #require(server.answers().last)
            let code = String(text.filter(\.isNumber).prefix(6))
            #expect(code.count == 6)
            let wrong = code == "000000" ? "000001" : "000000"
            #expect(try await visitor.give("sms", wrong).status == 401)
            #expect(try await visitor.give("sms", code).status == 303)
            #expect(try await visitor.isSignedIn())
            var thief = try await Visitor(server)
            #expect(try await thief.give("sms", code).status == 401)
            // Whoever has no challenge gets no text sent to anybody.
            let none = try await thief.send("text", [("challenge", "AAAAAAAAAAAAAAAA"), ("methods", "sms")])
            #expect(none.status == 401)
            #expect(server.simulator.messages.count == 1)
            #expect(server.answers(to: Household.bobPhone).isEmpty)
        }
    }
}
