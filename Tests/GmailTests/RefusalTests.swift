import GmailSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing
import VendorSimulator

@testable import Gmail

/// What the person is told of each of Gmail's refusals, and what is tried again: every golden error sample, and faults.
struct RefusalTests {
    private let box: Mailbox
    private let id: String

    init() throws {
        box = try Mailbox()
        id = box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "Monday?")
    }

    private func fault(_ name: String) throws -> VendorFault? {
        guard let sample = Mailbox.sample(name) else {
            print("skipped: ../shared/contracts is not at hand")
            return nil
        }
        return .sample(sample)
    }

    @Test(arguments: [
        ("error-400-id", "mail_gone", false, "That mail is not there any more. To see what is: show my inbox."),
        ("error-404", "mail_gone", false, "That mail is not there any more. To see what is: show my inbox."),
        ("error-404-history", "mail_gone", false, "That mail is not there any more. To see what is: show my inbox."),
        ("error-503", "unavailable", true, "Gmail has a problem right now. Try again later."),
    ]) func goldenErrors(name: String, code: String, isRetryable: Bool, message: String) async throws {
        guard let fault = try fault(name) else { return }
        box.gmail.fail("messages/", fault)
        let failure = try #require(await box.ann.call("gmail.read", ["mail": .string("#" + id)]).error)
        #expect(failure.code == code)
        #expect(failure.isRetryable == isRetryable)
        #expect(failure.message == message)
    }

    @Test func tooManyRequestsSayWhenItGoesOn() async throws {
        guard let fault = try fault("error-429") else { return }
        box.host.now = try #require(Instant("2026-11-21T10:13:30.000Z"))
        box.gmail.fail("messages", fault)
        let failure = try #require(await box.ann.call("gmail.list").error)
        #expect(failure.message == "Gmail wants me to slow down. Try again in 2 minutes.")
        #expect(failure.retryAfterMilliseconds == 120_000)
        #expect(failure.isRetryable)
    }

    /// A 403 that means "too fast" is waited out; nobody hears of it.
    @Test func aRateLimitByThe403IsTriedAgain() async throws {
        guard let fault = try fault("error-403-rate") else { return }
        box.gmail.fail("messages", fault)
        #expect(await box.ann.say("gmail.list").hasPrefix("1 unread: 1 *Pat: Tap"))
        box.gmail.fail("modify", fault)
        #expect(await box.ann.say("gmail.archive", ["mails": .string("#" + id)]) == "Archived: Pat: Tap.")
    }

    @Test func aMissingRightIsAskedFor() async throws {
        guard let fault = try fault("error-403-scope") else { return }
        box.gmail.fail("drafts", fault)
        let outcome = await box.ann.call("gmail.send", ["to": ["kim@example.com"], "text": "x"])
        guard case .authRequired(let auth) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(auth.grant == "mail")
        #expect(auth.message == "Google has not allowed me that for your mail yet.")
        // The simulator says the same of a token that may only read.
        let reader = try Mailbox(scopes: ["https://www.googleapis.com/auth/gmail.readonly"])
        let mail = reader.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "x")
        #expect(await reader.ann.say("gmail.list").contains("Tap"))
        guard case .authRequired = await reader.ann.call("gmail.archive", ["mails": .string("#" + mail)]) else {
            Issue.record("archived without the right")
            return
        }
    }

    @Test func aDeadTokenIsAskedForAnew() async throws {
        guard let fault = try fault("error-401") else { return }
        // In the middle of a page: the first heads came, the next one is refused.
        for number in 0..<8 { box.gmail.deliver(from: "a\(number)@example.org", subject: "S", text: "x") }
        box.gmail.fail("messages/", .slow(milliseconds: 0), .slow(milliseconds: 0), fault)
        guard case .authRequired(let auth) = await box.ann.call("gmail.list") else {
            Issue.record("no question for a connection")
            return
        }
        #expect(auth.message == "Google wants you to sign in again.")
    }

    @Test(arguments: [
        (403, "dailyLimitExceeded", "rate_limited"), (403, "domainPolicy", "domain_policy"),
        (403, "accessNotConfigured", "not_configured"), (403, "somethingNew", "forbidden"),
        (400, "failedPrecondition", "no_mailbox"), (409, "aborted", "conflict"), (410, "deleted", "mail_gone"),
        (413, "uploadTooLarge", "too_large"), (500, "backendError", "unavailable"), (502, "", "unavailable"),
        (418, "teapot", "rejected"),
    ]) func otherRefusals(status: Int, reason: String, code: String) async throws {
        let body: JSON = [
            "error": [
                "code": .integer(Int64(status)), "message": "x",
                "errors": [["message": "x", "domain": "global", "reason": .string(reason)]],
            ]
        ]
        box.gmail.fail("messages/", .answer(.json(status, body)))
        let failure = try #require(await box.ann.call("gmail.read", ["mail": .string("#" + id)]).error)
        #expect(failure.code == code)
        #expect(!failure.message.contains("x-") && failure.message.count <= 150)
    }

    @Test func retryAfterOfTheHeaderGoesFirst() async throws {
        box.gmail.fail("messages", .answer(.json(429, ["error": ["code": 429]], [("Retry-After", "600")])))
        let failure = try #require(await box.ann.call("gmail.list").error)
        #expect(failure.retryAfterMilliseconds == 600_000)
        #expect(failure.message == "Gmail wants me to slow down. Try again in 10 minutes.")
    }

    @Test func whatIsNoAnswerIsSaidToBeNone() async throws {
        box.gmail.fail("messages", .html)
        #expect(await box.ann.call("gmail.list").error?.code == "unexpected_answer")
        box.gmail.fail("messages", .cutBefore)
        #expect(await box.ann.call("gmail.list").error?.isRetryable == true)
        // Another character set than JSON may have.
        let latin: [UInt8] = Array("{\"messages\": [{\"id\": \"caf".utf8) + [0xE9] + Array("\"}]}".utf8)
        box.gmail.fail(
            "messages",
            .answer(
                VendorAnswer(
                    status: 200, headers: [("Content-Type", "application/json; charset=iso-8859-1")], body: latin)))
        #expect(await box.ann.call("gmail.list").error?.code == "unexpected_answer")
        box.gmail.fail("messages", .answer(.json(200, ["messages": "nonsense"])))
        #expect(await box.ann.say("gmail.list") == "No mail there.")
    }

    /// A mail that goes away between the list and its head is left out.
    @Test func aMailThatIsGoneMeanwhileIsLeftOut() async throws {
        box.gmail.deliver(from: "Kim <kim@example.com>", subject: "Hi", text: "x", minutesAgo: 30)
        box.gmail.fail("messages/", .answer(.json(404, ["error": ["code": 404]])))
        #expect(await box.ann.call("gmail.list").value?["mails"]?.arrayValue?.count == 1)
    }

    @Test func idsThatAreNoneReachNobody() async throws {
        for id in ["../../drafts", "a/b", "x?y", String(repeating: "a", count: 200), "%2e%2e"] {
            #expect(await box.ann.call("gmail.read", ["mail": .string("#" + id)]).error?.code == "mail_gone")
        }
        #expect(box.gmail.requests.isEmpty)
    }
}
