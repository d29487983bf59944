import GraphSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing
import VendorSimulator

@testable import Graph

/// What the person is told of each of Graph's refusals: every golden error sample, and faults.
struct RefusalTests {
    private let box: Office365

    init() throws { box = try Office365() }

    private func fault(_ name: String) -> VendorFault? {
        guard let sample = Office365.sample(name) else {
            print("skipped: ../shared/contracts is not at hand")
            return nil
        }
        return .sample(sample)
    }

    @Test(arguments: [
        ("error-400-filter", "too_complex", false, "That is too much to look for at once. Use fewer words.", 0),
        ("error-404-mailbox", "no_mailbox", false, "This Microsoft account has no mailbox that apps can work with.", 0),
        ("error-404", "item_gone", false, "That is not there any more. Look again: show my calendar.", 0),
        ("error-410-delta", "sync_state_gone", false, "The list of changes is too old.", 0),
        ("error-429", "rate_limited", true, "Microsoft wants me to slow down. Try again in a minute.", 30_000),
        (
            "error-429-concurrency", "rate_limited", true, "Microsoft wants me to slow down. Try again in a minute.",
            10_000
        ),
        ("error-503", "unavailable", true, "Microsoft has a problem right now. Try again in 2 minutes.", 120_000),
        ("error-504", "unavailable", true, "Microsoft has a problem right now. Try again later.", 0),
    ]) func goldenErrors(name: String, code: String, isRetryable: Bool, message: String, wait: Int) async throws {
        guard let fault = fault(name) else { return }
        box.graph.fail("messages", fault)
        let failure = try #require(await box.ann.call("graph.mail").error)
        #expect(failure.code == code)
        #expect(failure.isRetryable == isRetryable)
        #expect(failure.message == message)
        #expect(failure.retryAfterMilliseconds ?? 0 == wait)
    }

    @Test(arguments: [
        ("error-401-empty", "Microsoft wants you to sign in again."),
        ("error-401-expired", "Microsoft wants you to sign in again."),
        ("error-403-scope", "Microsoft has not allowed me that yet."),
    ]) func rightsAreAskedFor(name: String, message: String) async throws {
        guard let fault = fault(name) else { return }
        box.graph.fail("messages", fault)
        guard case .authRequired(let auth) = await box.ann.call("graph.mail") else {
            Issue.record("no question for a connection")
            return
        }
        #expect(auth.grant == "microsoft")
        #expect(auth.message == message)
    }

    @Test func readingRightsChangeNothing() async throws {
        let reader = try Office365(scopes: ["Calendars.Read", "Mail.Read"])
        guard case .authRequired = await reader.ann.call("graph.add_event", ["title": "X", "when": "2026-11-24"]) else {
            Issue.record("written without the right")
            return
        }
        #expect(await reader.ann.call("graph.mail").error == nil)
    }

    @Test func whatIsNoAnswerIsSaidToBeNone() async throws {
        box.graph.fail("calendarView", .html)
        #expect(await box.ann.call("graph.calendar").error?.code == "unexpected_answer")
        box.graph.fail("calendarView", .cutBefore)
        #expect(await box.ann.call("graph.calendar").error?.isRetryable == true)
        // A link that leads elsewhere is not followed.
        box.graph.fail(
            "calendarView", .answer(.json(200, ["value": [], "@odata.nextLink": "https://evil.example/v1.0/me"])))
        #expect(
            await box.ann.call("graph.calendar", ["period": ["from": "2026-11-23", "to": "2026-11-23"]]).error?.code
                == "unexpected_answer")
    }

    @Test func aRefusalInTheMiddleOfAPageIsOne() async throws {
        for hour in 10..<70 {
            box.graph.add("E\(hour)", start: "2026-11-23T10:\(hour % 60):00", end: "2026-11-23T11:00:00")
        }
        guard let fault = fault("error-401-expired") else { return }
        box.graph.fail("calendarView", .slow(milliseconds: 0), fault)
        guard
            case .authRequired = await box.ann.call(
                "graph.calendar", ["period": ["from": "2026-11-23", "to": "2026-11-23"]])
        else {
            Issue.record("a half list was shown")
            return
        }
    }
}
