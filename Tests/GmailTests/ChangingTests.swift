import GmailSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing
import VendorSimulator

@testable import Gmail

struct ChangingTests {
    private let box: Mailbox
    private let tap: String

    init() throws {
        box = try Mailbox()
        tap = box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "Can you be home?")
    }

    /// Takes a change back as the host would: with the value of the outcome.
    private func undo(_ outcome: Outcome, by tool: String = "gmail.restore") async -> Outcome {
        await box.ann.call(tool, outcome.value ?? [:])
    }

    @Test(arguments: [
        ("gmail.archive", JSON.null, ["UNREAD"], "Archived: Pat: Tap."),
        ("gmail.mark", .null, ["INBOX"], "Marked as read: Pat: Tap."),
        ("gmail.star", .null, ["INBOX", "UNREAD", "STARRED"], "Starred: Pat: Tap."),
        ("gmail.trash", .null, ["UNREAD", "TRASH"], "In the trash: Pat: Tap."),
    ]) func changesAndTakesBack(tool: String, more: JSON, labels: [String], message: String) async throws {
        let outcome = await box.ann.call(tool, ["mails": .string("#" + tap)])
        #expect(outcome.message == message)
        #expect(box.gmail.labels(of: tap) == Set(labels))
        _ = await undo(outcome)
        #expect(box.gmail.labels(of: tap) == ["INBOX", "UNREAD"])
        #expect(box.gmail.refusals == [])
    }

    @Test func aChangeThatIsNoneTakesNothingBack() async throws {
        let outcome = await box.ann.call("gmail.mark", ["mails": .string("#" + tap), "unread": true])
        #expect(outcome.message == "It was that already.")
        #expect(outcome.value?["changes"] == [])
        #expect(box.gmail.requests.allSatisfy { $0.method == "GET" })
    }

    @Test func changesSeveralAtOnce() async throws {
        let other = box.gmail.deliver(from: "Kim <kim@example.com>", subject: "Hi", text: "x", labels: ["INBOX"])
        let outcome = await box.ann.call("gmail.archive", ["mails": [.string("#" + tap), .string("#" + other)]])
        #expect(outcome.message == "Archived 2 mails.")
        #expect(box.gmail.requests.last?.path.hasSuffix("batchModify") == true)
        _ = await undo(outcome)
        #expect(box.gmail.labels(of: other) == ["INBOX"])
    }

    @Test func labelsAndMakesWhatIsMissing() async throws {
        let outcome = await box.ann.call("gmail.label", ["mails": .string("#" + tap), "label": "House"])
        #expect(outcome.message == "New label House: Pat: Tap.")
        #expect(box.gmail.labels(of: tap)?.contains("Label_12") == true)
        let again = await box.ann.call("gmail.label", ["mails": .string("#" + tap), "label": "house", "off": true])
        #expect(again.message == "No longer house: Pat: Tap.")
        #expect(box.gmail.labels(of: tap)?.contains("Label_12") == false)
        #expect(
            await box.ann.say("gmail.label", ["mails": .string("#" + tap), "label": "Sent"])
                == "Gmail sets the label SENT itself.")
        #expect(box.gmail.refusals == [])
    }

    @Test func sortsManyAndAsksBeforeALot() async throws {
        for number in 0..<25 {
            box.gmail.deliver(
                from: "Shop <news@shop.example>", subject: "Sale \(number)", text: "unsubscribe",
                labels: ["INBOX", "UNREAD", "CATEGORY_PROMOTIONS"])
        }
        let arguments: JSON = ["action": "archive", "group": "newsletters"]
        let ask = try #require(await box.ann.call("gmail.clean", arguments).question)
        #expect(ask.message == "That is 25 mails. Go on? 1 go on, 2 leave it")
        #expect(await box.ann.answer(ask, false, to: "gmail.clean", arguments).message == "Left as it is.")
        let done = await box.ann.answer(ask, true, to: "gmail.clean", arguments)
        #expect(done.message == "Archived 25 mails.")
        #expect(await box.ann.call("gmail.list").value?["mails"]?.arrayValue?.count == 1)
        _ = await undo(done)
        #expect(await box.ann.call("gmail.list").value?["mails"]?.arrayValue?.count == 9)
        #expect(
            await box.ann.say("gmail.clean", ["action": "archive", "from": "giraffe"])
                == "There is no such mail in your inbox.")
        #expect(await box.ann.call("gmail.clean", ["action": "archive"]).error?.code == "invalid")
        #expect(box.gmail.refusals == [])
    }

    @Test func makesATaskWithAWayBack() async throws {
        let made = await box.ann.call("gmail.task", ["mail": .string("#" + tap), "due": "2026-11-25"])
        #expect(
            made.message == "On your tasks: Answer Pat: Tap.\nThe mail: https://mail.google.com/mail/u/0/#all/\(tap)")
        #expect(box.ann.calledTools.first?.arguments == ["title": "Answer Pat: Tap", "due": "2026-11-25"])
        #expect(made.shown?.items.first?.type == "tasks.task")
        #expect(
            await box.ann.say("gmail.read", ["mail": .string("#" + tap)]).hasSuffix("On your tasks: Answer Pat: Tap"))
        #expect(await box.ann.say("gmail.of_task", ["task": "#77"]).hasPrefix("Pat, 09:00: Tap"))
        #expect(await box.ann.say("gmail.of_task", ["task": "tap"]).hasPrefix("Pat, 09:00: Tap"))
        #expect(await box.ann.say("gmail.of_task", ["task": "#78"]) == "No mail belongs to that task.")
    }
}
